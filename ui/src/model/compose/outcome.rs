//! The verdict of a medium: one word, sentences, what to do next, whom to call.

use super::super::screen::{Action, Button, Page, Place, Reference, ReportState, Shape, Statement, Tone, Weight};
use super::super::{Kiosk, Known};
use super::reasons::{self, Reason};
use super::{button, contact, names};
use crate::amounts;
use crate::report::{Missed, Summary};
use crate::words::{Message, Text, results as words, screens};
use blanche_bus::Session;
use std::time::Duration;

/// What became of a medium, once there is a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Clean,
    /// Clean, and there was no file.
    Nothing,
    /// Clean, and without a tag.
    Unsealed,
    Infected,
    Incomplete,
    /// Incomplete, because somebody stopped it.
    Stopped,
    Refused,
    /// A word that this screen does not know.
    Unknown,
}

impl Outcome {
    fn of(known: &Known) -> Option<Self> {
        let session = &known.session;
        // Counters tell of no file only where they tell of anything.
        let nothing = session.progress.get("files").is_some_and(|files| *files == 0);
        Some(match session.verdict.as_str() {
            "" => return None,
            "clean" if session.seal != "on-medium" && session.seal != "detached" => {
                if nothing {
                    Self::Nothing
                } else {
                    Self::Unsealed
                }
            }
            "clean" if nothing => Self::Nothing,
            "clean" => Self::Clean,
            "infected" => Self::Infected,
            "incomplete" if session.failure.kind == "cancelled" || was_stopped(&known.report) => Self::Stopped,
            "incomplete" => Self::Incomplete,
            "refused" => Self::Refused,
            _ => Self::Unknown,
        })
    }

    const fn word(self) -> Message {
        match self {
            Self::Clean => words::CLEAN,
            Self::Nothing => words::NOTHING,
            Self::Unsealed => words::CLEAN_UNSEALED,
            Self::Infected => words::INFECTED,
            Self::Incomplete => words::INCOMPLETE,
            Self::Stopped => words::CANCELLED,
            Self::Refused => words::REFUSED,
            Self::Unknown => words::UNKNOWN_WORD,
        }
    }

    /// A shape belongs to one colour: whoever sees no colours sees the shape.
    const fn look(self) -> (Shape, Tone) {
        match self {
            Self::Clean => (Shape::Check, Tone::Good),
            Self::Infected => (Shape::Cross, Tone::Danger),
            Self::Refused => (Shape::Stop, Tone::Refused),
            Self::Nothing | Self::Unsealed | Self::Incomplete | Self::Stopped | Self::Unknown => {
                (Shape::Question, Tone::Doubt)
            }
        }
    }
}

/// Whether a report is one of a check that somebody stopped, and holds to its end nothing that the security staff has to see.
fn was_stopped(report: &ReportState) -> bool {
    let ReportState::Read(summary) = report else { return false };
    let has = |is_so: fn(&Missed) -> bool| summary.causes.iter().any(is_so);
    summary.malicious == 0
        && summary.suspicious == 0
        && has(|missed| &*missed.cause == "cancelled")
        && !has(|missed| reasons::cause(&missed.cause, &missed.detail).is_for_staff())
}

/// What the screen says of a result comes in two steps: the verdict, and a moment later what was found or what the device pretends to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Details {
    /// They are there, or there are none.
    #[default]
    Known,
    /// They come at any moment: whoever listens hears both together.
    Awaited,
    /// They take long: the verdict is not kept back.
    Late,
}

/// So long the voice waits for them.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether everything is known that the screen of this result says.
pub(super) fn details(kiosk: &Kiosk, known: &Known) -> Details {
    let reading = matches!(known.report, ReportState::Reading(_));
    let unsaid = known.session.verdict == "refused" && known.said.is_empty();
    let since = kiosk.now.elapsed.saturating_sub(known.concluded.unwrap_or_default());
    match (reading || unsaid, since < PATIENCE) {
        (false, _) => Details::Known,
        (true, true) => Details::Awaited,
        (true, false) => Details::Late,
    }
}

