//! After a visit: nothing of it is on the screen, in a widget, in the voice or in a file, and what a person takes along was printed or was
//! not, without anybody waiting for the printer.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk::words::{pages, results, screens};
use blanche_kiosk_tests::desk::{Desk, Kiosk, Size, eventually};
use blanche_kiosk_tests::speech::Listener;
use blanche_kiosk_tests::tour::{Mode, Tour};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What only the session of the scene `infected` has: parts of names of its files, its medium, its number.
const OF_THE_SESSION: [&str; 5] =
    ["facture-2026-11", "autorun.inf", "SanDisk", "4C530001230519117275", "019aa9f6-c800"];

/// Files of the person of a desk, with what is in them.
fn files(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for path in fs::read_dir(folder).expect("our folder").flatten().map(|entry| entry.path()) {
        // Neither sockets nor pipes.
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push((path.clone(), fs::read(&path).unwrap_or_default()));
        }
    }
}

fn holds(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

#[test]
fn nothing_of_a_session_remains_on_the_screen_in_a_widget_in_the_voice_or_in_a_file() {
    let mut listener = None;
    let start = |desk: &Desk, arguments: &[&str]| {
        let heard = Listener::at(&desk.run_folder().join("speech"));
        let kiosk = Kiosk::measured_with(desk, arguments, &[heard.address()]);
        listener = Some(heard);
        kiosk
    };
    let speaks = |_: &Desk, configuration: String| format!("{configuration}[voice]\non = true\n");
    let mut tour = Tour::configured(Size::LANDSCAPE, "fr", Mode::Usual, speaks, start);
    let listener = listener.expect("a listener");
    // Everything that shows something of a session, one after the other.
    tour.station.scene("queued");
    tour.wait_for(screens::QUEUED_TITLE);
    tour.station.scene("two");
    tour.wait_for(screens::OTHER_SHOW);
    tour.station.scene("infected");
    tour.wait_for(results::INFECTED);
    tour.press(screens::BUTTON_DETAILS);
    eventually("its rows", || tour.kiosk.texts().concat().contains("autorun.inf").then_some(()));
    tour.press(screens::BUTTON_BACK);
    tour.wait_for(results::INFECTED);
    let held = tour.kiosk.texts().concat();
    assert!(held.contains("facture-2026-11") && held.contains("INFECTÉ"), "the test sees what is there: {held}");
    listener.forget();
    tour.station.play("unplug");
    let over = tour.word(screens::REMOVED_TITLE);
    eventually("its end is said", || listener.texts().concat().contains(&over).then_some(()));
    listener.forget();
    tour.press(screens::BUTTON_HOME);
    let waiting = tour.word(screens::WAITING_TITLE);
    eventually("the next person is greeted", || listener.texts().concat().contains(&waiting).then_some(()));

    let mut found = Vec::new();
    files(&tour.desk.home(), &mut found);
    files(&tour.desk.run_folder(), &mut found);
    let shown = [tour.kiosk.texts().join("\n"), tour.access.tree().to_string(), listener.texts().join("\n")];
    found.extend(["widgets", "tree", "voice"].map(PathBuf::from).into_iter().zip(shown.map(String::into_bytes)));
    assert!(found.len() > 3, "there is something to look at");
    for (place, text) in &found {
        for part in OF_THE_SESSION {
            assert!(!holds(text, part), "{part} is in {}", place.display());
        }
    }
}

/// A visit until the button of the receipt was pressed, with a printer that `printer` makes.
fn printing(format: &str, printer: impl FnOnce(&Desk) -> PathBuf) -> (Tour, PathBuf) {
    let mut path = PathBuf::new();
    let change = |desk: &Desk, configuration: String| {
        path = printer(desk);
        let (before, _) = configuration.split_once("[receipt]").expect("the last table");
        format!("{before}[receipt]\npath = {path:?}\nformat = \"{format}\"\n")
    };
    let start = |desk: &Desk, arguments: &[&str]| desk.kiosk(arguments);
    let mut tour = Tour::configured(Size::LANDSCAPE, "fr", Mode::Usual, change, start);
    tour.station.scene("infected");
    tour.press(screens::BUTTON_RECEIPT);
    (tour, path)
}

fn pipe(desk: &Desk) -> PathBuf {
    let path = desk.home().join("printer");
    assert!(Command::new("mkfifo").args(["-m", "666"]).arg(&path).status().is_ok_and(|status| status.success()));
    path
}

#[test]
fn a_receipt_says_in_a_file_what_the_screen_says() {
    let (tour, path) = printing("text", |desk| desk.home().join("receipt.txt"));
    tour.wait_for(pages::RECEIPT_DONE);
    let text = fs::read_to_string(path).expect("the receipt").replace('\u{A0}', " ").replace('’', "'");
    let said =
        ["INFECTÉ", "SanDisk Ultra Fit", "N'ouvrez aucun", "12 34", "019aa9f6-c800-7000-8000-", "22 novembre 2026"];
    for said in said {
        assert!(text.contains(said), "no {said:?} in:\n{text}");
    }
    assert!(text.lines().rev().skip(1).all(|line| line.chars().count() <= 32), "{text}");
}

#[test]
fn a_receipt_for_a_printer_has_its_commands_and_one_byte_a_letter() {
    let (tour, path) = printing("esc-pos", |desk| desk.home().join("receipt.bin"));
    tour.wait_for(pages::RECEIPT_DONE);
    let bytes = fs::read(path).expect("the receipt");
    // Reset and code page at the start, feed and cut at the end (ESC/POS: ESC @, ESC t, GS V).
    assert!(bytes.starts_with(b"\x1B@\x1Bt\x10") && bytes.ends_with(b"\x1DVB\0"), "{bytes:?}");
    assert!(holds(&bytes, "https://console.example/sessions/019aa9f6-c800"), "the square code");
    assert!(bytes.windows(7).any(|window| window == b"INFECT\xC9"), "Windows-1252");
}

/// The kiosk does something else at once while a receipt is on its way.
fn goes_on(tour: &Tour) {
    let start = Instant::now();
    tour.desk.keys(&["F1"]);
    tour.wait_for(pages::HELP_1);
    // A kiosk that waited for its printer would need ten.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    tour.desk.keys(&["Escape"]);
    // What comes of the receipt is told after that: whatever a person does puts such a line away.
    tour.wait_for(results::INFECTED);
}

#[test]
fn a_printer_that_is_off_is_told_at_once_and_nobody_waits_for_it() {
    let (tour, _) = printing("esc-pos", pipe);
    tour.wait_for(pages::RECEIPT_FAILED);
    goes_on(&tour);
}

#[test]
fn a_printer_that_hangs_blocks_nobody_and_is_given_up() {
    use std::io::Write;
    let mut hanging = None;
    let (mut tour, _) = printing("esc-pos", |desk| {
        let path = pipe(desk);
        // Full, with somebody who never reads (pipe(7): 64 KiB).
        let mut full = File::options().read(true).write(true).open(&path).expect("a pipe");
        full.write_all(&[0; 1 << 16]).expect("it takes so much");
        hanging = Some(full);
        path
    });
    tour.wait_for(pages::RECEIPT_RUNNING);
    goes_on(&tour);
    tour.wait_for(pages::RECEIPT_FAILED);
    assert!(tour.kiosk.is_alive());
    drop(hanging);
}
