//! From what is known to a screen: pure functions.

mod copying;
mod names;
mod outcome;
mod pages;
mod reasons;
mod rows;
mod session;
mod trouble;

pub use rows::row_texts;
pub(super) use session::can_stop;

use super::choices::Choices;
use super::screen::{
    Action, Bar, Button, Other, Page, Place, Reference, Screen, Shape, Spoken, Statement, Tone, Warning, Weight,
};
use super::{Kiosk, Known};
use crate::amounts;
use crate::words::{Text, pages as page_words, screens};

/// The whole screen.
pub(super) fn screen(kiosk: &Kiosk) -> Screen {
    let (mut page, buttons) = page(kiosk);
    if let Some(known) = kiosk.current().filter(|_| kiosk.known.len() > 1) {
        say_whose(&mut page, known);
    }
    Screen {
        spoken: spoken(kiosk, &page),
        training: is_training(kiosk).then(|| {
            let open = button(Action::Open(Place::Training), screens::BUTTON_TRAINING, Weight::Plain);
            (screens::TRAINING_BANNER.into(), open)
        }),
        dark: kiosk.dark(),
        other: other(kiosk),
        warning: warning(kiosk),
        notice: kiosk.notice.clone(),
        session: kiosk.current().filter(|_| !kiosk.place.is_for_all()).map(|known| known.session.session.clone()),
        page,
        buttons,
    }
}

fn page(kiosk: &Kiosk) -> (Page, Vec<Button>) {
    let current = kiosk.current();
    match (kiosk.place, current) {
        (Place::Help, _) => pages::help(kiosk),
        (Place::About, _) => pages::about(kiosk),
        (Place::Settings, _) => pages::settings(kiosk),
        (Place::Training, _) if is_training(kiosk) => pages::training(kiosk),
        (Place::Copy, Some(known)) if known.session.copy.can => copying::offer(kiosk),
        (Place::Details, Some(known)) => pages::details(known),
        (Place::Stop, Some(known)) if can_stop(&known.session) => session::stop(&known.session),
        (_, Some(known)) if known.copied => copying::done(kiosk, known),
        (_, Some(known)) => session::page(kiosk, known),
        (_, None) => trouble::page(kiosk).unwrap_or_else(|| waiting(kiosk)),
    }
}

/// With another medium there, nobody takes its result for that of their own.
fn say_whose(page: &mut Page, known: &Known) {
    let whose = || screens::FACT_LINE.with([("label", screens::FACT_MEDIUM.into()), ("value", name(known))]);
    if let Page::Details(details) = page {
        details.whose = Some(whose());
    }
    let (Page::Checking(statement, ..)
    | Page::Verdict(statement, _)
    | Page::Remove(statement)
    | Page::Confirm(statement)
    | Page::Copy(statement)) = page
    else {
        return;
    };
    statement.sentences.insert(0, whose());
}

pub(super) fn is_training(kiosk: &Kiosk) -> bool {
    kiosk.station.as_ref().is_some_and(|station| station.simulated)
}

fn waiting(kiosk: &Kiosk) -> (Page, Vec<Button>) {
    let station = kiosk.station.as_ref();
    let ready = station.is_some_and(|station| !station.engines.is_empty());
    let (title, sentence, tone) = if ready {
        (screens::WAITING_TITLE, screens::WAITING_SENTENCE, Tone::Calm)
    } else {
        (screens::STARTING_TITLE, screens::STARTING_SENTENCE, Tone::Busy)
    };
    let date = station.and_then(|station| amounts::day(station.bases_date));
    let bases = match date {
        Some(date) => screens::WAITING_BASES.with([("date", amounts::date(date))]),
        None => screens::WAITING_BASES_UNKNOWN.into(),
    };
    let statement = Statement {
        shape: Shape::Port,
        tone,
        title: title.into(),
        sentences: std::iter::once(sentence.into()).chain(ready.then_some(bases)).collect(),
        next: Vec::new(),
    };
    (Page::Waiting(statement), Vec::new())
}

/// A button.
fn button(action: Action, label: impl Into<Text>, weight: Weight) -> Button {
    Button { action, label: label.into(), weight, chosen: None }
}

fn back() -> Button {
    button(Action::Back, screens::BUTTON_BACK, Weight::Main)
}

/// "Call 12 34", where there is somebody to call.
fn contact(kiosk: &Kiosk) -> Option<Text> {
    let contact = kiosk.policy.contact.as_deref()?;
    // A number stays in one line.
    let is_number = !contact.contains(char::is_alphabetic);
    let contact = if is_number { contact.replace(' ', "\u{A0}") } else { contact.to_owned() };
    Some(screens::CONTACT.with([("contact", Text::Raw(contact))]))
}

/// "Kingston DataTraveler, 16 GB".
pub(super) fn name(known: &Known) -> Text {
    let medium = &known.session.medium;
    let name = if medium.name.is_empty() { screens::UNNAMED.into() } else { names::short(&medium.name) };
    if medium.capacity == 0 {
        return name;
    }
    screens::NAME_AND_SIZE.with([("name", name), ("size", amounts::size(medium.capacity))])
}

fn other(kiosk: &Kiosk) -> Option<Other> {
    let known = kiosk.known.get(kiosk.next_other()?)?;
    Some(Other {
        line: screens::OTHER.with([("name", name(known)), ("state", session::short(known))]),
        button: button(Action::Other, screens::OTHER_SHOW, Weight::Plain),
    })
}

