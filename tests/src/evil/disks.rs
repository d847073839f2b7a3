//! Media of which two hosts read different things: written by Debian's tools, then changed by a few bytes.

use crate::bytes::Put;
use crate::image::sparse;
use crate::samples::eicar;
use crate::tools::run;
use crate::{Format, Layout, Tree, image};
use std::path::Path;

pub(super) const SECTOR: usize = 512;
/// Bytes of the FAT12 volumes that [`image`] makes.
pub(super) const VOLUME: usize = 4 << 20;
/// Where the harmless volume stands on a partitioned medium, and the other one behind it (sectors).
pub(super) const FIRST: usize = 2048;
pub(super) const SECOND: usize = FIRST + VOLUME / SECTOR;
pub(super) const FAT12: u8 = 1;

/// A record of an MBR: type, first sector, sectors.
pub(super) type Partition = (u8, usize, usize);

pub(super) fn put(bytes: &mut [u8], at: usize, piece: &[u8]) {
    bytes[at..at + piece.len()].copy_from_slice(piece);
}

pub(super) fn number(bytes: &[u8], at: usize, width: usize) -> usize {
    bytes[at..at + width].iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

pub(super) fn take(folder: &Path, format: Format, tree: &Tree) -> Vec<u8> {
    let disk = image(folder, format, Layout::Superfloppy, tree);
    let bytes = std::fs::read(&disk).expect("just made");
    std::fs::remove_file(disk).expect("just made");
    bytes
}

pub(super) fn harmless(folder: &Path) -> Vec<u8> {
    take(folder, Format::Fat12, &Tree::new().with("lettre.txt", "Bonjour.\r\n"))
}

pub(super) fn infected(folder: &Path) -> Vec<u8> {
    take(folder, Format::Fat12, &Tree::new().with("eicar.com", eicar()))
}

pub(super) fn table(sector: &mut [u8], partitions: &[Partition]) {
    sector[446..510].fill(0);
    for (number, (kind, first, count)) in partitions.iter().enumerate() {
        let mut record = vec![0, 0, 2, 0, *kind, 0xfe, 0xff, 0xff];
        record.u32(u32::try_from(*first).expect("small")).u32(u32::try_from(*count).expect("small"));
        put(sector, 446 + 16 * number, &record);
    }
    put(sector, 510, &[0x55, 0xaa]);
}

pub(super) fn partitioned(sectors: usize, partitions: &[Partition], volumes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut disk = vec![0; sectors * SECTOR];
    table(&mut disk, partitions);
    for (first, volume) in volumes {
        put(&mut disk, first * SECTOR, volume);
    }
    disk
}

/// An MBR whose second record has type 0: Linux makes a partition of it, whatever the type.
#[must_use]
pub fn primary_of_type_0(folder: &Path) -> Vec<u8> {
    let size = VOLUME / SECTOR;
    let volumes = [(FIRST, &*harmless(folder)), (SECOND, &*infected(folder))];
    partitioned(SECOND + size, &[(FAT12, FIRST, size), (0, SECOND, size)], &volumes)
}

/// The same in the chain of logical partitions.
#[must_use]
pub fn logical_of_type_0(folder: &Path) -> Vec<u8> {
    let size = VOLUME / SECTOR;
    let volumes = [(FIRST, &*harmless(folder)), (SECOND + FIRST, &*infected(folder))];
    let partitions = [(FAT12, FIRST, size), (5, SECOND, FIRST + size)];
    let mut disk = partitioned(SECOND + FIRST + size, &partitions, &volumes);
    table(&mut disk[SECOND * SECTOR..], &[(0, FIRST, size)]);
    disk
}

/// The same in the boot sector of a FAT volume that covers the start of the medium.
#[must_use]
pub fn superfloppy_with_a_partition_of_type_0(folder: &Path) -> Vec<u8> {
    let mut disk = harmless(folder);
    disk.extend(infected(folder));
    table(&mut disk, &[(0, VOLUME / SECTOR, VOLUME / SECTOR)]);
    disk
}

/// A BSD disklabel in a partition that also begins like FAT: Linux makes partitions of its slices.
#[must_use]
pub fn bsd_slice(folder: &Path) -> Vec<u8> {
    let (kind, size) = (0xa5, 30_000);
    let mut disk = partitioned(FIRST + size, &[(kind, FIRST, size)], &[]);
    empty_fat(&mut disk[FIRST * SECTOR..], 8);
    let slice = FIRST + 10_240;
    let mut label = vec![0; SECTOR];
    for at in [0, 132] {
        put(&mut label, at, &0x8256_4557u32.to_le_bytes());
    }
    put(&mut label, 40, &512u32.to_le_bytes());
    put(&mut label, 138, &[8]);
    let mut record = Vec::new();
    record.u32(u32::try_from(VOLUME / SECTOR).expect("small")).u32(u32::try_from(slice).expect("small"));
    record.u32(0).raw(&[1, 0, 0, 0]);
    put(&mut label, 148, &record);
    let sum = (0..148 + 8 * 16).step_by(2).fold(0, |sum, at| sum ^ number(&label, at, 2));
    put(&mut label, 136, &u16::try_from(sum).expect("16 bits").to_le_bytes());
    put(&mut disk, (FIRST + 1) * SECTOR, &label);
    put(&mut disk, slice * SECTOR, &infected(folder));
    disk
}

/// An MBR and an Apple partition map, which name different partitions: macOS follows the latter.
#[must_use]
pub fn apple_map_beside_mbr(folder: &Path) -> Vec<u8> {
    let size = VOLUME / SECTOR;
    let volumes = [(FIRST, &*harmless(folder)), (SECOND, &*infected(folder))];
    let mut disk = partitioned(SECOND + size, &[(FAT12, FIRST, size)], &volumes);
    put(&mut disk, 0, b"ER\x02\x00");
    let entries = [(1, 63, "Apple_partition_map"), (SECOND, size, "DOS_FAT_12")];
    for (entry, (first, count, kind)) in (1..).zip(entries) {
        let mut record = b"PM\0\0".to_vec();
        record.be32(2).be32(u32::try_from(first).expect("small")).be32(u32::try_from(count).expect("small"));
        put(&mut disk, entry * SECTOR, &record);
        put(&mut disk, entry * SECTOR + 48, kind.as_bytes());
    }
    disk
}

/// An ext4 filesystem with EICAR, and room behind it.
fn ext(folder: &Path) -> Vec<u8> {
    let (source, disk) = (folder.join("ext"), folder.join("ext.img"));
    std::fs::create_dir_all(&source).expect("a writable folder");
    std::fs::write(source.join("eicar.com"), eicar()).expect("a writable folder");
    sparse(&disk, 24 << 20);
    run(folder, "mkfs.ext4", ["-q", "-d", "ext", "ext.img"]);
    let mut bytes = std::fs::read(disk).expect("just made");
    bytes.zeros(1 << 20);
    bytes
}

/// Writes the boot sector of an empty FAT12 whose tables begin `reserved` sectors behind it.
fn empty_fat(bytes: &mut [u8], reserved: u16) {
    let mut boot = vec![0xeb, 0x3c, 0x90];
    boot.zeros(8).u16(512).u8(1).u16(reserved).u8(1).u16(16).u16(reserved + 66).u8(0xf8).u16(1);
    put(bytes, 0, &boot);
    put(bytes, usize::from(reserved) * SECTOR, &[0xf8, 0xff, 0xff]);
}

/// ext4 leaves its first 1024 bytes free. A FAT boot sector without 55 AA stands there: blkid(8) sees ext4 alone, and
/// desktops mount it.
#[must_use]
pub fn ext_behind_a_fat_boot_sector(folder: &Path) -> Vec<u8> {
    let mut disk = ext(folder);
    empty_fat(&mut disk, 49_152);
    disk
}

/// The same in a partition.
#[must_use]
pub fn ext_behind_a_fat_boot_sector_in_a_partition(folder: &Path) -> Vec<u8> {
    let volume = ext_behind_a_fat_boot_sector(folder);
    let size = volume.len() / SECTOR;
    partitioned(FIRST + size, &[(0x83, FIRST, size)], &[(FIRST, &volume)])
}

/// ext4 over the whole medium, and an MBR with a partition that begins before its superblock.
#[must_use]
pub fn ext_over_an_early_partition(folder: &Path) -> Vec<u8> {
    let mut disk = ext(folder);
    empty_fat(&mut disk[SECTOR..], 49_000);
    table(&mut disk, &[(FAT12, 1, 49_100)]);
    disk
}

/// ISO 9660 over the whole medium, and an MBR with a partition that begins before its descriptors.
#[must_use]
pub fn iso_over_an_early_partition(folder: &Path) -> Vec<u8> {
    let source = folder.join("iso");
    std::fs::create_dir_all(&source).expect("a writable folder");
    std::fs::write(source.join("EICAR.COM"), eicar()).expect("a writable folder");
    run(folder, "genisoimage", ["-quiet", "-J", "-o", "a.iso", "iso"]);
    let mut disk = std::fs::read(folder.join("a.iso")).expect("just made");
    let sectors = disk.len().div_ceil(SECTOR);
    disk.resize((sectors + 200) * SECTOR, 0);
    empty_fat(&mut disk[SECTOR..], u16::try_from(sectors + 8).expect("a small image"));
    table(&mut disk, &[(FAT12, 1, sectors + 90)]);
    disk
}

/// FAT32 with entries of a fixed root directory, which it has not: Linux moves the first cluster behind them.
#[must_use]
pub fn fat32_with_root_entries(folder: &Path) -> Vec<u8> {
    let mut disk = take(folder, Format::Fat32, &Tree::new().with("lettre.txt", "Bonjour.\r\n"));
    put(&mut disk, 17, &512u16.to_le_bytes());
    let (cluster, reserved) = (number(&disk, 13, 1) * SECTOR, number(&disk, 14, 2));
    let (tables, length) = (number(&disk, 16, 1), number(&disk, 36, 4));
    let root = (reserved + tables * length + 32) * SECTOR;
    let mut record = b"EICAR   COM\x20".to_vec();
    record.zeros(14).u16(3).u32(68);
    put(&mut disk, root, &record);
    put(&mut disk, root + 32, &[0; 32]);
    put(&mut disk, root + cluster, &eicar());
    for copy in 0..tables {
        put(&mut disk, (reserved + copy * length) * SECTOR + 12, &[0xff, 0xff, 0xff, 0x0f]);
    }
    disk
}

/// FAT32 with one damaged field, by which it becomes a FAT16 with more clusters than FAT16 can have and no root.
#[must_use]
pub fn fat32_that_says_fat16(folder: &Path) -> Vec<u8> {
    let mut disk = take(folder, Format::Fat32, &Tree::new().with("eicar.com", eicar()));
    let length = disk[36..38].to_vec();
    put(&mut disk, 22, &length);
    disk
}

/// exFAT with a ValidDataLength of 0: Linux before 6.8 shows the bytes that are there, others show zeros.
#[must_use]
pub fn exfat_without_valid_data(folder: &Path) -> Vec<u8> {
    let mut disk = take(folder, Format::ExFat, &Tree::new().with("eicar.com", eicar()));
    let name: Vec<u8> = "eicar.com".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = disk.windows(name.len()).position(|window| window.eq_ignore_ascii_case(&name));
    let set = found.expect("the file is listed") - 2 - 64;
    put(&mut disk, set + 40, &[0; 8]);
    let sum = disk[set..set + 96]
        .iter()
        .enumerate()
        .filter(|(at, _)| !matches!(at, 2 | 3))
        .fold(0u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)));
    put(&mut disk, set + 2, &sum.to_le_bytes());
    disk
}

