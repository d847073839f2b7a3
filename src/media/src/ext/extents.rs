//! Extent trees (Linux Documentation/filesystems/ext4, "The Contents of inode.i_block", "Extent Tree").

use super::checksum::crc32c;
use super::inode::Inode;
use super::mapping::{MAX_BLOCKS, Mapper};
use crate::bytes::{Record, index};
use crate::source::Removed;
use blanche_sandbox::wire::{Cause, Corruption};
use std::ops::Range;

/// Bytes of the header and of every entry.
const ENTRY: usize = 12;
const MAGIC: u16 = 0xf30a;
/// "The maximum depth of the tree is 5": four blocks of 340 entries each address all 2^32 blocks.
const MAX_DEPTH: u16 = 5;
/// Longer extents are preallocated and were never written: they read as zeros.
const WRITTEN: u16 = 32_768;
const CHAIN: Cause = Cause::Corrupt(Corruption::Chain);

/// Adds all runs of the content to `mapper`.
pub(super) fn map(mapper: &mut Mapper<'_, '_>, inode: &Inode) -> Result<(), Removed> {
    let root = inode.blocks();
    let depth = Record(root).u16(6);
    if depth > MAX_DEPTH {
        mapper.lose_blocks(0..MAX_BLOCKS, CHAIN);
        return Ok(());
    }
    Tree { mapper, seed: inode.sum_seed() }.node(root, depth, 0..MAX_BLOCKS)
}

struct Tree<'t, 'a, 'm> {
    mapper: &'t mut Mapper<'a, 'm>,
    /// Start of the checksums, where there are any.
    seed: Option<u32>,
}

impl Tree<'_, '_, '_> {
    /// One node that stands for `blocks` of the content. Never deeper than [`MAX_DEPTH`], because every level must
    /// state one less than the one above.
    fn node(&mut self, bytes: &[u8], depth: u16, blocks: Range<u64>) -> Result<(), Removed> {
        let record = Record(bytes);
        let (entries, most) = (record.u16(2), record.u16(4));
        let room = bytes.len().saturating_sub(ENTRY).checked_div(ENTRY).unwrap_or(0);
        let sound = record.u16(0) == MAGIC
            && record.u16(6) == depth
            && entries <= most
            && usize::from(most) <= room
            && (entries > 0 || depth == 0);
        if !sound {
            self.mapper.lose_blocks(blocks, CHAIN);
            return Ok(());
        }
        let rest = bytes.get(ENTRY..).unwrap_or_default();
        let list: Vec<&[u8]> = rest.chunks_exact(ENTRY).take(usize::from(entries)).collect();
        if depth == 0 {
            for entry in list {
                self.leaf(Record(entry), &blocks);
            }
            return Ok(());
        }
        let starts: Vec<u64> = list.iter().map(|entry| u64::from(Record(entry).u32(0))).collect();
        for (number, entry) in list.into_iter().enumerate() {
            let start = starts.get(number).copied().unwrap_or(0);
            let end = starts.get(number.saturating_add(1)).copied().unwrap_or(blocks.end);
            let part = start..end.min(blocks.end);
            if start < blocks.start || part.is_empty() {
                self.mapper.lose_blocks(start..end.max(start), CHAIN);
                continue;
            }
            self.child(Record(entry), depth.saturating_sub(1), part)?;
        }
        Ok(())
    }

    fn child(&mut self, entry: Record<'_>, depth: u16, blocks: Range<u64>) -> Result<(), Removed> {
        let block = u64::from(entry.u16(8)) << 32 | u64::from(entry.u32(4));
        let Some(bytes) = self.mapper.node(block, &blocks)? else { return Ok(()) };
        if let Some(seed) = self.seed {
            // The checksum follows the room for entries that the header states.
            let most = u64::from(Record(&bytes).u16(4));
            let tail = index(most.saturating_add(1).saturating_mul(12));
            if crc32c(seed, Record(&bytes).slice(0, tail)) != Record(&bytes).u32(tail) {
                self.mapper.doubt(&blocks);
            }
        }
        self.node(&bytes, depth, blocks)
    }

    fn leaf(&mut self, entry: Record<'_>, blocks: &Range<u64>) {
        let (logical, length) = (u64::from(entry.u32(0)), entry.u16(4));
        let physical = u64::from(entry.u16(6)) << 32 | u64::from(entry.u32(8));
        let written = length <= WRITTEN;
        let count = u64::from(if written { length } else { length.saturating_sub(WRITTEN) });
        let end = logical.saturating_add(count);
        if count == 0 || logical < blocks.start || end > blocks.end {
            self.mapper.lose_blocks(logical..end.max(logical.saturating_add(1)), CHAIN);
            return;
        }
        self.mapper.run(logical, physical, count, written);
    }
}
