//! Records that lie: run lists, sizes, compression, attribute lists; and the files of the file system itself.

use super::edit::*;
use super::volume::*;
use crate::reading::read_image;
use blanche_sandbox::wire::{Cause, Corruption, Feature};
use std::fs;

const RECORD_FAULT: Cause = Cause::Corrupt(Corruption::FileRecord);
const CHAIN: Cause = Cause::Corrupt(Corruption::Chain);
const CROSS_LINKED: Cause = Cause::Corrupt(Corruption::CrossLinked);
const COMPRESSION: Cause = Cause::Corrupt(Corruption::Compression);

/// A file whose 3 clusters are followed by 3 of another one.
fn two_files() -> Image {
    Image::new(|mount| {
        write(mount, "one", &[1; 12_288]);
        write(mount, "two", &[2; 12_288]);
    })
}

/// Gives the unnamed stream another run list.
fn set_runs(image: &mut Image, name: &str, list: &[u8]) {
    let number = image.find(name);
    image.change(number, |record| {
        let (at, _) = attribute(record, DATA, "");
        let old = record[at..].to_vec();
        let (size, last) = (u64_at(&old, 48), u64_at(&old, 24));
        remove(record, DATA, "");
        insert(record, &non_resident(DATA, "", 9, last + 1, size, list));
    });
}

