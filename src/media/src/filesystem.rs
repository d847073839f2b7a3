//! The trait behind which every filesystem stands, and the plain types that a reader yields.
//!
//! A reader only lists one folder at a time and says where content lies. Loops, depth, budgets and delivery are the
//! business of [`crate::walk`] and [`crate::deliver`], once for all filesystems.

use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{AreaClass, Attributes, Cause, EntryKind, FilesystemKind, Modified, NameEncoding};
use std::ops::{ControlFlow, Range};

/// What a volume says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// What it is.
    pub(crate) kind: FilesystemKind,
    /// At most 255 bytes.
    pub(crate) label: Option<Vec<u8>>,
    /// Serial number or UUID as hexadecimal digits.
    pub(crate) identifier: Option<String>,
    /// Of labels and names.
    pub(crate) encoding: NameEncoding,
}

/// A folder that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FolderRef {
    /// What makes the folder unique in its volume: its first cluster or inode. Loops are found by it.
    pub(crate) id: u64,
    /// Bytes, where the filesystem records a size for folders.
    pub(crate) length: Option<u64>,
    /// Stored in one run without an allocation chain.
    pub(crate) contiguous: bool,
}

/// A run of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// First byte on the medium; [`Extent::HOLE`] for zeros that are stored nowhere.
    pub(crate) start: u64,
    /// Bytes.
    pub(crate) length: u64,
}

impl Extent {
    /// Marks zeros that are stored nowhere.
    pub(crate) const HOLE: u64 = u64::MAX;

    /// Zeros that are stored nowhere.
    pub(crate) fn hole(length: u64) -> Self {
        Self { start: Self::HOLE, length }
    }

    /// Whether it is stored nowhere.
    pub(crate) fn is_hole(self) -> bool {
        self.start == Self::HOLE
    }
}

/// How a content is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Byte for byte, from byte 0 on; may be shorter than the size, then faults say why.
    Extents(Vec<Extent>),
    /// In NTFS compression units of `unit` bytes. The extents of one unit fill it: all of them on the medium = plain
    /// bytes, all holes = zeros, first stored ones and then holes = LZNT1 ([MS-XCA] 2.5) in the stored ones.
    Lznt1 {
        /// Whole units from byte 0 on.
        extents: Vec<Extent>,
        /// Bytes of a unit: a power of two.
        unit: u32,
    },
    /// Within a structure of the filesystem that was read already, as long as the size.
    Inline(Vec<u8>),
}

/// By what two names of one content are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ContentId {
    /// A number that the volume gives to its contents, such as an inode.
    Number(u64),
    /// BLAKE3 of all extents, for views that share their bytes.
    Place([u8; 16]),
}

impl ContentId {
    /// The identity of content by all of its extents.
    pub(crate) fn place(extents: &[Extent]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for extent in extents {
            hasher.update(&extent.start.to_le_bytes());
            hasher.update(&extent.length.to_le_bytes());
        }
        let mut id = [0u8; 16];
        hasher.finalize_xof().fill(&mut id);
        Self::Place(id)
    }
}

/// A part that is missing or cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// First byte: within the content, or on the medium for volumes and folders.
    pub(crate) offset: u64,
    /// Bytes; 0 when unknown.
    pub(crate) length: u64,
    /// Why.
    pub(crate) cause: Cause,
}

/// An entry of a folder.
#[derive(Debug)]
pub(crate) struct Found {
    /// Never empty.
    pub(crate) name: Vec<u8>,
    /// Folded forms (as digests) under which hosts look this entry up.
    pub(crate) keys: [Option<u64>; 2],
    /// What it is.
    pub(crate) kind: EntryKind,
    /// Bytes of content; 0 for folders.
    pub(crate) size: u64,
    /// Flags.
    pub(crate) attributes: Attributes,
    /// When its content was last changed.
    pub(crate) modified: Option<Modified>,
    /// For folders that can be listed.
    pub(crate) folder: Option<FolderRef>,
    /// The content; of a link, its target.
    pub(crate) stored: Stored,
    /// About the content.
    pub(crate) faults: Vec<Fault>,
    /// For a content that may have other names.
    pub(crate) content: Option<ContentId>,
    /// Named streams and large attributes of this entry, of kind [`EntryKind::Stream`] and without streams themselves.
    pub(crate) streams: Vec<Found>,
}

