//! The words that the parent and its sandboxed children say to each other.
//!
//! Both sides depend on this module and never on each other. Every type is plain data; every length is bounded by
//! [`Message::MAX_BYTES`] on both ends, and the parent re-validates what a child says against the limits in force.

mod cause;
mod compact;
mod copier;
mod hex;
mod matcher;
mod modified;
mod reader;
mod sealer;

pub use cause::{Cause, Container, Corruption, EngineLimit, Feature, FilesystemKind, ReadLimit};
pub use copier::{
    CopyEntry, CopyFailure, CopyFilesystem, CopyKind, CopyObstacle, CopyOrder, CopyPart, FromCopier, MAX_COPIED,
    MAX_COPIED_NAME, ToCopier,
};
pub use matcher::{
    Answer, BaseInfo, ContainerProof, ContentType, EngineCpu, EngineInfo, EngineLimits, EngineSet, Finding,
    FromMatcher, FromZygote, Hashed, LoadFailure, ScanPiece, Scanned, SelfTestResult, Severity, ToMatcher, ToZygote,
    ZygoteJob,
};
pub use modified::{Clock, Modified};
pub use reader::{
    AreaClass, AreaDigest, AreaReport, AreaSum, Attributes, BootArea, BootAreaKind, Chunk, Content, Entry, EntryKind,
    FromReader, MAX_AREAS, MAX_NOT_READ, MediumLayout, NameEncoding, NotRead, PartitionTable, PartitionType, Piece,
    ReadJob, ReadLimits, ReadTotals, SUBTREE, Source, Subject, Subtree, Tree, View, Volume, VolumeRole, subtrees_of,
};

pub use sealer::{FromSealer, LocalTime, SealArea, SealFailure, SealSurvey, ToSealer, WriteObstacle};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A type that may cross a channel.
pub trait Message: Serialize + DeserializeOwned {
    /// Largest encoded form, in bytes. Longer ones are refused by the sender and by the receiver.
    const MAX_BYTES: u32;
    /// Most descriptors that may come with one message of this type.
    const MAX_FDS: usize;
}

/// Index of an entry within one session, in the order in which the reader announced it, from 0.
pub type EntryId = u32;
/// Index of a volume within one medium, from 0.
pub type VolumeId = u16;

/// SHA-256 (FIPS 180-4; the digest of record) and BLAKE3 of the same bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256, FIPS 180-4.
    pub sha256: [u8; 32],
    /// BLAKE3, 256-bit output.
    pub blake3: [u8; 32],
}

impl std::fmt::Debug for Digests {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("sha256:")?;
        self.sha256.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// What a child says first, once it has closed every door behind itself and before it has seen a byte of the medium.
/// The parent checks it against `/proc/PID/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Born {
    /// `prctl(PR_SET_NO_NEW_PRIVS)` is on.
    pub no_new_privileges: bool,
    /// Landlock ABI that was enforced (≥ 2).
    pub landlock_abi: u8,
    /// Number of system calls that the seccomp filter lets through; anything else kills the process.
    pub allowed_system_calls: u16,
    /// The child has a network namespace of its own.
    pub network_namespace: bool,
    /// The child's temporary files live on a private, size-capped tmpfs (matchers only).
    pub private_tmpfs: bool,
}

impl Message for Born {
    const MAX_BYTES: u32 = 1024;
    const MAX_FDS: usize = 0;
}
