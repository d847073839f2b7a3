//! Sessions that a power cut, a crash or a kill left open: they get their closing record at the next start, so that each
//! session has exactly one.

use crate::session::view::State;
use blanche_journal::{
    ClosingRecord, Counts, Ending, Event, EventKind, Filter, Journal, JournalError, Log, MediumIdentity, Order, Record,
    Row, Verdict,
};
use std::collections::BTreeSet;

/// Records that are looked at in one go.
const PAGE: usize = 200;
/// Kinds of records (docs/journal.md, sections 4 and 5).
const CLOSED: &str = "session";

/// Closes every session that has no closing record.
///
/// # Errors
/// As [`Journal::append`].
pub(super) fn close(journal: &Journal) -> Result<(), JournalError> {
    let records: Vec<Record> = unfinished(journal)?.iter().flat_map(closing).collect();
    if records.is_empty() {
        return Ok(());
    }
    journal.append(records).map(|_| ())
}

/// The arrivals since the last start of the station whose sessions were not closed, and whether their medium was being
/// sealed. Those before were closed at that start.
fn unfinished(journal: &Journal) -> Result<Vec<(bool, Row)>, JournalError> {
    let reader = journal.reader()?;
    let (mut closed, mut sealing, mut open, mut from) = (BTreeSet::new(), BTreeSet::new(), Vec::new(), None);
    loop {
        let page = reader.page(&Filter::default(), Order::NewestFirst, from, PAGE)?;
        for row in page.rows {
            let session = session_of(&row);
            if row.log == Log::Transfer && row.kind == CLOSED {
                closed.extend(session);
            } else if row.kind == EventKind::Entered.as_str() && is_sealing(&row) {
                sealing.extend(session);
            } else if row.kind == EventKind::Arrived.as_str()
                && let Some(id) = session.filter(|id| !closed.contains(id))
            {
                open.push((sealing.contains(&id), row));
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

fn is_sealing(row: &Row) -> bool {
    let state = row.body.get("detail").and_then(|detail| detail.get("state"));
    state.and_then(|state| state.as_str()) == Some(State::Sealing.word())
}

/// A medium that was being sealed may carry a valid tag: that must not be hidden.
fn closing((sealing, arrival): &(bool, Row)) -> Vec<Record> {
    let reason = if *sealing { "restart-while-sealing" } else { "restart" };
    let Some(session) = session_of(arrival) else { return Vec::new() };
    let medium: MediumIdentity =
        arrival.body.get("medium").and_then(|medium| serde_json::from_value(medium.clone()).ok()).unwrap_or_default();
    let event = Event::new(EventKind::Failed).of_session(&session).with("reason", reason);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let record = ClosingRecord {
        session,
        started: arrival.time.to_string(),
        finished: now,
        ending: Ending::Failed,
        verdict: Verdict::Incomplete,
        reason: Some(reason.to_owned()),
        medium,
        counts: Counts::default(),
        files: Vec::new(),
        tag: None,
        engines: Vec::new(),
        policy: None,
        copies: Vec::new(),
        report: None,
    };
    vec![Record::Event(event), Record::Transfer(Box::new(record))]
}
