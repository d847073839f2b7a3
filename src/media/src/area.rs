//! The area ledger: every byte of the medium has one class (security rule 1), and what lies outside files is looked at
//! where an attacker would put boot code: tables, boot areas, both ends of every gap.

use crate::boot_areas::boot_areas;
use crate::bytes::{index, wide};
use crate::filesystem::{Extent, VolumeArea};
use crate::outbox::{Outbox, Stop};
use crate::partition::TableRange;
use crate::plan::{Plan, Turn};
use crate::recognise;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{
    AreaClass, AreaDigest, AreaReport, AreaSum, Attributes, BootArea, BootAreaKind, Cause, Digests, Entry, EntryId,
    EntryKind, FilesystemKind, MAX_AREAS, ReadLimit, Subject, VolumeId,
};
use sha2::Digest;
use std::ops::Range;

/// Bytes looked at from each end of a gap.
const GAP_END: u64 = 1 << 20;
/// Most bytes of one boot area that are looked at; FAT32 volumes of Windows reserve up to 4 MiB.
const MAX_BOOT: u64 = 16 << 20;
/// Most bytes of all of them that a tag can bind (docs/tag-format.md, section 10).
const MAX_BOOTS: u64 = 64 << 20;
/// Stands in a plan for "no volume".
pub(crate) const OUTSIDE: VolumeId = VolumeId::MAX;
/// Bytes read and hashed at once.
const STEP: u64 = 1 << 20;

/// A volume for the ledger.
pub(crate) struct LedgerVolume {
    pub(crate) range: Range<u64>,
    pub(crate) kind: FilesystemKind,
    /// Absent when the volume was not read.
    pub(crate) area: Option<VolumeArea>,
}

/// A table, a boot area or a structure of a filesystem. It is handed over like a content, so that it is matched as well
/// as digested.
struct Region {
    class: AreaClass,
    volume: Option<VolumeId>,
    /// In pieces, of which none is empty.
    extents: Vec<Extent>,
    sha256: Option<[u8; 32]>,
}

impl Region {
    /// First byte on the medium.
    fn start(&self) -> u64 {
        self.extents.first().map_or(0, |extent| extent.start)
    }

    /// Bytes.
    fn size(&self) -> u64 {
        self.extents.iter().map(|extent| extent.length).fold(0, u64::saturating_add)
    }

    /// What reports call it.
    fn name(&self) -> Vec<u8> {
        let class = match self.class {
            AreaClass::Table => "table",
            AreaClass::Metadata => "metadata",
            _ => "boot",
        };
        format!("[{class} {}+{}]", self.start(), self.size()).into_bytes()
    }
}

/// What one volume owns of the medium.
struct Part {
    range: Range<u64>,
    bytes: u64,
    /// Absent when the use of these bytes is not known.
    sums: Option<Vec<(AreaClass, u64, u64)>>,
}

/// The medium, divided.
pub(crate) struct Areas {
    regions: Vec<Region>,
    /// Entry of the first region; the others follow it. Absent when they were not announced.
    first: Option<EntryId>,
    parts: Vec<Part>,
    gaps: Vec<Range<u64>>,
    /// What a tag binds of the medium.
    boot: Vec<BootArea>,
}

impl Areas {
    /// Divides the medium among `volumes`, which are in the order of their start, and `tables`. A volume counts with its
    /// own classes when all its bytes are its own. Of one that overlaps another, only the bytes that no earlier volume
    /// has are counted, and their use is not known.
    pub(crate) fn divide(capacity: u64, volumes: Vec<LedgerVolume>, tables: &[TableRange]) -> Self {
        let mut free = std::iter::once(0..capacity).collect();
        let boot = boot_areas(capacity, &volumes, tables);
        let mut areas = Self { regions: Vec::new(), first: None, parts: Vec::new(), gaps: Vec::new(), boot };
        for (number, volume) in volumes.into_iter().enumerate() {
            let bytes = take(&mut free, &volume.range).iter().map(length).fold(0, u64::saturating_add);
            let area = volume.area.filter(|_| bytes == length(&volume.range));
            for boot in area.iter().flat_map(|area| &area.boot) {
                let start = boot.start.min(boot.end);
                let range = start..boot.end.min(start.saturating_add(MAX_BOOT));
                areas.region(AreaClass::Boot, VolumeId::try_from(number).ok(), pieces(&range));
            }
            for structure in area.iter().flat_map(|area| &area.structures) {
                areas.region(AreaClass::Metadata, VolumeId::try_from(number).ok(), structure.clone());
            }
            areas.parts.push(Part { range: volume.range, bytes, sums: area.map(|area| area.sums) });
        }
        for table in tables {
            for part in take(&mut free, &table.range) {
                areas.region(AreaClass::Table, None, pieces(&part));
            }
        }
        areas.gaps = free;
        areas
    }

