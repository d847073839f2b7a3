//! The station's programs. For now: the command line `blanche`.
//!
//! * [`command`]: what was asked, and the way through it.
//! * [`show`]: reports, engines and progress for people.
//! * [`copy`]: from a clean medium to another one that holds its files, and nothing else.
//! * `seal`: from a clean medium to its tag; `identity`: what a medium is recognised by.
//! * [`exit`]: the exit codes.

#![forbid(unsafe_code)]

pub mod admit;
pub mod board;
pub mod command;
pub mod copy;
pub mod daemon;
pub mod detect;
pub mod exit;
mod identity;
mod interrupt;
mod log;
mod seal;
pub mod session;
pub mod show;
