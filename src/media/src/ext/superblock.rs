//! The superblock (Linux Documentation/filesystems/ext4, "Super Block"): geometry, features, and where the structures of
//! the filesystem lie.

use super::checksum::crc32c;
use crate::bytes::Record;
use blanche_sandbox::wire::Feature;

/// Bytes of the superblock, which stands behind a boot area of the same length.
pub(super) const SUPERBLOCK: u64 = 1024;
/// s_magic.
pub(super) const MAGIC: u16 = 0xef53;
/// First inode that is not reserved; every writer uses this one.
pub(super) const FIRST_INODE: u32 = 11;
/// Most groups: 8 TiB in groups of 8192 blocks of 1 KiB, 128 TiB with blocks of 4 KiB.
const MAX_GROUPS: u32 = 1 << 20;
/// Largest block number plus one: what [`crate::clusters::Claims`] can count.
const MAX_BLOCKS: u32 = 0xffff_fff0;

/// Bits of s_feature_incompat.
pub(super) mod incompat {
    pub(in crate::ext) const COMPRESSION: u32 = 0x1;
    pub(in crate::ext) const FILETYPE: u32 = 0x2;
    pub(in crate::ext) const RECOVER: u32 = 0x4;
    pub(in crate::ext) const META_BG: u32 = 0x10;
    pub(in crate::ext) const EXTENTS: u32 = 0x40;
    pub(in crate::ext) const WIDE: u32 = 0x80;
    pub(in crate::ext) const MMP: u32 = 0x100;
    pub(in crate::ext) const FLEX_BG: u32 = 0x200;
    pub(in crate::ext) const EA_INODE: u32 = 0x400;
    pub(in crate::ext) const CSUM_SEED: u32 = 0x2000;
    pub(in crate::ext) const LARGE_DIR: u32 = 0x4000;
    pub(in crate::ext) const INLINE_DATA: u32 = 0x8000;
    pub(in crate::ext) const ENCRYPT: u32 = 0x1_0000;
    pub(in crate::ext) const CASEFOLD: u32 = 0x2_0000;
    /// What this reader knows.
    pub(in crate::ext) const KNOWN: u32 = FILETYPE
        | RECOVER
        | META_BG
        | EXTENTS
        | WIDE
        | MMP
        | FLEX_BG
        | EA_INODE
        | CSUM_SEED
        | LARGE_DIR
        | INLINE_DATA
        | ENCRYPT
        | CASEFOLD;
}

/// Bits of s_feature_ro_compat.
pub(super) mod read_only {
    pub(in crate::ext) const SPARSE_SUPER: u32 = 0x1;
    pub(in crate::ext) const GDT_CSUM: u32 = 0x10;
    pub(in crate::ext) const QUOTA: u32 = 0x100;
    pub(in crate::ext) const BIGALLOC: u32 = 0x200;
    pub(in crate::ext) const METADATA_CSUM: u32 = 0x400;
    pub(in crate::ext) const PROJECT: u32 = 0x2000;
    pub(in crate::ext) const ORPHAN_PRESENT: u32 = 0x1_0000;
    /// large_file, huge_file, btree_dir; dir_nlink, extra_isize; read-only; verity: nothing that changes how to read.
    const HARMLESS: u32 = 0xe | 0x60 | 0x1000 | 0x8000;
    /// What this reader knows.
    pub(in crate::ext) const KNOWN: u32 =
        HARMLESS | SPARSE_SUPER | GDT_CSUM | QUOTA | BIGALLOC | METADATA_CSUM | PROJECT | ORPHAN_PRESENT;
}

/// Bits of s_feature_compat.
pub(super) mod compat {
    pub(in crate::ext) const HAS_JOURNAL: u32 = 0x4;
    pub(in crate::ext) const RESIZE_INODE: u32 = 0x10;
    pub(in crate::ext) const SPARSE_SUPER2: u32 = 0x200;
    pub(in crate::ext) const ORPHAN_FILE: u32 = 0x1000;
}

/// Why a volume is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// The superblock contradicts itself.
    Broken,
    /// It asks for something that this reader does not have.
    Needs(Feature),
}

/// The fields of a superblock that a reader needs, checked against each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Superblock {
    /// Bytes of a block.
    pub(super) block: u64,
    /// Blocks of a cluster (bigalloc); 1 otherwise.
    pub(super) cluster: u32,
    /// First block of group 0.
    pub(super) first: u32,
    /// Blocks that the volume claims to have.
    pub(super) blocks: u32,
    pub(super) blocks_per_group: u32,
    pub(super) inodes_per_group: u32,
    pub(super) groups: u32,
    /// Highest inode number.
    pub(super) inodes: u32,
    pub(super) inode_bytes: u64,
    pub(super) descriptor_bytes: u64,
    pub(super) compat: u32,
    pub(super) incompat: u32,
    pub(super) read_only: u32,
    pub(super) uuid: [u8; 16],
    pub(super) label: Vec<u8>,
    /// Start of the checksums of everything but the superblock.
    pub(super) seed: u32,
    /// Blocks behind the descriptors that wait for more of them.
    pub(super) reserved_descriptors: u32,
    pub(super) first_meta_group: u32,
    /// The two groups with copies (sparse_super2).
    pub(super) backup_groups: [u32; 2],
    pub(super) mmp_block: u64,
    pub(super) journal: u32,
    /// Inodes of the quota files and of the orphan file that the features announce.
    pub(super) quotas: [u32; 3],
    pub(super) orphan_file: u32,
    pub(super) last_orphan: u32,
    pub(super) clean: bool,
    pub(super) checksum_holds: bool,
    /// Something is set that no writer of this filesystem sets.
    pub(super) odd: bool,
}

