//! Places where something could be hidden from one host or another: it is handed over or named.

use super::edit::*;
use super::volume::*;
use crate::reading::read_image;
use blanche_sandbox::wire::{Cause, Corruption, Feature};
use std::collections::BTreeMap;
use std::fs;

const RECORD_FAULT: Cause = Cause::Corrupt(Corruption::FileRecord);

#[test]
fn streams_of_everything_are_handed_over() {
    let long = [MARKER, &[0; 5000]].concat();
    for (content, place) in [(MARKER.to_vec(), "resident"), (long, "in clusters")] {
        for owner in ["file", "folder", "."] {
            let volume = ntfs(8 * MIB, &[], |mount| {
                write(mount, "file", b"harmless");
                fs::create_dir(mount.join("folder")).unwrap();
                write(mount, &format!("{owner}:hidden"), &content);
            });
            let reading = read_image(volume);
            assert!(handed_over(&reading) && reading.not_read.is_empty(), "{owner}, {place}");
        }
    }
}

#[test]
fn the_unnamed_stream_of_a_folder_is_handed_over() {
    let mut image = Image::new(|mount| fs::create_dir(mount.join("folder")).unwrap());
    let number = image.find("folder");
    image.change(number, |record| insert(record, &resident(DATA, "", 40, MARKER)));
    let reading = image.read();
    assert_eq!(reading.files(0)["folder::$DATA"], MARKER);
}

#[test]
fn what_system_files_should_not_hold_is_handed_over() {
    // $Volume, $BadClus, $Secure, $UpCase, $Extend, a reserved record.
    for (number, name, path) in [
        (3, "", "$Volume::$DATA"),
        (8, "more", "$BadClus:more"),
        (9, "more", "$Secure:more"),
        (10, "more", "$UpCase:more"),
        (11, "more", "$Extend:more"),
        (12, "", "$Reserved::$DATA"),
    ] {
        let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
        image.change(number, |record| {
            if name.is_empty() {
                remove(record, DATA, "");
            }
            insert(record, &resident(DATA, name, 40, MARKER));
        });
        let reading = image.read();
        assert_eq!(reading.files(0).get(path).map(Vec::as_slice), Some(MARKER), "{path} {:?}", reading.files(0).keys());
    }
}

#[test]
fn a_file_in_extend_is_handed_over() {
    let mut image = Image::new(|mount| write(mount, "hidden", MARKER));
    into_extend(&mut image, "hidden");
    let reading = image.read();
    assert_eq!(reading.not_read, []);
    assert_eq!(reading.files(0)["$Extend/hidden"], MARKER);
    let names: Vec<_> = reading.entries.iter().map(|entry| String::from_utf8_lossy(&entry.name)).collect();
    assert_eq!(names, ["$Extend", "hidden"], "what belongs there is not listed");
}

#[test]
fn a_stream_of_a_file_in_extend_is_handed_over() {
    let mut image = Image::new(|_| {});
    let number = image.find("$Quota");
    image.change(number, |record| insert(record, &resident(DATA, "more", 40, MARKER)));
    let reading = image.read();
    assert_eq!(reading.files(0)["$Extend/$Quota:more"], MARKER);
    assert_eq!(reading.not_read, []);
}

#[test]
fn streams_of_a_link_are_handed_over() {
    let mut image = Image::new(|mount| {
        write(mount, "link", MARKER);
        write(mount, "link:more", b"more");
    });
    let number = image.find("link");
    let mut point = 0xa000_000cu32.to_le_bytes().to_vec();
    point.extend([0; 12]);
    image.change(number, |record| insert(record, &resident(0xc0, "", 40, &point)));
    let bytes = image.bytes.clone();
    let reading = image.read();
    assert_eq!(reading.links(0), BTreeMap::from([("link".to_owned(), point.clone())]));
    assert_eq!(reading.files(0)["link::$DATA"], MARKER);
    assert_eq!(reading.files(0)["link:more"], b"more");
    // Hosts may take either of two; none has a name.
    let second = [&point[..15], b"x"].concat();
    for (name, cause) in [("", RECORD_FAULT), ("x", Cause::FeatureUnsupported(Feature::UnknownFlag))] {
        let mut twice = Image::of(bytes.clone());
        twice.change(number, |record| insert(record, &resident(0xc0, name, 41, &second)));
        let reading = twice.read();
        assert_eq!(reading.notes("link"), [(0, 16, cause)]);
        assert_eq!(reading.links(0)["link"], point);
    }
}

