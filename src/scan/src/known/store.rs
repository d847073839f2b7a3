//! The file in which known results are kept between sessions.
//!
//! Nobody waits for it for long: at the start of a session a file that somebody else holds is not used, a look-up that
//! fails is one that found nothing, and rows are added in the background. A file that is damaged is replaced by an empty
//! one, at the start or at the end of the session that notices, but never while another session uses it: SQLite ("How To
//! Corrupt An SQLite Database File", section 2) forbids to unlink a database that is in use, or to open and close it
//! beside SQLite. A file beside it, locked as flock(2) does, says who uses it.

use super::{EngineKey, Question};
use crate::progress::Cancel;
use crate::settings::{SettingsError, guard_own};
use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long another session may hold the file when ours wants to add to it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may do so when ours begins.
const START: Duration = Duration::from_millis(500);
/// How often somebody who waits looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Rows, of a session or kept.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS known (
    number INTEGER PRIMARY KEY,
    question BLOB NOT NULL UNIQUE,
    result BLOB NOT NULL
) STRICT";

/// Why the file is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error(transparent)]
    Guard(#[from] SettingsError),
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("it is damaged, and another session uses it; the next session that uses it alone replaces it")]
    InUse,
}

/// The row of a question.
pub(super) fn find(rows: &Connection, question: &Question) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut select = rows.prepare_cached("SELECT result FROM known WHERE question = ?1")?;
    select.query_row([question.0], |row| row.get(0)).optional()
}

/// The file, open for one session.
#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    engines: EngineKey,
    /// Rows at most.
    most: u64,
    /// Holds the lock that says that we use the file.
    lock: File,
    /// Absent when it failed.
    connection: Option<Connection>,
    damaged: bool,
}

impl Store {
    /// Opens the file, or makes it. Rows of other engines are thrown away.
    pub(super) fn open(file: &Path, engines: EngineKey, most: u64) -> Result<Self, Unusable> {
        let lock = with_ending(file, "-lock");
        for ours in beside(file).iter().chain([&lock]) {
            guard_own(ours)?;
        }
        let lock = File::options().create(true).append(true).mode(0o600).open(lock)?;
        // Only somebody who replaces the file holds it otherwise, for an instant.
        flock(&lock, FlockOperation::NonBlockingLockShared).map_err(io::Error::from)?;
        let mut store = Self { file: file.to_owned(), engines, most, lock, connection: None, damaged: false };
        match store.prepare() {
            Err(Unusable::Database(error)) if is_damage(&error) => {
                tracing::warn!("{} is damaged ({error}), an empty one takes its place", file.display());
                store.replace()?;
            }
            other => other?,
        }
        Ok(store)
    }

    /// The row of a question. A file that fails is not asked again.
    pub(super) fn look_up(&mut self, question: &Question) -> Option<Vec<u8>> {
        let found = find(self.connection.as_ref()?, question);
        found.unwrap_or_else(|error| {
            if !is_busy(&error) {
                tracing::warn!("{} cannot be read, this session goes on without: {error}", self.file.display());
                self.damaged = is_damage(&error);
                self.connection = None;
            }
            None
        })
    }

    /// Adds the rows of a session, each in the place of one that could not be read. `cancel` ends the waiting.
    pub(super) fn add(mut self, fresh: &Connection, cancel: &Cancel) -> Result<(), Unusable> {
        if !self.damaged {
            match self.merge(fresh, cancel) {
                Err(error) if is_damage(&error) => {
                    tracing::warn!("{} is damaged: {error}", self.file.display());
                }
                other => return Ok(other?),
            }
        }
        self.replace()?;
        Ok(self.merge(fresh, cancel)?)
    }