/// Where the record of `eicar.com` stands in the root of an infected FAT12 volume.
fn record(volume: &[u8]) -> usize {
    volume.windows(11).position(|window| window == b"EICAR   COM").expect("the file is listed")
}

/// The record stands behind the end mark: Linux shows it, Windows does not.
#[must_use]
pub fn fat_record_behind_the_end(folder: &Path) -> Vec<u8> {
    let mut volume = infected(folder);
    let at = record(&volume);
    volume.copy_within(at..at + 32, at + 64);
    volume[at..at + 32].fill(0);
    volume
}

/// A file called ".".
#[must_use]
pub fn fat_file_called_dot(folder: &Path) -> Vec<u8> {
    let mut volume = infected(folder);
    let at = record(&volume);
    put(&mut volume, at, b".          ");
    volume
}

/// A file with bytes and no cluster.
#[must_use]
pub fn fat_file_without_cluster(folder: &Path) -> Vec<u8> {
    without_cluster(infected(folder))
}

/// The same, and another file with EICAR.
#[must_use]
pub fn fat_file_without_cluster_beside_eicar(folder: &Path) -> Vec<u8> {
    let tree = Tree::new().with("autre.com", eicar()).with("eicar.com", eicar());
    without_cluster(take(folder, Format::Fat12, &tree))
}

fn without_cluster(mut volume: Vec<u8>) -> Vec<u8> {
    let at = record(&volume);
    put(&mut volume, at + 26, &[0, 0]);
    volume
}

/// The only partition has a boot indicator that hosts refuse.
#[must_use]
pub fn wrong_boot_indicator(folder: &Path) -> Vec<u8> {
    let size = VOLUME / SECTOR;
    let mut disk = partitioned(FIRST + size, &[(FAT12, FIRST, size)], &[(FIRST, &infected(folder))]);
    disk[446] = 0x7f;
    disk
}

/// A protective MBR without a GPT.
#[must_use]
pub fn protection_of_nothing(folder: &Path) -> Vec<u8> {
    let size = VOLUME / SECTOR;
    partitioned(FIRST + size, &[(0xee, 1, FIRST + size - 1)], &[(FIRST, &infected(folder))])
}
