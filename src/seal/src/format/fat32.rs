//! FAT32 (Microsoft, "FAT: General Overview of On-Disk Format" 1.03).

use super::geometry::FIRST;
use super::layout::{Layout, Sink};
use super::tree::{Tree, fat_records};
use super::{put, short};
use crate::draft::{index, wide};
use crate::stamp::Stamp;
use blanche_sandbox::wire::{CopyKind, CopyObstacle};

const DIRECTORY: u8 = 0x10;
const ARCHIVE: u8 = 0x20;
/// ATTR_LONG_NAME.
const LONG: u8 = 0x0f;
/// LAST_LONG_ENTRY.
const LAST: u8 = 0x40;
/// Units of a long name in one record, and where they stand.
const UNITS: usize = 13;
const UNIT_PLACES: [usize; UNITS] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/// Records of a folder: 2 MiB.
const MOST_RECORDS: u64 = 65_536;
/// Records of the largest cluster.
const MOST_IN_CLUSTER: u64 = 1024;
/// DIR_Name\[0\] of a record that is free.
const DELETED: u8 = 0xe5;
/// BPB_FSInfo, BPB_BkBootSec, in sectors.
const INFO: u16 = 1;
const BACKUP: u16 = 6;

/// Bytes of a folder's records, "." and ".." counted.
pub(super) fn folder_bytes(tree: &Tree, folder: Option<u32>) -> Result<u64, CopyObstacle> {
    let own = if folder.is_none() { 0 } else { 2 };
    let records = tree.inside(folder).map(|(_, entry)| fat_records(&entry.name)).fold(own, u64::saturating_add);
    // The root's first cluster counts too.
    if records > MOST_RECORDS.saturating_sub(MOST_IN_CLUSTER) {
        return Err(CopyObstacle::FolderFull);
    }
    Ok(records.saturating_mul(32))
}

/// The first cluster of the root folder: records that are free, for the tag.
pub(super) fn root(layout: &Layout) -> Vec<u8> {
    let mut record = [0u8; 32];
    put(&mut record, 0, &[DELETED]);
    record.into_iter().cycle().take(index(layout.geometry.cluster)).collect()
}

/// Boot sector and counts, and their copies.
pub(super) fn boot<E>(layout: &Layout, sink: &mut Sink<'_, E>) -> Result<(), E> {
    let sector = layout.geometry.sector;
    let boot = boot_sector(layout);
    let place = |number: u16| FIRST.saturating_add(u64::from(number).saturating_mul(sector));
    sink(place(BACKUP), &boot)?;
    counts(layout, sink)?;
    sink(place(0), &boot)
}

fn boot_sector(layout: &Layout) -> Vec<u8> {
    let geometry = &layout.geometry;
    let low16 = |value: u64| u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes();
    let low32 = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = vec![0u8; index(geometry.sector)];
    let reserved = geometry.table_start.saturating_sub(FIRST);
    let per_cluster = geometry.sectors(geometry.cluster);
    put(&mut bytes, 0, &[0xeb, 0x58, 0x90]);
    // The name that the specification advises: some hosts look at it.
    put(&mut bytes, 3, b"MSWIN4.1");
    put(&mut bytes, 11, &low16(geometry.sector));
    put(&mut bytes, 13, &[u8::try_from(per_cluster).unwrap_or(0)]);
    put(&mut bytes, 14, &low16(geometry.sectors(reserved)));
    put(&mut bytes, 16, &[2]);
    put(&mut bytes, 21, &[0xf8]);
    put(&mut bytes, 24, &63u16.to_le_bytes());
    put(&mut bytes, 26, &255u16.to_le_bytes());
    put(&mut bytes, 28, &low32(geometry.sectors(FIRST)));
    put(&mut bytes, 32, &low32(geometry.sectors(geometry.length())));
    put(&mut bytes, 36, &low32(geometry.sectors(geometry.table)));
    put(&mut bytes, 44, &layout.root.first.to_le_bytes());
    put(&mut bytes, 48, &INFO.to_le_bytes());
    put(&mut bytes, 50, &BACKUP.to_le_bytes());
    put(&mut bytes, 64, &[0x80, 0, 0x29]);
    put(&mut bytes, 67, &layout.serial.to_le_bytes());
    put(&mut bytes, 71, b"NO NAME    FAT32   ");
    // hlt, and again: nothing starts from here.
    put(&mut bytes, 90, &[0xf4, 0xeb, 0xfd]);
    put(&mut bytes, 510, &[0x55, 0xaa]);
    bytes
}

