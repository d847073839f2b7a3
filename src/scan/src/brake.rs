//! A brake on reading: a medium that was made for training is as slow as a person has to see it.
//!
//! Only the parent takes its time. The reader waits for it, because a channel that nobody empties is full soon; nothing else
//! of the session is another than with a fast medium.

use crate::progress::Counters;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// How often the wait is left to see whether somebody cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// Holds reading back to so many bytes of content in a second.
#[derive(Debug)]
pub(crate) struct Brake {
    /// Bytes per second; `None` = it is never pulled.
    rate: Option<NonZeroU64>,
    /// When the first content came.
    since: Option<Instant>,
}

impl Brake {
    pub(crate) fn new(rate: Option<NonZeroU64>) -> Self {
        Self { rate, since: None }
    }

    /// Waits as long as a medium of this rate would have needed for what was read, unless somebody wants to stop.
    pub(crate) fn wait(&mut self, counters: &Counters, stop: &dyn Fn() -> bool) {
        let (Some(rate), bytes @ 1..) = (self.rate, counters.bytes_read()) else { return };
        let since = *self.since.get_or_insert_with(Instant::now);
        let due = due(bytes, rate);
        while !stop() {
            let left = due.saturating_sub(since.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}

/// How long so many bytes take.
fn due(bytes: u64, rate: NonZeroU64) -> Duration {
    let millis = u128::from(bytes).saturating_mul(1000).checked_div(u128::from(rate.get())).unwrap_or(0);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(bytes: u64) -> Option<NonZeroU64> {
        NonZeroU64::new(bytes)
    }

    #[test]
    fn what_was_read_takes_its_time_and_nothing_takes_none() {
        let counters = Counters::default();
        let start = Instant::now();
        Brake::new(rate(1)).wait(&counters, &|| false);
        counters.read(1000);
        Brake::new(None).wait(&counters, &|| false);
        assert!(start.elapsed() < Duration::from_secs(10), "nobody waits without a reason");
        Brake::new(rate(5000)).wait(&counters, &|| false);
        assert!(start.elapsed() >= Duration::from_millis(200), "1000 bytes at 5000 in a second");
    }

    #[test]
    fn whoever_cancels_is_not_kept_waiting() {
        let counters = Counters::default();
        counters.read(u64::MAX);
        let start = Instant::now();
        Brake::new(rate(1)).wait(&counters, &|| start.elapsed() > Duration::from_millis(20));
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
