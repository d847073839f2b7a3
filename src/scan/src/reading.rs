//! The reader at work: its messages are checked, its objects queued for the matchers, its gaps written into the ledger.

use crate::brake::Brake;
use crate::budget::{Budget, Held};
use crate::error::ScanError;
use crate::intake::{Accepted, Intake};
use crate::known::KnownResults;
use crate::ledger::Ledger;
use crate::progress::Counters;
use crate::queue::{Queue, Skip, Waiting, Work};
use crate::settings::Settings;
use blanche_sandbox::ChannelError;
use blanche_sandbox::birth::{Birth, Child, ResourceLimits, Role};
use blanche_sandbox::content::{self, SealedContent};
use blanche_sandbox::wire::{
    Cause, Digests, EntryId, EntryKind, FromReader, Piece, ReadJob, ReadLimits, ScanPiece, Source, Subject,
};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the reader's channel is left to see whether somebody cancelled.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
/// A reader that says nothing for so long is lost. A device full of bad sectors takes seconds for each of them.
pub(crate) const SILENCE: Duration = Duration::from_secs(600);
/// What an object costs of the flight budget at least, in bytes: it holds a descriptor, and those are few as well.
const OBJECT_COST: u64 = 1 << 20;
/// The reader's own memory: entries, allocation tables in windows, one chunk.
const READER_MEMORY: u64 = 1 << 30;
/// Bytes copied at once into the spool.
const COPY: usize = 1 << 20;

/// Starts a reader of `medium` in its sandbox.
///
/// # Errors
/// [`ScanError::Children`] when the program is missing or a layer of the sandbox is.
pub(crate) fn start(
    medium: BorrowedFd<'_>,
    source: Source,
    limits: &ReadLimits,
    settings: &Settings,
) -> Result<Child, ScanError> {
    let program = settings.children.program("blanche-reader");
    let kind = if source == Source::Folder { "folder" } else { "medium" };
    let object = limits.max_memory_object.max(limits.batch_bytes).max(limits.chunk_bytes);
    let birth = Birth {
        program: &program,
        arguments: &[kind],
        medium: Some(medium),
        limits: ResourceLimits {
            data: Some(READER_MEMORY),
            file_size: Some(object.saturating_mul(2)),
            ..ResourceLimits::default()
        },
        role: Role::Reader,
    };
    Child::spawn(&birth)
        .map_err(|error| ScanError::Children { program: program.display().to_string(), reason: error.to_string() })
}

/// What a reading needs.
pub(crate) struct Reading<'a> {
    pub(crate) child: Child,
    pub(crate) job: ReadJob,
    pub(crate) ledger: &'a Mutex<Ledger>,
    pub(crate) queue: &'a Queue,
    pub(crate) counters: &'a Counters,
    pub(crate) known: &'a KnownResults,
    pub(crate) flight: Arc<Budget>,
    /// That of all sessions.
    pub(crate) spool: &'a Arc<Budget>,
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
    pub(crate) brake: Brake,
}

/// What a reading gave.
pub(crate) struct Read {
    pub(crate) intake: Intake,
    /// Why it did not come to its end.
    pub(crate) failure: Option<Cause>,
    /// CPU time of the reader.
    pub(crate) cpu: Duration,
}

/// A long content on its way through the spool.
struct Spooled {
    file: Result<File, Cause>,
    held: Held,
    written: u64,
}

impl Spooled {
    /// Waits for room for all of a content of `size` bytes. Two sessions that took it part by part would wait for each other, each
    /// with half of a content; as it is, whoever holds room comes to its end. A content for which there is no room is read on
    /// and dropped: the others go on.
    fn begin(spool: &Arc<Budget>, size: u64, stop: &dyn Fn() -> bool) -> Self {
        let mut held = spool.nothing();
        let full = |_| if stop() { Cause::Cancelled } else { Cause::SpoolFull };
        let file = held.grow(size, stop).map_err(full).and_then(|()| content::writable().map_err(failed));
        if file.is_err() {
            held.give_back();
        }
        Self { file, held, written: 0 }
    }

    /// Appends one part.
    fn append(&mut self, part: &SealedContent, total: u64) {
        if let Ok(file) = &self.file
            && let Err(error) = append(file, part, self.written)
        {
            self.file = Err(failed(error));
            self.held.give_back();
        }
        self.written = total;
    }
}

#[allow(clippy::needless_pass_by_value, reason = "passed to map_err")]
fn failed(error: impl std::fmt::Display) -> Cause {
    tracing::error!("spool: {error}");
    Cause::SpoolFull
}

