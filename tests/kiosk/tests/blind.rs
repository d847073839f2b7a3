//! A visit without sight: from *waiting* to *remove* by keyboard alone, with only what is spoken (EN 301 549 V3.2.1, 5.1.3).
//!
//! What was heard is compared with golden files. After an intended change of words: `UPDATE_GOLDEN=1 make test-kiosk`, then read the
//! difference.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk::words::screens;
use blanche_kiosk_tests::desk::{Desk, SOON, Size, eventually};
use blanche_kiosk_tests::speech::{Heard, Listener};
use blanche_kiosk_tests::tour::{Mode, Tour};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::vec::IntoIter;

/// After so long nothing follows what was heard.
const QUIET: Duration = Duration::from_millis(600);

/// Somebody who hears and presses keys.
struct Visit {
    tour: Tour,
    listener: Listener,
    transcript: String,
    /// What the golden file has of each step that is still to come.
    expected: IntoIter<Vec<String>>,
}

impl Visit {
    /// `speaks`: from the beginning. `golden`: the file with which the transcript will be compared, if any.
    fn new(language: &str, speaks: bool, golden: Option<&str>) -> Self {
        let mut listener = None;
        let start = |desk: &Desk, arguments: &[&str]| {
            let heard = Listener::at(&desk.run_folder().join("speech"));
            let address = heard.address();
            listener = Some(heard);
            desk.kiosk_with(arguments, &[address])
        };
        let more = if speaks { "[voice]\non = true\n" } else { "" };
        let change = |_: &Desk, configuration: String| format!("{configuration}{more}");
        let tour = Tour::configured(Size::LANDSCAPE, language, Mode::Usual, change, start);
        let expected = golden.map(steps_of).unwrap_or_default().into_iter();
        let visit = Self { tour, listener: listener.expect("a listener"), transcript: String::new(), expected };
        if speaks {
            visit.is_greeted();
        }
        visit
    }

    /// Waits until the screen that waits was said, and nothing follows.
    fn is_greeted(&self) {
        let greeting = self.tour.word(screens::WAITING_TITLE);
        let is_said = || self.listener.texts().iter().any(|text| text.starts_with(&greeting)).then_some(());
        eventually("the next person is greeted", is_said);
        let _ = self.all_heard();
    }

    /// What was heard so far, line by line.
    fn heard(&self) -> Vec<String> {
        self.listener.heard().iter().map(Heard::to_string).collect()
    }

    /// The same once nothing follows.
    fn all_heard(&self) -> Vec<String> {
        let mut heard = self.heard();
        loop {
            std::thread::sleep(QUIET);
            let now = self.heard();
            if now == heard {
                return heard;
            }
            heard = now;
        }
    }

    /// Does something, and writes down what is heard of it; whether that is all that was to be heard. On a machine with
    /// much to do it comes in pieces.
    fn listens(&mut self, what: &str, act: impl FnOnce(&mut Tour), is_all: impl Fn(&[String]) -> bool) -> bool {
        self.listener.forget();
        act(&mut self.tour);
        let then = format!("something is heard of {what}, after:\n{}", self.transcript);
        eventually(&then, || self.listener.heard().iter().any(|heard| *heard != Heard::Cancelled).then_some(()));
        let start = Instant::now();
        while !is_all(&self.heard()) && start.elapsed() < SOON {
            std::thread::sleep(Duration::from_millis(30));
        }
        let heard = self.all_heard();
        self.transcript.push_str(&format!("[{what}]\n"));
        for one in &heard {
            self.transcript.push_str(&format!("{one}\n"));
        }
        is_all(&heard)
    }

    /// Does something, and writes down what is heard of it: as much as the golden file has, and what follows at once.
    fn does(&mut self, what: &str, act: impl FnOnce(&mut Tour)) {
        let expected = self.expected.next().unwrap_or_default();
        let ends_so = |heard: &[String]| expected.is_empty() || heard.last() == expected.last();
        if !self.listens(what, act, |heard| heard.len() >= expected.len() && ends_so(heard)) {
            // It is another one already: the rest of it is not waited for.
            self.expected = IntoIter::default();
        }
    }

