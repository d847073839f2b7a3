//! The events by which a journal records what happens to itself.

use crate::chain::ChainHash;
use crate::moment::Moment;
use crate::segment::Header;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kind of what is left of a deleted segment.
pub(crate) const DELETED: &str = "segment_deleted";

/// One of them. Their words are as stable as those of [`crate::EventKind`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum OwnEvent {
    /// First record of a segment.
    SegmentOpened {
        /// UUID.
        journal: String,
        number: u64,
        previous: String,
    },
    /// Last record of a segment.
    SegmentClosed { number: u64 },
    /// What is left of a segment that retention deletes: from here on the chain is proved.
    SegmentDeleted {
        number: u64,
        first: u64,
        last: u64,
        /// Hash of the chain after `last`.
        hash: String,
        /// Time of its newest record.
        until: String,
    },
    /// The clock was behind the record before: times go down here, sequence numbers never do.
    ClockSetBack { was: String },
    /// A checkpoint was signed for the record right before this one.
    Checkpoint {
        covers: u64,
        counter: u64,
        /// SHA-256 of the envelope.
        sha256: String,
    },
    /// A checkpoint was due and could not be signed.
    CheckpointMissing { reason: String },
}

impl OwnEvent {
    /// Their words.
    #[cfg(test)]
    pub(crate) const KINDS: [&str; 6] =
        ["segment_opened", "segment_closed", "segment_deleted", "clock_set_back", "checkpoint", "checkpoint_missing"];

    pub(crate) fn opened(header: &Header) -> Self {
        Self::SegmentOpened {
            journal: header.journal.to_string(),
            number: header.number,
            previous: header.previous.to_string(),
        }
    }

    pub(crate) fn clock_set_back(was: Moment) -> Self {
        Self::ClockSetBack { was: was.to_string() }
    }

    /// From kind and body of a record; `None` for other kinds and other shapes.
    pub(crate) fn read(kind: &str, body: &Value) -> Option<Self> {
        serde_json::from_value(serde_json::json!({"kind": kind, "body": body})).ok()
    }
}

/// The newest stub of retention: where the chain that is kept begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    /// Its own number.
    pub sequence: u64,
    /// The segment that was deleted last.
    pub number: u64,
    /// Its last record.
    pub last: u64,
    /// Hash of the chain after that.
    pub hash: ChainHash,
    /// Time of that record.
    pub until: String,
}

impl Stub {
    /// Of the event with this number.
    pub(crate) fn of(sequence: u64, event: &OwnEvent) -> Option<Self> {
        let OwnEvent::SegmentDeleted { number, last, hash, until, .. } = event else { return None };
        let (number, last, until) = (*number, *last, until.clone());
        Some(Self { sequence, number, last, hash: ChainHash::from_hex(hash)?, until })
    }
}
