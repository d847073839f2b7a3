//! docs/accessibility/kiosk.md names no test that does not exist, has the clauses of the list below, and does not hide what is missing.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk::keys::{Meaning, meaning};
use blanche_kiosk::words::pages;
use gtk::gdk::{Key, ModifierType};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Clauses of EN 301 549 V3.2.1 that apply to a kiosk with a screen, keys or a touch screen, a voice and a USB port; of clauses that are split into
/// open and closed functionality, the part for closed functionality. Of 11.5.2 those that were looked into.
const APPLY: &str = "5.1.2.2 5.1.3.1 5.1.3.2 5.1.3.3 5.1.3.4 5.1.3.5 5.1.3.6 5.1.3.9 5.1.3.10 5.1.3.11 5.1.3.12 5.1.3.13 5.1.3.14 \
    5.1.3.16 5.1.4 5.1.5 5.1.6.1 5.1.6.2 5.1.7 5.2 5.5.1 5.5.2 5.6.1 5.6.2 5.7 5.8 5.9 8.1.2 8.1.3 8.2.1.1 8.2.1.2 8.3.1 8.3.4 8.3.5 8.3.6 \
    8.4.1 8.4.2.1 8.4.2.2 8.5 11.1.1.1.2 11.1.3.1.2 11.1.3.2.2 11.1.3.3 11.1.3.4 11.1.4.1 11.1.4.2 11.1.4.3 11.1.4.4.2 11.1.4.5.2 \
    11.1.4.10 11.1.4.11 11.2.1.1.1 11.2.1.1.2 11.2.1.2 11.2.1.4.1 11.2.1.4.2 11.2.2.1 11.2.2.2 11.2.3.1 11.2.4.3 11.2.4.6 11.2.4.7 \
    11.2.5.1 11.2.5.2 11.2.5.3.2 11.3.1.1.2 11.3.2.1 11.3.2.2 11.3.3.2 11.3.3.4 11.5.2.3 11.5.2.5 11.5.2.7 11.5.2.11 11.5.2.12 \
    11.5.2.13 12.1.1 12.1.2 12.2.2 12.2.3 12.2.4";
/// How a row says that something is missing.
const MISSING: [&str; 2] = ["**not met**", "**in part**"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).expect("the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push_str(&fs::read_to_string(&path).expect("the repository"));
        }
    }
}

fn text_of(name: &str) -> String {
    fs::read_to_string(repository().join(name)).expect("the document")
}

/// Clause, how it is met, its tests.
fn rows() -> Vec<[String; 3]> {
    let text = text_of("docs/accessibility/kiosk.md");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let lines = text
        .lines()
        .map(cells)
        .filter(|cells| cells.len() == 6 && cells[1].starts_with(|first: char| first.is_ascii_digit()));
    lines.map(|cells| [cells[1].clone(), cells[3].clone(), cells[4].clone()]).collect()
}

/// Whether a row says that its clause is not met, or in part only.
fn is_missing(how: &str) -> bool {
    MISSING.iter().any(|word| how.to_lowercase().contains(word))
}

#[test]
fn every_clause_names_tests_that_exist() {
    let mut code = String::new();
    for folder in ["ui/src", "src/speech/src", "tests/kiosk/tests"] {
        sources(&repository().join(folder), &mut code);
    }
    let rows = rows();
    assert!(rows.len() > 50, "{}", rows.len());
    for [clause, how, test] in rows {
        assert!(!how.is_empty(), "{clause}");
        // The builder of the cabinet answers for chapter 8.
        if test == "cabinet" {
            assert!(clause.starts_with("8."), "{clause}");
            continue;
        }
        // Those who run a station answer for its support.
        if test == "site" {
            assert!(clause.starts_with("12.2."), "{clause}");
            continue;
        }
        // No test looks at what is not met, or cannot be otherwise: the row has to say so.
        if test == "none" {
            assert!(is_missing(&how) || how.contains("by construction"), "{clause}");
            continue;
        }
        for name in test.split(", ").map(|name| name.trim_matches('`')) {
            // A test of its own, or a line of the table of layouts.
            let known = [format!("fn {name}("), format!("    {name}: ")];
            assert!(known.iter().any(|line| code.contains(line)), "{clause}: no test {name}");
        }
    }
}

