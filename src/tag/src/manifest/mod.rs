//! The manifest: every folder, file and stream, sorted, as a CBOR sequence (section 7 of the specification).
//!
//! Neither [`Writer`] nor [`Reader`] holds more than one entry and a window of bytes; chaining values of long contents
//! are joined as they pass.

mod entry;
mod order;
mod reader;
mod subtrees;
mod writer;

pub(crate) use entry::is_wtf8;
pub use entry::{Digests, Entry, EntryKind, MAX_PATH, is_folder_path};
pub use reader::{Reader, SubtreesAt};
pub use subtrees::{SUBTREE, Subtrees, chaining_value, root};
pub use writer::{Finished, WriteError, Writer};

use crate::cbor::Malformed;
use std::io;
use thiserror::Error;

/// Most entries of a manifest.
pub const MAX_ENTRIES: u64 = 1 << 22;

/// What is wrong with a manifest.
#[derive(Debug, Error)]
pub enum BadManifest {
    /// An entry is not encoded as the format demands.
    #[error("entry {entry}: {error}")]
    Malformed {
        /// Its number, from 0.
        entry: u64,
        /// What and where in the entry.
        error: Malformed,
    },
    /// An entry breaks a rule.
    #[error("entry {entry}: {rule}")]
    Rule {
        /// Its number, from 0.
        entry: u64,
        /// Which rule.
        rule: &'static str,
    },
    /// More than [`MAX_ENTRIES`].
    #[error("more than {MAX_ENTRIES} entries")]
    TooMany,
    /// The copy of the tag file cannot be read.
    #[error("the copy cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// What a manifest holds, counted while it was written or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of the following.
    pub entries: u64,
    /// Files.
    pub files: u64,
    /// Streams.
    pub streams: u64,
    /// Folders.
    pub folders: u64,
    /// Links.
    pub links: u64,
    /// Other entries.
    pub others: u64,
    /// Bytes of files, streams and links.
    pub bytes: u64,
}

impl Counts {
    /// Counts one entry; false if the sum of sizes exceeds 64 bits.
    fn add(&mut self, kind: EntryKind, size: u64) -> bool {
        let number = match kind {
            EntryKind::Folder => &mut self.folders,
            EntryKind::File => &mut self.files,
            EntryKind::Stream => &mut self.streams,
            EntryKind::Link => &mut self.links,
            EntryKind::Other => &mut self.others,
        };
        *number = number.saturating_add(1);
        self.entries = self.entries.saturating_add(1);
        let sum = self.bytes.checked_add(size);
        self.bytes = sum.unwrap_or(self.bytes);
        sum.is_some()
    }
}
