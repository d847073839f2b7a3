//! Filesystems and volume formats that are not read: wherever one stands, it is called by its name and not checked.

use crate::images::{Numbers, disk, empty_fat, fat, run};
use crate::reading::{Reading, read_image, read_with};
use blanche_media::FileSource;
use blanche_sandbox::wire::{Cause, FilesystemKind, ReadLimits, Subject, VolumeRole};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;

const MIB: usize = 1 << 20;

/// A superblock at byte 1024 with these fields.
fn superblock(fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    for (at, value) in fields {
        bytes[*at..at + value.len()].copy_from_slice(value);
    }
    bytes
}

/// Place, bytes and kind of every format that this module is about, one for each form.
fn formats() -> Vec<(usize, Vec<u8>, FilesystemKind)> {
    use FilesystemKind::*;
    let plain: [(usize, &[u8], FilesystemKind); 28] = [
        (0, b"-rom1fs-", RomFs),
        (0, b"\x45\x3d\xcd\x28", CramFs),
        (512, b"\x28\xcd\x3d\x45", CramFs),
        (32, b"BFS1", Befs),
        (544, b"1SFB", Befs),
        (512, b"/\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", Qnx4),
        (1024, b"\xe2\xe1\xf5\xe0", Erofs),
        (1024, b"OCFSV2", Ocfs2),
        (8192, b"OCFSV2", Ocfs2),
        (4120, b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef", Bcachefs),
        (8192, b"\x49\xe8\x95\xf9\xc5\xe9\x53\xfa", Hpfs),
        (8244, b"ReIsErFs", ReiserFs),
        (65_588, b"ReIsEr2Fs", ReiserFs),
        (65_588, b"ReIsEr3Fs", ReiserFs),
        (65_536, b"ReIsEr4", ReiserFs),
        (32_768, b"JFS1", Jfs),
        (1372, b"\x54\x19\x01\0", Ufs),
        (9564, b"\x19\x01\x54\x19", Ufs),
        (66_908, b"\0\x01\x19\x54", Ufs),
        (263_516, b"\x19\x54\x01\x19", Ufs),
        (16_384, b"\x01\x01\0\0\0\0\0\0\0\0\0\x01", Zfs),
        (278_528, b"\x01\0\0\0\0\0\0\0\0\0\0\x01", Zfs),
        (8 * MIB - (512 << 10) + (16 << 10), b"\x01\x01\0\0\0\0\0\0\0\0\0\x01", Zfs),
        (65_536, b"\x01\x16\x19\x70\0\0\0\x01", Gfs2),
        (MIB, b"\x0d\xd0\x01\xc0", Vmfs),
        (2 * MIB, b"\x5e\xf1\xab\x2f", Vmfs),
        (16_384, b"SKUL\xba\xbe", Luks),
        (4 * MIB, b"SKUL\xba\xbe", Luks),
    ];
    let mut all: Vec<_> = plain.into_iter().map(|(at, magic, kind)| (at, magic.to_vec(), kind)).collect();
    let size = 4096u32.to_be_bytes();
    let plus = [(0, &b"H+\0\x04"[..]), (40, &size), (44, b"\0\0\x10\0"), (48, b"\0\0\x01\0"), (64, b"\0\0\0\x10")];
    let classic = [(0, &b"BD"[..]), (18, b"\x10\0"), (20, b"\0\0\x02\0"), (34, b"\x01\0"), (36, b"\x04Disk")];
    let nilfs = [(0, &b"\x02\0\0\0"[..]), (6, b"\x34\x34"), (20, b"\x02\0\0\0"), (24, b"\x04"), (32, b"\0\0\x80")];
    let minix3 = [(0, &b"\x40"[..]), (6, b"\x01\0\x01\0\x09\0"), (20, b"\0\x20"), (24, b"\x5a\x4d"), (28, b"\0\x04")];
    all.push((1024, superblock(&plus), HfsPlus));
    all.push((1024, superblock(&classic), Hfs));
    all.push((1024, superblock(&nilfs), Nilfs2));
    all.push((8 * MIB - 4096, superblock(&nilfs), Nilfs2));
    all.push((1024, superblock(&minix3), Minix));
    all
}

fn said(reading: &Reading, kind: FilesystemKind) -> bool {
    reading.says(&Cause::FilesystemUnsupported(kind))
}

#[test]
fn a_volume_is_called_by_its_name() {
    for (at, bytes, kind) in formats() {
        let mut image = vec![0; 8 * MIB];
        image[at..at + bytes.len()].copy_from_slice(&bytes);
        let reading = read_image(image);
        assert_eq!(reading.layout().volumes[0].filesystem, kind, "{at}");
        assert!(said(&reading, kind), "{kind:?} at {at}");
    }
}

#[test]
fn volumes_of_mkfs_are_called_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let path = image.to_str().unwrap();
    for version in ["-1", "-2", "-3"] {
        fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
        run("mkfs.minix", &[version, path], "");
        assert!(said(&read_image(fs::read(&image).unwrap()), FilesystemKind::Minix), "{version}");
    }
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), [1; 9000]).unwrap();
    run("mkfs.cramfs", &[tree.to_str().unwrap(), path], "");
    assert!(said(&read_image(fs::read(&image).unwrap()), FilesystemKind::CramFs));
}

