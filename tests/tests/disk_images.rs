//! A disk image inside a file is read by our own reader, one level deep: what is in it is found and named by its place,
//! and what cannot be checked in it is said of the file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::samples::{eicar, password_zip, plain_zip};
use blanche_tests::tools::run;
use blanche_tests::{Format, Layout, Scan, Station, Tree, image};
use std::path::Path;

/// A FAT32 medium with one file.
fn scan_file(name: &str, content: Vec<u8>) -> Scan {
    let folder = tempfile::tempdir().unwrap();
    let tree = Tree::new().with(name, content).with("lettre.txt", "Bonjour.\r\n");
    let disk = image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree);
    Station::new(folder.path()).scan(&disk)
}

/// The bytes of a medium of its own.
fn inner(folder: &Path, format: Format, layout: Layout, tree: &Tree) -> Vec<u8> {
    let disk = image(folder, format, layout, tree);
    let bytes = std::fs::read(&disk).unwrap();
    std::fs::remove_file(disk).unwrap();
    bytes
}

const PLACES: [(Format, Layout); 4] = [
    (Format::Fat12, Layout::Superfloppy),
    (Format::Fat16, Layout::MbrPrimary),
    (Format::ExFat, Layout::Superfloppy),
    (Format::Fat12, Layout::Gpt),
];

#[test]
fn eicar_in_a_disk_image_in_a_file_is_found_and_named_by_its_place() {
    for (format, layout) in PLACES {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new().with("dossier/a.zip", plain_zip()).with("b.txt", "Bonjour.\r\n");
        let scan = scan_file("cle.img", inner(folder.path(), format, layout, &tree));
        assert_eq!(scan.found(), ["cle.img"], "{format:?} {layout:?}: {:#}", scan.report);
        let findings = scan.report["findings"][0]["findings"].as_array().unwrap();
        let place = |finding: &serde_json::Value| finding["layer"][0] == "dossier/a.zip";
        assert!(findings.iter().any(place), "{format:?} {layout:?}: {findings:#?}");
        assert_eq!((scan.verdict(), scan.code), ("infected", 20));
        assert_eq!(scan.not_checked(), [], "{format:?} {layout:?}: {:#}", scan.report);
    }
}

#[test]
fn a_harmless_disk_image_in_a_file_is_clean() {
    for (format, layout) in PLACES {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new().with("dossier/a.txt", "Bonjour.\r\n").with("b.txt", vec![b'b'; 300_000]);
        let scan = scan_file("cle.img", inner(folder.path(), format, layout, &tree));
        assert_eq!((scan.verdict(), scan.code), ("clean", 0), "{format:?} {layout:?}: {:#}", scan.report);
    }
}

/// What stands in the way inside stands in the way of the file: a password, a damaged folder, another filesystem, an
/// image in the image, and an image in an archive, where no reader looks.
#[test]
fn what_cannot_be_checked_inside_is_said_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let fat = |tree: &Tree| inner(folder.path(), Format::Fat12, Layout::Superfloppy, tree);
    let letter = Tree::new().with("lettre.txt", "Bonjour.\r\n");
    let mut broken = fat(&letter);
    // The first cluster of the only file: beyond the end of the volume.
    let at = broken.windows(11).position(|window| window == b"LETTRE  TXT").unwrap();
    broken[at + 26..at + 28].copy_from_slice(&0x0ff0u16.to_le_bytes());
    let mut foreign = vec![0u8; 8 << 20];
    foreign[65_600..65_608].copy_from_slice(b"_BHRfS_M");
    let twice = Tree::new().with("once.img", fat(&Tree::new().with("e.com", eicar())));
    let cases = [
        ("password.img", fat(&Tree::new().with("a.zip", password_zip())), "encrypted"),
        ("broken.img", broken, "corrupt"),
        ("btrfs.img", foreign, "filesystem_unsupported"),
        ("twice.img", inner(folder.path(), Format::Fat16, Layout::Superfloppy, &twice), "container_unsupported"),
    ];
    for (name, content, cause) in cases {
        let scan = scan_file(name, content);
        assert!(scan.not_checked().contains(&(name.to_owned(), cause.to_owned())), "{name}: {:#}", scan.report);
        assert_ne!(scan.verdict(), "clean", "{name}");
    }
}

/// A disk image with an archive behind it is an archive too: what the reader sees does not answer for the rest.
#[test]
fn what_stands_behind_a_disk_image_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let letter = Tree::new().with("lettre.txt", "Bonjour.\r\n");
    let mut both = inner(folder.path(), Format::Fat12, Layout::Superfloppy, &letter);
    both.extend(password_zip());
    let scan = scan_file("both.img", both);
    assert!(scan.not_checked().contains(&("both.img".to_owned(), "encrypted".to_owned())), "{:#}", scan.report);
}

/// A disk image in a form of its own shows a reader nothing, even if its first sector passes for the table of a disk that was prepared
/// and not partitioned; one of fixed size is read to its end.
#[test]
fn a_virtual_disk_that_passes_for_an_empty_disk_is_not_checked() {
    let folder = tempfile::tempdir().unwrap();
    let letter = Tree::new().with("lettre.txt", "Bonjour.\r\n");
    let disk = image(folder.path(), Format::Fat16, Layout::MbrPrimary, &letter);
    let converted = |subformat: &str| {
        let options = format!("force_size=on,subformat={subformat}");
        let source = disk.to_str().unwrap();
        run(folder.path(), "qemu-img", ["convert", "-f", "raw", "-O", "vpc", "-o", &options, source, "disk.vhd"]);
        std::fs::read(folder.path().join("disk.vhd")).unwrap()
    };
    let mut dynamic = converted("dynamic");
    assert_eq!(dynamic[440..512], [0; 72]);
    dynamic[510..512].copy_from_slice(&[0x55, 0xaa]);
    let scan = scan_file("disque.vhd", dynamic);
    assert_eq!(scan.not_checked(), [("disque.vhd".to_owned(), "container_unsupported".to_owned())]);
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10));
    let scan = scan_file("disque.vhd", converted("fixed"));
    assert_eq!((scan.verdict(), scan.code), ("clean", 0), "{:#}", scan.report);
}

/// What hosts take for a FAT is one for the engines as well: another jump, no jump but the mark, three tables.
#[test]
fn disk_images_that_only_hosts_recognise_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let tree = Tree::new().with("a.zip", plain_zip());
    let change: [(usize, &[u8]); 2] = [(2, &[0x00]), (0, &[0, 0, 0])];
    for (at, bytes) in change {
        let mut volume = inner(folder.path(), Format::Fat12, Layout::Superfloppy, &tree);
        volume[at..at + bytes.len()].copy_from_slice(bytes);
        let scan = scan_file("cle.bin", volume);
        assert_eq!(scan.found(), ["cle.bin"], "{at}: {:#}", scan.report);
        let findings = scan.report["findings"][0]["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["layer"][0] == "a.zip"), "{at}: {findings:#?}");
    }
}
