//! What the kiosk shows: each state of the station and each thing a person does, as a table; and what goes away.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod account;
mod comfort;
mod copying;
mod results;
mod turns;
mod two;

use super::screen::{Action, Button, Colours, Page, Place, ReportState, Screen, Shape, Tone};
use super::*;
use crate::catalog::Catalog;
use crate::report::Missed;
use blanche_bus::{EngineLine, FailureLine, ProblemLine};

const START: Duration = Duration::from_secs(100);

fn policy() -> Policy {
    let seconds = Duration::from_secs;
    Policy {
        contact: Some("12 34".to_owned()),
        console: None,
        farewell: seconds(60),
        quiet: seconds(120),
        warning: seconds(20),
        blank: seconds(900),
        receipts: false,
        languages: vec![("fr".into(), "Français".into()), ("en".into(), "English".into())],
        choices: Choices { language: "fr".into(), letters: 100, colours: Colours::Light, voice: false, volume: 70 },
    }
}

/// A kiosk with a clock that the test moves.
struct Stage {
    kiosk: Kiosk,
    elapsed: Duration,
}

impl Stage {
    /// A station without a flaw.
    fn new() -> Self {
        let mut stage = Self { kiosk: Kiosk::new(policy(), moment(START)), elapsed: START };
        stage.kiosk.take(Event::Station(station(&[])));
        stage
    }

    fn wait(&mut self, seconds: u64) -> Vec<Order> {
        let mut orders = Vec::new();
        for _ in 0..seconds {
            self.elapsed += Duration::from_secs(1);
            orders.extend(self.kiosk.tick(moment(self.elapsed)));
        }
        orders
    }

    fn page(&self) -> &'static str {
        self.kiosk.screen().page.name()
    }

    /// Everything that is shown, in French.
    fn text(&self) -> String {
        shown(&self.kiosk.screen(), &Catalog::french())
    }

    fn arrive(&mut self, session: &Session) -> Vec<Order> {
        self.kiosk.take(Event::Arrived(session.clone()))
    }
}

fn moment(elapsed: Duration) -> Moment {
    Moment { elapsed, wall: jiff::civil::date(2026, 11, 28).at(14, 6, 45, 0) }
}

fn station(problems: &[&str]) -> StationLine {
    StationLine {
        version: "0.1.0".to_owned(),
        can_seal: problems.is_empty(),
        problems: problems.iter().map(|kind| ProblemLine { kind: (*kind).to_owned(), detail: "x".into() }).collect(),
        engines: vec![EngineLine { name: "clamav".into(), version: "1".into() }],
        bases_date: 1_795_132_800,
        ..StationLine::default()
    }
}

fn session(number: u8, state: &str) -> Session {
    let mut session = Session {
        path: format!("/org/blanche/Station1/sessions/{number}"),
        session: format!("00000000-0000-7000-8000-00000000000{number}"),
        state: state.to_owned(),
        role: "input".to_owned(),
        ..Session::default()
    };
    session.medium.name = format!("Key {number}");
    session.medium.capacity = 16_000_000_000;
    session
}

fn concluded(verdict: &str) -> Session {
    let mut session = session(1, if verdict == "refused" { "refused" } else { "verdict" });
    session.verdict = verdict.to_owned();
    session.has_report = verdict != "refused";
    session.progress.insert("files".to_owned(), 3);
    if verdict == "clean" {
        session.seal = "on-medium".to_owned();
        session.tag.insert("expires".to_owned(), "2026-12-05T10:00:00Z".to_owned());
    }
    session
}

fn missed(cause: &str, detail: &str, path: &str) -> Missed {
    Missed { cause: cause.into(), detail: detail.into(), path: path.into() }
}

