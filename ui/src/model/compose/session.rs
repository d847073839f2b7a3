//! The screens of one medium, from its arrival to its farewell.

use super::super::screen::{Action, Bar, Button, Fact, Page, Place, Shape, Statement, Tone, Weight};
use super::super::{Kiosk, Known};
use super::{button, copying, name, outcome, reasons, trouble};
use crate::amounts;
use crate::words::{Text, pages, results, screens};
use blanche_bus::Session;
use jiff::ToSpan;
use jiff::civil::DateTime;
use std::time::Duration;

/// *Seen* stays so long at least, and so long with the expected time: what it says can be read.
const SEEN: Duration = Duration::from_secs(3);

/// Whether there is something to be stopped.
pub(crate) fn can_stop(session: &Session) -> bool {
    matches!(session.state.as_str(), "queued" | "checking" | "copying")
}

/// How a session stands, inside a sentence: its verdict, or its state.
pub(super) fn short(known: &Known) -> Text {
    outcome::word(known).unwrap_or_else(|| reasons::state(&known.session.state))
}

/// The screen of a session.
pub(super) fn page(kiosk: &Kiosk, known: &Known) -> (Page, Vec<Button>) {
    let session = &known.session;
    match session.state.as_str() {
        "removed" => remove(kiosk, known),
        "copying" => copying::running(known),
        "stopping" if !session.verdict.is_empty() => copying::stopping(known),
        // What it still does with what it read is nothing to wait for.
        _ if session.pulled && session.verdict.is_empty() => remove(kiosk, known),
        // The slot of a reader goes on working: nobody else says that this medium may be taken out.
        "verdict" if known.released => remove(kiosk, known),
        "queued" => {
            trouble::of_the_queue(kiosk).map_or_else(|| working(kiosk, known), |page| (page, vec![stop_button()]))
        }
        "checking" | "sealing" | "stopping" if session.verdict.is_empty() => working(kiosk, known),
        _ => outcome::page(kiosk, known),
    }
}

fn working(kiosk: &Kiosk, known: &Known) -> (Page, Vec<Button>) {
    let session = &known.session;
    let begun = matches!(session.stage.as_str(), "checking" | "judging");
    let fresh = known.seen.is_some_and(|seen| kiosk.now.elapsed.saturating_sub(seen) < SEEN);
    match session.state.as_str() {
        "sealing" => (sealing(session), Vec::new()),
        "stopping" => {
            (busy(screens::STOPPING_TITLE.into(), Vec::new(), screens::STOPPING_NEXT.into(), session), Vec::new())
        }
        "checking" if begun && !fresh => (checking(kiosk, session), vec![stop_button()]),
        _ => (seen(kiosk, known), vec![stop_button()]),
    }
}

fn stop_button() -> Button {
    button(Action::Open(Place::Stop), screens::BUTTON_CANCEL, Weight::Plain)
}

fn seen(kiosk: &Kiosk, known: &Known) -> Page {
    let session = &known.session;
    let queued = session.state == "queued";
    let count = match session.progress.get("files").copied() {
        Some(files) if files > 0 => screens::FILES_FOUND.with([("number", files.into())]),
        _ => screens::SEEN_COUNTING.into(),
    };
    let mut sentences = vec![screens::SEEN_SENTENCE.into()];
    sentences.push(estimate(kiosk, session).unwrap_or(if queued { screens::NO_ESTIMATE.into() } else { count }));
    let statement = Statement {
        shape: Shape::Eye,
        tone: Tone::Busy,
        title: if queued { screens::QUEUED_TITLE } else { screens::SEEN_TITLE }.into(),
        sentences,
        next: vec![screens::LEAVE_IT.into()],
    };
    Page::Seen(statement, vec![Fact { label: screens::FACT_MEDIUM.into(), value: name(known) }])
}

/// "Expected time: about 4 minutes. Come back at 14:10."
fn estimate(kiosk: &Kiosk, session: &Session) -> Option<Text> {
    let seconds = Some(session.estimate_seconds).filter(|seconds| *seconds > 0)?;
    let time = amounts::duration(seconds);
    // Nobody goes away for a minute.
    if seconds < 60 {
        return Some(screens::ESTIMATE_SHORT.with([("time", time)]));
    }
    Some(match later(kiosk.now.wall, seconds) {
        Some(clock) => screens::ESTIMATE.with([("time", time), ("clock", clock)]),
        None => screens::ESTIMATE_SHORT.with([("time", time)]),
    })
}

/// The clock at the next full minute after `seconds`; on another day it would mean nothing.
fn later(wall: DateTime, seconds: u64) -> Option<Text> {
    let then = wall.checked_add(i64::try_from(seconds).ok()?.seconds()).ok()?;
    let rest = (60 - i64::from(then.second())) % 60;
    let then = then.checked_add(rest.seconds()).ok().filter(|then| then.date() == wall.date())?;
    Some(amounts::clock(then.time()))
}

fn busy(title: Text, sentences: Vec<Text>, next: Text, session: &Session) -> Page {
    let statement = Statement { shape: Shape::Eye, tone: Tone::Busy, title, sentences, next: vec![next] };
    Page::Checking(statement, bar(session), Vec::new())
}

fn sealing(session: &Session) -> Page {
    let sentences = vec![screens::SEALING_SENTENCE.into()];
    busy(screens::SEALING_TITLE.into(), sentences, screens::SEALING_NEXT.into(), session)
}

