//! Inodes in use that nothing names: what a host could not show, and what a repair would bring to light.

use super::ExtVolume;
use super::checksum::crc32c;
use super::inode::{ROOT, bit, unreadable};
use super::superblock::FIRST_INODE;
use crate::bytes::{Record, index};
use crate::filesystem::Fault;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption};
use std::rc::Rc;

/// Inodes that are named one by one.
const MAX_NAMED: usize = 1000;
/// Bytes of a table read at once.
const STEP: u64 = 256 << 10;

impl ExtVolume {
    /// Looks at every inode that its bitmap calls used or that has links, in the order of the tables.
    pub(super) fn find_unreachable(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let mut named = 0usize;
        for group in 0..self.superblock.groups {
            let Some(table) = self.groups.table(group) else { continue };
            let all = self.superblock.inodes_per_group;
            let used = all.saturating_sub(self.groups.unused(group));
            let bitmap = if used == 0 { None } else { self.bitmap(medium, group)? };
            let is_set = |place: u32| bitmap.as_ref().is_some_and(|bitmap| bit(bitmap, place));
            let first = group.saturating_mul(all).saturating_add(1);
            let start = self.space.position(table);
            // Beyond what was ever used there may be anything, unless the bitmap says otherwise.
            for place in (used..all).filter(|place| is_set(*place)) {
                self.name(first.saturating_add(place), start, place, &mut named);
            }
            self.table(medium, start, first, used, &is_set, &mut named)?;
        }
        Ok(())
    }

    fn bitmap(&mut self, medium: &Medium<'_>, group: u32) -> Result<Option<Rc<[u8]>>, Removed> {
        let Some(block) = self.groups.inode_bitmap(group) else { return Ok(None) };
        let offset = self.space.position(block);
        let bitmap = match self.space.read(medium, block) {
            Ok(bitmap) => bitmap,
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { .. }) => {
                self.faults.push(Fault { offset, length: self.superblock.block, cause: Cause::Unreadable });
                return Ok(None);
            }
        };
        if self.superblock.summed() {
            let counted = index(u64::from(self.superblock.inodes_per_group / 8));
            let sum = crc32c(self.superblock.seed, Record(&bitmap).slice(0, counted));
            // Descriptors of 32 bytes have room for the lower half only.
            let mask = if self.superblock.descriptor_bytes >= 64 { u32::MAX } else { 0xffff };
            if sum & mask != self.groups.bitmap_sum(group) & mask {
                self.corrupt(offset, self.superblock.block, Corruption::Checksum);
            }
        }
        Ok(Some(bitmap))
    }

    /// The first `used` inodes of the table at `start`, whose first inode is `first`.
    fn table(
        &mut self,
        medium: &Medium<'_>,
        start: u64,
        first: u32,
        used: u32,
        is_set: &dyn Fn(u32) -> bool,
        named: &mut usize,
    ) -> Result<(), Removed> {
        let size = self.superblock.inode_bytes;
        let length = u64::from(used).saturating_mul(size);
        let mut done = 0u64;
        let mut place = 0u32;
        while done < length {
            let mut bytes = vec![0u8; index(length.saturating_sub(done).min(STEP))];
            let mut bad = Vec::new();
            medium.read_tolerant(start.saturating_add(done), &mut bytes, &mut bad)?;
            let room = MAX_NAMED.saturating_sub(*named);
            self.faults.extend(bad.iter().take(room).map(unreadable));
            *named = named.saturating_add(bad.len());
            for raw in bytes.chunks(index(size)) {
                let number = first.saturating_add(place);
                let linked = Record(raw).u16(0x1a) > 0;
                // The bitmap calls all reserved inodes used, and most of them are empty.
                if linked || (is_set(place) && number >= FIRST_INODE) {
                    self.name(number, start, place, named);
                }
                place = place.saturating_add(1);
            }
            done = done.saturating_add(STEP);
        }
        self.space.count_read(length);
        Ok(())
    }

    fn name(&mut self, number: u32, table: u64, place: u32, named: &mut usize) {
        if number == ROOT || self.reached.contains(number) || *named >= MAX_NAMED {
            return;
        }
        *named = named.saturating_add(1);
        let size = self.superblock.inode_bytes;
        let offset = table.saturating_add(u64::from(place).saturating_mul(size));
        self.corrupt(offset, size, Corruption::Unreachable);
    }
}
