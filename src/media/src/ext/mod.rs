//! ext2, ext3 and ext4 (Linux Documentation/filesystems/ext4, "ext4 Data Structures and Algorithms"), read-only.
//!
//! Our own reader instead of the kernel's, because a medium that attacks a driver must not reach the kernel; and so that
//! nothing is skipped in silence: what the filesystem says is in use and no folder names is looked for at the end.

mod attributes;
mod checksum;
mod directory;
mod entry;
mod extents;
mod groups;
mod indirect;
mod inode;
mod listing;
mod mapping;
mod space;
mod superblock;
mod system;
mod unreachable;

use crate::clusters::Claims;
use crate::filesystem::{Fault, Filesystem, FolderRef, Identity, Sink, VolumeArea};
use crate::recognise::Recognised;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, FilesystemKind, NameEncoding};
use groups::Groups;
use inode::{Inode, ROOT, Tables};
use space::Space;
use std::ops::Range;
use superblock::{SUPERBLOCK, Superblock, Unusable};

/// Bytes from the start of a volume before which no content of files lies:
/// behind the boot area and the superblock, which take 1 KiB each.
pub(crate) const CONTENT_START: u64 = 2048;

/// Opens the volume in `range` (bytes on the medium): one result for each view of it.
pub(crate) fn open(medium: &Medium<'_>, range: &Range<u64>) -> Result<Vec<Recognised>, Removed> {
    let kind = FilesystemKind::Ext;
    let unread = |cause| Ok(vec![Recognised::unread(kind, range, cause)]);
    let bytes = match medium.read_vec(range.start.saturating_add(SUPERBLOCK), SUPERBLOCK) {
        Ok(bytes) => bytes,
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => return unread(Cause::Unreadable),
    };
    let superblock = match Superblock::parse(&bytes) {
        Ok(superblock) => superblock,
        Err(Unusable::Broken) => return Ok(vec![Recognised::broken(kind, range)]),
        Err(Unusable::Needs(feature)) => return unread(Cause::FeatureUnsupported(feature)),
    };
    let volume = ExtVolume::open(medium, range.clone(), superblock)?;
    Ok(vec![Recognised::read(Box::new(volume), None)])
}

/// An open volume.
#[derive(Debug)]
pub(crate) struct ExtVolume {
    superblock: Superblock,
    identity: Identity,
    range: Range<u64>,
    space: Space,
    groups: Groups,
    tables: Tables,
    /// Inodes that a folder, another inode or the superblock names.
    reached: Claims,
    faults: Vec<Fault>,
}

impl ExtVolume {
    fn open(medium: &Medium<'_>, range: Range<u64>, superblock: Superblock) -> Result<Self, Removed> {
        let space =
            Space::new(range.clone(), superblock.block, superblock.first, superblock.blocks, superblock.cluster);
        let identity = Identity {
            kind: FilesystemKind::Ext,
            label: Some(superblock.label.clone()),
            identifier: Some(superblock.uuid.iter().map(|byte| format!("{byte:02x}")).collect()),
            encoding: NameEncoding::Bytes,
        };
        let mut volume = Self {
            reached: Claims::new(superblock.inodes),
            superblock,
            identity,
            range,
            space,
            groups: Groups::default(),
            tables: Tables::default(),
            faults: Vec::new(),
        };
        volume.claim_copies();
        volume.groups = Groups::load(medium, &volume.superblock, &mut volume.space, &mut volume.faults)?;
        volume.groups.compare_copies(medium, &volume.superblock, &mut volume.space, &mut volume.faults)?;
        volume.check_state();
        volume.system_inodes(medium)?;
        Ok(volume)
    }

    fn corrupt(&mut self, offset: u64, length: u64, corruption: Corruption) {
        self.faults.push(Fault { offset, length, cause: Cause::Corrupt(corruption) });
    }

    /// The inode with this number, or why it cannot be had.
    fn inode(&mut self, medium: &Medium<'_>, number: u32) -> Result<Result<Inode, Cause>, Removed> {
        self.tables.inode(medium, &self.superblock, &self.groups, &mut self.space, number)
    }
}

impl Filesystem for ExtVolume {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn root(&self) -> FolderRef {
        FolderRef { id: u64::from(ROOT), length: None, contiguous: false }
    }

    fn allocation(&self) -> (u64, u64) {
        (self.superblock.block, self.range.start)
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.space.claims_fault());
        faults
    }

    fn list(&mut self, medium: &Medium<'_>, folder: FolderRef, sink: Sink<'_>) -> Result<Vec<Fault>, Removed> {
        self.list_folder(medium, folder, sink)
    }

    fn finish(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        self.find_unreachable(medium)
    }

    fn area(&self) -> VolumeArea {
        self.space.area()
    }
}
