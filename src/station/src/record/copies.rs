//! Copies in the words of the journal: the order, the end, and the end of one that nobody saw.

use super::entries::{bounded, identity, tag};
use crate::session::view::OutputView;
use crate::session::{CopyEnded, SessionId};
use blanche_journal::{CopiesRecord, CopyMade, Event, EventKind, MediumIdentity, Record};
use blanche_scan::report::{CopyOutcome, CopyReport};

/// What the state is called in the event of an order. It stands in the journal before anything is written, with the medium that will
/// be.
pub(super) const ORDERED: &str = "copy-ordered";

/// Somebody had files copied.
pub(super) fn ordered(id: SessionId, to: &OutputView, erase: bool) -> Event {
    Event::new(EventKind::Entered)
        .of_session(&id.to_string())
        .of_medium(identity(&to.medium, None))
        .with("state", ORDERED)
        .with("erase", if erase { "true" } else { "false" })
}

/// Both records of a copy that is over.
pub(super) fn ended(copied: &CopyEnded) -> Vec<Record> {
    let CopyEnded { session, medium, to, report } = copied;
    let record = CopiesRecord {
        session: session.to_string(),
        medium: identity(medium, None),
        copies: vec![made(identity(&to.medium, None), report)],
    };
    vec![Record::Event(event(copied)), Record::Copies(Box::new(record))]
}

/// A copy is over: what is on the medium now.
pub(super) fn event(copied: &CopyEnded) -> Event {
    let CopyEnded { session, to, report, .. } = copied;
    let event = Event::new(EventKind::Copied)
        .of_session(&session.to_string())
        .of_medium(identity(&to.medium, None))
        .with("outcome", report.outcome.word());
    let event = report.cause.iter().fold(event, |event, why| event.with("cause", why.word()));
    match report.seal.as_ref().and_then(tag) {
        Some(tag) => event.with("tag", tag.id),
        None => event,
    }
}

/// Both records of a copy that was being made when the station ended: nobody knows what is on the medium.
pub(super) fn unfinished(session: &str, to: MediumIdentity) -> Vec<Record> {
    let word = CopyOutcome::Unknown.word();
    let event = Event::new(EventKind::Copied)
        .of_session(session)
        .of_medium(to.clone())
        .with("outcome", word)
        .with("cause", RESTART);
    let made = CopyMade {
        medium: to,
        clean_files_only: false,
        files: 0,
        bytes: 0,
        complete: false,
        outcome: word.to_owned(),
        cause: Some(RESTART.to_owned()),
        tag: None,
    };
    let record = CopiesRecord { session: session.to_owned(), medium: MediumIdentity::default(), copies: vec![made] };
    vec![Record::Event(event), Record::Copies(Box::new(record))]
}

/// The cause of such a copy.
const RESTART: &str = "restart-while-copying";

fn made(medium: MediumIdentity, report: &CopyReport) -> CopyMade {
    let complete = report.outcome == CopyOutcome::Copied;
    CopyMade {
        medium,
        clean_files_only: report.outside_profile,
        files: if complete { bounded(report.files) } else { 0 },
        bytes: if complete { bounded(report.bytes) } else { 0 },
        complete,
        outcome: report.outcome.word().to_owned(),
        cause: report.cause.as_ref().map(|why| why.word().to_owned()),
        tag: report.seal.as_ref().and_then(tag),
    }
}