    fn region(&mut self, class: AreaClass, volume: Option<VolumeId>, extents: Vec<Extent>) {
        if extents.iter().any(|extent| extent.length > 0) {
            self.regions.push(Region { class, volume, extents, sha256: None });
        }
    }

    /// Announces tables, boot areas and structures and plans to read them.
    pub(crate) fn announce(&mut self, outbox: &mut Outbox<'_>, plan: &mut Plan) -> Result<(), Stop> {
        if self.regions.len() > MAX_AREAS {
            // So many tables are no honest ones.
            return outbox.not_read(Subject::Medium, 0, 0, Cause::ReadLimit(ReadLimit::Entries));
        }
        self.first = Some(outbox.totals.entries);
        for region in &self.regions {
            let size = region.size();
            let entry = outbox.entry(Entry {
                volume: region.volume,
                parent: None,
                name: region.name(),
                kind: EntryKind::Area,
                size,
                attributes: Attributes::default(),
                same_as: None,
                modified: None,
            })?;
            if !plan.add(entry, OUTSIDE, &region.extents, 0, size, Turn::First) {
                outbox.not_read(Subject::Entry(entry), 0, size, Cause::ReadLimit(ReadLimit::Entries))?;
            }
        }
        Ok(())
    }

    /// A region was read as a whole and handed over.
    pub(crate) fn seen(&mut self, entry: EntryId, digests: &Digests) {
        let number = self.first.and_then(|first| entry.checked_sub(first));
        if let Some(region) = number.and_then(|number| self.regions.get_mut(index(u64::from(number)))) {
            region.sha256 = Some(digests.sha256);
        }
    }

    /// Bytes of files that were read, by all views of one volume together.
    fn read_in(&self, range: &Range<u64>, read: &[u64]) -> u64 {
        let views = self.parts.iter().zip(read).filter(|(part, _)| part.range == *range);
        views.map(|(_, bytes)| *bytes).fold(0, u64::saturating_add)
    }

    /// Bytes of a class of a volume that were handed over.
    fn handed_over(&self, volume: Option<VolumeId>, class: AreaClass) -> u64 {
        let own = |region: &&Region| region.class == class && region.volume == volume && region.sha256.is_some();
        self.regions.iter().filter(own).map(Region::size).fold(0, u64::saturating_add)
    }

    /// Adds up, and looks at both ends of every gap. `read` are the bytes of files that were read, by volume.
    pub(crate) fn report(self, medium: &Medium<'_>, read: &[u64]) -> Result<AreaReport, Removed> {
        let mut ledger = Ledger { medium, report: AreaReport { boot: self.boot.clone(), ..AreaReport::default() } };
        for (number, part) in self.parts.iter().enumerate() {
            let id = VolumeId::try_from(number).ok();
            let Some(sums) = &part.sums else {
                ledger.sum(id, AreaClass::Unknown, part.bytes, 0);
                continue;
            };
            for (class, bytes, looked_at) in sums {
                let looked_at = match class {
                    AreaClass::Boot => self.handed_over(id, AreaClass::Boot),
                    AreaClass::Metadata => looked_at.saturating_add(self.handed_over(id, AreaClass::Metadata)),
                    // Another view of the same bytes may have been the one that read them.
                    AreaClass::File => self.read_in(&part.range, read),
                    _ => *looked_at,
                };
                ledger.sum(id, *class, *bytes, looked_at);
            }
        }
        let (mut table_bytes, mut table_read) = (0u64, 0u64);
        for region in &self.regions {
            let bytes = region.size();
            if region.class == AreaClass::Table {
                table_bytes = table_bytes.saturating_add(bytes);
                table_read = table_read.saturating_add(if region.sha256.is_some() { bytes } else { 0 });
            }
            // A digest stands for one range; what lies in pieces has that of its content only.
            if let (Some(sha256), [_]) = (region.sha256, region.extents.as_slice()) {
                ledger.digest(AreaDigest { class: region.class, start: region.start(), length: bytes, sha256 });
            }
        }
        ledger.sum(None, AreaClass::Table, table_bytes, table_read);
        let mut gap_read = 0u64;
        for gap in &self.gaps {
            for end in gap_ends(gap) {
                gap_read = gap_read.saturating_add(ledger.look(AreaClass::Gap, &end)?);
            }
        }
        let gap_bytes = self.gaps.iter().map(length).fold(0, u64::saturating_add);
        ledger.sum(None, AreaClass::Gap, gap_bytes, gap_read);
        ledger.look_at_rest(&self.boot)?;
        Ok(ledger.report)
    }
}

/// A range in one piece; nothing when it is empty.
fn pieces(range: &Range<u64>) -> Vec<Extent> {
    let piece = Extent { start: range.start, length: length(range) };
    if range.is_empty() { Vec::new() } else { vec![piece] }
}

