//! Work that may take a while, off the thread that answers the bus, and not more of it at once than is good.

use super::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Pieces of work at the same time.
const AT_ONCE: usize = 8;

/// Counts what is being worked on.
#[derive(Clone, Debug, Default)]
pub(super) struct Clerk(Arc<AtomicUsize>);

impl Clerk {
    /// Does `work` on a thread of its own, whether or not somebody still waits for it.
    pub(super) async fn ask<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let place = Place::take(&self.0)?;
        Ok(zruntime::unblock(move || {
            let _until_done = place;
            work()
        })
        .await)
    }
}

/// One of the places; free again when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(busy: &Arc<AtomicUsize>) -> Result<Self, Error> {
        let place = Self(Arc::clone(busy));
        if busy.fetch_add(1, Ordering::SeqCst) < AT_ONCE {
            return Ok(place);
        }
        Err(Error::TooMany("too many requests at once; wait a second".to_owned()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_few_and_come_back() {
        let clerk = Clerk::default();
        let taken: Vec<_> = (0..AT_ONCE).filter_map(|_| Place::take(&clerk.0).ok()).collect();
        assert_eq!(taken.len(), AT_ONCE);
        for _ in 0..3 {
            assert!(matches!(Place::take(&clerk.0), Err(Error::TooMany(_))));
        }
        drop(taken);
        assert_eq!(clerk.0.load(Ordering::SeqCst), 0);
        assert_eq!(zbus::block_on(clerk.ask(|| 7)).ok(), Some(7));
        assert_eq!(clerk.0.load(Ordering::SeqCst), 0);
    }
}
