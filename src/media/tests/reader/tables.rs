//! Partition tables that are broken, contradict each other, or are none.

use crate::images::{Numbers, disk, empty_fat, fat, run};
use crate::reading::{Reading, read_image};
use blanche_sandbox::wire::{AreaClass, Cause, Corruption, FilesystemKind, PartitionTable, Subject, VolumeRole};
use std::collections::BTreeMap;
use std::fs;

const MIB: u64 = 1 << 20;
const TABLE: Cause = Cause::Corrupt(Corruption::PartitionTable);
const BOUNDS: Cause = Cause::Corrupt(Corruption::PartitionBounds);

fn volume() -> Vec<u8> {
    fat(16, 16 * MIB, &[], &BTreeMap::from([("FILE.BIN".to_owned(), vec![1; 3000])]))
}

fn gpt_disk() -> Vec<u8> {
    disk(20 * MIB, "label: gpt\n2048,32768\n", &[(2048, &volume())])
}

fn has_file(reading: &Reading, volume: u16) {
    assert_eq!(reading.files(volume).get("FILE.BIN"), Some(&vec![1; 3000]));
}

#[test]
fn a_broken_primary_gpt_is_named_and_the_backup_used() {
    let mut image = gpt_disk();
    image[512 + 20] ^= 1;
    image[512 + 60] ^= 1;
    let reading = read_image(image);
    assert_eq!(reading.layout().tables, [PartitionTable::Mbr, PartitionTable::GptBackup]);
    assert!(reading.says(&TABLE));
    has_file(&reading, 0);
}

#[test]
fn a_broken_entry_array_is_named_and_the_backup_used() {
    let mut image = gpt_disk();
    image[1024 + 40] ^= 1;
    let reading = read_image(image);
    assert!(reading.says(&TABLE));
    assert_eq!(reading.layout().volumes.len(), 1);
    has_file(&reading, 0);
}

#[test]
fn two_valid_copies_that_differ_give_the_union() {
    let one = gpt_disk();
    let other = disk(20 * MIB, "label: gpt\n34816,4096\n", &[]);
    let backup = one.len() - 33 * 512;
    let mut image = one;
    image[backup..].copy_from_slice(&other[backup..]);
    let reading = read_image(image);
    assert_eq!(reading.layout().volumes.len(), 2);
    assert!(reading.says(&TABLE));
    has_file(&reading, 0);
}

