//! Backpressure: bytes of content that may be in flight between the reader and the matchers, or in the spool.
//!
//! Whoever waits is served in turn, so that small requests do not keep a large one waiting for ever.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A number of bytes that may be held at once.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// Who waits, in turn, by their numbers.
    waiting: VecDeque<u64>,
    /// The next number.
    number: u64,
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
        Arc::new(Self { limit, state: Mutex::default(), freed: Condvar::new() })
    }

    /// Nothing yet, to be grown.
    pub(crate) fn nothing(self: &Arc<Self>) -> Held {
        Held { budget: Arc::clone(self), bytes: 0 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut state = self.budget.state();
        let number = state.number;
        state.number = number.wrapping_add(1);
        state.waiting.push_back(number);
        let granted = loop {
            if state.waiting.front() == Some(&number) && state.used.saturating_add(more) <= self.budget.limit {
                state.used = state.used.saturating_add(more);
                self.bytes = own;
                break Ok(());
            }
            if stop() {
                break Err(NoRoom);
            }
            let waited = self.budget.freed.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiting.retain(|other| *other != number);
        // There may be room for the next one as well.
        self.budget.freed.notify_all();
        granted
    }
}

impl Held {
    /// Gives everything back.
    pub(crate) fn give_back(&mut self) {
        *self = self.budget.nothing();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.budget.state();
        state.used = state.used.saturating_sub(self.bytes);
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Cancel;

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
    fn who_waits_is_served_in_turn_and_who_is_stopped_holds_nobody_up() {
        let (budget, stopped) = (Budget::new(10), Cancel::default());
        let mut first = budget.nothing();
        first.grow(6, &|| false).expect("room");
        std::thread::scope(|scope| {
            let large = scope.spawn(|| budget.nothing().grow(10, &|| stopped.is_cancelled()));
            while budget.state().waiting.is_empty() {
                std::thread::yield_now();
            }
            assert_eq!(budget.nothing().grow(1, &|| true), Err(NoRoom), "somebody came before");
            let small = scope.spawn(|| budget.nothing().grow(4, &|| false));
            while budget.state().waiting.len() < 2 {
                std::thread::yield_now();
            }
            assert!(!small.is_finished(), "small ones do not overtake");
            stopped.cancel();
            assert_eq!(large.join().expect("no panic"), Err(NoRoom));
            assert_eq!(small.join().expect("no panic"), Ok(()));
        });
        assert!(budget.state().waiting.is_empty());
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
