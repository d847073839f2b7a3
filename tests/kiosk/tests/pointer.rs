//! What a finger or a pointer does (EN 301 549 V3.2.1, 11.2.5.2): a button acts when it is released inside, and not before.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk::words::pages;
use blanche_kiosk_tests::desk::{Kiosk, Pointer, Size};
use blanche_kiosk_tests::tour::{Mode, Tour};
use std::time::Duration;

/// Long for an act that would follow at once.
const A_WHILE: Duration = Duration::from_millis(800);

/// The middle of the widget that its layout calls so.
fn middle(tour: &mut Tour, id: &str) -> (usize, usize) {
    let widgets = tour.kiosk.widgets();
    let widget = widgets.iter().find(|widget| widget["id"] == id).unwrap_or_else(|| panic!("no {id}: {widgets:?}"));
    let bound = |index: usize| widget["bounds"][index].as_f64().expect("a number");
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place on a screen")]
    let at = |start: usize, length: usize| (bound(start) + bound(length) / 2.0) as usize;
    (at(0, 2), at(1, 3))
}

#[test]
fn a_button_acts_when_it_is_released_inside_and_not_when_the_finger_has_left_it() {
    let mut tour = Tour::with(Size::LANDSCAPE, "fr", Mode::Usual, Kiosk::measured);
    let (x, y) = middle(&mut tour, "help_button");
    let help = tour.word(pages::HELP_1);
    let is_open = |tour: &Tour| {
        std::thread::sleep(A_WHILE);
        tour.access.tree().to_string().contains(&help)
    };
    tour.desk.pointer(Pointer::At(x, y));
    tour.desk.pointer(Pointer::Press);
    assert!(!is_open(&tour), "pressing alone does nothing");
    tour.desk.pointer(Pointer::At(640, 600));
    tour.desk.pointer(Pointer::Release);
    assert!(!is_open(&tour), "who leaves the button has thought better of it");
    tour.desk.click(x, y);
    tour.wait_for(pages::HELP_1);
}