    /// Connects, and makes the file ours where it is not.
    fn prepare(&mut self) -> Result<(), Unusable> {
        create(&self.file)?;
        let kept = connect(&self.file)?;
        kept.busy_timeout(START)?;
        kept.pragma_update(None, "journal_mode", "WAL")?;
        // Without the lock that writing needs, if there is nothing to write: another session may be adding to the file.
        match key_of(&kept) {
            Ok(Some(key)) if key == self.engines.0 => {}
            Err(error) if is_damage(&error) => return Err(error.into()),
            _ => make_ours(&kept, self.engines)?,
        }
        kept.busy_timeout(Duration::ZERO)?;
        self.connection = Some(kept);
        Ok(())
    }

    /// Puts an empty file in the place of a damaged one, if nobody else uses it.
    fn replace(&mut self) -> Result<(), Unusable> {
        self.connection = None;
        flock(&self.lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| Unusable::InUse)?;
        remove(&self.file)?;
        self.prepare()?;
        self.damaged = false;
        flock(&self.lock, FlockOperation::NonBlockingLockShared).map_err(io::Error::from)?;
        Ok(())
    }

    /// A file that has got other engines meanwhile stays as it is.
    fn merge(&self, fresh: &Connection, cancel: &Cancel) -> rusqlite::Result<()> {
        let reopened;
        let kept = match &self.connection {
            Some(kept) => kept,
            None => {
                reopened = connect(&self.file)?;
                &reopened
            }
        };
        let change = begin(kept, cancel)?;
        if key_of(&change)? != Some(self.engines.0) {
            return Ok(());
        }
        {
            let mut insert = change.prepare("INSERT OR REPLACE INTO known (question, result) VALUES (?1, ?2)")?;
            let mut select = fresh.prepare("SELECT question, result FROM known ORDER BY number")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                if cancel.is_cancelled() {
                    return Ok(());
                }
                insert.execute(params![row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?])?;
            }
        }
        // The oldest go first.
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        change.execute("DELETE FROM known WHERE number <= (SELECT max(number) FROM known) - ?1", [most])?;
        change.commit()
    }
}

/// Waits until nobody else writes.
fn begin<'c>(kept: &'c Connection, cancel: &Cancel) -> rusqlite::Result<Transaction<'c>> {
    let start = Instant::now();
    loop {
        match Transaction::new_unchecked(kept, TransactionBehavior::Immediate) {
            Err(error) if is_busy(&error) && start.elapsed() < PATIENCE && !cancel.is_cancelled() => {
                std::thread::sleep(LOOK);
            }
            begun => return begun,
        }
    }
}

/// Connects without making a file: SQLite would give it other rights.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    use rusqlite::OpenFlags;
    let kept = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    kept.busy_timeout(Duration::ZERO)?;
    Ok(kept)
}

/// Empties a file of other engines.
fn make_ours(kept: &Connection, engines: EngineKey) -> rusqlite::Result<()> {
    let change = Transaction::new_unchecked(kept, TransactionBehavior::Immediate)?;
    change.execute_batch(TABLE)?;
    change.execute_batch("CREATE TABLE IF NOT EXISTS engines (key BLOB NOT NULL) STRICT")?;
    if key_of(&change)? != Some(engines.0) {
        change.execute_batch("DELETE FROM known; DELETE FROM engines")?;
        change.execute("INSERT INTO engines (key) VALUES (?1)", [engines.0])?;
    }
    change.commit()
}

fn key_of(store: &Connection) -> rusqlite::Result<Option<[u8; 32]>> {
    store.query_row("SELECT key FROM engines", [], |row| row.get(0)).optional()
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// Makes the file, if it is not there: nobody else needs to know which contents were here. SQLite gives its other files
/// the same rights. One that is there is not opened: closing it again would end SQLite's locks of this process.
fn create(file: &Path) -> io::Result<()> {
    match File::options().create_new(true).append(true).mode(0o600).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A database with its logs and the index of one (SQLite, "Temporary Files Used By SQLite").
fn beside(file: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-shm", "-journal"].map(|ending| with_ending(file, ending))
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes a database with everything beside it.
fn remove(file: &Path) -> io::Result<()> {
    for name in beside(file) {
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
