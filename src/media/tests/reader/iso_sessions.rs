//! Media with several sets of descriptors, and what computers start from.

use super::patch::Iso;
use super::{Files, GENISOIMAGE, XORRISO, area, files, made, small, text};
use crate::images::{run, write_tree};
use crate::reading::read_image;
use blanche_sandbox::wire::{AreaClass, Cause, Corruption, Tree};
use std::collections::BTreeMap;
use std::fs;

/// A medium that xorriso writes in sessions: the first of each pair is what it does with `-dev`.
pub(super) fn sessions(steps: &[&[&str]], tree: &Files) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (files, image) = (folder.path().join("files"), folder.path().join("volume.iso"));
    write_tree(&files, tree);
    for step in steps {
        let step: Vec<String> = step.iter().map(|word| word.replace("DISK", text(&files))).collect();
        let mut arguments = vec!["-joliet", "on", "-volid", "BLANCHE", "-dev", text(&image)];
        arguments.extend(step.iter().map(String::as_str));
        run("xorriso", &arguments, "");
    }
    fs::read(&image).unwrap()
}

#[test]
fn what_only_an_older_session_has_is_read() {
    let tree = small(&[("one.bin", 3000), ("two.bin", 4000), ("three.bin", 5000)]);
    let image = sessions(
        &[
            &["-map", "DISK/one.bin", "/one.bin"],
            &["-map", "DISK/two.bin", "/two.bin"],
            &["-rm", "/one.bin", "--", "-map", "DISK/three.bin", "/three.bin", "-mv", "/two.bin", "/moved.bin", "--"],
        ],
        &tree,
    );
    let reading = read_image(image);
    assert_eq!(reading.not_read, []);
    let names = |session| files(&reading, Tree::RockRidge, session).into_keys().collect::<Vec<_>>();
    assert_eq!(names(1), ["moved.bin", "three.bin"], "the newest one stands at sector 16");
    assert_eq!(names(2), ["one.bin"]);
    assert_eq!(names(3), ["one.bin", "two.bin"]);
    assert_eq!(reading.contents.len(), 3);
    assert_eq!(files(&reading, Tree::Joliet, 2)["one.bin"], tree["one.bin"]);
    assert_eq!(reading.layout().volumes.len(), 9);
}

#[test]
fn sessions_of_genisoimage() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let first = made(GENISOIMAGE, &["-r", "-J"], &small(&[("one.bin", 3000)]));
    let start = (first.len() / 2048).next_multiple_of(32);
    let mut medium = first.clone();
    medium.resize(start * 2048, 0);
    fs::write(path("first"), &medium).unwrap();
    let place = format!("0,{start}");
    let more = made(GENISOIMAGE, &["-r", "-J", "-C", &place, "-M", text(&path("first"))], &small(&[("two.bin", 4000)]));
    medium.extend_from_slice(&more);
    // As cdrecord writes it, and as growisofs does on media that can be overwritten.
    let reading = read_image(medium.clone());
    assert_eq!(reading.not_read, []);
    assert_eq!(files(&reading, Tree::RockRidge, 1).into_keys().collect::<Vec<_>>(), ["one.bin"]);
    assert_eq!(files(&reading, Tree::RockRidge, 2).into_keys().collect::<Vec<_>>(), ["one.bin", "two.bin"]);
    let sets = (16 * 2048..19 * 2048, (start + 16) * 2048);
    medium.copy_within(sets.1..sets.1 + sets.0.len(), sets.0.start);
    let reading = read_image(medium);
    assert_eq!(reading.not_read, []);
    assert_eq!(files(&reading, Tree::RockRidge, 0).into_keys().collect::<Vec<_>>(), ["one.bin", "two.bin"]);
}

