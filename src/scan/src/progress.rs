//! What a person who waits is told.

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shortest time between two snapshots.
const PACE: Duration = Duration::from_millis(100);
/// The rate is taken over so long.
const WINDOW: Duration = Duration::from_secs(5);

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Partition tables and folders are read.
    Walking,
    /// Content is read, hashed and matched.
    Checking,
    /// The ledgers are added up.
    Judging,
}

/// A snapshot; sent at most ten times a second, and once at each change of stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Current stage.
    pub stage: Stage,
    /// Files found so far (walking) or in all (checking).
    pub files: u64,
    /// Bytes found so far (walking) or in all (checking).
    pub bytes: u64,
    /// Bytes read from the medium so far.
    pub bytes_read: u64,
    /// Files whose answer is known.
    pub files_done: u64,
    /// Bytes whose answer is known.
    pub bytes_done: u64,
    /// Files with a finding so far.
    pub files_found: u64,
    /// Bytes per second over the last seconds.
    pub rate: u64,
    /// Estimated from `rate`; absent until enough was seen.
    pub remaining: Option<Duration>,
}

/// Stops a session from another thread or a signal handler.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the session to stop; it does within a second.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself, for a signal handler.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// What the threads of a session count.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    checking: AtomicBool,
    files: AtomicU64,
    bytes: AtomicU64,
    bytes_read: AtomicU64,
    files_done: AtomicU64,
    bytes_done: AtomicU64,
    files_found: AtomicU64,
}

impl Counters {
    pub(crate) fn found(&self, files: u64, bytes: u64) {
        self.files.store(files, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn planned(&self, files: u64, bytes: u64) {
        self.found(files, bytes);
        self.checking.store(true, Ordering::Relaxed);
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    pub(crate) fn read(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The answer on one content is known.
    pub(crate) fn done(&self, bytes: u64, alarming: bool) {
        self.files_done.fetch_add(1, Ordering::Relaxed);
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        self.files_found.fetch_add(u64::from(alarming), Ordering::Relaxed);
    }
}

/// Turns counters into snapshots at a pace that a person can follow.
#[derive(Debug)]
pub(crate) struct Pace {
    last: Option<Instant>,
    stage: Option<Stage>,
    seen: VecDeque<(Instant, u64)>,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { last: None, stage: None, seen: VecDeque::new() }
    }

    /// A snapshot when it is time for one, or when the stage changed.
    pub(crate) fn snapshot(&mut self, counters: &Counters, judging: bool, now: Instant) -> Option<Progress> {
        let stage = match (judging, counters.checking.load(Ordering::Relaxed)) {
            (true, _) => Stage::Judging,
            (false, true) => Stage::Checking,
            (false, false) => Stage::Walking,
        };
        let early = self.last.is_some_and(|last| now.saturating_duration_since(last) < PACE);
        if early && self.stage == Some(stage) {
            return None;
        }
        self.last = Some(now);
        self.stage = Some(stage);
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (files, bytes) = (load(&counters.files), load(&counters.bytes));
        // Boot areas are matched like contents, and are no files.
        let bytes_done = load(&counters.bytes_done).min(bytes);
        let rate = self.rate(bytes_done, now);
        let left = bytes.saturating_sub(bytes_done);
        let remaining = (stage == Stage::Checking).then(|| left.checked_div(rate).map(Duration::from_secs)).flatten();
        Some(Progress {
            stage,
            files,
            bytes,
            bytes_read: load(&counters.bytes_read),
            files_done: load(&counters.files_done).min(files),
            bytes_done,
            files_found: load(&counters.files_found),
            rate,
            remaining,
        })
    }

    fn rate(&mut self, bytes_done: u64, now: Instant) -> u64 {
        self.seen.push_back((now, bytes_done));
        while self.seen.len() > 2 && self.seen.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW)
        {
            self.seen.pop_front();
        }
        let Some((at, before)) = self.seen.front() else { return 0 };
        let millis = u64::try_from(now.saturating_duration_since(*at).as_millis()).unwrap_or(u64::MAX);
        bytes_done.saturating_sub(*before).saturating_mul(1000).checked_div(millis).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_paced_and_a_change_of_stage_is_told_at_once() {
        let (counters, mut pace, start) = (Counters::default(), Pace::new(), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        counters.found(1, 500);
        assert_eq!(pace.snapshot(&counters, false, start).map(|progress| progress.stage), Some(Stage::Walking));
        assert_eq!(pace.snapshot(&counters, false, after(50)), None);
        counters.planned(2, 1000);
        let checking = pace.snapshot(&counters, false, after(60)).expect("the stage changed");
        assert_eq!((checking.stage, checking.bytes, checking.remaining), (Stage::Checking, 1000, None));
        counters.done(250, true);
        let half = pace.snapshot(&counters, false, after(1000)).expect("it is time");
        assert_eq!((half.rate, half.remaining), (250, Some(Duration::from_secs(3))));
        assert_eq!(half.files_found, 1);
    }

    #[test]
    fn the_rate_forgets_what_is_older_than_its_window() {
        let (counters, mut pace, start) = (Counters::default(), Pace::new(), Instant::now());
        counters.planned(1, 1_000_000);
        for second in 0..20u64 {
            counters.done(if second < 10 { 10_000 } else { 100 }, false);
            pace.snapshot(&counters, false, start + Duration::from_secs(second));
        }
        let last = pace.snapshot(&counters, false, start + Duration::from_secs(20)).expect("it is time");
        assert!(last.rate <= 100, "{last:?}");
    }
}
