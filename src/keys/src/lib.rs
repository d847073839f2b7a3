//! Keys: the ceremony that makes and certifies them, and the process that holds a station's keys and signs tags.
//!
//! * [`ceremony`]: authorities, stations, revocation; docs/keys.md is the way through it.
//! * [`KeysCommand`]: the same as `blanche keys …`.
//! * [`signer`]: the program `blanche-signer`.
//! * [`SignerClient`]: how a station speaks to it; [`protocol`]: in which words; [`wait_for_turn`]: one at a time.
//!
//! What a certificate, a CRL or a list must be is docs/tag-format.md, section 12; `blanche_tag` is the judge.

#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::panic,
        reason = "tests know what they hold"
    )
)]

pub mod ceremony;
mod certificate;
mod client;
mod command;
mod error;
#[cfg(test)]
mod judged;
mod key;
mod place;
pub mod protocol;
mod request;
mod secret;
pub mod signer;
mod token;
mod turn;

pub use certificate::StationName;
pub use client::{SignerClient, SignerError};
pub use command::{KeysCommand, run, run_to};
pub use error::KeysError;
pub use protocol::Description;
pub use secret::{SHORTEST, Secret, Secrets};
pub use token::TokenPlace;
pub use turn::wait_for_turn;