/// Every text of a screen.
fn texts(screen: &Screen) -> Vec<Text> {
    let mut texts = Vec::new();
    let labels = |buttons: &[Button]| buttons.iter().map(|button| button.label.clone()).collect::<Vec<_>>();
    match &screen.page {
        Page::Waiting(statement)
        | Page::Verdict(statement, _)
        | Page::Remove(statement)
        | Page::Confirm(statement)
        | Page::Copy(statement) => {
            texts.extend(statement.whole());
        }
        Page::Seen(statement, facts) | Page::Trouble(statement, facts) => {
            texts.extend(statement.whole());
            texts.extend(facts.iter().flat_map(|fact| [fact.label.clone(), fact.value.clone()]));
        }
        Page::Checking(statement, bar, lines) => {
            texts.extend(statement.whole());
            texts.push(bar.percent.clone());
            texts.extend(lines.iter().cloned());
        }
        Page::Details(details) => texts.extend(details.whole()),
        Page::Help(title, lines) => texts.extend(std::iter::once(title).chain(lines).cloned()),
        Page::About(title, facts) => {
            texts.push(title.clone());
            texts.extend(facts.iter().flat_map(|fact| [fact.label.clone(), fact.value.clone()]));
        }
        Page::Settings(title, choices) | Page::Training(title, choices) => {
            texts.push(title.clone());
            texts.extend(
                choices.iter().flat_map(|choice| std::iter::once(choice.label.clone()).chain(labels(&choice.buttons))),
            );
        }
    }
    texts.extend(labels(&screen.buttons));
    texts.extend(screen.training.iter().map(|(banner, _)| banner.clone()).chain(screen.notice.clone()));
    texts.extend(screen.other.iter().flat_map(|other| [other.line.clone(), other.button.label.clone()]));
    texts.extend(screen.warning.iter().flat_map(|warning| [warning.line.clone(), warning.button.label.clone()]));
    texts
}

fn shown(screen: &Screen, catalog: &Catalog) -> String {
    // As it is typed: easier to read in expectations.
    catalog.render_all(&texts(screen)).replace('\u{A0}', " ").replace('’', "'")
}

fn statement(screen: &Screen) -> &super::screen::Statement {
    match &screen.page {
        Page::Verdict(statement, _) => statement,
        other => panic!("no verdict: {other:?}"),
    }
}

#[test]
fn a_verdict_is_a_word_a_shape_a_colour_and_what_to_do_next() {
    let mut cancelled = concluded("incomplete");
    cancelled.failure = FailureLine { kind: "cancelled".into(), detail: String::new() };
    let mut unsealed = concluded("clean");
    unsealed.seal = "none".to_owned();
    let mut detached = concluded("clean");
    detached.seal = "detached".to_owned();
    let mut nothing = concluded("clean");
    nothing.progress.insert("files".to_owned(), 0);
    let mut refused = concluded("refused");
    refused.refusal = "composite".to_owned();
    for (session, word, shape, tone, said) in [
        (concluded("clean"), "SAIN", Shape::Check, Tone::Good, "valable jusqu'au 5 décembre 2026"),
        (detached, "SAIN", Shape::Check, Tone::Good, "Demandez l'étiquette"),
        (unsealed, "SAIN, SANS ÉTIQUETTE", Shape::Question, Tone::Doubt, "Prévenez l'administrateur"),
        (nothing, "RIEN À VÉRIFIER", Shape::Question, Tone::Doubt, "Si vous attendiez des fichiers"),
        (concluded("infected"), "INFECTÉ", Shape::Cross, Tone::Danger, "N'ouvrez aucun fichier"),
        (concluded("incomplete"), "INCOMPLET", Shape::Question, Tone::Doubt, "N'utilisez pas ce support"),
        (cancelled, "ARRÊTÉ", Shape::Question, Tone::Doubt, "Rebranchez votre support"),
        (refused, "REFUSÉ", Shape::Stop, Tone::Refused, "service de sécurité"),
        (concluded("a new word"), "RÉSULTAT INCONNU", Shape::Question, Tone::Doubt, "service de sécurité"),
    ] {
        let mut stage = Stage::new();
        stage.kiosk.take(Event::Concluded(session));
        let screen = stage.kiosk.screen();
        let statement = statement(&screen);
        assert_eq!(Catalog::french().render(&statement.title), word);
        assert_eq!((statement.shape, statement.tone), (shape, tone), "{word}");
        assert!(!statement.next.is_empty() && stage.text().contains(said), "{word}: {}", stage.text());
    }
}

#[test]
fn only_a_clean_medium_with_a_tag_looks_good() {
    for verdict in ["", "clean", "infected", "incomplete", "refused", "new"] {
        for seal in ["", "none", "on-medium", "detached", "new"] {
            for files in [0, 3] {
                let mut session = concluded(verdict);
                session.seal = seal.to_owned();
                session.progress.insert("files".to_owned(), files);
                let mut stage = Stage::new();
                stage.kiosk.take(Event::Concluded(session));
                let screen = stage.kiosk.screen();
                let good = statement(&screen).tone == Tone::Good;
                let expected = verdict == "clean" && files > 0 && matches!(seal, "on-medium" | "detached");
                assert_eq!(good, expected, "{verdict} {seal} {files}");
            }
        }
    }
}

