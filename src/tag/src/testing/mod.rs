//! TEST KEYS for tests of this crate and of those that use it: authorities and stations that anyone can make. Only with
//! the feature `testing`, which no program that is shipped has.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::unwrap_used,
    reason = "tests know what they hold"
)]

mod authority;

pub use authority::*;
