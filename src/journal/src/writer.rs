//! What only one thread at a time does: give numbers, link the chain, change segments, delete old ones.

use crate::canonical;
use crate::chain::ChainHash;
use crate::error::{JournalError, Lack};
use crate::journal::{JournalSettings, Position};
use crate::moment::Moment;
use crate::own::{DELETED, OwnEvent};
use crate::segment::{self, Header, Kept, Log, Segment};
use rusqlite::{TransactionBehavior, params};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

/// A record before it has a place.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    log: Log,
    kind: String,
    body: Value,
}

impl Entry {
    pub(crate) fn new(log: Log, kind: &str, body: &impl Serialize) -> Result<Self, JournalError> {
        let body = serde_json::to_value(body).map_err(|error| JournalError::Record(error.to_string()))?;
        Ok(Self { log, kind: kind.to_owned(), body })
    }

    pub(crate) fn own(event: &OwnEvent) -> Result<Self, JournalError> {
        let value = serde_json::to_value(event).map_err(|error| JournalError::Record(error.to_string()))?;
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let body = value.get("body").cloned().unwrap_or_default();
        Ok(Self { log: Log::Event, kind, body })
    }

    /// Whether a checkpoint is to cover it soon. The others wait for the next of these.
    fn wants_checkpoint(&self) -> bool {
        self.log == Log::Transfer || self.kind == DELETED
    }

    /// The record in its place.
    pub(crate) fn placed(&self, after: &Position, time: Moment) -> Result<Kept, JournalError> {
        let sequence = after.sequence.saturating_add(1);
        let record = json!({
            "body": self.body, "kind": self.kind, "log": self.log.as_str(), "seq": sequence, "time": time.to_string(),
        });
        let record = canonical::text(&record).map_err(JournalError::Record)?;
        Ok(Kept { sequence, hash: after.hash.then(&record), record })
    }
}

/// The newest segment and the end of the chain.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) segment: Segment,
    pub(crate) head: Position,
    /// The newest segment has its last record; the next one could not be made yet.
    pub(crate) closed: bool,
    /// When the first record of the segment was recorded.
    pub(crate) opened: Moment,
    /// Bytes of the segments before.
    pub(crate) closed_bytes: u64,
    /// The highest counter of a checkpoint.
    pub(crate) counter: u64,
    /// The newest record that a checkpoint covers.
    pub(crate) covered: u64,
    /// The newest record that a checkpoint is to cover: of the transfer log, or what is left of a deleted segment.
    pub(crate) wanting: u64,
}

impl Writer {
    pub(crate) fn journal(&self) -> Uuid {
        self.segment.header.journal
    }

    pub(crate) fn head(&self) -> Position {
        self.head
    }

    /// Records entries, all or none, after whatever is due.
    pub(crate) fn append(&mut self, settings: &JournalSettings, entries: &[Entry]) -> Result<Position, JournalError> {
        if entries.is_empty() {
            return Err(JournalError::Record("nothing to record".to_owned()));
        }
        self.rotate(settings)?;
        self.check_room(settings)?;
        self.write(entries, None)
    }

    /// Records an envelope together with the event that names it.
    pub(crate) fn append_checkpoint(
        &mut self,
        settings: &JournalSettings,
        event: &OwnEvent,
        envelope: (u64, &[u8]),
    ) -> Result<Position, JournalError> {
        self.rotate(settings)?;
        self.check_room(settings)?;
        self.write(&[Entry::own(event)?], Some(envelope))
    }

