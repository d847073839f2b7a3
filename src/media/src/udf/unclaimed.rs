//! What can only be seen when every folder was listed: file entries in blocks that are in use and that nothing names,
//! and anchors beside the one that was used.

use super::account::Account;
use super::icb::Icb;
use super::maps::MetadataFile;
use super::recognition::{Anchor, BLOCK_SIZES, Candidate, anchor_at, anchor_blocks};
use super::space::{Map, Space};
use super::tag::{Place, Tag};
use crate::bytes::{Record, index, wide};
use crate::filesystem::{Extent, Fault};
use crate::source::{Medium, Removed, Sign, Watched};
use blanche_sandbox::wire::{Cause, Corruption};
use std::ops::Range;

/// Bytes read at once.
pub(super) const STEP: u64 = 256 << 10;
/// Entries without a name that are told one by one.
const MAX_NAMED: usize = 64;

/// The search at the end.
pub(super) struct Search<'s, 'm> {
    pub(super) medium: &'s Medium<'m>,
    pub(super) space: &'s Space,
    pub(super) account: &'s mut Account,
    pub(super) faults: &'s mut Vec<Fault>,
}

impl Search<'_, '_> {
    pub(super) fn fault(&mut self, offset: u64, length: u64, cause: Cause) {
        self.faults.push(Fault { offset, length, cause });
    }

    /// Looks for entries that no folder names.
    pub(super) fn entries(&mut self, metadata: &[MetadataFile]) -> Result<(), Removed> {
        for (partition, header) in &self.space.headers {
            self.free_space(*partition, Record(header))?;
        }
        let mut named = 0usize;
        for (number, map) in self.space.maps.iter().enumerate() {
            let Map::Plain { area, packet, moved } = map else { continue };
            for original in moved.keys() {
                // What was moved away is defective.
                let start = area.start.saturating_add(*original);
                self.account.outer_structure(self.space, start..start.saturating_add(*packet));
            }
            let place = Place { partition: u16::try_from(number).unwrap_or(u16::MAX), block: 0 };
            let mut from = area.start;
            let end = area.start.saturating_add(area.count);
            while let Some(gap) = self.account.blocks.run(from, false).filter(|gap| gap.start < end) {
                let gap = gap.start..gap.end.min(end);
                self.scan(&gap, gap.start.saturating_sub(area.start), place, &mut named)?;
                from = gap.end;
            }
        }
        for file in metadata {
            self.inner_entries(file, &mut named)?;
        }
        Ok(())
    }

    /// The same within a metadata partition.
    fn inner_entries(&mut self, file: &MetadataFile, named: &mut usize) -> Result<(), Removed> {
        let place = Place { partition: file.map, block: 0 };
        if !file.bitmap.is_empty() {
            self.bitmap(&file.bitmap, None, place)?;
        }
        for piece in self.space.metadata_pieces(usize::from(file.map)) {
            let mut from = piece.logical;
            let end = piece.logical.saturating_add(piece.count);
            let next = |account: &Account, from| account.inner.get(&file.map).and_then(|set| set.run(from, false));
            while let Some(gap) = next(self.account, from).filter(|gap| gap.start < end) {
                let gap = gap.start..gap.end.min(end);
                let skipped = gap.start.saturating_sub(piece.logical);
                let physical = piece.physical.saturating_add(skipped);
                let count = gap.end.saturating_sub(gap.start);
                self.scan(&(physical..physical.saturating_add(count)), gap.start, place, named)?;
                from = gap.end;
            }
        }
        Ok(())
    }

    /// Reads blocks of the volume that nothing claims; the first of them is block `logical` of its partition.
    fn scan(&mut self, blocks: &Range<u32>, logical: u32, place: Place, named: &mut usize) -> Result<(), Removed> {
        let start = self.space.position(blocks.start);
        let end = self.space.position(blocks.end).min(self.space.range.end);
        let mut position = start;
        while position < end && *named < MAX_NAMED {
            let mut buffer = vec![0u8; index(end.saturating_sub(position).min(STEP))];
            let mut bad = Vec::new();
            self.medium.read_tolerant(position, &mut buffer, &mut bad)?;
            self.account.count_read(wide(buffer.len()));
            for range in bad {
                self.fault(range.start, range.end.saturating_sub(range.start), Cause::Unreadable);
            }
            for (number, bytes) in buffer.chunks(self.space.block_index().max(1)).enumerate() {
                if Tag::of(bytes).is_none() {
                    continue;
                }
                let at = position.saturating_add(wide(number).saturating_mul(self.space.block));
                let offset = at.saturating_sub(start).checked_div(self.space.block).unwrap_or(0);
                let block = logical.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
                let entry = Icb::parse(bytes.to_vec(), Place { block, ..place }).filter(|icb| icb.sound);
                if entry.is_some() && *named < MAX_NAMED {
                    *named = named.saturating_add(1);
                    self.fault(at, self.space.block, Cause::Corrupt(Corruption::Unreachable));
                }
            }
            position = position.saturating_add(wide(buffer.len()));
        }
        Ok(())
    }

