//! A copy keeps the time of the last change of each file: a moment as a moment, and the figures of a clock that nobody knows
//! as they were.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::tools::run;
use blanche_tests::{Ceremony, Disc, Format, Layout, Station, Tree, disc, exfat, image, program};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MIB: u64 = 1 << 20;
/// The station stands two hours east of Greenwich; the oracles read in Greenwich (`tools::command`).
const ZONE: &str = "EAST-2";
const AHEAD: i64 = 7200;
/// 1980-01-01 00:00:00.
const FIRST: i64 = 315_532_800;

/// 2019-07-06 05:04:02, 2026-02-28 23:59:58 and 1975-01-01 00:00:00 UTC. The last is before the first moment of FAT.
const TIMES: [(&str, i64); 3] = [("LETTRE.TXT", 1_562_389_442), ("dossier/été.txt", 1_772_323_198), ("vieux.txt", OLD)];
const OLD: i64 = 157_766_400;

/// What a filesystem says of times.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// What a clock showed, since 1980.
    Figures,
    /// Moments since 1980.
    Moments,
    /// Moments before 1980, too.
    AllMoments,
}

/// The files that a medium can have.
fn lines(says: Says) -> impl Iterator<Item = (&'static str, i64)> {
    TIMES.into_iter().filter(move |(_, seconds)| *seconds != OLD || says == Says::AllMoments)
}

fn at(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

fn tree(says: Says) -> Tree {
    lines(says).fold(Tree::new(), |tree, (path, seconds)| tree.with(path, path).modified(at(seconds)))
}

/// When each file of a folder was last changed.
fn times(folder: &Path, prefix: &str, seen: &mut BTreeMap<String, i64>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            times(&entry.path(), &format!("{name}/"), seen);
        } else {
            let time = entry.metadata().unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
            seen.insert(name, time.as_secs().try_into().unwrap());
        }
    }
}

/// The same of a copy, as mtools or exfat-fuse shows it.
fn shown(folder: &Path, medium: &Path) -> BTreeMap<String, i64> {
    let bytes = fs::read(medium).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize * 512;
    let (kind, start, length) = (bytes[450], number(454), number(458));
    let part = folder.join("partition.img");
    fs::write(&part, &bytes[start..start + length]).unwrap();
    let mut seen = BTreeMap::new();
    if kind == 7 {
        exfat::with_mounted(folder, &part, |point| times(point, "", &mut seen));
    } else {
        let target = tempfile::tempdir().unwrap();
        let all = ["-s", "-m", "-n", "-Q", "-i", part.to_str().unwrap(), "::/*", target.path().to_str().unwrap()];
        run(folder, "mcopy", all);
        times(target.path(), "", &mut seen);
    }
    assert!(seen.remove("blanche.tag").is_some(), "it was sealed");
    seen
}

fn sources(folder: &Path) -> Vec<(PathBuf, Says)> {
    use Says::{AllMoments, Figures, Moments};
    let formats =
        [(Format::Fat32, Figures), (Format::ExFat, Moments), (Format::Ntfs, AllMoments), (Format::Ext4, AllMoments)];
    let volumes = formats.map(|(format, says)| (image(folder, format, Layout::MbrPrimary, &tree(says)), says));
    let discs =
        [Disc::JolietRockRidge, Disc::UdfBridge].map(|kind| (disc(folder, kind, &tree(AllMoments)), AllMoments));
    volumes.into_iter().chain(discs).collect()
}

#[test]
fn the_time_of_the_last_change_of_every_file_of_every_filesystem_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut station = Station::new(folder.path());
    Ceremony::new(&folder.path().join("keys")).equip(&mut station, "accueil-1", "paris");
    let output = folder.path().join("output.img");
    for (source, says) in sources(folder.path()) {
        // FAT32 needs some 34 MiB; below it is exFAT, which says the distance from UTC.
        for (size, to_fat) in [(64, true), (20, false)] {
            fs::File::create(&output).unwrap().set_len(size * MIB).unwrap();
            let mut command = Command::new(program("blanche"));
            command
                .env("TZ", ZONE)
                .arg("--config")
                .arg(station.configuration())
                .args(["copy"])
                .arg(&source)
                .arg(&output);
            let answer = command.output().unwrap();
            assert!(answer.status.success(), "{}: {answer:?}", source.display());
            let ahead = if says != Says::Figures && to_fat { AHEAD } else { 0 };
            // The first moment of the station's clock.
            let first = if to_fat { FIRST } else { FIRST - AHEAD };
            let expected = |seconds| if seconds == OLD { first } else { seconds + ahead };
            let expected = lines(says).map(|(path, seconds)| (path.to_owned(), expected(seconds))).collect();
            assert_eq!(shown(folder.path(), &output), expected, "{} to {size} MiB", source.display());
        }
    }
}
