//! Sessions and copies that a power cut, a crash or a kill left open: they get their record at the next start, so that each
//! session, and each copy that was ordered, has exactly one.

use super::{copies, entries};
use crate::session::view::State;
use blanche_journal::{
    ClosingRecord, Counts, Ending, Event, EventKind, Filter, Journal, JournalError, Log, MediumIdentity, Order, Record,
    Row, SESSION, Verdict,
};
use std::collections::BTreeSet;

/// Records that are looked at in one go.
const PAGE: usize = 200;

/// What was open when the station ended, the newest first.
#[derive(Debug, Default)]
struct Open {
    /// Arrivals of sessions that were not closed, and whether their medium was being sealed.
    sessions: Vec<(bool, Row)>,
    /// Orders of copies that did not come to their end.
    copies: Vec<Row>,
}

/// Closes every session that has no closing record, and every copy whose end nobody saw.
///
/// # Errors
/// As [`Journal::append`].
pub(super) fn close(journal: &Journal) -> Result<(), JournalError> {
    let open = unfinished(journal)?;
    let copies = open.copies.iter().flat_map(copy);
    let records: Vec<Record> = copies.chain(open.sessions.iter().flat_map(closing)).collect();
    if records.is_empty() {
        return Ok(());
    }
    journal.append(records).map(|_| ())
}

/// What was open since the last start of the station. What was open before was closed at that start.
fn unfinished(journal: &Journal) -> Result<Open, JournalError> {
    let reader = journal.reader()?;
    let (mut closed, mut sealing, mut copied, mut from) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), None);
    let mut open = Open::default();
    loop {
        let page = reader.page(&Filter::default(), Order::NewestFirst, from, PAGE)?;
        for row in page.rows {
            let session = session_of(&row);
            if row.log == Log::Transfer && row.kind == SESSION {
                closed.extend(session);
            } else if row.kind == EventKind::Copied.as_str() {
                copied.extend(session);
            } else if is_in(&row, copies::ORDERED) {
                // A session may have several copies, one after the other.
                if session.is_some_and(|id| !copied.remove(&id)) {
                    open.copies.push(row);
                }
            } else if is_in(&row, State::Sealing.word()) {
                sealing.extend(session);
            } else if row.kind == EventKind::Arrived.as_str()
                && let Some(id) = session.filter(|id| !closed.contains(id))
            {
                open.sessions.push((sealing.contains(&id), row));
            } else if row.kind == EventKind::StationStarted.as_str() {
                return Ok(open);
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(open);
        }
    }
}

fn session_of(row: &Row) -> Option<String> {
    row.body.get("session")?.as_str().map(str::to_owned)
}

/// Whether a session went into this state.
fn is_in(row: &Row, word: &str) -> bool {
    let state = row.body.get("detail").and_then(|detail| detail.get("state"));
    row.kind == EventKind::Entered.as_str() && state.and_then(|state| state.as_str()) == Some(word)
}

fn medium_of(row: &Row) -> MediumIdentity {
    row.body.get("medium").and_then(|medium| serde_json::from_value(medium.clone()).ok()).unwrap_or_default()
}

/// The medium that was written may be whole, and carry a valid tag: that must not be hidden.
fn copy(order: &Row) -> Vec<Record> {
    session_of(order).map(|session| copies::unfinished(&session, medium_of(order))).unwrap_or_default()
}

/// A medium that was being sealed may carry a valid tag: that must not be hidden.
fn closing((sealing, arrival): &(bool, Row)) -> Vec<Record> {
    let reason = if *sealing { "restart-while-sealing" } else { "restart" };
    let Some(session) = session_of(arrival) else { return Vec::new() };
    let medium = medium_of(arrival);
    let event = Event::new(EventKind::Failed).of_session(&session).with("reason", reason);
    let record = ClosingRecord {
        session,
        started: arrival.time.to_string(),
        finished: entries::written(jiff::Timestamp::now()),
        ending: Ending::Failed,
        verdict: Verdict::Incomplete,
        reason: Some(reason.to_owned()),
        medium,
        counts: Counts::default(),
        files: Vec::new(),
        tag: None,
        engines: Vec::new(),
        policy: None,
        files_left_out: None,
    };
    vec![Record::Event(event), Record::Transfer(Box::new(record))]
}
