//! One segment: an SQLite file of its own, `00000001.sqlite` and on. Closed segments never change again.

use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::schema::{APPLICATION, SCHEMA};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use rustix::fs::Mode;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// How files of segments end.
const ENDING: &str = "sqlite";
/// How long a reader may keep the writer from tidying up, and the other way round.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a segment says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Identifier of the journal.
    pub(crate) journal: Uuid,
    /// From 1.
    pub(crate) number: u64,
    /// Sequence number of its first record.
    pub(crate) first: u64,
    /// Hash of the chain before that.
    pub(crate) previous: ChainHash,
}

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) sequence: u64,
    pub(crate) record: String,
    pub(crate) hash: ChainHash,
}

/// Which of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// What happened at the station.
    Event,
    /// What was checked, with which result.
    Transfer,
}

impl Log {
    /// As it stands in records; also the name of its table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Transfer => "transfer",
        }
    }
}

/// The segments of a folder with their numbers, ascending.
pub(crate) fn segments(folder: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(JournalError::io(folder))? {
        let path = entry.map_err(JournalError::io(folder))?.path();
        if let Some(number) = number_of(&path) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

fn number_of(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let number = stem.parse().ok()?;
    (path.extension()? == ENDING && stem == name(number)).then_some(number)
}

fn name(number: u64) -> String {
    format!("{number:08}")
}

/// Where a segment is.
pub(crate) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{}.{ENDING}", name(number)))
}

/// A file that SQLite keeps beside its own.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), JournalError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(JournalError::io(folder))
}

/// Connects for reading. A closed segment in a folder that cannot be written is read as the immutable file that it is.
pub(crate) fn connect_to_read(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        Ok(connection)
    };
    let immutable = || {
        // https://www.sqlite.org/uri.html: %, ? and # have a meaning in it.
        let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{name}?immutable=1");
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
    };
    match connect() {
        Err(rusqlite::Error::SqliteFailure(error, _))
            if error.code == rusqlite::ErrorCode::CannotOpen && !beside(path, "-wal").exists() =>
        {
            immutable().map_err(JournalError::database(path))
        }
        other => other.map_err(JournalError::database(path)),
    }
}

/// The header of a segment.
pub(crate) fn header(connection: &Connection, path: &Path) -> Result<Header, JournalError> {
    let row = connection.query_row("SELECT journal, number, first, previous FROM segment", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
    });
    let (journal, number, first, previous) = row.map_err(JournalError::database(path))?;
    let damaged = || JournalError::Damaged { file: path.to_owned(), what: "its header is none".to_owned() };
    Ok(Header {
        journal: Uuid::parse_str(&journal).map_err(|_| damaged())?,
        number: u64::try_from(number).map_err(|_| damaged())?,
        first: u64::try_from(first).map_err(|_| damaged())?,
        previous: ChainHash::from_hex(&previous).ok_or_else(damaged)?,
    })
}

/// One record; sequence, record, hash are the first columns.
pub(crate) fn kept(row: &rusqlite::Row<'_>) -> rusqlite::Result<Kept> {
    let hash: [u8; 32] = row.get(2)?;
    Ok(Kept { sequence: row.get(0)?, record: row.get(1)?, hash: ChainHash(hash) })
}

/// The record with this number.
pub(crate) fn record(connection: &Connection, sequence: u64) -> rusqlite::Result<Option<Kept>> {
    let mut select = connection.prepare_cached(
        "SELECT sequence, record, hash FROM event WHERE sequence = ?1
         UNION ALL SELECT sequence, record, hash FROM transfer WHERE sequence = ?1",
    )?;
    select.query_row([sequence], kept).optional()
}

/// The number of the newest record, or of the one before the first.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row(
        "SELECT max((SELECT first - 1 FROM segment), coalesce((SELECT max(sequence) FROM event), 0),
            coalesce((SELECT max(sequence) FROM transfer), 0))",
        [],
        |row| row.get(0),
    )
}

/// A segment that is written.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) header: Header,
    pub(crate) connection: Connection,
}

impl Segment {
    /// Makes the file of a segment with its first record: whole, or not at all.
    pub(crate) fn create(folder: &Path, header: Header, first: &Kept) -> Result<Self, JournalError> {
        let path = path_of(folder, header.number);
        let draft = folder.join(format!(".{}.new", name(header.number)));
        remove(&draft)?;
        remove(&beside(&draft, "-journal"))?;
        create_private(&draft)?;
        let fill = || -> rusqlite::Result<()> {
            let connection = connect_to_write(&draft)?;
            let change = connection.unchecked_transaction()?;
            change.execute_batch(SCHEMA)?;
            change.pragma_update(None, "application_id", APPLICATION)?;
            change.pragma_update(None, "user_version", 1)?;
            let (number, start) = (header.number, header.first);
            let row = params![header.journal.to_string(), number, start, header.previous.to_string()];
            change.execute("INSERT INTO segment (journal, number, first, previous) VALUES (?1, ?2, ?3, ?4)", row)?;
            insert(&change, Log::Event, first)?;
            change.commit()
        };
        fill().map_err(JournalError::database(&path)).inspect_err(|_| _ = std::fs::remove_file(&draft))?;
        std::fs::rename(&draft, &path).map_err(JournalError::io(&path))?;
        sync_folder(folder)?;
        Self::open(&path)
    }

    /// Opens the newest segment to go on with it.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let database = JournalError::database(path);
        let connection = connect_to_write(path).map_err(&database)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(&database)?;
        let header = header(&connection, path)?;
        Ok(Self { path: path.to_owned(), header, connection })
    }

    /// Bytes of the file and of its log.
    pub(crate) fn length(&self) -> u64 {
        ["", "-wal"].iter().map(|ending| length_of(&beside(&self.path, ending))).fold(0, u64::saturating_add)
    }

    /// Takes a segment that gets no more records out of WAL: one file, readable anywhere, that nobody writes.
    pub(crate) fn settle(self) -> Result<(), JournalError> {
        let Self { path, connection, .. } = self;
        connection.pragma_update(None, "journal_mode", "DELETE").map_err(JournalError::database(&path))?;
        drop(connection);
        let file = File::open(&path).map_err(JournalError::io(&path))?;
        rustix::fs::fchmod(&file, Mode::RUSR | Mode::RGRP).map_err(|error| JournalError::io(&path)(error.into()))?;
        file.sync_all().map_err(JournalError::io(&path))
    }
}

/// Bytes of a file; none if it is not there.
pub(crate) fn length_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

/// Adds a record to its log.
pub(crate) fn insert(connection: &Connection, log: Log, kept: &Kept) -> rusqlite::Result<()> {
    let insert = match log {
        Log::Event => "INSERT INTO event (sequence, record, hash) VALUES (?1, ?2, ?3)",
        Log::Transfer => "INSERT INTO transfer (sequence, record, hash) VALUES (?1, ?2, ?3)",
    };
    let row = params![kept.sequence, kept.record, kept.hash.0];
    connection.prepare_cached(insert)?.execute(row).map(|_| ())
}

/// Connects to a file that is there. FULL: what was recorded is on the disk when the call returns.
fn connect_to_write(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A statement that replaces a row would delete it: that must meet the trigger.
    connection.pragma_update(None, "recursive_triggers", true)?;
    Ok(connection)
}

/// Makes a file that nobody else may read; its group may, once it is closed. SQLite gives its other files the same rights.
fn create_private(path: &Path) -> Result<(), JournalError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().create_new(true).write(true).mode(0o640).open(path).map(drop).map_err(JournalError::io(path))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), JournalError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JournalError::io(path)(error)),
        _ => Ok(()),
    }
}
