//! ClamAV's own test files: one harmless program in 44 wrappings. Its MD5 is the only thing that the base knows of it, so
//! every one of them has to be opened to be found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::containers::TESTFILES;
use blanche_tests::station::Base;
use blanche_tests::{Format, Layout, Station, Tree, image};

#[test]
fn every_test_file_of_clamav_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    let mut tree = Tree::new();
    for entry in std::fs::read_dir(TESTFILES).expect("package clamav-testfiles: make deps-test") {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        tree = tree.with(&name, std::fs::read(&path).unwrap());
        names.push(name);
    }
    names.sort();
    assert_eq!(names.len(), 44, "Debian 12's clamav-testfiles has 44 files");
    let disk = image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree);
    let scan = Station::with_base(folder.path(), Base::ClamExe).scan(&disk);
    assert_eq!(scan.found(), names, "{:#}", scan.report);
    for file in scan.report["findings"].as_array().unwrap() {
        let by_digest = |finding: &serde_json::Value| finding["name"] == "Blanche.Test.ClamExe.UNOFFICIAL";
        assert!(file["findings"].as_array().unwrap().iter().any(by_digest), "found by something else: {file:#}");
    }
    assert_eq!((scan.verdict(), scan.code), ("infected", 20));
}
