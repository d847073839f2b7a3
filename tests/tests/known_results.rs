//! Known results save the engines' time and nothing else: every byte is read and hashed twice, no result outlives a base,
//! and nothing that went wrong is ever known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::{Format, Layout, Scan, Station, Tree, image, program, samples};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// A station that keeps results in its own folder.
fn station(folder: &Path) -> Station {
    let mut station = Station::new(folder);
    station.set("known_results", "file", &format!("{:?}", folder.join("known.sqlite")));
    station
}

/// Contents for which no engine was asked.
fn known(scan: &Scan) -> u64 {
    scan.report["profile"]["known"]["contents"].as_u64().expect("a number")
}

fn medium(folder: &Path, tree: &Tree) -> std::path::PathBuf {
    image(folder, Format::Fat32, Layout::Superfloppy, tree)
}

fn ordinary() -> Tree {
    (0..40).fold(Tree::new(), |tree, number| tree.with(format!("{number}.txt"), format!("Texte numéro {number}.\n")))
}

#[test]
fn the_second_scan_asks_no_engine_and_says_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    let station = station(folder.path());
    let medium = medium(folder.path(), &ordinary());
    let (first, second) = (station.scan(&medium), station.scan(&medium));
    assert_eq!((first.verdict(), known(&first)), ("clean", 0));
    assert_eq!(second.verdict(), "clean");
    assert!(known(&second) > 40, "all files and the boot area: {:#}", second.report["profile"]);
    for part in ["content", "area", "findings", "not_checked"] {
        assert_eq!(first.report[part], second.report[part], "{part}");
    }
}

#[test]
fn after_a_new_base_nothing_stale_is_served() {
    let folder = tempfile::tempdir().expect("folder");
    let station = station(folder.path());
    let medium = medium(folder.path(), &ordinary().with("mot.txt", "une nouveaute\n"));
    assert_eq!(station.scan(&medium).verdict(), "clean");
    assert_eq!(station.scan(&medium).verdict(), "clean");
    // "nouveaute"
    std::fs::write(station.own_base().join("new.ndb"), "Blanche.Test.New:0:*:6e6f757665617574\n").expect("a base");
    let third = station.scan(&medium);
    assert_eq!((third.verdict(), third.found(), known(&third)), ("infected", vec!["mot.txt".to_owned()], 0));
    let fourth = station.scan(&medium);
    assert_eq!((fourth.verdict(), fourth.found()), ("infected", vec!["mot.txt".to_owned()]));
    assert!(known(&fourth) > 40, "only the infected file is matched again");
}

#[test]
fn another_limit_or_another_extension_is_another_question() {
    let folder = tempfile::tempdir().expect("folder");
    let mut station = station(folder.path());
    let same = "Le même contenu, deux fois.\n";
    let tree = Tree::new().with("a.txt", same).with("b.exe", same);
    let medium = medium(folder.path(), &tree);
    let first = station.scan(&medium);
    assert_eq!(known(&first), 0, "two extensions, two questions: {:#}", first.report["profile"]);
    assert!(known(&station.scan(&medium)) >= 2);
    station.set("engines", "max_files", "9999");
    assert_eq!(known(&station.scan(&medium)), 0);
}

#[test]
fn the_same_content_is_matched_once_in_a_session() {
    let folder = tempfile::tempdir().expect("folder");
    let tree = (0..60).fold(Tree::new(), |tree, number| tree.with(format!("{number}.txt"), "Partout le même.\n"));
    let scan = Station::new(folder.path()).scan(&medium(folder.path(), &tree));
    assert_eq!((scan.verdict(), known(&scan)), ("clean", 59));
}

/// Long contents have an object each, and matchers that would take both at the same time.
#[test]
fn the_same_long_content_is_matched_once_in_a_session() {
    let folder = tempfile::tempdir().expect("folder");
    let text = "Une ligne de ce long fichier, comme toutes les autres.\n".repeat(400_000);
    let tree = (0..4).fold(Tree::new(), |tree, number| tree.with(format!("{number}.txt"), text.clone()));
    let mut station = Station::new(folder.path());
    station.set("matchers", "count", "4");
    let scan = station.scan(&medium(folder.path(), &tree));
    assert_eq!((scan.verdict(), known(&scan)), ("clean", 3));
}