/// Removes `range` from the sorted list `free`; returns the parts that were there.
fn take(free: &mut Vec<Range<u64>>, range: &Range<u64>) -> Vec<Range<u64>> {
    let mut taken = Vec::new();
    let mut left = Vec::with_capacity(free.len().saturating_add(1));
    for part in free.drain(..) {
        let inside = part.start.max(range.start)..part.end.min(range.end);
        if inside.is_empty() {
            left.push(part);
            continue;
        }
        let around = [part.start..inside.start, inside.end..part.end];
        left.extend(around.into_iter().filter(|piece| !piece.is_empty()));
        taken.push(inside);
    }
    *free = left;
    taken
}

fn gap_ends(gap: &Range<u64>) -> Vec<Range<u64>> {
    if length(gap) <= GAP_END.saturating_mul(2) {
        return vec![gap.clone()];
    }
    vec![gap.start..gap.start.saturating_add(GAP_END), gap.end.saturating_sub(GAP_END)..gap.end]
}

fn class(kind: BootAreaKind) -> AreaClass {
    use BootAreaKind::{Ebr, Gap, GptBackup, GptPrimary, Mbr};
    match kind {
        Mbr | Ebr | GptPrimary | GptBackup => AreaClass::Table,
        Gap => AreaClass::Gap,
        _ => AreaClass::Boot,
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

struct Ledger<'l, 'm> {
    medium: &'l Medium<'m>,
    report: AreaReport,
}

impl Ledger<'_, '_> {
    fn sum(&mut self, volume: Option<VolumeId>, class: AreaClass, bytes: u64, looked_at: u64) {
        if bytes > 0 {
            self.report.sums.push(AreaSum { volume, class, bytes, looked_at: looked_at.min(bytes) });
        }
    }

    fn digest(&mut self, digest: AreaDigest) {
        if self.report.digests.len() < MAX_AREAS {
            self.report.digests.push(digest);
        }
    }

    /// Digests the boot areas that are not digested as a whole yet, such as the superblock of ext: nothing may be signed that
    /// cannot be compared with the scan. Those that are too long to be sealed are left out.
    fn look_at_rest(&mut self, boot: &[BootArea]) -> Result<(), Removed> {
        let mut known: Vec<_> = self.report.digests.iter().map(|known| (known.start, known.length)).collect();
        known.sort_unstable();
        let mut budget = MAX_BOOTS;
        for BootArea { kind, start, length, .. } in boot {
            let end = start.saturating_add(*length);
            let behind =
                known.iter().fold(
                    *start,
                    |at, (start, length)| {
                        if *start <= at { at.max(start.saturating_add(*length)) } else { at }
                    },
                );
            if behind >= end || *length > MAX_BOOT.min(budget) {
                continue;
            }
            budget = budget.saturating_sub(*length);
            self.look(class(*kind), &(*start..end))?;
        }
        Ok(())
    }

    /// Reads and digests a range; returns the bytes read. A range that cannot be read gets no digest and counts as not
    /// looked at.
    fn look(&mut self, class: AreaClass, range: &Range<u64>) -> Result<u64, Removed> {
        if range.is_empty() || self.report.digests.len() >= MAX_AREAS {
            return Ok(0);
        }
        let mut hasher = sha2::Sha256::new();
        let mut position = range.start;
        let mut buffer = vec![0u8; index(length(range).min(STEP))];
        while position < range.end {
            let count = range.end.saturating_sub(position).min(STEP);
            let Some(part) = buffer.get_mut(..index(count)) else { break };
            match self.medium.read(position, part) {
                Ok(()) => hasher.update(&*part),
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { .. }) => return Ok(0),
            }
            position = position.saturating_add(wide(part.len()));
        }
        let sha256 = hasher.finalize().into();
        self.digest(AreaDigest { class, start: range.start, length: length(range), sha256 });
        Ok(length(range))
    }
}

/// The area of a blank volume, whose ends were seen to be zeros; nothing for any other that is not read.
pub(crate) fn of_blank(kind: FilesystemKind, range: &Range<u64>) -> Option<VolumeArea> {
    let blank = kind == FilesystemKind::Blank;
    let looked_at = length(range).min(recognise::BLANK_END.saturating_mul(2));
    blank.then(|| VolumeArea { sums: vec![(AreaClass::Free, length(range), looked_at)], ..VolumeArea::default() })
}

/// The ledger of a medium that is gone: everything that was not counted is unknown.
pub(crate) fn unknown(capacity: u64) -> AreaReport {
    let sum = AreaSum { volume: None, class: AreaClass::Unknown, bytes: capacity, looked_at: 0 };
    AreaReport { sums: if capacity > 0 { vec![sum] } else { Vec::new() }, ..AreaReport::default() }
}
