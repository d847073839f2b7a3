//! Copying the files of a medium to one of the station's own: the offer, the way, what came of it.

use super::super::screen::{Action, Bar, Button, Page, Place, Shape, Statement, Tone, Weight};
use super::super::{Kiosk, Known};
use super::{back, button, contact, names, reasons};
use crate::amounts;
use crate::words::{Text, pages as words, screens};
use blanche_bus::OutputLine;

/// Which medium of the station takes the copy, and what is lost on it.
pub(super) fn offer(kiosk: &Kiosk) -> (Page, Vec<Button>) {
    let outputs = kiosk.station.as_ref().map(|station| station.outputs.as_slice()).unwrap_or_default();
    let fit = |output: &&OutputLine| !output.busy && !output.read_only;
    let output = outputs.iter().find(fit).or(outputs.first());
    let mut sentences: Vec<Text> = vec![words::COPY_SENTENCE.into()];
    let mut buttons = vec![back()];
    let next = match output {
        None => words::COPY_PLUG.into(),
        Some(output) if output.busy => words::COPY_BUSY.into(),
        Some(output) if output.read_only => words::COPY_READ_ONLY.into(),
        Some(output) => {
            sentences.push(words::COPY_READY.with([("name", name(output))]));
            let erases = output.contents != "blank";
            let (label, weight) =
                if erases { (words::COPY_ERASE_START, Weight::Grave) } else { (words::COPY_START, Weight::Main) };
            let start = button(Action::Copy(output.id.clone(), erases), label, weight);
            // One button stands out: the one that does no harm.
            let back = if erases { back() } else { Button { weight: Weight::Plain, ..back() } };
            buttons = vec![start, back];
            if erases { words::COPY_ERASES.into() } else { words::COPY_LEAVE.into() }
        }
    };
    let statement = Statement {
        shape: Shape::Port,
        tone: Tone::Calm,
        title: words::COPY_TITLE.into(),
        sentences,
        next: vec![next],
    };
    (Page::Copy(statement), buttons)
}

fn name(output: &OutputLine) -> Text {
    let medium = &output.medium;
    let name = if medium.name.is_empty() { screens::UNNAMED.into() } else { names::short(&medium.name) };
    screens::NAME_AND_SIZE.with([("name", name), ("size", amounts::size(medium.capacity))])
}

/// Each stage has a bar of its own.
pub(super) fn running(known: &Known) -> (Page, Vec<Button>) {
    let copy = &known.session.copy;
    let stage = match copy.stage.as_str() {
        "formatting" => words::STAGE_FORMATTING,
        "reading-back" => words::STAGE_READING_BACK,
        "checking" => words::STAGE_COPY_CHECKING,
        "sealing" => words::STAGE_COPY_SEALING,
        _ => words::STAGE_WRITING,
    };
    let statement = Statement {
        shape: Shape::Eye,
        tone: Tone::Busy,
        title: words::COPY_RUNNING.into(),
        sentences: vec![stage.into()],
        next: vec![words::COPY_LEAVE.into()],
    };
    let stop = button(Action::Open(Place::Stop), words::COPY_CANCEL, Weight::Plain);
    (Page::Checking(statement, bar(known), Vec::new()), vec![stop])
}

fn bar(known: &Known) -> Bar {
    let percent = u16::from(known.session.copy.percent.min(100));
    let said = screens::PERCENT.with([("percent", u64::from(percent).into())]);
    Bar { done: percent.saturating_mul(10), percent: said, name: words::COPY_PROGRESS.into() }
}

/// The medium of the station is emptied, which takes a while: nobody takes it out meanwhile.
pub(super) fn stopping(known: &Known) -> (Page, Vec<Button>) {
    let pulled = known.session.pulled;
    let statement = Statement {
        shape: Shape::Eye,
        tone: Tone::Busy,
        title: words::COPY_STOPPING.into(),
        sentences: pulled.then(|| words::CAUSE_SOURCE_REMOVED.into()).into_iter().collect(),
        next: std::iter::once(screens::STOPPING_NEXT)
            .chain((!pulled).then_some(words::COPY_LEAVE))
            .map(Text::from)
            .collect(),
    };
    (Page::Checking(statement, bar(known), Vec::new()), Vec::new())
}

/// What is on the medium of the station now. It stays until somebody has read it, or is gone.
pub(super) fn done(kiosk: &Kiosk, known: &Known) -> (Page, Vec<Button>) {
    let copy = &known.session.copy;
    let sealed = matches!(copy.seal.as_str(), "on-medium" | "detached");
    let (shape, tone, title, sentences, next) = match copy.outcome.as_str() {
        "copied" if sealed => {
            let sentences = if copy.outside_profile {
                vec![words::COPIED_OUTSIDE.into(), words::COPIED_CHECKED.into()]
            } else {
                vec![words::COPIED_SENTENCE.into()]
            };
            (Shape::Check, Tone::Good, words::COPIED_TITLE, sentences, vec![words::COPIED_NEXT.into()])
        }
        "copied" => {
            let (sentences, next) = (vec![words::COPIED_UNSEALED.into()], vec![words::NEXT_COPY_AGAIN.into()]);
            (Shape::Question, Tone::Doubt, words::NOT_COPIED_TITLE, sentences, next)
        }
        outcome => {
            let state = match outcome {
                "untouched" => words::OUTCOME_UNTOUCHED,
                "empty" => words::OUTCOME_EMPTY,
                _ => words::OUTCOME_UNKNOWN,
            };
            let reason = reasons::copy(&copy.cause);
            let (sentences, next) = (vec![reason.what, state.into()], vec![reason.next]);
            (Shape::Question, Tone::Doubt, words::NOT_COPIED_TITLE, sentences, next)
        }
    };
    let calls = contact(kiosk).filter(|_| tone == Tone::Doubt);
    let next = next.into_iter().chain(calls).collect();
    let read = if known.gone.is_some() { button(Action::Done, screens::BUTTON_HOME, Weight::Main) } else { back() };
    (Page::Copy(Statement { shape, tone, title: title.into(), sentences, next }), vec![read])
}
