//! The report of one session: what was asked, what was found, what was not checked, and with what. docs/report.md is
//! its public description; a golden test keeps both together.
//!
//! Names from the medium are kept twice: `path` is made visible (control and bidirectional characters escaped,
//! [`crate::words::visible`]), `path_bytes` is the exact name in hexadecimal and is present only when the two differ.

mod copy;
mod lines;

pub use copy::{CopyCause, CopyOutcome, CopyReport, LeftOut, NameChange, NotCarried, Omission, Renamed};
pub use lines::{Line, Lines, MOST_BYTES, MOST_LINES};

use crate::judge::Verdict;
use blanche_sandbox::wire::{
    AreaClass, AreaDigest, Born, Cause, Container, EngineInfo, EngineLimits, FilesystemKind, Finding, PartitionTable,
    PartitionType, ReadLimits, SealFailure, View, VolumeId, VolumeRole, WriteObstacle,
};
use serde::Serialize;

/// Version of the report's form; raised when a field changes its meaning or disappears.
pub const SCHEMA: &str = "blanche-report/1";

/// The report of one session.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// UUIDv7 (RFC 9562, 5.7) of the session.
    pub session: String,
    /// Version of Blanche.
    pub version: &'static str,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// Seconds from start to end.
    pub duration: f64,
    /// What was scanned.
    pub target: TargetLine,
    /// Why the medium was refused; present exactly when the verdict is *Refused*.
    pub refusal: Option<Refusal>,
    /// Tables and volumes; absent for folders and refused media.
    pub tables: Vec<PartitionTable>,
    /// One line per volume.
    pub volumes: Vec<VolumeLine>,
    /// The content ledger: only this and the findings decide the verdict.
    pub content: ContentLedger,
    /// The area ledger: what was looked at outside files.
    pub area: AreaLedger,
    /// Files with findings, the most severe first; [`MOST_LINES`] and [`MOST_BYTES`] bound this list and the next.
    pub findings: Vec<FileFindings>,
    /// Those for which there was no room; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings_left_out: Option<FindingsLeftOut>,
    /// Everything that was not checked.
    pub not_checked: Vec<NotChecked>,
    /// How many more lines there would be; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_checked_left_out: Option<u64>,
    /// Every file with its digests; filled only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileLine>>,
    /// What the engines were.
    pub engines: Engines,
    /// Whether a tag may be written on the strength of this report.
    pub sealing: Sealing,
    /// What came of sealing; present exactly when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
    /// What came of copying to another medium; present exactly when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopyReport>,
    /// How the children were confined.
    pub isolation: Isolation,
    /// Limits of the reader.
    pub read_limits: ReadLimits,
    /// Where the time went.
    pub profile: Profile,
}

/// What was scanned.
#[derive(Clone, Debug, Serialize)]
pub struct TargetLine {
    /// As given, made visible.
    pub path: String,
    /// What it is.
    pub kind: TargetKind,
    /// Bytes; absent for folders.
    pub capacity: Option<u64>,
    /// Bytes; absent for folders.
    pub logical_block: Option<u32>,
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A block device.
    Device,
    /// An image file.
    Image,
    /// A folder.
    Folder,
}

/// Why a medium was refused before anything was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "detail")]
pub enum Refusal {
    /// No medium in the drive, or one of no length.
    Empty,
    /// More bytes than the policy admits: the policy's limit.
    TooLarge(u64),
    /// The kernel has it mounted, here: it could change during the scan.
    Mounted(String),
}

/// One volume.
#[derive(Clone, Debug, Serialize)]
pub struct VolumeLine {
    /// Its identifier, from 0.
    pub volume: VolumeId,
    /// First byte on the medium.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// Where it was announced.
    pub role: VolumeRole,
    /// The table's type.
    pub partition_type: Option<PartitionType>,
    /// Hidden type or attribute.
    pub hidden: bool,
    /// EFI system partition.
    pub efi: bool,
    /// By signature.
    pub filesystem: FilesystemKind,
    /// Which of several trees over the same bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// Made visible.
    pub label: Option<String>,
    /// Serial number or UUID.
    pub identifier: Option<String>,
}

