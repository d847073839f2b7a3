//! What the reader says, in the order of the contract: entries are gathered into batches, and nothing is said about an
//! entry before the entry itself.

use crate::bytes::wide;
use crate::object::{Object, ObjectKind};
use crate::source::Removed;
use blanche_sandbox::wire::{Cause, Entry, EntryId, FromReader, MAX_NOT_READ, NotRead, ReadTotals, Subject};
use std::io;

/// Entries in one message.
const MAX_BATCH: usize = 512;
/// Bytes of names and fields in one message, about.
const MAX_BATCH_BYTES: usize = 256 << 10;
/// The receiver does not listen any more; the reading ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receiver stopped listening")]
pub struct Stop;

/// Why a reading ended before its last message.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// Nobody listens.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// No memory object could be made, filled or sealed.
    #[error("content object: {0}; give the reader more memory or smaller objects")]
    Object(#[from] io::Error),
    /// The job names another kind of source than the one that was opened.
    #[error("the job asks for {0}, and something else was opened")]
    WrongSource(&'static str),
}

/// Why a step of the reading ended early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The medium is gone: what was found so far still counts.
    Removed,
    /// The reading as a whole failed.
    Failed(ReadFailure),
}

impl From<Removed> for Halt {
    fn from(Removed: Removed) -> Self {
        Self::Removed
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Failed(stop.into())
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

#[cfg(target_os = "linux")]
impl From<rustix::io::Errno> for Halt {
    fn from(error: rustix::io::Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// Who listens to a reading.
pub trait Receiver {
    /// Takes the next message, with the bytes that belong to it.
    ///
    /// # Errors
    /// [`Stop`] ends the reading.
    fn take(&mut self, message: FromReader, object: Option<Object>) -> Result<(), Stop>;

    /// Whether the content of this entry is to be read. Asked once everything was announced; contents that lie inside
    /// the filesystem's own structures come without being asked for.
    fn wants(&mut self, entry: EntryId) -> bool;
}

/// The reader's mouth.
pub(crate) struct Outbox<'o> {
    out: &'o mut dyn Receiver,
    objects: ObjectKind,
    entries: Vec<Entry>,
    entry_bytes: usize,
    not_read: Vec<NotRead>,
    not_read_sent: u32,
    /// Contents that were announced, each under its first name, and their bytes.
    announced: (u32, u64),
    planned: bool,
    pub(crate) totals: ReadTotals,
}

impl<'o> Outbox<'o> {
    pub(crate) fn new(out: &'o mut dyn Receiver, objects: ObjectKind) -> Self {
        let totals = ReadTotals::default();
        Self {
            out,
            objects,
            entries: Vec::new(),
            entry_bytes: 0,
            not_read: Vec::new(),
            not_read_sent: 0,
            announced: (0, 0),
            planned: false,
            totals,
        }
    }

    /// In what contents are handed over.
    pub(crate) fn objects(&self) -> ObjectKind {
        self.objects
    }

    /// See [`Receiver::wants`].
    pub(crate) fn wants(&mut self, entry: EntryId) -> bool {
        self.out.wants(entry)
    }

    /// Announces an entry and gives it its number.
    pub(crate) fn entry(&mut self, entry: Entry) -> Result<EntryId, Stop> {
        let id = self.totals.entries;
        self.totals.entries = id.saturating_add(1);
        self.entry_bytes = self.entry_bytes.saturating_add(entry.name.len()).saturating_add(48);
        if entry.kind.has_content() && entry.same_as.is_none() {
            let (files, bytes) = self.announced;
            self.announced = (files.saturating_add(1), bytes.saturating_add(entry.size));
        }
        self.entries.push(entry);
        if self.entries.len() >= MAX_BATCH || self.entry_bytes >= MAX_BATCH_BYTES {
            self.flush()?;
        }
        Ok(id)
    }

    /// Says what was not read; after the entry that it is about.
    pub(crate) fn not_read(&mut self, subject: Subject, offset: u64, length: u64, cause: Cause) -> Result<(), Stop> {
        self.not_read_sent = self.not_read_sent.saturating_add(1);
        let note = match self.not_read_sent {
            ..MAX_NOT_READ => NotRead { subject, offset, length, cause },
            MAX_NOT_READ => NotRead { subject: Subject::Medium, offset: 0, length: 0, cause },
            _ => return Ok(()),
        };
        self.not_read.push(note);
        if self.not_read.len() >= MAX_BATCH { self.flush() } else { Ok(()) }
    }

    /// Sends what was gathered.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.entry_bytes = 0;
        if !self.entries.is_empty() {
            self.out.take(FromReader::Entries(std::mem::take(&mut self.entries)), None)?;
        }
        for note in std::mem::take(&mut self.not_read) {
            self.out.take(FromReader::NotRead(note), None)?;
        }
        Ok(())
    }

    /// Says that the walk is over, once. Everything that was announced counts, with the size that was announced: what
    /// cannot be handed over was named as not read, or will be.
    pub(crate) fn planned(&mut self) -> Result<(), Stop> {
        if std::mem::replace(&mut self.planned, true) {
            return Ok(());
        }
        let (files, bytes) = self.announced;
        self.send(FromReader::Planned { files, bytes }, None)
    }

    /// Sends a message after everything that was gathered.
    pub(crate) fn send(&mut self, message: FromReader, object: Option<Object>) -> Result<(), Stop> {
        self.flush()?;
        self.out.take(message, object)
    }

    /// Counts a content that was handed over as a whole.
    pub(crate) fn count_content(&mut self, bytes: u64) {
        self.totals.contents = self.totals.contents.saturating_add(1);
        self.totals.bytes = self.totals.bytes.saturating_add(bytes);
    }
}

/// A length in memory as bytes on the wire.
pub(crate) fn bytes_of(buffer: &[u8]) -> u64 {
    wide(buffer.len())
}