    /// Looks where other anchors may stand, of any block size: another host may use them. Where a file lies, that is seen
    /// when its content is read.
    pub(super) fn anchors(&mut self, used: &Anchor) -> Result<(), Removed> {
        let range = &self.space.range;
        let length = range.end.saturating_sub(range.start);
        for size in BLOCK_SIZES {
            for number in anchor_blocks(length, size) {
                let offset = u64::from(number).saturating_mul(size);
                let block = offset.checked_div(self.space.block).and_then(|block| u32::try_from(block).ok());
                if block.is_none_or(|block| self.account.blocks.contains(block)) {
                    // Block 256 itself is claimed for the anchor that stands there.
                    if (size, number) != (used.block, 256) {
                        let start = range.start.saturating_add(offset);
                        let sign = Sign::Anchor(number);
                        self.medium.watch(Watched { start, sign, volume: range.start, found: None });
                    }
                    continue;
                }
                let found = anchor_at(self.medium, range, size, number)?;
                let corruption = match found {
                    Candidate::Sound(anchor) if anchor == *used => None,
                    Candidate::Sound(_) => Some(Corruption::SecondFilesystem),
                    Candidate::Damaged if size == used.block => Some(Corruption::Checksum),
                    _ => None,
                };
                let at = range.start.saturating_add(offset);
                self.faults.extend(corruption.map(|corruption| Fault {
                    offset: at,
                    length: size,
                    cause: Cause::Corrupt(corruption),
                }));
                if matches!(found, Candidate::Sound(_)) {
                    self.account.bytes_structure(self.space, &(at..at.saturating_add(size)));
                }
            }
        }
        Ok(())
    }

    /// Compares the mirror of a metadata partition with what was read: a host uses it when the metadata file is
    /// damaged (UDF 2.60, 2.2.13.1). Blocks that are not in use may differ.
    pub(super) fn mirror(&mut self, file: &MetadataFile, used: &[Range<u32>]) -> Result<(), Removed> {
        if file.mirror.is_empty() {
            return Ok(());
        }
        for range in used {
            let mut block = range.start;
            while block < range.end {
                let count = range.end.saturating_sub(block).min(self.space.blocks_for(STEP));
                let length = u64::from(count).saturating_mul(self.space.block);
                let main = self.space.extents(Place { partition: file.map, block }, length);
                let skip = u64::from(block).saturating_mul(self.space.block);
                let mirror = part(&file.mirror, skip, length);
                if self.bytes(&main)? != self.bytes(&mirror)? {
                    let offset = mirror.first().map_or(self.space.range.start, |extent| extent.start);
                    self.fault(offset, length, Cause::Corrupt(Corruption::SecondFilesystem));
                    return Ok(());
                }
                block = block.saturating_add(count);
            }
        }
        Ok(())
    }

    /// The bytes of a few extents; zeros where they cannot be read, which is named.
    pub(super) fn bytes(&mut self, extents: &[Extent]) -> Result<Vec<u8>, Removed> {
        let mut bytes = Vec::new();
        for extent in extents.iter().filter(|extent| !extent.is_hole()) {
            let held = bytes.len();
            bytes.resize(held.saturating_add(index(extent.length)), 0);
            let mut bad = Vec::new();
            self.medium.read_tolerant(extent.start, bytes.get_mut(held..).unwrap_or_default(), &mut bad)?;
            self.account.count_read(extent.length);
            for range in bad {
                self.fault(range.start, range.end.saturating_sub(range.start), Cause::Unreadable);
            }
        }
        Ok(bytes)
    }
}

/// `length` bytes of extents behind their first `skip` bytes.
fn part(extents: &[Extent], mut skip: u64, mut length: u64) -> Vec<Extent> {
    let mut found = Vec::new();
    for extent in extents {
        let cut = skip.min(extent.length);
        skip = skip.saturating_sub(cut);
        let size = extent.length.saturating_sub(cut).min(length);
        if size > 0 {
            let start = if extent.is_hole() { extent.start } else { extent.start.saturating_add(cut) };
            found.push(Extent { start, length: size });
            length = length.saturating_sub(size);
        }
    }
    found
}
