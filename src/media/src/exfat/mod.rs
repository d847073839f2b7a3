//! exFAT (Microsoft, "exFAT file system specification" 1.00), read-only. Why our own reader: see [`crate::fat`].

mod boot;
pub mod entry_set;
pub mod upcase;

pub use boot::Boot;

use crate::bytes::{Record, index, is_zero, wide};
use crate::clusters::{AllocationTable, Clusters, Heap, RECORD_BYTES, Stream, Width, for_each_record};
use crate::filesystem::{Extent, Fault, Filesystem, FolderRef, Found, Identity, Sink, Stored, VolumeArea};
use crate::names::{fold_key, wtf8};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Attributes, Cause, Corruption, EntryKind, FilesystemKind, NameEncoding, ReadLimit};
use entry_set::{Collector, EntrySet, Step};
use std::ops::{ControlFlow, Range};
use upcase::Upcase;

const READ_ONLY: u16 = 0x01;
const HIDDEN: u16 = 0x02;
const SYSTEM: u16 = 0x04;
const DIRECTORY: u16 = 0x10;
/// Root records looked at for label, bitmap and up-case table before the walk.
const ROOT_RECORDS: u32 = 1 << 16;
/// Bytes behind valid data that are looked at in one volume: 16 GiB, so that files that share clusters end somewhere.
const MAX_TAIL: u64 = 16 << 30;
/// Bytes of them looked at at once.
const TAIL_STEP: u64 = 1 << 18;

/// An open exFAT volume.
#[derive(Debug)]
pub(crate) struct ExFatVolume {
    boot: Boot,
    range: Range<u64>,
    identity: Identity,
    clusters: Clusters,
    upcase: Upcase,
    /// Bytes behind valid data that may still be looked at.
    tail_left: u64,
    faults: Vec<Fault>,
}

/// What the root directory says about the volume itself.
#[derive(Default)]
struct RootFacts {
    label: Option<Vec<u8>>,
    /// First cluster and bytes.
    bitmaps: Vec<(u32, u64)>,
    /// Checksum, first cluster, bytes.
    upcase: Option<(u32, u32, u64)>,
}

impl ExFatVolume {
    /// Opens the volume in `range` (bytes on the medium).
    pub(crate) fn open(medium: &Medium<'_>, range: Range<u64>, boot: Boot) -> Result<Self, Removed> {
        let heap = Heap {
            start: range.start.saturating_add(boot.heap_start),
            cluster_bytes: boot.cluster,
            count: boot.clusters,
            end: range.end,
        };
        let active = if boot.second_active { boot.table } else { 0 };
        let start = range.start.saturating_add(boot.table_start).saturating_add(active);
        let identity = Identity {
            kind: FilesystemKind::ExFat,
            label: None,
            identifier: Some(format!("{:08x}", boot.serial)),
            encoding: NameEncoding::Wtf8,
        };
        let clusters = Clusters::new(heap, AllocationTable::new(start, boot.table, Width::ExFat));
        let upcase = Upcase::fallback();
        let mut volume = Self { boot, range, identity, clusters, upcase, tail_left: MAX_TAIL, faults: Vec::new() };
        volume.check_boot(medium)?;
        let facts = volume.root_facts(medium)?;
        volume.identity.label = facts.label.clone();
        volume.claim_structures(medium, &facts)?;
        Ok(volume)
    }

    /// Whether an entry that was listed, the bitmap or the up-case table uses this cluster.
    pub(crate) fn claimed(&self, cluster: u32) -> bool {
        self.clusters.claimed(cluster)
    }

    fn fault(&mut self, offset: u64, length: u64, cause: Cause) {
        self.faults.push(Fault { offset, length, cause });
    }

