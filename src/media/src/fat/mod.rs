//! FAT12, FAT16 and FAT32 (Microsoft, "FAT: General Overview of On-Disk Format" 1.03), read-only.
//!
//! Our own reader instead of a crate, because the area ledger needs the map of clusters, every file byte must be read
//! exactly once in large reads, names are kept unit by unit, and every budget must be ours.

mod boot;
mod names;

pub use boot::Boot;
pub(crate) use boot::{BOOT_BYTES, claimed_kind};
pub use names::LongName;

use crate::bytes::Record;
use crate::calendar::Civil;
use crate::clusters::{AllocationTable, Clusters, Heap, RECORD_BYTES, Stream, Width, for_each_record};
use crate::filesystem::{ContentId, Extent, Fault, Filesystem, FolderRef, Found, Identity, Sink, Stored, VolumeArea};
use crate::names::{is_made_of, wtf8};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Attributes, Cause, Corruption, EntryKind, FilesystemKind, NameEncoding};
use names::{keys, short_name, units};
use std::ops::{ControlFlow, Range};

const READ_ONLY: u8 = 0x01;
const HIDDEN: u8 = 0x02;
const SYSTEM: u8 = 0x04;
const VOLUME_LABEL: u8 = 0x08;
const DIRECTORY: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;
const DELETED: u8 = 0xe5;
/// Records looked at for the label before the walk.
const LABEL_RECORDS: u32 = 1 << 16;

/// An open FAT volume.
#[derive(Debug)]
pub(crate) struct FatVolume {
    boot: Boot,
    range: Range<u64>,
    identity: Identity,
    clusters: Clusters,
    /// Another view, through another table, shares its contents.
    shared: bool,
    faults: Vec<Fault>,
}

impl FatVolume {
    /// Opens the volume in `range` (bytes on the medium), to be read through the copy `table` of its allocation table.
    /// `shared`: another view, through another copy, reads the same contents.
    pub(crate) fn open(
        medium: &Medium<'_>,
        range: Range<u64>,
        boot: Boot,
        table: u64,
        shared: bool,
    ) -> Result<Self, Removed> {
        let mut faults = Vec::new();
        let length = range.end.saturating_sub(range.start);
        let mut fault = |offset, length, corruption| {
            faults.push(Fault { offset, length, cause: Cause::Corrupt(corruption) });
        };
        if boot.total > length {
            fault(range.end, boot.total.saturating_sub(length), Corruption::BootSector);
        }
        if boot.ambiguous_width || boot.contradictory {
            fault(range.start, 0, Corruption::BootSector);
        }
        let width = match boot.kind {
            FilesystemKind::Fat12 => Width::Fat12,
            FilesystemKind::Fat16 => Width::Fat16,
            _ => Width::Fat32,
        };
        let entries = AllocationTable::capacity(boot.table, width).saturating_sub(2);
        if entries < boot.clusters {
            fault(range.start, 0, Corruption::Allocation);
        }
        let count = u32::try_from(boot.clusters.min(entries)).unwrap_or(u32::MAX).min(0x0fff_fff5);
        let start = range.start.saturating_add(boot.heap_start());
        let heap = Heap { start, cluster_bytes: boot.cluster, count, end: range.end };
        let copy = |number: u64| {
            let offset = boot.reserved.saturating_add(boot.table.saturating_mul(number));
            range.start.saturating_add(offset)
        };
        let mut tables = AllocationTable::new(copy(table), boot.table, width);
        if boot.mirrored && !shared {
            tables = tables.with_mirror(copy(1));
        }
        let identity = Identity {
            kind: boot.kind,
            label: None,
            identifier: boot.serial.map(|serial| format!("{serial:08x}")),
            encoding: NameEncoding::Wtf8,
        };
        let mut volume = Self { boot, range, identity, clusters: Clusters::new(heap, tables), shared, faults };
        volume.identity.label = volume.find_label(medium)?;
        Ok(volume)
    }

    /// Whether an entry that was listed uses this cluster.
    pub(crate) fn claimed(&self, cluster: u32) -> bool {
        self.clusters.claimed(cluster)
    }

