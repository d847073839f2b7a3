//! The station is at fault: a sentence for the person, a code for staff.

use super::super::Kiosk;
use super::super::screen::{Button, Fact, Page, Shape, Statement, Tone};
use super::{contact, reasons};
use crate::words::{Text, results as words, screens};
use std::time::Duration;

/// At the start both come up together: so long nobody is told that one is missing.
const PATIENCE: Duration = Duration::from_secs(5);
/// The station is not on the bus.
const ABSENT: &str = "B0";

/// What is wrong, when something is.
pub(super) fn page(kiosk: &Kiosk) -> Option<(Page, Vec<Button>)> {
    let Some(station) = &kiosk.station else {
        return (kiosk.now.elapsed >= PATIENCE).then(|| (absent(kiosk), Vec::new()));
    };
    let kinds: Vec<&str> = station.problems.iter().map(|problem| problem.kind.as_str()).collect();
    let worst = kinds.iter().find(|kind| stops(kind)).or(kinds.first())?;
    let title = if stops(worst) { words::PROBLEM_STOP_TITLE } else { words::PROBLEM_TITLE };
    let mut sentences = vec![reasons::problem(worst).0.into()];
    if !stops(worst) {
        sentences.push(words::PROBLEM_STILL_CHECKS.into());
    }
    let statement = Statement {
        shape: Shape::Tool,
        tone: Tone::Fault,
        title: title.into(),
        sentences,
        next: std::iter::once(words::PROBLEM_ELSEWHERE.into()).chain(contact(kiosk)).collect(),
    };
    let codes: Vec<&str> = kinds.iter().map(|kind| reasons::problem(kind).1).collect();
    Some((Page::Trouble(statement, vec![code(&codes.join(" "))]), Vec::new()))
}

/// What keeps media waiting for a turn that does not come: only engines do.
pub(super) fn of_the_queue(kiosk: &Kiosk) -> Option<Page> {
    let waits = kiosk.station.as_ref()?.problems.iter().any(|problem| problem.kind == "engines");
    page(kiosk).filter(|_| waits).map(|(page, _)| page)
}

/// Nothing is checked while it lasts.
fn stops(kind: &str) -> bool {
    matches!(kind, "engines" | "detection")
}

fn code(codes: &str) -> Fact {
    Fact { label: screens::FACT_CODE.into(), value: Text::Raw(codes.to_owned()) }
}

fn absent(kiosk: &Kiosk) -> Page {
    let statement = Statement {
        shape: Shape::Tool,
        tone: Tone::Fault,
        title: words::PROBLEM_ABSENT_TITLE.into(),
        sentences: vec![words::PROBLEM_ABSENT.into()],
        next: std::iter::once(words::PROBLEM_ABSENT_NEXT.into()).chain(contact(kiosk)).collect(),
    };
    Page::Trouble(statement, vec![code(ABSENT)])
}
