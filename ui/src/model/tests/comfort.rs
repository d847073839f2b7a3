//! Names, training, speech, the self-test, choices.

use super::*;

#[test]
fn names_of_media_obey_nothing() {
    let mut stage = Stage::new();
    let mut evil = session(1, "queued");
    evil.medium.name = "a\u{202E}gpj.exe\u{1B}[2J\u{2066}".to_owned();
    stage.arrive(&evil);
    let text = stage.text();
    assert!(text.contains("\\u{202E}") && !text.contains(['\u{202E}', '\u{1B}', '\u{2066}']), "{text:?}");
}

#[test]
fn training_is_said_on_every_page() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Station(StationLine { simulated: true, ..station(&[]) }));
    for place in [Place::Main, Place::Help, Place::About, Place::Settings] {
        stage.kiosk.act(Action::Open(place));
        assert!(stage.text().contains("rien n'est réel"), "{place:?}");
        let spoken = Catalog::french().render_all(&stage.kiosk.screen().spoken.texts);
        assert!(spoken.contains("rien n’est réel"), "{place:?}");
    }
}

#[test]
fn a_station_that_was_getting_ready_says_that_it_is() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Station(StationLine { engines: Vec::new(), ..station(&[]) }));
    let starting = stage.kiosk.screen().spoken.topic;
    stage.kiosk.take(Event::Station(station(&[])));
    let spoken = stage.kiosk.screen().spoken;
    assert_ne!(spoken.topic, starting);
    assert!(Catalog::french().render_all(&spoken.texts).contains("Branchez votre"), "{spoken:?}");
}

#[test]
fn what_is_spoken_is_what_is_shown_and_progress_is_spoken_in_tenths() {
    let mut stage = Stage::new();
    let mut running = session(1, "checking");
    running.stage = "checking".to_owned();
    stage.arrive(&running);
    stage.wait(3);
    let mut topics = Vec::new();
    for percent in 0..100 {
        running.percent = percent;
        stage.kiosk.take(Event::Changed(running.clone()));
        topics.push(stage.kiosk.screen().spoken.topic);
    }
    topics.dedup();
    assert_eq!(topics.len(), 10);
    running.progress = [("files_found".to_owned(), 3), ("remaining".to_owned(), 240)].into();
    for percent in [5, 95] {
        running.percent = percent;
        stage.kiosk.take(Event::Changed(running.clone()));
        let spoken = stage.kiosk.screen().spoken;
        let said = Catalog::french().render_all(&spoken.texts).replace('\u{A0}', " ");
        assert!(said.contains("suspects : 3") && said.contains("environ 4 minutes"), "{said}");
        assert!(!topics.contains(&spoken.topic), "what was found is told at once");
    }
    stage.kiosk.take(Event::Concluded(concluded("infected")));
    stage.wait(2);
    let spoken = stage.kiosk.screen().spoken;
    let whole = Catalog::french().render_all(&spoken.texts);
    assert!(spoken.interrupts && whole.starts_with("INFECTÉ") && whole.contains("N’ouvrez aucun fichier"), "{whole}");
}

#[test]
fn the_end_of_the_number_is_spoken_behind_whom_to_call() {
    let mut stage = Stage::new();
    let mut infected = concluded("infected");
    infected.session = "019aa9f6-c800-7000-8000-00000004a5b1".to_owned();
    stage.kiosk.take(Event::Concluded(infected.clone()));
    stage.kiosk.take(Event::Report(infected.path, ReportState::Failed));
    let spoken = Catalog::french().render_all(&stage.kiosk.screen().spoken.texts).replace('\u{A0}', " ");
    let number = "Numéro de session, six derniers caractères : 0 4 A 5 B 1.";
    assert!(spoken.contains("12 34") && spoken.ends_with(number), "{spoken}");
}