    /// The same, but only what is heard last: what was begun a moment before may or may not have been interrupted.
    fn does_at_last(&mut self, what: &str, act: impl FnOnce(&mut Tour)) {
        let before = self.transcript.len();
        self.does(what, act);
        let now = self.transcript.split_off(before);
        let last = now.lines().last().unwrap_or_default();
        self.transcript.push_str(&format!("[{what}]\n{last}\n"));
    }

    /// Does something until these words are heard of it, and writes down what is heard.
    fn hears(&mut self, words: &str, what: &str, act: impl FnOnce(&mut Tour)) {
        let is_heard = self.listens(what, act, |heard| heard.iter().any(|line| line.contains(words)));
        assert!(is_heard, "{words:?} is heard of {what}:\n{}", self.transcript);
    }

    fn presses(&mut self, key: &'static str) {
        self.does(key, |tour| tour.desk.keys(&[key]));
    }

    /// The medium of the scene before is gone, and its person.
    fn begins_anew(&mut self) {
        self.listener.forget();
        self.tour.station.play("forget");
        self.tour.press(screens::BUTTON_HOME);
        self.is_greeted();
    }

    fn sees_nothing_of(&mut self, scene: &'static str) {
        self.does(scene, |tour| tour.station.scene(scene));
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// Whether the golden files are made anew.
fn is_made_anew() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// What a golden file has of each step.
fn steps_of(name: &str) -> Vec<Vec<String>> {
    let text = if is_made_anew() { String::new() } else { fs::read_to_string(golden(name)).unwrap_or_default() };
    let mut steps: Vec<Vec<String>> = Vec::new();
    for line in text.lines() {
        match steps.last_mut() {
            Some(step) if !line.starts_with('[') => step.push(line.to_owned()),
            _ => steps.push(Vec::new()),
        }
    }
    steps
}

fn is_golden(name: &str, text: &str) {
    let file = golden(name);
    if is_made_anew() {
        fs::create_dir_all(file.with_file_name("")).expect("the repository");
        fs::write(&file, text).expect("the repository");
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(golden == text, "{} differs:\n{text}", file.display());
}

fn visit(language: &str) {
    let golden = format!("blind-visit.{language}.txt");
    let mut visit = Visit::new(language, false, Some(&golden));
    visit.presses("F2");
    visit.presses("F3");
    visit.presses("F8");
    visit.presses("Tab");
    visit.sees_nothing_of("queued");
    visit.does("the files are counted", |tour| tour.station.scene("checking"));
    // The pause of `SEEN` in ui/src/model/compose/session.rs.
    visit.does("the check goes on", |_| std::thread::sleep(Duration::from_millis(3200)));
    visit.sees_nothing_of("sealing");
    visit.sees_nothing_of("clean");
    visit.presses("F3");
    visit.presses("Tab");
    visit.presses("Return");
    let is_let_go = || visit.tour.station.orders().iter().any(|order| order.starts_with("eject ")).then_some(());
    eventually("the medium is let go by keyboard alone", is_let_go);
    is_golden(&golden, &visit.transcript);
}

#[test]
fn a_visit_without_sight_in_french() {
    visit("fr");
}

#[test]
fn a_visit_without_sight_in_english() {
    visit("en");
}

/// Somebody who plugs in, listens, and takes their medium with them: no key is pressed and nothing is touched.
fn by_ear(language: &str) {
    let golden = format!("visit-by-ear.{language}.txt");
    let mut visit = Visit::new(language, true, Some(&golden));
    visit.sees_nothing_of("queued");
    visit.does("the files are counted", |tour| tour.station.scene("checking"));
    // The pause of `SEEN` in ui/src/model/compose/session.rs.
    visit.does("the check goes on", |_| std::thread::sleep(Duration::from_millis(3200)));
    visit.sees_nothing_of("clean");
    visit.does("the medium is taken out", |tour| tour.station.play("unplug"));
    is_golden(&golden, &visit.transcript);
}

#[test]
fn a_visit_by_ear_needs_no_key_in_french() {
    by_ear("fr");
}

#[test]
fn a_visit_by_ear_needs_no_key_in_english() {
    by_ear("en");
}

/// What is heard of each kind of result and of what a person does with it.
fn results(language: &str) {
    let golden = format!("results.{language}.txt");
    let mut visit = Visit::new(language, true, Some(&golden));
    for scene in ["clean-detached", "clean-no-tag", "clean-empty", "incomplete", "incomplete-suspicious", "infected"] {
        visit.sees_nothing_of(scene);
        if scene == "infected" {
            visit.does_at_last("a receipt", |tour| tour.press(screens::BUTTON_RECEIPT));
        }
        visit.begins_anew();
    }
    for scene in ["refused-composite", "failed-unreadable", "pulled"] {
        visit.sees_nothing_of(scene);
        visit.begins_anew();
    }
    for scene in ["copying", "copied", "copying", "copy-empty"] {
        visit.sees_nothing_of(scene);
    }
    visit.begins_anew();
    visit.sees_nothing_of("problem-signer");
    is_golden(&golden, &visit.transcript);
}

#[test]
fn every_result_is_heard_with_what_to_do_and_whom_to_call_in_french() {
    results("fr");
}

#[test]
fn every_result_is_heard_with_what_to_do_and_whom_to_call_in_english() {
    results("en");
}

/// What was found, row by row, and back to the heading of the list.
#[test]
fn the_list_of_details_is_heard_row_by_row() {
    let mut visit = Visit::new("fr", true, None);
    visit.hears("Devis/facture-2026-11.zip", "infected", |tour| tour.station.scene("infected"));
    visit.hears("Liste détaillée", "details", |tour| tour.press(screens::BUTTON_DETAILS));
    visit.hears("Devis/facture-2026-11.zip", "Tab", |tour| tour.desk.keys(&["Tab"]));
    visit.hears("autorun.inf", "Down", |tour| tour.desk.keys(&["Down"]));
    visit.hears("Photos/", "Down", |tour| tour.desk.keys(&["Down"]));
    let heard = visit.transcript.split_once("[details]").expect("the list").1;
    for file in ["Devis/facture-2026-11.zip", "autorun.inf", "Photos/"] {
        assert!(heard.contains(&format!("fr: Dangereux : {file}").replace(" :", "\u{A0}:")), "{file}: {heard}");
    }
    // What a keyboard sends for Tab with Shift.
    visit.hears("Liste détaillée", "back to the heading", |tour| tour.desk.keys(&["shift+ISO_Left_Tab"; 3]));
    let heard = visit.transcript.split_once("[back to the heading]").expect("it").1;
    assert!(heard.contains("Liste détaillée"), "{heard}");
}

/// EN 301 549 V3.2.1, 5.1.3.10: one voice, over one conversation with the dispatcher, and no other way to the sound card.
#[test]
fn nothing_but_the_voice_makes_a_sound() {
    let mut visit = Visit::new("fr", true, None);
    visit.sees_nothing_of("infected");
    // Keys that lead nowhere, at which other programs ring a bell.
    for key in ["Up", "Up", "Left", "End", "a", "Delete"] {
        visit.tour.desk.keys(&[key]);
    }
    // This one comes after them.
    visit.hears("(volume ", "F8", |tour| tour.desk.keys(&["F8"]));
    visit.sees_nothing_of("clean");
    assert_eq!(visit.listener.conversations(), 1);
    let process = Path::new("/proc").join(visit.tour.kiosk.pid().to_string());
    let maps = fs::read_to_string(process.join("maps")).expect("a running kiosk");
    assert!(maps.contains("libgtk-4"), "{maps}");
    for library in ["libasound", "libpulse", "libpipewire", "libcanberra", "libgstreamer", "libjack", "libopenal"] {
        assert!(!maps.contains(library), "{library}");
    }
    let open = fs::read_dir(process.join("fd")).expect("a running kiosk").flatten();
    let sound = open.filter_map(|entry| fs::read_link(entry.path()).ok()).find(|path| path.starts_with("/dev/snd"));
    assert_eq!(sound, None);
}
