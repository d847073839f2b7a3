//! Looking things up, page by page, while others record.

use crate::canonical;
use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::filter::{Filter, Order};
use crate::moment::Moment;
use crate::segment::{self, Header, Kept, Log};
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A record that was looked up. It is as it was recorded only if the journal verifies.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number.
    pub sequence: u64,
    /// Which log.
    pub log: Log,
    /// What kind of record.
    pub kind: String,
    /// When it was recorded.
    pub time: Moment,
    /// What it says (docs/journal.md, sections 4 and 5).
    pub body: Value,
    /// Its canonical text.
    pub text: String,
    /// Hash of the chain after it.
    pub hash: ChainHash,
}

/// Some records.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// In the order that was asked for.
    pub rows: Vec<Row>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<u64>,
}

/// One segment, open for reading.
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) header: Header,
    pub(crate) connection: Connection,
}

/// A journal that is read.
pub struct Reader {
    /// By number, ascending.
    parts: Vec<Part>,
}

impl Reader {
    /// Opens the journal in a folder as it is now. Any user who may read its files may do so.
    ///
    /// # Errors
    /// [`JournalError::Missing`], [`JournalError::Damaged`], and what disk and SQLite say.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let missing = || JournalError::Missing { folder: folder.to_owned() };
        if !folder.is_dir() {
            return Err(missing());
        }
        let open = |(_, path): (u64, PathBuf)| {
            let connection = segment::connect_to_read(&path)?;
            let header = segment::header(&connection, &path)?;
            Ok(Part { path, header, connection })
        };
        let parts = segment::segments(folder)?.into_iter().map(open).collect::<Result<Vec<_>, JournalError>>()?;
        if parts.is_empty() { Err(missing()) } else { Ok(Self { parts }) }
    }

    /// Up to `limit` records that fit, beyond the record with number `from` (which is where a page said that the next one
    /// begins), or from the end.
    ///
    /// # Errors
    /// What disk and SQLite say; [`JournalError::Damaged`] for a record that is none.
    pub fn page(&self, filter: &Filter, order: Order, from: Option<u64>, limit: usize) -> Result<Page, JournalError> {
        let mut rows = Vec::new();
        let more = limit.saturating_add(1);
        let (low, high) = match (order, from) {
            (_, None) => (0, u64::MAX),
            (Order::NewestFirst, Some(from)) => (0, from.saturating_sub(1)),
            (Order::OldestFirst, Some(from)) => (from.saturating_add(1), u64::MAX),
        };
        let mut parts: Vec<&Part> = self.parts.iter().collect();
        if order == Order::NewestFirst {
            parts.reverse();
        }
        for part in parts.into_iter().filter(|part| part.header.first <= high) {
            let database = JournalError::database(&part.path);
            let mut ranges = part.ranges(filter).map_err(&database)?;
            if order == Order::NewestFirst {
                ranges.reverse();
            }
            for (first, last) in ranges {
                let left = more.saturating_sub(rows.len());
                let Some(query) = filter.query((first.max(low), last.min(high)), order, left) else { continue };
                let mut select = part.connection.prepare_cached(&query.text).map_err(&database)?;
                let found = select.query_map(params_from_iter(query.parameters), segment::kept).map_err(&database)?;
                for kept in found {
                    rows.push(row(kept.map_err(&database)?, &part.path)?);
                }
            }
            if rows.len() >= more {
                break;
            }
        }
        let next = (rows.len() > limit).then(|| rows.get(limit.saturating_sub(1)).map(|row| row.sequence)).flatten();
        rows.truncate(limit);
        Ok(Page { rows, next })
    }

    /// The record with this number.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn record(&self, sequence: u64) -> Result<Option<Row>, JournalError> {
        for part in self.parts.iter().rev().filter(|part| part.header.first <= sequence) {
            let kept = segment::record(&part.connection, sequence).map_err(JournalError::database(&part.path))?;
            if let Some(kept) = kept {
                return row(kept, &part.path).map(Some);
            }
        }
        Ok(None)
    }

    /// The newest signed checkpoint: the record that it covers, and its envelope.
    ///
    /// # Errors
    /// As [`Reader::page`].
    pub fn newest_checkpoint(&self) -> Result<Option<(u64, Vec<u8>)>, JournalError> {
        for part in self.parts.iter().rev() {
            let select = "SELECT sequence, envelope FROM checkpoint ORDER BY sequence DESC LIMIT 1";
            let found = part.connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?))).optional();
            if let Some(found) = found.map_err(JournalError::database(&part.path))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub(crate) fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}

