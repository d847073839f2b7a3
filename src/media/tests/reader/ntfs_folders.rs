//! Folders that lie: entries, blocks, names, loops.

use super::edit::*;
use super::volume::*;
use crate::reading::{Reading, read_image};
use blanche_sandbox::wire::{Cause, Corruption};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const RECORD_FAULT: Cause = Cause::Corrupt(Corruption::FileRecord);
const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const UNREACHABLE: Cause = Cause::Corrupt(Corruption::Unreachable);

/// A folder of three blocks and more.
fn large_folder() -> (Image, usize) {
    let image = Image::new(|mount| {
        fs::create_dir(mount.join("folder")).unwrap();
        for number in 0..120 {
            write(mount, &format!("folder/a file with a long name {number:04}"), b"x");
        }
    });
    let number = image.find("folder");
    (image, number)
}

/// Places of the index blocks of a folder.
fn blocks(image: &Image, folder: usize) -> Vec<usize> {
    let runs = image.runs(&image.record(folder), INDEX_ALLOCATION, "$I30");
    runs.into_iter().flat_map(|(start, length)| (start..start + length).step_by(4096)).collect()
}

/// Turns the only name of a file into a short one, in its record and in the folder.
fn set_namespace(image: &mut Image, name: &str, namespace: u8) {
    let number = image.find(name);
    image.change(number, |record| {
        let (at, _) = attribute(record, FILE_NAME, "");
        record[at + 24 + 65] = namespace;
    });
    let (place, mut block) = root_block(image);
    let (at, _) = entry_in(&block, name);
    block[at + 16 + 65] = namespace;
    put_block(image, place, block);
}

#[test]
fn a_record_that_no_folder_names_is_named() {
    let mut image = Image::new(|mount| {
        write(mount, "hidden", MARKER);
        write(mount, "other", b"harmless");
    });
    take_out_of_block(&mut image, "hidden");
    let place = image.place(image.find("hidden")) as u64;
    let reading = image.read();
    let notes: Vec<_> = reading.not_read.iter().map(|note| (note.offset, note.length, &note.cause)).collect();
    assert_eq!(notes, [(place, 1024, &UNREACHABLE)]);
}

#[test]
fn what_lies_in_a_folder_behind_a_junction_is_named() {
    let mut image = Image::new(|mount| {
        fs::create_dir(mount.join("junction")).unwrap();
        write(mount, "junction/hidden", MARKER);
    });
    let number = image.find("junction");
    let mut point = 0xa000_0003u32.to_le_bytes().to_vec();
    point.extend([8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    image.change(number, |record| insert(record, &resident(0xc0, "", 40, &point)));
    let reading = image.read();
    assert_eq!(reading.links(0), BTreeMap::from([("junction".to_owned(), point)]));
    assert!(says_of_volume(&reading, &UNREACHABLE));
}

#[test]
fn a_short_name_alone_is_a_name() {
    let mut image = Image::new(|mount| {
        write(mount, "HIDDEN~1", MARKER);
        write(mount, "other", b"harmless");
    });
    set_namespace(&mut image, "HIDDEN~1", 2);
    let reading = image.read();
    assert_eq!((reading.files(0)["HIDDEN~1"].as_slice(), reading.not_read.len()), (MARKER, 0));
}

#[test]
fn a_short_name_beside_its_long_one_is_no_second_file() {
    let fill = |mount: &Path| {
        write(mount, "a long name.document", MARKER);
        set(&mount.join("a long name.document"), "system.ntfs_dos_name", "ALONGN~1.DOC");
    };
    let reading = read_image(ntfs(8 * MIB, &[], fill));
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(0).into_keys().collect::<Vec<_>>(), ["a long name.document"]);
    let strange = |reading: &Reading| {
        reading.entries[reading.find("a long name.document") as usize].attributes.strange_short_name
    };
    assert!(!strange(&reading));
    let other = |mount: &Path| {
        write(mount, "a long name.document", MARKER);
        set(&mount.join("a long name.document"), "system.ntfs_dos_name", "START.CMD");
    };
    assert!(strange(&read_image(ntfs(8 * MIB, &[], other))));
    // Without the long name in the folder, the short one is all there is.
    let mut image = Image::new(fill);
    take_out_of_block(&mut image, "a long name.document");
    let reading = image.read();
    assert_eq!(reading.files(0)["ALONGN~1.DOC"], MARKER);
    assert_eq!(reading.notes("ALONGN~1.DOC"), [(0, MARKER.len() as u64, DIRECTORY)]);
}

#[test]
fn the_size_in_the_record_counts() {
    let mut image = Image::new(|mount| write(mount, "file", MARKER));
    let (place, mut block) = root_block(&image);
    let (at, _) = entry_in(&block, "file");
    block[at + 16 + 40..at + 16 + 56].fill(0);
    put_block(&mut image, place, block);
    let reading = image.read();
    assert_eq!((reading.files(0)["file"].as_slice(), reading.not_read.len()), (MARKER, 0));
}

#[test]
fn an_entry_that_leads_to_another_record_is_named() {
    let mut image = Image::new(|mount| {
        write(mount, "one", b"harmless");
        write(mount, "two", MARKER);
    });
    let two = image.find("two") as u8;
    let (place, mut block) = root_block(&image);
    let (at, _) = entry_in(&block, "one");
    block[at] = two;
    put_block(&mut image, place, block);
    let reading = image.read();
    assert!(reading.notes("one").contains(&(0, MARKER.len() as u64, DIRECTORY)));
    assert!(says_of_volume(&reading, &UNREACHABLE), "the record of the first one");
}

#[test]
fn an_entry_of_an_earlier_life_of_its_record_is_named() {
    let mut image = Image::new(|mount| write(mount, "file", MARKER));
    let (place, mut block) = root_block(&image);
    let (at, _) = entry_in(&block, "file");
    block[at + 6] += 1;
    put_block(&mut image, place, block);
    let reading = image.read();
    assert_eq!(reading.notes("file"), [(0, MARKER.len() as u64, DIRECTORY)]);
    assert!(handed_over(&reading));
}

#[test]
fn names_that_windows_cannot_tell_apart() {
    let reading = read_image(ntfs(8 * MIB, &[], |mount| {
        write(mount, "Été.exe", b"harmless");
        write(mount, "éTÉ.EXE", MARKER);
    }));
    assert_eq!(reading.not_read.len(), 1);
    assert!(reading.says(&Cause::AmbiguousNames) && handed_over(&reading));
}

#[test]
fn a_table_of_capitals_that_does_not_fold_is_named() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    let (place, _) = image.runs(&image.record(10), DATA, "")[0];
    let own = 2 * usize::from(b'e');
    image.bytes[place + own] = b'e';
    assert!(says_of_volume(&image.read(), &Cause::Corrupt(Corruption::Checksum)));
}

