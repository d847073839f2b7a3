//! The time of the last change: as other people's programs wrote it, and as no calendar has it.

use crate::images::{empty_exfat, empty_fat, run_in, with_exfat_in, with_mtools};
use crate::ntfs::volume::{Image, attribute};
use crate::reading::{Reading, read_image, run};
use crate::udf::build::{Fid, Style, Udf, seal};
use blanche_media::Input;
use blanche_media::layout::entry_set::checksum;
use blanche_sandbox::wire::{Clock, Modified, ReadJob, ReadLimits, Source, Tree};
use std::fs::{self, File, FileTimes};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

const MIB: u64 = 1 << 20;
/// 2019-07-06 05:04:03 and 2001-02-03 04:05:06 UTC.
const CHANGED: i64 = 1_562_389_443;
const EARLIER: i64 = 981_173_106;
/// Two hours and three and a half.
const ZONES: [(&str, i64); 3] = [("UTC0", 0), ("EAST-2", 7200), ("WEST3:30", -12_600)];

const FILE: &str = "early.txt";
const FOLDER: &str = "folder";
const INSIDE: &str = "folder/late.txt";
/// As plain ISO 9660 has them.
const CAPITALS: [&str; 3] = ["EARLY.TXT", "FOLDER/LATE.TXT", "FOLDER"];

#[allow(clippy::unnecessary_wraps, reason = "what an entry says")]
fn utc(seconds: i64) -> Option<Modified> {
    Some(Modified { seconds, clock: Clock::Utc })
}

