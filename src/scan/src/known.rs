//! Results that are known already: what the engines of this session say about a content, they would say again.
//!
//! A row is a content (both digests and its length), what the engines are told about it (extension, boot area) and
//! everything that shapes their answer (each engine, base, rule set and limit, the containers that are opened, the
//! matcher program and its libraries). Only complete and harmless results are kept, and only those of sessions that came
//! to their end. A row serves no other set of engines: with the first change of a base, all older rows go.
//!
//! Nothing but the engines is skipped: every byte is still read, and hashed by reader and matcher, and the parent
//! compares. Rows of the running session stand in a temporary database, so that the same content under several names
//! is matched once; they join the file ([`store`]) when the session has ended well, while its report is already told.

mod store;
#[cfg(test)]
mod tests;

use crate::progress::Cancel;
use crate::settings::KnownResults as Settings;
use blanche_sandbox::wire::{Cause, Container, ContentType, Digests, EngineSet, Finding, ScanPiece, Scanned, Severity};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use store::{Store, TABLE, find};

/// Raised when rows mean something else than before.
const FORM: u32 = 2;

/// Everything that shapes an answer of the engines, digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineKey([u8; 32]);

impl EngineKey {
    /// That of no engines.
    const NOBODY: Self = Self([0; 32]);

    /// `process` holds the engines: another build of the matcher or of a library may judge otherwise with the same bases,
    /// so every file that it has mapped counts (proc(5), `/proc/PID/maps`). `tmpfs` is the room for unpacking in bytes.
    ///
    /// # Errors
    /// When the process or a file cannot be read.
    pub(crate) fn new(set: &EngineSet, opened: &[Container], tmpfs: u64, process: i32) -> io::Result<Self> {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
        let mapped: BTreeSet<&str> = maps.lines().filter_map(|line| line.get(line.find('/')?..)).collect();
        let mut digest = Sha256::new();
        digest.update(std::fs::read(format!("/proc/{process}/exe"))?);
        for file in mapped.iter().filter(|file| file.contains(".so")) {
            digest.update(Sha256::digest(std::fs::read(file)?));
        }
        let version = env!("CARGO_PKG_VERSION");
        let shaped = postcard::to_allocvec(&(FORM, version, set, opened, tmpfs)).map_err(io::Error::other)?;
        digest.update(shaped);
        Ok(Self(digest.finalize().into()))
    }
}

/// A result without what belongs to one place on one medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    content_type: ContentType,
    findings: Vec<Finding>,
    layers: u32,
}

impl Remembered {
    /// What of an answer may be kept: nothing that was not checked, nothing that a person must see.
    fn of(scanned: &Scanned) -> Option<Self> {
        let harmless = scanned.findings.iter().all(|finding| finding.severity == Severity::Info);
        let complete = scanned.not_checked.is_empty() && !scanned.disk_image;
        (harmless && complete).then(|| Self {
            content_type: scanned.content_type.clone(),
            findings: scanned.findings.clone(),
            layers: scanned.layers,
        })
    }

    /// A row to be kept, sealed: SQLite does not notice when a disk changes a byte of it.
    fn row(&self, question: &Question) -> Option<Vec<u8>> {
        let answer = postcard::to_allocvec(self).ok()?;
        Some([&question.seal(&answer)[..], &answer].concat())
    }

    /// What a row says, unless it is damaged.
    fn of_row(question: &Question, row: &[u8]) -> Option<Self> {
        let (seal, answer) = row.split_first_chunk()?;
        if *seal != question.seal(answer) {
            return None;
        }
        postcard::from_bytes(answer).ok()
    }

    /// The answer that the engines would have given for this piece.
    pub(crate) fn answer(self, piece: &ScanPiece, digests: Digests) -> Scanned {
        Scanned {
            entry: piece.entry,
            bytes: piece.length,
            digests,
            content_type: self.content_type,
            findings: self.findings,
            not_checked: Vec::<Cause>::new(),
            layers: self.layers,
            disk_image: false,
            cpu: blanche_sandbox::wire::EngineCpu::default(),
        }
    }
}

/// What the engines would be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question([u8; 32]);

impl Question {
    /// Binds an answer to its question. Against accidents only: who may write the file may write seals as well.
    fn seal(&self, answer: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(self.0).chain_update(answer).finalize().into()
    }
}

/// The known results during one session.
#[derive(Debug)]
pub(crate) struct KnownResults {
    engines: EngineKey,
    /// Of this session, and what is kept from earlier ones.
    rows: Mutex<Rows>,
}

#[derive(Debug)]
struct Rows {
    fresh: Option<Connection>,
    kept: Option<Store>,
}