/// Every byte of every file, stream and link target: `bytes = checked + skipped + unreadable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContentLedger {
    /// Folders.
    pub directories: u64,
    /// Files, streams and link targets.
    pub files: u64,
    /// Bytes that they claim to have.
    pub bytes: u64,
    /// Files that were checked from the first to the last byte.
    pub files_checked: u64,
    /// Bytes that were read, hashed twice with the same result, and matched by every engine.
    pub checked: u64,
    /// Bytes that were not checked for a cause other than a read error.
    pub skipped: u64,
    /// Bytes that the device did not deliver.
    pub unreadable: u64,
    /// Nothing is known to be missing from the list of files.
    pub listing_complete: bool,
}

/// The area ledger.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AreaLedger {
    /// All `bytes` add up to the capacity.
    pub sums: Vec<AreaLine>,
    /// What was read and digested outside files.
    pub digests: Vec<AreaDigest>,
}

/// One class on one volume.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AreaLine {
    /// Absent outside volumes.
    pub volume: Option<VolumeId>,
    /// The class.
    pub class: AreaClass,
    /// Bytes of that class.
    pub bytes: u64,
    /// How many of them were read.
    pub looked_at: u64,
}

/// A file with findings.
#[derive(Clone, Debug, Serialize)]
pub struct FileFindings {
    /// Its volume; absent for boot code and tables outside every volume.
    pub volume: Option<VolumeId>,
    /// Made visible, from the volume's root, separated by "/".
    pub path: String,
    /// The exact path in hexadecimal, when `path` had to be made visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal.
    pub sha256: String,
    /// Type by content.
    pub media_type: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Files with findings that a report does not list, each counted by its most severe one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FindingsLeftOut {
    /// Dangerous.
    pub malicious: u64,
    /// A person has to look at them.
    pub suspicious: u64,
    /// For information only.
    pub info: u64,
}

/// Something that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// Absent for the medium as a whole.
    pub volume: Option<VolumeId>,
    /// Absent for volumes and the medium.
    pub path: Option<String>,
    /// The exact path in hexadecimal, when `path` had to be made visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// First byte: within the file for files, on the medium otherwise.
    pub offset: u64,
    /// Bytes; 0 when unknown.
    pub length: u64,
    /// Why.
    #[serde(flatten)]
    pub cause: Cause,
}

/// One file of the manifest.
#[derive(Clone, Debug, Serialize)]
pub struct FileLine {
    /// Its volume.
    pub volume: VolumeId,
    /// Made visible.
    pub path: String,
    /// The exact path in hexadecimal, when `path` had to be made visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal; absent when it was not read in full.
    pub sha256: Option<String>,
    /// Hexadecimal; absent when it was not read in full.
    pub blake3: Option<String>,
    /// Type by content.
    pub media_type: Option<String>,
    /// The verdict on this file alone.
    pub verdict: Verdict,
}

/// The engines of a session.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Engines {
    /// Versions and bases.
    pub engines: Vec<EngineInfo>,
    /// As read back from the engines.
    pub limits: Option<EngineLimits>,
    /// Containers whose sample was opened at start-up.
    pub containers: Vec<Container>,
    /// A newer base was there but failed its self-test or could not be loaded: why. The older one was used.
    pub base_rejected: Option<String>,
}

/// Whether a tag may be written.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Sealing {
    /// The verdict is *Clean* and nothing below speaks against it.
    pub possible: bool,
    /// Why not.
    pub obstacles: Vec<SealingObstacle>,
}

/// What forbids sealing although scanning went on (security rules 1 and 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "obstacle", content = "detail")]
pub enum SealingObstacle {
    /// The verdict is not *Clean*.
    NotClean,
    /// A base whose age counts is older than the policy allows, or one has no date or is from the future: its name.
    StaleBase(String),
    /// A base that the policy requires is not loaded: its name.
    MissingBase(String),
    /// The newest base was rejected.
    BaseRejected,
    /// The children were confined less than the station's rules ask for.
    WeakIsolation,
}

/// What came of sealing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Seal {
    /// The tag stands on the medium: written, read back, and accepted by the verifier.
    OnMedium {
        /// Which tag.
        #[serde(flatten)]
        tag: SealedTag,
        /// Where.
        volume: VolumeId,
    },
    /// The station keeps the tag, because the medium cannot carry it.
    Detached {
        /// Which tag.
        #[serde(flatten)]
        tag: SealedTag,
        /// The file that holds it.
        file: String,
        /// What keeps it from the medium.
        because: WriteObstacle,
    },
    /// There is no tag.
    NoTag {
        /// Why.
        #[serde(flatten)]
        reason: NoTag,
    },
}