#[test]
fn every_clause_that_applies_is_answered_once() {
    let rows = rows();
    let answered: Vec<&str> = rows.iter().map(|[clause, ..]| clause.as_str()).collect();
    let apply: BTreeSet<&str> = APPLY.split_whitespace().collect();
    assert_eq!(answered.iter().copied().collect::<BTreeSet<_>>(), apply);
    assert_eq!(answered.len(), apply.len(), "each once");
}

/// Whoever reads only the end of the document finds there what is missing.
#[test]
fn what_is_not_met_stands_at_the_end_too() {
    let text = text_of("docs/accessibility/kiosk.md");
    let (_, end) = text.split_once("## Not met").expect("the section");
    let words = end.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let named: BTreeSet<&str> = words.map(|word| word.trim_matches('.')).collect();
    let missing: Vec<String> =
        rows().into_iter().filter(|[_, how, _]| is_missing(how)).map(|[clause, ..]| clause).collect();
    assert!(missing.len() > 5, "{missing:?}");
    for clause in missing {
        assert!(named.contains(clause.as_str()), "{clause} is not met, or in part, and the end does not say so");
    }
}

/// EN 301 549 V3.2.1, 8.3.6: the rules of the building, how high everything is, the floor before it.
#[test]
fn the_manual_says_where_a_station_stands() {
    let manual = text_of("docs/kiosk.md");
    let (_, section) = manual.split_once("## Where it stands").expect("the section");
    let section = section.split("\n## ").next().expect("its end");
    for said in ["rules for buildings", "380 to 1220", "1015", "760 by 1220"] {
        assert!(section.contains(said), "{said}");
    }
}

/// Every key that does something is in the table of docs/kiosk.md; what people can use without being told is on the page of help too.
#[test]
fn every_key_is_documented_and_on_the_page_of_help() {
    let manual = text_of("docs/kiosk.md");
    let (_, table) = manual.split_once("## Keys").expect("the section");
    let table = table.split("\n## ").next().expect("its end");
    let help = [pages::HELP_KEYS, pages::HELP_KEYS_VOICE, pages::HELP_KEYS_VIEW].map(|message| message.key()).concat();
    let words = |text: &str| -> BTreeSet<String> {
        text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect()
    };
    let (documented, helped) = (words(table), words(&help));
    for (key, name) in [
        (Key::F1, "F1"),
        (Key::F2, "F2"),
        (Key::F3, "F3"),
        (Key::F4, "F4"),
        (Key::F5, "F5"),
        (Key::F6, "F6"),
        (Key::F7, "F7"),
        (Key::F8, "F8"),
        (Key::F9, "F9"),
        (Key::F10, "F10"),
        (Key::Escape, "Escape"),
        (Key::Tab, "Tab"),
        (Key::Return, "Enter"),
    ] {
        assert_ne!(meaning(key, ModifierType::empty(), true), Meaning::Nothing, "{name}");
        assert!(documented.contains(name) && helped.contains(name), "{name}");
    }
    for (key, name) in [(Key::Page_Down, "Page Down"), (Key::Page_Up, "Page Up")] {
        assert_ne!(meaning(key, ModifierType::empty(), true), Meaning::Nothing, "{name}");
        assert!(table.contains(name), "{name}");
    }
    let last = meaning(Key::F11, ModifierType::empty(), true);
    assert_eq!(last, Meaning::Nothing, "a new key has to be documented here");
}

/// What a reader for the blind needs of a text in Markdown (CommonMark 0.31): headings one below the other, tables with a header, no picture
/// that says something alone.
#[test]
fn the_documentation_is_text_with_headings_in_their_order() {
    for name in ["docs/kiosk.md", "docs/accessibility/kiosk.md", "docs/station.md", "docs/training.md"] {
        let text = text_of(name);
        let (mut level, mut fenced, mut before, mut first) = (0, false, "", 0);
        for line in text.lines() {
            fenced ^= line.starts_with("```");
            if !fenced && line.starts_with('#') {
                let depth = line.chars().take_while(|letter| *letter == '#').count();
                assert!(depth <= level + 1, "{name}: a level is left out before {line}");
                (level, first) = (depth, first + usize::from(depth == 1));
            }
            // The line of dashes makes the one above it the header.
            if !fenced && line.starts_with('|') && !before.starts_with('|') {
                let second = text.lines().skip_while(|other| *other != line).nth(1).unwrap_or_default();
                assert!(second.starts_with("|---"), "{name}: a table without a header: {line}");
            }
            assert!(fenced || !line.contains("!["), "{name}: {line}");
            before = line;
        }
        assert_eq!(first, 1, "{name}: one title");
    }
}
