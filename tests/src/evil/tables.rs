//! Partitions that only one reading of a medium has: two tables that disagree, a table in a boot sector, a filesystem
//! that no table names, types that nobody knows. All volumes are FAT12; EICAR stands on one of them.

use super::disks::{
    FAT12, FIRST, Partition, SECOND, SECTOR, VOLUME, harmless, infected, number, partitioned, put, table,
};
use crate::bytes::crc32;
use crate::image::{partition, sparse};
use std::path::Path;

const SIZE: usize = VOLUME / SECTOR;
/// Behind the second volume.
const THIRD: usize = SECOND + SIZE;
/// Protects a GPT.
const PROTECTIVE: u8 = 0xee;
/// Sectors of one copy of a GPT: header and 128 entries of 128 bytes.
const GPT: usize = 33;
/// Microsoft basic data.
const BASIC_DATA: &str = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";
/// A type that nobody has registered.
const UNKNOWN_GUID: &str = "7B0E6C1D-5A43-4E2F-9C58-D1A2B3C4D5E6";
const UNKNOWN_TYPE: u8 = 0x7f;

/// First byte of the volume with EICAR on every medium that says nothing else.
pub const INFECTED: u64 = (SECOND * SECTOR) as u64;

/// Three volumes' room with a GPT of these partitions (first sector) of one type.
fn gpt(folder: &Path, partitions: &[usize], kind: &str) -> Vec<u8> {
    let disk = folder.join("gpt.img");
    sparse(&disk, ((THIRD + SIZE + FIRST) * SECTOR) as u64);
    let lines = partitions.iter().map(|first| format!("start={first}, size={SIZE}, type={kind}\n"));
    let script: String = ["label: gpt\n".to_owned()].into_iter().chain(lines).collect();
    partition(folder, &disk, &script);
    let bytes = std::fs::read(&disk).expect("just made");
    std::fs::remove_file(disk).expect("just made");
    bytes
}

/// The harmless volume and the one with EICAR behind it.
fn fill(folder: &Path, mut disk: Vec<u8>) -> Vec<u8> {
    put(&mut disk, FIRST * SECTOR, &harmless(folder));
    put(&mut disk, SECOND * SECTOR, &infected(folder));
    disk
}

/// A record over everything before the first partition.
const PROTECTION: Partition = (PROTECTIVE, 1, FIRST - 1);

/// A hybrid MBR: its last record is not in the GPT. Windows follows the GPT, firmware and old programs the MBR.
#[must_use]
pub fn hybrid_mbr_with_one_more(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST], BASIC_DATA));
    table(&mut disk, &[PROTECTION, (FAT12, FIRST, SIZE), (FAT12, SECOND, SIZE)]);
    disk
}

/// The reverse: the last partition of the GPT is not in the hybrid MBR.
#[must_use]
pub fn gpt_with_one_more(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST, SECOND], BASIC_DATA));
    table(&mut disk, &[PROTECTION, (FAT12, FIRST, SIZE)]);
    disk
}

/// A GPT behind an MBR that does not announce it: Linux then follows the MBR, other programs the GPT.
#[must_use]
pub fn gpt_without_protection(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST, SECOND], BASIC_DATA));
    table(&mut disk, &[(FAT12, FIRST, SIZE)]);
    disk
}

/// The backup of the GPT has one partition more than the primary.
#[must_use]
pub fn gpt_copies_that_differ(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST], BASIC_DATA));
    let other = gpt(folder, &[FIRST, SECOND], BASIC_DATA);
    let backup = disk.len() - GPT * SECTOR;
    put(&mut disk, backup, &other[backup..]);
    disk
}

/// The primary GPT has a wrong checksum: hosts take the backup.
#[must_use]
pub fn gpt_with_a_broken_primary(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST, SECOND], BASIC_DATA));
    disk[SECTOR + 16] ^= 0xff;
    disk
}

/// The primary GPT is gone, its protective MBR is still there: hosts take the backup.
#[must_use]
pub fn gpt_without_a_primary(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST, SECOND], BASIC_DATA));
    disk[SECTOR..(1 + GPT) * SECTOR].fill(0);
    disk
}