/// What a person wants to know of a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SealedTag {
    /// UUIDv7 (RFC 9562) of the tag.
    pub tag: String,
    /// The station that signed.
    pub station: String,
    /// Its site.
    pub site: String,
    /// RFC 3339, UTC.
    pub issued: String,
    /// RFC 3339, UTC.
    pub expires: String,
    /// Counter of the station.
    pub counter: u64,
    /// SHA-256 of the manifest in hexadecimal.
    pub manifest: String,
}

/// Why a clean medium got no tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "detail")]
pub enum NoTag {
    /// See [`Report::sealing`].
    Obstacles,
    /// A folder is no medium.
    Folder,
    /// Something on the medium cannot stand in a tag: what, for staff.
    Unsealable(String),
    /// The boot areas, tables or gaps are not those that were scanned, or cannot be read any more.
    Medium(WriteObstacle),
    /// The medium did not let itself be opened for writing in time: nothing was written.
    NoAnswer,
    /// Somebody cancelled before the tag was there; one that nobody had verified yet was removed.
    Cancelled,
    /// The signer did not sign: its words.
    Signer(Said),
    /// The tag was not written as it must be.
    Writing(SealFailure),
    /// The verifier refused what was written, or could not be asked: its words, for staff.
    Verifier(String),
    /// The station could not keep the tag: its words, for staff.
    Store(String),
    /// The station writes no tags at the moment: its words, for staff.
    Station(String),
}

/// What a verifier says of a medium that is not what was sealed a moment before (docs/tag-format.md, section 17).
pub(crate) const DIFFERS: [&str; 5] = ["E-MEDIUM", "E-BOOT", "E-ADDED", "E-REMOVED", "E-CHANGED"];

impl NoTag {
    /// Whether there is no tag because the medium shows something else than it was scanned with: then it is not *Clean*
    /// either.
    #[must_use]
    pub fn medium_differs(&self) -> bool {
        match self {
            Self::Medium(obstacle) => *obstacle == WriteObstacle::Changed,
            Self::Writing(failure) => *failure == SealFailure::Differs,
            Self::Verifier(code) => DIFFERS.contains(&code.as_str()),
            _ => false,
        }
    }

    /// Whether a tag may stand on the medium all the same: one of which nobody knows whether it is there, or which nobody has
    /// accepted.
    #[must_use]
    pub fn tag_may_stand(&self) -> bool {
        matches!(self, Self::Writing(SealFailure::Unknown | SealFailure::After) | Self::Verifier(_))
    }
}

/// What another program of the station said, for people; reports carry the English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// One sentence or more: what is wrong and what to do next.
    pub french: String,
    /// The same.
    pub english: String,
}

impl Serialize for Said {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.english)
    }
}

/// How the children of a session were confined.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Isolation {
    /// What the reader said at its birth, checked against /proc.
    pub reader: Option<Born>,
    /// What the matchers said at their birth (the weakest of them).
    pub matcher: Option<Born>,
    /// What is weaker than on a station, in the words of `docs/sandbox.md`; empty on a station.
    pub weaker: Vec<String>,
}

/// Where the time went: CPU seconds over all processes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Profile {
    /// Matchers that worked side by side.
    pub matchers: u32,
    /// Reading, hashing and parsing in the reader, to a hundredth of a second.
    pub read: f64,
    /// Hashing in the matchers.
    pub hash: f64,
    /// Content types, and what containers announce.
    pub inspection: f64,
    /// ClamAV.
    pub clamav: f64,
    /// YARA.
    pub rules: f64,
    /// Contents whose result was known from the same engines: hashed twice as all others, but not matched again.
    pub known: KnownUse,
    /// Content bytes per second of the whole session.
    pub bytes_per_second: u64,
    /// Content bytes per CPU second of each stage.
    pub rates: StageRates,
}

/// Content bytes per CPU second of each stage; 0 where it had nothing to do, or too little to be measured.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StageRates {
    /// The reader, over all contents.
    pub read: u64,
    /// The matchers' hashing, over all contents.
    pub hash: u64,
    /// Content types and containers, over contents that were matched; what was unpacked from them is not counted.
    pub inspection: u64,
    /// ClamAV, likewise.
    pub clamav: u64,
    /// YARA, likewise.
    pub rules: u64,
}

/// Contents for which no engine had to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KnownUse {
    /// Files, streams and boot areas.
    pub contents: u64,
    /// Bytes.
    pub bytes: u64,
}