/// The one word of a session that has its result.
pub(super) fn word(known: &Known) -> Option<Text> {
    Outcome::of(known).map(|outcome| outcome.word().into())
}

/// What the colour of its result means.
pub(super) fn tone(known: &Known) -> Tone {
    Outcome::of(known).map_or(Tone::Calm, |outcome| outcome.look().1)
}

/// The screen of a result.
pub(super) fn page(kiosk: &Kiosk, known: &Known) -> (Page, Vec<Button>) {
    let session = &known.session;
    let outcome = Outcome::of(known).unwrap_or(Outcome::Unknown);
    let (shape, tone) = outcome.look();
    let (sentences, mut next) = explained(kiosk, known, outcome);
    next.extend(contact(kiosk));
    let statement = Statement { shape, tone, title: outcome.word().into(), sentences, next };
    (Page::Verdict(statement, reference(kiosk, session)), buttons(kiosk, known))
}

/// What is still to be done with a medium that is out, and whom to call; nothing when it has its tag on it.
pub(super) fn remains(kiosk: &Kiosk, known: &Known) -> Vec<Text> {
    let outcome = Outcome::of(known).unwrap_or(Outcome::Unknown);
    if outcome == Outcome::Clean && known.session.seal == "on-medium" {
        return Vec::new();
    }
    let (_, next) = explained(kiosk, known, outcome);
    next.into_iter().chain(contact(kiosk)).collect()
}

/// What happened, and what to do next.
fn explained(kiosk: &Kiosk, known: &Known, outcome: Outcome) -> (Vec<Text>, Vec<Text>) {
    let say = |what: Message, next: &[Message]| (vec![what.into()], next.iter().copied().map(Text::from).collect());
    match outcome {
        Outcome::Clean => clean(&known.session),
        Outcome::Nothing => say(words::NOTHING_SENTENCE, &[words::NOTHING_NEXT]),
        Outcome::Unsealed => say(words::CLEAN_UNSEALED_SENTENCE, &[words::CALL_ADMINISTRATOR]),
        Outcome::Infected => infected(known.report.summary()),
        Outcome::Stopped => say(words::FAILURE_CANCELLED, &[words::INCOMPLETE_NEXT, words::PLUG_AGAIN]),
        Outcome::Incomplete => incomplete(known),
        Outcome::Refused => refused(kiosk, known),
        Outcome::Unknown => say(words::UNKNOWN_SENTENCE, &[words::CALL_SECURITY]),
    }
}

fn clean(session: &Session) -> (Vec<Text>, Vec<Text>) {
    if session.seal == "detached" {
        let sentences = vec![words::CLEAN_SENTENCE.into(), words::CLEAN_DETACHED.into()];
        return (sentences, vec![words::CLEAN_DETACHED_NEXT.into()]);
    }
    let expires = session.tag.get("expires").and_then(|expires| expires.parse::<jiff::Timestamp>().ok());
    let day = expires.and_then(|time| amounts::day(u64::try_from(time.as_second()).ok()?));
    let until = day.map(|day| words::CLEAN_SEALED.with([("date", amounts::date(day))]));
    (std::iter::once(words::CLEAN_SENTENCE.into()).chain(until).collect(), vec![words::CLEAN_SEALED_NEXT.into()])
}

fn infected(summary: Option<&Summary>) -> (Vec<Text>, Vec<Text>) {
    let mut sentences = Vec::new();
    match summary.filter(|summary| summary.malicious > 0) {
        Some(summary) => {
            sentences.push(words::INFECTED_COUNT.with([("number", summary.malicious.into())]));
            // The others are one button away.
            sentences.extend(summary.files.first().map(|path| file(names::short(path))));
        }
        None => sentences.push(words::INFECTED_SENTENCE.into()),
    }
    (sentences, vec![words::INFECTED_NEXT.into()])
}