#[test]
fn the_time_is_told_before_it_begins() {
    let mut stage = Stage::new();
    stage.arrive(&session(1, "queued"));
    assert_eq!(stage.page(), "seen");
    // A turn that came late, and a medium that takes long to be listed.
    stage.wait(60);
    let mut begun = Session { stage: "walking".to_owned(), ..session(1, "checking") };
    stage.kiosk.take(Event::Changed(begun.clone()));
    stage.wait(60);
    let counting = stage.kiosk.screen().spoken.topic;
    (begun.stage, begun.estimate_seconds) = ("checking".to_owned(), 240);
    stage.kiosk.take(Event::Changed(begun.clone()));
    assert_eq!(stage.page(), "seen", "it stays long enough to be read");
    assert_ne!(stage.kiosk.screen().spoken.topic, counting, "and is heard");
    assert!(stage.text().contains("environ 4 minutes. Revenez vers 14 h 11."), "{}", stage.text());
    stage.wait(3);
    assert_eq!(stage.page(), "checking");
}

#[test]
fn a_clock_is_that_of_the_same_day_or_there_is_none() {
    // Until 23:59:45, until 0:01:15, and for more than a day.
    for (seconds, clock) in [(35_580, None), (35_400, Some("23 h 57")), (35_670, None), (100_000, None)] {
        let mut stage = Stage::new();
        stage.arrive(&Session { estimate_seconds: seconds, ..session(1, "queued") });
        assert_eq!(stage.text().contains("Revenez"), clock.is_some(), "{}", stage.text());
        let mut running = Session { stage: "checking".to_owned(), ..session(1, "checking") };
        running.progress.insert("remaining".to_owned(), seconds);
        stage.wait(3);
        stage.kiosk.take(Event::Changed(running));
        let text = stage.text();
        assert!(text.contains("Encore ") && clock.is_none_or(|clock| text.contains(clock)), "{text}");
        assert_eq!(text.contains("fin vers"), clock.is_some(), "{text}");
    }
}

#[test]
fn the_bar_follows_the_bytes_and_says_what_the_station_says() {
    let mut stage = Stage::new();
    let mut session = session(1, "checking");
    session.stage = "checking".to_owned();
    stage.arrive(&session);
    stage.wait(3);
    for (percent, done, all, expected) in
        [(41, 4155, 10_000, 415), (41, 9_000, 10_000, 419), (99, 0, 0, 990), (0, 0, 0, 0)]
    {
        session.percent = percent;
        session.progress = [("bytes_done".to_owned(), done), ("bytes".to_owned(), all)].into();
        stage.kiosk.take(Event::Changed(session.clone()));
        let Page::Checking(_, bar, _) = stage.kiosk.screen().page else { panic!("{}", stage.page()) };
        assert_eq!(bar.done, expected);
    }
}

#[test]
fn stopping_is_asked_once_more() {
    let mut stage = Stage::new();
    let running = session(1, "checking");
    stage.arrive(&running);
    assert_eq!(stage.kiosk.act(Action::Open(Place::Stop)), []);
    assert_eq!(stage.page(), "confirm");
    assert_eq!(stage.kiosk.act(Action::Stop), [Order::Cancel(running.path.clone())]);
    stage.kiosk.act(Action::Open(Place::Stop));
    stage.kiosk.take(Event::Concluded(concluded("clean")));
    assert_eq!(stage.page(), "verdict", "a question that has no more sense goes away");
    assert_eq!(stage.kiosk.act(Action::Open(Place::Stop)), []);
    assert_eq!(stage.page(), "verdict");
}

#[test]
fn nothing_of_a_session_remains_after_its_farewell() {
    let mut stage = Stage::new();
    stage.kiosk.take(Event::Concluded(concluded("infected")));
    for choice in [Action::NextLanguage, Action::NextLetters, Action::NextColours, Action::Voice, Action::Volume(10)] {
        stage.kiosk.act(choice);
    }
    let mut gone = concluded("infected");
    gone.state = "removed".to_owned();
    stage.kiosk.take(Event::Changed(gone.clone()));
    assert_eq!(stage.page(), "remove");
    stage.wait(39);
    assert!(stage.kiosk.screen().warning.is_none());
    stage.wait(1);
    assert!(stage.kiosk.screen().warning.is_some());
    stage.kiosk.take(Event::Forgotten(gone.path.clone()));
    assert_eq!(stage.page(), "remove", "the bus forgets; people may still read");
    assert_eq!(stage.wait(20), [Order::Forget(gone.path)]);
    assert_eq!(stage.page(), "waiting");
    assert!(!format!("{:?}", stage.kiosk).contains("Key 1"), "{:?}", stage.kiosk);
    assert_eq!(*stage.kiosk.choices(), policy().choices, "the next person finds what the first one found");
}

