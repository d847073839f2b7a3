//! The handle by which a station records: one process, many threads, two logs in one chain.

use crate::chain::ChainHash;
use crate::error::JournalError;
use crate::event::Event;
use crate::moment::Moment;
use crate::opening;
use crate::parts;
use crate::reader::Reader;
use crate::segment::Log;
use crate::transfer::{ClosingRecord, CopiesRecord};
use crate::writer::{Entry, Writer};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use uuid::Uuid;

/// Where a journal is and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// Its folder, which only the station may write. It is made if the folder around it is there.
    pub folder: PathBuf,
    /// A segment is closed when it has this many bytes.
    pub segment_bytes: u64,
    /// Segments whose newest record is older are deleted; `None` = never. A twelfth of it is the longest time that a segment
    /// stays open.
    pub keep: Option<Duration>,
    /// Most bytes of all segments together; `None` = as many as the disk holds.
    pub max_bytes: Option<u64>,
}

impl JournalSettings {
    /// A journal in this folder, with segments of 1 GiB that are kept for ever.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), segment_bytes: 1 << 30, keep: None, max_bytes: None }
    }
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1, over both logs, without gaps.
    pub sequence: u64,
    /// Hash of the chain after it.
    pub hash: ChainHash,
    /// The clock when it was recorded.
    pub time: Moment,
}

/// Something to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Into the event log.
    Event(Event),
    /// Into the transfer log: the end of a session.
    Transfer(Box<ClosingRecord>),
    /// Into the transfer log: the end of a copy.
    Copies(Box<CopiesRecord>),
}

/// A journal that this process records into. Any thread may; when a call returns, its record is on the disk
/// (`synchronous = FULL`).
#[derive(Debug)]
pub struct Journal {
    settings: JournalSettings,
    id: Uuid,
    writer: Mutex<Writer>,
    /// One checkpoint at a time, while others go on recording.
    pub(crate) signing: Mutex<()>,
    /// Says to other processes that this one records.
    _lock: File,
}

impl Journal {
    /// Opens the journal in a folder, or begins one. What a crash left half-done is finished.
    ///
    /// # Errors
    /// [`JournalError::InUse`], [`JournalError::Insecure`], [`JournalError::Damaged`], [`JournalError::Full`], and what disk
    /// and SQLite say.
    pub fn open(settings: &JournalSettings) -> Result<Self, JournalError> {
        let lock = opening::lock(&settings.folder)?;
        let writer = opening::open(settings)?;
        let id = writer.journal();
        Ok(Self { settings: settings.clone(), id, writer: Mutex::new(writer), signing: Mutex::new(()), _lock: lock })
    }

    /// Records one event.
    ///
    /// # Errors
    /// [`JournalError::Full`] if there is no room: sealing must stop. Nothing of this event was recorded then.
    pub fn event(&self, event: Event) -> Result<Position, JournalError> {
        self.append(vec![Record::Event(event)])
    }

    /// Records the end of a session. Many files make several records; they are all there, or none.
    ///
    /// # Errors
    /// As [`Journal::event`].
    pub fn transfer(&self, record: ClosingRecord) -> Result<Position, JournalError> {
        self.append(vec![Record::Transfer(Box::new(record))])
    }

    /// Records several things, all or none; returns where the last one stands.
    ///
    /// # Errors
    /// As [`Journal::event`]; [`JournalError::Record`] also if there is nothing to record.
    pub fn append(&self, records: Vec<Record>) -> Result<Position, JournalError> {
        let mut entries = Vec::with_capacity(records.len());
        for record in records {
            match record {
                Record::Event(event) => entries.push(Entry::new(Log::Event, event.kind.as_str(), &event.body)?),
                Record::Transfer(closing) => parts::split(*closing, &mut entries)?,
                Record::Copies(copies) => entries.push(Entry::new(Log::Transfer, parts::SESSION_COPIES, &copies)?),
            }
        }
        self.writer()?.append(&self.settings, &entries)
    }

    /// Identifier of the journal, made when it began.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Where the newest record stands.
    ///
    /// # Errors
    /// [`JournalError::Poisoned`]
    pub fn head(&self) -> Result<Position, JournalError> {
        Ok(self.writer()?.head())
    }

    /// To look things up. It does not keep anybody from recording.
    ///
    /// # Errors
    /// What disk and SQLite say.
    pub fn reader(&self) -> Result<Reader, JournalError> {
        Reader::open(&self.settings.folder)
    }

    pub(crate) fn settings(&self) -> &JournalSettings {
        &self.settings
    }

    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>, JournalError> {
        self.writer.lock().map_err(|_| JournalError::Poisoned)
    }
}
