//! Parent ↔ `blanche-matcher`: the zygote, and the matchers that it forks.
//!
//! The zygote loads the bases once and then only forks. A matcher answers each [`ToMatcher::Scan`] with one [`Answer`]
//! per piece, in the order of the pieces, so that the parent knows on which content a matcher died. Quick pieces may be
//! answered together; then a second matcher, asked to be prompt, shows which of them it was.

use super::{Cause, Container, Digests, EntryId, Message};
use serde::{Deserialize, Serialize};

/// What the zygote loads. Descriptors follow in this order: ClamAV folders, then rule folders (all opened read-only by
/// the parent, so that the zygote needs no rights of its own).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZygoteJob {
    /// Names of the ClamAV folders, for messages; one descriptor each.
    pub clamav: Vec<String>,
    /// Names of the rule folders, for messages; one descriptor each. Each may hold a `manifest.toml` with dates.
    pub rules: Vec<String>,
    /// Limits to set, and to read back.
    pub limits: EngineLimits,
    /// Bytes of the tmpfs that each matcher gets for libclamav's temporary files.
    pub tmpfs_bytes: u64,
}

/// Limits of the engines for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineLimits {
    /// Largest file or layer in bytes; 0 = no limit.
    pub max_file_size: u64,
    /// Bytes unpacked from one file in all; 0 = no limit.
    pub max_scan_size: u64,
    /// Files in one container; 0 = no limit.
    pub max_files: u32,
    /// Containers in containers.
    pub max_recursion: u32,
    /// Milliseconds that libclamav may spend on one file.
    pub max_scan_time: u32,
    /// Seconds that yara-x may spend on one layer.
    pub max_rules_time: u32,
    /// Bytes of private memory of one matcher above what the zygote holds.
    pub max_matcher_memory: u64,
}

/// What the parent says to the zygote. Only [`ToZygote::Load`] and [`ToZygote::Fork`] carry descriptors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToZygote {
    /// Load bases and rules. Answer: [`FromZygote::Loaded`] or [`FromZygote::LoadFailed`].
    Load(ZygoteJob),
    /// Only these containers count as opened from now on: those whose sample passed the self-test.
    Arm(Vec<Container>),
    /// Fork a matcher that speaks on the descriptor that comes with this. Answer: [`FromZygote::Forked`] with a pidfd.
    Fork,
}

/// What the zygote says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromZygote {
    /// Bases and rules are loaded.
    Loaded(EngineSet),
    /// They are not; the zygote ends.
    LoadFailed(LoadFailure),
    /// A matcher was born; its pidfd comes with this.
    Forked {
        /// Process identifier, for messages and for `/proc`.
        pid: i32,
    },
}

impl Message for ToZygote {
    const MAX_BYTES: u32 = 64 << 10;
    const MAX_FDS: usize = 32;
}

impl Message for FromZygote {
    const MAX_BYTES: u32 = 1 << 20;
    const MAX_FDS: usize = 1;
}

/// Why bases or rules could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadFailure {
    /// Folder or file.
    pub path: String,
    /// What the engine said.
    pub reason: String,
}

/// What is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineSet {
    /// One line each for ClamAV and YARA.
    pub engines: Vec<EngineInfo>,
    /// As the engines gave them back after they were set.
    pub limits: EngineLimits,
}

impl EngineSet {
    /// The bases of all engines.
    pub fn bases(&self) -> impl Iterator<Item = &BaseInfo> + Clone {
        self.engines.iter().flat_map(|engine| &engine.bases)
    }
}

/// One engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// "clamav" or "yara-x".
    pub name: String,
    /// Version of the library in use.
    pub version: String,
    /// The bases it loaded.
    pub bases: Vec<BaseInfo>,
}

/// One base or rule set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseInfo {
    /// File name, or the manifest's name of the set.
    pub name: String,
    /// Version from the CVD header or the manifest.
    pub version: Option<String>,
    /// Signatures or rules.
    pub signatures: u64,
    /// Seconds since 1970-01-01 UTC from the CVD header or the manifest; without one the base counts as stale.
    pub date: Option<i64>,
    /// SHA-256 of the file, or of all files of a rule set in the order of their names.
    #[serde(with = "super::hex")]
    pub sha256: [u8; 32],
}

/// What the parent says to a matcher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToMatcher {
    /// Match these pieces of the sealed object whose descriptor comes with this. `prompt`: tell each answer at once.
    /// Otherwise answers on pieces for which [`ScanPiece::is_quick`] holds may wait a moment for company.
    Scan {
        /// In the order in which they are to be answered.
        pieces: Vec<ScanPiece>,
        /// A matcher died on one of them, and the next one that does is to be known.
        prompt: bool,
    },
    /// Find EICAR, the test markers, and the sample of each container. Answer: [`FromMatcher::SelfTested`].
    SelfTest,
}