#[test]
fn a_result_is_spoken_with_what_was_found_or_alone_when_that_takes_long() {
    let said = |stage: &Stage| Catalog::french().render_all(&stage.kiosk.screen().spoken.texts);
    let summary = Summary { malicious: 2, files: vec!["a/b.exe".into()], rows: 2, ..Summary::default() };
    let mut stage = Stage::new();
    let infected = concluded("infected");
    stage.kiosk.take(Event::Concluded(infected.clone()));
    assert_eq!(said(&stage), "", "its report is read");
    stage.kiosk.take(Event::Report(infected.path.clone(), ReportState::Reading(summary.clone())));
    assert_eq!(said(&stage), "");
    stage.wait(2);
    assert!(said(&stage).starts_with("INFECTÉ"), "{}", said(&stage));
    let late = stage.kiosk.screen().spoken.topic;
    stage.kiosk.take(Event::Report(infected.path, ReportState::Read(summary)));
    assert!(said(&stage).contains("a/b.exe") && stage.kiosk.screen().spoken.topic != late, "{}", said(&stage));
    let mut stage = Stage::new();
    let mut refused = concluded("refused");
    refused.refusal = "composite".to_owned();
    stage.kiosk.take(Event::Concluded(refused.clone()));
    assert_eq!(said(&stage), "", "the station is asked what the device pretends to be");
    stage.kiosk.take(Event::Said(refused.path, [("fr".to_owned(), "Clavier.".to_owned())].into()));
    assert!(said(&stage).contains("Clavier"), "{}", said(&stage));
}

#[test]
fn whoever_changes_the_volume_hears_and_sees_how_loud_it_is() {
    let mut stage = Stage::new();
    stage.kiosk.act(Action::Volume(10));
    assert_eq!(stage.kiosk.screen().notice, None, "nobody listens");
    stage.kiosk.act(Action::Voice);
    let before = stage.kiosk.screen().spoken;
    stage.kiosk.act(Action::Volume(10));
    let screen = stage.kiosk.screen();
    assert_eq!(screen.spoken.topic, before.topic, "the page is not said again");
    assert_eq!(screen.notice, screen.spoken.aside);
    let said = screen.spoken.aside.map(|aside| Catalog::french().render(&aside).replace('\u{A0}', " "));
    assert_eq!(said.as_deref(), Some("Volume : 90 %"));
    assert_eq!(stage.kiosk.act(Action::Volume(10)), []);
    assert_eq!(stage.kiosk.act(Action::Volume(10)), [Order::Remind], "it cannot be louder, and that is heard");
    for _ in 0..9 {
        assert_eq!(stage.kiosk.act(Action::Volume(-10)), []);
    }
    assert_eq!(stage.kiosk.choices().volume, 10);
    assert_eq!(stage.kiosk.act(Action::Volume(-10)), [Order::Remind], "nor softer");
    stage.wait(120);
    assert_eq!(stage.kiosk.screen().notice, None, "the next person is not told");
}

#[test]
fn whoever_changes_letters_or_colours_silences_what_is_being_said() {
    let mut stage = Stage::new();
    let choices = [Action::Letters(200), Action::NextLetters, Action::Colours(Colours::Dark), Action::NextColours];
    for choice in choices.clone() {
        assert_eq!(stage.kiosk.act(choice), [], "nobody listens");
    }
    stage.kiosk.act(Action::Voice);
    for choice in choices {
        assert_eq!(stage.kiosk.act(choice.clone()), [Order::Hush], "{choice:?}");
    }
}

#[test]
fn whoever_comes_next_listens_too_while_a_headset_is_plugged_in() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Headset(true));
    for number in 1..3 {
        stage.kiosk.act(Action::Volume(10));
        stage.arrive(&session(number, "checking"));
        stage.kiosk.take(Event::Changed(session(number, "removed")));
        stage.kiosk.act(Action::Done);
        assert_eq!(*stage.kiosk.choices(), Choices { voice: true, ..policy().choices });
        stage.wait(300);
        assert!(stage.kiosk.choices().voice && stage.kiosk.screen().warning.is_none());
    }
    stage.kiosk.take(Event::Headset(false));
    assert_eq!(*stage.kiosk.choices(), policy().choices);
}

