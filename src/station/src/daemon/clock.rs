//! Sleep and changed clocks, seen by comparing three clocks: one that stops while the machine sleeps, one that does not, and
//! the one on the wall (clock_gettime(2)).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Less than this is the usual unsteadiness: a slow look, NTP at work.
const TOLERANCE: f64 = 2.0;

/// What happened since the last look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Jump {
    /// The machine slept.
    Slept(Duration),
    /// The clock on the wall was set: by so many seconds.
    Set(f64),
}

/// What the three clocks said at the last look, in seconds.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// Stops during sleep.
    awake: f64,
    /// Does not.
    since_boot: f64,
    wall: f64,
}

#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    last: Option<Reading>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last: None }
    }

    /// Compares with the last look.
    pub(super) fn look(&mut self) -> Option<Jump> {
        let now = Reading {
            awake: self.start.elapsed().as_secs_f64(),
            since_boot: since_boot()?,
            wall: SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_secs_f64()).unwrap_or_default(),
        };
        compare(self.last.replace(now)?, now)
    }
}

/// Seconds since the start of the machine, sleep included (proc(5), `/proc/uptime`).
fn since_boot() -> Option<f64> {
    std::fs::read_to_string("/proc/uptime").ok()?.split(' ').next()?.parse().ok()
}

fn compare(last: Reading, now: Reading) -> Option<Jump> {
    let (awake, since_boot, wall) = (now.awake - last.awake, now.since_boot - last.since_boot, now.wall - last.wall);
    let slept = since_boot - awake;
    if slept > TOLERANCE {
        return Some(Jump::Slept(Duration::from_secs_f64(slept)));
    }
    let set = wall - since_boot;
    (set.abs() > TOLERANCE).then_some(Jump::Set(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_and_a_clock_that_is_set_are_told_apart_and_a_slow_look_is_neither() {
        let at = |awake, since_boot, wall| Reading { awake, since_boot, wall };
        let start = at(10.0, 500.0, 1_000_000.0);
        assert_eq!(compare(start, at(15.0, 505.0, 1_000_005.0)), None);
        assert_eq!(compare(start, at(15.0, 506.5, 1_000_006.5)), None);
        let Some(Jump::Slept(time)) = compare(start, at(11.0, 601.0, 1_000_101.0)) else { unreachable!("it slept") };
        assert_eq!(time.as_secs(), 100);
        let Some(Jump::Set(by)) = compare(start, at(11.0, 501.0, 999_001.0)) else { unreachable!("set back") };
        assert!((by + 1000.0).abs() < 0.01);
        let Some(Jump::Set(by)) = compare(start, at(11.0, 501.0, 1_003_601.0)) else { unreachable!("set on") };
        assert!((by - 3600.0).abs() < 0.01);
    }

    #[test]
    fn the_clocks_of_this_machine_can_be_read_and_agree() {
        let mut clock = Clock::new();
        assert_eq!(clock.look(), None);
        assert_eq!(clock.look(), None);
        assert!(clock.last.is_some());
    }
}