    fn check_boot(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let start = self.range.start;
        let length = self.range.end.saturating_sub(start);
        if self.boot.total > length {
            let missing = self.boot.total.saturating_sub(length);
            self.fault(self.range.end, missing, Cause::Corrupt(Corruption::BootSector));
        }
        if self.boot.second_active {
            // Hosts that do not know TexFAT follow the first table.
            self.fault(start, 0, Cause::Corrupt(Corruption::Allocation));
        }
        match medium.read_vec(start, self.boot.region()) {
            Ok(region) if self.boot.checksum_holds(&region) => {}
            Ok(_) => self.fault(start, self.boot.region(), Cause::Corrupt(Corruption::Checksum)),
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { offset }) => {
                self.fault(offset, medium.block(), Cause::Unreadable);
            }
        }
        Ok(())
    }

    fn root_facts(&mut self, medium: &Medium<'_>) -> Result<RootFacts, Removed> {
        let extents = self.clusters.peek(medium, self.boot.root)?;
        let mut facts = RootFacts::default();
        let mut left = ROOT_RECORDS;
        for_each_record(medium, &extents, &mut |bytes| {
            left = left.saturating_sub(1);
            let Some(bytes) = bytes else { return ControlFlow::Continue(()) };
            let record = Record(bytes);
            match record.u8(0) {
                entry_set::LABEL if facts.label.is_none() => {
                    // CharacterCount (7.3.1) is at most 11.
                    let count = usize::from(record.u8(1).min(11));
                    let units: Vec<u16> = record.slice(2, 22).chunks(2).map(|pair| Record(pair).u16(0)).collect();
                    facts.label = Some(wtf8(units.get(..count).unwrap_or_default()));
                }
                entry_set::BITMAP if facts.bitmaps.len() < 2 => facts.bitmaps.push((record.u32(20), record.u64(24))),
                entry_set::UPCASE if facts.upcase.is_none() => {
                    facts.upcase = Some((record.u32(4), record.u32(20), record.u64(24)));
                }
                _ => {}
            }
            let over = left == 0 || record.u8(0) == entry_set::END;
            if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(facts)
    }

    /// Claims the clusters of the bitmap and the up-case table, and reads the latter.
    fn claim_structures(&mut self, medium: &Medium<'_>, facts: &RootFacts) -> Result<(), Removed> {
        let start = self.range.start;
        if facts.bitmaps.is_empty() {
            self.fault(start, 0, Cause::Corrupt(Corruption::Allocation));
        }
        for (first, length) in &facts.bitmaps {
            let folder = FolderRef { id: u64::from(*first), length: Some(*length), contiguous: false };
            let placed = self.clusters.folder(medium, folder)?;
            self.faults.extend(placed.faults);
        }
        let Some((checksum, first, length)) = facts.upcase else {
            self.fault(start, 0, Cause::Corrupt(Corruption::Directory));
            return Ok(());
        };
        let folder = FolderRef { id: u64::from(first), length: Some(length), contiguous: false };
        let placed = self.clusters.folder(medium, folder)?;
        self.faults.extend(placed.faults);
        let bytes = read_all(medium, &placed.extents, upcase::MAX_BYTES)?;
        self.clusters.count_read(wide(bytes.len()));
        if wide(bytes.len()) == length && upcase::checksum(&bytes) == checksum {
            self.upcase = Upcase::parse(&bytes);
        } else {
            self.fault(self.clusters.heap.position(first), length, Cause::Corrupt(Corruption::Checksum));
        }
        Ok(())
    }
}

/// The first `limit` bytes of `extents`.
fn read_all(medium: &Medium<'_>, extents: &[Extent], limit: u64) -> Result<Vec<u8>, Removed> {
    let mut bytes = Vec::new();
    for extent in extents.iter().filter(|extent| !extent.is_hole()) {
        let room = limit.saturating_sub(wide(bytes.len()));
        let mut part = vec![0u8; index(extent.length.min(room))];
        medium.read_tolerant(extent.start, &mut part, &mut Vec::new())?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

impl Filesystem for ExFatVolume {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn root(&self) -> FolderRef {
        FolderRef { id: u64::from(self.boot.root), length: None, contiguous: false }
    }

    fn allocation(&self) -> (u64, u64) {
        (self.clusters.heap.cluster_bytes, self.clusters.heap.start)
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.clusters.claims_fault());
        faults
    }

    fn list(&mut self, medium: &Medium<'_>, folder: FolderRef, sink: Sink<'_>) -> Result<Vec<Fault>, Removed> {
        let placed = self.clusters.folder(medium, folder)?;
        let mut faults = placed.faults;
        let mut listing = Listing {
            clusters: &mut self.clusters,
            upcase: &self.upcase,
            tail_left: &mut self.tail_left,
            is_root: folder.id == u64::from(self.boot.root),
            set: Collector::default(),
            ended: false,
            corrupt: false,
        };
        let mut removed = false;
        let (bad, read) =
            for_each_record(medium, &placed.extents, &mut |bytes| match listing.take(medium, bytes, sink) {
                Ok(flow) => flow,
                Err(Removed) => {
                    removed = true;
                    ControlFlow::Break(())
                }
            })?;
        if removed {
            return Err(Removed);
        }
        if listing.corrupt || listing.set.open() {
            let offset = placed.extents.first().map_or(self.range.start, |extent| extent.start);
            faults.push(Fault { offset, length: 0, cause: Cause::Corrupt(Corruption::Directory) });
        }
        self.clusters.count_read(read);
        faults.extend(bad);
        Ok(faults)
    }

    fn area(&self) -> VolumeArea {
        let region = self.boot.region().saturating_mul(2);
        let boot = self.range.start..self.range.start.saturating_add(region).min(self.range.end);
        self.clusters.area(&self.range, vec![boot], self.boot.table.saturating_mul(self.boot.tables))
    }
}

/// The state between the records of one folder.
struct Listing<'a> {
    clusters: &'a mut Clusters,
    upcase: &'a Upcase,
    tail_left: &'a mut u64,
    is_root: bool,
    set: Collector,
    ended: bool,
    corrupt: bool,
}

impl Listing<'_> {
    /// One record. The end mark (6.2.1, type 0) ends the folder for Windows and the Linux kernel, but exfat-fuse goes
    /// on: sets behind it are listed, and the folder is called corrupt because hosts disagree about it.
    fn take(
        &mut self,
        medium: &Medium<'_>,
        bytes: Option<&[u8; RECORD_BYTES]>,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        let go_on = ControlFlow::Continue(());
        let Some(bytes) = bytes else {
            self.corrupt |= self.set.abandon();
            return Ok(go_on);
        };
        let kind = Record(bytes).u8(0);
        if kind == entry_set::FILE {
            self.corrupt |= self.set.abandon() | self.ended;
            self.set.begin(bytes);
        } else if self.set.open() {
            match self.set.take(bytes) {
                Step::More => {}
                Step::Broken => self.corrupt = true,
                Step::Complete(set) => return Ok(sink(self.entry(medium, &set)?)),
            }
        } else if kind == entry_set::END {
            self.ended = true;
        } else if kind & entry_set::IN_USE != 0 {
            self.corrupt |= !self.may_stand_alone(kind);
        }
        Ok(go_on)
    }

    /// Bitmap, up-case table and label stand in the root (7.1 to 7.3); benign entries of any kind may be ignored.
    fn may_stand_alone(&self, kind: u8) -> bool {
        let of_the_volume = matches!(kind, entry_set::BITMAP | entry_set::UPCASE | entry_set::LABEL);
        !self.ended && (kind & entry_set::BENIGN != 0 || (of_the_volume && self.is_root))
    }

    /// What is wrong with the bytes that are stored behind ValidDataLength (7.6.5). They read as zeros, but exfat-fuse
    /// and Linux before 6.8 show them: unless they are zeros, hosts disagree about the content.
    fn tail_fault(&mut self, medium: &Medium<'_>, tail: &[Extent]) -> Result<Option<Cause>, Removed> {
        let mut buffer = Vec::new();
        for extent in tail.iter().filter(|extent| !extent.is_hole()) {
            let end = extent.start.saturating_add(extent.length);
            let mut position = extent.start;
            while position < end {
                let count = end.saturating_sub(position).min(TAIL_STEP);
                if *self.tail_left < count {
                    return Ok(Some(Cause::ReadLimit(ReadLimit::Bytes)));
                }
                *self.tail_left = self.tail_left.saturating_sub(count);
                buffer.resize(index(count), 0);
                let mut bad = Vec::new();
                medium.read_tolerant(position, &mut buffer, &mut bad)?;
                if !bad.is_empty() {
                    return Ok(Some(Cause::Unreadable));
                }
                if !is_zero(&buffer) {
                    return Ok(Some(Cause::Corrupt(Corruption::Allocation)));
                }
                position = position.saturating_add(count);
            }
        }
        Ok(None)
    }

    fn entry(&mut self, medium: &Medium<'_>, set: &EntrySet) -> Result<Found, Removed> {
        let flag = |bit: u16| set.attributes & bit != 0;
        let mut found = Found {
            keys: [Some(fold_key(0, set.name.iter().map(|unit| self.upcase.upper(*unit)))), None],
            size: set.length,
            attributes: Attributes {
                hidden: flag(HIDDEN),
                system: flag(SYSTEM),
                read_only: flag(READ_ONLY),
                strange_short_name: false,
            },
            modified: set.modified,
            ..Found::new(wtf8(&set.name), EntryKind::File)
        };
        let is_folder = flag(DIRECTORY);
        let valid = set.valid_length <= set.length && (set.allocated || set.length == 0);
        if !set.checksum_holds {
            let length = if is_folder { 0 } else { set.length };
            found.faults.push(Fault { offset: 0, length, cause: Cause::Corrupt(Corruption::Checksum) });
        }
        if is_folder {
            found.kind = EntryKind::Directory;
            found.size = 0;
            if set.length == 0 && set.first == 0 {
                // Windows makes empty folders without a cluster.
                return Ok(found);
            }
            if valid && set.length > 0 && self.clusters.heap.holds(set.first) {
                let (id, length) = (u64::from(set.first), Some(set.length));
                found.folder = Some(FolderRef { id, length, contiguous: set.contiguous });
            } else {
                found.faults.push(Fault { offset: 0, length: 0, cause: Cause::Corrupt(Corruption::Directory) });
            }
            return Ok(found);
        }
        if !valid {
            found.faults.push(Fault { offset: 0, length: set.length, cause: Cause::Corrupt(Corruption::Directory) });
        }
        let stream = Stream {
            first: set.first,
            size: set.length,
            valid: set.valid_length.min(set.length),
            contiguous: set.contiguous,
        };
        let placed = self.clusters.file(medium, stream)?;
        found.stored = Stored::Extents(placed.extents);
        found.faults.extend(placed.faults);
        if let Some(cause) = self.tail_fault(medium, &placed.tail)? {
            let length = stream.size.saturating_sub(stream.valid);
            found.faults.push(Fault { offset: stream.valid, length, cause });
        }
        Ok(found)
    }
}
