//! The station's journal: an *event* log and a *transfer* log, append-only, in one hash chain, with signed checkpoints.
//!
//! docs/journal.md describes files, records and chain to the byte, so that anybody can write a verifier.
//!
//! * [`Journal`]: recording. One process, any thread; [`Journal::event`], [`Journal::transfer`], [`Journal::checkpoint`].
//! * [`Reader`]: looking things up, page by page, while others record.
//! * [`verify`]: whether what is there is what was recorded.
//! * [`export`]: JSON lines, CSV, syslog, CEF.
//!
//! A verdict that is not recorded does not exist: [`JournalError::Full`] tells the caller to stop sealing.

#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::unwrap_used,
        clippy::panic,
        reason = "tests know what they hold"
    )
)]

mod canonical;
mod chain;
mod checkpoint;
mod error;
mod event;
pub mod export;
mod filter;
mod journal;
mod moment;
mod opening;
mod own;
mod parts;
mod reader;
mod schema;
mod segment;
mod signed;
mod transfer;
mod verify;
mod walk;
mod writer;

pub use chain::ChainHash;
pub use checkpoint::{CheckpointRequest, Checkpointed};
pub use error::{JournalError, Lack, Weakness};
pub use event::{Event, EventBody, EventKind};
pub use filter::{Filter, Order};
pub use journal::{Journal, JournalSettings, Position, Record};
pub use moment::Moment;
pub use own::Stub;
pub use parts::{MoreFiles, SESSION};
pub use reader::{Page, Reader, Row};
pub use segment::Log;
pub use transfer::{
    BaseUsed, ClosingRecord, CopiesRecord, CopyMade, Counts, Ending, EngineUsed, FoundFile, MediumIdentity, Severity,
    TagReference, Verdict,
};
pub use verify::{Evidence, Fault, FaultKind, Proof, Verification, verify};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
