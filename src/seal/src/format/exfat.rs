//! exFAT (Microsoft, "exFAT file system specification" 1.00).

use super::geometry::{FIRST, Geometry};
use super::layout::{Layout, STEP, Sink};
use super::names::fold;
use super::tree::Tree;
use super::{put, round_up};
use crate::draft::{index, wide};
use crate::stamp::Stamp;
use blanche_media::layout::entry_set;
use blanche_media::layout::upcase::{self, Upcase};
use blanche_sandbox::wire::{CopyEntry, CopyKind, CopyObstacle};

const DIRECTORY: u16 = 0x10;
const ARCHIVE: u16 = 0x20;
/// GeneralSecondaryFlags (6.3.4): AllocationPossible, NoFatChain.
const ALLOCATED: u8 = 1;
const IN_ONE_PIECE: u8 = 2;
/// Units of a name in one File Name entry (7.7.3).
const UNITS: usize = 15;
/// Records of a folder: 256 MiB (7.4).
const MOST_RECORDS: u64 = (256 << 20) / 32;
/// EntryType of a record that is free and not the end (6.2.1): a File that is not in use.
const FREE: u8 = entry_set::FILE & !entry_set::IN_USE;
/// VolumeFlags (3.1.13): VolumeDirty.
const DIRTY: u8 = 2;
/// Units whose mapping the specification fixes (7.2.5.1).
const MANDATORY: u16 = 128;

/// Bytes of the allocation bitmap.
pub(super) fn bitmap_bytes(geometry: &Geometry) -> u64 {
    u64::from(geometry.clusters).div_ceil(8)
}

/// The up-case table (7.2.5): simple upper case of Unicode, runs of units that map to themselves compressed.
pub(super) fn upcase() -> Vec<u8> {
    let table = Upcase::fallback();
    let mut bytes = Vec::new();
    let mut literal = |unit: u16| bytes.extend_from_slice(&unit.to_le_bytes());
    let mut same = 0u16;
    for unit in 0..=u16::MAX {
        let upper = table.upper(unit);
        if upper == unit && unit >= MANDATORY {
            same = same.saturating_add(1);
            continue;
        }
        if same > 0 {
            [0xffff, same].into_iter().for_each(&mut literal);
            same = 0;
        }
        literal(upper);
    }
    [0xffff, same].into_iter().for_each(literal);
    bytes
}

/// Bytes of a folder's records.
pub(super) fn folder_bytes(tree: &Tree, folder: Option<u32>) -> Result<u64, CopyObstacle> {
    // A folder that is empty has one cluster all the same.
    let own = if folder.is_none() { 0 } else { 1 };
    let records = tree.inside(folder).map(|(_, entry)| wide(records(entry))).fold(own, u64::saturating_add);
    if records > MOST_RECORDS { Err(CopyObstacle::FolderFull) } else { Ok(records.saturating_mul(32)) }
}

/// File, Stream Extension, and the File Name entries.
fn records(entry: &CopyEntry) -> usize {
    entry.name.len().div_ceil(UNITS).saturating_add(2)
}

/// Both boot regions (3): the backup first.
pub(super) fn boot<E>(layout: &Layout, sink: &mut Sink<'_, E>) -> Result<(), E> {
    let sector = index(layout.geometry.sector);
    let mut region = boot_sector(layout, 0, 0);
    for number in 1usize..=10 {
        let mut bytes = vec![0u8; sector];
        // Extended boot sectors; OEM parameters and the reserved sector hold nothing.
        if number <= 8 {
            put(&mut bytes, sector.saturating_sub(4), &0xaa55_0000u32.to_le_bytes());
        }
        region.extend_from_slice(&bytes);
    }
    let volatile = |offset: &usize| matches!(offset, 106 | 107 | 112);
    let covered = region.iter().enumerate().filter(|(offset, _)| !volatile(offset));
    let sum = covered.fold(0u32, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u32::from(*byte)));
    let length = region.len().saturating_add(sector);
    region.extend(sum.to_le_bytes().into_iter().cycle().take(sector));
    sink(FIRST.saturating_add(wide(length)), &region)?;
    // Somebody is writing; the backup need not say so.
    put(&mut region, 0, &boot_sector(layout, DIRTY, percent(layout)));
    sink(FIRST, &region)
}

