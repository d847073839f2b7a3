//! Sleep and changed clocks, seen by comparing three clocks: one that stops while the machine sleeps, one that does not, and
//! the one on the wall (clock_gettime(2)). Where the processor has no state for it, the first does not stop in the lightest sleep (kernel:
//! cpuidle_idle_call): so the kernel's own count of sleeps is asked too, which comes a moment later.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// The clock on the wall is corrected by so many seconds all the time: NTP at work.
const TOLERANCE: f64 = 2.0;
/// How often the kernel slept (kernel: Documentation/ABI/testing/sysfs-power).
const SLEEPS: &str = "/sys/power/suspend_stats/success";
/// Sleep is told from rounding by more than this, in seconds: the kernel takes its length from a clock with whole ones.
const LEAST: f64 = 0.1;

/// The clocks of a machine.
pub trait Clocks: Send {
    /// What they say now.
    fn read(&mut self) -> Reading;
}

/// What three clocks said, in seconds, and the count of sleeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    awake: f64,
    /// Before the other two were asked, and after that: whoever reads them may have to wait in between.
    since_boot: [f64; 2],
    wall: f64,
    /// 0 where nobody counts.
    sleeps: u64,
}

impl Reading {
    /// All at one moment, in seconds. `awake` stops during sleep, `since_boot` does not; `wall` counts from 1970, and may be set.
    /// Nobody counts how often the machine slept.
    #[must_use]
    pub const fn new(awake: f64, since_boot: f64, wall: f64) -> Self {
        Self { awake, since_boot: [since_boot, since_boot], wall, sleeps: 0 }
    }

    fn middle(&self) -> f64 {
        let [before, after] = self.since_boot;
        before.midpoint(after)
    }
}

/// Those of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClocks;

impl Clocks for MachineClocks {
    fn read(&mut self) -> Reading {
        let sleeps = std::fs::read_to_string(SLEEPS).ok().and_then(|text| text.trim().parse().ok());
        let before = seconds(clock_gettime(ClockId::Boottime));
        let (awake, wall) = (clock_gettime(ClockId::Monotonic), clock_gettime(ClockId::Realtime));
        let after = seconds(clock_gettime(ClockId::Boottime));
        Reading { awake: seconds(awake), since_boot: [before, after], wall: seconds(wall), sleeps: sleeps.unwrap_or(0) }
    }
}

fn seconds(time: Timespec) -> f64 {
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}

/// What happened since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Jumps {
    /// The machine slept.
    pub(super) slept: Option<Duration>,
    /// The clock on the wall was set: by so many seconds.
    pub(super) set: Option<f64>,
}

/// Looks at the clocks again and again.
pub(super) struct Clock {
    clocks: Box<dyn Clocks>,
    last: Option<Reading>,
}

impl Clock {
    pub(super) fn new(clocks: Box<dyn Clocks>) -> Self {
        Self { clocks, last: None }
    }

    /// Compares with the last look.
    pub(super) fn look(&mut self) -> Jumps {
        let now = self.clocks.read();
        self.last.replace(now).map_or_else(Jumps::default, |last| compare(&last, &now))
    }
}

fn compare(last: &Reading, now: &Reading) -> Jumps {
    let ([earliest, _], [_, latest]) = (now.since_boot, last.since_boot);
    let awake = now.awake - last.awake;
    let told = earliest - latest - awake > LEAST;
    let slept = (told || now.sleeps > last.sleeps).then(|| (now.middle() - last.middle() - awake).max(0.0));
    let set = (now.wall - last.wall) - (now.middle() - last.middle());
    let unsure = (now.since_boot[1] - earliest) + (latest - last.since_boot[0]);
    Jumps {
        slept: slept.and_then(|time| Duration::try_from_secs_f64(time).ok()),
        set: (set.abs() > TOLERANCE + unsure).then_some(set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that were slept, and by which the clock was set, both rounded.
    fn told(last: Reading, now: Reading) -> (Option<u64>, Option<f64>) {
        let Jumps { slept, set } = compare(&last, &now);
        (slept.map(|time| time.as_secs()), set.map(f64::round))
    }

    #[test]
    fn sleep_and_a_clock_that_is_set_are_told_apart_even_when_both_happen() {
        let start = Reading::new(10.0, 500.0, 1_000_000.0);
        let then = |awake, since_boot, wall| told(start, Reading::new(awake, since_boot, wall));
        assert_eq!(then(15.0, 505.0, 1_000_005.0), (None, None));
        assert_eq!(then(11.0, 601.0, 1_000_101.0), (Some(100), None));
        assert_eq!(then(11.0, 502.0, 1_000_002.0), (Some(1), None), "a short one");
        assert_eq!(then(11.0, 501.0, 999_001.0), (None, Some(-1000.0)));
        assert_eq!(then(11.0, 501.0, 1_003_601.0), (None, Some(3600.0)));
        assert_eq!(then(11.0, 601.0, 1_086_501.0), (Some(100), Some(86_400.0)), "set while it slept");
    }

    #[test]
    fn a_look_that_had_to_wait_between_two_clocks_sees_neither() {
        let start = Reading::new(10.0, 500.0, 1_000_000.0);
        for (awake, wall) in [(11.0, 1_000_001.0), (11.0, 1_000_041.0), (51.0, 1_000_041.0)] {
            let slow = Reading { awake, since_boot: [501.0, 541.0], wall, sleeps: 0 };
            assert_eq!(told(start, slow), (None, None), "{slow:?}");
            assert_eq!(told(slow, Reading::new(60.0, 550.0, 1_000_050.0)), (None, None), "{slow:?}");
        }
    }

    #[test]
    fn a_sleep_in_which_no_clock_stopped_is_seen_by_the_count_of_the_kernel() {
        let start = Reading { sleeps: 3, ..Reading::new(10.0, 500.0, 1_000_000.0) };
        let after = |sleeps| Reading { sleeps, ..Reading::new(15.0, 505.0, 1_000_005.0) };
        assert_eq!(told(start, after(3)), (None, None));
        assert_eq!(told(start, after(4)), (Some(0), None));
    }

    #[test]
    fn the_clocks_of_this_machine_agree() {
        let mut clock = Clock::new(Box::new(MachineClocks));
        for _ in 0..1000 {
            assert_eq!(clock.look(), Jumps::default());
        }
        let last = clock.last.map(|last| last.since_boot[0]);
        assert!(last.is_some_and(|since_boot| since_boot > 1.0), "{last:?}");
    }
}
