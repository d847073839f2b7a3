//! A mirror for ever: a bus that is not there, breaks or starts again is looked for until it is found.

use crate::address::Bus;
use crate::client::Client;
use crate::mirror::{Change, Mirror};
use crate::watch::Watch;
use std::ops::ControlFlow;
use std::time::Duration;

/// Between two attempts to reach a bus: at first, and at most.
const AGAIN: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(2)];

/// What was seen.
pub struct Seen<'a> {
    /// The change.
    pub change: &'a Change,
    /// What is known with it.
    pub mirror: &'a Mirror,
    /// Through which to ask more; `None` while there is no bus.
    pub client: Option<&'a Client>,
}

/// Follows a station on a thread of the caller's, and tells every change, until `tell` breaks. While the bus or the station is
/// away, the last change is [`Change::Absent`].
pub fn follow(bus: &Bus, mut tell: impl FnMut(&Seen<'_>) -> ControlFlow<()>) {
    let [first, longest] = AGAIN;
    let mut pause = first;
    loop {
        let mut watched = false;
        let ended = zbus::block_on(async {
            let mut watch = Watch::begin(Client::connect(bus).await?).await?;
            watched = true;
            loop {
                let change = watch.next().await?;
                let seen = Seen { change: &change, mirror: watch.mirror(), client: Some(watch.client()) };
                if tell(&seen).is_break() {
                    return Ok::<(), zbus::Error>(());
                }
            }
        });
        if ended.is_ok() {
            return;
        }
        let seen = Seen { change: &Change::Absent, mirror: &Mirror::default(), client: None };
        if tell(&seen).is_break() {
            return;
        }
        pause = if watched { first } else { pause.saturating_mul(2).min(longest) };
        std::thread::sleep(pause);
    }
}
