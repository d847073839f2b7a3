//! The union of all views of a medium.

use super::gpt::{self, Found};
use super::mbr::{self, MBR_BYTES, MbrEntry, PROTECTIVE};
use super::{Announced, Lba, TableRange, Views, ebr, gaps, label};
use crate::fat;
use crate::filesystem::Fault;
use crate::recognise::{self, is_boot_sector};
use crate::signatures::{self, Signature};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{BootAreaKind, Cause, Corruption, PartitionTable, ReadLimit, VolumeRole};
use std::ops::Range;

/// Finds tables and volumes; at most `max_volumes` of the latter.
///
/// On a medium without a table file content may lie almost anywhere, and every byte of it is to be read once. So the
/// places of a GPT are looked at only where no content can be: behind the first sector, which belongs to every
/// filesystem's own structures, and at the end when a table says that there is one.
pub(crate) fn discover(medium: &Medium<'_>, max_volumes: u16) -> Result<Views, Removed> {
    let mut views = Views::default();
    if medium.capacity() == 0 {
        return Ok(views);
    }
    let sector = first_sector(medium, &mut views)?;
    if sector.as_deref().is_some_and(|sector| sector.starts_with(b"ER")) {
        views.take_apple_map(medium)?;
    }
    if sector.as_deref().is_some_and(label::is_foreign) {
        // Linux makes partitions of them, whatever filesystem the first sectors belong to; they are not read here.
        views.fault(0, medium.block(), Cause::UnknownContent);
    }
    let boot_sector = sector.as_deref().is_some_and(is_boot_sector);
    let entries = sector.as_deref().and_then(mbr::parse).filter(|entries| {
        !boot_sector || mbr::plausible_beside_boot_sector(entries, medium.capacity(), medium.block())
    });
    if let Some(entries) = &entries {
        views.take_mbr(medium, entries)?;
    } else if !boot_sector && sector.as_deref().is_some_and(is_empty_table) {
        views.tables.push(PartitionTable::Mbr);
        views.take_ranges(BootAreaKind::Mbr, std::iter::once(0..medium.block().min(medium.capacity())));
    }
    let protective = entries.is_some_and(|entries| entries.iter().any(|entry| entry.kind == PROTECTIVE));
    let unclaimed_end = !boot_sector && !views.cover(medium.capacity().saturating_sub(1));
    let has_gpt = views.take_gpt(medium, protective, unclaimed_end)?;
    if let (false, Some(entries)) = (has_gpt, &entries) {
        // A protective record that protects nothing: whatever is there is looked at as one volume.
        let lone = entries.iter().filter(|entry| entry.used() && entry.kind == PROTECTIVE);
        views.volumes.extend(lone.map(|entry| entry.announced(medium.block(), Lba(0), VolumeRole::Primary)));
    }
    if boot_sector || views.whole_medium_holds_filesystem(medium)? {
        views.volumes.push(whole(medium));
    }
    if views.volumes.is_empty() && views.tables.is_empty() {
        views.volumes.push(whole(medium));
    }
    views.settle(medium.capacity(), max_volumes);
    views.look_into_gaps(medium, max_volumes)?;
    Ok(views)
}

fn whole(medium: &Medium<'_>) -> Announced {
    let range = 0..medium.capacity();
    Announced { range, role: VolumeRole::Superfloppy, partition_type: None, hidden: false, efi: false }
}

/// The table of a medium that was prepared but not partitioned. A damaged boot sector must not pass for one.
fn is_empty_table(sector: &[u8]) -> bool {
    let jumps = matches!(sector.first(), Some(0xe9 | 0xeb | 0x49));
    mbr::records(sector).is_some() && mbr::empty(sector) && !jumps && fat::claimed_kind(sector).is_none()
}

fn first_sector(medium: &Medium<'_>, views: &mut Views) -> Result<Option<Vec<u8>>, Removed> {
    match medium.read_vec(0, medium.block()) {
        Ok(sector) => Ok(Some(sector)),
        Err(ReadError::Removed) => Err(Removed),
        Err(ReadError::Unreadable { .. }) => {
            views.fault(0, medium.block(), Cause::Unreadable);
            Ok(None)
        }
    }
}

impl Views {
    fn fault(&mut self, offset: u64, length: u64, cause: Cause) {
        self.faults.push(Fault { offset, length, cause });
    }

    fn corrupt_table(&mut self, offset: u64, length: u64) {
        self.fault(offset, length, Cause::Corrupt(Corruption::PartitionTable));
    }

