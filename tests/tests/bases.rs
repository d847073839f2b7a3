//! New bases while a station works: a session keeps what it began with, the next one takes the new set, and a set that
//! fails its self-test is never used (security rule 8).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::station::signatures;
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
        std::fs::remove_file(base.join("daily.ndb")).expect("the base that finds EICAR");
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
    std::fs::write(folder.path().join("base/daily.ndb"), NEW_SIGNATURE).expect("a useless base");
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

/// Folders that are renamed, or put together beside the old one, tell the kernel's watch little; rules in folders of folders as well.
#[test]
fn whatever_stands_in_the_folders_when_a_session_begins_is_what_it_uses() {
    let folder = tempfile::tempdir().expect("folder");
    let mut station = lonely_station(folder.path());
    let rules = folder.path().join("own-rules");
    std::fs::create_dir_all(rules.join("team")).expect("folder");
    let shared = signatures().join("rules");
    station.set("bases", "rules", &format!("[{shared:?}, {rules:?}]"));
    let (big, small) = media(folder.path());
    let base = folder.path().join("base");
    // Three times, because the kernel tells of the first one.
    let renamed = |number: u32| {
        let (new, old) = (folder.path().join(format!("new{number}")), folder.path().join(format!("old{number}")));
        std::fs::create_dir(&new).expect("folder");
        for file in std::fs::read_dir(&base).expect("base").flatten() {
            std::fs::copy(file.path(), new.join(file.file_name())).expect("copy");
        }
        if number == 3 {
            std::fs::write(new.join("new.ndb"), NEW_SIGNATURE).expect("a new base");
        }
        std::fs::rename(&base, old).expect("away");
        std::fs::rename(&new, &base).expect("in its place");
    };
    let reports = scan_three(&station, [&big, &small, &small], || (1..=3).for_each(renamed));
    assert_eq!(
        (&reports[0]["verdict"], &reports[1]["verdict"]),
        (&"clean".into(), &"infected".into()),
        "{:#}",
        reports[1]
    );
    std::fs::remove_file(base.join("new.ndb")).expect("the new base");
    let reports = scan_three(&station, [&big, &small, &small], || {
        let rule = r#"rule team_word { meta: severity = "malicious" strings: $a = "nouveaute" condition: $a }"#;
        std::fs::write(rules.join("team/word.yar"), rule).expect("a rule");
    });
    assert_eq!(
        (&reports[0]["verdict"], &reports[1]["verdict"]),
        (&"clean".into(), &"infected".into()),
        "{:#}",
        reports[1]
    );
}

#[test]
fn a_folder_that_loses_its_files_does_not_make_fewer_engines() {
    let folder = tempfile::tempdir().expect("folder");
    let mut station = Station::new(folder.path());
    let rules = folder.path().join("own-rules");
    std::fs::create_dir(&rules).expect("folder");
    let rule = r#"rule word { meta: severity = "malicious" strings: $a = "nouveaute" condition: $a }"#;
    std::fs::write(rules.join("word.yar"), rule).expect("a rule");
    let shared = signatures().join("rules");
    station.set("bases", "rules", &format!("[{shared:?}, {rules:?}]"));
    let (big, small) = media(folder.path());
    let reports = scan_three(&station, [&big, &small, &small], || {
        std::fs::rename(&rules, folder.path().join("moved")).expect("moved away");
    });
    for report in &reports[1..] {
        assert_eq!(report["verdict"], "infected", "{report:#}");
        assert!(report["engines"]["base_rejected"].as_str().is_some_and(|why| why.contains("own-rules")), "{report:#}");
    }
}
