//! A name that hides what a file is needs a person, whatever the engines say about the content.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::{Format, Layout, Station, Tree, image};

#[test]
fn a_disguised_name_needs_a_person_and_its_neighbours_do_not() {
    let hidden = "photo\u{202E}gpj.scr";
    for format in [Format::Fat32, Format::ExFat, Format::Ext4] {
        let folder = tempfile::tempdir().expect("folder");
        let tree = Tree::new()
            .with("facture.pdf.exe", "pas un programme")
            .with(hidden, "pas un programme")
            .with("facture.pdf", "%PDF-1.4\n%%EOF\n")
            .with("notes.txt.js", "// rien\n");
        let scan = Station::new(folder.path()).scan(&image(folder.path(), format, Layout::Superfloppy, &tree));
        assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{format:?}: {:#}", scan.report);
        let findings = scan.report["findings"].as_array().expect("a list").iter();
        let names: Vec<(&str, &str)> = findings
            .flat_map(|file| {
                let path = file["path"].as_str().expect("a path");
                file["findings"].as_array().expect("a list").iter().map(move |one| (path, one))
            })
            .filter(|(_, one)| one["engine"] == "names")
            .map(|(path, one)| (path, one["name"].as_str().expect("a name")))
            .collect();
        let shown = "photo\\u{202E}gpj.scr";
        assert_eq!(
            names,
            [("facture.pdf.exe", "Name.DoubleExtension"), (shown, "Name.DirectionOverride")],
            "{format:?}"
        );
    }
}
