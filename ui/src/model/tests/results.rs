//! What the page of a result, and the list behind it, must not leave out or make up.

use super::*;

#[test]
fn only_the_list_of_a_clean_medium_says_that_nothing_was_found() {
    let nothing = "Rien n'a été trouvé. Tout a été vérifié.";
    for (verdict, report, said) in [
        ("clean", true, nothing),
        // Too large, mounted or empty: there is a report, and no row in it.
        ("refused", true, "Rien n'a été lu"),
        ("refused", false, "Rien n'a été lu"),
        ("incomplete", true, "n'a pas abouti"),
        // It slept, was restarted, or lost its engines.
        ("incomplete", false, "n'a pas abouti"),
        ("a new word", true, "n'a pas abouti"),
    ] {
        let mut stage = Stage::new();
        let session = Session { has_report: report, ..concluded(verdict) };
        stage.kiosk.take(Event::Concluded(session.clone()));
        stage.kiosk.act(Action::Open(Place::Details));
        if report {
            stage.kiosk.take(Event::Report(session.path, ReportState::Read(Summary::default())));
        }
        let text = stage.text();
        assert!(text.contains(said), "{verdict} {report}: {text}");
        assert_eq!(text.contains(nothing), verdict == "clean", "{verdict} {report}: {text}");
    }
}

#[test]
fn whoever_reads_another_page_is_told_what_became_of_their_medium() {
    let pulled = Session { pulled: true, ..session(1, "stopping") };
    for place in [Place::Help, Place::About, Place::Settings, Place::Training] {
        for (event, page) in [
            (Event::Concluded(concluded("infected")), "verdict"),
            (Event::Changed(pulled.clone()), "remove"),
            (Event::Changed(session(1, "removed")), "remove"),
        ] {
            let mut stage = Stage::new();
            stage.kiosk.take(Event::Station(StationLine { simulated: true, ..station(&[]) }));
            stage.arrive(&session(1, "checking"));
            stage.kiosk.act(Action::Open(place));
            stage.kiosk.take(event);
            assert_eq!(stage.page(), page, "{place:?}");
        }
    }
}

#[test]
fn nobody_is_told_to_wait_for_a_medium_that_they_hold_in_their_hand() {
    let said = |stage: &Stage| Catalog::french().render_all(&stage.kiosk.screen().spoken.texts);
    let mut stage = Stage::new();
    stage.arrive(&session(1, "checking"));
    stage.kiosk.take(Event::Changed(Session { pulled: true, ..session(1, "stopping") }));
    assert!(stage.text().contains("Support retiré trop tôt"), "{}", stage.text());
    // What was found before is told all the same, and heard.
    let topic = stage.kiosk.screen().spoken.topic;
    stage.kiosk.take(Event::Concluded(Session { pulled: true, state: "removed".to_owned(), ..concluded("infected") }));
    assert!(said(&stage).contains("INFECTÉ") && stage.kiosk.screen().spoken.topic != topic, "{}", said(&stage));
}

/// The screen of an incomplete medium with this report.
fn incomplete(summary: Summary) -> String {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(concluded("incomplete")));
    stage.kiosk.take(Event::Report(concluded("incomplete").path, ReportState::Read(summary)));
    stage.text()
}

#[test]
fn a_suspicious_file_is_told_whatever_else_was_not_checked() {
    let files = vec!["Outils/installe.ps1".into()];
    let causes = vec![missed("encrypted", "zip", "a.zip")];
    let text = incomplete(Summary { suspicious: 1, not_checked: 1, files, causes, rows: 2, ..Summary::default() });
    for said in ["suspect", "installe.ps1", "Éléments non vérifiés : 1", "N'utilisez pas", "au service de sécurité"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("mot de passe"), "nobody prepares a better copy of it: {text}");
}

#[test]
fn of_several_causes_the_one_for_the_security_staff_is_told() {
    let causes = ["encrypted", "container_broken", "read_limit", "engine_limit", "matcher_crashed", "reader_lost"];
    let causes: Vec<Missed> = causes.map(|cause| missed(cause, "zip", &format!("{cause}.zip"))).into();
    let text = incomplete(Summary { not_checked: 6, causes, rows: 6, ..Summary::default() });
    assert!(text.contains("matcher_crashed.zip") && text.contains("Apportez ce support"), "{text}");
    assert!(!text.contains("mot de passe"), "{text}");
}

#[test]
fn a_check_that_somebody_stopped_says_so_unless_something_was_found() {
    let cancelled = || missed("cancelled", "", "b.txt");
    let stopped = Summary { not_checked: 9, causes: vec![cancelled()], rows: 9, ..Summary::default() };
    let text = incomplete(stopped.clone());
    assert!(text.contains("ARRÊTÉ") && text.contains("Rebranchez votre support"), "{text}");
    assert!(text.contains("N'utilisez pas ce support"), "{text}");
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(concluded("incomplete")));
    stage.kiosk.take(Event::Report(concluded("incomplete").path, ReportState::Reading(stopped.clone())));
    assert!(stage.text().contains("INCOMPLET"), "more may come: {}", stage.text());
    let files = vec!["a.ps1".into()];
    let text = incomplete(Summary { suspicious: 1, files, ..stopped.clone() });
    assert!(text.contains("INCOMPLET") && text.contains("suspect"), "{text}");
    let text = incomplete(Summary { causes: vec![cancelled(), missed("matcher_crashed", "", "a")], ..stopped });
    assert!(text.contains("INCOMPLET") && text.contains("peut-être piégé"), "{text}");
}

#[test]
fn only_whoever_takes_out_a_medium_with_its_tag_on_it_is_done() {
    let done = "vous avez terminé";
    let clean = |seal: &str| Session { seal: seal.to_owned(), ..concluded("clean") };
    let failed = |kind: &str| {
        let mut session = concluded("incomplete");
        kind.clone_into(&mut session.failure.kind);
        session
    };
    for (session, said) in [
        (clean("on-medium"), done),
        (clean("detached"), "Demandez l'étiquette"),
        (clean("none"), "Prévenez l'administrateur"),
        (concluded("infected"), "N'ouvrez aucun fichier"),
        (concluded("incomplete"), "N'utilisez pas ce support"),
        (failed("sleep"), "N'utilisez pas ce support. Rebranchez"),
        (failed("unreadable"), "apportez-le au service de sécurité"),
        (concluded("refused"), "service de sécurité"),
        (concluded("a new word"), "service de sécurité"),
    ] {
        let mut stage = Stage::new();
        stage.kiosk.take(Event::Concluded(session.clone()));
        if session.seal != "on-medium" {
            assert!(stage.text().contains(said), "{}", stage.text());
        }
        stage.kiosk.take(Event::Changed(Session { state: "removed".to_owned(), ..session.clone() }));
        let text = stage.text();
        assert!(stage.page() == "remove" && text.contains(said), "{text}");
        assert_eq!(text.contains(done), session.seal == "on-medium", "{text}");
    }
}