#[test]
fn a_hybrid_table_is_the_union_without_duplicates() {
    let mut image = gpt_disk();
    // The same partition again, and one that the GPT does not know.
    for (slot, start, count) in [(1usize, 2048u32, 32_768u32), (2, 36_864, 1024)] {
        let at = 446 + slot * 16;
        image[at + 4] = 0x0c;
        image[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        image[at + 12..at + 16].copy_from_slice(&count.to_le_bytes());
    }
    let reading = read_image(image);
    let roles: Vec<_> = reading.layout().volumes.iter().map(|volume| volume.role).collect();
    assert_eq!(roles, [VolumeRole::Gpt, VolumeRole::Primary]);
    has_file(&reading, 0);
}

#[test]
fn partitions_out_of_bounds_or_over_each_other_are_named_and_read() {
    let script = "label: dos\n2048,32768,c\n36864,1024,c\n";
    let image = disk(20 * MIB, script, &[(2048, &volume())]);
    let mut long = image.clone();
    long[446 + 12..446 + 16].copy_from_slice(&1_000_000u32.to_le_bytes());
    let reading = read_image(long);
    assert!(reading.says(&BOUNDS));
    has_file(&reading, 0);
    let mut outside = image;
    outside[446 + 16 + 8..446 + 16 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let reading = read_image(outside);
    assert_eq!((reading.layout().volumes.len(), reading.says(&BOUNDS)), (1, true));
    has_file(&reading, 0);
}

#[test]
fn a_chain_of_logical_partitions_that_loops_ends() {
    let script = "label: dos\n2048,,5\n4096,2048,c\n8192,4096,c\n";
    let mut image = disk(20 * MIB, script, &[]);
    let first = 2048 * 512;
    // The link of the first record points at the first record again.
    image[first + 462 + 8..first + 462 + 12].fill(0);
    let reading = read_image(image);
    assert!(reading.says(&TABLE));
    assert_eq!(reading.layout().volumes.len(), 1);
}

#[test]
fn boot_code_is_no_table_but_a_table_in_a_boot_sector_is_read_too() {
    let mut image = volume();
    image[446..510].fill(0x41);
    let reading = read_image(image);
    assert_eq!((reading.layout().volumes.len(), reading.not_read.len()), (1, 0));
    has_file(&reading, 0);

    let mut both = volume();
    both.extend_from_slice(&volume());
    both[446..510].fill(0);
    both[446 + 4] = 0x0e;
    both[446 + 8..446 + 12].copy_from_slice(&32_768u32.to_le_bytes());
    both[446 + 12..446 + 16].copy_from_slice(&32_768u32.to_le_bytes());
    let reading = read_image(both);
    assert_eq!(reading.layout().volumes.len(), 2);
    assert!(reading.says(&BOUNDS), "the views contradict each other");
    has_file(&reading, 0);
    has_file(&reading, 1);
}

#[test]
fn a_medium_without_partitions_is_blank_and_its_gap_is_looked_at() {
    let reading = read_image(disk(20 * MIB, "label: dos\n", &[]));
    assert_eq!((reading.layout().volumes.len(), reading.not_read.len()), (0, 0));
    assert_eq!(reading.layout().tables, [PartitionTable::Mbr]);
    let sums = &reading.area.as_ref().unwrap().sums;
    let gap = sums.iter().find(|sum| sum.class == AreaClass::Gap).unwrap();
    assert_eq!((gap.bytes, gap.looked_at), (20 * MIB - 512, 2 * MIB));
    let zeros = read_image(vec![0; 5 << 20]);
    assert_eq!(zeros.layout().volumes[0].filesystem, FilesystemKind::Blank);
    assert_eq!(zeros.not_read, []);
}

#[test]
fn unknown_content_is_never_clean() {
    let mut image = vec![0; 5 << 20];
    image[1000] = 1;
    let reading = read_image(image);
    assert!(reading.says(&Cause::UnknownContent));
    assert_eq!(reading.not_read[0].subject, Subject::Volume(0));
    assert_eq!(reading.not_read[0].length, 5 << 20);
}

/// Every filesystem that is recognised and not read yet: by the programs that make it, or by its magic where Debian's
/// base has none.
#[test]
fn other_filesystems_are_called_by_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let path = image.to_str().unwrap();
    fs::File::create(&image).unwrap().set_len(8 * MIB).unwrap();
    run("mkswap", &["-q", path], "");
    recognised(fs::read(&image).unwrap(), FilesystemKind::Swap);
    let magics: [(usize, &[u8], FilesystemKind); 13] = [
        (0, b"LUKS\xba\xbe", FilesystemKind::Luks),
        (0, b"XFSB", FilesystemKind::Xfs),
        (0, b"hsqs", FilesystemKind::SquashFs),
        (3, b"ReFS\0\0\0\0", FilesystemKind::Refs),
        (3, b"-FVE-FS-", FilesystemKind::BitLocker),
        (32, b"NXSB", FilesystemKind::Apfs),
        (512, b"LABELONE", FilesystemKind::Lvm),
        (1024, b"H+\0\x04", FilesystemKind::HfsPlus),
        (1024, b"\x10\x20\xf5\xf2", FilesystemKind::F2fs),
        (4096, b"\xfc\x4e\x2b\xa9", FilesystemKind::LinuxRaid),
        (65_600, b"_BHRfS_M", FilesystemKind::Btrfs),
        ((8 << 20) - (64 << 10), b"\xfc\x4e\x2b\xa9", FilesystemKind::LinuxRaid),
        ((8 << 20) - (8 << 10), b"\xfc\x4e\x2b\xa9", FilesystemKind::LinuxRaid),
    ];
    for (offset, magic, kind) in magics {
        let mut image = vec![0; 8 << 20];
        image[offset..offset + magic.len()].copy_from_slice(magic);
        recognised(image, kind);
    }
    // BitLocker To Go disguises itself as FAT32.
    let mut image = empty_fat(32, 40 * MIB, &[]);
    image[424..440].copy_from_slice(b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01");
    recognised(image, FilesystemKind::BitLocker);
}

fn recognised(image: Vec<u8>, kind: FilesystemKind) {
    let length = image.len() as u64;
    let reading = read_image(image);
    assert_eq!(reading.layout().volumes[0].filesystem, kind);
    let note = &reading.not_read[0];
    assert_eq!((note.subject, note.length), (Subject::Volume(0), length), "{kind:?}");
    assert_eq!(note.cause, Cause::FilesystemUnsupported(kind));
    let sums = &reading.area.as_ref().unwrap().sums;
    assert_eq!((sums.len(), sums[0].class), (1, AreaClass::Unknown), "{kind:?}");
}

#[test]
fn an_iso_image_with_a_partition_table_shows_both_views() {
    let folder = tempfile::tempdir().unwrap();
    let iso = folder.path().join("iso");
    fs::write(folder.path().join("OTHER.BIN"), vec![2; 3000]).unwrap();
    let (path, source) = (iso.to_str().unwrap(), folder.path().join("OTHER.BIN"));
    run("xorriso", &["-as", "mkisofs", "-quiet", "-o", path, source.to_str().unwrap()], "");
    let mut image = disk(20 * MIB, "label: dos\n2048,32768,c\n", &[(2048, &volume())]);
    let iso = fs::read(&iso).unwrap();
    assert!(iso.len() < 1 << 20);
    image[32_768..iso.len()].copy_from_slice(&iso[32_768..]);
    let reading = read_image(image);
    let volumes = &reading.layout().volumes;
    let number = volumes.iter().position(|volume| volume.filesystem == FilesystemKind::Iso9660).expect("the ISO 9660");
    assert!(reading.files(u16::try_from(number).unwrap()).values().any(|content| *content == vec![2; 3000]));
    has_file(&reading, u16::try_from(volumes.len() - 1).unwrap());
}

#[test]
fn a_filesystem_that_no_table_announces_is_read() {
    let table = "label: dos\n2048,8192,c\n49152,32768,c\n";
    for at in [63, 16_384, 10_240] {
        // Behind the first partition, at a MiB; and in the old first track, where only a small one fits.
        let hidden = if at == 63 {
            fat(12, 512 * 1024, &[], &BTreeMap::from([("FILE.BIN".to_owned(), vec![1; 3000])]))
        } else {
            volume()
        };
        let reading = read_image(disk(44 * MIB, table, &[(at, &hidden), (49_152, &volume())]));
        let volumes = &reading.layout().volumes;
        let number = volumes.iter().position(|volume| volume.role == VolumeRole::Gap).expect("a hidden filesystem");
        assert_eq!(volumes[number].start, at * 512);
        has_file(&reading, u16::try_from(number).unwrap());
        has_file(&reading, u16::try_from(volumes.len() - 1).unwrap());
    }
}

/// Random data in a gap is a gap, and no filesystem.
#[test]
fn noise_in_a_gap_is_no_filesystem() {
    let noise = Numbers(5).bytes(30 << 20);
    let reading = read_image(disk(64 * MIB, "label: dos\n2048,32768,c\n", &[(2048, &volume()), (40_960, &noise)]));
    assert_eq!(reading.layout().volumes.len(), 1);
    assert_eq!(reading.not_read, []);
}

/// A FAT in front and an ISO 9660 in the middle of a file: hosts that prefer the latter see other files.
#[test]
fn a_second_filesystem_where_files_lie_is_named() {
    let content = |with: bool| {
        let mut bytes = vec![b'x'; 100_000];
        if with {
            // Wherever the file begins, the signature stands at byte 32769 of the volume.
            for at in (0..bytes.len() - 5).step_by(512) {
                bytes[at + 1..at + 6].copy_from_slice(b"CD001");
            }
        }
        fat(12, 4 * MIB, &[], &BTreeMap::from([("FILE.BIN".to_owned(), bytes)]))
    };
    assert_eq!(read_image(content(false)).not_read, []);
    let reading = read_image(content(true));
    let note = &reading.not_read[0];
    assert_eq!((note.subject, note.offset), (Subject::Volume(0), 32_769));
    assert_eq!(note.cause, Cause::Corrupt(Corruption::SecondFilesystem));
    // In free space, where nobody reads for another reason.
    let mut image = empty_fat(16, 16 * MIB, &[]);
    image[65_600..65_608].copy_from_slice(b"_BHRfS_M");
    assert!(read_image(image).says(&Cause::Corrupt(Corruption::SecondFilesystem)));
}

/// A medium with one FAT partition from this sector on, as no partitioning tool aligns it today.
fn early(start: u32, volume: &[u8]) -> Vec<u8> {
    let mut image = vec![0; start as usize * 512];
    image.extend_from_slice(volume);
    image[446 + 4] = 0x01;
    image[446 + 8..446 + 12].copy_from_slice(&start.to_le_bytes());
    image[446 + 12..446 + 16].copy_from_slice(&(volume.len() as u32 / 512).to_le_bytes());
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
    image
}

/// Hosts that mount the medium and not its partition see other files: those of an ISO 9660, say, that stands in free
/// clusters or in a file of a partition that begins before byte 32768.
#[test]
fn a_filesystem_of_the_medium_in_the_content_of_a_partition_is_named() {
    let second = Cause::Corrupt(Corruption::SecondFilesystem);
    let named = |image: Vec<u8>, at: usize| {
        let notes = read_image(image).not_read;
        let said: Vec<_> = notes.iter().map(|note| (note.subject, note.offset, &note.cause)).collect();
        assert_eq!(said, [(Subject::Medium, at as u64, &second)]);
    };
    let signatures: [(u32, usize, &[u8]); 4] =
        [(1, 32_769, b"CD001"), (1, 32_769, b"BEA01"), (1, 65_600, b"_BHRfS_M"), (63, 65_600, b"_BHRfS_M")];
    for (start, at, magic) in signatures {
        let mut free = early(start, &empty_fat(12, 4 * MIB, &[]));
        assert_eq!(read_image(free.clone()).not_read, []);
        free[at..at + magic.len()].copy_from_slice(magic);
        named(free, at);
        let file = BTreeMap::from([("FILE.BIN".to_owned(), vec![b'x'; 100_000])]);
        let mut held = early(start, &fat(12, 4 * MIB, &[], &file));
        held[at..at + magic.len()].copy_from_slice(magic);
        named(held, at);
    }
}

/// The last partition ends with the medium, so that both have the places of a RAID member at the end.
#[test]
fn a_signature_that_a_partition_shares_with_the_medium_is_named_once() {
    let mut image = disk(20 * MIB, "label: dos\n2048,,c\n", &[(2048, &empty_fat(16, 19 * MIB, &[]))]);
    let at = image.len() - (64 << 10);
    image[at..at + 4].copy_from_slice(b"\xfc\x4e\x2b\xa9");
    let notes = read_image(image).not_read;
    let said: Vec<_> = notes.iter().map(|note| (note.subject, note.offset)).collect();
    assert_eq!(said, [(Subject::Volume(0), at as u64)]);
}

/// Linux makes the partitions of such a label beside the volume, wherever they lie.
#[test]
fn labels_of_sun_and_sgi_around_a_boot_sector_are_named() {
    let unknown = |image| read_image(image).not_read.iter().any(|note| note.cause == Cause::UnknownContent);
    assert!(!unknown(volume()));
    let mut sun = volume();
    sun[508..512].copy_from_slice(&[0xda, 0xbe, 0, 0]);
    let sum = sun[..512].chunks(2).fold([0u8; 2], |sum, word| [sum[0] ^ word[0], sum[1] ^ word[1]]);
    sun[510..512].copy_from_slice(&sum);
    assert!(unknown(sun));
    let mut sgi = volume();
    sgi[..4].copy_from_slice(&[0x0b, 0xe5, 0xa9, 0x41]);
    sgi[504..508].fill(0);
    let word = |word: &[u8]| u32::from_be_bytes([word[0], word[1], word[2], word[3]]);
    let sum = sgi[..512].chunks(4).fold(0u32, |sum, part| sum.wrapping_add(word(part)));
    sgi[504..508].copy_from_slice(&sum.wrapping_neg().to_be_bytes());
    assert!(unknown(sgi));
}
