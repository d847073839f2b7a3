//! Raw disk images inside files: a partition table, or a filesystem that begins at the first byte. libclamav reads
//! MBR and GPT, but opens no filesystem in them.

use super::bytes::{be32, has, le16, le32};

/// Filesystems and volume managers by a signature of their own.
const FILESYSTEMS: &[(usize, &[u8])] = &[
    (3, b"NTFS    "),
    (3, b"EXFAT   "),
    (3, b"ReFS\x00\x00\x00\x00"),
    (0, b"XFSB"),
    (0x1_0040, b"_BHRfS_M"),
    (32, b"NXSB"),
    (1024, b"H+\x00\x04"),
    (1024, b"HX\x00\x05"),
    (1024, b"\x10\x20\xf5\xf2"),
    (1024, b"\xe2\xe1\xf5\xe0"),
    (0, b"-rom1fs-"),
    (0x8000, b"JFS1"),
    (0x2034, b"ReIsEr"),
    (0x1_0034, b"ReIsEr"),
    (0, b"LABELONE"),
    (512, b"LABELONE"),
    (1024, b"LABELONE"),
    (1536, b"LABELONE"),
];

/// Whether content is the image of a disk or of a filesystem.
pub(super) fn is_disk(content: &[u8]) -> bool {
    FILESYSTEMS.iter().any(|(at, signature)| has(content, *at, signature))
        || has(content, 512, b"EFI PART")
        || has(content, 4096, b"EFI PART")
        || is_fat(content)
        || is_mbr(content)
        || is_ext(content)
        || is_hfs(content)
        || is_minix(content)
        || (has(content, 0, b"ER") && has(content, 512, b"PM\x00\x00"))
}

/// FAT: jump or mark, sector size, cluster size and number of tables as hosts ask for them, which is less than
/// Microsoft's fatgen103, 3, does.
fn is_fat(content: &[u8]) -> bool {
    let jump = matches!(content.first(), Some(0xeb | 0xe9 | 0x49)) || has(content, 510, &[0x55, 0xaa]);
    let sector = matches!(le16(content, 11), Some(512 | 1024 | 2048 | 4096));
    let cluster = content.get(13).is_some_and(|sectors| sectors.is_power_of_two());
    let tables = content.get(16).is_some_and(|tables| *tables > 0);
    let media = content.get(21).is_some_and(|media| *media == 0xf0 || *media >= 0xf8);
    let reserved = le16(content, 14).is_some_and(|sectors| sectors > 0);
    jump && sector && cluster && tables && media && reserved
}

/// MBR: signature, and four entries that are empty or sane, at least one of them in use (UEFI 2.10, 5.2.1).
fn is_mbr(content: &[u8]) -> bool {
    if !has(content, 510, &[0x55, 0xaa]) || content.len() < 1024 {
        return false;
    }
    let mut used = 0;
    for at in [446usize, 462, 478, 494] {
        let (Some(status), Some(kind)) = (content.get(at), content.get(at + 4)) else { return false };
        let (Some(start), Some(length)) = (le32(content, at + 8), le32(content, at + 12)) else { return false };
        match (*kind, start, length) {
            (0, ..) => {}
            (_, 1.., 1..) if *status & 0x7f == 0 => used += 1,
            _ => return false,
        }
    }
    used > 0
}

/// HFS (Inside Macintosh: Files, 2): its signature has two bytes, hence also boot blocks or a sane volume.
fn is_hfs(content: &[u8]) -> bool {
    let blocks = has(content, 0, b"LK") || content.get(..1024).is_some_and(|boot| boot.iter().all(|byte| *byte == 0));
    let volume = le16(content, 1024 + 18).is_some_and(|blocks| blocks > 0)
        && be32(content, 1024 + 20).is_some_and(|size| size > 0 && size % 512 == 0)
        && matches!(content.get(1024 + 36), Some(1..=27));
    has(content, 1024, b"BD") && (blocks || volume)
}

/// Minix 1 to 3 (Linux, include/uapi/linux/minix_fs.h): magic, and zones of one block.
fn is_minix(content: &[u8]) -> bool {
    let old = matches!(le16(content, 1024 + 16), Some(0x137f | 0x138f | 0x2468 | 0x2478))
        && le16(content, 1024 + 10) == Some(0);
    let third = le16(content, 1024 + 24) == Some(0x4d5a)
        && le16(content, 1024 + 12) == Some(0)
        && matches!(le16(content, 1024 + 28), Some(1024 | 2048 | 4096));
    old || third
}

/// ext2/3/4: magic, revision, block size and counts of the superblock (kernel documentation, ext4 "Super Block").
fn is_ext(content: &[u8]) -> bool {
    has(content, 0x438, &[0x53, 0xef])
        && le32(content, 0x418).is_some_and(|log| log <= 6)
        && le32(content, 0x400).is_some_and(|inodes| inodes > 0)
        && le32(content, 0x404).is_some_and(|blocks| blocks > 0)
        && matches!(le16(content, 0x43a), Some(0..=7))
}
