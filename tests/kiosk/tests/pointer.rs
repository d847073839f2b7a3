//! What a finger or a pointer does (EN 301 549 V3.2.1, 11.2.5.2): a button acts when it is released inside, and not before.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk::words::pages;
use blanche_kiosk_tests::colour::Colour;
use blanche_kiosk_tests::desk::{Kiosk, Pointer, Size, eventually};
use blanche_kiosk_tests::tour::{Mode, Tour};
use std::time::Duration;

/// Long for an act that would follow at once.
const A_WHILE: Duration = Duration::from_millis(800);

/// Where the widget is that its layout calls so: left, top, width, height in pixels.
fn place(tour: &mut Tour, id: &str) -> [usize; 4] {
    let widgets = tour.kiosk.widgets();
    let widget = widgets.iter().find(|widget| widget["id"] == id).unwrap_or_else(|| panic!("no {id}: {widgets:?}"));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place on a screen")]
    let bound = |index: usize| widget["bounds"][index].as_f64().expect("a number") as usize;
    [bound(0), bound(1), bound(2), bound(3)]
}

/// Whether the button at this place is drawn as one that is held down: in the colour of lines (ui/style/kiosk.css).
fn is_held(tour: &Tour, place: [usize; 4]) -> bool {
    let (picture, line) = (tour.desk.picture_of(place), Colour::of_the_light_theme("line"));
    2 * picture.pixels.iter().filter(|pixel| **pixel == line.0).count() > picture.pixels.len()
}

#[test]
fn a_button_acts_when_it_is_released_inside_and_not_when_the_finger_has_left_it() {
    let mut tour = Tour::with(Size::LANDSCAPE, "fr", Mode::Usual, Kiosk::measured);
    tour.still();
    let button = place(&mut tour, "help_button");
    let [left, top, width, height] = button;
    let (x, y) = (left + width / 2, top + height / 2);
    let help = tour.word(pages::HELP_1);
    let is_open = |tour: &Tour| {
        std::thread::sleep(A_WHILE);
        tour.access.tree().to_string().contains(&help)
    };
    tour.desk.pointer(Pointer::At(x, y));
    assert!(!is_held(&tour, button), "nobody presses it");
    tour.desk.pointer(Pointer::Press);
    // The press has arrived.
    eventually("the button is down", || is_held(&tour, button).then_some(()));
    assert!(!is_open(&tour), "pressing alone does nothing");
    tour.desk.pointer(Pointer::At(640, 600));
    tour.desk.pointer(Pointer::Release);
    eventually("the button is up", || (!is_held(&tour, button)).then_some(()));
    assert!(!is_open(&tour), "who leaves the button has thought better of it");
    tour.desk.click(x, y);
    tour.wait_for(pages::HELP_1);
}
