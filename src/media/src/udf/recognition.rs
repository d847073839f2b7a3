//! Whether there is UDF at all: the volume recognition sequence (ECMA-167 2/8.3) and the anchors (3/8.4.2.1).

use super::tag::{ANCHOR, Tag};
use crate::bytes::{Record, wide};
use crate::source::{Medium, ReadError, Removed};
use std::ops::Range;

/// First byte of the volume recognition sequence (2/8.3).
pub(super) const SEQUENCE_START: u64 = 32768;
/// Bytes that hosts look through for it (Linux does).
const SEQUENCE_BYTES: u64 = 8 << 20;
/// Identifiers of structures that may stand in the sequence (2/9, UDF 2.60 2.1.7; CDW02 is ECMA-168).
const KNOWN: [&[u8]; 7] = [b"BEA01", b"BOOT2", b"CD001", b"CDW02", b"NSR02", b"NSR03", b"TEA01"];
/// Block sizes that hosts try.
pub(super) const BLOCK_SIZES: [u64; 4] = [512, 1024, 2048, 4096];
/// Bytes of an anchor.
const ANCHOR_BYTES: u64 = 512;

/// What the volume recognition sequence says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    /// ECMA-167 is announced.
    pub(crate) nsr: bool,
    /// Bytes of the sequence.
    pub(super) length: u64,
}

/// Follows the volume recognition sequence of the volume in `range`, as long as structures that belong there follow
/// each other; looks only where `allowed`. Structures are 2048 bytes apart, or a block of 4096 bytes.
pub(crate) fn announced(
    medium: &Medium<'_>,
    range: &Range<u64>,
    allowed: &dyn Fn(&Range<u64>) -> bool,
) -> Result<Announced, Removed> {
    let mut announced = Announced::default();
    for step in [2048u64, 4096] {
        let mut offset = SEQUENCE_START;
        while offset < SEQUENCE_START.saturating_add(SEQUENCE_BYTES) {
            let start = range.start.saturating_add(offset).saturating_add(1);
            let place = start..start.saturating_add(5);
            if place.end > range.end || !allowed(&place) {
                break;
            }
            let identifier = match medium.read_vec(start, 5) {
                Ok(identifier) => identifier,
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { .. }) => break,
            };
            if !KNOWN.contains(&identifier.as_slice()) {
                break;
            }
            announced.nsr |= identifier.starts_with(b"NSR");
            offset = offset.saturating_add(step);
        }
        announced.length = announced.length.max(offset.saturating_sub(SEQUENCE_START));
    }
    Ok(announced)
}

/// An extent of the volume descriptor sequences: bytes and first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VolumeExtent {
    pub(super) length: u32,
    pub(super) block: u32,
}

impl VolumeExtent {
    /// At `offset` of a record (3/7.1).
    pub(super) fn of(record: Record<'_>, offset: usize) -> Self {
        Self { length: record.u32(offset), block: record.u32(offset.saturating_add(4)) }
    }
}

/// An anchor volume descriptor pointer (3/10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Anchor {
    /// Bytes of a block.
    pub(super) block: u64,
    pub(super) main: VolumeExtent,
    pub(super) reserve: VolumeExtent,
}

/// What stands where an anchor may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Candidate {
    Nothing,
    /// A tag that says anchor, with something wrong.
    Damaged,
    Unreadable,
    Sound(Anchor),
}

/// Block numbers of anchors in a volume of `length` bytes: 256, N - 256 and N, where N is the last block.
pub(super) fn anchor_blocks(length: u64, block: u64) -> Vec<u32> {
    let blocks = length.checked_div(block).unwrap_or(0);
    let places = [Some(256), blocks.checked_sub(257), blocks.checked_sub(1)];
    let mut numbers: Vec<u32> = places
        .into_iter()
        .flatten()
        .filter(|place| *place < blocks)
        .filter_map(|place| place.try_into().ok())
        .collect();
    numbers.dedup();
    numbers
}

/// Whether the bytes of a tag are those of an anchor in block `number`.
pub(crate) fn is_anchor(tag: &[u8], number: u32) -> bool {
    Tag::of(tag).is_some_and(|tag| tag.id == ANCHOR && tag.location == number)
}

/// Looks at one place.
pub(super) fn anchor_at(
    medium: &Medium<'_>,
    range: &Range<u64>,
    block: u64,
    number: u32,
) -> Result<Candidate, Removed> {
    let position = range.start.saturating_add(u64::from(number).saturating_mul(block));
    let bytes = match medium.read_vec(position, ANCHOR_BYTES) {
        Ok(bytes) if wide(bytes.len()) == ANCHOR_BYTES => bytes,
        Ok(_) => return Ok(Candidate::Nothing),
        Err(ReadError::Removed) => return Err(Removed),
        Err(ReadError::Unreadable { .. }) => return Ok(Candidate::Unreadable),
    };
    let record = Record(&bytes);
    Ok(match Tag::of(&bytes) {
        Some(tag) if tag.id == ANCHOR && tag.location == number && tag.crc_holds(&bytes) => {
            let (main, reserve) = (VolumeExtent::of(record, 16), VolumeExtent::of(record, 24));
            Candidate::Sound(Anchor { block, main, reserve })
        }
        Some(tag) if tag.id == ANCHOR && tag.location == number => Candidate::Damaged,
        // A tag that lost its checksum, in the place of an anchor.
        None if record.u16(0) == ANCHOR && record.u32(12) == number => Candidate::Damaged,
        _ => Candidate::Nothing,
    })
}

/// Block sizes in the order in which they are tried: the device's own first.
pub(super) fn sizes(medium: &Medium<'_>) -> Vec<u64> {
    let own = medium.block();
    let first = BLOCK_SIZES.into_iter().filter(|size| *size == own);
    first.chain(BLOCK_SIZES.into_iter().filter(|size| *size != own)).collect()
}
