//! How much of what comes from the bus is answered at all.
//!
//! Every method call passes here, those of the standard interfaces too, before anything looks into it. A client that asks
//! too often is told so, and costs no more than that.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Calls that a client may make at once.
const BURST: u32 = 200;
/// Calls a second that it may make for ever.
const PER_SECOND: u32 = 50;
/// Clients that are remembered. A bus gives a user 256 connections at most (dbus-daemon(1), `max_connections_per_user`).
const CLIENTS: usize = 512;
/// Bytes of a call: no method of ours takes more than a word.
const LARGEST: usize = 16 << 10;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Answer,
    TooMany,
    TooLarge,
}

/// A bucket of calls for each client: full at first, filled again as time passes.
#[derive(Debug, Default)]
pub(super) struct Flood {
    clients: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    calls: f64,
    at: Instant,
}

impl Bucket {
    /// What it holds at this moment.
    fn level(&self, now: Instant) -> f64 {
        let passed: Duration = now.saturating_duration_since(self.at);
        passed.as_secs_f64().mul_add(f64::from(PER_SECOND), self.calls).min(f64::from(BURST))
    }
}

impl Flood {
    /// Judges a call of `bytes` by `sender`, a name that a bus never gives twice.
    pub(super) fn judge(&mut self, sender: &str, bytes: usize, now: Instant) -> Judgement {
        if !self.clients.contains_key(sender) {
            self.make_room(now);
        }
        let bucket =
            self.clients.entry(sender.to_owned()).or_insert_with(|| Bucket { calls: f64::from(BURST), at: now });
        bucket.calls = bucket.level(now);
        bucket.at = now;
        if bucket.calls < 1.0 {
            return Judgement::TooMany;
        }
        bucket.calls -= 1.0;
        if bytes > LARGEST { Judgement::TooLarge } else { Judgement::Answer }
    }

    /// Forgets clients whose bucket is full, as if they had never called; if there are none, the one that called least
    /// recently.
    fn make_room(&mut self, now: Instant) {
        if self.clients.len() < CLIENTS {
            return;
        }
        self.clients.retain(|_, bucket| bucket.level(now) < f64::from(BURST));
        if self.clients.len() >= CLIENTS {
            let oldest = self.clients.iter().min_by_key(|(_, bucket)| bucket.at).map(|(sender, _)| sender.clone());
            oldest.map(|sender| self.clients.remove(&sender));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_asks_too_often_is_refused_and_the_others_are_not() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(flood.judge(":1.7", 100, start), Judgement::Answer);
        }
        assert_eq!(flood.judge(":1.7", 100, start), Judgement::TooMany);
        assert_eq!(flood.judge(":1.8", 100, start), Judgement::Answer);
        let second = start + Duration::from_secs(1);
        for _ in 0..PER_SECOND {
            assert_eq!(flood.judge(":1.7", 100, second), Judgement::Answer);
        }
        assert_eq!(flood.judge(":1.7", 100, second), Judgement::TooMany);
    }

    #[test]
    fn a_call_that_is_too_large_counts_and_is_refused() {
        let (mut flood, now) = (Flood::default(), Instant::now());
        assert_eq!(flood.judge(":1.7", LARGEST, now), Judgement::Answer);
        for _ in 1..BURST {
            assert_eq!(flood.judge(":1.7", LARGEST + 1, now), Judgement::TooLarge);
        }
        assert_eq!(flood.judge(":1.7", LARGEST + 1, now), Judgement::TooMany);
    }

    #[test]
    fn ten_thousand_clients_do_not_fill_the_memory_and_none_escapes_by_their_crowd() {
        let (mut flood, start) = (Flood::default(), Instant::now());
        for client in 0..10_000u32 {
            let now = start + Duration::from_millis(u64::from(client));
            flood.judge(&format!(":1.{client}"), 10, now);
            assert!(flood.clients.len() <= CLIENTS);
        }
        for client in 0..CLIENTS {
            flood.judge(&format!(":2.{client}"), 10, start + Duration::from_secs(20));
        }
        flood.judge(":3.1", 10, start + Duration::from_secs(3600));
        assert_eq!(flood.clients.len(), 1, "full buckets are forgotten");
    }
}