    fn take_ranges(&mut self, kind: BootAreaKind, ranges: impl IntoIterator<Item = Range<u64>>) {
        self.table_ranges.extend(ranges.into_iter().map(|range| TableRange { kind, range }));
    }

    /// Whether a volume holds this byte.
    fn cover(&self, byte: u64) -> bool {
        self.volumes.iter().any(|volume| volume.range.contains(&byte))
    }

    fn take_mbr(&mut self, medium: &Medium<'_>, entries: &[MbrEntry; 4]) -> Result<(), Removed> {
        let block = medium.block();
        self.tables.push(PartitionTable::Mbr);
        self.take_ranges(BootAreaKind::Mbr, std::iter::once(0..block.min(medium.capacity())));
        if entries.iter().any(|entry| !entry.valid_indicator) {
            // Linux then ignores the whole table; we read what it names.
            self.corrupt_table(0, block);
        }
        for entry in entries.iter().filter(|entry| entry.used()) {
            if entry.extended() {
                let chain = ebr::follow(medium, entry)?;
                self.volumes.extend(chain.partitions);
                self.take_ranges(BootAreaKind::Ebr, chain.records);
                self.faults.extend(chain.faults);
            } else if entry.kind != PROTECTIVE {
                self.volumes.push(entry.announced(block, Lba(0), VolumeRole::Primary));
            }
        }
        Ok(())
    }

    /// An Apple partition map ("Inside Macintosh: Devices", 3-12 to 3-15) behind its driver descriptor: macOS and Linux
    /// follow it, and it is not read here.
    fn take_apple_map(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        for at in [512, 1024, 2048, 4096] {
            match medium.read_vec(at, 2) {
                Ok(found) if found == b"PM" => {
                    self.fault(at, 0, Cause::UnknownContent);
                    return Ok(());
                }
                Ok(_) | Err(ReadError::Unreadable { .. }) => {}
                Err(ReadError::Removed) => return Err(Removed),
            }
        }
        Ok(())
    }

    /// Both copies of a GPT. A broken one is corrupt, and the other is used; if both are valid and differ, the union.
    fn take_gpt(&mut self, medium: &Medium<'_>, protective: bool, look_at_end: bool) -> Result<bool, Removed> {
        let block = medium.block();
        let last = Lba(medium.capacity().checked_div(block).unwrap_or(0).saturating_sub(1));
        let primary = self.gpt_at(medium, Lba(1), PartitionTable::GptPrimary)?;
        let announced = !matches!(primary, Found::Nothing);
        let place = match &primary {
            Found::Table(table) => table.other,
            _ => last,
        };
        if last <= Lba(1) || !(protective || announced || look_at_end) {
            return Ok(matches!(primary, Found::Table(_)));
        }
        let backup = self.gpt_at(medium, place, PartitionTable::GptBackup)?;
        let missing = |found: &Found| matches!(found, Found::Nothing);
        if missing(&primary) && missing(&backup) {
            if protective {
                self.corrupt_table(0, block);
            }
            return Ok(false);
        }
        if missing(&primary) {
            self.corrupt_table(Lba(1).byte(block), block);
        }
        if missing(&backup) {
            self.corrupt_table(place.byte(block).min(medium.capacity()), block);
        }
        let (Found::Table(first), Found::Table(second)) = (&primary, &backup) else {
            return Ok(matches!(primary, Found::Table(_)) || matches!(backup, Found::Table(_)));
        };
        if first.array_crc != second.array_crc {
            self.corrupt_table(place.byte(block), block);
        }
        Ok(true)
    }

