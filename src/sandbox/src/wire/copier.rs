//! Parent ↔ `blanche-sealer copy`, which formats a medium and fills it.
//!
//! The output medium is descriptor 3, open for writing. The parent says [`ToCopier::Begin`] with a second descriptor, which
//! reads past the page cache, then [`ToCopier::Entries`] until every folder and file is announced, then [`ToCopier::Plan`]:
//! the answer is [`FromCopier::Planned`] or [`FromCopier::Refused`], and nothing is written before the order
//! [`ToCopier::Format`], which is answered by [`FromCopier::Formatted`]. Each [`ToCopier::Content`] is answered by
//! [`FromCopier::Taken`], so that never more than one object is in flight. [`ToCopier::Finish`] is answered by
//! [`FromCopier::Checked`], again and again, and at last [`FromCopier::Copied`]; [`ToCopier::Abandon`] by
//! [`FromCopier::Emptied`]. [`FromCopier::Failed`] may stand for every answer after the order to format, and is the last.

use super::{LocalTime, Message, Modified};
use serde::{Deserialize, Serialize};

/// Most folders and files of one copy.
pub const MAX_COPIED: usize = 1 << 20;
/// Longest name: FAT specification 1.03, "Long Names"; exFAT 7.7.3; in UTF-16 units.
pub const MAX_COPIED_NAME: usize = 255;

/// What the copier is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToCopier {
    /// The first message, with the descriptor that reads past the page cache.
    Begin(CopyOrder),
    /// The next folders and files, numbered on from 0 without a gap.
    Entries(Vec<CopyEntry>),
    /// Everything is announced: does it fit?
    Plan,
    /// Erase and format the medium. Everything on it is lost.
    Format,
    /// Parts of files in the sealed object that comes with this message.
    Content(Vec<CopyPart>),
    /// Every part was handed over: read all of it again, then make it visible.
    Finish,
    /// Leave the medium formatted and empty.
    Abandon,
}

/// How the output medium shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOrder {
    /// Bytes of a logical block of the medium.
    pub logical_block: u32,
    /// Which filesystem.
    pub filesystem: CopyFilesystem,
    /// Number of the volume and of the partition table.
    pub serial: u32,
    /// Times of every folder and file, but for what is known of the last change; the distance from UTC of local times.
    pub time: LocalTime,
    /// Bytes that must be free afterwards: the tag.
    pub reserve: u64,
}

/// A filesystem that output media get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyFilesystem {
    /// FAT32.
    Fat32,
    /// exFAT.
    #[serde(rename = "exfat")]
    ExFat,
}

/// A folder or file that will be on the output medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyEntry {
    /// Its folder, announced earlier; absent at the root.
    pub parent: Option<u32>,
    /// Its name in UTF-16 units, at most [`MAX_COPIED_NAME`].
    pub name: Vec<u16>,
    /// What it is.
    pub kind: CopyKind,
    /// When it was last changed; absent: the time of the order.
    pub modified: Option<Modified>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CopyKind {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Bytes.
        size: u64,
        /// SHA-256 of the content that was checked: nothing else is committed.
        sha256: [u8; 32],
    },
}

/// A part of one file inside a sealed object. The parts of one file come in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyPart {
    /// Which file.
    pub file: u32,
    /// First byte within the object.
    pub offset: u64,
    /// First byte within the file.
    pub at: u64,
    /// Bytes; at least one.
    pub length: u64,
}

/// What the copier says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromCopier {
    /// It fits.
    Planned {
        /// The first and last MiB of the medium hold nothing but zeros.
        blank: bool,
    },
    /// It cannot be done; nothing was written.
    Refused(CopyObstacle),
    /// The medium is formatted and empty.
    Formatted,
    /// So many bytes of files are written, all objects together.
    Taken(u64),
    /// So many bytes of files were read again and are the right ones.
    Checked(u64),
    /// Everything stands: written, read past the page cache and compared, visible, and read again.
    Copied,
    /// The medium is formatted and empty again.
    Emptied,
    /// It was not done.
    Failed {
        /// Why.
        failure: CopyFailure,
        /// The medium is formatted and empty; otherwise it is not known what it holds, but the files are not visible.
        emptied: bool,
    },
}

/// Why a copy was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CopyObstacle {
    /// Not enough room on the output medium.
    NoRoom {
        /// Bytes in whole clusters, folders included.
        needed: u64,
        /// Bytes in whole clusters.
        room: u64,
    },
    /// The output medium is too small for the filesystem, or its logical blocks are larger than 4096 bytes.
    Unfit,
    /// A folder holds more entries than the filesystem allows.
    FolderFull,
    /// The output medium cannot be read.
    Unreadable,
}

/// Why a copy was not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CopyFailure {
    /// The output medium did not take a write or a flush.
    Device,
    /// The content that was handed over is not the content that was checked: which file.
    Differs(u32),
    /// A file was not handed over to its end: which one.
    Missing(u32),
    /// What the output medium gives back is not what was written: which file, or none for folders and tables.
    ReadBack(Option<u32>),
}

impl Message for ToCopier {
    const MAX_BYTES: u32 = 1 << 20;
    const MAX_FDS: usize = 1;
}

impl Message for FromCopier {
    const MAX_BYTES: u32 = 1024;
    const MAX_FDS: usize = 0;
}
