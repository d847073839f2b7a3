//! What people may know of copying: the keys of the station that are plugged in, whether a session's files can be copied, how far
//! a copy is, and what came of it.

use super::MediumView;
use blanche_scan::report::CopyReport;
use std::sync::Arc;

/// Number of a medium in an output port, from its arrival until it is gone or another one is in its place (UUIDv7, RFC 9562).
pub type OutputId = uuid::Uuid;

/// What is on a medium in an output port, as far as anybody looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contents {
    /// A reader is looking.
    #[default]
    Looking,
    /// Nothing: no table, no volume, nothing else at its edges.
    Blank,
    /// Volumes, or something that nobody knows.
    Filled {
        /// Files.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// It could not be read, or took too long.
    Unknown,
}

impl Contents {
    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Looking => "looking",
            Self::Blank => "blank",
            Self::Filled { .. } => "filled",
            Self::Unknown => "unknown",
        }
    }
}

/// A medium in an output port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputView {
    /// Which.
    pub id: OutputId,
    /// The medium.
    pub medium: MediumView,
    /// It has a lock, or is no medium that can be written.
    pub read_only: bool,
    /// What is on it.
    pub contents: Contents,
    /// Files are being copied to it.
    pub busy: bool,
}

/// Why the files of a session cannot be copied now. The words are stable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoCopy {
    /// It has no verdict yet.
    #[default]
    Unfinished,
    /// They are being copied.
    Copying,
    /// The configuration does not let the files of such a medium be copied, or nothing was read.
    Verdict,
    /// There is no file.
    Nothing,
    /// A copy could not get a tag: a base is too old, or a sandbox is incomplete.
    Obstacles,
    /// The medium is gone.
    Gone,
    /// What was found is not kept any more: others were checked since.
    NotKept,
    /// No port of the station is for media that are written.
    NoPort,
    /// The station seals nothing at the moment.
    Unsealed,
    /// Too many media are being worked on.
    Busy,
}

impl NoCopy {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Unfinished,
        Self::Copying,
        Self::Verdict,
        Self::Nothing,
        Self::Obstacles,
        Self::Gone,
        Self::NotKept,
        Self::NoPort,
        Self::Unsealed,
        Self::Busy,
    ];

    /// The stable word for buses and programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Copying => "copying",
            Self::Verdict => "verdict",
            Self::Nothing => "nothing",
            Self::Obstacles => "obstacles",
            Self::Gone => "gone",
            Self::NotKept => "not-kept",
            Self::NoPort => "no-port",
            Self::Unsealed => "unsealed",
            Self::Busy => "busy",
        }
    }
}

/// What is being done to the output medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CopyStep {
    /// It is erased and formatted.
    Formatting,
    /// Files are written.
    Writing,
    /// They are read back.
    ReadingBack,
    /// It is checked as any medium is.
    Checking,
    /// It gets its tag.
    Sealing,
}

impl CopyStep {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Formatting, Self::Writing, Self::ReadingBack, Self::Checking, Self::Sealing];

    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Formatting => "formatting",
            Self::Writing => "writing",
            Self::ReadingBack => "reading-back",
            Self::Checking => "checking",
            Self::Sealing => "sealing",
        }
    }
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    /// What is being done.
    pub step: CopyStep,
    /// Bytes of this step that are done.
    pub done: u64,
    /// Bytes of this step in all; 0 where nobody knows.
    pub all: u64,
}

/// The last copy of a session, and whether there can be a next one.
#[derive(Clone, Debug)]
pub struct CopyView {
    /// Why its files cannot be copied now; nothing when they can.
    pub cannot: Option<NoCopy>,
    /// To which medium they are or were copied.
    pub to: Option<OutputView>,
    /// How far it is, while it works.
    pub progress: Option<CopyProgress>,
    /// What came of it, when it is over.
    pub report: Option<Arc<CopyReport>>,
}

impl Default for CopyView {
    fn default() -> Self {
        Self { cannot: Some(NoCopy::Unfinished), to: None, progress: None, report: None }
    }
}
