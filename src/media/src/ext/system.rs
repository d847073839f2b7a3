//! What belongs to the filesystem itself: copies of the superblock, the state in which the last writer left the volume,
//! and the inodes without a name (Linux Documentation/filesystems/ext4, "Special inodes", "Journal", "Orphan file").

use super::ExtVolume;
use super::groups::{meta_block, per_block, together};
use super::inode::{Inode, Kind};
use super::mapping::{Purpose, map};
use super::space::Use;
use super::superblock::{SUPERBLOCK, compat, incompat, read_only};
use crate::bytes::{Record, index};
use crate::filesystem::Fault;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, Feature};

/// Defective blocks; its content is what no file may use.
const BAD_BLOCKS: u32 = 1;
/// Blocks for more descriptors.
const RESIZE: u32 = 7;
/// h_magic of the journal, which is big-endian.
const JOURNAL_MAGIC: [u8; 4] = [0xc0, 0x3b, 0x39, 0x98];
/// dqh_magic of the quota files for users, groups and projects (Linux fs/quota/quotaio_v2.h).
const QUOTA_MAGICS: [u32; 3] = [0xd9c0_1f11, 0xd9c0_1927, 0xd9c0_3f14];
/// ob_magic, in the last eight bytes of a block of the orphan file.
const ORPHAN_MAGIC: u32 = 0x0b10_ca04;

impl ExtVolume {
    /// Claims superblocks, descriptors and what is reserved for more of them.
    pub(super) fn claim_copies(&mut self) {
        let shared = together(&self.superblock);
        let behind = shared.saturating_add(self.superblock.reserved_descriptors);
        for group in 0..self.superblock.groups {
            if !self.superblock.has_copy(group) {
                continue;
            }
            let own = self.superblock.own_block();
            let start = if group == 0 { own } else { self.superblock.group_start(group) };
            self.claim_structure(start, behind.saturating_add(1));
        }
        let all = self.superblock.groups.div_ceil(per_block(&self.superblock));
        let last = per_block(&self.superblock).saturating_sub(1);
        for number in shared..all {
            for place in [0, 1, last] {
                let group = number.saturating_mul(per_block(&self.superblock)).saturating_add(place);
                if group < self.superblock.groups {
                    self.claim_structure(meta_block(&self.superblock, number, place), 1);
                }
            }
        }
        if self.superblock.mmp_block > 0 && self.space.holds(self.superblock.mmp_block, 1) {
            self.claim_structure(u32::try_from(self.superblock.mmp_block).unwrap_or(0), 1);
        }
    }

    fn claim_structure(&mut self, first: u32, count: u32) {
        // Block 0 is where the superblock stands, unless blocks are as small as the boot area before it.
        let outside = first > 0 && !self.space.holds(u64::from(first), u64::from(count));
        if !outside {
            self.space.claim(first, count, Use::Metadata, &mut |_, _| {});
        }
    }

    /// Says what the superblock says about itself.
    pub(super) fn check_state(&mut self) {
        let start = self.range.start.saturating_add(SUPERBLOCK);
        let superblock = &self.superblock;
        let length = self.range.end.saturating_sub(self.range.start);
        let claimed = u64::from(superblock.blocks).saturating_mul(superblock.block);
        let pending = superblock.has(incompat::RECOVER)
            || superblock.last_orphan != 0
            || superblock.read_only & read_only::ORPHAN_PRESENT != 0;
        let unknown = superblock.read_only & !read_only::KNOWN != 0;
        let states = [
            (!superblock.checksum_holds, Cause::Corrupt(Corruption::Checksum)),
            (superblock.odd, Cause::Corrupt(Corruption::BootSector)),
            // A host that checks filesystems would first change this one.
            (!superblock.clean, Cause::Corrupt(Corruption::Allocation)),
            (pending, Cause::FeatureUnsupported(Feature::PendingJournal)),
            (unknown, Cause::FeatureUnsupported(Feature::UnknownFlag)),
        ];
        for (_, cause) in states.into_iter().filter(|(set, _)| *set) {
            self.faults.push(Fault { offset: start, length: SUPERBLOCK, cause });
        }
        if claimed > length {
            self.corrupt(self.range.end, claimed.saturating_sub(length), Corruption::BootSector);
        }
    }