/// FSInfo, twice.
pub(super) fn counts<E>(layout: &Layout, sink: &mut Sink<'_, E>) -> Result<(), E> {
    let geometry = &layout.geometry;
    let free = geometry.clusters.saturating_add(2).saturating_sub(layout.free);
    let mut bytes = vec![0u8; index(geometry.sector)];
    put(&mut bytes, 0, b"RRaA");
    put(&mut bytes, 484, b"rrAa");
    put(&mut bytes, 488, &free.to_le_bytes());
    put(&mut bytes, 492, &if free == 0 { u32::MAX } else { layout.free }.to_le_bytes());
    put(&mut bytes, 508, &[0, 0, 0x55, 0xaa]);
    let place = |number: u16| FIRST.saturating_add(u64::from(number).saturating_mul(geometry.sector));
    sink(place(BACKUP.saturating_add(INFO)), &bytes)?;
    sink(place(INFO), &bytes)
}

/// The records of a folder.
pub(super) fn folder(layout: &Layout, folder: Option<u32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(number) = folder {
        let entry = layout.tree.get(number);
        let above = entry.and_then(|entry| entry.parent);
        let changed = entry.map_or(layout.stamp, |entry| layout.changed(entry));
        let own = layout.run(number).map_or(0, |run| run.first);
        // The root is cluster 0 here ("Directory Creation").
        let parent = above.and_then(|above| layout.run(above)).map_or(0, |run| run.first);
        bytes.extend_from_slice(&record(layout, changed, b".          ", DIRECTORY, (own, 0)));
        bytes.extend_from_slice(&record(layout, changed, b"..         ", DIRECTORY, (parent, 0)));
    }
    let mut names = short::Short::default();
    for (number, entry) in layout.tree.inside(folder) {
        let (attributes, size) = match entry.kind {
            CopyKind::Folder => (DIRECTORY, 0),
            CopyKind::File { size, .. } => (ARCHIVE, u32::try_from(size).unwrap_or(u32::MAX)),
        };
        let first = layout.run(number).map_or(0, |run| run.first);
        let name = short::exact(&entry.name).unwrap_or_else(|| {
            let made_up = names.made_up(&entry.name);
            bytes.extend_from_slice(&long_name(&entry.name, short::checksum(&made_up)));
            made_up
        });
        bytes.extend_from_slice(&record(layout, layout.changed(entry), &name, attributes, (first, size)));
    }
    bytes
}

/// DIR_WrtTime and DIR_WrtDate are `changed`, all others are those of the copy.
fn record(layout: &Layout, changed: Stamp, name: &[u8; 11], attributes: u8, (first, size): (u32, u32)) -> [u8; 32] {
    let mut bytes = [0u8; 32];
    let ((date, time), (day, hour)) = (layout.stamp.date_and_time(), changed.date_and_time());
    let [low0, low1, high0, high1] = first.to_le_bytes();
    put(&mut bytes, 0, name);
    put(&mut bytes, 11, &[attributes, 0, layout.stamp.centiseconds()]);
    for (at, value) in [(14, time), (16, date), (18, date), (22, hour), (24, day)] {
        put(&mut bytes, at, &value.to_le_bytes());
    }
    put(&mut bytes, 20, &[high0, high1]);
    put(&mut bytes, 26, &[low0, low1]);
    put(&mut bytes, 28, &size.to_le_bytes());
    bytes
}

/// The records of a long name, the last part first.
fn long_name(name: &[u16], checksum: u8) -> Vec<u8> {
    let parts: Vec<&[u16]> = name.chunks(UNITS).collect();
    let count = wide(parts.len());
    let mut bytes = Vec::with_capacity(parts.len().saturating_mul(32));
    for (number, part) in (1u64..).zip(&parts).collect::<Vec<_>>().into_iter().rev() {
        let mut record = [0u8; 32];
        let order = u8::try_from(number).unwrap_or(0) | if number == count { LAST } else { 0 };
        put(&mut record, 0, &[order]);
        put(&mut record, 11, &[LONG, 0, checksum]);
        // A zero behind the name, then FFFF ("Long Names").
        let padded = part.iter().copied().chain([0]).chain(std::iter::repeat(0xffff));
        for (at, unit) in UNIT_PLACES.into_iter().zip(padded) {
            put(&mut record, at, &unit.to_le_bytes());
        }
        bytes.extend_from_slice(&record);
    }
    bytes
}
