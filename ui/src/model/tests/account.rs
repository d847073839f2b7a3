//! What staff read in the system's journal.

use super::*;

fn account(kiosk: &Kiosk) -> String {
    kiosk.account(&kiosk.screen())
}

#[test]
fn the_journal_tells_every_screen_in_stable_words_and_names_no_medium() {
    let mut stage = Stage::new();
    assert_eq!(account(&stage.kiosk), "waiting");
    stage.arrive(&session(1, "checking"));
    let number = "session 00000000-0000-7000-8000-000000000001";
    assert_eq!(account(&stage.kiosk), format!("seen, checking, {number}"));
    for (verdict, words) in
        [("clean", "verdict, clean"), ("infected", "verdict, infected"), ("refused", "verdict, refused")]
    {
        stage.kiosk.take(Event::Concluded(concluded(verdict)));
        assert_eq!(account(&stage.kiosk), format!("{words}, {number}"));
    }
    let mut removed = concluded("clean");
    "removed".clone_into(&mut removed.state);
    stage.kiosk.take(Event::Changed(removed));
    assert_eq!(account(&stage.kiosk), format!("remove, removed, clean, {number}"));
    stage.kiosk.act(Action::Open(Place::Help));
    assert_eq!(account(&stage.kiosk), format!("help, removed, clean, {number}"));
}

#[test]
fn the_journal_tells_trouble_by_its_codes_and_a_screen_that_is_dark() {
    let mut stage = Stage::new();
    stage.wait(900);
    assert_eq!(account(&stage.kiosk), "dark");
    stage.kiosk.take(Event::Station(station(&["journal", "signer"])));
    stage.kiosk.touch();
    assert_eq!(account(&stage.kiosk), "trouble, B4 B5");
    let mut starting = station(&[]);
    starting.engines.clear();
    stage.kiosk.take(Event::Station(starting));
    assert_eq!(account(&stage.kiosk), "starting");
    stage.kiosk.take(Event::Absent);
    assert_eq!(account(&stage.kiosk), "trouble, B0");
}
