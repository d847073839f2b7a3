//! What goes in comes out: names, folders and bytes of every filesystem in every place.

use crate::images::{disk, exfat, fat, fill_fat, tree, with_mtools};
use crate::reading::{Reading, read_image};
use blanche_sandbox::wire::{AreaClass, Attributes, FilesystemKind, PartitionTable, PartitionType, VolumeRole};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const MIB: u64 = 1 << 20;

/// The volumes, made once: name, kind, image.
fn volumes() -> &'static [(&'static str, FilesystemKind, Vec<u8>)] {
    static VOLUMES: OnceLock<Vec<(&'static str, FilesystemKind, Vec<u8>)>> = OnceLock::new();
    VOLUMES.get_or_init(|| {
        let tree = tree();
        vec![
            ("FAT12", FilesystemKind::Fat12, fat(12, 4 * MIB, &[], &tree)),
            ("FAT16", FilesystemKind::Fat16, fat(16, 16 * MIB, &[], &tree)),
            ("FAT32", FilesystemKind::Fat32, fat(32, 40 * MIB, &[], &tree)),
            ("FAT16 with 2 KiB sectors", FilesystemKind::Fat16, fat(16, 16 * MIB, &["-S", "2048", "-s", "1"], &tree)),
            ("exFAT", FilesystemKind::ExFat, exfat(16 * MIB, &tree)),
        ]
    })
}

fn check(name: &str, kind: FilesystemKind, reading: &Reading, volume: u16) {
    let line = &reading.layout().volumes[usize::from(volume)];
    assert_eq!((line.filesystem, line.label.as_deref()), (kind, Some(&b"BLANCHE"[..])), "{name}");
    let (found, expected) = (reading.files(volume), tree());
    let paths = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&found), paths(&expected), "{name}");
    assert!(found == expected, "{name}: contents differ");
    assert_eq!(reading.not_read, [], "{name}");
    let files: u64 = expected.values().map(|content| content.len() as u64).sum();
    let sum = reading.area.as_ref().unwrap().sums.iter();
    let file = sum.clone().find(|sum| sum.volume == Some(volume) && sum.class == AreaClass::File).unwrap();
    assert_eq!((file.bytes, file.looked_at), (files, files), "{name}");
    assert_eq!(sum.filter(|sum| sum.class == AreaClass::Unknown).count(), 0, "{name}");
}

#[test]
fn a_volume_that_fills_the_medium() {
    for (name, kind, volume) in volumes() {
        let reading = read_image(volume.clone());
        assert_eq!(reading.layout().tables, []);
        assert_eq!(reading.layout().volumes[0].role, VolumeRole::Superfloppy);
        check(name, *kind, &reading, 0);
    }
}

#[test]
fn a_primary_partition_a_second_one_and_a_hidden_type() {
    for (name, kind, volume) in volumes() {
        let sectors = volume.len() / 512;
        let second = 2048 + sectors;
        for hidden in [false, true] {
            let partition_type = if hidden { 0x1c } else { 0x0c };
            let script = format!("label: dos\n2048,{sectors},c\n{second},{sectors},{partition_type:x}\n");
            let image = disk(volume.len() as u64 * 2 + 4 * MIB, &script, &[(2048, volume), (second as u64, volume)]);
            let reading = read_image(image);
            assert_eq!(reading.layout().tables, [PartitionTable::Mbr]);
            let line = &reading.layout().volumes[1];
            assert_eq!((line.hidden, line.role), (hidden, VolumeRole::Primary));
            assert_eq!(line.partition_type, Some(PartitionType::Mbr(partition_type)));
            check(name, *kind, &reading, 0);
            check(name, *kind, &reading, 1);
        }
    }
}

#[test]
fn logical_partitions() {
    for (name, kind, volume) in volumes() {
        let sectors = volume.len() / 512;
        let (first, second) = (6144, 8192 + sectors);
        let script = format!("label: dos\n2048,2048,c\n4096,,5\n{first},{sectors},c\n{second},{sectors},1c\n");
        let image =
            disk(volume.len() as u64 * 2 + 8 * MIB, &script, &[(first as u64, volume), (second as u64, volume)]);
        let reading = read_image(image);
        let roles: Vec<_> = reading.layout().volumes.iter().map(|volume| volume.role).collect();
        assert_eq!(roles, [VolumeRole::Primary, VolumeRole::Logical, VolumeRole::Logical]);
        assert_eq!(reading.layout().volumes[0].filesystem, FilesystemKind::Blank);
        check(name, *kind, &reading, 1);
        check(name, *kind, &reading, 2);
        let tables = reading.area.as_ref().unwrap().sums.iter().find(|sum| sum.class == AreaClass::Table).unwrap();
        assert_eq!((tables.bytes, tables.looked_at), (3 * 512, 3 * 512));
    }
}

