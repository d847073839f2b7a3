//! New bases while a station works: a session keeps what it began with, the next one takes the new set, and a set that
//! fails its self-test is never used (security rule 8).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::{Format, Layout, Station, Tree, image, program};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// A signature for the word "nouveaute" anywhere in a file.
const NEW_SIGNATURE: &str = "Blanche.Test.New:0:*:6e6f757665617574\n";

/// Scans three media in one run and, as soon as the first is being read, does `meanwhile`.
fn scan_three(station: &Station, media: [&Path; 3], meanwhile: impl FnOnce()) -> Vec<Value> {
    let mut command = Command::new(program("blanche"));
    command.arg("--config").arg(station.configuration()).args(["scan", "--json"]).args(media);
    let mut scan = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("blanche");
    let mut lines = BufReader::new(scan.stderr.take().expect("stderr")).lines();
    // The engines are announced, then the first medium, then its progress: from here on its session runs.
    let first = lines.nth(2).expect("a line of progress").expect("text");
    meanwhile();
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    let output = scan.wait_with_output().expect("an end");
    let messages = rest.join().expect("no panic");
    let reports: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {first}\n{}", messages.join("\n")));
    reports.as_array().expect("one report per medium").clone()
}

/// A station whose only base is the one in its own folder, so that a test can spoil it.
fn lonely_station(folder: &Path) -> Station {
    let mut station = Station::new(folder);
    station.set("bases", "clamav", &format!("[{:?}]", folder.join("base")));
    station
}

/// A medium that takes a few seconds, and a small one that holds the word of the new signature.
fn media(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let long: Vec<u8> = (0..48_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let tree = Tree::new().with("long.bin", long).with("mot.txt", "une nouveaute\n");
    let (big, small) = (folder.join("big"), folder.join("small"));
    std::fs::create_dir_all(&big).expect("folder");
    std::fs::create_dir_all(&small).expect("folder");
    let word = Tree::new().with("mot.txt", "une nouveaute\n");
    (image(&big, Format::Fat32, Layout::Superfloppy, &tree), image(&small, Format::Fat16, Layout::Superfloppy, &word))
}

#[test]
fn a_new_base_is_used_by_the_next_session_and_not_by_the_running_one() {
    let folder = tempfile::tempdir().expect("folder");
    let station = Station::new(folder.path());
    let (big, small) = media(folder.path());
    let reports = scan_three(&station, [&big, &small, &small], || {
        std::fs::write(folder.path().join("base/new.ndb"), NEW_SIGNATURE).expect("a new base");
    });
    let verdicts: Vec<_> = reports.iter().map(|report| report["verdict"].as_str().expect("verdict")).collect();
    assert_eq!(verdicts, ["clean", "infected", "infected"], "{:#}", reports[0]["not_checked"]);
}

#[test]
fn a_base_that_fails_its_self_test_is_never_used_and_the_report_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    let station = lonely_station(folder.path());
    let (big, small) = media(folder.path());
    let reports = scan_three(&station, [&big, &small, &small], || {
        // The new signature is good, but EICAR is not found any more.
        let base = folder.path().join("base");
        std::fs::write(base.join("new.ndb"), NEW_SIGNATURE).expect("a new base");
        std::fs::remove_file(base.join("test.ndb")).expect("the base that finds EICAR");
    });
    for report in &reports {
        assert_eq!(report["verdict"], "clean", "the old base does not know the word: {:#}", report["findings"]);
    }
    assert!(reports[0]["engines"]["base_rejected"].is_null());
    for report in &reports[1..] {
        assert!(report["engines"]["base_rejected"].as_str().is_some_and(|why| why.contains("EICAR")), "{report:#}");
        assert_eq!(report["sealing"]["possible"], false);
    }
}

#[test]
fn without_a_base_that_finds_eicar_nothing_is_scanned() {
    let folder = tempfile::tempdir().expect("folder");
    let station = lonely_station(folder.path());
    std::fs::write(folder.path().join("base/test.ndb"), NEW_SIGNATURE).expect("a useless base");
    let output = Command::new(program("blanche"))
        .arg("--config")
        .arg(station.configuration())
        .args(["scan", "--json"])
        .arg(folder.path())
        .output()
        .expect("blanche");
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let failure: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(failure["schema"], "blanche-failure/1", "no report, hence no verdict: {failure:#}");
}
