//! The finished program against real media, folders and the specification's vectors. `BLANCHE_VERIFY_PROGRAM` names
//! another program to test: the small static one, or with `BLANCHE_VERIFY_SYSTEM=windows` the one for Windows under Wine
//! (tests/windows).

// Media are made by the tools of Linux; the program under test may be of another system.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests know what they hold"
)]

mod accepted;
mod confined;
mod hostile;
mod json;
mod media;
mod oracles;
mod program;
mod refused;
mod sealed;
mod setup;
mod show;
mod vectors;
mod world;
