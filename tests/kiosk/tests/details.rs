//! The list of a hundred thousand rows: quick to open, smooth to scroll, small in memory (KIOSK, build 2).
//!
//! The report comes as it does from a station: in a memory file by the bus, 30 MB of JSON.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and say what it saw"
)]

use blanche_kiosk::words::{pages, results, screens};
use blanche_kiosk_tests::desk::{Kiosk, Size, eventually};
use blanche_kiosk_tests::tour::{Mode, Tour};
use std::time::{Duration, Instant};

/// Until the first rows: two seconds on a machine that has nothing else to do (docs/performance.md), several times that on a slow one
/// with other tests.
const FIRST_ROWS: Duration = Duration::from_secs(8);
/// Reading all of it. Nobody waits for that: the list is there and grows.
const ALL_ROWS: Duration = Duration::from_secs(60);
/// Processor time of a page that is turned, and of the slowest of twenty. A list that made all its widgets would take ten times that.
const PAGE: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1000)];
/// Of the slowest of twenty frames while rows come in by thousands: the screen goes on.
const READING: Duration = Duration::from_millis(500);
/// Pages that are turned before and while it is measured.
const FAR: usize = 60;
const PAGES: usize = 20;
/// Of 100 000 rows with their names, and of the widgets that show some of them.
const MEMORY: u64 = 100 << 20;

/// The middle, and that of which one in twenty is slower.
fn pace(mut frames: Vec<Duration>) -> [Duration; 2] {
    frames.sort_unstable();
    let at = |twentieths: usize| frames[(frames.len() - 1) * twentieths / 20];
    [at(10), at(19)]
}

/// What each press of a key costs, until everything is drawn that comes of it.
fn pages(tour: &mut Tour, key: &str) -> [Duration; 2] {
    let mut before = tour.still();
    let _ = tour.kiosk.frames();
    let mut costs = Vec::new();
    for _ in 0..PAGES {
        tour.desk.keys(&[key]);
        before = tour.changed(&before);
        costs.push(tour.kiosk.frames().into_iter().sum());
    }
    pace(costs)
}

fn texts_of_list(tour: &mut Tour) -> Vec<String> {
    let all = tour.kiosk.widgets();
    let in_list = all.iter().filter(|widget| {
        let view = widget["view"].as_u64().and_then(|number| all.get(usize::try_from(number).ok()?));
        view.is_some_and(|view| view["type"] == "GtkListView")
    });
    in_list.filter_map(|widget| widget["text"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_hundred_thousand_rows_open_at_once_scroll_smoothly_and_fit() {
    let mut tour = Tour::with(Size::LANDSCAPE, "en", Mode::Usual, Kiosk::measured);
    tour.station.scene("incomplete");
    tour.wait_for(screens::BUTTON_DETAILS);
    let before = tour.kiosk.memory();
    let _ = tour.kiosk.frames();
    let start = Instant::now();
    tour.station.scene("incomplete-many");
    // The report is read for the result already.
    eventually("its result", || tour.access.tree().to_string().contains("100,000").then_some(()));
    let told = start.elapsed();
    let reading = pace(tour.kiosk.frames());

    let start = Instant::now();
    tour.press(screens::BUTTON_DETAILS);
    eventually("the first rows", || texts_of_list(&mut tour).concat().contains("archive num").then_some(()));
    let first = start.elapsed();
    eventually("all rows", || tour.access.tree().to_string().contains("Lines: 100,000").then_some(()));
    let all = start.elapsed();
    let opening = pace(tour.kiosk.frames());
    // Keys scroll as soon as these are there.
    tour.wait_for(screens::BUTTON_DOWN);

    let near = pages(&mut tour, "Page_Down");
    tour.desk.keys(&["Page_Down"; FAR]);
    let down = pages(&mut tour, "Page_Down");
    let far = texts_of_list(&mut tour).concat();
    let up = pages(&mut tour, "Page_Up");
    let memory = tour.kiosk.memory().saturating_sub(before);

    println!("the result after {told:?}; the first rows {first:?} after the button, all {all:?}");
    println!("a frame while it is read {reading:?}, while it is opened {opening:?} (middle, slowest of twenty)");
    println!("a page at the beginning {near:?}, further down {down:?}, up {up:?}");
    println!("{} MiB", memory >> 20);
    assert!(first < FIRST_ROWS && told < ALL_ROWS && all < ALL_ROWS, "{first:?} {told:?} {all:?}");
    assert!(reading[1] < READING && opening[1] < READING, "{reading:?} {opening:?}");
    for pages in [near, down, up] {
        assert!(pages[0] < PAGE[0] && pages[1] < PAGE[1], "{pages:?}");
    }
    assert!(!far.contains("numéro 000001 "), "the list was scrolled: {far}");
    assert!(memory < MEMORY, "{memory} bytes");
}

#[test]
fn the_list_of_one_medium_never_has_rows_of_another() {
    let mut tour = Tour::with(Size::LANDSCAPE, "en", Mode::Usual, Kiosk::measured);
    tour.station.scene("two-results");
    tour.wait_for(results::INFECTED);
    // For its verdict, the report of that one was read already.
    tour.press(screens::BUTTON_DETAILS);
    eventually("its rows", || texts_of_list(&mut tour).concat().contains("autorun.inf").then_some(()));
    tour.press(screens::BUTTON_BACK);
    tour.wait_for(results::INFECTED);
    tour.desk.keys(&["F6"]);
    tour.wait_for(results::CLEAN);
    tour.press(screens::BUTTON_DETAILS);
    let nothing = tour.word(pages::DETAILS_NONE);
    eventually("its report", || tour.access.tree().to_string().contains(&nothing).then_some(()));
    let rows = texts_of_list(&mut tour);
    assert!(rows.is_empty(), "{rows:?}");
    tour.press(screens::BUTTON_BACK);
    tour.wait_for(results::CLEAN);
    tour.desk.keys(&["F6"]);
    tour.wait_for(results::INFECTED);
    tour.press(screens::BUTTON_DETAILS);
    eventually("its rows again", || texts_of_list(&mut tour).concat().contains("autorun.inf").then_some(()));
}

#[test]
fn a_finger_leaves_the_details_whatever_the_size_of_the_letters() {
    for size in [Size::LANDSCAPE, Size::PORTRAIT] {
        let mut tour = Tour::new(size, "fr", Mode::Large);
        tour.station.scene("infected");
        tour.press(screens::BUTTON_DETAILS);
        tour.wait_for(pages::DETAILS_TITLE);
        tour.press(screens::BUTTON_BACK);
        tour.wait_for(screens::BUTTON_DONE);
    }
}
