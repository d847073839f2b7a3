//! The time of the last change on a copy, as other people's programs read it.

use crate::copying::{Medium, fill};
use crate::media::mounted;
use crate::oracles::{findings, run};
use blanche_sandbox::wire::{Clock, CopyEntry, CopyFilesystem, CopyKind, LocalTime, Modified};
use blanche_seal::Stamp;
use blanche_seal::format::Tree;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// 2026-11-24 15:43:25 UTC, two hours east.
const COPIED: LocalTime = LocalTime { seconds: 1_795_535_005, offset: 7200 };
/// 2019-07-06 05:04:03.
const CHANGED: i64 = 1_562_389_443;
/// The first and the last second of FAT and exFAT. To mtools and exfat-fuse 2100 is a leap year: they show a day more.
const FIRST: i64 = 315_532_800;
const LAST: i64 = 4_354_819_199 + 86_400;

/// Name, time, and what is to be read: on FAT32 as if its figures were UTC, on exFAT.
type Line = (&'static str, Option<Modified>, i64, i64);

fn lines() -> Vec<Line> {
    let at = |seconds, clock| Some(Modified { seconds, clock });
    vec![
        ("utc.txt", at(CHANGED, Clock::Utc), CHANGED + 7200 - 1, CHANGED),
        ("local.txt", at(CHANGED, Clock::Local), CHANGED - 1, CHANGED),
        ("unknown.txt", None, COPIED.seconds + 7200 - 1, COPIED.seconds),
        ("summer.txt", at(CHANGED + 1, Clock::Utc), CHANGED + 7200 + 1, CHANGED + 1),
        ("early.txt", at(Modified::FIRST, Clock::Local), FIRST, FIRST),
        ("late.txt", at(Modified::LAST, Clock::Local), LAST - 1, LAST),
        // The first and last moment of a clock two hours ahead of UTC.
        ("early utc.txt", at(-1, Clock::Utc), FIRST, FIRST - 7200),
        ("late utc.txt", at(5_000_000_000, Clock::Utc), LAST - 1, LAST - 7200),
        // What nobody may say.
        ("before all.txt", at(i64::MIN, Clock::Local), FIRST, FIRST),
        ("after all.txt", at(i64::MAX, Clock::Local), LAST - 1, LAST),
    ]
}

/// The lines as files in the root, and the first of them in a folder with its time.
fn filled(filesystem: CopyFilesystem) -> Medium {
    let (mut tree, mut contents) = (Tree::default(), BTreeMap::new());
    let lines = lines();
    let mut push = |parent, name: &str, kind, modified| {
        tree.push(CopyEntry { parent, name: name.encode_utf16().collect(), kind, modified }).unwrap();
    };
    let file = |name: &str| CopyKind::File { size: name.len() as u64, sha256: Sha256::digest(name).into() };
    push(None, "folder", CopyKind::Folder, lines[0].1);
    push(Some(0), "inside.txt", file("inside.txt"), lines[0].1);
    contents.insert(1, b"inside.txt".to_vec());
    for (number, (name, modified, ..)) in (2..).zip(&lines) {
        push(None, name, file(name), *modified);
        contents.insert(number, name.as_bytes().to_vec());
    }
    let medium = Medium::new(40 << 20, 512);
    let mut copying = medium.plan_at(Stamp::local(COPIED), usize::MAX, filesystem, tree).unwrap();
    copying.format().unwrap();
    fill(&mut copying, &contents).unwrap();
    copying.finish(&mut |_| {}).unwrap();
    medium
}

fn modified(path: &Path) -> i64 {
    let time = std::fs::metadata(path).unwrap().modified().unwrap();
    time.duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// The directory entry set of exFAT with this name, as it stands.
fn entry_set(partition: &Path, name: &[u8]) -> Vec<u8> {
    let bytes = std::fs::read(partition).unwrap();
    let at = bytes.windows(name.len()).position(|part| part == name).unwrap();
    bytes[at / 32 * 32 - 64..at / 32 * 32 + 32].to_vec()
}

fn checked(filesystem: CopyFilesystem) -> (Medium, PathBuf) {
    let medium = filled(filesystem);
    let partition = medium.partition().unwrap();
    assert_eq!(findings(&partition, filesystem == CopyFilesystem::ExFat), [""; 0]);
    (medium, partition)
}

#[test]
fn mtools_shows_local_time_of_the_station_and_figures_without_a_zone_as_they_were() {
    let (_medium, partition) = checked(CopyFilesystem::Fat32);
    let target = tempfile::tempdir().unwrap();
    let image = partition.to_str().unwrap();
    // With the zone of the oracles, which is UTC.
    run("mcopy", &["-s", "-m", "-n", "-Q", "-i", image, "::/*", target.path().to_str().unwrap()]);
    for (name, _, expected, _) in lines() {
        assert_eq!(modified(&target.path().join(name)), expected, "{name}");
    }
    assert_eq!(modified(&target.path().join("folder/inside.txt")), CHANGED + 7200 - 1);
    let listed = String::from_utf8(run("mdir", &["-i", image, "::/"])).unwrap();
    let line = |name: &str| listed.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("{listed}"));
    assert!(line("folder").contains("2019-07-06   7:04"), "{listed}");
    assert!(line("local.txt").contains("2019-07-06   5:04"), "{listed}");
    assert!(line("late.txt").contains("2107-12-31  23:59"), "{listed}");
    assert!(line("unknown.txt").contains("2026-11-24  17:43"), "{listed}");
}

#[test]
fn exfat_fuse_shows_the_moment() {
    let (_medium, partition) = checked(CopyFilesystem::ExFat);
    mounted(&partition, |point| {
        for (name, _, _, expected) in lines() {
            assert_eq!(modified(&point.join(name)), expected, "{name}");
        }
        for name in ["folder", "folder/inside.txt"] {
            assert_eq!(modified(&point.join(name)), CHANGED, "{name}");
        }
    });
}

/// When a file came into being on this medium, and when it was read, are no news of the source.
#[test]
fn all_other_times_are_those_of_the_copy() {
    let (_medium, partition) = checked(CopyFilesystem::ExFat);
    let units: Vec<u8> = "local.txt".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let set = entry_set(&partition, &units);
    let field = |at: usize| u32::from_le_bytes(set[at..at + 4].try_into().unwrap());
    let copied = (46 << 9 | 11 << 5 | 24) << 16 | 17 << 11 | 43 << 5 | 12;
    assert_eq!([field(8), field(16)], [copied; 2]);
    assert_eq!(field(12), (39 << 9 | 7 << 5 | 6) << 16 | 5 << 11 | 4 << 5 | 1);
    assert_eq!(set[20..25], [100, 100, 0x88, 0, 0x88], "hundredths, and no distance from UTC where none is known");

    let (_medium, partition) = checked(CopyFilesystem::Fat32);
    let bytes = std::fs::read(&partition).unwrap();
    // The first record of a folder is its own (".").
    let at = bytes.windows(11).position(|name| name == b".          ").unwrap();
    let own = &bytes[at..at + 32];
    let field = |at: usize| u16::from_le_bytes([own[at], own[at + 1]]);
    assert_eq!([field(16), field(18)], [46 << 9 | 11 << 5 | 24; 2], "made and read");
    assert_eq!([field(24), field(22)], [39 << 9 | 7 << 5 | 6, 7 << 11 | 4 << 5 | 1], "changed");
}