impl KnownResults {
    /// Opens the file of known results; whatever is wrong with it costs time, never a check.
    pub(crate) fn open(settings: &Settings, engines: EngineKey) -> Self {
        let fresh = temporary().inspect_err(|error| tracing::warn!("known results are not used: {error}")).ok();
        let kept = settings.file_in_use().and_then(|file| {
            Store::open(file, engines, u64::from(settings.max))
                .inspect_err(|error| tracing::warn!("known results in {} are not used: {error}", file.display()))
                .ok()
        });
        Self { engines, rows: Mutex::new(Rows { fresh, kept }) }
    }

    /// No results, neither now nor later.
    pub(crate) fn none() -> Self {
        Self { engines: EngineKey::NOBODY, rows: Mutex::new(Rows { fresh: None, kept: None }) }
    }

    pub(crate) fn question(&self, piece: &ScanPiece, digests: &Digests) -> Question {
        let mut digest = Sha256::new();
        digest.update(self.engines.0);
        digest.update(digests.sha256);
        digest.update(digests.blake3);
        digest.update(piece.length.to_le_bytes());
        digest.update([u8::from(piece.area)]);
        for extension in &piece.extensions {
            digest.update(extension.as_bytes());
            digest.update([0]);
        }
        Question(digest.finalize().into())
    }

    /// What is known about it. A row that is damaged is none, and the answer of this session takes its place.
    pub(crate) fn look_up(&self, question: &Question) -> Option<Remembered> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = rows.fresh.as_ref().and_then(|fresh| {
            find(fresh, question).unwrap_or_else(|error| {
                tracing::warn!("a result of this session cannot be read: {error}");
                None
            })
        });
        let row = fresh.or_else(|| rows.kept.as_mut()?.look_up(question))?;
        Remembered::of_row(question, &row)
    }

    /// Keeps an answer, if it is one to be kept.
    pub(crate) fn remember(&self, question: &Question, scanned: &Scanned) {
        let Some(row) = Remembered::of(scanned).and_then(|kept| kept.row(question)) else { return };
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(fresh) = &rows.fresh else { return };
        let added = fresh
            .prepare_cached("INSERT OR IGNORE INTO known (question, result) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![question.0, row]));
        if let Err(error) = added {
            tracing::warn!("known results are not kept any more: {error}");
            rows.fresh = None;
        }
    }

    /// The session has ended well: what it found out joins the file.
    fn keep(self, cancel: &Cancel) {
        let rows = self.rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (Some(fresh), Some(kept)) = (rows.fresh, rows.kept) else { return };
        if let Err(error) = kept.add(&fresh, cancel) {
            tracing::warn!("known results of this session are not kept: {error}");
        }
    }
}

/// Forgets everything that is kept between sessions, of whatever engines: their rows would answer for engines that are loaded
/// from the same bases.
///
/// # Errors
/// Why the file cannot be emptied now, with its name.
pub(crate) fn forget(settings: &Settings) -> Result<(), String> {
    let Some(file) = settings.file_in_use().filter(|file| file.exists()) else { return Ok(()) };
    // A file of other engines is emptied when it is opened; with this key it serves none.
    Store::open(file, EngineKey::NOBODY, u64::from(settings.max)).map(drop).map_err(|error| {
        format!("results of engines that miss something stand in {} and cannot be deleted: {error}", file.display())
    })
}

/// Keeps what sessions found out while their reports are already told: other sessions may hold the file, and a million
/// rows take seconds. Dropping it waits for what is under way.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    at_work: Option<JoinHandle<()>>,
    closed: bool,
}

impl Keeper {
    /// Adds the results of a session, after those of the one before. `cancel` ends the waiting; nothing is kept then.
    pub(crate) fn keep(&mut self, known: KnownResults, cancel: Cancel) {
        if self.closed {
            return;
        }
        let before = self.at_work.take();
        let keep = move || {
            wait_for(before);
            known.keep(&cancel);
        };
        self.at_work = std::thread::Builder::new()
            .name("known results".to_owned())
            .spawn(keep)
            .inspect_err(|error| tracing::warn!("known results of this session are not kept: {error}"))
            .ok();
    }

    /// Keeps nothing any more, and waits for what is under way.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        wait_for(self.at_work.take());
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        wait_for(self.at_work.take());
    }
}

fn wait_for(thread: Option<JoinHandle<()>>) {
    if thread.is_some_and(|thread| thread.join().is_err()) {
        tracing::error!("station alarm: the thread that keeps known results ended by a panic");
    }
}

/// A database of its own that goes with its connection: in memory first, in an unlinked file when it grows.
fn temporary() -> rusqlite::Result<Connection> {
    let fresh = Connection::open("")?;
    fresh.pragma_update(None, "cache_size", -8192)?;
    fresh.execute_batch(TABLE)?;
    fresh.execute_batch("BEGIN")?;
    Ok(fresh)
}
