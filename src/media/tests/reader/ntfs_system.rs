//! What somebody stored in the files of the filesystem itself. Their names say what they hold, and any tool that opens
//! them by number shows what they hold: it is matched, and what mkntfs writes there stays clean.

use super::edit::*;
use super::volume::*;
use crate::reading::{Reading, read_image};
use blanche_sandbox::wire::{AreaClass, Cause, Subject};

/// The cluster of volumes that [`Image::new`] makes.
const CLUSTER: usize = 4096;

fn matched(reading: &Reading) -> bool {
    let contents = reading.areas.iter().filter_map(|(_, content)| content.as_ref());
    contents.into_iter().any(|content| content.windows(MARKER.len()).any(|window| window == MARKER))
}

#[test]
fn what_is_stored_in_a_system_file_is_matched() {
    // $LogFile behind its restart pages, $AttrDef, $Bitmap, $Secure:$SDS.
    for (number, name, at) in [(2, "", 100_000), (4, "", 2400), (6, "", 200), (9, "$SDS", 5000)] {
        let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
        let mut left = at;
        let runs = image.runs(&image.record(number), DATA, name);
        let run = runs.iter().find(|(_, length)| {
            let here = left < *length;
            left -= if here { 0 } else { *length };
            here
        });
        let place = run.expect("a place within the file").0 + left;
        image.bytes[place..place + MARKER.len()].copy_from_slice(MARKER);
        let reading = image.read();
        assert!(matched(&reading), "record {number}: {:?}", reading.areas.iter().map(|(area, _)| area));
        assert!(reading.areas.iter().any(|(area, _)| area.name.starts_with(b"[metadata ")));
        assert_eq!(reading.not_read, [], "record {number}");
    }
}

#[test]
fn clusters_that_were_declared_bad_are_matched_or_named() {
    let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
    let clusters = image.bytes.len() / CLUSTER - 1;
    let bad = clusters - 20;
    let place = bad * CLUSTER;
    image.bytes[place..place + MARKER.len()].copy_from_slice(MARKER);
    // A hole up to the bad cluster, the cluster itself, a hole behind it.
    let mut runs = vec![0x02];
    runs.extend((bad as u16).to_le_bytes());
    runs.extend([0x21, 1]);
    runs.extend((bad as u16).to_le_bytes());
    runs.extend([0x01, 19, 0]);
    image.change(8, |record| {
        remove(record, DATA, "$Bad");
        let size = (clusters * CLUSTER) as u64;
        insert(record, &non_resident(DATA, "$Bad", 40, clusters as u64, size, &runs));
    });
    let bytes = image.bytes.clone();
    assert!(matched(&image.read()));
    let mut source = blanche_media::MemorySource::new(bytes);
    source.unreadable = std::iter::once(place as u64..place as u64 + 512).collect();
    let reading = crate::reading::read_with(&source, blanche_sandbox::wire::ReadLimits::default());
    let notes: Vec<_> = reading.not_read.iter().map(|note| (note.offset, note.length, &note.cause)).collect();
    assert_eq!(notes, [(0, 512, &Cause::Unreadable)]);
    assert!(matches!(reading.not_read[0].subject, Subject::Entry(_)));
}

#[test]
fn a_system_file_within_its_record_is_content() {
    let long = [&[b'.'; 100], MARKER].concat();
    for (number, path) in [(4, "$AttrDef::$DATA"), (2, "$LogFile::$DATA")] {
        let mut image = Image::new(|mount| write(mount, "file", b"harmless"));
        image.change(number, |record| {
            remove(record, DATA, "");
            insert(record, &resident(DATA, "", 40, &long));
        });
        assert_eq!(image.read().files(0).get(path), Some(&long), "{path}");
    }
}

#[test]
fn what_mkntfs_writes_is_clean_and_counted() {
    let reading = read_image(ntfs(8 * MIB, &[], |_| {}));
    assert_eq!((reading.entries.len(), reading.not_read.len()), (0, 0), "{:?}", reading.not_read);
    let areas = reading.areas.iter().filter(|(area, _)| area.name.starts_with(b"[metadata "));
    let bytes: u64 = areas.map(|(area, _)| area.size).sum();
    let sum = reading.area.as_ref().unwrap().sums.iter().find(|sum| sum.class == AreaClass::Metadata).unwrap();
    assert!(bytes > 128 << 10, "the log file and the table of letters at least: {bytes}");
    assert!(sum.looked_at >= bytes && sum.looked_at <= sum.bytes, "{sum:?}");
}