#[test]
fn other_reparse_points_have_their_causes() {
    let cases = [
        (0x8000_0017u32, Feature::Compression),
        (0x8000_0013, Feature::Deduplication),
        (0x9000_701a, Feature::StoredElsewhere),
        (0xc000_0004, Feature::StoredElsewhere),
        (0x8000_001b, Feature::ReparsePoint),
    ];
    for (tag, feature) in cases {
        let mut image = Image::new(|mount| {
            write(mount, "file", b"what stands here");
            write(mount, "file:WofCompressedData", MARKER);
        });
        let number = image.find("file");
        let point = [&tag.to_le_bytes()[..], &[0; 12]].concat();
        image.change(number, |record| insert(record, &resident(0xc0, "", 40, &point)));
        let reading = image.read();
        assert_eq!(reading.notes("file"), [(0, 16, Cause::FeatureUnsupported(feature))], "{tag:x}");
        assert!(handed_over(&reading));
    }
}

#[test]
fn extended_attributes_are_handed_over() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    let number = image.find("file");
    let mut value = vec![0, 0, 0, 0, 0, 4, MARKER.len() as u8, 0];
    value.extend(b"NAME\0");
    value.extend(MARKER);
    image.change(number, |record| insert(record, &resident(0xe0, "", 40, &value)));
    let mut broken = Image::of(image.bytes.clone());
    let reading = image.read();
    assert_eq!((reading.files(0)["file:NAME:$EA"].as_slice(), reading.not_read.len()), (MARKER, 0));
    broken.change(number, |record| {
        let (at, _) = attribute(record, 0xe0, "");
        record[at + 24 + 6] = 0xff;
    });
    assert_eq!(broken.read().notes("file"), [(0, 8, RECORD_FAULT)]);
}

#[test]
fn utility_streams_and_unknown_attributes() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    let number = image.find("file");
    image.change(number, |record| insert(record, &resident(0x100, "TOOL", 40, MARKER)));
    assert_eq!(Image::of(image.bytes.clone()).read().files(0)["file:TOOL:$LOGGED_UTILITY_STREAM"], MARKER);
    image.change(number, |record| insert(record, &resident(0x110, "", 41, MARKER)));
    assert_eq!(image.read().notes("file"), [(0, 8, Cause::FeatureUnsupported(Feature::UnknownFlag))]);
}

#[test]
fn a_second_unnamed_stream_is_handed_over_and_named() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    let number = image.find("file");
    image.change(number, |record| insert(record, &resident(DATA, "", 40, MARKER)));
    let reading = image.read();
    assert!(handed_over(&reading));
    assert_eq!(reading.notes("file"), [(0, 8, RECORD_FAULT)]);
}

#[test]
fn a_sleeping_windows_is_named() {
    for (magic, sleeps) in [(b"hibr", true), (b"HIBR", true), (b"wake", false), (b"\0\0\0\0", false)] {
        for size in [100, 20_000] {
            let content = [&magic[..], &vec![1; size]].concat();
            let reading = read_image(ntfs(8 * MIB, &[], |mount| write(mount, "hiberfil.sys", &content)));
            assert_eq!(says_of_volume(&reading, &Cause::FeatureUnsupported(Feature::Hibernation)), sleeps);
            assert_eq!(reading.files(0)["hiberfil.sys"], content);
        }
    }
}

/// $Extend as Windows fills it: a change journal, transactions, deleted files.
fn extend_of_windows(more: impl FnOnce(&std::path::Path)) -> Image {
    let mut image = Image::new(|mount| {
        for folder in ["$RmMetadata/$Txf", "$RmMetadata/$TxfLog", "$Deleted"] {
            fs::create_dir_all(mount.join(folder)).unwrap();
        }
        for file in ["$RmMetadata/$Repair", "$RmMetadata/$TxfLog/$Tops", "$RmMetadata/$TxfLog/$TxfLog.blf"] {
            write(mount, file, b"");
        }
        write(mount, "$RmMetadata/$TxfLog/$TxfLogContainer00000000000000000001", &[5; 50_000]);
        write(mount, "$UsnJrnl", b"");
        for stream in ["$RmMetadata/$Repair:$Config", "$RmMetadata/$TxfLog/$Tops:$T", "$UsnJrnl:$J", "$UsnJrnl:$Max"] {
            write(mount, stream, &[3; 9000]);
        }
        more(mount);
    });
    for name in ["$RmMetadata", "$Deleted", "$UsnJrnl"] {
        into_extend(&mut image, name);
    }
    image
}

#[test]
fn what_windows_keeps_in_extend_is_not_listed() {
    let reading = extend_of_windows(|_| {}).read();
    assert_eq!((reading.entries.len(), reading.not_read.len()), (0, 0), "{:?}", reading.not_read);
}

#[test]
fn what_windows_does_not_keep_in_extend_is_handed_over() {
    for path in ["$RmMetadata/$TxfLog/hidden", "$RmMetadata/$Txf/hidden", "$Deleted/hidden", "$UsnJrnl:hidden"] {
        let reading = extend_of_windows(|mount| write(mount, path, MARKER)).read();
        let mut files = reading.files(0);
        assert_eq!(files.remove(&format!("$Extend/{path}")).as_deref(), Some(MARKER), "{path}");
        assert!(files.values().all(Vec::is_empty), "{:?}", files.keys());
        assert_eq!(reading.not_read, [], "{path}");
    }
}
