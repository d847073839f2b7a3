//! Two media, and two people: nobody is shown, told or given what is the other's.

use super::*;

fn second(state: &str, verdict: &str) -> Session {
    let mut session = session(2, state);
    verdict.clone_into(&mut session.verdict);
    session.has_report = !verdict.is_empty();
    session
}

fn copyable(mut session: Session) -> Session {
    session.copy.can = true;
    session
}

#[test]
fn whoever_is_about_to_copy_never_has_the_files_of_another_medium_copied() {
    let mut stage = Stage::new();
    let first = copyable(concluded("clean"));
    stage.kiosk.take(Event::Concluded(first.clone()));
    stage.kiosk.act(Action::Open(Place::Copy));
    stage.arrive(&second("queued", ""));
    stage.kiosk.take(Event::Concluded(copyable(second("verdict", "clean"))));
    assert_eq!(stage.page(), "copy", "what a person opened stays open");
    assert!(stage.text().contains("Autre support : Key 2"), "{}", stage.text());
    let order = stage.kiosk.act(Action::Copy("o1".to_owned(), true));
    assert_eq!(order, [Order::Copy(first.path, "o1".to_owned(), true)]);
}

#[test]
fn whoever_reads_a_list_goes_on_reading_that_of_their_medium() {
    let mut stage = Stage::new();
    let first = concluded("infected");
    stage.kiosk.take(Event::Concluded(first.clone()));
    stage.kiosk.take(Event::Report(first.path.clone(), ReportState::Read(Summary::default())));
    stage.kiosk.act(Action::Open(Place::Details));
    stage.kiosk.take(Event::Concluded(second("verdict", "incomplete")));
    let Page::Details(details) = stage.kiosk.screen().page else { panic!("{}", stage.page()) };
    assert_eq!(details.session, Some(first.path.clone()));
    assert!(stage.text().contains("Support : Key 1, 16 Go"), "{}", stage.text());
    // With its medium the list goes, and the next person is there.
    let mut gone = first.clone();
    gone.state = "removed".to_owned();
    stage.kiosk.take(Event::Changed(gone));
    stage.kiosk.take(Event::Arrived(session(3, "queued")));
    assert!(stage.page() == "seen" && stage.text().contains("Key 3"), "{}", stage.text());
    assert!(!stage.kiosk.knows(&first.path), "what is still read of its report is for nobody");
}

#[test]
fn a_medium_that_was_replaced_in_its_socket_does_not_take_the_screen_back() {
    for (port, expected) in [("1-2", "Key 2"), ("1-3", "Key 1")] {
        let mut stage = Stage::new();
        let mut first = session(1, "stopping");
        (first.pulled, first.medium.port) = (true, "1-2".to_owned());
        stage.arrive(&first);
        let mut next = session(2, "checking");
        next.medium.port = port.to_owned();
        stage.arrive(&next);
        (first.state, first.verdict) = ("removed".to_owned(), "incomplete".to_owned());
        stage.kiosk.take(Event::Concluded(first));
        let medium = stage.kiosk.medium().map(|medium| Catalog::french().render(&medium));
        assert!(medium.is_some_and(|medium| medium.starts_with(expected)), "{port}");
    }
}

#[test]
fn with_another_medium_there_every_page_says_whose_it_is() {
    let whose = "Support : Key 1, 16 Go";
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(concluded("clean")));
    assert!(!stage.text().contains(whose), "there is no other: {}", stage.text());
    stage.kiosk.take(Event::Changed(second("checking", "")));
    let mut running = session(1, "checking");
    running.stage = "checking".to_owned();
    let mut removed = concluded("clean");
    removed.state = "removed".to_owned();
    for (session, page) in [(concluded("clean"), "verdict"), (running, "checking"), (removed, "remove")] {
        stage.kiosk.take(Event::Changed(session));
        stage.wait(3);
        assert_eq!(stage.page(), page);
        assert!(stage.text().contains(whose), "{}", stage.text());
    }
}

#[test]
fn what_could_not_be_done_for_one_person_is_not_told_to_the_next() {
    let mut stage = Stage::new();
    stage.arrive(&session(2, "queued"));
    stage.kiosk.take(Event::Failed(Some(session(1, "").path)));
    assert_eq!(stage.kiosk.screen().notice, None);
    stage.kiosk.take(Event::Failed(Some(session(2, "").path)));
    assert_eq!(stage.kiosk.screen().notice, Some(pages::ORDER_FAILED.into()));
}

#[test]
fn what_was_said_to_one_person_is_not_said_to_the_next() {
    let mut stage = Stage::new();
    stage.arrive(&session(1, "checking"));
    stage.kiosk.take(Event::Failed(Some(session(1, "").path)));
    stage.kiosk.take(Event::Changed(session(1, "checking")));
    assert!(stage.kiosk.screen().notice.is_some());
    stage.arrive(&session(2, "queued"));
    assert_eq!(stage.kiosk.screen().notice, None);
}

#[test]
fn a_page_goes_with_its_reason_and_does_not_come_back_by_itself() {
    let mut stage = Stage::new();
    let first = copyable(concluded("clean"));
    stage.kiosk.take(Event::Concluded(first.clone()));
    stage.kiosk.act(Action::Open(Place::Copy));
    stage.kiosk.take(Event::Changed(concluded("clean")));
    stage.kiosk.take(Event::Changed(first));
    assert_eq!(stage.page(), "verdict");
    stage = Stage::new();
    stage.arrive(&session(1, "checking"));
    stage.kiosk.act(Action::Open(Place::Stop));
    stage.kiosk.take(Event::Changed(session(1, "sealing")));
    assert_eq!(stage.kiosk.place(), Place::Main, "its keys are those of the page that is seen");
}

#[test]
fn nobody_waits_for_a_receipt_behind_that_of_another() {
    let mut stage = Stage { kiosk: Kiosk::new(Policy { receipts: true, ..policy() }, moment(START)), elapsed: START };
    let first = concluded("clean");
    stage.kiosk.take(Event::Concluded(first.clone()));
    assert_eq!(stage.kiosk.act(Action::Receipt), [Order::Receipt(first.path.clone())]);
    let other = second("verdict", "clean");
    stage.kiosk.take(Event::Concluded(other.clone()));
    assert_eq!(stage.kiosk.act(Action::Receipt), []);
    assert_eq!(stage.kiosk.screen().notice, Some(pages::ORDER_FAILED.into()), "it is not being printed");
    stage.kiosk.take(Event::Printed(first.path, true));
    assert_eq!(stage.kiosk.act(Action::Receipt), [Order::Receipt(other.path)]);
}

#[test]
fn whoever_is_done_is_not_shown_the_result_of_somebody_who_went_before() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(concluded("infected")));
    stage.kiosk.take(Event::Concluded(second("verdict", "clean")));
    let mut gone = concluded("infected");
    gone.state = "removed".to_owned();
    stage.kiosk.take(Event::Changed(gone));
    stage.kiosk.take(Event::Changed(second("removed", "clean")));
    assert_eq!(stage.page(), "remove");
    stage.kiosk.act(Action::Done);
    assert_eq!(stage.page(), "waiting");
    assert_eq!(*stage.kiosk.choices(), policy().choices);
}
