//! From a medium to a verdict.
//!
//! ```text
//! target ─► room (engines, warm) ─► session: reading ─► intake ─► (known) matching ─► ledger ─► judge ─► compose ─► report
//!                                                                                        └► inventory, for a tag
//! ```
//!
//! This crate starts and limits the sandboxed children, compares what they say, and never parses a byte of the medium
//! itself. It never links an engine.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic"))]

mod again;
mod alike;
mod believe;
mod brake;
mod budget;
mod catalogue;
mod compose;
mod disguise;
pub mod error;
mod image;
mod intake;
mod inventory;
pub mod judge;
mod known;
mod ledger;
mod matching;
pub mod progress;
mod queue;
mod reading;
mod remainder;
pub mod report;
mod room;
mod session;
pub mod settings;
mod target;
pub mod words;

pub use again::{Look, Part, RereadError, Taker, look, reread};
pub use error::ScanError;
pub use inventory::{Inventory, Listed};
pub use remainder::{Original, Remainder};
pub use room::{EngineRoom, EngineRoomDescription, SelfTest};
pub use session::{ScanOptions, ScanOutcome, scan, scan_opened};
