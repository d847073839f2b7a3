//! What the reader says, checked line by line before anybody believes it (security rule 5).
//!
//! The order of messages is a state machine; every identifier, offset, length and sum is compared with what was said
//! before. A reader that breaks it is not listened to any more, and whatever it still owed is *not checked*.

use crate::catalogue::Catalogue;
use blanche_sandbox::content::{Refused, SealedContent};
use blanche_sandbox::wire::{
    AreaReport, BootArea, Cause, Chunk, Content, Digests, Entry, EntryId, EntryKind, FromReader, MAX_AREAS,
    MAX_NOT_READ, MediumLayout, NotRead, Piece, ReadLimits, ReadTotals, SUBTREE, Source, Subject, Subtree, subtrees_of,
};
use std::os::fd::OwnedFd;

/// Why the reader is not listened to any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Distrust {
    /// It broke the order or contradicted itself.
    #[error("reader: {0}")]
    Violation(&'static str),
    /// It handed over something that can still change, or of the wrong length.
    #[error("reader: {0}")]
    Object(#[from] Refused),
}

/// Something that the session must act upon.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// The catalogue grew, or nothing has to be done.
    Noted,
    /// The walk is over; contents follow.
    Planned { files: u64, bytes: u64 },
    /// Whole contents in a sealed object.
    Object { object: SealedContent, pieces: Vec<Piece> },
    /// The next part of a long content; with the last one its digests.
    Part { entry: EntryId, part: SealedContent, total: u64, last: Option<Digests>, subtrees: Vec<Subtree> },
    /// Something that was not read.
    NotRead(NotRead),
    /// The last message.
    Done,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Phase {
    Medium,
    Walk,
    Contents,
    Area,
    Done,
}

/// A long content of which some chunks came.
#[derive(Clone, Copy, Debug)]
struct Open {
    entry: EntryId,
    /// Bytes.
    length: u64,
    /// Chaining values.
    subtrees: u64,
}

/// What is known of the reader's work so far.
#[derive(Debug)]
pub(crate) struct Intake {
    source: Source,
    limits: ReadLimits,
    phase: Phase,
    pub(crate) layout: Option<MediumLayout>,
    pub(crate) catalogue: Catalogue,
    pub(crate) area: AreaReport,
    given: Vec<bool>,
    areas: usize,
    files: u64,
    bytes: u64,
    open: Option<Open>,
    gaps: u32,
    totals: ReadTotals,
}

impl Intake {
    pub(crate) fn new(source: Source, limits: ReadLimits) -> Self {
        Self {
            source,
            limits,
            phase: Phase::Medium,
            layout: None,
            catalogue: Catalogue::default(),
            area: AreaReport::default(),
            given: Vec::new(),
            areas: 0,
            files: 0,
            bytes: 0,
            open: None,
            gaps: 0,
            totals: ReadTotals::default(),
        }
    }

    /// Files found so far, and their bytes.
    pub(crate) fn found(&self) -> (u64, u64) {
        (self.files, self.bytes)
    }

    /// Checks one message.
    ///
    /// # Errors
    /// [`Distrust`]: stop listening and kill the reader.
    pub(crate) fn accept(&mut self, message: FromReader, mut fds: Vec<OwnedFd>) -> Result<Accepted, Distrust> {
        let expects_object = matches!(message, FromReader::Content(_) | FromReader::Chunk(_));
        let object = fds.pop();
        if object.is_some() != expects_object || !fds.is_empty() {
            return Err(Distrust::Violation("a message with the wrong number of descriptors"));
        }
        match (message, object) {
            (FromReader::Medium(layout), _) => self.medium(layout),
            (FromReader::Entries(entries), _) => self.entries(&entries),
            (FromReader::Planned { files, bytes }, _) => self.planned(u64::from(files), bytes),
            (FromReader::Content(content), Some(fd)) => self.content(content, fd),
            (FromReader::Chunk(chunk), Some(fd)) => self.chunk(chunk, fd),
            (FromReader::NotRead(what), _) => self.not_read(what),
            (FromReader::Area(area), _) => self.area(area),
            (FromReader::Done(totals), _) => self.done(totals),
            (FromReader::Content(_) | FromReader::Chunk(_), None) => {
                Err(Distrust::Violation("content without an object"))
            }
        }
    }

    fn expect(&self, phase: Phase) -> Result<(), Distrust> {
        if self.phase == phase { Ok(()) } else { Err(Distrust::Violation("a message out of order")) }
    }

    fn medium(&mut self, layout: MediumLayout) -> Result<Accepted, Distrust> {
        self.expect(Phase::Medium)?;
        let capacity = match self.source {
            Source::Medium { capacity, .. } => capacity,
            Source::Folder => 0,
        };
        let inside = layout.volumes.iter().all(|volume| {
            volume.start.checked_add(volume.length).is_some_and(|end| end <= capacity || self.source == Source::Folder)
                && volume.label.as_ref().is_none_or(|label| label.len() <= 255)
                && volume.identifier.as_ref().is_none_or(|text| text.len() <= 64)
        });
        if layout.capacity != capacity || !inside || layout.volumes.len() > usize::from(self.limits.max_volumes) {
            return Err(Distrust::Violation("a layout that does not fit the medium"));
        }
        self.layout = Some(layout);
        self.phase = Phase::Walk;
        Ok(Accepted::Noted)
    }

    /// How many volumes were announced.
    pub(crate) fn volumes(&self) -> usize {
        self.layout.as_ref().map_or(0, |layout| layout.volumes.len())
    }

    fn entries(&mut self, entries: &[Entry]) -> Result<Accepted, Distrust> {
        self.expect(Phase::Walk)?;
        let after = self.catalogue.len().saturating_add(entries.len());
        self.areas = self.areas.saturating_add(entries.iter().filter(|entry| entry.kind == EntryKind::Area).count());
        let most = usize::try_from(self.limits.max_entries).unwrap_or(usize::MAX);
        if after.saturating_sub(self.areas) > most || self.areas > MAX_AREAS {
            return Err(Distrust::Violation("more entries than the limit allows"));
        }
        for entry in entries {
            let known = match entry.volume {
                Some(volume) => usize::from(volume) < self.volumes(),
                None => entry.kind == EntryKind::Area,
            };
            if !known {
                return Err(Distrust::Violation("an entry of a volume that was not announced"));
            }
            let id =
                self.catalogue.push(entry, self.limits.max_depth, self.limits.max_path).map_err(Distrust::Violation)?;
            if let Some(first) = entry.same_as.filter(|first| self.is_given(*first)) {
                self.catalogue.named_late(first, id);
            }
            if entry.kind.has_content() && entry.same_as.is_none() {
                self.files = self.files.saturating_add(1);
                self.bytes = self.bytes.saturating_add(entry.size);
            }
        }
        self.given.resize(after, false);
        Ok(Accepted::Noted)
    }

    fn planned(&mut self, files: u64, bytes: u64) -> Result<Accepted, Distrust> {
        self.expect(Phase::Walk)?;
        if (files, bytes) != (self.files, self.bytes) {
            return Err(Distrust::Violation("a plan that differs from the entries announced"));
        }
        self.phase = Phase::Contents;
        Ok(Accepted::Planned { files, bytes })
    }

    fn is_given(&self, entry: EntryId) -> bool {
        usize::try_from(entry).is_ok_and(|index| self.given.get(index) == Some(&true))
    }

    /// Notes that `entry` is being handed over, once.
    fn take(&mut self, entry: EntryId, length: u64) -> Result<(), Distrust> {
        let record = self.catalogue.get(entry).ok_or(Distrust::Violation("content of an unknown entry"))?;
        if !record.has_content() || length > record.size {
            return Err(Distrust::Violation("content of something that has none, or more than announced"));
        }
        let index = usize::try_from(entry).unwrap_or(usize::MAX);
        match self.given.get_mut(index) {
            Some(given) if !*given => *given = true,
            _ => return Err(Distrust::Violation("content handed over twice")),
        }
        self.totals.contents = self.totals.contents.saturating_add(1);
        self.totals.bytes = self.totals.bytes.saturating_add(length);
        Ok(())
    }

    fn content(&mut self, content: Content, fd: OwnedFd) -> Result<Accepted, Distrust> {
        // Contents inside the filesystem's own structures need not wait for the end of the walk.
        if self.phase != Phase::Walk {
            self.expect(Phase::Contents)?;
        }
        if content.pieces.is_empty() || self.open.is_some() {
            return Err(Distrust::Violation("an object without content, or inside a long content"));
        }
        if content.pieces.len() > usize::try_from(self.limits.batch_files).unwrap_or(usize::MAX) {
            return Err(Distrust::Violation("more contents in one object than the limit allows"));
        }
        let mut end = 0u64;
        for piece in &content.pieces {
            if piece.offset < end {
                return Err(Distrust::Violation("contents that overlap in their object"));
            }
            end = piece.offset.checked_add(piece.length).ok_or(Distrust::Violation("a content beyond its object"))?;
            if u64::try_from(piece.subtrees.len()) != Ok(subtrees_of(piece.length)) {
                return Err(Distrust::Violation("not one chaining value for each MiB"));
            }
            self.take(piece.entry, piece.length)?;
        }
        if end > self.limits.max_memory_object.max(self.limits.batch_bytes).saturating_mul(2) {
            return Err(Distrust::Violation("an object longer than the limit allows"));
        }
        Ok(Accepted::Object { object: SealedContent::accept(fd, end)?, pieces: content.pieces })
    }

    fn chunk(&mut self, chunk: Chunk, fd: OwnedFd) -> Result<Accepted, Distrust> {
        self.expect(Phase::Contents)?;
        let open = match self.open {
            Some(open) if open.entry == chunk.entry => open,
            None => Open { entry: chunk.entry, length: 0, subtrees: 0 },
            Some(_) => return Err(Distrust::Violation("a chunk between the chunks of another content")),
        };
        let total = open.length.checked_add(chunk.length).ok_or(Distrust::Violation("a chunk beyond all bounds"))?;
        let size = self.catalogue.get(chunk.entry).map_or(0, |record| record.size);
        if chunk.offset != open.length || chunk.length > self.limits.chunk_bytes || total > size {
            return Err(Distrust::Violation("a chunk out of order, too long, or beyond its content"));
        }
        let new = u64::try_from(chunk.subtrees.len()).unwrap_or(u64::MAX);
        let subtrees = open.subtrees.saturating_add(new);
        let fits = match chunk.last {
            Some(_) => subtrees == subtrees_of(total),
            None => subtrees.saturating_mul(SUBTREE) <= total,
        };
        if !fits {
            return Err(Distrust::Violation("not one chaining value for each MiB"));
        }
        if chunk.last.is_some() {
            self.take(chunk.entry, total)?;
            self.open = None;
        } else if chunk.length == 0 {
            return Err(Distrust::Violation("an empty chunk"));
        } else {
            self.open = Some(Open { entry: chunk.entry, length: total, subtrees });
        }
        let part = SealedContent::accept(fd, chunk.length)?;
        Ok(Accepted::Part { entry: chunk.entry, part, total, last: chunk.last, subtrees: chunk.subtrees })
    }

    fn not_read(&mut self, what: NotRead) -> Result<Accepted, Distrust> {
        if self.phase == Phase::Medium || self.phase == Phase::Done {
            return Err(Distrust::Violation("a message out of order"));
        }
        let known = match what.subject {
            Subject::Medium => true,
            Subject::Volume(volume) => usize::from(volume) < self.volumes(),
            Subject::Entry(entry) => self.catalogue.get(entry).is_some(),
        };
        self.gaps = self.gaps.saturating_add(1);
        if self.gaps > MAX_NOT_READ {
            return Err(Distrust::Violation("more gaps than the limit allows"));
        }
        if !known || what.offset.checked_add(what.length).is_none() {
            return Err(Distrust::Violation("a gap in something that was not announced"));
        }
        if !is_readers(&what.cause) {
            return Err(Distrust::Violation("a cause that only others can know"));
        }
        Ok(Accepted::NotRead(what))
    }

    fn area(&mut self, area: AreaReport) -> Result<Accepted, Distrust> {
        self.expect(Phase::Contents)?;
        let sum = area.sums.iter().try_fold(0u64, |sum, line| {
            let known = line.volume.is_none_or(|volume| usize::from(volume) < self.volumes());
            if known && line.looked_at <= line.bytes { sum.checked_add(line.bytes) } else { None }
        });
        let capacity = self.layout.as_ref().map_or(0, |layout| layout.capacity);
        let lies = |area: &BootArea| {
            area.volume.is_none_or(|volume| usize::from(volume) < self.volumes())
                && area.start.checked_add(area.length).is_some_and(|end| end <= capacity)
        };
        if !area.boot.iter().all(lies) || area.boot.len() > MAX_AREAS {
            return Err(Distrust::Violation("a boot area outside the medium, or too many"));
        }
        if sum != Some(capacity) || area.digests.len() > MAX_AREAS {
            return Err(Distrust::Violation("an area ledger that does not add up to the capacity"));
        }
        self.area = area;
        self.phase = Phase::Area;
        Ok(Accepted::Noted)
    }

    fn done(&mut self, totals: ReadTotals) -> Result<Accepted, Distrust> {
        self.expect(Phase::Area)?;
        let entries = u32::try_from(self.catalogue.len()).unwrap_or(u32::MAX);
        if self.open.is_some() || totals != (ReadTotals { entries, ..self.totals }) {
            return Err(Distrust::Violation("totals that differ from what was handed over"));
        }
        self.phase = Phase::Done;
        Ok(Accepted::Done)
    }

    /// The reader said everything that it had to say.
    pub(crate) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }
}

/// Whether this is for a reader to say. What engines, parent and people say has other sources.
fn is_readers(cause: &Cause) -> bool {
    use Cause::{
        AmbiguousNames, ChangedWhileRead, Corrupt, FeatureUnsupported, FilesystemUnsupported, MediumRemoved,
        NotRegularFile, OtherFilesystem, PermissionDenied, ReadLimit, UnknownContent, Unreadable,
    };
    matches!(
        cause,
        AmbiguousNames
            | ChangedWhileRead
            | Corrupt(_)
            | FeatureUnsupported(_)
            | FilesystemUnsupported(_)
            | MediumRemoved
            | NotRegularFile
            | OtherFilesystem
            | PermissionDenied
            | ReadLimit(_)
            | UnknownContent
            | Unreadable
    )
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