impl Reading<'_> {
    /// Reads until the reader is done, dies, lies or is stopped, and closes the queue.
    pub(crate) fn run(mut self) -> Read {
        let mut intake = Intake::new(self.job.source, self.job.limits);
        // Closed however this ends: matchers that wait for more would wait for ever.
        let closed = self.queue.close_when_dropped();
        let ended = self.listen(&mut intake);
        drop(closed);
        let cpu = self.child.cpu().unwrap_or_default();
        self.child.kill();
        let failure = ended.err();
        if let Some(cause) = &failure {
            self.ledger().gap(Subject::Medium, 0, 0, cause.clone());
        }
        Read { intake, failure, cpu }
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&mut self, intake: &mut Intake) -> Result<(), Cause> {
        let stop = self.stop;
        let lost = |error: ChannelError| {
            tracing::error!("reader: {error}");
            if stop() { Cause::Cancelled } else { Cause::ReaderLost }
        };
        self.child.channel().send(&self.job, &[]).map_err(lost)?;
        let mut spooled = None;
        while !intake.is_done() {
            self.brake.wait(self.counters, self.stop);
            self.wait()?;
            let received = self.child.channel().receive::<FromReader>(Some(SILENCE)).map_err(lost)?;
            let accepted = intake.accept(received.message, received.fds).map_err(|distrust| {
                tracing::error!("station alarm: {distrust}");
                Cause::ContentRefused
            })?;
            self.act(accepted, intake, &mut spooled)?;
        }
        Ok(())
    }

    /// Waits for the next message, and looks whether to stop.
    fn wait(&self) -> Result<(), Cause> {
        let silent_until = Instant::now().checked_add(SILENCE);
        loop {
            if (self.stop)() {
                return Err(Cause::Cancelled);
            }
            match self.child.channel().is_readable(LOOK) {
                Ok(true) => return Ok(()),
                Ok(false) if silent_until.is_some_and(|limit| Instant::now() > limit) => {
                    tracing::error!("reader: silent for too long, killed");
                    return Err(Cause::ReaderLost);
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!("reader: {error}");
                    return Err(Cause::ReaderLost);
                }
            }
        }
    }

    fn act(&self, accepted: Accepted, intake: &Intake, spooled: &mut Option<Spooled>) -> Result<(), Cause> {
        match accepted {
            Accepted::Noted => {
                self.ledger().expect(intake.catalogue.len());
                let (files, bytes) = intake.found();
                self.counters.found(files, bytes);
            }
            Accepted::Planned { files, bytes } => self.counters.planned(files, bytes),
            Accepted::NotRead(what) => self.ledger().not_read(what),
            Accepted::Object { object, pieces } => self.queue_object(object, &pieces, intake)?,
            Accepted::Part { entry, part, total, last, subtrees } => {
                self.ledger().subtrees(entry, &subtrees);
                let size = intake.catalogue.get(entry).map_or(0, |record| record.size);
                let begin = || Spooled::begin(self.spool, size, self.stop);
                let mut long = spooled.take().unwrap_or_else(begin);
                self.counters.read(part.length());
                long.append(&part, total);
                match last {
                    Some(digests) => self.queue_spooled(entry, long, digests, intake),
                    None => *spooled = Some(long),
                }
            }
            Accepted::Done => {}
        }
        Ok(())
    }

    fn queue_object(&self, object: SealedContent, pieces: &[Piece], intake: &Intake) -> Result<(), Cause> {
        let mut held = self.flight.nothing();
        held.grow(object.length().max(OBJECT_COST), &|| (self.stop)()).map_err(|_| Cause::Cancelled)?;
        let mut waiting = VecDeque::with_capacity(pieces.len());
        let mut ledger = self.ledger();
        for piece in pieces {
            ledger.delivered(piece.entry, piece.length, piece.digests);
            ledger.subtrees(piece.entry, &piece.subtrees);
            waiting.push_back(self.waiting(scan_piece(intake, piece.entry, piece.offset, piece.length), piece.digests));
        }
        drop(ledger);
        self.counters.read(object.length());
        self.queue.push(Work { object, pieces: waiting, prompt: false, images: Vec::new(), held });
        Ok(())
    }

    fn waiting(&self, piece: ScanPiece, digests: Digests) -> Waiting {
        let question = self.known.question(&piece, &digests);
        Waiting { piece, digests, question, skip: Skip::No }
    }

    fn queue_spooled(&self, entry: EntryId, long: Spooled, digests: Digests, intake: &Intake) {
        let length = long.written;
        let sealed = long.file.and_then(|file| {
            let sealed = content::seal(file).map_err(|_| Cause::SpoolFull)?;
            SealedContent::accept(sealed, length).map_err(|_| Cause::SpoolFull)
        });
        let mut ledger = self.ledger();
        ledger.delivered(entry, length, digests);
        match sealed {
            Ok(object) => {
                drop(ledger);
                let piece = scan_piece(intake, entry, 0, length);
                self.queue.push(Work {
                    object,
                    pieces: VecDeque::from([self.waiting(piece, digests)]),
                    prompt: false,
                    images: Vec::new(),
                    held: long.held,
                });
            }
            Err(cause) => {
                ledger.gap(Subject::Entry(entry), 0, length, cause);
                drop(ledger);
                self.counters.done(length, false);
            }
        }
    }
}