    /// The fixed root directory of FAT12 and FAT16.
    fn fixed_root(&self) -> Extent {
        let start = self.clusters.heap.start.saturating_sub(self.boot.root);
        Extent { start, length: self.boot.root.min(self.range.end.saturating_sub(start)) }
    }

    fn find_label(&mut self, medium: &Medium<'_>) -> Result<Option<Vec<u8>>, Removed> {
        let extents = match self.boot.kind {
            FilesystemKind::Fat32 => self.clusters.peek(medium, self.boot.root_cluster)?,
            _ => vec![self.fixed_root()],
        };
        let mut label = None;
        let mut left = LABEL_RECORDS;
        for_each_record(medium, &extents, &mut |bytes| {
            left = left.saturating_sub(1);
            let Some(bytes) = bytes else { return ControlFlow::Continue(()) };
            let record = Record(bytes);
            let attributes = record.u8(11);
            let is_label = attributes & VOLUME_LABEL != 0 && attributes & LONG_NAME != LONG_NAME;
            if is_label && !matches!(record.u8(0), 0 | DELETED) {
                label = Some(label_text(&record.array(0)));
            }
            if label.is_some() || left == 0 || record.u8(0) == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(label)
    }
}

/// Whether the second copy of a table that should equal the first does not. Tables of FAT32 may be large: their copies are
/// compared entry by entry while they are used.
pub(crate) fn copies_differ(medium: &Medium<'_>, range: &Range<u64>, boot: &Boot) -> Result<bool, Removed> {
    if !boot.mirrored || boot.kind == FilesystemKind::Fat32 {
        return Ok(false);
    }
    let start = range.start.saturating_add(boot.reserved);
    let copy = |number: u64| match medium.read_vec(start.saturating_add(boot.table.saturating_mul(number)), boot.table)
    {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ReadError::Unreadable { .. }) => Ok(None),
        Err(ReadError::Removed) => Err(Removed),
    };
    let (Some(first), Some(second)) = (copy(0)?, copy(1)?) else { return Ok(false) };
    // The first two entries are flags, not clusters.
    let clusters = if boot.kind == FilesystemKind::Fat12 { 3 } else { 4 };
    Ok(first.get(clusters..) != second.get(clusters..))
}

/// The label: eleven letters without a dot.
fn label_text(short: &[u8; 11]) -> Vec<u8> {
    names::letters(short).trim_end().as_bytes().to_vec()
}

impl Filesystem for FatVolume {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn root(&self) -> FolderRef {
        FolderRef { id: u64::from(self.boot.root_cluster), length: None, contiguous: false }
    }

    fn allocation(&self) -> (u64, u64) {
        (self.clusters.heap.cluster_bytes, self.clusters.heap.start)
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.clusters.claims_fault());
        faults.extend(self.clusters.take_mirror_fault());
        faults
    }

    fn list(&mut self, medium: &Medium<'_>, folder: FolderRef, sink: Sink<'_>) -> Result<Vec<Fault>, Removed> {
        let is_root = folder == self.root();
        let (extents, mut faults) = if is_root && self.boot.kind != FilesystemKind::Fat32 {
            (vec![self.fixed_root()], Vec::new())
        } else {
            let placed = self.clusters.folder(medium, folder)?;
            (placed.extents, placed.faults)
        };
        let mut listing = Listing::new(&mut self.clusters, self.boot.kind == FilesystemKind::Fat32, is_root);
        listing.shared = self.shared;
        let mut removed = false;
        let (bad, read) = for_each_record(medium, &extents, &mut |bytes| match listing.take(medium, bytes, sink) {
            Ok(flow) => flow,
            Err(Removed) => {
                removed = true;
                ControlFlow::Break(())
            }
        })?;
        if removed {
            return Err(Removed);
        }
        if listing.corrupt {
            let offset = extents.first().map_or(self.range.start, |extent| extent.start);
            faults.push(Fault { offset, length: 0, cause: Cause::Corrupt(Corruption::Directory) });
        }
        self.clusters.count_read(read);
        faults.extend(bad);
        Ok(faults)
    }

    fn area(&self) -> VolumeArea {
        let boot = self.range.start..self.range.start.saturating_add(self.boot.reserved).min(self.range.end);
        let outside = self.boot.table.saturating_mul(self.boot.tables).saturating_add(self.boot.root);
        self.clusters.area(&self.range, vec![boot], outside)
    }
}

