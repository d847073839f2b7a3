//! Copies to media of the station, training, and the dark screen.

use super::*;

fn copyable() -> Session {
    let mut session = concluded("clean");
    session.copy.can = true;
    session
}

fn output(contents: &str) -> blanche_bus::OutputLine {
    let mut output =
        blanche_bus::OutputLine { id: "o1".to_owned(), contents: contents.to_owned(), ..Default::default() };
    output.medium.name = "Clé 7".to_owned();
    output
}

#[test]
fn a_copy_is_offered_when_the_station_offers_it_and_erases_only_when_that_is_said() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(concluded("clean")));
    assert!(!stage.text().contains("Copier sur une clé"), "{}", stage.text());
    stage.kiosk.take(Event::Changed(copyable()));
    assert!(stage.text().contains("Copier sur une clé"), "{}", stage.text());
    stage.kiosk.act(Action::Open(Place::Copy));
    assert!(stage.text().contains("Branchez une clé de la station"), "{}", stage.text());
    for (contents, said, erases) in
        [("blank", "Commencer la copie", false), ("filled", "sera effacé", true), ("x", "sera effacé", true)]
    {
        stage.kiosk.take(Event::Station(StationLine { outputs: vec![output(contents)], ..station(&[]) }));
        assert!(stage.text().contains(said) && stage.text().contains("Clé 7"), "{}", stage.text());
        let start = stage.kiosk.screen().buttons[0].action.clone();
        assert_eq!(start, Action::Copy("o1".to_owned(), erases), "{contents}");
    }
    let order = stage.kiosk.act(Action::Copy("o1".to_owned(), false));
    assert_eq!(order, [Order::Copy(copyable().path, "o1".to_owned(), false)]);
}

#[test]
fn a_station_key_that_cannot_be_written_is_not_offered() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(copyable()));
    stage.kiosk.act(Action::Open(Place::Copy));
    let (mut busy, mut read_only) = (output("looking"), output("blank"));
    (busy.busy, read_only.read_only) = (true, true);
    for (key, said) in [(busy, "examine la clé"), (read_only, "Prenez-en une autre")] {
        stage.kiosk.take(Event::Station(StationLine { outputs: vec![key], ..station(&[]) }));
        assert!(stage.text().contains(said), "{}", stage.text());
        assert!(!stage.kiosk.screen().buttons.iter().any(|button| matches!(button.action, Action::Copy(..))));
    }
}

#[test]
fn a_copy_shows_its_way_and_its_end() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(copyable()));
    let mut copying = copyable();
    copying.state = "copying".to_owned();
    copying.copy.stage = "writing".to_owned();
    copying.copy.percent = 31;
    stage.kiosk.take(Event::Changed(copying));
    assert_eq!(stage.page(), "checking");
    assert!(stage.text().contains("31 %") && stage.text().contains("Laissez les deux supports"), "{}", stage.text());
    stage.kiosk.act(Action::Open(Place::Stop));
    assert!(stage.text().contains("Arrêter la copie ?"), "{}", stage.text());
    for (outcome, seal, cause, tone, said) in [
        ("copied", "on-medium", "", Tone::Good, "Emportez la clé de la station"),
        ("copied", "none", "", Tone::Doubt, "n'a pas d'étiquette"),
        ("empty", "", "cancelled", Tone::Doubt, "La copie a été arrêtée"),
        ("untouched", "", "no_room", Tone::Doubt, "trop petite"),
        ("unknown", "", "a new word", Tone::Doubt, "On ne sait pas"),
    ] {
        let mut copied = copyable();
        (copied.copy.outcome, copied.copy.seal, copied.copy.cause) = (outcome.into(), seal.into(), cause.into());
        stage.kiosk.act(Action::Back);
        stage.kiosk.take(Event::Copied(copied));
        let Page::Copy(statement) = stage.kiosk.screen().page else { panic!("{}", stage.page()) };
        assert_eq!(statement.tone, tone, "{outcome} {seal}");
        assert!(stage.text().contains(said), "{}", stage.text());
    }
}

#[test]
fn what_came_of_a_copy_stays_until_somebody_has_read_it() {
    let mut copied = copyable();
    (copied.copy.outcome, copied.copy.seal) = ("copied".to_owned(), "on-medium".to_owned());
    for place in [Place::Main, Place::Help, Place::Settings, Place::Details] {
        let mut stage = Stage::new();
        stage.kiosk.take(Event::Concluded(copyable()));
        stage.kiosk.take(Event::Changed(Session { state: "copying".to_owned(), ..copyable() }));
        // A large medium: nobody touches anything meanwhile.
        stage.wait(300);
        stage.kiosk.act(Action::Open(place));
        stage.kiosk.take(Event::Copied(copied.clone()));
        stage.wait(300);
        assert!(stage.text().contains("Emportez la clé de la station"), "{place:?}: {}", stage.text());
        assert_eq!(stage.kiosk.place(), Place::Main, "Escape is silence there");
        stage.arrive(&session(2, "queued"));
        assert_eq!(stage.page(), "seen");
        stage.kiosk.act(Action::Other);
        assert_eq!(stage.page(), "copy", "another medium had the screen");
        stage.kiosk.act(Action::Back);
        assert_eq!(stage.page(), "verdict");
    }
}

#[test]
fn a_copy_that_is_being_stopped_keeps_both_media_plugged_in() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(copyable()));
    let mut stopping = copyable();
    stopping.state = "stopping".to_owned();
    stage.kiosk.take(Event::Changed(stopping));
    let text = stage.text();
    assert!(text.contains("La copie s'arrête") && text.contains("Laissez les deux supports"), "{text}");
    assert!(stage.kiosk.screen().buttons.is_empty(), "{text}");
    stage.kiosk.take(Event::Changed(Session { pulled: true, state: "stopping".to_owned(), ..copyable() }));
    let text = stage.text();
    assert!(text.contains("Votre support a été retiré") && !text.contains("Laissez les deux supports"), "{text}");
}

#[test]
fn made_up_media_are_there_at_a_training_station_only() {
    let mut stage = Stage::new();
    stage.kiosk.act(Action::Open(Place::Training));
    assert_eq!(stage.page(), "waiting");
    let asked = stage.kiosk.take(Event::Station(StationLine { simulated: true, ..station(&[]) }));
    assert_eq!(asked, [Order::Training]);
    let media = [("fr".to_owned(), vec![("clean".to_owned(), "Clé saine".to_owned())])].into();
    let plugged = vec![("front-1".to_owned(), "clean".to_owned())];
    stage.kiosk.take(Event::Training(Training { media, plugged }));
    assert!(stage.text().contains("Brancher : Clé saine") && stage.text().contains("Débrancher : Clé saine"));
    assert_eq!(stage.kiosk.act(Action::Insert("clean".to_owned())), [Order::Insert("clean".to_owned())]);
    assert_eq!(stage.kiosk.act(Action::PullOut("front-1".to_owned())), [Order::PullOut("front-1".to_owned())]);
}

#[test]
fn the_screen_is_dark_when_nobody_is_there_and_comes_back() {
    let mut stage = Stage::new();
    stage.wait(899);
    assert!(!stage.kiosk.screen().dark);
    stage.wait(1);
    assert!(stage.kiosk.screen().dark);
    stage.kiosk.touch();
    assert!(!stage.kiosk.screen().dark);
    stage.wait(900);
    stage.arrive(&session(1, "queued"));
    assert!(!stage.kiosk.screen().dark);
    stage.wait(3_600);
    assert!(!stage.kiosk.screen().dark, "never while a medium is there");
}
