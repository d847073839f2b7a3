//! Which blocks of a partition are free, by its bitmaps and tables (ECMA-167 4/10).

use super::allocation::MAX_CHAIN;
use super::tag::{
    ALLOCATION_EXTENT, Descriptor, ExtentType, LONG, Place, SHORT, SPACE_BITMAP, SPACE_ENTRY, Tag, count,
};
use super::unclaimed::{STEP, Search};
use crate::bytes::Record;
use crate::filesystem::Extent;
use crate::source::{ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption};
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes of a space bitmap before its bits (4/14.12).
const BITMAP_HEAD: usize = 24;

impl Search<'_, '_> {
    /// Claims what the tables and bitmaps of a partition call free (4/10). Where there are none, everything is in
    /// use.
    pub(super) fn free_space(&mut self, partition: u16, header: Record<'_>) -> Result<(), Removed> {
        for offset in [0usize, 24] {
            let table = Descriptor::short(header, offset, partition);
            if table.length > 0 {
                self.table(table)?;
            }
        }
        for offset in [8usize, 32] {
            let bitmap = Descriptor::short(header, offset, partition);
            if bitmap.length > 0 {
                let extents = self.space.extents(bitmap.place, u64::from(bitmap.length));
                self.account.structure(self.space, bitmap.place, self.space.blocks_for(u64::from(bitmap.length)));
                self.bitmap(&extents, Some(bitmap.place.block), Place { partition, block: 0 })?;
            }
        }
        Ok(())
    }

    /// Marks blocks of a partition as free.
    fn free(&mut self, place: Place, count: u32) {
        if let Some(inner) = self.account.inner.get_mut(&place.partition) {
            inner.insert(place.block..place.block.saturating_add(count));
            return;
        }
        for piece in self.space.pieces(place, count) {
            self.account.blocks.insert(piece.physical..piece.physical.saturating_add(piece.count));
        }
    }

    /// A space bitmap: a bit for each block, set when it is free (4/14.12).
    pub(super) fn bitmap(&mut self, extents: &[Extent], location: Option<u32>, place: Place) -> Result<(), Removed> {
        let mut bits: Option<Bits> = None;
        for extent in extents.iter().filter(|extent| !extent.is_hole()) {
            let mut done = 0u64;
            while done < extent.length {
                let part = Extent {
                    start: extent.start.saturating_add(done),
                    length: extent.length.saturating_sub(done).min(STEP),
                };
                done = done.saturating_add(part.length);
                let mut buffer = self.bytes(&[part])?;
                if bits.is_none() {
                    let tag = Tag::of(&buffer).filter(|tag| tag.id == SPACE_BITMAP && tag.crc_holds(&buffer));
                    if tag.is_none_or(|tag| location.is_some_and(|location| tag.location != location)) {
                        self.fault(part.start, 0, Cause::Corrupt(Corruption::Checksum));
                        return Ok(());
                    }
                    bits = Some(Bits { at: 0, count: u64::from(Record(&buffer).u32(16)), run: None });
                    buffer.drain(..BITMAP_HEAD.min(buffer.len()));
                }
                let Some(bits) = &mut bits else { break };
                for byte in &buffer {
                    bits.byte(*byte, &mut |run| self.free_run(&run, place));
                }
            }
        }
        if let Some(mut bits) = bits {
            bits.end_run(&mut |run| self.free_run(&run, place));
        }
        Ok(())
    }

    fn free_run(&mut self, run: &Range<u64>, place: Place) {
        let block = u32::try_from(run.start).unwrap_or(u32::MAX);
        let count = u32::try_from(run.end.saturating_sub(run.start)).unwrap_or(u32::MAX);
        self.free(Place { block, ..place }, count);
    }

    /// An unallocated space entry: allocation descriptors of what is free (4/14.11).
    fn table(&mut self, table: Descriptor) -> Result<(), Removed> {
        let mut visited = BTreeSet::new();
        let mut next = Some((table.place, SPACE_ENTRY, 36usize));
        let mut width = SHORT;
        while let Some((place, kind, field)) = next.take() {
            let Some(position) =
                self.space.block_position(place).filter(|_| visited.insert(place) && visited.len() <= MAX_CHAIN)
            else {
                self.fault(self.space.range.start, 0, Cause::Corrupt(Corruption::Allocation));
                return Ok(());
            };
            self.account.structure(self.space, place, 1);
            let bytes = match self.medium.read_vec(position, self.space.block) {
                Ok(bytes) => bytes,
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { offset }) => {
                    self.fault(offset, 0, Cause::Unreadable);
                    return Ok(());
                }
            };
            self.account.count_read(self.space.block);
            if !Tag::sound(&bytes, kind, place.block) {
                self.fault(position, 0, Cause::Corrupt(Corruption::Checksum));
                return Ok(());
            }
            let record = Record(&bytes);
            if kind == SPACE_ENTRY && record.u16(34) & 7 == 1 {
                width = LONG;
            }
            let list = record.slice(field.saturating_add(4), count(record.u32(field)));
            next = self.free_list(list, width, table.place.partition).map(|place| (place, ALLOCATION_EXTENT, 20));
        }
        Ok(())
    }

    /// Marks the extents of a list as free; returns where it goes on.
    fn free_list(&mut self, list: &[u8], width: usize, partition: u16) -> Option<Place> {
        for bytes in list.chunks(width) {
            let record = Record(bytes);
            let descriptor =
                if width == SHORT { Descriptor::short(record, 0, partition) } else { Descriptor::long(record, 0) };
            match descriptor.kind {
                _ if descriptor.length == 0 => return None,
                ExtentType::Continuation => return Some(descriptor.place),
                _ => self.free(descriptor.place, self.space.blocks_for(u64::from(descriptor.length))),
            }
        }
        None
    }
}

/// Goes through a bitmap.
struct Bits {
    at: u64,
    count: u64,
    /// First of the set bits that are not told yet.
    run: Option<u64>,
}

impl Bits {
    /// Eight bits, the lowest first; `told` gets every run of set ones.
    fn byte(&mut self, byte: u8, told: &mut dyn FnMut(Range<u64>)) {
        let whole = self.count.saturating_sub(self.at) >= 8;
        if whole && matches!((byte, self.run), (0xff, Some(_)) | (0, None)) {
            self.at = self.at.saturating_add(8);
            return;
        }
        for shift in 0..8u32 {
            let set = self.at < self.count && byte.checked_shr(shift).unwrap_or(0) & 1 != 0;
            match self.run {
                None if set => self.run = Some(self.at),
                Some(_) if !set => self.end_run(told),
                _ => {}
            }
            self.at = self.at.saturating_add(1).min(self.count);
        }
    }

    fn end_run(&mut self, told: &mut dyn FnMut(Range<u64>)) {
        if let Some(start) = self.run.take() {
            told(start..self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_set_bits() {
        let mut bits = Bits { at: 0, count: 35, run: None };
        let mut runs = Vec::new();
        for byte in [0b1100_0001, 0xff, 0x01, 0x00, 0xff, 0xff] {
            bits.byte(byte, &mut |run| runs.push(run));
        }
        bits.end_run(&mut |run| runs.push(run));
        assert_eq!(runs, [0..1, 6..17, 32..35]);
    }
}