    /// A transaction, synchronised when it returns. If it fails, nothing has changed.
    fn write(&mut self, entries: &[Entry], envelope: Option<(u64, &[u8])>) -> Result<Position, JournalError> {
        let time = Moment::now();
        let (mut head, mut wanting) = (self.head, self.wanting);
        let mut kept = Vec::with_capacity(entries.len().saturating_add(1));
        let set_back = OwnEvent::clock_set_back(head.time);
        let set_back = (time < head.time).then(|| Entry::own(&set_back)).transpose()?;
        for entry in set_back.iter().chain(entries) {
            let record = entry.placed(&head, time)?;
            head = Position { sequence: record.sequence, hash: record.hash, time };
            if entry.wants_checkpoint() {
                wanting = record.sequence;
            }
            kept.push((entry.log, record));
        }
        let write = |connection: &mut rusqlite::Connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (log, record) in &kept {
                segment::insert(&change, *log, record)?;
            }
            if let Some((sequence, bytes)) = envelope {
                let insert = "INSERT INTO checkpoint (sequence, envelope) VALUES (?1, ?2)";
                change.execute(insert, params![sequence, bytes])?;
            }
            change.commit()
        };
        write(&mut self.segment.connection).map_err(JournalError::database(&self.segment.path))?;
        (self.head, self.wanting) = (head, wanting);
        Ok(head)
    }

    fn check_room(&mut self, settings: &JournalSettings) -> Result<(), JournalError> {
        let Some(most) = settings.max_bytes else { return Ok(()) };
        let used = |writer: &Self| writer.closed_bytes.saturating_add(writer.segment.length());
        if used(self) >= most {
            self.retain(settings)?;
        }
        if used(self) < most {
            return Ok(());
        }
        Err(JournalError::Full { folder: settings.folder.clone(), lack: Lack::Limit })
    }

    /// Closes the segment and begins the next one, if that is due.
    fn rotate(&mut self, settings: &JournalSettings) -> Result<(), JournalError> {
        if !self.closed && !self.is_due(settings) {
            return Ok(());
        }
        if !self.closed {
            let closed = OwnEvent::SegmentClosed { number: self.segment.header.number };
            self.write(&[Entry::own(&closed)?], None)?;
            self.closed = true;
        }
        let header = Header {
            number: self.segment.header.number.saturating_add(1),
            first: self.head.sequence.saturating_add(1),
            previous: self.head.hash,
            ..self.segment.header
        };
        let (segment, head) = begin(&settings.folder, header, self.head)?;
        let before = std::mem::replace(&mut self.segment, segment);
        (self.head, self.opened, self.closed) = (head, head.time, false);
        let path = before.path.clone();
        // A reader that keeps it in use: the next start settles it.
        let _ = before.settle();
        self.closed_bytes = self.closed_bytes.saturating_add(segment::length_of(&path));
        self.retain(settings)
    }

    fn is_due(&self, settings: &JournalSettings) -> bool {
        let old = settings
            .keep
            .and_then(|keep| keep.checked_div(12))
            .is_some_and(|most| self.opened < Moment::now().before(most));
        // Never one without a record of somebody else.
        self.head.sequence > self.segment.header.first && (old || self.segment.length() >= settings.segment_bytes)
    }

    /// Deletes closed segments of which everything is older than is kept. A stub is recorded first.
    pub(crate) fn retain(&mut self, settings: &JournalSettings) -> Result<(), JournalError> {
        let Some(keep) = settings.keep else { return Ok(()) };
        let oldest = Moment::now().before(keep).to_string();
        for (number, path) in segment::segments(&settings.folder)? {
            if number >= self.segment.header.number {
                break;
            }
            let (header, last, until) = extent(&path)?;
            if until >= oldest {
                break;
            }
            let hash = last.hash.to_string();
            let stub = OwnEvent::SegmentDeleted { number, first: header.first, last: last.sequence, hash, until };
            self.write(&[Entry::own(&stub)?], None)?;
            self.closed_bytes = self.closed_bytes.saturating_sub(segment::length_of(&path));
            delete(&settings.folder, &path)?;
        }
        Ok(())
    }
}

/// Makes a segment whose first record says so.
pub(crate) fn begin(folder: &Path, header: Header, after: Position) -> Result<(Segment, Position), JournalError> {
    // The first record of a segment keeps the time of the one before it, so that it needs no other record in front.
    let time = Moment::now().max(after.time);
    let first = Entry::own(&OwnEvent::opened(&header))?.placed(&after, time)?;
    let head = Position { sequence: first.sequence, hash: first.hash, time };
    Ok((Segment::create(folder, header, &first)?, head))
}

/// Header, last record and its time of a closed segment.
fn extent(path: &Path) -> Result<(Header, Kept, String), JournalError> {
    let connection = segment::connect_to_read(path)?;
    let header = segment::header(&connection, path)?;
    let damaged = |what: &str| JournalError::Damaged { file: path.to_owned(), what: what.to_owned() };
    let newest = segment::newest(&connection).map_err(JournalError::database(path))?;
    let last = segment::record(&connection, newest).map_err(JournalError::database(path))?;
    let last = last.ok_or_else(|| damaged("it has no record"))?;
    let until = time_of(&last.record).ok_or_else(|| damaged("its last record has no time"))?;
    Ok((header, last, until.to_string()))
}

/// The time in a record.
pub(crate) fn time_of(record: &str) -> Option<Moment> {
    let value: Value = serde_json::from_str(record).ok()?;
    Moment::read(value.get("time")?.as_str()?)
}

/// Deletes a segment with what SQLite keeps beside it.
pub(crate) fn delete(folder: &Path, path: &Path) -> Result<(), JournalError> {
    for ending in ["-wal", "-shm", "-journal", ""] {
        segment::remove(&segment::beside(path, ending))?;
    }
    segment::sync_folder(folder)
}

/// The position before the first record.
pub(crate) fn start(journal: Uuid) -> Position {
    Position { sequence: 0, hash: ChainHash::start(journal), time: Moment::from_millisecond(0) }
}
