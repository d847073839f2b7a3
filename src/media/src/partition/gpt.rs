//! The GUID partition table (UEFI 2.10, 5.3): a header with its own CRC32 and an array of entries with another, at the
//! start of the medium and again at its end.

use super::{Announced, Lba};
use crate::bytes::{Record, index, is_zero, wide};
use crate::source::{Medium, ReadError};
use blanche_sandbox::wire::{PartitionType, VolumeRole};
use std::ops::Range;

/// Bytes of the header that carry fields.
const HEADER_BYTES: usize = 92;
/// Largest array that is read; 128 entries of 128 bytes (16 KiB) are usual.
const MAX_ARRAY: u64 = 4 << 20;
/// EFI system partition, C12A7328-F81F-11D2-BA4B-00A0C93EC93B (UEFI 2.10, table 5-7), as on disk.
const EFI_SYSTEM: [u8; 16] =
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
/// Attribute bits 62 (hidden) and 63 (no drive letter) of Microsoft's partition types.
const HIDDEN: u64 = 0b11 << 62;

/// What was found where a header should be.
#[derive(Debug)]
pub(crate) enum Found {
    /// No signature.
    Nothing,
    /// A signature, but a field or a checksum is wrong.
    Broken,
    /// A valid table.
    Table(Table),
}

/// A table whose checksums match.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) partitions: Vec<Announced>,
    /// Header and array, in bytes on the medium.
    pub(crate) ranges: Vec<Range<u64>>,
    /// Where the other header stands.
    pub(crate) other: Lba,
    /// CRC32 of the array: equal in both copies.
    pub(crate) array_crc: u32,
}

/// Reads the header at `at` and its array.
pub(crate) fn read(medium: &Medium<'_>, at: Lba) -> Result<Found, ReadError> {
    let block = medium.block();
    let sector = medium.read_vec(at.byte(block), block)?;
    let header = Record(&sector);
    if header.slice(0, 8) != b"EFI PART" {
        return Ok(Found::Nothing);
    }
    let size = u64::from(header.u32(12));
    let entry_bytes = u64::from(header.u32(84));
    let array_bytes = u64::from(header.u32(80)).saturating_mul(entry_bytes);
    let array_start = Lba(header.u64(72)).byte(block);
    let sound = (wide(HEADER_BYTES)..=block).contains(&size)
        && header_crc(&sector, index(size)) == header.u32(16)
        && header.u64(24) == at.0
        && entry_bytes >= 128
        && entry_bytes.is_power_of_two()
        && array_bytes <= MAX_ARRAY
        && array_start.saturating_add(array_bytes) <= medium.capacity();
    if !sound {
        return Ok(Found::Broken);
    }
    let array = medium.read_vec(array_start, array_bytes)?;
    if crc32fast::hash(&array) != header.u32(88) {
        return Ok(Found::Broken);
    }
    let partitions = array.chunks(index(entry_bytes.max(128))).filter_map(|entry| announced(Record(entry), block));
    let start = at.byte(block);
    let array_end = array_start.saturating_add(array_bytes.next_multiple_of(block)).min(medium.capacity());
    Ok(Found::Table(Table {
        partitions: partitions.collect(),
        ranges: vec![start..start.saturating_add(block), array_start..array_end],
        other: Lba(header.u64(32)),
        array_crc: header.u32(88),
    }))
}

/// CRC32 of the header with its own field as zeros.
fn header_crc(sector: &[u8], size: usize) -> u32 {
    let header = sector.get(..size).unwrap_or_default();
    let (before, rest) = header.split_at(16.min(header.len()));
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    hasher.update(&[0; 4]);
    hasher.update(rest.get(4..).unwrap_or_default());
    hasher.finalize()
}

/// A used entry (table 5-6).
fn announced(entry: Record<'_>, block: u64) -> Option<Announced> {
    let kind: [u8; 16] = entry.array(0);
    if is_zero(&kind) {
        return None;
    }
    let first = Lba(entry.u64(32)).byte(block);
    let end = Lba(entry.u64(40).saturating_add(1)).byte(block);
    Some(Announced {
        range: first..end.max(first),
        role: VolumeRole::Gpt,
        partition_type: Some(PartitionType::Gpt(kind)),
        hidden: entry.u64(48) & HIDDEN != 0,
        efi: kind == EFI_SYSTEM,
    })
}