/// PercentInUse (3.1.18).
fn percent(layout: &Layout) -> u8 {
    let used = u64::from(layout.free.saturating_sub(2)).saturating_mul(100);
    let percent = used.checked_div(layout.geometry.clusters.into());
    percent.and_then(|percent| u8::try_from(percent).ok()).unwrap_or(100)
}

/// The main boot sector alone: VolumeFlags and PercentInUse are not under its checksum (3.4).
pub(super) fn flags<E>(layout: &Layout, dirty: bool, sink: &mut Sink<'_, E>) -> Result<(), E> {
    sink(FIRST, &boot_sector(layout, if dirty { DIRTY } else { 0 }, percent(layout)))
}

fn boot_sector(layout: &Layout, flags: u8, percent: u8) -> Vec<u8> {
    let geometry = &layout.geometry;
    let low32 = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let from_start = |place: u64| low32(geometry.sectors(place.saturating_sub(FIRST)));
    let shift = |value: u64| u8::try_from(value.trailing_zeros()).unwrap_or(0);
    let mut bytes = vec![0u8; index(geometry.sector)];
    put(&mut bytes, 0, &[0xeb, 0x76, 0x90]);
    put(&mut bytes, 3, b"EXFAT   ");
    put(&mut bytes, 64, &geometry.sectors(FIRST).to_le_bytes());
    put(&mut bytes, 72, &geometry.sectors(geometry.length()).to_le_bytes());
    put(&mut bytes, 80, &from_start(geometry.table_start));
    put(&mut bytes, 84, &low32(geometry.sectors(geometry.table)));
    put(&mut bytes, 88, &from_start(geometry.heap));
    put(&mut bytes, 92, &geometry.clusters.to_le_bytes());
    put(&mut bytes, 96, &layout.root.first.to_le_bytes());
    put(&mut bytes, 100, &layout.serial.to_le_bytes());
    put(&mut bytes, 104, &[0, 1, flags, 0]);
    put(&mut bytes, 108, &[shift(geometry.sector), shift(geometry.sectors(geometry.cluster)), 1, 0x80, percent]);
    // BootCode (3.1.20) of a volume that starts nothing: hlt.
    put(&mut bytes, 120, &[0xf4; 390]);
    put(&mut bytes, 510, &[0x55, 0xaa]);
    bytes
}

/// Allocation bitmap and up-case table.
pub(super) fn system<E>(layout: &Layout, sink: &mut Sink<'_, E>) -> Result<(), E> {
    let [bitmap, table] = layout.system.as_slice() else { return Ok(()) };
    let place = layout.place(*bitmap);
    let used = u64::from(layout.free.saturating_sub(2));
    let mut at = place.start;
    while at < place.end {
        let end = place.end.min(at.saturating_add(STEP));
        let bytes = at.saturating_sub(place.start)..end.saturating_sub(place.start);
        let byte = |number: u64| {
            let bits = used.saturating_sub(number.saturating_mul(8)).min(8);
            u8::try_from(0xffu16.checked_shl(u32::try_from(bits).unwrap_or(8)).unwrap_or(0) & 0xff)
                .map_or(0, |free| !free)
        };
        sink(at, &bytes.map(byte).collect::<Vec<u8>>())?;
        at = end;
    }
    layout.pieces(layout.place(*table), &upcase(), sink)
}

/// The records of a folder.
pub(super) fn folder(layout: &Layout, folder: Option<u32>) -> Vec<u8> {
    layout.tree.inside(folder).flat_map(|(number, entry)| entry_set_of(layout, number, entry)).collect()
}