fn warning(kiosk: &Kiosk) -> Option<Warning> {
    let left = kiosk.left().filter(|left| *left <= kiosk.policy.warning)?;
    // Rounded up: with nothing left the screen is gone.
    let seconds = left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0));
    Some(Warning {
        line: screens::WARNING.with([("seconds", seconds.into())]),
        button: button(Action::Keep, screens::KEEP, Weight::Main),
    })
}

/// What is said: the statement of a page; a tenth of the way; the warning.
fn spoken(kiosk: &Kiosk, page: &Page) -> Spoken {
    let session = kiosk.current().map(|known| known.session.session.as_str()).unwrap_or_default();
    let state = kiosk.current().map(|known| known.session.state.as_str()).unwrap_or_default();
    if let (Some(warning), true) = (warning(kiosk), kiosk.choices.voice) {
        let texts = vec![warning.line.clone(), warning.button.label];
        return Spoken { topic: format!("warning {session}"), texts, interrupts: true, aside: None };
    }
    let aside = kiosk.notice.clone();
    let checked = kiosk.current().map(|known| &known.session).filter(|session| session.state == "checking");
    let alarms = checked.and_then(session::alarms);
    let (topic, mut texts, interrupts) = match page {
        Page::Checking(statement, bar, _) if state == "copying" && bar.done >= 100 => {
            let texts = std::iter::once(&statement.title).chain(&statement.sentences).cloned().collect();
            return tenth(texts, bar, None, &format!("{state} {session}"), aside);
        }
        Page::Checking(statement, bar, _) if checked.is_some() && (bar.done >= 100 || alarms.is_some()) => {
            let texts = std::iter::once(statement.title.clone()).chain(alarms).collect();
            let left = checked.and_then(|session| session::time_left(kiosk, session));
            return tenth(texts, bar, left, &format!("{state} {session}"), aside);
        }
        Page::Verdict(statement, reference) => {
            let details = kiosk.current().map(|known| outcome::details(kiosk, known)).unwrap_or_default();
            if details == outcome::Details::Awaited {
                return Spoken { topic: String::new(), texts: Vec::new(), interrupts: false, aside };
            }
            let texts = statement.whole().into_iter().chain([ending(reference)]).collect();
            (format!("{state} {details:?}"), texts, true)
        }
        // First it is let go, then it is gone: both are said in the same words.
        // A station that was getting ready says that it is.
        Page::Remove(statement) | Page::Waiting(statement) => {
            (format!("{:?}", statement.title), statement.whole(), true)
        }
        Page::Checking(statement, ..) | Page::Confirm(statement) => (state.to_owned(), statement.whole(), true),
        // A station key that comes, or is read to its end, changes what can be done.
        Page::Copy(statement) => (format!("{state} {:?}", statement.next), statement.whole(), true),
        Page::Seen(statement, facts) => {
            let facts = facts.iter().map(|fact| fact.value.clone()).take(1);
            let estimated = kiosk.current().is_some_and(|known| known.session.estimate_seconds > 0);
            (format!("{state} {estimated}"), statement.whole().into_iter().chain(facts).collect(), true)
        }
        Page::Trouble(statement, facts) => {
            let facts = facts.iter().flat_map(|fact| [fact.label.clone(), fact.value.clone()]);
            (
                format!("{facts:?}", facts = facts.clone().collect::<Vec<_>>()),
                statement.whole().into_iter().chain(facts).collect(),
                true,
            )
        }
        Page::Details(details) => (String::new(), details.whole(), true),
        Page::Help(title, sentences) => {
            (String::new(), std::iter::once(title).chain(sentences).cloned().collect(), true)
        }
        Page::About(title, facts) => {
            let facts = facts.iter().flat_map(|fact| [fact.label.clone(), fact.value.clone()]);
            (format!("{:?}", kiosk.self_test), std::iter::once(title.clone()).chain(facts).collect(), true)
        }
        Page::Settings(title, _) | Page::Training(title, _) => (String::new(), vec![title.clone()], true),
    };
    if is_training(kiosk) {
        texts.push(screens::TRAINING_BANNER.into());
    }
    Spoken { topic: format!("{} {session} {topic}", page.name()), texts, interrupts, aside }
}

/// A tenth of the way. Each step of a copy has a way of its own, and is named. That something was found is told at once, and how much
/// with each tenth: a voice that told of each file would never end.
fn tenth(mut texts: Vec<Text>, bar: &Bar, left: Option<Text>, whose: &str, aside: Option<Text>) -> Spoken {
    let tenth = bar.done / 100;
    let topic = format!("{whose} {tenth} {}", texts.len());
    texts.push(screens::PERCENT.with([("percent", u64::from(tenth * 10).into())]));
    texts.extend(left);
    Spoken { topic, texts, interrupts: false, aside }
}

/// The end of the number of a session, letter by letter.
fn ending(reference: &Reference) -> Text {
    let letters: Vec<String> = reference.end.chars().map(String::from).collect();
    screens::SESSION_SPOKEN.with([("letters", Text::Raw(letters.join(" ")))])
}

/// "Volume: 80 %".
pub(super) fn volume(choices: &Choices) -> Text {
    page_words::VOICE_VOLUME.with([("percent", u64::from(choices.volume).into())])
}

/// The choices of the voice, for the page of comfort.
fn voice_label(kiosk: &Kiosk) -> Text {
    if kiosk.choices.voice { page_words::VOICE_OFF } else { page_words::VOICE_ON }.into()
}