    fn gpt_at(&mut self, medium: &Medium<'_>, at: Lba, kind: PartitionTable) -> Result<Found, Removed> {
        let start = at.byte(medium.block());
        let found = match gpt::read(medium, at) {
            Ok(found) => found,
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { offset }) => {
                self.fault(offset, medium.block(), Cause::Unreadable);
                Found::Broken
            }
        };
        match &found {
            Found::Nothing => {}
            Found::Broken => self.corrupt_table(start, medium.block()),
            Found::Table(table) => {
                self.tables.push(kind);
                let area = match kind {
                    PartitionTable::GptBackup => BootAreaKind::GptBackup,
                    _ => BootAreaKind::GptPrimary,
                };
                self.take_ranges(area, table.ranges.iter().cloned());
                self.volumes.extend(table.partitions.iter().cloned());
            }
        }
        Ok(found)
    }

    /// Whether the medium as a whole carries a filesystem beside its table (an ISO 9660 image with an MBR, say), as far
    /// as that can be told without reading content of the volumes' files. What its content says is seen when it is read.
    fn whole_medium_holds_filesystem(&self, medium: &Medium<'_>) -> Result<bool, Removed> {
        if self.tables.is_empty() {
            return Ok(false);
        }
        let mut contents = Vec::new();
        for volume in &self.volumes {
            let end = volume.range.end.min(medium.capacity());
            if volume.range.start < end {
                contents.push(recognise::content_start(medium, &(volume.range.start..end))?..end);
            }
        }
        let outside =
            |place: &Range<u64>| contents.iter().all(|held| place.end <= held.start || place.start >= held.end);
        let whole = 0..medium.capacity();
        if !recognise::signatures(medium, &whole, &outside)?.is_empty() {
            return Ok(true);
        }
        recognise::watch(medium, &whole, &|place, known| !outside(place) && !self.announce(place, known, &whole));
        Ok(false)
    }

    /// Whether a volume, cut to `whole`, has a signature in this place as one of its own: then it is no second
    /// filesystem, as in an image of a disc whose partition begins where the medium does.
    fn announce(&self, place: &Range<u64>, known: &Signature, whole: &Range<u64>) -> bool {
        self.volumes.iter().any(|volume| {
            let (start, end) = (volume.range.start, volume.range.end.min(whole.end));
            let same = |own: Signature| own.magic == known.magic && own.place(start) == *place && place.end <= end;
            signatures::of_volume(end.saturating_sub(start)).any(same)
        })
    }

    /// Adds the filesystems that stand outside every partition.
    fn look_into_gaps(&mut self, medium: &Medium<'_>, max_volumes: u16) -> Result<(), Removed> {
        let volumes = self.volumes.iter().map(|volume| volume.range.clone());
        let tables = self.table_ranges.iter().map(|table| table.range.clone());
        let gaps = gaps::gaps(medium.capacity(), volumes.chain(tables));
        for hidden in gaps::hidden(medium, &gaps)? {
            if self.volumes.len() >= usize::from(max_volumes) {
                self.fault(hidden.range.start, 0, Cause::ReadLimit(ReadLimit::Volumes));
                break;
            }
            let place = self.volumes.partition_point(|volume| volume.range.start < hidden.range.start);
            self.volumes.insert(place, hidden);
            for (number, _) in self.volume_faults.iter_mut().filter(|(number, _)| *number >= place) {
                *number = number.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Sorts, removes duplicates, cuts to the medium, and names what contradicts it or another partition.
    fn settle(&mut self, capacity: u64, max_volumes: u16) {
        let mut volumes = std::mem::take(&mut self.volumes);
        // Of equal ranges the one with more to say stays: GPT before MBR.
        volumes.sort_by_key(|volume| (volume.range.start, volume.range.end, volume.role != VolumeRole::Gpt));
        volumes.dedup_by(|later, earlier| later.range == earlier.range);
        let mut reach = 0u64;
        let first_sector = self.table_ranges.first().map(|table| &table.range);
        let first_sector = first_sector.filter(|range| range.start == 0).map_or(0, |range| range.end);
        for mut volume in volumes {
            let bounds =
                |offset: u64, length| Fault { offset, length, cause: Cause::Corrupt(Corruption::PartitionBounds) };
            let range = volume.range.clone();
            if range.end <= first_sector {
                // `xorriso --mbr-force-bootable` names the table itself, for firmware that wants an active partition.
                continue;
            }
            if range.start >= capacity || range.is_empty() {
                self.faults.push(bounds(range.start.min(capacity), 0));
                continue;
            }
            if self.volumes.len() >= usize::from(max_volumes) {
                self.fault(range.start, range.end.saturating_sub(range.start), Cause::ReadLimit(ReadLimit::Volumes));
                continue;
            }
            let number = self.volumes.len();
            if range.end > capacity {
                volume.range.end = capacity;
                self.volume_faults.push((number, bounds(capacity, range.end.saturating_sub(capacity))));
            }
            if range.start < reach {
                let overlap = volume.range.end.min(reach).saturating_sub(range.start);
                self.volume_faults.push((number, bounds(range.start, overlap)));
            }
            reach = reach.max(volume.range.end);
            self.volumes.push(volume);
        }
    }
}

/// A sector is read as a whole, and only its first 512 bytes carry fields.
const _: () = assert!(MBR_BYTES == fat::BOOT_BYTES);
