//! A station on a bus of its own, and clients that are not in its process: `blanche station`, systemd's busctl, systemd itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod client;
mod pieces;
mod policy;
mod program;
mod session;
mod training;

use std::time::{Duration, Instant};

/// Long for everything, on a busy machine too.
const SOON: Duration = Duration::from_secs(180);

/// Waits until something is there.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