/// The state between the records of one folder.
struct Listing<'a> {
    clusters: &'a mut Clusters,
    wide: bool,
    is_root: bool,
    shared: bool,
    long: LongName,
    slot: u64,
    ended: bool,
    corrupt: bool,
}

impl<'a> Listing<'a> {
    fn new(clusters: &'a mut Clusters, wide: bool, is_root: bool) -> Self {
        Self {
            clusters,
            wide,
            is_root,
            shared: false,
            long: LongName::default(),
            slot: 0,
            ended: false,
            corrupt: false,
        }
    }

    /// One record: a piece of a long name, a file or folder, or nothing.
    ///
    /// A record whose first byte is 0 ends the folder for Windows, but Linux goes on to the end of the last cluster.
    /// What follows is listed as Linux does, and the folder is called corrupt because hosts disagree about it.
    fn take(
        &mut self,
        medium: &Medium<'_>,
        bytes: Option<&[u8; RECORD_BYTES]>,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        let go_on = Ok(ControlFlow::Continue(()));
        let slot = self.slot;
        self.slot = slot.saturating_add(1);
        let Some(bytes) = bytes else {
            self.long.clear();
            return go_on;
        };
        let record = Record(bytes);
        let attributes = record.u8(11);
        match record.u8(0) {
            0 => self.ended = true,
            DELETED => {}
            _ if attributes & 0x3f == LONG_NAME => {
                self.long.piece(record);
                return go_on;
            }
            _ if attributes & VOLUME_LABEL != 0 => {}
            _ => {
                self.corrupt |= self.ended;
                if self.is_dot(record, slot) {
                    self.long.clear();
                    return go_on;
                }
                let found = self.entry(medium, record)?;
                return Ok(sink(found));
            }
        }
        self.long.clear();
        go_on
    }

    /// "." and ".." stand in the first two records of every folder but the root; hosts skip them by name wherever they
    /// are, so elsewhere, or as files, they would hide something.
    fn is_dot(&mut self, record: Record<'_>, slot: u64) -> bool {
        let name = record.slice(0, 11);
        let dot = name == b".          " || name == b"..         ";
        let honest = !self.is_root && slot < 2 && record.u8(11) & DIRECTORY != 0;
        self.corrupt |= dot && !honest;
        dot
    }

    fn entry(&mut self, medium: &Medium<'_>, record: Record<'_>) -> Result<Found, Removed> {
        let short: [u8; 11] = record.array(0);
        let long = self.long.finish(&short);
        let name = match &long {
            Some(units) => wtf8(units),
            None => short_name(&short, record.u8(12)).into_bytes(),
        };
        let high = if self.wide { u32::from(record.u16(20)) << 16 } else { 0 };
        // FAT32 numbers have 28 bits.
        let first = (high | u32::from(record.u16(26))) & 0x0fff_ffff;
        let attributes = record.u8(11);
        let mut found = Found {
            keys: keys(long.as_deref(), &short),
            attributes: Attributes {
                hidden: attributes & HIDDEN != 0,
                system: attributes & SYSTEM != 0,
                read_only: attributes & READ_ONLY != 0,
                strange_short_name: long.as_deref().is_some_and(|long| !is_made_of(&units(&short), long)),
            },
            // DIR_WrtDate, DIR_WrtTime: of a zone that nobody names.
            modified: Civil::of_dos(record.u16(24), record.u16(22)).local(),
            ..Found::new(name, EntryKind::Directory)
        };
        if attributes & DIRECTORY != 0 {
            if self.clusters.heap.holds(first) {
                found.folder = Some(FolderRef { id: u64::from(first), length: None, contiguous: false });
            } else {
                found.faults.push(Fault { offset: 0, length: 0, cause: Cause::Corrupt(Corruption::Directory) });
            }
            return Ok(found);
        }
        found.kind = EntryKind::File;
        found.size = u64::from(record.u32(28));
        let stream = Stream { first, size: found.size, valid: found.size, contiguous: false };
        let placed = self.clusters.file(medium, stream)?;
        found.content = self.shared.then(|| ContentId::place(&placed.extents));
        found.stored = Stored::Extents(placed.extents);
        found.faults = placed.faults;
        Ok(found)
    }
}