/// Takes a record apart.
pub(crate) fn row(kept: Kept, path: &Path) -> Result<Row, JournalError> {
    let Kept { sequence, record, hash } = kept;
    read(&record, sequence)
        .map(|(log, kind, time, body)| Row { sequence, log, kind, time, body, text: record, hash })
        .map_err(|what| JournalError::Damaged { file: path.to_owned(), what: format!("record {sequence}: {what}") })
}

/// Log, kind, time and body of a record that must be one.
pub(crate) fn read(record: &str, sequence: u64) -> Result<(Log, String, Moment, Value), String> {
    let Value::Object(mut members) = canonical::read(record)? else { return Err("not an object".to_owned()) };
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => Ok(text),
        _ => Err("a text is missing".to_owned()),
    };
    let body = members.remove("body").filter(Value::is_object).ok_or("no body")?;
    let kind = text(members.remove("kind"))?;
    let log = match text(members.remove("log"))?.as_str() {
        "event" => Log::Event,
        "transfer" => Log::Transfer,
        _ => return Err("neither event nor transfer".to_owned()),
    };
    if members.remove("seq").and_then(|number| number.as_u64()) != Some(sequence) {
        return Err("another number than its place".to_owned());
    }
    let time = Moment::read(&text(members.remove("time"))?).ok_or("no time")?;
    if members.is_empty() { Ok((log, kind, time, body)) } else { Err("an unknown member".to_owned()) }
}

impl Part {
    /// From the first to the last record whose time fits, ascending. Within a range in which the clock was not set back, times
    /// rise with the numbers: halving finds both ends.
    fn ranges(&self, filter: &Filter) -> rusqlite::Result<Vec<(u64, u64)>> {
        let last = segment::newest(&self.connection)?;
        if filter.from.is_none() && filter.until.is_none() {
            return Ok(vec![(self.header.first, last)]);
        }
        let set_back = "SELECT sequence FROM event WHERE kind = 'clock_set_back' ORDER BY sequence";
        let mut select = self.connection.prepare_cached(set_back)?;
        let mut starts = vec![self.header.first];
        starts.extend(select.query_map([], |row| row.get::<_, u64>(0))?.collect::<Result<Vec<_>, _>>()?);
        let ends = starts.iter().skip(1).map(|start| start.saturating_sub(1)).chain([last]);
        let mut ranges = Vec::new();
        for (low, high) in starts.iter().copied().zip(ends) {
            let end = high.saturating_add(1);
            let low = filter.from.map_or(Ok(low), |from| self.first_at(from, low, end))?;
            let end = filter.until.map_or(Ok(end), |until| self.first_at(until, low, end))?;
            if low < end {
                ranges.push((low, end.saturating_sub(1)));
            }
        }
        Ok(ranges)
    }

    /// The first record from `low` on, before `end`, that is not earlier than a time; or `end`.
    fn first_at(&self, time: Moment, mut low: u64, mut end: u64) -> rusqlite::Result<u64> {
        let time = time.to_string();
        let mut select = self.connection.prepare_cached(
            "SELECT time FROM event WHERE sequence = ?1 UNION ALL SELECT time FROM transfer WHERE sequence = ?1",
        )?;
        while low < end {
            let middle = low.midpoint(end);
            let there: Option<String> = select.query_row([middle], |row| row.get(0)).optional()?;
            if there.is_some_and(|there| there < time) {
                low = middle.saturating_add(1);
            } else {
                end = middle;
            }
        }
        Ok(low)
    }
}
