//! Opening a journal to record into it: whose folder it is, where its chain ends, what a crash left half-done.

use crate::chain::ChainHash;
use crate::error::{JournalError, Weakness};
use crate::journal::{JournalSettings, Position};
use crate::own::{DELETED, OwnEvent};
use crate::segment::{self, Header, Kept, Segment};
use crate::writer::{self, Writer, time_of};
use rusqlite::{Connection, OptionalExtension as _};
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use uuid::Uuid;

/// Makes the folder if it is missing, refuses one that others may write, and takes it for this process.
pub(crate) fn lock(folder: &Path) -> Result<File, JournalError> {
    match DirBuilder::new().mode(0o750).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(JournalError::io(folder)(error)),
        _ => {}
    }
    check_rights(folder)?;
    let path = folder.join("lock");
    let lock = File::options().create(true).append(true).mode(0o600).open(&path).map_err(JournalError::io(&path))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(JournalError::InUse { folder: folder.to_owned() }),
        Err(error) => Err(JournalError::io(&path)(error.into())),
    }
}

fn check_rights(folder: &Path) -> Result<(), JournalError> {
    let found = std::fs::metadata(folder).map_err(JournalError::io(folder))?;
    let insecure = |weakness| Err(JournalError::Insecure { folder: folder.to_owned(), weakness });
    if found.mode() & 0o022 != 0 {
        return insecure(Weakness::Writable);
    }
    if ![0, rustix::process::geteuid().as_raw()].contains(&found.uid()) {
        return insecure(Weakness::Foreign);
    }
    Ok(())
}

/// Finds the end of the chain, or begins one.
pub(crate) fn open(settings: &JournalSettings) -> Result<Writer, JournalError> {
    let all = segment::segments(&settings.folder)?;
    let Some(((number, path), before)) = all.split_last() else {
        return first(&settings.folder);
    };
    for (_, path) in before.iter().filter(|(_, path)| segment::beside(path, "-wal").exists()) {
        Segment::open(path)?.settle()?;
    }
    let segment = Segment::open(path)?;
    if segment.header.number != *number {
        return Err(damaged(path, "it is the file of another segment"));
    }
    let last = last(&segment)?;
    let database = JournalError::database(path);
    let time = time_of(&last.record).ok_or_else(|| damaged(path, "its last record has no time"))?;
    let first = segment::record(&segment.connection, segment.header.first).map_err(&database)?;
    let opened = first.and_then(|first| time_of(&first.record)).ok_or_else(|| damaged(path, "it has no beginning"))?;
    let head = Position { sequence: last.sequence, hash: last.hash, time };
    let closed = matches!(own(&last.record), Some(OwnEvent::SegmentClosed { .. }));
    let mut writer = Writer { segment, head, closed, opened, closed_bytes: 0, counter: 0, covered: 0, wanting: 0 };
    finish_deletions(&mut writer, settings, before)?;
    (writer.counter, writer.covered) = newest(&writer, settings, checkpoint)?.unwrap_or_default();
    writer.wanting = newest(&writer, settings, wanting)?.unwrap_or_default();
    writer.retain(settings)?;
    Ok(writer)
}

fn damaged(path: &Path, what: &str) -> JournalError {
    JournalError::Damaged { file: path.to_owned(), what: what.to_owned() }
}

/// A new journal.
fn first(folder: &Path) -> Result<Writer, JournalError> {
    let journal = Uuid::now_v7();
    let start = writer::start(journal);
    let header = Header { journal, number: 1, first: 1, previous: start.hash };
    let (segment, head) = writer::begin(folder, header, start)?;
    Ok(Writer { segment, head, closed: false, opened: head.time, closed_bytes: 0, counter: 0, covered: 0, wanting: 0 })
}

/// The last record, which must follow the one before it: a station does not go on behind a record that was changed.
fn last(segment: &Segment) -> Result<Kept, JournalError> {
    let database = JournalError::database(&segment.path);
    let newest = segment::newest(&segment.connection).map_err(&database)?;
    let at = |sequence| segment::record(&segment.connection, sequence).map_err(&database);
    let last = at(newest)?.ok_or_else(|| damaged(&segment.path, "it has no record"))?;
    let before = match newest == segment.header.first {
        true => Some(segment.header.previous),
        false => at(newest.saturating_sub(1))?.map(|kept| kept.hash),
    };
    let linked = before.is_some_and(|hash: ChainHash| hash.then(&last.record) == last.hash);
    if linked { Ok(last) } else { Err(damaged(&segment.path, "its last record does not follow the one before")) }
}

/// The journal's own event in a record.
pub(crate) fn own(record: &str) -> Option<OwnEvent> {
    let value: Value = serde_json::from_str(record).ok()?;
    if value.get("log")?.as_str()? != "event" {
        return None;
    }
    OwnEvent::read(value.get("kind")?.as_str()?, value.get("body")?)
}

/// The newest event of this kind in a segment.
pub(crate) fn newest_own(connection: &Connection, kind: &str) -> rusqlite::Result<Option<OwnEvent>> {
    let select = "SELECT record FROM event WHERE kind = ?1 ORDER BY sequence DESC LIMIT 1";
    let record: Option<String> = connection.query_row(select, [kind], |row| row.get(0)).optional()?;
    Ok(record.as_deref().and_then(own))
}

/// Deletes what a stub says is deleted, and adds up the rest.
fn finish_deletions(
    writer: &mut Writer,
    settings: &JournalSettings,
    before: &[(u64, std::path::PathBuf)],
) -> Result<(), JournalError> {
    let newest = newest_own(&writer.segment.connection, DELETED);
    let stub = newest.map_err(JournalError::database(&writer.segment.path))?;
    let gone = match stub {
        Some(OwnEvent::SegmentDeleted { number, .. }) => number,
        _ => 0,
    };
    for (number, path) in before {
        if *number <= gone {
            writer::delete(&settings.folder, path)?;
        } else {
            writer.closed_bytes = writer.closed_bytes.saturating_add(segment::length_of(path));
        }
    }
    Ok(())
}

/// The newest of something; older segments are asked if the newest has none.
fn newest<T>(
    writer: &Writer,
    settings: &JournalSettings,
    ask: impl Fn(&Connection) -> rusqlite::Result<Option<T>>,
) -> Result<Option<T>, JournalError> {
    let asked = |connection: &Connection, path: &Path| ask(connection).map_err(JournalError::database(path));
    if let Some(found) = asked(&writer.segment.connection, &writer.segment.path)? {
        return Ok(Some(found));
    }
    let mut older = segment::segments(&settings.folder)?;
    older.pop();
    for (_, path) in older.iter().rev() {
        if let Some(found) = asked(&segment::connect_to_read(path)?, path)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Counter and covered record of the newest checkpoint in a segment.
fn checkpoint(connection: &Connection) -> rusqlite::Result<Option<(u64, u64)>> {
    Ok(match newest_own(connection, "checkpoint")? {
        Some(OwnEvent::Checkpoint { counter, covers, .. }) => Some((counter, covers)),
        _ => None,
    })
}

/// The newest record in a segment that a checkpoint is to cover.
fn wanting(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let select = "SELECT max(sequence) FROM (SELECT max(sequence) AS sequence FROM transfer
        UNION ALL SELECT max(sequence) FROM event WHERE kind = ?1)";
    connection.query_row(select, [DELETED], |row| row.get(0))
}