impl Found {
    /// An entry without content, flags or faults.
    pub(crate) fn new(name: Vec<u8>, kind: EntryKind) -> Self {
        Self {
            name,
            keys: [None; 2],
            kind,
            size: 0,
            attributes: Attributes::default(),
            modified: None,
            folder: None,
            stored: Stored::Extents(Vec::new()),
            faults: Vec::new(),
            content: None,
            streams: Vec::new(),
        }
    }
}

/// What a volume's bytes are used for.
#[derive(Debug, Default)]
pub(crate) struct VolumeArea {
    /// Boot areas (bytes on the medium), to be digested.
    pub(crate) boot: Vec<Range<u64>>,
    /// Structures of the filesystem in which something else could be stored, in pieces on the medium: to be matched as
    /// the boot areas are.
    pub(crate) structures: Vec<Vec<Extent>>,
    /// Class, bytes, bytes looked at. The sum is the volume's length.
    pub(crate) sums: Vec<(AreaClass, u64, u64)>,
}

/// How many bytes of a volume are used for what, as its reader counted them while it listed the folders.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Content of files.
    pub(crate) file: u64,
    /// Behind content, in what was allocated for it.
    pub(crate) slack: u64,
    /// Structures of the filesystem.
    pub(crate) metadata: u64,
    /// Of these, bytes that were read.
    pub(crate) metadata_read: u64,
    /// Bytes of free space that were looked at.
    pub(crate) free_read: u64,
}

impl VolumeArea {
    /// The ledger of the volume in `range`. Each class takes its bytes out of what the earlier ones left, so that a
    /// volume whose structures claim more than it has still adds up; what nobody takes is free.
    pub(crate) fn of(range: &Range<u64>, boot: Vec<Range<u64>>, tally: &Tally) -> Self {
        let mut left = range.end.saturating_sub(range.start);
        let boot_bytes = boot.iter().map(|area| area.end.saturating_sub(area.start)).fold(0, u64::saturating_add);
        let classes = [
            (AreaClass::Boot, boot_bytes, 0),
            (AreaClass::Metadata, tally.metadata, tally.metadata_read),
            (AreaClass::File, tally.file, 0),
            (AreaClass::Slack, tally.slack, 0),
            (AreaClass::Free, u64::MAX, tally.free_read),
        ];
        let mut sums = Vec::with_capacity(classes.len());
        for (class, bytes, looked_at) in classes {
            let bytes = bytes.min(left);
            left = left.saturating_sub(bytes);
            if bytes > 0 {
                sums.push((class, bytes, looked_at.min(bytes)));
            }
        }
        Self { boot, structures: Vec::new(), sums }
    }
}

/// What takes the entries of one folder; `Break` ends the listing.
pub(crate) type Sink<'s> = &'s mut dyn FnMut(Found) -> ControlFlow<()>;

/// One filesystem on one volume, ready to be walked.
pub(crate) trait Filesystem {
    /// Label and kind.
    fn identity(&self) -> &Identity;

    /// Where the walk starts.
    fn root(&self) -> FolderRef;

    /// Bytes of one cluster and the first byte of cluster space on the medium: content of neighbouring files is
    /// separated by less than one cluster of slack.
    fn allocation(&self) -> (u64, u64);

    /// Faults of the volume as a whole that were met so far; each is given once.
    fn take_faults(&mut self) -> Vec<Fault>;

    /// Hands the entries of `folder` to `sink` in their order on the medium; returns the faults of the folder itself.
    ///
    /// # Errors
    /// [`Removed`].
    fn list(&mut self, medium: &Medium<'_>, folder: FolderRef, sink: Sink<'_>) -> Result<Vec<Fault>, Removed>;

    /// Called once when every folder that the walk met was listed: for what can only be seen then, such as entries in
    /// use that no folder names. Its faults are taken afterwards.
    ///
    /// # Errors
    /// [`Removed`].
    fn finish(&mut self, _medium: &Medium<'_>) -> Result<(), Removed> {
        Ok(())
    }

    /// The area ledger; meaningful once every folder was listed.
    fn area(&self) -> VolumeArea;
}
