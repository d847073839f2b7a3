//! From the records of a folder to its entries: sections become files, associated files streams of their file.

use super::folder::{Piece, start_of};
use super::geometry::Geometry;
use super::ledger::Ledger;
use super::names::{Name, Naming, alternate, name};
use super::record::DirectoryRecord;
use super::spans::Spans;
use super::susp::{Facts, Susp};
use crate::bytes::wide;
use crate::filesystem::{ContentId, Extent, Fault, FolderRef, Found, Sink, Stored};
use crate::source::{Medium, Removed, note};
use blanche_sandbox::wire::{Cause, Corruption, EntryKind, Feature, ReadLimit};
use std::cell::RefCell;
use std::ops::{ControlFlow, Range};

const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);

/// Sections of one file.
const MAX_SECTIONS: usize = 1 << 16;
/// Bytes of AL values up to which they are not handed over: access control lists and the checksums of xorriso.
const SMALL_ATTRIBUTES: usize = 64;

/// File types of a POSIX mode.
const TYPE: u32 = 0o170_000;
const TYPE_LINK: u32 = 0o120_000;
const TYPE_FILE: u32 = 0o100_000;
const TYPE_FOLDER: u32 = 0o040_000;

/// A file or folder whose records are not complete.
struct Open {
    identifier: Vec<u8>,
    associated: bool,
    found: Found,
    extents: Vec<Extent>,
    /// About all of the content.
    causes: Vec<Cause>,
    sections: usize,
    /// Content is not to be read.
    unread: bool,
}

impl Open {
    fn done(self) -> Found {
        let Self { mut found, mut causes, extents, .. } = self;
        if !found.kind.has_content() {
            found.size = 0;
        }
        causes.sort_unstable();
        causes.dedup();
        let whole = causes.into_iter().map(|cause| Fault { offset: 0, length: found.size, cause });
        found.faults.extend(whole);
        if found.kind == EntryKind::File {
            identify(&mut found, extents);
        }
        found
    }
}

/// The state between the records of one folder.
pub(super) struct Listing<'l, 's> {
    pub(super) geometry: &'l Geometry,
    pub(super) naming: Naming,
    pub(super) rock: Option<&'l mut Susp>,
    pub(super) ledger: &'l RefCell<Ledger>,
    /// Folders that will be listed.
    pub(super) ahead: &'l mut Spans,
    /// First byte of the folder.
    pub(super) start: u64,
    pub(super) sink: Sink<'s>,
    number: usize,
    open: Option<Open>,
    associated: Option<Open>,
    corrupt: bool,
    unreadable: Vec<Range<u64>>,
}

impl<'l, 's> Listing<'l, 's> {
    pub(super) fn new(
        (geometry, naming, rock): (&'l Geometry, Naming, Option<&'l mut Susp>),
        ledger: &'l RefCell<Ledger>,
        ahead: &'l mut Spans,
        start: u64,
        sink: Sink<'s>,
    ) -> Self {
        let unreadable = Vec::new();
        let (open, associated, corrupt) = (None, None, false);
        Self { geometry, naming, rock, ledger, ahead, start, sink, number: 0, open, associated, corrupt, unreadable }
    }