#[test]
fn one_in_the_reserved_sectors_of_another_is_named() {
    for (at, bytes, kind) in formats() {
        // Behind the copy of the boot sector, and before the tables: 128 sectors are reserved.
        let mut image = empty_fat(32, 40 << 20, &["-R", "128"]);
        if !(1024..65_536 - 512).contains(&at) {
            continue;
        }
        image[at..at + bytes.len()].copy_from_slice(&bytes);
        let reading = read_image(image);
        assert_eq!(reading.layout().volumes[0].filesystem, FilesystemKind::Fat32);
        assert!(said(&reading, kind), "{kind:?} at {at}");
    }
}

#[test]
fn one_in_a_gap_is_named() {
    let files = fat(16, 16 << 20, &[], &BTreeMap::from([("FILE.BIN".to_owned(), vec![1; 3000])]));
    for (at, bytes, kind) in formats().into_iter().filter(|(at, ..)| *at < 7 * MIB) {
        let mut hidden = vec![0; at];
        hidden.extend(&bytes);
        let table = "label: dos\n2048,32768,c\n";
        let reading = read_image(disk(40 << 20, table, &[(2048, &files), (24 * 2048, &hidden)]));
        let is = |volume: &blanche_sandbox::wire::Volume| volume.role == VolumeRole::Gap && volume.filesystem == kind;
        let number = reading.layout().volumes.iter().position(is);
        let number = number.unwrap_or_else(|| panic!("{kind:?} at {at} is not found"));
        let subject = Subject::Volume(u16::try_from(number).unwrap());
        let cause = Cause::FilesystemUnsupported(kind);
        assert!(reading.not_read.iter().any(|note| note.subject == subject && note.cause == cause));
    }
}

/// Two bytes are met by chance: every second place of a large gap would be "HFS" otherwise.
#[test]
fn two_bytes_in_a_gap_are_no_filesystem() {
    for magic in [(0, &b"BD"[..]), (0, b"H+\0\x04"), (6, b"\x34\x34"), (16, b"\x7f\x13"), (24, b"\x5a\x4d")] {
        let mut noise = Numbers(9).bytes(4096);
        noise[1024 + magic.0..1024 + magic.0 + magic.1.len()].copy_from_slice(magic.1);
        let reading = read_image(disk(40 << 20, "label: dos\n", &[(24 * 2048, &noise)]));
        assert_eq!((reading.layout().volumes.len(), reading.not_read.len()), (0, 0), "{magic:?}");
    }
}

/// The same where content of files may lie, at the end of a volume; a whole superblock there is another filesystem.
#[test]
fn two_bytes_in_content_are_no_filesystem() {
    let nilfs = formats().into_iter().find(|(_, _, kind)| *kind == FilesystemKind::Nilfs2).unwrap().1;
    for (bytes, second) in [(&[b'4'; 512][..], false), (&nilfs[..], true)] {
        let mut image = empty_fat(16, 16 << 20, &[]);
        let at = image.len() - 4096;
        image[at..at + 512].copy_from_slice(bytes);
        let said = Cause::Corrupt(blanche_sandbox::wire::Corruption::SecondFilesystem);
        assert_eq!(read_image(image).says(&said), second);
    }
}

#[test]
fn a_filesystem_in_the_middle_of_an_empty_volume_is_named() {
    let hidden = empty_fat(16, 16 << 20, &[]);
    for place in [9 * MIB, (16_065 + 63) * 512] {
        for table in [0, 2048 * 512] {
            let mut image = vec![0; 40 * MIB];
            if table > 0 {
                image = disk(40 << 20, "label: dos\n2048,,c\n", &[]);
            }
            image[place..place + hidden.len()].copy_from_slice(&hidden);
            let reading = read_image(image);
            assert_eq!(reading.layout().volumes[0].filesystem, FilesystemKind::Unknown);
            let note = &reading.not_read[0];
            assert_eq!((note.offset, &note.cause), (place as u64, &Cause::UnknownContent), "{table}");
        }
    }
}

#[test]
fn a_filesystem_far_inside_a_large_gap_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let hidden = fat(16, 16 << 20, &[], &BTreeMap::from([("FILE.BIN".to_owned(), vec![1; 3000])]));
    for place in [900 << 20, (100 * 16_065 + 63) * 512] {
        let file = fs::File::create(&image).unwrap();
        file.set_len(1000 << 20).unwrap();
        run("sfdisk", &["-q", "--no-tell-kernel", image.to_str().unwrap()], "label: dos\n");
        file.write_all_at(&hidden, place).unwrap();
        let file = fs::File::open(&image).unwrap();
        let reading = read_with(&FileSource::new(&file, 1000 << 20), ReadLimits::default());
        assert_eq!(reading.layout().volumes[0].start, place);
        assert_eq!(reading.files(0)["FILE.BIN"], vec![1; 3000]);
    }
}