#[allow(clippy::unnecessary_wraps, reason = "what an entry says")]
fn local(seconds: i64) -> Option<Modified> {
    Some(Modified { seconds, clock: Clock::Local })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn set(path: &Path, seconds: i64) {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
    // exfat-fuse takes both or none.
    File::open(path).unwrap().set_times(FileTimes::new().set_accessed(time).set_modified(time)).unwrap();
}

/// Two files and a folder with their times.
fn fill(folder: &Path) {
    fs::create_dir(folder.join(FOLDER)).unwrap();
    for path in [FILE, INSIDE] {
        fs::write(folder.join(path), path).unwrap();
    }
    set(&folder.join(FILE), EARLIER);
    set(&folder.join(INSIDE), CHANGED);
    set(&folder.join(FOLDER), CHANGED + 60);
}

/// What is said of an entry.
fn told(reading: &Reading, volume: u16, path: &str) -> Option<Modified> {
    let mut entries = (0..).zip(&reading.entries);
    let found = entries.find(|(id, entry)| entry.volume == Some(volume) && reading.path(*id) == path);
    found.unwrap_or_else(|| panic!("no {path} on {volume}")).1.modified
}

/// The file, the one in the folder, and the folder.
fn all(reading: &Reading, volume: u16) -> [Option<Modified>; 3] {
    [FILE, INSIDE, FOLDER].map(|path| told(reading, volume, path))
}

/// A file of which nothing is wrong but that it has no time.
fn timeless(name: &str, image: Vec<u8>, path: &str) {
    let reading = read_image(image);
    let id = reading.find(path);
    assert_eq!(reading.notes(path), [], "{name}");
    assert!(reading.contents.contains_key(&id), "{name}");
    assert_eq!(reading.entries[id as usize].modified, None, "{name}");
}

fn fat(width: u8, bytes: u64, zone: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    with_mtools(empty_fat(width, bytes, &[]), |image| {
        let [file, inside] = [FILE, FOLDER].map(|name| folder.path().join(name));
        run_in(zone, "mcopy", &["-s", "-Q", "-m", "-i", image, text(&file), text(&inside), "::/"], "");
    })
}

#[test]
fn fat_says_what_the_clock_of_its_writer_showed() {
    for (width, bytes) in [(12, 2 * MIB), (16, 16 * MIB), (32, 40 * MIB)] {
        for (zone, ahead) in ZONES {
            let reading = read_image(fat(width, bytes, zone));
            let found = [FILE, INSIDE].map(|path| told(&reading, 0, path));
            // To two seconds.
            assert_eq!(found, [local(EARLIER + ahead), local(CHANGED - 1 + ahead)], "FAT{width} {zone}");
            assert_eq!(told(&reading, 0, FOLDER).unwrap().clock, Clock::Local);
        }
    }
}

#[test]
fn exfat_says_the_distance_from_utc() {
    for (zone, _) in ZONES {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("volume.img");
        empty_exfat(&image, 8 * MIB);
        with_exfat_in(zone, &image, &[], fill);
        let reading = read_image(fs::read(&image).unwrap());
        assert_eq!(all(&reading, 0), [utc(EARLIER), utc(CHANGED), utc(CHANGED + 60)], "{zone}");
    }
}

#[test]
fn ntfs_says_utc() {
    let reading = Image::new(fill).read();
    assert_eq!(all(&reading, 0), [utc(EARLIER), utc(CHANGED), utc(CHANGED + 60)]);
}

#[test]
fn ext_says_utc_also_before_1970_and_behind_2038() {
    for options in ["-t ext2 -I 128", "-t ext3", "-t ext4", "-t ext4 -O inline_data -I 512"] {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        set(&folder.path().join(FILE), -86_400);
        let image = crate::ext::ext_from(8 * MIB, options, folder.path());
        let reading = read_image(image.clone());
        assert_eq!(all(&reading, 0), [utc(-86_400), utc(CHANGED), utc(CHANGED + 60)], "{options}");
        if !options.contains("128") {
            let later = crate::ext::debugfs(&image, &format!("set_inode_field /{INSIDE} mtime_extra 0xfffffff9\n"));
            assert_eq!(told(&read_image(later), 0, INSIDE), utc(CHANGED + (1 << 32)), "{options}");
        }
    }
}

fn disc(zone: &str, program: &[&str], options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (files, image) = (folder.path().join("files"), folder.path().join("disc.iso"));
    fs::create_dir(&files).unwrap();
    fill(&files);
    let arguments = [&program[1..], &["-quiet"], options, &["-o", text(&image), text(&files)]].concat();
    run_in(zone, program[0], &arguments, "");
    fs::read(&image).unwrap()
}

#[test]
fn every_tree_of_a_disc_says_the_distance_from_utc() {
    let programs: [(&[&str], &[&str], usize); 4] = [
        (&["genisoimage"], &["-J", "-r"], 3),
        (&["genisoimage"], &["-udf", "-J", "-r"], 4),
        (&["xorriso", "-as", "mkisofs"], &["-J", "-r"], 3),
        (&["xorriso", "-as", "mkisofs"], &["--norock", "-J"], 2),
    ];
    for (program, options, trees) in programs {
        for (zone, _) in ZONES {
            let reading = read_image(disc(zone, program, options));
            assert_eq!(reading.layout().volumes.len(), trees, "{program:?} {options:?}");
            for (volume, line) in (0..).zip(&reading.layout().volumes) {
                let plain = line.view.is_none_or(|view| view.tree == Tree::Iso9660);
                let found =
                    if plain { CAPITALS.map(|path| told(&reading, volume, path)) } else { all(&reading, volume) };
                let expected = [utc(EARLIER), utc(CHANGED), utc(CHANGED + 60)];
                assert_eq!(found, expected, "{program:?} {options:?} {zone} {:?}", line.view);
            }
        }
    }
}

#[test]
fn a_folder_says_what_its_filesystem_says() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let open = File::open(folder.path()).unwrap();
    let job = ReadJob { source: Source::Folder, limits: ReadLimits::default() };
    let reading = run(&job, &Input::Folder(open.as_fd()), 0);
    assert_eq!(all(&reading, 0), [utc(EARLIER), utc(CHANGED), utc(CHANGED + 60)]);
}

/// Month 0 and 15, 31 February, day 0, hour 24, minute 60, second 60, and nothing but ones.
const NO_DATES: [(u16, u16); 8] = [
    (39 << 9 | 1, 0),
    (39 << 9 | 15 << 5 | 31, 0),
    (39 << 9 | 2 << 5 | 31, 0),
    (39 << 9 | 2 << 5, 0),
    (39 << 9 | 2 << 5 | 1, 24 << 11),
    (39 << 9 | 2 << 5 | 1, 60 << 5),
    (39 << 9 | 2 << 5 | 1, 30),
    (u16::MAX, u16::MAX),
];

#[test]
fn fat_dates_that_no_calendar_has_are_none() {
    let image = fat(16, 16 * MIB, "UTC0");
    let at = image.windows(11).position(|name| name == b"EARLY   TXT").unwrap();
    for (date, time) in NO_DATES.into_iter().chain([(0, 0)]) {
        let mut image = image.clone();
        image[at + 22..at + 24].copy_from_slice(&time.to_le_bytes());
        image[at + 24..at + 26].copy_from_slice(&date.to_le_bytes());
        timeless(&format!("{date:#x} {time:#x}"), image, FILE);
    }
}