    /// Looks at the inodes that the superblock names. One that does not hold what it should is no structure: it is
    /// found again as an inode in use that no folder names.
    pub(super) fn system_inodes(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        self.bad_blocks(medium)?;
        if self.superblock.compat & compat::RESIZE_INODE != 0 {
            self.resize_inode(medium)?;
        }
        let journal = self.superblock.journal;
        if journal != 0 {
            self.journal(medium, journal)?;
        }
        for (number, magic) in self.superblock.quotas.into_iter().zip(QUOTA_MAGICS) {
            if number != 0 {
                self.structure(medium, number, &|block| Record(block).u32(0) == magic)?;
            }
        }
        let orphans = self.superblock.orphan_file;
        if orphans != 0 {
            let tail = index(self.superblock.block.saturating_sub(8));
            self.structure(medium, orphans, &|block| Record(block).u32(tail) == ORPHAN_MAGIC)?;
        }
        Ok(())
    }

    fn journal(&mut self, medium: &Medium<'_>, number: u32) -> Result<(), Removed> {
        let Some(first) = self.structure(medium, number, &|block| block.starts_with(&JOURNAL_MAGIC))? else {
            // Hosts refuse to mount the volume, or make a new journal.
            self.corrupt(self.range.start.saturating_add(SUPERBLOCK), SUPERBLOCK, Corruption::BootSector);
            return Ok(());
        };
        // s_start: where the log begins; 0 when it is empty. Programs that check filesystems replay it whatever the
        // superblock says.
        if Record(&first).u32(0x1c) != 0 {
            let cause = Cause::FeatureUnsupported(Feature::PendingJournal);
            self.faults.push(Fault { offset: self.range.start.saturating_add(SUPERBLOCK), length: SUPERBLOCK, cause });
        }
        Ok(())
    }

    /// An inode whose content is a structure that begins with a block such as `expected` says: claims it and returns
    /// that block.
    fn structure(
        &mut self,
        medium: &Medium<'_>,
        number: u32,
        expected: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Option<Vec<u8>>, Removed> {
        let Some(inode) = self.in_use(medium, number)? else { return Ok(None) };
        if inode.kind() != Kind::File || self.reached.contains(number) {
            return Ok(None);
        }
        let block = self.superblock.block;
        let mapping = map(&mut self.space, medium, &inode, inode.size, Purpose::Structure)?;
        let at = |fault: Fault| Fault { offset: inode.position, length: 0, cause: fault.cause };
        self.faults.extend(mapping.faults.into_iter().map(at));
        let Some(start) = mapping.extents.first().filter(|extent| !extent.is_hole() && extent.length >= block) else {
            return Ok(None);
        };
        let first = match medium.read_vec(start.start, block) {
            Ok(first) => first,
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { offset }) => {
                self.faults.push(Fault { offset, length: 0, cause: Cause::Unreadable });
                return Ok(None);
            }
        };
        self.space.count_read(block);
        if !expected(&first) {
            return Ok(None);
        }
        self.reached.claim(number);
        Ok(Some(first))
    }

    /// An inode that can be had, with its checksum; what is wrong with it stands at the volume.
    fn in_use(&mut self, medium: &Medium<'_>, number: u32) -> Result<Option<Inode>, Removed> {
        let inode = match self.inode(medium, number)? {
            Ok(inode) => inode,
            Err(cause) => {
                self.faults.push(Fault { offset: self.range.start, length: 0, cause });
                return Ok(None);
            }
        };
        if let Err(corruption) = inode.sound {
            self.corrupt(inode.position, self.superblock.inode_bytes, corruption);
        }
        Ok(Some(inode))
    }

    /// "Defective blocks inode": no mode and no links, only blocks.
    fn bad_blocks(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let Ok(inode) = self.inode(medium, BAD_BLOCKS)? else { return Ok(()) };
        if inode.links() == 0 && inode.allocated_blocks() > 0 {
            map(&mut self.space, medium, &inode, inode.size, Purpose::Structure)?;
        }
        Ok(())
    }

    /// The resize inode maps the blocks that are reserved for descriptors, which were claimed with the copies; its own
    /// block is the doubly indirect one, and it has no other.
    fn resize_inode(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let Some(inode) = self.in_use(medium, RESIZE)? else { return Ok(()) };
        let pointers: Vec<u32> = inode.blocks().chunks_exact(4).map(|pointer| Record(pointer).u32(0)).collect();
        let only = |(number, pointer): (usize, &u32)| number == 13 || *pointer == 0;
        if pointers.iter().enumerate().all(only) && !inode.has_extents() {
            self.reached.claim(RESIZE);
            let own = pointers.get(13).copied().unwrap_or(0);
            if own > 0 && self.space.holds(u64::from(own), 1) && !self.space.claim_metadata(own) {
                self.corrupt(inode.position, self.superblock.inode_bytes, Corruption::CrossLinked);
            }
        }
        Ok(())
    }
}
