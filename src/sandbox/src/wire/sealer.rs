//! Parent ↔ `blanche-sealer`.
//!
//! The medium is descriptor 3, open for writing. The parent says [`ToSealer::Survey`] with a second descriptor, which reads
//! past the page cache; the sealer looks and answers [`FromSealer::Surveyed`], or [`FromSealer::Refused`]. Nothing is
//! written before the parent says [`ToSealer::Write`] with the sealed tag; then come [`FromSealer::Progress`] and one of
//! [`FromSealer::Written`], [`FromSealer::Refused`] and [`FromSealer::Failed`]. While the content of the tag is being written
//! [`ToSealer::Stop`] ends that, with [`FromSealer::Failed`] and a medium as it was; later it is too late. Instead of writing, the
//! sealer may be told to remove a tag.

use super::{AreaDigest, BootAreaKind, FilesystemKind, MAX_AREAS, Message};
use serde::{Deserialize, Serialize};

/// What the sealer is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToSealer {
    /// Look whether the medium is still the one that was scanned, and where a tag can stand.
    Survey(SealSurvey),
    /// Write the tag that comes with this message.
    Write {
        /// Position in [`SealSurvey::volumes`] of one that was found ready.
        volume: u16,
        /// Bytes.
        length: u64,
        /// Times of the file.
        time: LocalTime,
    },
    /// Write no further, as long as nothing of the tag can be seen on the medium.
    Stop,
    /// Remove the tag: nobody has verified it.
    Remove {
        /// Position in [`SealSurvey::volumes`].
        volume: u16,
    },
}

/// A moment with the station's distance from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalTime {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

/// What is known of the medium from its scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealSurvey {
    /// Bytes of a logical block of the medium.
    pub logical_block: u32,
    /// Ranges that were read and digested when the medium was scanned: they must be the same now.
    pub unchanged: Vec<AreaDigest>,
    /// Boot areas to digest in their normal form.
    pub areas: Vec<SealArea>,
    /// Where the tag may stand, best first: first byte on the medium and length in bytes.
    pub volumes: Vec<(u64, u64)>,
    /// Bytes that the tag will have, about.
    pub length: u64,
}

/// A boot area (docs/tag-format.md, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealArea {
    /// What it holds.
    pub kind: BootAreaKind,
    /// Filesystem of its volume.
    pub filesystem: Option<FilesystemKind>,
    /// First byte on the medium.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

/// What the sealer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromSealer {
    /// The medium is the one that was scanned.
    Surveyed {
        /// SHA-256 of each boot area after masking.
        areas: Vec<[u8; 32]>,
        /// What speaks against each volume, up to the first one against which nothing does.
        places: Vec<Option<WriteObstacle>>,
    },
    /// So many bytes of the tag were written.
    Progress(u64),
    /// The tag stands: written, flushed, read past the page cache and compared.
    Written,
    /// The tag is gone.
    Removed,
    /// Nothing was written.
    Refused(WriteObstacle),
    /// Writing was begun and not finished.
    Failed(SealFailure),
}

/// Why no tag can be written on a volume or medium. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", tag = "obstacle", content = "detail")]
pub enum WriteObstacle {
    /// The medium cannot be written: a lock, a disc, an image without write permission.
    WriteProtected,
    /// Somebody else uses the medium.
    InUse,
    /// No volume of the medium has a filesystem that is written, and is neither hidden nor for starting computers.
    NoVolume,
    /// Boot areas, tables or gaps are not those that were scanned.
    Changed,
    /// The volume is damaged.
    Damaged,
    /// A part of the volume's own structures cannot be read.
    Unreadable,
    /// The medium is gone.
    Removed,
    /// A host did not finish with the volume.
    Dirty,
    /// A form of the filesystem that is not written.
    Unsupported,
    /// Not enough free space.
    NoSpace {
        /// Bytes in whole clusters.
        needed: u64,
        /// Bytes in whole clusters.
        free: u64,
    },
    /// No free record in the root folder.
    RootFull,
    /// Something that is no tag has the name of the tag.
    NameTaken,
    /// The tag is longer than the filesystem can hold.
    TooLong,
    /// The sealer could not be started, ended, or broke the rules of its channel.
    SealerLost,
}

/// Why the sealer wrote and did not finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealFailure {
    /// Before the entry of the tag: what was there before still is.
    Before,
    /// At the entry: whether the medium carries the tag is not known.
    Unknown,
    /// Behind it: the tag stands, but space was not given back.
    After,
    /// What can be read is not what was written.
    Differs,
}

impl Message for ToSealer {
    const MAX_BYTES: u32 = 1 << 20;
    const MAX_FDS: usize = 1;
}

impl Message for FromSealer {
    const MAX_BYTES: u32 = 1 << 18;
    const MAX_FDS: usize = 0;
}

/// Digests of [`MAX_AREAS`] areas fit into a message.
const _: () =
    assert!(MAX_AREAS * 40 < FromSealer::MAX_BYTES as usize && MAX_AREAS * 128 < ToSealer::MAX_BYTES as usize);