#[test]
fn the_warning_leaves_twenty_seconds_and_can_be_answered_more_than_ten_times() {
    let mut stage = Stage::new();
    let mut gone = concluded("clean");
    gone.state = "removed".to_owned();
    stage.kiosk.take(Event::Changed(gone));
    for _ in 0..15 {
        stage.wait(40);
        assert!(stage.kiosk.screen().warning.is_some());
        stage.wait(19);
        assert_eq!(stage.page(), "remove");
        stage.kiosk.act(Action::Keep);
        assert!(stage.kiosk.screen().warning.is_none());
    }
}

#[test]
fn a_page_that_nobody_touches_closes_and_a_verdict_does_not() {
    let mut stage = Stage::new();
    stage.kiosk.act(Action::Open(Place::Help));
    stage.wait(119);
    assert_eq!(stage.page(), "help");
    stage.wait(1);
    assert_eq!(stage.page(), "waiting");
    stage.kiosk.take(Event::Concluded(concluded("clean")));
    stage.wait(3_600);
    assert_eq!(stage.page(), "verdict");
}

#[test]
fn the_newest_arrival_and_the_newest_result_have_the_screen_and_the_other_has_a_line() {
    let mut stage = Stage::new();
    stage.arrive(&session(1, "checking"));
    stage.arrive(&session(2, "queued"));
    let text = stage.text();
    assert!(text.contains("Key 2"), "{text}");
    assert!(text.contains("Autre support : Key 1, 16 Go, vérification en cours"), "{text}");
    stage.kiosk.take(Event::Concluded(concluded("clean")));
    assert_eq!(stage.page(), "verdict");
    assert!(stage.text().contains("Key 2"), "{}", stage.text());
    stage.kiosk.act(Action::Other);
    assert!(stage.text().contains("Autre support : Key 1, 16 Go, SAIN"), "{}", stage.text());
    stage.kiosk.act(Action::Open(Place::Help));
    stage.kiosk.take(Event::Concluded(concluded("clean")));
    assert_eq!(stage.page(), "help", "what a person opened stays open");
}

#[test]
fn a_new_person_ends_the_farewell_of_the_one_before() {
    let mut stage = Stage::new();
    let mut gone = concluded("infected");
    gone.state = "removed".to_owned();
    stage.kiosk.take(Event::Changed(gone.clone()));
    let orders = stage.arrive(&session(2, "queued"));
    assert!(orders.contains(&Order::Forget(gone.path)), "{orders:?}");
    assert!(!stage.text().contains("Key 1"), "{}", stage.text());
}

#[test]
fn a_medium_that_is_pulled_out_is_explained_at_once() {
    let mut stage = Stage::new();
    stage.arrive(&session(1, "checking"));
    let mut pulled = session(1, "removed");
    (pulled.pulled, pulled.verdict) = (true, "incomplete".to_owned());
    pulled.failure.kind = "removed".to_owned();
    stage.kiosk.take(Event::Changed(pulled));
    assert!(
        stage.text().contains("Support retiré trop tôt") && stage.text().contains("Rebranchez-le"),
        "{}",
        stage.text()
    );
}

#[test]
fn a_station_at_fault_has_a_sentence_and_a_code_and_media_are_still_shown() {
    let mut stage = Stage::new();
    for (problems, title, codes) in [
        (vec!["bases"], "La station ne peut pas étiqueter", "B2"),
        (vec!["journal", "signer"], "La station ne peut pas étiqueter", "B4 B5"),
        (vec!["bases", "detection"], "La station ne peut pas vérifier", "B2 B6"),
        (vec!["new"], "La station ne peut pas étiqueter", "B9"),
    ] {
        stage.kiosk.take(Event::Station(station(&problems)));
        let text = stage.text();
        assert!(text.contains(title) && text.contains(&format!("administrateur. {codes}.")), "{text}");
    }
    stage.arrive(&session(1, "queued"));
    assert_eq!(stage.page(), "seen");
}

#[test]
fn a_station_that_leaves_is_missed_and_comes_back_by_itself() {
    let mut stage = Stage { kiosk: Kiosk::new(policy(), moment(Duration::ZERO)), elapsed: Duration::ZERO };
    assert_eq!(stage.page(), "waiting", "nobody is told of a start that takes a moment");
    stage.wait(5);
    assert_eq!(stage.page(), "trouble");
    stage.kiosk.take(Event::Station(station(&[])));
    stage.kiosk.take(Event::Present(session(1, "checking")));
    assert_eq!(stage.page(), "seen", "a kiosk that starts again shows what is going on");
    stage.kiosk.take(Event::Absent);
    assert!(stage.text().contains("B0"), "{}", stage.text());
}