/// The primary GPT is sound and says that it has room for one entry; the second follows it. Checksums are right.
#[must_use]
pub fn gpt_that_counts_one(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST, SECOND], BASIC_DATA));
    let last = disk.len() / SECTOR - 1;
    for header in [1, last].map(|sector| sector * SECTOR) {
        let array = number(&disk, header + 72, 8) * SECTOR;
        let sum = crc32(&disk[array..array + 128]);
        put(&mut disk, header + 80, &1u32.to_le_bytes());
        put(&mut disk, header + 88, &sum.to_le_bytes());
        put(&mut disk, header + 16, &[0; 4]);
        let sum = crc32(&disk[header..header + number(&disk, header + 12, 4)]);
        put(&mut disk, header + 16, &sum.to_le_bytes());
    }
    disk
}

/// A harmless FAT over the start of the medium, and in its boot sector a table with the partition behind it.
#[must_use]
pub fn table_in_a_boot_sector(folder: &Path) -> Vec<u8> {
    let mut disk = [harmless(folder), infected(folder)].concat();
    table(&mut disk, &[(FAT12, SIZE, SIZE)]);
    disk
}

/// Where the volume with EICAR of [`table_in_a_boot_sector`] starts.
pub const BEHIND_THE_BOOT_SECTOR: u64 = VOLUME as u64;

/// The reverse: EICAR is on the FAT that the boot sector describes, and the table names a harmless one.
#[must_use]
pub fn boot_sector_under_a_table(folder: &Path) -> Vec<u8> {
    let mut disk = [infected(folder), harmless(folder)].concat();
    table(&mut disk, &[(FAT12, SIZE, SIZE)]);
    disk
}

/// Between two partitions, where a third one was.
#[must_use]
pub fn volume_in_a_gap(folder: &Path) -> Vec<u8> {
    let volumes = [(FIRST, &*harmless(folder)), (SECOND, &*infected(folder)), (THIRD, &*harmless(folder))];
    partitioned(THIRD + SIZE, &[(FAT12, FIRST, SIZE), (FAT12, THIRD, SIZE)], &volumes)
}

/// The same on a GPT.
#[must_use]
pub fn volume_in_a_gap_of_a_gpt(folder: &Path) -> Vec<u8> {
    let mut disk = fill(folder, gpt(folder, &[FIRST, THIRD], BASIC_DATA));
    put(&mut disk, THIRD * SECTOR, &harmless(folder));
    disk
}

/// Behind the last partition.
#[must_use]
pub fn volume_behind_the_last_partition(folder: &Path) -> Vec<u8> {
    let volumes = [(FIRST, &*harmless(folder)), (SECOND, &*infected(folder))];
    partitioned(SECOND + SIZE, &[(FAT12, FIRST, SIZE)], &volumes)
}

/// In a gap, but not where programs let partitions begin.
#[must_use]
pub fn volume_at_an_odd_place_in_a_gap(folder: &Path) -> Vec<u8> {
    let volumes = [(FIRST, &*harmless(folder)), (SECOND + 63, &*infected(folder))];
    partitioned(THIRD + FIRST, &[(FAT12, FIRST, SIZE)], &volumes)
}

/// A partition of a type that nobody knows.
#[must_use]
pub fn unknown_type_byte(folder: &Path) -> Vec<u8> {
    let volumes = [(FIRST, &*harmless(folder)), (SECOND, &*infected(folder))];
    partitioned(THIRD, &[(FAT12, FIRST, SIZE), (UNKNOWN_TYPE, SECOND, SIZE)], &volumes)
}

/// The same on a GPT.
#[must_use]
pub fn unknown_type_guid(folder: &Path) -> Vec<u8> {
    fill(folder, gpt(folder, &[FIRST, SECOND], UNKNOWN_GUID))
}