/// The first cluster of the root folder: where bitmap and up-case table are, and records that are free, for the tag.
pub(super) fn root(layout: &Layout) -> Vec<u8> {
    let mut free = [0u8; 32];
    put(&mut free, 0, &[FREE]);
    let mut bytes: Vec<u8> = free.into_iter().cycle().take(index(layout.geometry.cluster)).collect();
    if let [bitmap, table] = layout.system.as_slice() {
        let case = upcase();
        let mut records = [0u8; 64];
        put(&mut records, 0, &[entry_set::BITMAP]);
        put(&mut records, 20, &bitmap.first.to_le_bytes());
        put(&mut records, 24, &bitmap_bytes(&layout.geometry).to_le_bytes());
        put(&mut records, 32, &[entry_set::UPCASE]);
        put(&mut records, 36, &upcase::checksum(&case).to_le_bytes());
        put(&mut records, 52, &table.first.to_le_bytes());
        put(&mut records, 56, &wide(case.len()).to_le_bytes());
        put(&mut bytes, 0, &records);
    }
    bytes
}

/// An entry set (6.3, 7.4, 7.6, 7.7).
fn entry_set_of(layout: &Layout, number: u32, entry: &CopyEntry) -> Vec<u8> {
    let mut records = vec![[0u8; 32]; records(entry)];
    let run = layout.run(number);
    let (attributes, size) = match entry.kind {
        CopyKind::Folder => {
            let bytes = run.map_or(0, |run| u64::from(run.count)).saturating_mul(layout.geometry.cluster);
            (DIRECTORY, round_up(bytes, layout.geometry.cluster))
        }
        CopyKind::File { size, .. } => (ARCHIVE, size),
    };
    let secondary = u8::try_from(records.len().saturating_sub(1)).unwrap_or(u8::MAX);
    let letters = u8::try_from(entry.name.len()).unwrap_or(u8::MAX);
    let mut parts = records.iter_mut();
    if let (Some(file), Some(stream)) = (parts.next(), parts.next()) {
        put(file, 0, &[entry_set::FILE, secondary]);
        put(file, 4, &attributes.to_le_bytes());
        times(file, layout.stamp, layout.changed(entry));
        put(stream, 0, &[entry_set::STREAM, ALLOCATED | if run.is_some() { IN_ONE_PIECE } else { 0 }, 0, letters]);
        put(stream, 4, &name_hash(&entry.name).to_le_bytes());
        put(stream, 8, &size.to_le_bytes());
        put(stream, 20, &run.map_or(0, |run| run.first).to_le_bytes());
        put(stream, 24, &size.to_le_bytes());
    }
    for (record, part) in parts.zip(entry.name.chunks(UNITS)) {
        let name: Vec<u8> = part.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        put(record, 0, &[entry_set::NAME, 0]);
        put(record, 2, &name);
    }
    let sum = entry_set::checksum(&records).to_le_bytes();
    let mut bytes = records.concat();
    put(&mut bytes, 2, &sum);
    bytes
}

/// Created and last accessed at one moment, last changed at another (7.4.5 to 7.4.7).
fn times(file: &mut [u8; 32], made: Stamp, changed: Stamp) {
    for (at, stamp) in [(8, made), (12, changed), (16, made)] {
        put(file, at, &stamp.timestamp().to_le_bytes());
    }
    put(file, 20, &[made.centiseconds(), changed.centiseconds()]);
    put(file, 22, &[made.utc_offset(), changed.utc_offset(), made.utc_offset()]);
}

/// NameHash (7.6.4) of the up-cased name.
fn name_hash(name: &[u16]) -> u16 {
    let bytes = fold(name).into_iter().flat_map(u16::to_le_bytes);
    bytes.fold(0u16, |hash, byte| hash.rotate_right(1).wrapping_add(u16::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_up_case_table_unpacks_to_what_it_was_made_from() {
        let bytes = upcase();
        assert!(bytes.len() < 16 << 10, "{} bytes", bytes.len());
        let (packed, plain) = (Upcase::parse(&bytes), Upcase::fallback());
        assert!((0..=u16::MAX).all(|unit| packed.upper(unit) == plain.upper(unit)));
    }
}
