//! Children that lie are caught, and no lie ends in *Clean* (security rules 1, 2 and 5).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::{Format, Layout, Scan, Station, Tree, image, program};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A folder with both child programs, one of them replaced by a liar.
fn children(folder: &Path, liar: &str, replaced: &str) -> PathBuf {
    let children = folder.join("children");
    std::fs::create_dir(&children).expect("folder");
    for name in ["blanche-reader", "blanche-matcher"] {
        let source = if name == replaced { PathBuf::from(liar) } else { program(name) };
        std::fs::copy(source, children.join(name)).expect("a copy of a program");
    }
    children
}

fn scan_with_lying_reader(lie: &str) -> Scan {
    let folder = tempfile::tempdir().expect("folder");
    let mut station = Station::new(folder.path());
    let children = children(folder.path(), env!("CARGO_BIN_EXE_lying-reader"), "blanche-reader");
    station.set("children", "directory", &format!("{children:?}"));
    let medium = folder.path().join("medium.img");
    std::fs::write(&medium, format!("{lie}\n{}", " ".repeat(4096))).expect("medium");
    station.scan(&medium)
}

fn scan_with_lying_matcher(files: &[&str], settings: &[(&str, &str, &str)]) -> Scan {
    let folder = tempfile::tempdir().expect("folder");
    let mut station = Station::new(folder.path());
    let children = children(folder.path(), env!("CARGO_BIN_EXE_lying-matcher"), "blanche-matcher");
    station.set("children", "directory", &format!("{children:?}"));
    for (section, key, value) in settings {
        station.set(section, key, value);
    }
    let tree = files.iter().fold(Tree::new(), |tree, name| tree.with(*name, format!("I am {name}.\n")));
    station.scan(&image(folder.path(), Format::Fat16, Layout::Superfloppy, &tree))
}

fn causes(scan: &Scan) -> Vec<String> {
    scan.not_checked().into_iter().map(|(_, cause)| cause).collect()
}

#[test]
fn the_lying_reader_can_tell_the_truth() {
    let scan = scan_with_lying_reader("nothing");
    assert_eq!(scan.verdict(), "clean", "otherwise the tests below prove nothing: {:#}", scan.report);
}

#[test]
fn an_unsealed_object_is_refused() {
    let scan = scan_with_lying_reader("unsealed");
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10));
    assert!(causes(&scan).contains(&"content_refused".to_owned()), "{:?}", scan.not_checked());
}

#[test]
fn a_short_object_is_refused() {
    let scan = scan_with_lying_reader("short");
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10));
    assert!(causes(&scan).contains(&"content_refused".to_owned()), "{:?}", scan.not_checked());
}

#[test]
fn a_reader_that_hashes_one_thing_and_hands_over_another_is_caught() {
    let scan = scan_with_lying_reader("hash something else");
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10));
    assert_eq!(causes(&scan), ["digests_differ"]);
    assert_eq!(scan.report["content"]["checked"], 0);
}

#[test]
fn a_file_that_the_reader_announces_and_forgets_is_not_checked() {
    let scan = scan_with_lying_reader("forget a file");
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10));
    assert!(scan.not_checked().contains(&("b".to_owned(), "never_read".to_owned())), "{:?}", scan.not_checked());
}

#[test]
fn a_reader_that_dies_or_floods_ends_the_session_at_once() {
    for (lie, cause) in [("die", "reader_lost"), ("flood", "content_refused")] {
        let start = Instant::now();
        let scan = scan_with_lying_reader(lie);
        assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{lie}");
        assert!(causes(&scan).contains(&cause.to_owned()), "{lie}: {:?}", scan.not_checked());
        // A reader that is only silent is waited for ten minutes.
        assert!(start.elapsed() < Duration::from_secs(120), "{lie} took {:?}", start.elapsed());
    }
}

#[test]
fn a_matcher_that_lies_crashes_or_floods_costs_only_that_file() {
    let files = ["a.txt", "b.lie", "c.txt", "d.other", "e.txt", "f.crash", "g.txt", "h.flood", "i.txt", "j.lazy"];
    let scan = scan_with_lying_matcher(&files, &[("matchers", "count", "1")]);
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{:#}", scan.report);
    let expected = [
        ("b.lie", "digests_differ"),
        ("d.other", "matcher_crashed"),
        ("f.crash", "matcher_crashed"),
        ("h.flood", "matcher_crashed"),
        ("j.lazy", "matcher_crashed"),
    ];
    let expected: Vec<_> = expected.map(|(path, cause)| (path.to_owned(), cause.to_owned())).into();
    assert_eq!(scan.not_checked(), expected);
    assert_eq!(scan.report["content"]["files_checked"], 5);
}

#[test]
fn a_matcher_that_hangs_is_killed_and_costs_only_that_file() {
    let limits = [("engines", "max_scan_time", "\"1 s\""), ("engines", "max_rules_time", "\"1 s\"")];
    let scan = scan_with_lying_matcher(&["a.txt", "b.hang", "c.txt"], &limits);
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{:#}", scan.report);
    assert_eq!(scan.not_checked(), [("b.hang".to_owned(), "matcher_hung".to_owned())]);
    assert_eq!(scan.report["content"]["files_checked"], 2);
}
