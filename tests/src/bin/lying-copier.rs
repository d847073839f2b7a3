//! A copier that is born like the real one, says that it did everything, and writes nothing.
//!
//! The tests install it under the name `blanche-sealer` in a folder of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test program: when it fails, the test that started it fails"
)]

use blanche_sandbox::Channel;
use blanche_sandbox::birth::Inherited;
use blanche_sandbox::confine::{Profile, confine};
use blanche_sandbox::wire::{FromCopier, ToCopier};

fn main() {
    let _medium = Inherited::Medium.take().expect("a medium");
    let channel = Channel::from_fd(Inherited::Channel.take().expect("a channel"));
    let born = confine(Profile::Sealer).expect("confinement");
    channel.send(&born, &[]).expect("parent");
    let mut taken = 0;
    while let Ok(received) = channel.receive::<ToCopier>(None) {
        let answer = match received.message {
            ToCopier::Begin(_) | ToCopier::Entries(_) => continue,
            ToCopier::Plan => FromCopier::Planned { blank: true },
            ToCopier::Format => FromCopier::Formatted,
            ToCopier::Content(parts) => {
                taken += parts.iter().map(|part| part.length).sum::<u64>();
                FromCopier::Taken(taken)
            }
            ToCopier::Finish => FromCopier::Copied,
            ToCopier::Abandon => FromCopier::Emptied,
        };
        channel.send(&answer, &[]).expect("parent");
    }
}