#[test]
fn exfat_dates_that_no_calendar_has_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    empty_exfat(&image, 8 * MIB);
    with_exfat_in("UTC0", &image, &[], fill);
    let image = fs::read(&image).unwrap();
    let units: Vec<u8> = FILE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = image.windows(units.len()).position(|name| name == units).unwrap() - 2 - 64;
    for (date, time) in NO_DATES {
        let mut image = image.clone();
        image[at + 12..at + 14].copy_from_slice(&time.to_le_bytes());
        image[at + 14..at + 16].copy_from_slice(&date.to_le_bytes());
        let records: Vec<[u8; 32]> = image[at..at + 96].chunks(32).map(|record| record.try_into().unwrap()).collect();
        image[at + 2..at + 4].copy_from_slice(&checksum(&records).to_le_bytes());
        timeless(&format!("{date:#x} {time:#x}"), image, FILE);
    }
}

#[test]
fn ntfs_times_beyond_the_calendar_are_none() {
    for filetime in [0, u64::MAX, i64::MAX as u64, 1 << 63] {
        let mut image = Image::new(fill);
        let number = image.find(FILE);
        image.change(number, |record| {
            let (at, _) = attribute(record, 0x10, "");
            record[at + 24 + 8..at + 24 + 16].copy_from_slice(&u64::to_le_bytes(filetime));
        });
        timeless(&format!("{filetime:#x}"), image.bytes, FILE);
    }
}

#[test]
fn dates_of_discs_that_no_calendar_has_are_none() {
    let image = disc("UTC0", &["xorriso", "-as", "mkisofs"], &["--norock"]);
    let at = image.windows(11).position(|name| name == b"EARLY.TXT;1").unwrap() - 33;
    for date in [[0; 7], [0xff; 7], [119, 15, 1, 0, 0, 0, 0], [119, 2, 31, 0, 0, 0, 0], [119, 1, 1, 24, 0, 0, 0]] {
        let mut image = image.clone();
        image[at + 18..at + 25].copy_from_slice(&date);
        timeless(&format!("{date:?}"), image, "EARLY.TXT");
    }
}

/// A volume with one file whose timestamp is this, in a file entry or an extended one.
fn udf(extended: bool, timestamp: [u8; 12]) -> Vec<u8> {
    let revision = if extended { 0x0201 } else { 0x0102 };
    let mut udf = Udf::new(Style { revision, ..Style::plain() });
    let file = udf.file(b"content");
    let at = udf.structure_at(file);
    let block = &mut udf.image[at..at + 2048];
    assert_eq!(u16::from_le_bytes([block[0], block[1]]), if extended { 266 } else { 261 });
    let place = if extended { 92 } else { 84 };
    block[place..place + 12].copy_from_slice(&timestamp);
    seal(block);
    let root = udf.structure(1);
    udf.folder(root, root, 4, &[Fid::file(FILE, file)]);
    udf.finish(root)
}

#[test]
fn timestamps_of_udf_are_local_where_nobody_knows_the_zone_and_none_where_they_cannot_be() {
    // 2019-07-06 05:04:03 with the type and zone in front.
    let stamp = |kind: u16, zone: i16| {
        let [a, b] = (kind << 12 | zone as u16 & 0xfff).to_le_bytes();
        [a, b, 0xe3, 7, 7, 6, 5, 4, 3, 0, 0, 0]
    };
    for extended in [false, true] {
        for (kind, zone, expected) in [
            (1, 0, utc(CHANGED)),
            (1, 120, utc(CHANGED - 7200)),
            (1, -210, utc(CHANGED + 12_600)),
            (0, 120, utc(CHANGED)),
            (1, -2047, local(CHANGED)),
            (1, 1441, local(CHANGED)),
        ] {
            let reading = read_image(udf(extended, stamp(kind, zone)));
            assert_eq!(told(&reading, 0, FILE), expected, "{extended} {kind} {zone}");
        }
        for kind in [2, 3, 15] {
            timeless("an odd type", udf(extended, stamp(kind, 0)), FILE);
        }
        for (at, value) in [(4, 0), (4, 15), (5, 31), (5, 0), (6, 24), (7, 60), (8, 60), (3, 0x80)] {
            let mut odd = stamp(1, 0);
            (odd[4], odd[at]) = (2, value);
            timeless(&format!("{odd:?}"), udf(extended, odd), FILE);
        }
    }
}