/// What a matcher has to know about one content.
pub(crate) fn scan_piece(intake: &Intake, entry: EntryId, offset: u64, length: u64) -> ScanPiece {
    let area = intake.catalogue.get(entry).is_some_and(|record| record.kind == EntryKind::Area);
    ScanPiece { area, entry, offset, length, extensions: intake.catalogue.extensions(entry), hash_only: false }
}

/// Copies a sealed part to its place in the spool file.
fn append(file: &File, part: &SealedContent, at: u64) -> io::Result<()> {
    copy_to(part, 0..part.length(), file, at)
}

/// Copies a range (bytes) of a sealed object to the beginning of a file.
pub(crate) fn copy(object: &SealedContent, range: Range<u64>, file: &File) -> io::Result<()> {
    copy_to(object, range, file, 0)
}

fn copy_to(object: &SealedContent, range: Range<u64>, file: &File, at: u64) -> io::Result<()> {
    let source = File::from(object.as_fd().try_clone_to_owned()?);
    let mut buffer = vec![0u8; COPY];
    let (mut from, mut to) = (range.start, at);
    while from < range.end {
        let left = usize::try_from(range.end.saturating_sub(from)).unwrap_or(COPY).min(COPY);
        let window = buffer.get_mut(..left).unwrap_or_default();
        source.read_exact_at(window, from)?;
        file.write_all_at(window, to)?;
        let step = u64::try_from(left).unwrap_or(0);
        (from, to) = (from.saturating_add(step), to.saturating_add(step));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;
    use std::sync::atomic::{AtomicU64, Ordering};

    const PART: u64 = 64 << 10;

    fn part() -> SealedContent {
        let file = content::writable().expect("a memory file");
        file.write_all_at(&vec![7; 64 << 10], 0).expect("written");
        let sealed: OwnedFd = content::seal(file).expect("sealed");
        SealedContent::accept(sealed, PART).expect("a part")
    }

    /// Reads contents of six parts each; whoever is at work tells how much it has.
    fn session(
        spool: &Arc<Budget>,
        contents: usize,
        stop: &dyn Fn() -> bool,
        used: &AtomicU64,
        most: &AtomicU64,
    ) -> usize {
        let spooled = |_: &usize| {
            let mut long = Spooled::begin(spool, 6 * PART, stop);
            for number in 1..=6 {
                long.append(&part(), number * PART);
                if long.file.is_ok() {
                    most.fetch_max(used.fetch_add(PART, Ordering::SeqCst) + PART, Ordering::SeqCst);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            let whole = long.file.as_ref().is_ok_and(|file| file.metadata().is_ok_and(|data| data.len() == 6 * PART));
            used.fetch_sub(if whole { 6 * PART } else { 0 }, Ordering::SeqCst);
            whole
        };
        (0..contents).filter(spooled).count()
    }

    #[test]
    fn two_sessions_share_one_spool_and_neither_waits_for_ever() {
        // Room for one and a half of their contents.
        let spool = Budget::new(9 * PART);
        let (used, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let late = Instant::now() + Duration::from_secs(20);
        let stop = || Instant::now() > late;
        std::thread::scope(|scope| {
            let both = [
                scope.spawn(|| session(&spool, 20, &stop, &used, &most)),
                scope.spawn(|| session(&spool, 20, &stop, &used, &most)),
            ];
            for session in both {
                assert_eq!(session.join().expect("no panic"), 20, "every content is whole");
            }
        });
        assert!(most.into_inner() <= 9 * PART, "the quota is that of all sessions");
    }

    #[test]
    fn a_session_that_waits_for_another_can_be_cancelled_and_what_can_never_fit_is_refused_at_once() {
        let spool = Budget::new(9 * PART);
        let other = Spooled::begin(&spool, 6 * PART, &|| false);
        let clock = Instant::now();
        let cancelled = Spooled::begin(&spool, 6 * PART, &|| clock.elapsed() > Duration::from_millis(50));
        assert!(matches!(cancelled.file, Err(Cause::Cancelled)));
        let never = Spooled::begin(&spool, 10 * PART, &|| false);
        assert!(matches!(never.file, Err(Cause::SpoolFull)));
        drop(other);
        assert!(Spooled::begin(&spool, 9 * PART, &|| false).file.is_ok());
    }
}
