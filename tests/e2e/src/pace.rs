//! How fast this machine emulates others: times in the guest are those of an emulated processor, which is as slow as the one below it.

use std::sync::OnceLock;
use std::time::Duration;

/// Seconds in which the machine of the device matrix boots, others beside it, where limits of time hold as they are written: 9 were seen
/// where all of them were kept with half to spare.
const USUAL: f64 = 12.0;

static SLOWNESS: OnceLock<f64> = OnceLock::new();

/// Takes the time in which the first machine has booted; nothing where it has not.
pub(crate) fn booted(time: Option<Duration>) {
    SLOWNESS.get_or_init(|| time.map_or(1.0, |time| (time.as_secs_f64() / USUAL).max(1.0)));
}

/// How many times slower than usual this machine is: at least 1. Waits until one has booted.
#[must_use]
pub fn slowness() -> f64 {
    *SLOWNESS.wait()
}

/// A limit of time in seconds, as it is on this machine.
#[must_use]
pub fn limit(seconds: f64) -> f64 {
    seconds * slowness()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_shorter_than_it_is_written() {
        booted(Some(Duration::from_secs(30)));
        // Only the first counts.
        booted(None);
        assert_eq!((slowness(), limit(3.0)), (2.5, 7.5));
    }
}
