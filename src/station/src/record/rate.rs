//! How fast this station was, from the closing records of its last sessions: a station that starts again need not guess.

use crate::session::TELLING;
use blanche_journal::{ClosingRecord, Filter, JournalError, Log, Order, Reader, Row, SESSION};
use jiff::Timestamp;

/// Sessions that are looked at.
const SESSIONS: usize = 20;
/// What is believed of a record, in bytes per second: whatever it says, no kiosk is slower or faster.
const BELIEVED: std::ops::RangeInclusive<u64> = 1_000_000..=10_000_000_000;

/// Bytes per second, weighed as the machine of states weighs them; nothing without a session that says something.
///
/// # Errors
/// As [`Reader::page`].
pub(super) fn of(reader: &Reader) -> Result<Option<u64>, JournalError> {
    let filter = Filter { log: Some(Log::Transfer), kind: Some(SESSION.to_owned()), ..Filter::default() };
    let page = reader.page(&filter, Order::NewestFirst, None, SESSIONS)?;
    Ok(page.rows.iter().rev().filter_map(rate).reduce(u64::midpoint))
}

/// That of one session: it read everything, and that was much.
fn rate(row: &Row) -> Option<u64> {
    let record: ClosingRecord = serde_json::from_value(row.body.clone()).ok()?;
    if record.counts.bytes < TELLING || record.counts.checked != record.counts.bytes {
        return None;
    }
    let time = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let seconds = time(&record.finished)?.checked_sub(time(&record.started)?)?;
    let rate = record.counts.bytes.checked_div(u64::try_from(seconds).ok()?.max(1))?;
    Some(rate.clamp(*BELIEVED.start(), *BELIEVED.end()))
}