#[test]
fn gpt_partitions() {
    for (name, kind, volume) in volumes() {
        let sectors = volume.len() / 512;
        let second = 2048 + sectors;
        let efi = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
        let data = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";
        let script = format!("label: gpt\n2048,{sectors},{efi}\n{second},{sectors},{data}\n");
        let image = disk(volume.len() as u64 * 2 + 4 * MIB, &script, &[(2048, volume), (second as u64, volume)]);
        let reading = read_image(image);
        let layout = reading.layout();
        assert_eq!(layout.tables, [PartitionTable::Mbr, PartitionTable::GptPrimary, PartitionTable::GptBackup]);
        assert_eq!(layout.volumes.iter().map(|volume| volume.efi).collect::<Vec<_>>(), [true, false]);
        check(name, *kind, &reading, 0);
        check(name, *kind, &reading, 1);
        let tables = reading.area.as_ref().unwrap().sums.iter().find(|sum| sum.class == AreaClass::Table).unwrap();
        assert_eq!(tables.bytes, 512 * (1 + 33 + 33));
    }
}

#[test]
fn hidden_and_system_attributes() {
    let volume = with_mtools(volumes()[1].2.clone(), |image| {
        crate::images::run("mattrib", &["+h", "+s", "+r", "-i", image, "::/README.TXT"], "");
    });
    let reading = read_image(volume);
    let entry = &reading.entries[reading.find("README.TXT") as usize];
    assert_eq!(entry.attributes, Attributes { hidden: true, system: true, read_only: true, strange_short_name: false });
    assert!(reading.not_read.is_empty());
}

/// FAT: a short name under which hosts would open the same file as something else.
#[test]
fn a_short_name_that_is_not_made_of_the_long_one_is_told() {
    let files =
        BTreeMap::from([".DS_Store", "a long name.txt"].map(|name| (name.to_owned(), name.as_bytes().to_vec())));
    let mut volume = fill_fat(crate::images::empty_fat(16, 16 * MIB, &[]), &files);
    let told = |volume: &[u8]| {
        let reading = read_image(volume.to_vec());
        assert!(reading.not_read.is_empty());
        files
            .keys()
            .map(|name| reading.entries[reading.find(name) as usize].attributes.strange_short_name)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&volume), [false, false]);
    let at = volume.windows(11).position(|bytes| bytes == b"DS_STO~1   ").unwrap();
    let short = *b"START   CMD";
    volume[at..at + 11].copy_from_slice(&short);
    // The entry of the long name, in front of it, has a sum over the short one (FAT specification 1.03, "ChkSum").
    volume[at - 32 + 13] = short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    assert_eq!(told(&volume), [true, false]);
}

#[test]
fn fragmented_files() {
    let pieces = |prefix: &str, count: usize, size: usize| -> BTreeMap<String, Vec<u8>> {
        (0..count).map(|number| (format!("{prefix}{number}"), vec![number as u8; size])).collect()
    };
    let volume = fill_fat(crate::images::empty_fat(16, 16 * MIB, &[]), &pieces("P", 150, 4096));
    let volume = with_mtools(volume, |image| {
        for number in (0..150).step_by(2) {
            crate::images::run("mdel", &["-i", image, &format!("::/P{number}")], "");
        }
    });
    let big = BTreeMap::from([("big.bin".to_owned(), crate::images::Numbers(7).bytes(14_000_000))]);
    let reading = read_image(fill_fat(volume, &big));
    assert!(reading.not_read.is_empty());
    assert!(reading.files(0)["big.bin"] == big["big.bin"]);
    assert_eq!(reading.files(0)["P1"], vec![1; 4096]);
    assert_eq!(reading.files(0).len(), 76);
}