#[test]
fn what_is_infected_or_not_checked_is_asked_about_every_time() {
    let folder = tempfile::tempdir().expect("folder");
    let station = station(folder.path());
    let locked = samples::password_zip();
    let tree = (0..5).fold(Tree::new(), |tree, number| {
        tree.with(format!("e{number}.com"), samples::eicar()).with(format!("z{number}.zip"), locked.clone())
    });
    let medium = medium(folder.path(), &tree);
    let found: Vec<String> = (0..5).map(|number| format!("e{number}.com")).collect();
    for _ in 0..2 {
        let scan = station.scan(&medium);
        assert_eq!((scan.verdict(), scan.found()), ("infected", found.clone()));
        let gaps = scan.not_checked().into_iter().filter(|(path, _)| path.starts_with('z')).count();
        assert_eq!(gaps, 5, "{:?}", scan.not_checked());
    }
}

#[test]
fn a_session_in_which_a_matcher_died_teaches_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let mut station = station(folder.path());
    let children = folder.path().join("children");
    std::fs::create_dir(&children).expect("folder");
    std::fs::copy(program("blanche-reader"), children.join("blanche-reader")).expect("a copy");
    std::fs::copy(env!("CARGO_BIN_EXE_lying-matcher"), children.join("blanche-matcher")).expect("a copy");
    station.set("children", "directory", &format!("{children:?}"));
    let crashing = medium(folder.path(), &ordinary().with("x.crash", "x"));
    assert_eq!(station.scan(&crashing).verdict(), "incomplete");
    assert_eq!(known(&station.scan(&crashing)), 0);
    let quiet = folder.path().join("quiet");
    std::fs::create_dir(&quiet).expect("folder");
    let quiet = medium(&quiet, &ordinary());
    assert_eq!((known(&station.scan(&quiet)), known(&station.scan(&quiet)) > 0), (0, true));
}

#[test]
fn a_content_that_changed_by_one_byte_is_unknown() {
    let folder = tempfile::tempdir().expect("folder");
    let station = station(folder.path());
    let medium = medium(folder.path(), &ordinary().with("long.bin", vec![7u8; 300_000]));
    let first = station.scan(&medium);
    let mut bytes = std::fs::read(&medium).expect("the image");
    let place = bytes.windows(64).position(|window| window == [7u8; 64]).expect("the file");
    bytes[place + 1000] = 8;
    std::fs::write(&medium, bytes).expect("the image");
    let second = station.scan(&medium);
    let contents = |scan: &Scan| scan.report["content"]["files"].as_u64().expect("a number");
    assert_eq!((first.verdict(), second.verdict()), ("clean", "clean"));
    assert!(known(&second) + 1 >= contents(&second), "all others are known: {:#}", second.report["profile"]);
    assert!(known(&second) < known(&station.scan(&medium)), "now this one is as well");
}

/// Somebody else writes into the file (SQLite of Python): the report comes at once, its results join the file later.
#[test]
fn the_report_does_not_wait_until_its_results_are_kept() {
    const HOLD: &str = "import sqlite3, sys\nheld = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        held.execute('BEGIN IMMEDIATE')\nprint('held', flush=True)\nsys.stdin.readline()\nheld.execute('COMMIT')";
    let folder = tempfile::tempdir().expect("folder");
    let station = station(folder.path());
    let medium = medium(folder.path(), &ordinary());
    let nothing = folder.path().join("nothing");
    std::fs::create_dir(&nothing).expect("folder");
    assert_eq!(station.scan(&nothing).verdict(), "clean", "the file is made");
    let mut holder = Command::new("python3")
        .args(["-c", HOLD])
        .arg(folder.path().join("known.sqlite"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3; run make deps-test");
    let mut said = String::new();
    BufReader::new(holder.stdout.take().expect("a pipe")).read_line(&mut said).expect("a line");
    assert_eq!(said, "held\n");
    for json in [false, true] {
        let mut command = Command::new(program("blanche"));
        command.arg("--config").arg(station.configuration()).args(["scan", "--lang", "en"]);
        command.args(json.then_some("--json")).arg(&medium).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut scan = command.spawn().expect("the program was built");
        let mut lines = BufReader::new(scan.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let verdict = lines.find(|line| line.contains("CLEAN") || line.contains("\"verdict\": \"clean\""));
        assert!(verdict.is_some(), "{command:?}");
        assert!(scan.try_wait().expect("a child").is_none(), "it still waits for the file");
        if json {
            holder.stdin.take().expect("a pipe").write_all(b"\n").expect("it reads");
        } else {
            // The first signal ends the waiting.
            let signal = Command::new("kill").arg(scan.id().to_string()).status();
            assert!(signal.expect("kill; run make deps-test").success());
        }
        lines.for_each(drop);
        assert_eq!(scan.wait().expect("a child").code(), Some(0));
    }
    assert!(holder.wait().expect("a child").success());
    assert!(known(&station.scan(&medium)) > 40, "they are kept");
}
