//! Block groups (Linux Documentation/filesystems/ext4, "Block Group Descriptors"): where bitmaps and inode tables lie,
//! and whether the copies of the descriptors say the same.

use super::checksum::{crc16, crc32c};
use super::inode::unreadable;
use super::space::Space;
use super::superblock::{SUPERBLOCK, Superblock, incompat};
use crate::bytes::{Record, index, wide};
use crate::filesystem::Fault;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption};

/// EXT4_BG_INODE_UNINIT: neither bitmap nor table of inodes were ever written.
const INODE_UNINIT: u16 = 1;
/// Bytes of descriptors read at once.
const STEP: u64 = 256 << 10;
/// Bytes of copies that are compared; without sparse_super every group has one.
const MAX_COPIES: u64 = 256 << 20;
/// Faults of one kind that are named one by one.
const MAX_FAULTS: usize = 64;

/// One group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    /// Block 0 where the descriptor names none in the volume.
    block_bitmap: u32,
    inode_bitmap: u32,
    table: u32,
    /// Inodes at the end of the table that were never used; all of them where the table was never written.
    unused: u32,
    bitmap_sum: u32,
}

/// All groups of a volume.
#[derive(Debug, Default)]
pub(super) struct Groups {
    list: Vec<Group>,
}

impl Groups {
    /// Reads all descriptors; claims what they name.
    pub(super) fn load(
        medium: &Medium<'_>,
        superblock: &Superblock,
        space: &mut Space,
        faults: &mut Vec<Fault>,
    ) -> Result<Self, Removed> {
        let mut groups = Self::default();
        let mut named = 0usize;
        let mut fault = |offset: u64, corruption: Corruption| {
            named = named.saturating_add(1);
            let length = superblock.descriptor_bytes;
            if named <= MAX_FAULTS {
                faults.push(Fault { offset, length, cause: Cause::Corrupt(corruption) });
            }
        };
        let mut lost = Vec::new();
        for_each_descriptor(medium, superblock, space, Copy::First, &mut lost, &mut |space, group, offset, bytes| {
            let holds = sum_holds(superblock, group, bytes);
            let parsed = Group::parse(superblock, space, bytes, holds);
            if !holds {
                fault(offset, Corruption::Checksum);
            }
            if parsed.table == 0 || parsed.inode_bitmap == 0 || parsed.block_bitmap == 0 {
                fault(offset, Corruption::Allocation);
            }
            if !parsed.claim(superblock, space) {
                fault(offset, Corruption::CrossLinked);
            }
            groups.list.push(parsed);
        })?;
        faults.extend(lost);
        Ok(groups)
    }

    /// First block of a group's inode table.
    pub(super) fn table(&self, group: u32) -> Option<u32> {
        self.get(group).map(|group| group.table).filter(|table| *table > 0)
    }

    /// Its inode bitmap; `None` when it has none that is of use.
    pub(super) fn inode_bitmap(&self, group: u32) -> Option<u32> {
        self.get(group).map(|group| group.inode_bitmap).filter(|block| *block > 0)
    }

    /// Inodes at the end of its table that were never used, according to a descriptor whose checksum holds.
    pub(super) fn unused(&self, group: u32) -> u32 {
        self.get(group).map_or(0, |group| group.unused)
    }

    /// What the inode bitmap must give, and how many of its bits count.
    pub(super) fn bitmap_sum(&self, group: u32) -> u32 {
        self.get(group).map_or(0, |group| group.bitmap_sum)
    }

    fn get(&self, group: u32) -> Option<Group> {
        self.list.get(index(u64::from(group))).copied()
    }