fn file(name: Text) -> Text {
    words::FILE_LINE.with([("path", name)])
}

fn incomplete(known: &Known) -> (Vec<Text>, Vec<Text>) {
    let session = &known.session;
    if !session.failure.kind.is_empty() {
        let reason = reasons::failure(&session.failure.kind);
        return (vec![reason.what], vec![words::INCOMPLETE_NEXT.into(), reason.next]);
    }
    let Some(summary) = known.report.summary() else {
        return (vec![words::INCOMPLETE_SENTENCE.into()], vec![words::INCOMPLETE_NEXT.into()]);
    };
    let missed =
        (summary.not_checked > 0).then(|| words::INCOMPLETE_COUNT.with([("number", summary.not_checked.into())]));
    if summary.suspicious > 0 {
        let first = summary.files.first().map(|path| file(names::line(path)));
        let found = std::iter::once(words::SUSPICIOUS_SENTENCE.into()).chain(first);
        return (found.chain(missed).collect(), vec![words::INCOMPLETE_NEXT.into(), words::CALL_SECURITY.into()]);
    }
    let Some((reason, path)) = worst(&summary.causes) else {
        return (vec![words::INCOMPLETE_SENTENCE.into()], vec![words::INCOMPLETE_NEXT.into()]);
    };
    let file = (!path.is_empty()).then(|| file(names::line(path)));
    (missed.into_iter().chain([reason.what]).chain(file).collect(), vec![words::INCOMPLETE_NEXT.into(), reason.next])
}

/// The first cause that leads to the security staff, or else the first one: nobody prepares a better copy of what may be a trap.
fn worst(causes: &[Missed]) -> Option<(Reason, &str)> {
    let told = causes.iter().map(|missed| (reasons::cause(&missed.cause, &missed.detail), &*missed.path));
    told.min_by_key(|(reason, _)| !reason.is_for_staff())
}

/// The station knows what the device pretends to be; in a language that it does not speak, the kiosk says what it knows.
fn refused(kiosk: &Kiosk, known: &Known) -> (Vec<Text>, Vec<Text>) {
    let reason = reasons::refusal(&known.session.refusal);
    let said = known.said.get(&kiosk.choices.language);
    // On a terminal an apostrophe is straight; here it is as in every other sentence.
    let said = said.map(|said| Text::Raw(said.replace('\'', "’")));
    (vec![said.unwrap_or(reason.what)], vec![reason.next])
}

/// Letters and digits of a session's number that people read and say: nobody keeps 32 of them. A UUIDv7 ends with what is random in it
/// (RFC 9562, 5.7), so six of them and the day tell one session of a station from the others.
const END: usize = 6;

/// The number of the session; what a telephone reads is an address when there is a console.
fn reference(kiosk: &Kiosk, session: &Session) -> Reference {
    let id = &session.session;
    let code = match &kiosk.policy.console {
        Some(console) => format!("{}/sessions/{id}", console.trim_end_matches('/')),
        None => format!("urn:uuid:{id}"),
    };
    let last: Vec<char> = id.chars().rev().filter(|letter| *letter != '-').take(END).collect();
    let end = last.into_iter().rev().map(|letter| letter.to_ascii_uppercase()).collect();
    Reference { session: id.clone(), end, code }
}

fn buttons(kiosk: &Kiosk, known: &Known) -> Vec<Button> {
    let mut buttons = Vec::new();
    if known.session.state == "verdict" {
        buttons.push(button(Action::Done, screens::BUTTON_DONE, Weight::Main));
    }
    buttons.push(button(Action::Open(Place::Details), screens::BUTTON_DETAILS, Weight::Plain));
    if known.session.copy.can {
        buttons.push(button(Action::Open(Place::Copy), screens::BUTTON_COPY, Weight::Plain));
    }
    if kiosk.policy.receipts {
        buttons.push(button(Action::Receipt, screens::BUTTON_RECEIPT, Weight::Plain));
    }
    buttons
}
