//! What people wait for: a turn, and to hear that they may take their medium out.

use super::*;

#[test]
fn nobody_waits_for_a_turn_that_does_not_come() {
    let mut stage = Stage::new();
    stage.arrive(&session(1, "queued"));
    stage.kiosk.take(Event::Station(station(&["bases"])));
    assert_eq!(stage.page(), "seen", "it is checked");
    stage.kiosk.take(Event::Station(station(&["engines", "signer"])));
    let text = stage.text();
    assert!(text.contains("La station ne peut pas vérifier") && text.contains("B1 B5"), "{text}");
    assert!(text.contains("Arrêter la vérification"), "{text}");
    stage.kiosk.take(Event::Station(station(&[])));
    assert_eq!(stage.page(), "seen");
}

#[test]
fn a_medium_that_was_let_go_in_a_slot_that_stays_may_be_taken_out() {
    let mut stage = Stage::new();
    let clean = concluded("clean");
    stage.kiosk.take(Event::Concluded(clean.clone()));
    assert_eq!(stage.kiosk.act(Action::Done), [Order::Eject(clean.path.clone())]);
    assert_eq!(stage.page(), "verdict");
    stage.kiosk.take(Event::Released(clean.path.clone()));
    let screen = stage.kiosk.screen();
    assert_eq!((screen.page.name(), screen.buttons.len()), ("remove", 0), "there is nothing left to be done");
    assert!(stage.text().contains("SAIN"), "{}", stage.text());
    stage.wait(3_600);
    assert_eq!(stage.page(), "remove", "it is still there");
    let mut gone = clean;
    gone.state = "removed".to_owned();
    stage.kiosk.take(Event::Changed(gone));
    assert_eq!(stage.kiosk.screen().spoken.topic, screen.spoken.topic, "it is said once");
    stage.wait(60);
    assert_eq!(stage.page(), "waiting");
}

#[test]
fn what_was_found_before_a_medium_was_pulled_out_is_said_and_so_is_its_tag() {
    for (verdict, kind, said, not_said) in [
        ("infected", "", "INFECTÉ", "Rebranchez-le"),
        ("clean", "", "SAIN", "étiquette"),
        ("incomplete", "removed", "Rebranchez-le", "INCOMPLET"),
        ("incomplete", "sleep", "Rebranchez-le", "INCOMPLET"),
    ] {
        let mut stage = Stage::new();
        let mut pulled = concluded(verdict);
        (pulled.state, pulled.pulled, pulled.failure.kind) = ("removed".to_owned(), true, kind.to_owned());
        stage.kiosk.take(Event::Concluded(pulled));
        let text = stage.text();
        assert!(text.contains(said) && !text.contains(not_said), "{verdict} {kind}: {text}");
    }
}