#[test]
fn what_became_of_a_receipt_is_said_to_its_person_alone() {
    let mut stage = Stage { kiosk: Kiosk::new(Policy { receipts: true, ..policy() }, moment(START)), elapsed: START };
    stage.kiosk.take(Event::Station(station(&[])));
    let clean = concluded("clean");
    stage.kiosk.take(Event::Concluded(clean.clone()));
    assert_eq!(stage.kiosk.act(Action::Receipt), [Order::Receipt(clean.path.clone())]);
    assert!(stage.text().contains("Le reçu s'imprime"), "{}", stage.text());
    assert_eq!(stage.kiosk.act(Action::Receipt), [], "one after the other");
    stage.kiosk.take(Event::Printed(clean.path.clone(), true));
    assert!(stage.text().contains("Le reçu est imprimé"), "{}", stage.text());
    assert_eq!(stage.kiosk.act(Action::Receipt), [Order::Receipt(clean.path.clone())]);
    let mut gone = clean.clone();
    gone.state = "removed".to_owned();
    stage.kiosk.take(Event::Changed(gone));
    stage.kiosk.act(Action::Done);
    stage.kiosk.take(Event::Printed(clean.path, false));
    assert_eq!((stage.page(), stage.kiosk.screen().notice), ("waiting", None));
}

#[test]
fn the_self_test_says_what_was_found() {
    let mut stage = Stage::new();
    stage.kiosk.act(Action::Open(Place::About));
    assert_eq!(stage.kiosk.act(Action::SelfTest), [Order::SelfTest]);
    assert!(stage.text().contains("Test de l'antivirus. en cours"));
    for (found, said) in [(true, "réussi, le faux virus"), (false, "échec. Prévenez")] {
        let results = vec![("clamav".to_owned(), "EICAR".to_owned(), found)];
        stage.kiosk.take(Event::SelfTest(SelfTest::Done(results)));
        assert!(stage.text().contains(said), "{}", stage.text());
    }
    stage.kiosk.take(Event::SelfTest(SelfTest::Done(Vec::new())));
    assert!(stage.text().contains("échec. Prévenez"), "nothing found is no success");
}

#[test]
fn a_self_test_that_is_running_cannot_be_begun_again_and_its_result_is_for_who_waits_for_it() {
    let can_begin = |stage: &Stage| stage.kiosk.screen().buttons.iter().any(|button| button.action == Action::SelfTest);
    let mut stage = Stage::new();
    stage.kiosk.act(Action::Open(Place::About));
    stage.kiosk.act(Action::SelfTest);
    stage.kiosk.act(Action::Back);
    stage.kiosk.act(Action::Open(Place::About));
    assert!(!can_begin(&stage) && stage.text().contains("en cours"), "{}", stage.text());
    stage.kiosk.act(Action::Back);
    stage.kiosk.take(Event::SelfTest(SelfTest::Failed));
    stage.kiosk.act(Action::Open(Place::About));
    assert!(can_begin(&stage) && !stage.text().contains("échec"), "{}", stage.text());
}

#[test]
fn a_choice_leaves_the_page_where_it_is() {
    let mut stage = Stage::new();
    stage.kiosk.act(Action::Open(Place::Settings));
    let choices =
        [Action::Language("en".to_owned()), Action::Letters(200), Action::Colours(Colours::Dark), Action::Voice];
    for choice in choices.into_iter().chain([Action::Volume(10)]) {
        stage.kiosk.act(choice.clone());
        assert_eq!(stage.page(), "settings", "{choice:?}");
    }
}

#[test]
fn every_choice_is_kept_within_its_bounds() {
    let mut stage = Stage::new();
    let mut sizes = Vec::new();
    for _ in 0..5 {
        stage.kiosk.act(Action::NextLetters);
        sizes.push(stage.kiosk.choices().letters);
    }
    assert_eq!(sizes, [125, 150, 200, 100, 125]);
    for by in [10, 10, 10, 10, 10, -10] {
        stage.kiosk.act(Action::Volume(by));
    }
    assert_eq!(stage.kiosk.choices().volume, 90);
    for _ in 0..20 {
        stage.kiosk.act(Action::Volume(-10));
    }
    assert_eq!(stage.kiosk.choices().volume, 10);
    stage.kiosk.act(Action::NextColours);
    assert_eq!(stage.kiosk.choices().colours, Colours::Dark);
}