    pub(super) fn take(&mut self, medium: &Medium<'_>, piece: Piece<'_>) -> Result<ControlFlow<()>, Removed> {
        match piece {
            Piece::Record(record) => return self.record(medium, record),
            Piece::Broken => self.corrupt = true,
            Piece::Unreadable(range) => note(&mut self.unreadable, range),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Hands over what is still open; returns what is wrong with the folder.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        let flow = match self.open.take() {
            Some(open) => self.complete(broken(open)),
            None => ControlFlow::Continue(()),
        };
        if let (Some(open), false) = (self.associated.take(), flow.is_break()) {
            let _ = (self.sink)(open.done());
        }
        let fault = |offset, length, cause| Fault { offset, length, cause };
        let length = |range: &Range<u64>| range.end.saturating_sub(range.start);
        let unreadable = self.unreadable.iter().map(|range| fault(range.start, length(range), Cause::Unreadable));
        // A folder without its first two records was reported by now, unless it has no record at all.
        let corrupt = self.corrupt || (self.number < 2 && self.unreadable.is_empty());
        unreadable.chain(corrupt.then(|| fault(self.start, 0, DIRECTORY))).collect()
    }

    fn record(&mut self, medium: &Medium<'_>, record: DirectoryRecord<'_>) -> Result<ControlFlow<()>, Removed> {
        let expected = [Some(0), Some(1)].get(self.number).copied().flatten();
        self.number = self.number.saturating_add(1);
        let dot = record.dot();
        self.corrupt |= dot != expected;
        if dot.is_some() {
            let itself = dot == Some(1) || start_of(self.geometry, record) == self.start;
            self.corrupt |= !record.hosts_agree() || !itself;
            return Ok(ControlFlow::Continue(()));
        }
        let facts = match &mut self.rock {
            Some(susp) => Some(susp.facts(medium, self.geometry, self.ledger, record.system_use())?),
            None => None,
        };
        if let Some(mut open) = self.open.take() {
            if open.identifier == record.identifier() && !record.is_directory() {
                self.section(&mut open, record, facts.as_ref());
                return Ok(self.keep(open, record.goes_on()));
            }
            if self.complete(broken(open)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // Hosts with Rock Ridge show a folder that was moved where it was moved from.
        if facts.as_ref().is_some_and(|facts| facts.relocated) {
            return Ok(ControlFlow::Continue(()));
        }
        let open = self.begin(record, facts);
        Ok(self.keep(open, record.goes_on()))
    }

    fn keep(&mut self, open: Open, goes_on: bool) -> ControlFlow<()> {
        if goes_on {
            self.open = Some(open);
            return ControlFlow::Continue(());
        }
        self.complete(open)
    }

    /// The first record of a file or folder.
    fn begin(&mut self, record: DirectoryRecord<'_>, facts: Option<Facts>) -> Open {
        let plain = name(self.naming, record.identifier(), record.is_directory());
        let mut facts = facts.unwrap_or_default();
        let Name { bytes, key, valid } = match std::mem::take(&mut facts.name) {
            given if given.is_empty() => plain,
            given => alternate(given),
        };
        let mut found = Found::new(bytes, kind(record, &facts));
        found.keys = [(!record.is_associated()).then_some(key), None];
        found.attributes.hidden = record.hidden();
        found.modified = facts.modified.or_else(|| record.modified());
        let mut open = Open {
            identifier: record.identifier().to_vec(),
            associated: record.is_associated(),
            found,
            extents: Vec::new(),
            causes: Vec::new(),
            sections: 0,
            unread: false,
        };
        if !valid {
            open.causes.push(DIRECTORY);
        }
        if facts.attributes.len() > SMALL_ATTRIBUTES && facts.child.is_none() {
            open.found.streams.push(attributes(std::mem::take(&mut facts.attributes)));
        }
        if let Some(child) = facts.child {
            let folder = FolderRef { id: self.geometry.position(child), length: None, contiguous: true };
            open.found.folder = Some(folder);
            check(&mut open, record, Some(&facts));
        } else {
            if open.found.kind == EntryKind::Link {
                target(&mut open, std::mem::take(&mut facts.target));
            }
            self.section(&mut open, record, Some(&facts));
        }
        open
    }

    /// One record of a file, or the record of a folder.
    fn section(&mut self, open: &mut Open, record: DirectoryRecord<'_>, facts: Option<&Facts>) {
        check(open, record, facts);
        let (start, size) = (start_of(self.geometry, record), u64::from(record.size()));
        self.extended_attributes(open, record);
        match open.found.kind {
            EntryKind::Directory => self.folder(open, record, start, size),
            EntryKind::File => self.content(open, start, size),
            EntryKind::Other => open.causes.push(Cause::NotRegularFile),
            // The target stands in the first record, and there is no use for another one.
            EntryKind::Link if record.goes_on() => open.causes.push(DIRECTORY),
            EntryKind::Link | EntryKind::Stream | EntryKind::Area => {}
        }
    }

    fn folder(&mut self, open: &mut Open, record: DirectoryRecord<'_>, start: u64, size: u64) {
        let folder = start..start.saturating_add(size);
        if open.unread {
            return;
        }
        if folder.is_empty() || record.goes_on() || start < self.geometry.range.start {
            open.causes.push(DIRECTORY);
        }
        if start < self.geometry.range.end && !folder.is_empty() {
            open.found.folder = Some(FolderRef { id: start, length: Some(size), contiguous: true });
            self.ahead.insert(&(start..folder.end.min(self.geometry.range.end)));
        } else if !folder.is_empty() {
            open.causes.push(Cause::Corrupt(Corruption::Chain));
        }
    }

    fn content(&mut self, open: &mut Open, start: u64, size: u64) {
        open.sections = open.sections.saturating_add(1);
        // Linux computes the place of later sections in whole blocks.
        if !open.found.size.is_multiple_of(self.geometry.block) {
            open.causes.push(DIRECTORY);
        }
        let before = open.found.size;
        open.found.size = before.saturating_add(size);
        if open.unread {
            return;
        }
        if open.sections > MAX_SECTIONS {
            open.causes.push(Cause::ReadLimit(ReadLimit::Entries));
        } else {
            self.geometry.place(start, size, before, &mut open.extents, &mut open.found.faults);
            self.ledger.borrow_mut().file(self.geometry, start, self.geometry.inside(start, size));
        }
    }

    /// Blocks before the content that only programs made for them read (ECMA-119, 9.5): handed over as a stream.
    fn extended_attributes(&mut self, open: &mut Open, record: DirectoryRecord<'_>) {
        let length = u64::from(record.attribute_blocks()).saturating_mul(self.geometry.block);
        if length == 0 || !matches!(open.found.kind, EntryKind::File | EntryKind::Directory) {
            return;
        }
        let start = self.geometry.position(record.block());
        let mut stream = Found::new(b"extended attribute record".to_vec(), EntryKind::Stream);
        let mut extents = Vec::new();
        self.geometry.place(start, length, 0, &mut extents, &mut stream.faults);
        self.ledger.borrow_mut().file(self.geometry, start, self.geometry.inside(start, length));
        stream.size = length;
        identify(&mut stream, extents);
        open.found.streams.push(stream);
    }

    /// Hands over a complete file; an associated file (9.1.6) waits for the file of the same name that follows it.
    fn complete(&mut self, open: Open) -> ControlFlow<()> {
        let waiting = self.associated.take();
        if open.associated && open.found.kind == EntryKind::File {
            self.associated = Some(open);
            return match waiting {
                Some(waiting) => (self.sink)(waiting.done()),
                None => ControlFlow::Continue(()),
            };
        }
        let mut streams = Vec::new();
        if let Some(waiting) = waiting {
            if waiting.identifier == open.identifier && open.found.kind == EntryKind::File {
                let mut stream = waiting.done();
                streams.append(&mut stream.streams);
                streams.push(Found { name: b"associated".to_vec(), kind: EntryKind::Stream, ..stream });
            } else if (self.sink)(waiting.done()).is_break() {
                return ControlFlow::Break(());
            }
        }
        let mut found = open.done();
        found.streams.append(&mut streams);
        (self.sink)(found)
    }
}

/// What a record's entry is: Linux goes by the mode of Rock Ridge.
fn kind(record: DirectoryRecord<'_>, facts: &Facts) -> EntryKind {
    match facts.mode.map(|mode| mode & TYPE) {
        _ if record.is_directory() || facts.child.is_some() => EntryKind::Directory,
        Some(TYPE_LINK) => EntryKind::Link,
        None | Some(0) if !facts.target.is_empty() => EntryKind::Link,
        None | Some(0 | TYPE_FILE | TYPE_FOLDER) => EntryKind::File,
        Some(_) => EntryKind::Other,
    }
}

/// Values of AL as a stream.
fn attributes(bytes: Vec<u8>) -> Found {
    let mut stream = Found::new(b"AAIP".to_vec(), EntryKind::Stream);
    stream.size = wide(bytes.len());
    stream.stored = Stored::Inline(bytes);
    stream
}

/// The target of a link, which it must have.
fn target(open: &mut Open, bytes: Vec<u8>) {
    if bytes.is_empty() {
        open.causes.push(DIRECTORY);
    }
    open.found.size = wide(bytes.len());
    open.found.stored = Stored::Inline(bytes);
}

/// What a record says against itself, and what is not read of it.
fn check(open: &mut Open, record: DirectoryRecord<'_>, facts: Option<&Facts>) {
    let mut cause = |condition: bool, cause: Cause| {
        if condition {
            open.causes.push(cause);
        }
        condition
    };
    cause(!record.hosts_agree(), DIRECTORY);
    cause(record.volume() > 1, Cause::FeatureUnsupported(Feature::StoredElsewhere));
    open.unread |= cause(record.interleaved(), Cause::FeatureUnsupported(Feature::Interleaved));
    let Some(facts) = facts else { return };
    let folder_mode = facts.mode.map(|mode| mode & TYPE).filter(|kind| *kind != 0).map(|kind| kind == TYPE_FOLDER);
    let contradicts = facts.child.is_none() && folder_mode.is_some_and(|folder| folder != record.is_directory());
    cause(facts.broken || contradicts, DIRECTORY);
    cause(facts.unreadable, Cause::Unreadable);
    cause(facts.limit, Cause::ReadLimit(ReadLimit::Entries));
    cause(facts.compressed, Cause::FeatureUnsupported(Feature::Compression));
    cause(facts.sparse, Cause::FeatureUnsupported(Feature::UnknownFlag));
}

/// A file whose last section is missing.
fn broken(mut open: Open) -> Open {
    open.causes.push(DIRECTORY);
    open
}

fn identify(found: &mut Found, extents: Vec<Extent>) {
    found.content = (!extents.is_empty()).then(|| ContentId::place(&extents));
    found.stored = Stored::Extents(extents);
}
