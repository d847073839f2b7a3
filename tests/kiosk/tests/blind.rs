//! A visit without sight: from *waiting* to *remove* by keyboard alone, with only what is spoken (EN 301 549 V3.2.1, 5.1.3).
//!
//! What was heard is compared with golden files. After an intended change of words: `UPDATE_GOLDEN=1 make test-kiosk`, then read the
//! difference.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk::words::screens;
use blanche_kiosk_tests::desk::{Desk, Size, eventually};
use blanche_kiosk_tests::speech::{Heard, Listener};
use blanche_kiosk_tests::tour::{Mode, Tour};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Somebody who hears and presses keys.
struct Visit {
    tour: Tour,
    listener: Listener,
    transcript: String,
}

impl Visit {
    /// `more`: of the configuration.
    fn new(language: &str, more: &str) -> Self {
        let mut listener = None;
        let start = |desk: &Desk, arguments: &[&str]| {
            let heard = Listener::at(&desk.run_folder().join("speech"));
            let address = heard.address();
            listener = Some(heard);
            desk.kiosk_with(arguments, &[address])
        };
        let change = |_: &Desk, configuration: String| format!("{configuration}{more}");
        let tour = Tour::configured(Size::LANDSCAPE, language, Mode::Usual, change, start);
        Self { tour, listener: listener.expect("a listener"), transcript: String::new() }
    }

    /// Does something, and writes down what is heard of it.
    fn does(&mut self, what: &str, act: impl FnOnce(&mut Tour)) {
        self.listener.forget();
        act(&mut self.tour);
        let then = format!("something is heard of {what}, after:\n{}", self.transcript);
        eventually(&then, || self.listener.heard().iter().any(|heard| *heard != Heard::Cancelled).then_some(()));
        // Until nothing follows.
        let mut heard = self.listener.heard();
        loop {
            std::thread::sleep(Duration::from_millis(600));
            let now = self.listener.heard();
            if now == heard {
                break;
            }
            heard = now;
        }
        self.transcript.push_str(&format!("[{what}]\n"));
        for one in heard {
            self.transcript.push_str(&format!("{one}\n"));
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

    fn presses(&mut self, key: &'static str) {
        self.does(key, |tour| tour.desk.keys(&[key]));
    }

    /// The medium of the scene before is gone, and its person.
    fn begins_anew(&mut self) {
        self.tour.station.play("forget");
        // Whatever page is open.
        self.tour.desk.keys(&["Escape"]);
        self.tour.press(screens::BUTTON_HOME);
        self.tour.wait_for(screens::WAITING_TITLE);
        std::thread::sleep(Duration::from_millis(600));
    }

    fn sees_nothing_of(&mut self, scene: &'static str) {
        self.does(scene, |tour| tour.station.scene(scene));
    }
}

fn is_golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.with_file_name("")).expect("the repository");
        fs::write(&file, text).expect("the repository");
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(golden == text, "{} differs:\n{text}", file.display());
}

fn visit(language: &str) {
    let mut visit = Visit::new(language, "");
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
    let orders = visit.tour.station.orders();
    assert!(
        orders.iter().any(|order| order.starts_with("eject ")),
        "the medium is let go by keyboard alone: {orders:?}"
    );
    is_golden(&format!("blind-visit.{language}.txt"), &visit.transcript);
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
    let mut visit = Visit::new(language, "[voice]\non = true\n");
    visit.sees_nothing_of("queued");
    visit.does("the files are counted", |tour| tour.station.scene("checking"));
    // The pause of `SEEN` in ui/src/model/compose/session.rs.
    visit.does("the check goes on", |_| std::thread::sleep(Duration::from_millis(3200)));
    visit.sees_nothing_of("clean");
    visit.does("the medium is taken out", |tour| tour.station.play("unplug"));
    is_golden(&format!("visit-by-ear.{language}.txt"), &visit.transcript);
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
    let mut visit = Visit::new(language, "[voice]\non = true\n");
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
    is_golden(&format!("results.{language}.txt"), &visit.transcript);
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
    let mut visit = Visit::new("fr", "[voice]\non = true\n");
    visit.sees_nothing_of("infected");
    visit.does("details", |tour| tour.press(screens::BUTTON_DETAILS));
    visit.presses("Tab");
    visit.presses("Down");
    visit.presses("Down");
    let heard = visit.transcript.split_once("[details]").expect("the list").1;
    for file in ["Devis/facture-2026-11.zip", "autorun.inf", "Photos/"] {
        assert!(heard.contains(&format!("fr: Dangereux : {file}").replace(" :", "\u{A0}:")), "{file}: {heard}");
    }
    // What a keyboard sends for Tab with Shift.
    visit.does("back to the heading", |tour| tour.desk.keys(&["shift+ISO_Left_Tab"; 3]));
    let heard = visit.transcript.split_once("[back to the heading]").expect("it").1;
    assert!(heard.contains("Liste détaillée"), "{heard}");
}

/// EN 301 549 V3.2.1, 5.1.3.10: one voice, over one conversation with the dispatcher, and no other way to the sound card.
#[test]
fn nothing_but_the_voice_makes_a_sound() {
    let mut visit = Visit::new("fr", "[voice]\non = true\n");
    visit.sees_nothing_of("infected");
    // Keys that lead nowhere, at which other programs ring a bell.
    for key in ["Up", "Up", "Left", "End", "a", "Delete"] {
        visit.tour.desk.keys(&[key]);
    }
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