fn checking(kiosk: &Kiosk, session: &Session) -> Page {
    let stage = if session.stage == "judging" { screens::STAGE_JUDGING } else { screens::STAGE_CHECKING };
    let statement = Statement {
        shape: Shape::Eye,
        tone: Tone::Busy,
        title: screens::CHECKING_TITLE.into(),
        sentences: std::iter::once(stage.into()).chain(alarms(session)).collect(),
        next: vec![screens::LEAVE_IT.into()],
    };
    let count = |name: &str| session.progress.get(name).copied().unwrap_or_default();
    // Where only the result is missing, nobody is told that something is not known yet.
    let time = (session.stage != "judging")
        .then(|| time_left(kiosk, session).unwrap_or_else(|| screens::TIME_LEFT_UNKNOWN.into()));
    let counted = [
        screens::FILES_OF.with([("done", count("files_done").into()), ("all", count("files").into())]),
        screens::BYTES_OF.with([("done", amounts::size(count("bytes_done"))), ("all", amounts::size(count("bytes")))]),
    ];
    Page::Checking(statement, bar(session), time.into_iter().chain(counted).collect())
}

/// What was found so far is not kept back.
pub(super) fn alarms(session: &Session) -> Option<Text> {
    let found = session.progress.get("files_found").copied().filter(|found| *found > 0)?;
    Some(screens::ALARMS.with([("number", found.into())]))
}

/// "Time left: about 4 minutes, until 14:10", where the station knows it.
pub(super) fn time_left(kiosk: &Kiosk, session: &Session) -> Option<Text> {
    let seconds = *session.progress.get("remaining")?;
    let time = amounts::duration(seconds);
    Some(match later(kiosk.now.wall, seconds) {
        Some(clock) => screens::TIME_LEFT.with([("time", time), ("clock", clock)]),
        None => screens::TIME_LEFT_SHORT.with([("time", time)]),
    })
}

/// The percentage is the station's, the length of the bar as exact as its counters.
fn bar(session: &Session) -> Bar {
    let count = |name: &str| u128::from(session.progress.get(name).copied().unwrap_or_default());
    let exact = count("bytes_done").saturating_mul(1000).checked_div(count("bytes"));
    let percent = u16::from(session.percent.min(100));
    let least = percent.saturating_mul(10);
    // Both are of the same moment; where they differ, by rounding or otherwise, the percentage is right.
    let done = exact.and_then(|exact| u16::try_from(exact).ok()).unwrap_or(least);
    Bar {
        done: done.clamp(least, least.saturating_add(9).min(1000)),
        percent: screens::PERCENT.with([("percent", u64::from(percent).into())]),
        name: screens::PROGRESS_NAME.into(),
    }
}

/// Asked before a check or a copy is stopped.
pub(super) fn stop(session: &Session) -> (Page, Vec<Button>) {
    let (title, sentence, go_on) = if session.state == "copying" {
        (pages::COPY_STOP_TITLE, pages::COPY_STOP_SENTENCE, pages::COPY_CONTINUE)
    } else {
        (screens::CANCEL_TITLE, screens::CANCEL_SENTENCE, screens::BUTTON_CONTINUE)
    };
    let statement = Statement {
        shape: Shape::Question,
        tone: Tone::Doubt,
        title: title.into(),
        sentences: vec![sentence.into()],
        next: Vec::new(),
    };
    let buttons =
        vec![button(Action::Back, go_on, Weight::Main), button(Action::Stop, screens::BUTTON_STOP, Weight::Grave)];
    (Page::Confirm(statement), buttons)
}

/// The medium is gone: too early, or with its result.
fn remove(kiosk: &Kiosk, known: &Known) -> (Page, Vec<Button>) {
    let session = &known.session;
    // What was found before, and a tag that was there already, count all the same.
    let failed = !session.failure.kind.is_empty() && (session.pulled || session.failure.kind == "removed");
    let early = failed || session.verdict.is_empty();
    let statement = if early {
        Statement {
            shape: Shape::Out,
            tone: Tone::Doubt,
            title: screens::PULLED_TITLE.into(),
            sentences: vec![screens::PULLED_SENTENCE.into()],
            next: vec![screens::PULLED_NEXT.into()],
        }
    } else {
        let word = outcome::word(known).unwrap_or_else(|| results::UNKNOWN_WORD.into());
        let next = outcome::remains(kiosk, known);
        let done = next.is_empty().then(|| screens::REMOVED_SENTENCE.into());
        Statement {
            shape: Shape::Out,
            tone: outcome::tone(known),
            title: screens::REMOVED_TITLE.into(),
            sentences: std::iter::once(screens::REMOVED_RESULT.with([("word", word)])).chain(done).collect(),
            next: next.into_iter().chain([screens::FORGET_NEXT.into()]).collect(),
        }
    };
    let gone = known.gone.is_some();
    let mut buttons: Vec<Button> =
        gone.then(|| button(Action::Done, screens::BUTTON_HOME, Weight::Main)).into_iter().collect();
    if session.has_report && session.verdict != "clean" {
        buttons.push(button(Action::Open(Place::Details), screens::BUTTON_DETAILS, Weight::Plain));
    }
    (Page::Remove(statement), buttons)
}