/// The second partition lies within the first, behind the end of the filesystem of the first.
#[must_use]
pub fn overlapping_partitions(folder: &Path) -> Vec<u8> {
    let volumes = [(FIRST, &*harmless(folder)), (SECOND, &*infected(folder))];
    partitioned(THIRD, &[(FAT12, FIRST, 2 * SIZE), (FAT12, SECOND, SIZE)], &volumes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{run, try_run};

    const MBR: &[&str] = &["--label-nested", "dos"];

    type Make = fn(&Path) -> Vec<u8>;

    fn written(folder: &Path, make: Make) -> String {
        let disk = folder.join("disk.img");
        std::fs::write(&disk, make(folder)).unwrap();
        disk.to_str().unwrap().to_owned()
    }

    /// First sectors of the partitions that sfdisk reads: by its own choice (a GPT that the MBR announces), or from the
    /// MBR.
    fn starts(folder: &Path, disk: &str, options: &[&str]) -> Vec<usize> {
        let output = try_run(folder, "sfdisk", [options, &["--dump", disk]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let of = |line: &str| line.split("start=").nth(1)?.split(',').next()?.trim().parse().ok();
        text.lines().filter(|line| !line.contains("type=ee")).filter_map(of).collect()
    }

    /// mtools reads a FAT at any place of a file.
    #[test]
    fn mdir_sees_eicar_where_the_infected_volume_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let makers: [(Make, u64); 16] = [
            (hybrid_mbr_with_one_more, INFECTED),
            (gpt_with_one_more, INFECTED),
            (gpt_without_protection, INFECTED),
            (gpt_copies_that_differ, INFECTED),
            (gpt_with_a_broken_primary, INFECTED),
            (gpt_without_a_primary, INFECTED),
            (gpt_that_counts_one, INFECTED),
            (table_in_a_boot_sector, BEHIND_THE_BOOT_SECTOR),
            (boot_sector_under_a_table, 0),
            (volume_in_a_gap, INFECTED),
            (volume_in_a_gap_of_a_gpt, INFECTED),
            (volume_behind_the_last_partition, INFECTED),
            (volume_at_an_odd_place_in_a_gap, INFECTED + 63 * SECTOR as u64),
            (unknown_type_byte, INFECTED),
            (unknown_type_guid, INFECTED),
            (overlapping_partitions, INFECTED),
        ];
        for (number, (make, start)) in makers.into_iter().enumerate() {
            let disk = written(folder.path(), make);
            let listing = run(folder.path(), "mdir", ["-b", "-i", &format!("{disk}@@{start}"), "::"]);
            assert!(String::from_utf8(listing).unwrap().contains("::/eicar.com"), "number {number}");
        }
    }

    #[test]
    fn sfdisk_sees_the_partitions_that_each_table_has() {
        let folder = tempfile::tempdir().unwrap();
        let (one, both) = (&[FIRST][..], &[FIRST, SECOND][..]);
        let makers: [(Make, &[usize], &[usize]); 6] = [
            (hybrid_mbr_with_one_more, both, one),
            (gpt_with_one_more, one, both),
            (gpt_copies_that_differ, &[], one),
            (gpt_with_a_broken_primary, &[], both),
            (gpt_without_a_primary, &[], both),
            (gpt_that_counts_one, &[], one),
        ];
        for (number, (make, mbr, gpt)) in makers.into_iter().enumerate() {
            let disk = written(folder.path(), make);
            assert_eq!(starts(folder.path(), &disk, MBR), mbr, "number {number}");
            assert_eq!(starts(folder.path(), &disk, &[]), gpt, "number {number}");
        }
        let disk = written(folder.path(), gpt_without_protection);
        assert_eq!(starts(folder.path(), &disk, MBR), one);
    }

    #[test]
    fn sfdisk_takes_the_longer_backup_when_the_primary_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let disk = written(folder.path(), gpt_copies_that_differ);
        let mut bytes = std::fs::read(&disk).unwrap();
        bytes[SECTOR..(1 + GPT) * SECTOR].fill(0);
        std::fs::write(&disk, bytes).unwrap();
        assert_eq!(starts(folder.path(), &disk, &[]), [FIRST, SECOND]);
    }
}
