//! Backpressure: bytes of content that may be in flight between the reader and the matchers.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A number of bytes that may be held at once.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

/// Bytes that are held; given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    bytes: u64,
}

/// There will never be room: what is asked for and already held by the asker alone passes the limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Budget {
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: Mutex::new(0), freed: Condvar::new() })
    }

    /// Nothing yet, to be grown.
    pub(crate) fn nothing(self: &Arc<Self>) -> Held {
        Held { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Held {
    /// Takes `more` bytes; waits while others hold them. `stop` is asked ten times a second.
    ///
    /// # Errors
    /// [`NoRoom`] when waiting cannot help, or when `stop` says so.
    pub(crate) fn grow(&mut self, more: u64, stop: &dyn Fn() -> bool) -> Result<(), NoRoom> {
        let own = self.bytes.saturating_add(more);
        if own > self.budget.limit {
            return Err(NoRoom);
        }
        let mut used = self.budget.used.lock().unwrap_or_else(PoisonError::into_inner);
        while used.saturating_add(more) > self.budget.limit {
            if stop() {
                return Err(NoRoom);
            }
            let waited = self.budget.freed.wait_timeout(used, Duration::from_millis(100));
            used = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *used = used.saturating_add(more);
        self.bytes = own;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut used = self.budget.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(self.bytes);
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_when_dropped_and_waiting_alone_is_refused() {
        let budget = Budget::new(10);
        let mut first = budget.nothing();
        first.grow(6, &|| false).expect("room");
        assert_eq!(first.grow(5, &|| false), Err(NoRoom));
        let mut second = budget.nothing();
        assert_eq!(second.grow(5, &|| true), Err(NoRoom));
        drop(first);
        second.grow(10, &|| false).expect("all of it is free again");
    }

    #[test]
    fn a_waiter_goes_on_as_soon_as_there_is_room() {
        let budget = Budget::new(10);
        let mut first = budget.nothing();
        first.grow(10, &|| false).expect("room");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| budget.nothing().grow(10, &|| false));
            drop(first);
            assert_eq!(waiter.join().expect("no panic"), Ok(()));
        });
    }
}
