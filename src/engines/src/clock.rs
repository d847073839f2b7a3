//! CPU time of this thread.

/// A running clock.
pub(crate) struct CpuClock(u64);

impl CpuClock {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(now())
    }

    /// Microseconds of CPU since the start.
    pub(crate) fn micros(&self) -> u64 {
        now().saturating_sub(self.0)
    }
}

fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: clock_gettime(2) with a clock that every Linux has and a place for the answer; zero stays on failure.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0) / 1000)
}