#[test]
fn boot_images_that_no_tree_names_are_files() {
    let tree = small(&[("boot/bios.bin", 20_000), ("boot/efi.img", 49 * 2048), ("file.bin", 9000)]);
    let boot = ["-b", "boot/bios.bin", "-c", "boot/boot.cat", "-no-emul-boot", "-boot-load-size", "4"];
    let efi = ["-eltorito-alt-boot", "-e", "boot/efi.img", "-no-emul-boot"];
    let visible = read_image(made(XORRISO, &[&["-r"][..], &boot, &efi].concat(), &tree));
    assert_eq!(visible.not_read, []);
    assert!(visible.entries.iter().all(|entry| entry.name != b"[boot]"));
    assert_eq!(area(&visible, AreaClass::Boot), (17 * 2048, 17 * 2048));
    let hidden = ["-hide", "bios.bin", "-hide", "boot.cat"];
    let reading = read_image(made(GENISOIMAGE, &[&["-r"][..], &boot, &hidden].concat(), &tree));
    assert_eq!(reading.not_read, []);
    let found = reading.files(0);
    assert_eq!(found["[boot]/image 1"][..20_000], tree["boot/bios.bin"]);
    assert_eq!(found["[boot]/image 1"].len(), 20_480, "up to what comes next");
}

#[test]
fn a_boot_image_behind_the_volume() {
    let folder = tempfile::tempdir().unwrap();
    let partition = crate::images::fat(12, 1 << 20, &[], &small(&[("BOOTX64.EFI", 3000)]));
    fs::write(folder.path().join("fat"), &partition).unwrap();
    let image = folder.path().join("fat");
    let append = ["-append_partition", "2", "0xef", text(&image)];
    let boot = ["-e", "--interval:appended_partition_2:all::", "-no-emul-boot"];
    let reading = read_image(made(XORRISO, &[&["-r"][..], &append, &boot].concat(), &small(&[("file.bin", 9000)])));
    assert_eq!(reading.not_read, []);
    assert_eq!(files(&reading, Tree::Iso9660, 0)["[boot]/image 1"][..3], partition[..3]);
}

#[test]
fn two_sets_of_descriptors_with_one_partition() {
    let image = made(XORRISO, &["-r", "-J", "-partition_offset", "16"], &small(&[("file.bin", 9000)]));
    let reading = read_image(image);
    for session in [1, 2] {
        assert_eq!(files(&reading, Tree::RockRidge, session).into_keys().collect::<Vec<_>>(), ["file.bin"]);
    }
    assert_eq!(reading.contents.len(), 1);
    let unexpected = reading.not_read.iter().find(|note| !matches!(note.cause, Cause::Corrupt(PARTITION)));
    assert_eq!(unexpected, None);
}

const PARTITION: Corruption = Corruption::PartitionBounds;

#[test]
fn an_image_in_a_file_is_no_session() {
    let inner = made(XORRISO, &["-r", "-J"], &small(&[("inner.bin", 9000)]));
    for padding in 0..33 {
        // In one of these the descriptors of the inner image stand where those of a session would.
        let tree =
            BTreeMap::from([("a.bin".to_owned(), vec![1; padding * 2048 + 1]), ("b.iso".to_owned(), inner.clone())]);
        let reading = read_image(made(XORRISO, &["-r", "-J"], &tree));
        assert_eq!(reading.not_read, []);
        assert_eq!(reading.layout().volumes.len(), 3);
        assert_eq!(files(&reading, Tree::RockRidge, 0), tree);
    }
}

#[test]
fn a_boot_image_that_only_its_own_boot_sector_measures() {
    let boot = ["-b", "boot.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"];
    let mut image = Iso(made(XORRISO, &[&["-r"][..], &boot].concat(), &small(&[("boot.bin", 20_000)])));
    let partition = crate::images::fat(12, 1 << 20, &[], &small(&[("BOOTX64.EFI", 3000)]));
    let hidden = image.append(&[&partition[..], &[7; 40_000]].concat());
    let entry = image.u32(image.descriptor(0) + 71) * 2048 + 32;
    for sectors in [0u8, 1] {
        image.0[entry + 6..entry + 12].copy_from_slice(&[&[sectors, 0][..], &hidden.to_le_bytes()].concat());
        let reading = read_image(image.0.clone());
        assert_eq!(reading.not_read, []);
        assert!(reading.files(0)["[boot]/image 1"] == partition);
    }
}
