//! A screen that crashes, hangs or cannot begin is there again, with the session that is going on, and nothing else is seen meanwhile
//! (back in less than two seconds, never stuck).
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and say what it saw"
)]

use blanche_kiosk::keeper::{BEGUN, PATIENCE};
use blanche_kiosk::words::screens;
use blanche_kiosk_tests::desk::{SOON, Size, eventually};
use blanche_kiosk_tests::tour::{Mode, Tour};
use rustix::process::Signal;
use std::fs;
use std::time::{Duration, Instant};

/// A person who looks at the screen waits so long at most.
const BACK: Duration = Duration::from_secs(2);
/// Of each kind, at each scene.
const CRASHES: usize = 2;
/// What the screen says of the scene `infected` when it has read the report, a moment after the verdict.
const REPORTED: &str = "facture-2026-11";

/// A kiosk with its keeper, as its unit starts it.
fn kept() -> Tour {
    Tour::with(Size::LANDSCAPE, "fr", Mode::Usual, |desk, arguments| desk.kiosk(&[arguments, &["--keep"]].concat()))
}

/// What assistive technology sees of a screen that nothing moves on.
fn seen(tour: &Tour) -> String {
    let _ = tour.desk.still();
    tour.access.tree().to_string()
}

/// Strikes the screen, and waits until another one shows the same; how long that took, without the time in which it was
/// ready to go on and others had the processors.
fn again(tour: &Tour, signal: Signal, limit: Duration) -> Duration {
    let (before, struck) = (seen(tour), tour.kiosk.screen().expect("a screen"));
    let start = Instant::now();
    struck.strike(signal);
    loop {
        let another = tour.kiosk.screen().filter(|screen| *screen != struck);
        let tree = another.map(|_| tour.access.tree().to_string()).unwrap_or_default();
        if let Some(screen) = another.filter(|_| tree == before) {
            return start.elapsed().saturating_sub(screen.waited());
        }
        let log = || tour.desk.log("kiosk");
        assert!(start.elapsed() < limit, "after {signal:?}:\n{tree}\ninstead of\n{before}\n{}", log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_screen_that_crashes_is_back_in_two_seconds_with_the_session_that_is_going_on() {
    let mut tour = kept();
    for (scene, shows) in [("checking", "42"), ("infected", REPORTED), ("two", "42")] {
        tour.station.scene(scene);
        eventually(scene, || tour.access.tree().to_string().contains(shows).then_some(()));
        let mut times = Vec::new();
        for signal in [Signal::KILL, Signal::ABORT].repeat(CRASHES) {
            // One that was there for less is started again after a while only.
            std::thread::sleep(BEGUN);
            times.push(again(&tour, signal, SOON));
            assert_eq!(tour.desk.windows().len(), 1);
        }
        times.sort_unstable();
        let middle = times[times.len() / 2];
        println!("{scene}: back after {middle:?} in the middle of {times:?}");
        assert!(middle < BACK, "{scene}: {times:?}");
    }
    // It is no picture of what was.
    tour.station.play("progress 77");
    eventually("what goes on", || tour.access.tree().to_string().contains("77").then_some(()));
}

#[test]
fn a_screen_that_hangs_is_ended_and_started_again() {
    let mut tour = kept();
    tour.station.scene("infected");
    eventually("its report", || tour.access.tree().to_string().contains(REPORTED).then_some(()));
    let took = again(&tour, Signal::STOP, PATIENCE + SOON);
    println!("back after {took:?}");
    assert!(tour.desk.log("kiosk").contains("hangs"), "{}", tour.desk.log("kiosk"));
}

#[test]
fn a_screen_that_cannot_begin_is_tried_again_until_it_can() {
    let mut tour = kept();
    let before = seen(&tour);
    let configuration = tour.desk.home().join("kiosk.toml");
    let good = fs::read(&configuration).expect("our folder");
    fs::write(&configuration, "[screen]\ncolours = \"pink\"\n").expect("our folder");
    tour.kiosk.screen().expect("a screen").strike(Signal::KILL);
    let starts = |tour: &Tour| tour.desk.log("kiosk").matches("starts again").count();
    // The first one is of the signal.
    eventually("three tries", || (starts(&tour) > 3).then_some(()));
    assert!(tour.kiosk.is_alive(), "{}", tour.desk.log("kiosk"));
    fs::write(&configuration, good).expect("our folder");
    eventually("the screen", || (tour.kiosk.screen().is_some() && seen(&tour) == before).then_some(()));
}

#[test]
fn a_keeper_ends_with_its_display_and_leaves_nothing_behind() {
    let mut tour = kept();
    tour.wait_for(screens::WAITING_TITLE);
    let screen = tour.kiosk.screen().expect("a screen");
    tour.desk.end_display();
    eventually("the keeper ends", || (!tour.kiosk.is_alive()).then_some(()));
    assert!(!screen.is_alive(), "{}", tour.desk.log("kiosk"));
}