    /// Whether the copies of superblock and descriptors, by which a host can be told to look at the volume instead,
    /// show the same places.
    pub(super) fn compare_copies(
        &self,
        medium: &Medium<'_>,
        superblock: &Superblock,
        space: &mut Space,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Removed> {
        let mut left = MAX_COPIES;
        let table = u64::from(superblock.groups).saturating_mul(superblock.descriptor_bytes);
        for group in (1..superblock.groups).filter(|group| superblock.has_copy(*group)) {
            let block = superblock.group_start(group);
            if !space.holds(u64::from(block), 1) {
                continue;
            }
            let position = space.position(block);
            let mut bytes = vec![0u8; index(SUPERBLOCK)];
            let mut bad = Vec::new();
            medium.read_tolerant(position, &mut bytes, &mut bad)?;
            faults.extend(bad.iter().take(MAX_FAULTS).map(unreadable));
            // Without its magic number a copy is of no use to anybody.
            if Record(&bytes).u16(0x38) != super::superblock::MAGIC {
                continue;
            }
            let same = Superblock::parse(&bytes).is_ok_and(|copy| copy.layout() == superblock.layout());
            let cost = table.saturating_add(SUPERBLOCK);
            let copy = Copy::Behind(block);
            let same = same && (left < cost || self.same_places(medium, superblock, space, copy)?);
            left = left.saturating_sub(cost);
            if !same && faults.len() < MAX_FAULTS {
                let cause = Cause::Corrupt(Corruption::BootSector);
                faults.push(Fault { offset: position, length: SUPERBLOCK, cause });
            }
        }
        self.compare_meta_copies(medium, superblock, space, faults)
    }

    fn compare_meta_copies(
        &self,
        medium: &Medium<'_>,
        superblock: &Superblock,
        space: &mut Space,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Removed> {
        for place in [1, per_block(superblock).saturating_sub(1)] {
            if !self.same_places(medium, superblock, space, Copy::Meta(place))? {
                let cause = Cause::Corrupt(Corruption::BootSector);
                faults.push(Fault { offset: space.position(superblock.own_block()), length: SUPERBLOCK, cause });
            }
        }
        Ok(())
    }

    fn same_places(
        &self,
        medium: &Medium<'_>,
        superblock: &Superblock,
        space: &mut Space,
        copy: Copy,
    ) -> Result<bool, Removed> {
        let mut same = true;
        for_each_descriptor(medium, superblock, space, copy, &mut Vec::new(), &mut |space, number, _, bytes| {
            let parsed = Group::parse(superblock, space, bytes, true);
            let places = |group: Group| (group.block_bitmap, group.inode_bitmap, group.table);
            same &= self.get(number).is_some_and(|group| places(group) == places(parsed));
        })?;
        Ok(same)
    }
}

impl Group {
    fn parse(superblock: &Superblock, space: &Space, bytes: &[u8], trusted: bool) -> Self {
        let record = Record(bytes);
        let wide = superblock.descriptor_bytes >= 64;
        let number = |low: usize, high: usize| {
            let high = if wide { u64::from(record.u32(high)) << 32 } else { 0 };
            high | u64::from(record.u32(low))
        };
        let here = |block: u64, count: u64| {
            let block = if space.holds(block, count) { block } else { 0 };
            u32::try_from(block).unwrap_or(0)
        };
        let high = |offset: usize| if wide { u32::from(record.u16(offset)) << 16 } else { 0 };
        let unused = high(0x32) | u32::from(record.u16(0x1c));
        let unused = if record.u16(0x12) & INODE_UNINIT != 0 { u32::MAX } else { unused };
        let counts = trusted && superblock.descriptors_summed();
        Self {
            block_bitmap: here(number(0x0, 0x20), 1),
            inode_bitmap: here(number(0x4, 0x24), 1),
            table: here(number(0x8, 0x28), table_blocks(superblock)),
            unused: if counts { unused.min(superblock.inodes_per_group) } else { 0 },
            bitmap_sum: high(0x3a) | u32::from(record.u16(0x1a)),
        }
    }

    /// False when a part of it belongs to something else.
    fn claim(self, superblock: &Superblock, space: &mut Space) -> bool {
        let mut fresh = true;
        let blocks = u32::try_from(table_blocks(superblock)).unwrap_or(0);
        for (first, count) in [(self.block_bitmap, 1), (self.inode_bitmap, 1), (self.table, blocks)] {
            if first > 0 {
                space.claim(first, count, super::space::Use::Metadata, &mut |_, _| fresh = false);
            }
        }
        fresh
    }
}

fn table_blocks(superblock: &Superblock) -> u64 {
    u64::from(superblock.inodes_per_group).saturating_mul(superblock.inode_bytes).div_ceil(superblock.block)
}

/// bg_checksum ("Block Group Descriptors", and "Checksums" for what goes into it).
fn sum_holds(superblock: &Superblock, group: u32, bytes: &[u8]) -> bool {
    let record = Record(bytes);
    let (before, behind) = (record.slice(0, 0x1e), record.slice(0x20, bytes.len()));
    let number = group.to_le_bytes();
    let sum = if superblock.summed() {
        let [low, high, ..] =
            [&number, before, &[0, 0], behind].into_iter().fold(superblock.seed, crc32c).to_le_bytes();
        u16::from_le_bytes([low, high])
    } else if superblock.descriptors_summed() {
        [&superblock.uuid, &number[..], before, behind].into_iter().fold(!0, crc16)
    } else {
        return true;
    };
    sum == record.u16(0x1e)
}

/// Which copy of the descriptors.
#[derive(Clone, core::marker::Copy, Debug, PartialEq, Eq)]
enum Copy {
    /// Those that hosts use.
    First,
    /// Those behind the copy of the superblock in this block.
    Behind(u32),
    /// Those in this group of every meta block group.
    Meta(u32),
}

/// Descriptors in one block.
pub(super) fn per_block(superblock: &Superblock) -> u32 {
    u32::try_from(superblock.block.checked_div(superblock.descriptor_bytes).unwrap_or(1)).unwrap_or(1).max(1)
}

/// Blocks of descriptors behind every copy of the superblock; the rest stands in the groups that it describes ("Meta
/// Block Groups").
pub(super) fn together(superblock: &Superblock) -> u32 {
    let all = superblock.groups.div_ceil(per_block(superblock));
    if superblock.has(incompat::META_BG) { superblock.first_meta_group.min(all) } else { all }
}

/// The block that holds descriptors of the meta block group `number`, in the group `place` (0, 1 or the last) of it.
pub(super) fn meta_block(superblock: &Superblock, number: u32, place: u32) -> u32 {
    let group = number.saturating_mul(per_block(superblock)).saturating_add(place);
    let own = if group == 0 { superblock.own_block().max(superblock.first) } else { superblock.group_start(group) };
    own.saturating_add(u32::from(superblock.has_copy(group)))
}

/// What takes descriptors: group, place on the medium, bytes.
type Visit<'v> = &'v mut dyn FnMut(&mut Space, u32, u64, &[u8]);

/// Hands every descriptor of one copy to `visit`. What cannot be read is zeros.
fn for_each_descriptor(
    medium: &Medium<'_>,
    superblock: &Superblock,
    space: &mut Space,
    copy: Copy,
    lost: &mut Vec<Fault>,
    visit: Visit<'_>,
) -> Result<(), Removed> {
    let shared = together(superblock);
    let all = superblock.groups.div_ceil(per_block(superblock));
    let (behind, place, mut next, all) = match copy {
        Copy::First => (superblock.own_block(), 0, 0, all),
        Copy::Behind(block) => (block, 0, 0, shared),
        Copy::Meta(place) => (0, place, shared, all),
    };
    let step = u32::try_from(STEP.checked_div(superblock.block).unwrap_or(1)).unwrap_or(1).max(1);
    while next < all {
        let (block, count) = if next < shared {
            (behind.saturating_add(1).saturating_add(next), shared.saturating_sub(next).min(step))
        } else if next.saturating_mul(per_block(superblock)).saturating_add(place) < superblock.groups {
            (meta_block(superblock, next, place), 1)
        } else {
            return Ok(());
        };
        let mut bytes = vec![0u8; index(space.bytes(u64::from(count)))];
        let position = space.position(block);
        let mut bad = Vec::new();
        medium.read_tolerant(position, &mut bytes, &mut bad)?;
        space.count_read(wide(bytes.len()));
        lost.extend(bad.iter().take(MAX_FAULTS).map(unreadable));
        let first = next.saturating_mul(per_block(superblock));
        let size = index(superblock.descriptor_bytes);
        for ((group, offset), part) in
            (first..superblock.groups).zip((0u64..).step_by(size)).zip(bytes.chunks_exact(size))
        {
            visit(space, group, position.saturating_add(offset), part);
        }
        next = next.saturating_add(count);
    }
    Ok(())
}
