//! Every rule of signatures/rules finds what it is meant to find, and stays silent on what only looks like it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::{Format, Layout, Station, Tree, image, rules};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt;

/// Names of the rules in signatures/rules; each has its metadata.
fn written() -> BTreeSet<String> {
    let folder = blanche_tests::station::signatures().join("rules");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yar") {
            continue;
        }
        for rule in std::fs::read_to_string(&path).unwrap().split("\nrule ").skip(1) {
            let name = rule.lines().next().unwrap().trim().to_owned();
            for key in ["title = \"", "author = \"Blanche\"", "version = \"", "reference = \""] {
                assert!(rule.contains(key), "{name} has no {key}");
            }
            let stated = ["malicious", "suspicious", "info"].map(|word| format!("severity = \"{word}\""));
            assert!(stated.iter().any(|line| rule.contains(line)), "{name} states no severity");
            assert!(names.insert(name.clone()), "two rules are called {name}");
        }
    }
    names
}

/// Scans all samples on one medium: rules that matched, by path.
fn hits() -> BTreeMap<String, BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    let bad = rules::bad().into_iter().enumerate().map(|(number, sample)| (format!("bad{number}.bin"), sample.bytes));
    let good =
        rules::good().into_iter().enumerate().map(|(number, sample)| (format!("good{number}.bin"), sample.bytes));
    let tree = bad.chain(good).fold(Tree::new(), |tree, (name, bytes)| tree.with(name, bytes));
    let scan = Station::new(folder.path()).scan(&image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree));
    let mut hits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in scan.report["findings"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap().trim_start_matches('/').to_owned();
        for finding in file["findings"].as_array().unwrap().iter().filter(|finding| finding["engine"] == "yara-x") {
            hits.entry(path.clone()).or_default().insert(finding["name"].as_str().unwrap().to_owned());
        }
    }
    hits
}

#[test]
fn each_rule_finds_its_samples_and_no_rule_finds_harmless_ones() {
    let hits = hits();
    let mut wrong = Vec::new();
    for (number, sample) in rules::bad().into_iter().enumerate() {
        let found = hits.get(&format!("bad{number}.bin")).cloned().unwrap_or_default();
        if !found.contains(sample.rule) {
            wrong.push(format!("{} misses sample {number}; found there: {found:?}", sample.rule));
        }
    }
    for (number, sample) in rules::good().into_iter().enumerate() {
        if let Some(found) = hits.get(&format!("good{number}.bin")) {
            wrong.push(format!("{found:?} found in honest sample {number}, near {:?}", sample.near));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A rule without a sample could be one that never matches, a rule without honest neighbours one that always does.
#[test]
fn every_rule_has_its_metadata_a_bad_sample_and_two_good_ones() {
    let rules = written();
    let sampled: BTreeSet<String> = rules::bad().into_iter().map(|sample| sample.rule.to_owned()).collect();
    assert_eq!(rules, sampled);
    let mut near: BTreeMap<&str, u32> = BTreeMap::new();
    for rule in rules::good().into_iter().flat_map(|sample| sample.near) {
        *near.entry(rule).or_default() += 1;
    }
    let few: Vec<&String> = rules.iter().filter(|rule| near.get(rule.as_str()).copied().unwrap_or(0) < 2).collect();
    assert!(few.is_empty(), "fewer than two good samples: {few:?}");
    let unknown: Vec<&&str> = near.keys().filter(|rule| !rules.contains(**rule)).collect();
    assert!(unknown.is_empty(), "good samples near rules that do not exist: {unknown:?}");
}

/// The rules for boot code see the first sector of a medium, whose code ends where the disk's signature begins (UEFI 2.10,
/// 5.2.1).
#[test]
fn boot_rules_find_boot_code_on_the_medium() {
    const CODE: usize = 440;
    for sample in rules::bad().into_iter().filter(|sample| sample.rule.starts_with("Boot_Code_")) {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new().with("lettre.txt", "Bonjour.\r\n");
        let disk = image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree);
        let file = std::fs::File::options().write(true).open(&disk).unwrap();
        file.write_all_at(&sample.bytes[..CODE], 0).unwrap();
        let scan = Station::new(folder.path()).scan(&disk);
        let found = &scan.report["findings"][0];
        assert_eq!(found["path"], "[table 0+512]", "{:#}", scan.report);
        assert_eq!(found["findings"][0]["name"], sample.rule, "{found:#}");
    }
}