/// What a matcher says, after [`Born`](super::Born).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromMatcher {
    /// Answers on pieces, in their order; at least one.
    Answers(Vec<Answer>),
    /// The answer to [`ToMatcher::SelfTest`].
    SelfTested {
        /// Each engine on each marker.
        results: Vec<SelfTestResult>,
        /// Each container of docs/containers.md.
        containers: Vec<ContainerProof>,
    },
}

impl Message for ToMatcher {
    // 4096 pieces with as many extensions as they can have.
    const MAX_BYTES: u32 = 2 << 20;
    const MAX_FDS: usize = 1;
}

impl Message for FromMatcher {
    const MAX_BYTES: u32 = 1 << 20;
    const MAX_FDS: usize = 0;
}

/// One content to match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanPiece {
    /// Boot code or a table ([`EntryKind::Area`](super::EntryKind::Area)): containers in it are not opened.
    pub area: bool,
    /// Comes back in the answer.
    pub entry: EntryId,
    /// First byte in the object.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// Lower-case extension without the dot, at most 16 bytes, empty without one: of the entry's name, then those of further names of
    /// the same content that have another, at most [`ScanPiece::MAX_EXTENSIONS`] in all.
    pub extensions: Vec<String>,
    /// The engines' result is known: answer with [`Answer::Hashed`].
    pub hash_only: bool,
}

impl ScanPiece {
    /// Extensions of one content that are looked at.
    pub const MAX_EXTENSIONS: usize = 16;
    /// Bytes up to which an answer comes in no time.
    const QUICK: u64 = 64 << 10;

    /// Whether its answer may wait for others: a message for each of thousands of small files would cost more than
    /// matching them.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        self.length <= Self::QUICK
    }
}

/// The answer on one piece.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It was matched.
    Scanned(Box<Scanned>),
    /// It was only to be hashed.
    Hashed(Hashed),
}

/// The digests of one content that was not matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashed {
    /// As asked.
    pub entry: EntryId,
    /// Bytes that were hashed; must equal the piece's length.
    pub bytes: u64,
    /// What the matcher computed; must equal the reader's.
    pub digests: Digests,
    /// Microseconds of CPU.
    pub cpu: u64,
}

/// What a matcher found in one content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// As asked.
    pub entry: EntryId,
    /// Bytes that were hashed; must equal the piece's length.
    pub bytes: u64,
    /// What the matcher computed; must equal the reader's.
    pub digests: Digests,
    /// Type by content.
    pub content_type: ContentType,
    /// At most 64, the most severe first.
    pub findings: Vec<Finding>,
    /// Why (parts of) this content was not checked; empty when all of it was. At most 64.
    pub not_checked: Vec<Cause>,
    /// Layers that were unpacked and matched, the outer one counted.
    pub layers: u32,
    /// The content itself, not a layer of it, is a disk image that no engine opens: the parent looks inside.
    pub disk_image: bool,
    /// Where the time went.
    pub cpu: EngineCpu,
}

/// Type by content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentType {
    /// Media type (RFC 6838), "application/octet-stream" when nothing fits; at most 128 bytes.
    pub media_type: String,
    /// The container that it is, if it is one.
    pub container: Option<Container>,
    /// The name's extension belongs to another type: the extension that would fit.
    pub expected_extension: Option<String>,
}

/// One engine's hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// "clamav", "yara-x" or "content-type".
    pub engine: String,
    /// Name of signature or rule; at most 256 bytes.
    pub name: String,
    /// Decides the verdict.
    pub severity: Severity,
    /// Names of the containers' members from the outside in; empty for the outer layer. At most 32 of 256 bytes.
    pub layer: Vec<String>,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Recorded only.
    Info,
    /// Needs a person: *Incomplete*.
    Suspicious,
    /// *Infected*.
    Malicious,
}

/// Microseconds of CPU for one content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineCpu {
    /// SHA-256 and BLAKE3.
    pub hash: u64,
    /// Content types, and what containers announce.
    pub inspection: u64,
    /// `ClamAV`.
    pub clamav: u64,
    /// YARA.
    pub rules: u64,
}

impl EngineCpu {
    /// Adds what another content took; stays at the largest number that there is.
    pub fn add(&mut self, other: Self) {
        self.hash = self.hash.saturating_add(other.hash);
        self.inspection = self.inspection.saturating_add(other.inspection);
        self.clamav = self.clamav.saturating_add(other.clamav);
        self.rules = self.rules.saturating_add(other.rules);
    }
}

/// One check of the self-test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTestResult {
    /// Engine.
    pub engine: String,
    /// What had to be found.
    pub marker: String,
    /// Whether it was.
    pub found: bool,
}

/// Whether a container is opened in this build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerProof {
    /// The container.
    pub container: Container,
    /// The engine that is meant to open it; absent when nobody does.
    pub opener: Option<String>,
    /// The marker inside its sample was found.
    pub proved: bool,
}