#[test]
fn a_kiosk_that_starts_again_shows_at_once_how_far_a_check_is() {
    let mut stage = Stage { kiosk: Kiosk::new(policy(), moment(Duration::ZERO)), elapsed: Duration::ZERO };
    let checked = Session { stage: "checking".to_owned(), ..session(1, "checking") };
    stage.kiosk.take(Event::Present(checked.clone()));
    assert_eq!(stage.page(), "checking");
    stage = Stage { kiosk: Kiosk::new(policy(), moment(Duration::ZERO)), elapsed: Duration::ZERO };
    stage.arrive(&checked);
    assert_eq!(stage.page(), "seen", "who has just come reads first how long it takes");
}

#[test]
fn a_kiosk_that_starts_again_shows_the_medium_that_is_there_and_not_one_that_is_gone() {
    for order in [[1, 2, 3], [2, 1, 3], [3, 2, 1], [3, 1, 2]] {
        let mut stage = Stage { kiosk: Kiosk::new(policy(), moment(Duration::ZERO)), elapsed: Duration::ZERO };
        stage.kiosk.take(Event::Station(station(&[])));
        for number in order {
            stage.kiosk.take(Event::Present(session(number, if number == 2 { "checking" } else { "removed" })));
        }
        assert_eq!(stage.page(), "seen", "{order:?}");
        assert!(stage.kiosk.screen().other.is_none(), "{order:?}: nothing of media that are gone");
    }
}

#[test]
fn the_report_is_asked_for_once_and_summed_up_on_the_screen() {
    let mut stage = Stage::new();
    let infected = concluded("infected");
    let asked = stage.kiosk.take(Event::Concluded(infected.clone()));
    assert_eq!(asked, [Order::Report(infected.path.clone())]);
    assert_eq!(stage.kiosk.take(Event::Changed(infected.clone())), []);
    let summary = Summary { malicious: 2, files: vec!["a/b.exe".into()], rows: 2, ..Summary::default() };
    stage.kiosk.take(Event::Report(infected.path, ReportState::Read(summary)));
    assert!(stage.text().contains("Fichiers dangereux : 2") && stage.text().contains("a/b.exe"), "{}", stage.text());
    let mut stage = Stage::new();
    let clean = concluded("clean");
    assert_eq!(stage.kiosk.take(Event::Concluded(clean.clone())), [], "of a clean medium when somebody wants it");
    assert_eq!(stage.kiosk.act(Action::Open(Place::Details)), [Order::Report(clean.path.clone())]);
    stage.kiosk.take(Event::Report(clean.path.clone(), ReportState::Failed));
    assert_eq!(stage.kiosk.take(Event::Changed(clean.clone())), [], "not without end");
    let again = stage.kiosk.act(Action::Open(Place::Details));
    assert_eq!(again, [Order::Forget(clean.path.clone()), Order::Report(clean.path)], "for who opens it again");
}

#[test]
fn what_was_not_checked_is_explained_with_what_to_do() {
    let mut stage = Stage::new();
    let incomplete = concluded("incomplete");
    stage.kiosk.take(Event::Concluded(incomplete.clone()));
    let causes = vec![missed("encrypted", "zip", "Contrats/a.zip")];
    let summary = Summary { not_checked: 2, causes, rows: 2, ..Summary::default() };
    stage.kiosk.take(Event::Report(incomplete.path, ReportState::Read(summary)));
    let text = stage.text();
    assert!(text.contains("protégé par un mot de passe") && text.contains("copie sans mot de passe"), "{text}");
    assert!(text.contains("Éléments non vérifiés : 2") && text.contains("Fichier : Contrats/a.zip"), "{text}");
}

#[test]
fn the_station_says_what_a_device_pretends_to_be() {
    let mut stage = Stage::new();
    let mut refused = concluded("refused");
    refused.refusal = "composite".to_owned();
    assert_eq!(stage.kiosk.take(Event::Concluded(refused.clone())), [Order::Words(refused.path.clone())]);
    let said = [("fr".to_owned(), "Il se présente aussi comme : clavier.".to_owned())].into();
    stage.kiosk.take(Event::Said(refused.path, said));
    assert!(stage.text().contains("clavier"), "{}", stage.text());
    stage.kiosk.act(Action::Language("en".to_owned()));
    assert!(!stage.text().contains("clavier"), "not in another language");
}