#[test]
fn a_block_that_the_tree_does_not_name_is_listed_and_named() {
    let (mut image, number) = large_folder();
    assert!(blocks(&image, number).len() >= 3);
    assert_eq!(read_image(image.bytes.clone()).not_read, []);
    image.change(number, |record| {
        // Only the last entry of the root stays, without a child.
        let (at, _) = attribute(record, INDEX_ROOT, "$I30");
        let value = at + u16_at(record, at + 20);
        let mut empty = record[value..value + 32].to_vec();
        for field in [20, 24] {
            empty[field..field + 4].copy_from_slice(&32u32.to_le_bytes());
        }
        empty.extend([0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0]);
        remove(record, INDEX_ROOT, "$I30");
        insert(record, &resident(INDEX_ROOT, "$I30", 3, &empty));
    });
    let reading = image.read();
    assert_eq!(reading.notes("folder"), [(0, 0, DIRECTORY)]);
    assert_eq!(reading.files(0).len(), 120);
}

#[test]
fn a_block_that_the_bitmap_does_not_know_is_listed_and_named() {
    let (mut image, number) = large_folder();
    image.change(number, |record| {
        let (at, _) = attribute(record, BITMAP, "$I30");
        let value = at + u16_at(record, at + 20);
        record[value] = 0;
    });
    let reading = image.read();
    assert_eq!(reading.files(0).len(), 120);
    assert!(reading.notes("folder").contains(&(0, 0, DIRECTORY)));
}

#[test]
fn a_block_that_names_itself_as_its_child_is_read_once() {
    let (mut image, number) = large_folder();
    let places = blocks(&image, number);
    let mut block = image.bytes[places[1]..places[1] + 4096].to_vec();
    fix(&mut block, false);
    let at = 24 + u32_at(&block, 24);
    let length = u16_at(&block, at + 8);
    // The first entry gets block 1 as its child; the bytes of the second one make room for it.
    block[at + 12] |= 1;
    let second = u16_at(&block, at + length + 8);
    block[at + 8..at + 10].copy_from_slice(&((length + second) as u16).to_le_bytes());
    block[at + length + second - 8..at + length + second].copy_from_slice(&1u64.to_le_bytes());
    put_block(&mut image, places[1], block);
    let reading = image.read();
    let notes = reading.notes("folder");
    assert!(notes.iter().all(|note| note.2 == DIRECTORY) && !notes.is_empty());
    assert_eq!(reading.files(0).len(), 119, "every block once");
    assert!(says_of_volume(&reading, &UNREACHABLE), "the name that was overwritten");
}

#[test]
fn a_torn_block_is_named() {
    let (mut image, number) = large_folder();
    let place = blocks(&image, number)[1];
    image.bytes[place + 1022] ^= 1;
    let reading = image.read();
    assert_eq!(reading.notes("folder"), [(0, 0, DIRECTORY)]);
    assert!(says_of_volume(&reading, &UNREACHABLE));
}

#[test]
fn a_folder_in_itself_ends() {
    let mut image = Image::new(|mount| {
        fs::create_dir(mount.join("folder")).unwrap();
        fs::create_dir(mount.join("folder/inner")).unwrap();
    });
    let (folder, inner) = (image.find("folder"), image.find("inner"));
    // The entry of the inner folder leads to the outer one.
    image.change(folder, |record| {
        let (at, _) = attribute(record, INDEX_ROOT, "$I30");
        let value = at + u16_at(record, at + 20);
        record[value + 32] = folder as u8;
    });
    assert_ne!(folder, inner);
    let reading = image.read();
    assert!(reading.notes("folder/inner").iter().all(|note| note.2 == DIRECTORY));
    assert_eq!(reading.notes("folder/inner").len(), 2, "another record, and a loop");
}

/// The root cannot be listed: everything is unreachable, nothing is clean.
#[test]
fn a_lost_root_is_named() {
    let mut image = Image::new(|mount| write(mount, "file", MARKER));
    let place = image.place(5);
    image.bytes[place..place + 4].fill(0);
    let reading = image.read();
    assert!(says_of_volume(&reading, &RECORD_FAULT) && says_of_volume(&reading, &UNREACHABLE));
}
