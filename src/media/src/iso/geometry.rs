//! Where logical blocks of a volume lie on the medium, and fields that are stored in both byte orders.

use crate::bytes::Record;
use crate::filesystem::{Extent, Fault};
use blanche_sandbox::wire::{Cause, Corruption};
use std::ops::Range;

/// Bytes of a logical sector (ECMA-119, 6.1.2): descriptors and directory records are placed by it, whatever the size
/// of a logical block is.
pub(super) const SECTOR: u64 = 2048;

/// Where the blocks of one tree lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Bytes of the volume on the medium.
    pub(super) range: Range<u64>,
    /// Where logical block 0 is.
    pub(super) base: u64,
    /// Bytes of a logical block.
    pub(super) block: u64,
}

impl Geometry {
    /// First byte of a logical block on the medium.
    pub(super) fn position(&self, block: u32) -> u64 {
        self.base.saturating_add(u64::from(block).saturating_mul(self.block))
    }

    /// The end of the logical sector that holds `position`.
    pub(super) fn sector_end(&self, position: u64) -> u64 {
        let within = position.saturating_sub(self.range.start) % SECTOR;
        position.saturating_sub(within).saturating_add(SECTOR)
    }

    /// The logical sectors that hold any byte of `extent`, as far as the volume has them.
    pub(super) fn sectors(&self, start: u64, length: u64) -> Range<u64> {
        if length == 0 {
            return start..start;
        }
        let from = self.sector_end(start).saturating_sub(SECTOR);
        let last = start.saturating_add(length).saturating_sub(1);
        from..self.sector_end(last).min(self.range.end).max(from)
    }

    /// What of `length` bytes from `start` the volume has.
    pub(super) fn inside(&self, start: u64, length: u64) -> u64 {
        length.min(self.range.end.saturating_sub(start))
    }

    /// Adds an extent to content of `size` bytes so far; names what of it lies outside of the volume.
    pub(super) fn place(&self, start: u64, length: u64, size: u64, extents: &mut Vec<Extent>, faults: &mut Vec<Fault>) {
        let inside = self.inside(start, length);
        // Content is in one piece from byte 0 on: behind a part that is missing, nothing is handed over.
        let held = extents.iter().map(|extent| extent.length).fold(0, u64::saturating_add);
        let whole = held == size;
        if inside > 0 && whole {
            extents.push(Extent { start, length: inside });
        }
        let offset = if whole { size.saturating_add(inside) } else { size };
        let missing = size.saturating_add(length).saturating_sub(offset);
        if missing > 0 {
            faults.push(Fault { offset, length: missing, cause: Cause::Corrupt(Corruption::Chain) });
        }
    }
}

/// A number in both byte orders (ECMA-119, 7.3.3): the little-endian one, and whether both are equal.
pub(super) fn both32(record: Record<'_>, offset: usize) -> (u32, bool) {
    let little = record.u32(offset);
    (little, little == u32::from_be_bytes(record.array(offset.saturating_add(4))))
}

/// The same with 16 bits (7.2.3).
pub(super) fn both16(record: Record<'_>, offset: usize) -> (u16, bool) {
    let little = record.u16(offset);
    (little, little == u16::from_be_bytes(record.array(offset.saturating_add(2))))
}
