//! Languages: every sentence is translated, and changes while the kiosk runs.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and say what it saw"
)]

use blanche_kiosk::words::screens;
use blanche_kiosk_tests::desk::Size;
use blanche_kiosk_tests::tour::{Mode, Tour};
use std::path::{Path, PathBuf};
use std::process::Command;

fn catalogues() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/po");
    let files = std::fs::read_dir(&folder).expect("the catalogues").flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|ending| ending == "po")).collect()
}

#[test]
fn gettext_finds_every_sentence_translated_and_nothing_wrong() {
    let catalogues = catalogues();
    assert!(catalogues.len() >= 2, "{catalogues:?}");
    for file in catalogues {
        let mut command = Command::new("msgfmt");
        command.args(["--check", "--statistics", "--output-file=/dev/null"]).arg(&file).env("LC_ALL", "C");
        let output = command.output().expect("msgfmt is installed (package gettext): run make deps-test");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", file.display());
        println!("{}: {}", file.display(), said.trim());
        let number = said.split(' ').next().and_then(|word| word.parse::<usize>().ok()).expect("a number");
        assert!(
            number > 100 && !said.contains("untranslated") && !said.contains("fuzzy"),
            "{}: {said}",
            file.display()
        );
        assert_eq!(
            number,
            blanche_kiosk::words::all().map(|message| message.key()).collect::<std::collections::BTreeSet<_>>().len()
        );
    }
}

#[test]
fn a_person_changes_the_language_while_it_runs_and_the_next_one_finds_the_usual_one() {
    let mut tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
    tour.station.scene("checking");
    let names = |tour: &Tour| tour.access.tree().to_string();
    tour.wait_for(screens::BUTTON_CANCEL);
    assert!(names(&tour).contains("Arrêter la vérification"), "{}", names(&tour));
    tour.desk.keys(&["F5"]);
    blanche_kiosk_tests::desk::eventually("English", || names(&tour).contains("Stop the check").then_some(()));
    let english = names(&tour);
    assert!(!english.contains("Arrêter"), "every sentence changed: {english}");
    // The medium goes, the person as well.
    tour.station.play("unplug");
    blanche_kiosk_tests::desk::eventually("the farewell", || names(&tour).contains("Close").then_some(()));
    press(&tour, "Close");
    blanche_kiosk_tests::desk::eventually("French again", || names(&tour).contains("Branchez votre clé").then_some(()));
}

fn press(tour: &Tour, name: &str) {
    let tree = tour.access.tree();
    let found = tree.all().into_iter().find(|node| node.role.contains("button") && node.name == name);
    tour.access.act(found.unwrap_or_else(|| panic!("no button {name}:\n{tree}")));
}