impl Superblock {
    /// The superblock in these [`SUPERBLOCK`] bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        let record = Record(bytes);
        if record.u16(0x38) != MAGIC {
            return Err(Unusable::Broken);
        }
        let (compat, incompat, read_only) = (record.u32(0x5c), record.u32(0x60), record.u32(0x64));
        if incompat & incompat::COMPRESSION != 0 {
            return Err(Unusable::Needs(Feature::Compression));
        }
        // s_checksum_type 1 is CRC-32C, the only one there is.
        let summed = read_only & read_only::METADATA_CSUM != 0;
        if incompat & !incompat::KNOWN != 0 || (summed && record.u8(0x175) != 1) {
            return Err(Unusable::Needs(Feature::UnknownFlag));
        }
        let mut found = Self::geometry(record, incompat, read_only)?;
        found.compat = compat;
        if summed {
            found.checksum_holds = crc32c(!0, record.slice(0, 0x3fc)) == record.u32(0x3fc);
            let stated = incompat & incompat::CSUM_SEED != 0;
            found.seed = if stated { record.u32(0x270) } else { crc32c(!0, &found.uuid) };
        }
        found.structures(record);
        Ok(found)
    }

    /// Sizes and counts, and whether they can all be true.
    fn geometry(record: Record<'_>, incompat: u32, read_only: u32) -> Result<Self, Unusable> {
        let (log_block, log_cluster, dynamic) = (record.u32(0x18), record.u32(0x1c), record.u32(0x4c) > 0);
        let wide = incompat & incompat::WIDE != 0;
        let log_cluster = if read_only & read_only::BIGALLOC != 0 { log_cluster } else { log_block };
        let ratio = log_cluster.checked_sub(log_block).filter(|ratio| *ratio <= 16 && log_block <= 6);
        let Some(ratio) = ratio else { return Err(Unusable::Broken) };
        let high = if wide { u64::from(record.u32(0x150)) << 32 } else { 0 };
        let blocks = high | u64::from(record.u32(0x4));
        let blocks = u32::try_from(blocks).ok().filter(|blocks| *blocks <= MAX_BLOCKS).ok_or(Unusable::Broken)?;
        let mut found = Self {
            block: SUPERBLOCK << log_block,
            cluster: 1 << ratio,
            first: record.u32(0x14),
            blocks,
            blocks_per_group: record.u32(0x20),
            inodes_per_group: record.u32(0x28),
            inode_bytes: if dynamic { u64::from(record.u16(0x58)) } else { 128 },
            descriptor_bytes: if wide { u64::from(record.u16(0xfe)) } else { 32 },
            incompat,
            read_only,
            uuid: record.array(0x68),
            label: record.slice(0x78, 16).split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
            checksum_holds: true,
            ..Self::default()
        };
        let groups = found.count_groups().filter(|_| found.sizes_fit(wide)).ok_or(Unusable::Broken)?;
        found.groups = groups;
        found.inodes = groups.checked_mul(found.inodes_per_group).ok_or(Unusable::Broken)?;
        // Inode tables lie in the volume, so they are not longer than it.
        let tables = u64::from(found.inodes).saturating_mul(found.inode_bytes);
        if tables > u64::from(blocks).saturating_mul(found.block) {
            return Err(Unusable::Broken);
        }
        let first_inode = if dynamic { record.u32(0x54) } else { FIRST_INODE };
        found.odd = record.u32(0x0) != found.inodes || first_inode != FIRST_INODE;
        Ok(found)
    }

    fn count_groups(&self) -> Option<u32> {
        let blocks = self.blocks.checked_sub(self.first).filter(|blocks| *blocks > 0)?;
        (self.blocks_per_group > 0)
            .then(|| blocks.div_ceil(self.blocks_per_group))
            .filter(|groups| *groups <= MAX_GROUPS)
    }

    fn sizes_fit(&self, wide: bool) -> bool {
        // Only with blocks of 1 KiB the boot area is a block of its own, which no group has.
        let first = u32::from(self.block == SUPERBLOCK && self.cluster == 1);
        let bits = self.block.saturating_mul(8);
        self.first == first
            && self.blocks_per_group >= 8
            && u64::from(self.blocks_per_group) <= bits.saturating_mul(u64::from(self.cluster))
            && self.inodes_per_group >= 8
            && u64::from(self.inodes_per_group) <= bits
            && self.inode_bytes.is_power_of_two()
            && (128..=self.block).contains(&self.inode_bytes)
            && self.descriptor_bytes.is_power_of_two()
            && self.descriptor_bytes <= 1024
            && (!wide || self.descriptor_bytes >= 64)
    }

    /// Where structures lie and in which state the last writer left them; only for features that are set.
    fn structures(&mut self, record: Record<'_>) {
        let when = |set: bool, offset: usize| if set { record.u32(offset) } else { 0 };
        if self.compat & compat::RESIZE_INODE != 0 {
            self.reserved_descriptors = u32::from(record.u16(0xce));
        }
        self.first_meta_group = when(self.incompat & incompat::META_BG != 0, 0x104);
        let second = self.compat & compat::SPARSE_SUPER2 != 0;
        self.backup_groups = [when(second, 0x24c), when(second, 0x250)];
        self.mmp_block = if self.incompat & incompat::MMP != 0 { record.u64(0x168) } else { 0 };
        self.journal = when(self.compat & compat::HAS_JOURNAL != 0, 0xe0);
        let quota = self.read_only & read_only::QUOTA != 0;
        let project = quota && self.read_only & read_only::PROJECT != 0;
        self.quotas = [when(quota, 0x240), when(quota, 0x244), when(project, 0x26c)];
        self.orphan_file = when(self.compat & compat::ORPHAN_FILE != 0, 0x280);
        self.last_orphan = record.u32(0xe8);
        // EXT4_VALID_FS set and EXT4_ERROR_FS not.
        self.clean = record.u16(0x3a) & 3 == 1;
        // s_creator_os 1 is the Hurd, which keeps more than one thing elsewhere in the inode.
        self.odd |= record.u32(0x48) == 1;
    }

    /// Whether metadata carries CRC-32C.
    pub(super) fn summed(&self) -> bool {
        self.read_only & read_only::METADATA_CSUM != 0
    }

    /// Whether group descriptors carry a checksum of either kind.
    pub(super) fn descriptors_summed(&self) -> bool {
        self.read_only & (read_only::METADATA_CSUM | read_only::GDT_CSUM) != 0
    }

    /// Whether this incompatible feature is set.
    pub(super) fn has(&self, feature: u32) -> bool {
        self.incompat & feature != 0
    }

    /// What an allocated cluster adds to i_blocks.
    pub(super) fn sectors_of_cluster(&self) -> u32 {
        let sectors = self.block.saturating_mul(u64::from(self.cluster)) / 512;
        u32::try_from(sectors).unwrap_or(u32::MAX)
    }

    /// The block in which the superblock itself stands.
    pub(super) fn own_block(&self) -> u32 {
        u32::from(self.block == SUPERBLOCK)
    }

    /// First block of a group.
    pub(super) fn group_start(&self, group: u32) -> u32 {
        group.saturating_mul(self.blocks_per_group).saturating_add(self.first)
    }

    /// The group of an inode and its place in the table; inodes count from 1.
    pub(super) fn place_of(&self, inode: u32) -> (u32, u32) {
        let number = inode.saturating_sub(1);
        let per_group = self.inodes_per_group;
        (number.checked_div(per_group).unwrap_or(0), number.checked_rem(per_group).unwrap_or(0))
    }

    /// Whether a group begins with a copy of the superblock ("Block and Inode Allocation Policy", sparse_super).
    pub(super) fn has_copy(&self, group: u32) -> bool {
        if group == 0 {
            return true;
        }
        if self.compat & compat::SPARSE_SUPER2 != 0 {
            return self.backup_groups.contains(&group);
        }
        self.read_only & read_only::SPARSE_SUPER == 0
            || group == 1
            || [3, 5, 7].into_iter().any(|base| power(group, base))
    }

    /// What must be the same in every copy: it decides where everything else is.
    pub(super) fn layout(&self) -> impl PartialEq + use<> {
        let sizes = [self.blocks_per_group, self.inodes_per_group, self.first, self.cluster, self.first_meta_group];
        (self.block, self.inode_bytes, self.descriptor_bytes, sizes)
    }
}

fn power(mut number: u32, base: u32) -> bool {
    while number > 1 && number.is_multiple_of(base) {
        number = number.checked_div(base).unwrap_or(0);
    }
    number == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_stand_in_powers_of_3_5_and_7() {
        let groups: Vec<u32> = (1..130).filter(|group| [3, 5, 7].into_iter().any(|base| power(*group, base))).collect();
        assert_eq!(groups, [1, 3, 5, 7, 9, 25, 27, 49, 81, 125]);
    }

    #[test]
    fn nonsense_is_no_superblock() {
        let mut bytes = vec![0xff; 1024];
        assert_eq!(Superblock::parse(&bytes).err(), Some(Unusable::Broken));
        bytes[0x38..0x3a].copy_from_slice(&MAGIC.to_le_bytes());
        assert_eq!(Superblock::parse(&bytes).err(), Some(Unusable::Needs(Feature::Compression)));
        bytes[0x60] = 0xfe;
        assert_eq!(Superblock::parse(&bytes).err(), Some(Unusable::Needs(Feature::UnknownFlag)));
        bytes[0x60..0x64].fill(0);
        assert_eq!(Superblock::parse(&bytes).err(), Some(Unusable::Needs(Feature::UnknownFlag)));
    }
}
