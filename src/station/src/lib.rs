//! The station's programs: the command line `blanche` and the daemon `blanche-stationd`.
//!
//! * [`command`]: what was asked, and the way through it.
//! * [`show`]: reports, engines and progress for people.
//! * [`copy`]: from a clean medium to another one that holds its files, and nothing else.
//! * `seal`: from a clean medium to its tag; `identity`: what a medium is recognised by.
//! * [`record`]: the journal, with the signer of this station.
//! * [`detect`], [`admit`], [`session`]: from a plugged-in device to its verdict; [`daemon`] drives them, [`board`] shows them.
//! * [`service`]: the board on D-Bus; [`words`]: what a station says to people.
//! * [`training`]: a whole station without hardware.
//! * [`stationd`]: the daemon as a program; [`exit`]: the exit codes.

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
pub mod record;
mod seal;
pub mod service;
pub mod session;
pub mod show;
pub mod stationd;
pub mod training;
pub mod words;