/// Behind what was ever written, every host shows zeros, whatever lies in the clusters.
#[test]
fn behind_the_initialised_size_there_are_zeros() {
    let mut image = Image::new(|mount| write(mount, "file", &[&[7; 6000], MARKER, &[8; 3000]].concat()));
    let number = image.find("file");
    image.change(number, |record| {
        let (at, _) = attribute(record, DATA, "");
        record[at + 56..at + 64].copy_from_slice(&5000u64.to_le_bytes());
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("volume.img");
    fs::write(&path, &image.bytes).unwrap();
    let shown = mounted(&path, "ro", |mount| fs::read(mount.join("file")).unwrap());
    let reading = image.read();
    assert_eq!(reading.not_read, []);
    assert!(reading.files(0)["file"] == shown && shown[5000..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_torn_record_is_named() {
    let mut image = Image::new(|mount| write(mount, "file", MARKER));
    let place = image.place(image.find("file"));
    image.bytes[place + 510] ^= 1;
    assert_eq!(image.read().notes("file"), [(0, 0, RECORD_FAULT)]);
}

#[test]
fn runs_outside_the_volume_are_named() {
    // Three clusters from 0x7000 on; three from -16 on.
    for list in [&[0x21, 3, 0, 0x70, 0][..], &[0x11, 3, 0xf0, 0]] {
        let mut image = two_files();
        set_runs(&mut image, "one", list);
        let reading = image.read();
        assert_eq!(reading.notes("one"), [(0, 12_288, CHAIN)]);
        assert!(!reading.files(0).contains_key("one") && reading.files(0)["two"] == vec![2; 12_288]);
    }
}

/// What lies outside and what was never written, one behind the other.
#[test]
fn runs_outside_the_volume_before_zeros_are_named() {
    let mut image = two_files();
    set_runs(&mut image, "one", &[0x21, 3, 0, 0x70, 0]);
    let number = image.find("one");
    image.change(number, |record| {
        let (at, _) = attribute(record, DATA, "");
        record[at + 56..at + 64].copy_from_slice(&5000u64.to_le_bytes());
    });
    assert_eq!(image.read().notes("one"), [(0, 5000, CHAIN)]);
}

#[test]
fn runs_that_overlap_or_belong_to_another_file_are_named() {
    let image = two_files();
    let first = image.runs(&image.record(image.find("one")), DATA, "")[0].0 / image.cluster;
    let [low, high, ..] = first.to_le_bytes();
    let mut twice = Image::of(image.bytes.clone());
    // Two clusters, and the second of them again.
    set_runs(&mut twice, "one", &[0x21, 2, low, high, 0x11, 1, 1, 0]);
    assert_eq!(twice.read().notes("one"), [(8192, 4096, CROSS_LINKED)]);
    let mut shared = image;
    set_runs(&mut shared, "two", &[0x21, 3, low, high, 0]);
    let reading = shared.read();
    assert_eq!(reading.notes("two"), [(0, 12_288, CROSS_LINKED)]);
    assert_eq!(reading.files(0)["two"], vec![1; 12_288]);
}

#[test]
fn content_in_the_clusters_of_the_file_system_is_named() {
    let mut image = two_files();
    let mft = image.place(0) / image.cluster;
    set_runs(&mut image, "one", &[0x11, 3, mft as u8, 0]);
    assert_eq!(image.read().notes("one"), [(0, 12_288, CROSS_LINKED)]);
}

#[test]
fn sizes_beyond_everything_are_named() {
    for size in [1u64 << 63, u64::MAX, 1 << 40] {
        let mut image = two_files();
        let number = image.find("one");
        image.change(number, |record| {
            let (at, _) = attribute(record, DATA, "");
            record[at + 48..at + 64].copy_from_slice(&[size.to_le_bytes(), size.to_le_bytes()].concat());
        });
        let reading = image.read();
        assert_eq!(reading.notes("one"), [(12_288, size - 12_288, CHAIN)]);
        assert_eq!(reading.files(0)["one"], vec![1; 12_288]);
    }
}

#[test]
fn a_hole_larger_than_everything_ends() {
    let mut image = two_files();
    let number = image.find("one");
    let count = 1u64 << 45;
    image.change(number, |record| {
        remove(record, DATA, "");
        let list = [&[0x07u8][..], &count.to_le_bytes()[..7], &[0]].concat();
        insert(record, &non_resident(DATA, "", 9, count, count * 4096, &list));
    });
    let reading = image.read();
    assert!(reading.not_read.iter().any(|note| note.length == count * 4096));
}

#[test]
fn encrypted_content_is_not_read() {
    let mut image = two_files();
    let number = image.find("one");
    image.change(number, |record| {
        let (at, _) = attribute(record, DATA, "");
        record[at + 13] |= 0x40;
    });
    let reading = image.read();
    assert_eq!(reading.notes("one"), [(0, 12_288, Cause::FeatureUnsupported(Feature::Encryption))]);
    assert!(!reading.files(0).contains_key("one"));
}

/// A compressed file of two units, each stored in one cluster.
fn packed() -> (Image, usize) {
    let image = Image::new(|mount| {
        fs::create_dir(mount.join("packed")).unwrap();
        set(&mount.join("packed"), "system.ntfs_attrib", "0x00080000");
        write(mount, "packed/file", &[b'x'; 131_072]);
    });
    let place = image.runs(&image.record(image.find("file")), DATA, "")[0].0;
    (image, place)
}

#[test]
fn a_compressed_unit_that_does_not_unpack_is_named() {
    let endless = [&[0x02, 0xb0, 0x02, 0x41, 0xff][..], &[0x0f]].concat();
    for broken in [&b"\xff\xbf"[..], &b"\x03\xb0\x02A\xff\x0f"[..], &endless, &b"no chunk"[..]] {
        let (mut image, place) = packed();
        image.bytes[place..place + 4096].fill(0xff);
        image.bytes[place..place + broken.len()].copy_from_slice(broken);
        let reading = image.read();
        let notes = reading.notes("packed/file");
        assert!(notes.iter().all(|note| note.2 == COMPRESSION) && !notes.is_empty(), "{notes:?}");
        assert_eq!(notes.iter().map(|note| note.1).sum::<u64>(), 65_536, "one unit of two");
        assert!(reading.files(0)["packed/file"][65_536..].iter().all(|byte| *byte == b'x'));
    }
}

#[test]
fn an_unknown_method_of_compression_is_named() {
    let (mut image, _) = packed();
    let number = image.find("file");
    image.change(number, |record| {
        let (at, _) = attribute(record, DATA, "");
        record[at + 12] = 2;
    });
    assert_eq!(image.read().notes("packed/file"), [(0, 131_072, Cause::FeatureUnsupported(Feature::Compression))]);
}

#[test]
fn zeros_from_the_middle_of_a_unit_are_named() {
    let (mut image, _) = packed();
    let number = image.find("file");
    image.change(number, |record| {
        let (at, _) = attribute(record, DATA, "");
        record[at + 56..at + 64].copy_from_slice(&1000u64.to_le_bytes());
    });
    assert_eq!(image.read().notes("packed/file"), [(1000, 64_536, COMPRESSION)]);
}

/// A file with an attribute list: its record, and the bytes of the list within the image.
fn listed() -> (Image, usize, std::ops::Range<usize>) {
    let image = Image::new(|mount| {
        write(mount, "file", b"main");
        for number in 0..40 {
            write(mount, &format!("file:stream {number}"), &[number; 100]);
        }
    });
    let number = image.find("file");
    let record = image.record(number);
    let (at, _) = attribute(&record, 0x20, "");
    assert_eq!(record[at + 8], 1, "not resident");
    let start = image.runs(&record, 0x20, "")[0].0;
    (image, number, start..start + u64_at(&record, at + 48) as usize)
}

/// Places of the entries of an attribute list.
fn entries(image: &Image, list: &std::ops::Range<usize>) -> Vec<usize> {
    let (mut at, mut found) = (list.start, Vec::new());
    while at < list.end {
        found.push(at);
        at += u16_at(&image.bytes, at + 4);
    }
    found
}

#[test]
fn an_attribute_list_that_goes_in_circles_ends() {
    let (image, number, list) = listed();
    assert_eq!(read_image(image.bytes.clone()).files(0).len(), 41);
    let places = entries(&image, &list);
    let other = places.iter().map(|at| u32_at(&image.bytes, at + 16)).find(|other| *other != number).unwrap();
    // Every entry names the file's own record.
    let mut own = Image::of(image.bytes.clone());
    for at in &places {
        own.bytes[*at + 16] = number as u8;
    }
    assert!(own.read().notes("file").iter().any(|note| note.2 == RECORD_FAULT));
    // A continuation says that it continues itself, another file, or has a list of its own.
    for base in [other, 5] {
        let mut circle = Image::of(image.bytes.clone());
        circle.change(other, |record| record[32] = base as u8);
        assert!(circle.read().notes("file").iter().any(|note| note.2 == RECORD_FAULT), "{base}");
    }
    let mut nested = image;
    nested.change(other, |record| {
        while u32_at(record, 24) > 700 {
            let (at, length) = *attributes(record).last().unwrap();
            let end = u32_at(record, 24);
            record.drain(at..at + length);
            record.resize(RECORD, 0);
            record[24..28].copy_from_slice(&((end - length) as u32).to_le_bytes());
        }
        insert(record, &resident(0x20, "", 99, &[0; 32]));
    });
    assert!(!nested.read().notes("file").is_empty());
}

#[test]
fn an_attribute_that_the_list_leaves_out_is_handed_over_and_named() {
    let (mut image, number, list) = listed();
    let last = *entries(&image, &list).last().unwrap();
    image.change(number, |record| {
        let (at, _) = attribute(record, 0x20, "");
        for field in [48, 56] {
            record[at + field..at + field + 8].copy_from_slice(&((last - list.start) as u64).to_le_bytes());
        }
    });
    let reading = image.read();
    assert_eq!(reading.files(0).len(), 41);
    assert_eq!(reading.notes("file"), [(0, 4, RECORD_FAULT)]);
}

#[test]
fn a_list_larger_than_any_host_makes_is_named() {
    let (mut image, number, _) = listed();
    image.change(number, |record| {
        let (at, _) = attribute(record, 0x20, "");
        for field in [48, 56] {
            record[at + field..at + field + 8].copy_from_slice(&(1u64 << 40).to_le_bytes());
        }
    });
    assert!(image.read().notes("file").iter().any(|note| note.2 == RECORD_FAULT));
}

#[test]
fn a_mirror_that_differs_is_named() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    let (place, _) = image.runs(&image.record(1), DATA, "")[0];
    image.bytes[place + 3 * RECORD + 100] ^= 1;
    let reading = image.read();
    assert!(says_of_volume(&reading, &RECORD_FAULT) && reading.not_read.len() == 1);
}

#[test]
fn a_log_with_records_to_replay_is_named() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    let (place, _) = image.runs(&image.record(2), DATA, "")[0];
    for page in [place, place + 4096] {
        let bytes = &mut image.bytes[page..page + 4096];
        bytes.fill(0);
        bytes[..8].copy_from_slice(b"RSTR\x1e\0\x09\0");
        bytes[24] = 48;
        bytes[70] = 64;
        bytes[112] = 80;
        bytes[120] = 90;
    }
    assert!(says_of_volume(&image.read(), &Cause::FeatureUnsupported(Feature::PendingJournal)));
}

#[test]
fn a_volume_larger_than_its_partition_is_named() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    image.bytes.truncate(6 << 20);
    assert!(says_of_volume(&image.read(), &Cause::Corrupt(Corruption::BootSector)));
}

#[test]
fn a_table_of_records_that_cannot_be_found_is_named() {
    for at in [0, 300] {
        let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
        let place = image.place(0);
        image.bytes[place + at..place + at + 200].fill(0xee);
        assert!(says_of_volume(&image.read(), &RECORD_FAULT));
    }
}
