//! Where filesystems and volume formats that do not begin with a boot sector say what they are.
//!
//! Places and magics are those of the formats' own headers, named beside each; libblkid (util-linux,
//! libblkid/src/superblocks) looks at the same. A magic of two bytes is met by chance, so the fields around it must make
//! sense before it is believed where nobody announced a volume.

use crate::bytes::{Record, index, wide};
use blanche_sandbox::wire::FilesystemKind;
use std::ops::Range;

/// Bytes of a superblock that a [`Proof`] sees.
pub(crate) const SUPERBLOCK: u64 = 512;

/// What is needed besides the magic.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// Nothing: it is long enough.
    Magic,
    /// These fields, wherever it is met.
    Fields(fn(Record<'_>) -> bool),
    /// These fields where no table announces a volume; an announced one is not checked either way.
    FieldsUnlessAnnounced(fn(Record<'_>) -> bool),
}

/// A signature at a fixed place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    /// First byte of the superblock, from the start of the volume.
    pub(crate) base: u64,
    /// Where the magic stands in it.
    pub(crate) at: u64,
    pub(crate) magic: &'static [u8],
    pub(crate) kind: FilesystemKind,
    pub(crate) proof: Proof,
}

impl Signature {
    /// Where the magic stands on the medium when the volume begins at `start`.
    pub(crate) fn place(&self, start: u64) -> Range<u64> {
        let first = start.saturating_add(self.base).saturating_add(self.at);
        first..first.saturating_add(wide(self.magic.len()))
    }

    /// Whether these bytes from `base` on are such a superblock: magic and fields.
    pub(crate) fn is_superblock(&self, bytes: &[u8]) -> bool {
        let fields = match self.proof {
            Proof::Magic => true,
            Proof::Fields(fields) | Proof::FieldsUnlessAnnounced(fields) => fields(Record(bytes)),
        };
        fields && Record(bytes).slice(index(self.at), self.magic.len()) == self.magic
    }
}

const fn magic(offset: u64, magic: &'static [u8], kind: FilesystemKind) -> Signature {
    Signature { base: offset, at: 0, magic, kind, proof: Proof::Magic }
}

/// A magic in the superblock at byte 1024.
const fn at_1024(at: u64, magic: &'static [u8], kind: FilesystemKind, proof: Proof) -> Signature {
    Signature { base: 1024, at, magic, kind, proof }
}

/// Linux RAID superblock, little-endian 0xa92b4efc (drivers/md, versions 0.90 and 1.x).
const RAID: &[u8] = &[0xfc, 0x4e, 0x2b, 0xa9];
/// Name-value list of a ZFS label (include/sys/nvpair.h): XDR, written on a little-endian machine, version 0, unique names.
const ZFS_LABEL: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// The same, written on a big-endian machine.
const ZFS_LABEL_BIG: &[u8] = &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// "VDEV_PHYS" of a ZFS label begins here (include/sys/vdev_impl.h).
const ZFS_PHYS: u64 = 16 << 10;

/// Signatures from the start of a volume, the more telling ones first.
const FROM_START: [Signature; 94] = {
    use FilesystemKind::*;
    [
        magic(0, b"LUKS\xba\xbe", Luks),
        // The second header of LUKS 2 (LUKS2 On-Disk Format 2.1): behind a first one of 16 KiB to 4 MiB.
        magic(0x4000, b"SKUL\xba\xbe", Luks),
        magic(0x8000, b"SKUL\xba\xbe", Luks),
        magic(0x1_0000, b"SKUL\xba\xbe", Luks),
        magic(0x2_0000, b"SKUL\xba\xbe", Luks),
        magic(0x4_0000, b"SKUL\xba\xbe", Luks),
        magic(0x8_0000, b"SKUL\xba\xbe", Luks),
        magic(0x10_0000, b"SKUL\xba\xbe", Luks),
        magic(0x20_0000, b"SKUL\xba\xbe", Luks),
        magic(0x40_0000, b"SKUL\xba\xbe", Luks),
        magic(0, b"XFSB", Xfs),
        magic(0, b"hsqs", SquashFs),
        magic(0, b"sqsh", SquashFs),
        magic(32, b"NXSB", Apfs),
        magic(0, b"LABELONE", Lvm),
        magic(512, b"LABELONE", Lvm),
        magic(1024, b"LABELONE", Lvm),
        magic(1536, b"LABELONE", Lvm),
        magic(0, RAID, LinuxRaid),
        magic(4096, RAID, LinuxRaid),
        magic(1024, b"\x10\x20\xf5\xf2", F2fs),
        // fs/erofs/erofs_fs.h EROFS_SUPER_MAGIC_V1.
        magic(1024, b"\xe2\xe1\xf5\xe0", Erofs),
        // include/uapi/linux/cramfs_fs.h: at the start, or behind a boot sector.
        magic(0, b"\x45\x3d\xcd\x28", CramFs),
        magic(0, b"\x28\xcd\x3d\x45", CramFs),
        magic(512, b"\x45\x3d\xcd\x28", CramFs),
        magic(512, b"\x28\xcd\x3d\x45", CramFs),
        // Documentation/filesystems/romfs.rst.
        magic(0, b"-rom1fs-", RomFs),
        // fs/befs/befs_fs_types.h: at the start (PowerPC), or behind a boot sector (x86), after a name of 32 bytes.
        magic(32, b"BFS1", Befs),
        magic(32, b"1SFB", Befs),
        magic(544, b"BFS1", Befs),
        magic(544, b"1SFB", Befs),
        // fs/qnx4: the root's entry in the second sector has the name "/".
        magic(512, b"/\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", Qnx4),
        // fs/ocfs2/ocfs2_fs.h: the superblock is block 2 of 512 to 4096 bytes.
        magic(1024, b"OCFSV2", Ocfs2),
        magic(2048, b"OCFSV2", Ocfs2),
        magic(4096, b"OCFSV2", Ocfs2),
        magic(8192, b"OCFSV2", Ocfs2),
        // fs/bcachefs/bcachefs_format.h: the superblock in sector 8, its magic behind checksum, version and padding;
        // BCHFS_MAGIC and, of older ones and of bcache, BCACHE_MAGIC.
        magic(4120, b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", Bcachefs),
        magic(4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", Bcachefs),
        // fs/hpfs/hpfs.h: superblock in sector 16, SB_MAGIC and SB_MAGIC + 1.
        magic(8192, b"\x49\xe8\x95\xf9\xc5\xe9\x53\xfa", Hpfs),
        // fs/jfs/jfs_superblock.h: SUPER1_B.
        magic(32_768, b"JFS1", Jfs),
        // fs/reiserfs/reiserfs.h: byte 52 of the superblock at 64 KiB, or at 8 KiB of the old form.
        magic(65_588, b"ReIsErFs", ReiserFs),
        magic(65_588, b"ReIsEr2Fs", ReiserFs),
        magic(65_588, b"ReIsEr3Fs", ReiserFs),
        magic(65_536, b"ReIsEr4", ReiserFs),
        magic(8244, b"ReIsErFs", ReiserFs),
        // include/uapi/linux/gfs2_ondisk.h: GFS2_MAGIC, GFS2_METATYPE_SB; the same of GFS.
        magic(65_536, b"\x01\x16\x19\x70\0\0\0\x01", Gfs2),
        // Volume member and filesystem of VMFS (libblkid, vmfs.c).
        magic(0x10_0000, b"\x0d\xd0\x01\xc0", Vmfs),
        magic(0x20_0000, b"\x5e\xf1\xab\x2f", Vmfs),
        magic(ZFS_PHYS, ZFS_LABEL, Zfs),
        magic(ZFS_PHYS, ZFS_LABEL_BIG, Zfs),
        magic((256 << 10) + ZFS_PHYS, ZFS_LABEL, Zfs),
        magic((256 << 10) + ZFS_PHYS, ZFS_LABEL_BIG, Zfs),
        at_1024(0, b"H+\0\x04", HfsPlus, Proof::FieldsUnlessAnnounced(hfs_plus)),
        at_1024(0, b"HX\0\x05", HfsPlus, Proof::FieldsUnlessAnnounced(hfs_plus)),
        // HFS, alone or as a wrapper around HFS+.
        at_1024(0, b"BD", Hfs, Proof::FieldsUnlessAnnounced(hfs)),
        // fs/nilfs2 (include/uapi/linux/nilfs2_ondisk.h).
        at_1024(6, b"\x34\x34", Nilfs2, Proof::Fields(nilfs2)),
        // include/uapi/linux/minix_fs.h: versions 1 and 2 with names of 14 and 30 bytes, version 3.
        at_1024(16, b"\x7f\x13", Minix, Proof::Fields(minix)),
        at_1024(16, b"\x8f\x13", Minix, Proof::Fields(minix)),
        at_1024(16, b"\x68\x24", Minix, Proof::Fields(minix)),
        at_1024(16, b"\x78\x24", Minix, Proof::Fields(minix)),
        at_1024(24, b"\x5a\x4d", Minix, Proof::Fields(minix3)),
        // That an ext is none is seen by its reader.
        at_1024(56, b"\x53\xef", Ext, Proof::Magic),
        magic(65_600, b"_BHRfS_M", Btrfs),
        // UDF volume recognition sequence (ECMA-167 2/9): from byte 32768 in steps of 2048, beside or without ISO 9660.
        magic(32_769, b"NSR0", Udf),
        magic(34_817, b"NSR0", Udf),
        magic(36_865, b"NSR0", Udf),
        magic(38_913, b"NSR0", Udf),
        magic(40_961, b"NSR0", Udf),
        magic(43_009, b"NSR0", Udf),
        magic(32_769, b"BEA01", Udf),
        magic(32_769, b"CD001", Iso9660),
        magic(34_817, b"CD001", Iso9660),
        magic(4086, b"SWAPSPACE2", Swap),
        magic(4086, b"SWAP-SPACE", Swap),
        magic(8182, b"SWAPSPACE2", Swap),
        magic(16_374, b"SWAPSPACE2", Swap),
        magic(32_758, b"SWAPSPACE2", Swap),
        magic(65_526, b"SWAPSPACE2", Swap),
        // sys/ufs/ffs/fs.h: byte 1372 of the superblock, which stands at 64, 8, 0 or 256 KiB; UFS 2 and UFS 1, in the
        // order of the machine that made them.
        magic(1372, b"\x19\x01\x54\x19", Ufs),
        magic(1372, b"\x19\x54\x01\x19", Ufs),
        magic(1372, b"\x54\x19\x01\0", Ufs),
        magic(1372, b"\0\x01\x19\x54", Ufs),
        magic(9564, b"\x19\x01\x54\x19", Ufs),
        magic(9564, b"\x19\x54\x01\x19", Ufs),
        magic(9564, b"\x54\x19\x01\0", Ufs),
        magic(9564, b"\0\x01\x19\x54", Ufs),
        magic(66_908, b"\x19\x01\x54\x19", Ufs),
        magic(66_908, b"\x19\x54\x01\x19", Ufs),
        magic(66_908, b"\x54\x19\x01\0", Ufs),
        magic(66_908, b"\0\x01\x19\x54", Ufs),
        magic(263_516, b"\x19\x01\x54\x19", Ufs),
        magic(263_516, b"\x19\x54\x01\x19", Ufs),
        magic(263_516, b"\x54\x19\x01\0", Ufs),
        magic(263_516, b"\0\x01\x19\x54", Ufs),
    ]
};

/// All signatures of a volume of `length` bytes: those from its start, then those that are measured from its end.
pub(crate) fn of_volume(length: u64) -> impl Iterator<Item = Signature> {
    let aligned = |from_end: u64, alignment: u64| {
        length.checked_sub(from_end).map(|place| place.saturating_sub(place.checked_rem(alignment).unwrap_or(0)))
    };
    // RAID 0.90 and 1.0.
    let old = length.saturating_sub(length.checked_rem(0x1_0000).unwrap_or(0)).checked_sub(0x1_0000);
    let raid = [old, aligned(0x2000, 0x1000)];
    let raid = raid.into_iter().flatten().map(|place| magic(place, RAID, FilesystemKind::LinuxRaid));
    // NILFS_SB2_OFFSET_BYTES: the last 4 KiB block; Linux takes it when the first superblock is gone.
    let nilfs = length.checked_div(0x1000).and_then(|blocks| blocks.checked_sub(1)).map(|block| Signature {
        base: block.saturating_mul(0x1000),
        ..at_1024(6, b"\x34\x34", FilesystemKind::Nilfs2, Proof::Fields(nilfs2))
    });
    // The third and fourth label of ZFS.
    let whole = length.saturating_sub(length.checked_rem(256 << 10).unwrap_or(0));
    let labels = [512u64 << 10, 256 << 10].into_iter().filter_map(move |from_end| whole.checked_sub(from_end));
    let labels = labels.map(|label| magic(label.saturating_add(ZFS_PHYS), ZFS_LABEL, FilesystemKind::Zfs));
    FROM_START.into_iter().chain(raid).chain(nilfs).chain(labels)
}

fn big16(record: Record<'_>, at: usize) -> u16 {
    u16::from_be_bytes(record.array(at))
}

fn big32(record: Record<'_>, at: usize) -> u32 {
    u32::from_be_bytes(record.array(at))
}

/// Volume header (Apple TN1150): a block size, blocks, fewer free ones, and the first number for a file of a user.
fn hfs_plus(header: Record<'_>) -> bool {
    let (block, blocks, free) = (big32(header, 40), big32(header, 44), big32(header, 48));
    block >= 512 && block.is_power_of_two() && blocks > 0 && free <= blocks && big32(header, 64) >= 16
}

/// Master directory block (Inside Macintosh: Files, 2-60): allocation blocks, their size, fewer free ones, a name.
fn hfs(block: Record<'_>) -> bool {
    let (blocks, size, free) = (big16(block, 18), big32(block, 20), big16(block, 34));
    blocks > 0 && size > 0 && size.is_multiple_of(512) && free <= blocks && (1..=27).contains(&block.u8(36))
}

/// Revision 2, blocks of 1 to 64 KiB, segments, and a size.
fn nilfs2(superblock: Record<'_>) -> bool {
    superblock.u32(0) == 2 && superblock.u32(20) <= 6 && superblock.u64(24) > 0 && superblock.u64(32) > 0
}

/// Maps that are large enough for the inodes, and data behind them (blocks of 1 KiB).
fn minix(superblock: Record<'_>) -> bool {
    let [inodes, maps, zone_maps, first] = [0, 4, 6, 8].map(|at| u32::from(superblock.u16(at)));
    let tables = maps.saturating_add(zone_maps).saturating_add(2);
    inodes > 0 && zone_maps > 0 && maps.saturating_mul(8192) >= inodes && first >= tables
}

/// The same of version 3, whose blocks have 1 to 64 KiB.
fn minix3(superblock: Record<'_>) -> bool {
    let [maps, zone_maps, first, block] = [6, 8, 10, 28].map(|at| superblock.u16(at));
    let sizes = block >= 1024 && block.is_power_of_two();
    superblock.u32(0) > 0 && superblock.u32(20) > 0 && maps > 0 && zone_maps > 0 && first > 2 && sizes
}
