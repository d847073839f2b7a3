//! What a tag can be made from, once a medium was found clean: every entry in the order of a manifest, with its digests,
//! and the medium itself, still opened as it was scanned.

use crate::catalogue::{Catalogue, ROOT, Record};
use crate::ledger::Ledger;
use crate::session::Finished;
use crate::target::Target;
use blanche_sandbox::wire::{
    AreaReport, Digests, EntryId, EntryKind, MediumLayout, Modified, Source, Subtree, VolumeId,
};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};

/// A clean medium.
#[derive(Debug)]
pub struct Inventory {
    target: Target,
    layout: MediumLayout,
    area: AreaReport,
    catalogue: Catalogue,
    ledger: Ledger,
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Its number.
    pub entry: EntryId,
    /// Under which number its content is handed over: another one for a further name of the same content.
    pub content: EntryId,
    /// Its volume.
    pub volume: VolumeId,
    /// Names from the root of the volume down to the entry, or for a stream to what it belongs to; each as the filesystem
    /// has it.
    pub path: &'a [&'a [u8]],
    /// Name of a stream.
    pub stream: Option<&'a [u8]>,
    /// What it is; never an area.
    pub kind: EntryKind,
    /// Bytes of content.
    pub size: u64,
    /// When its content was last changed, as the medium says.
    pub modified: Option<Modified>,
    /// Of the content, equal on both sides; absent for what has none.
    pub digests: Option<Digests>,
    /// BLAKE3 chaining values of a content of more than one MiB.
    pub subtrees: &'a [Subtree],
}

impl Inventory {
    /// Nothing for a folder, which is no medium.
    pub(crate) fn of(session: Finished) -> Option<Self> {
        let Finished { target, intake, ledger, .. } = session;
        let layout = intake.layout.filter(|_| matches!(target.source, Source::Medium { .. }))?;
        Some(Self { target, layout, area: intake.area, catalogue: intake.catalogue, ledger: ledger.into_ledger() })
    }

    /// What is read, as the session knew it.
    pub(crate) fn source(&self) -> Source {
        self.target.source
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What the reader said of a content.
    pub(crate) fn digests(&self, content: EntryId) -> Option<Digests> {
        self.ledger.state(content).and_then(|state| state.read)
    }

    /// A path for people, and its exact bytes in hexadecimal when the two differ.
    #[must_use]
    pub fn shown(&self, entry: EntryId) -> (String, Option<String>) {
        let path = self.catalogue.path(entry);
        (path.visible, path.exact)
    }

    /// Whether an entry is a file that a tag on `volume` replaced, or would have replaced.
    #[must_use]
    pub fn is_tag(&self, entry: EntryId, volume: VolumeId) -> bool {
        self.catalogue.get(entry).is_some_and(|record| crate::alike::is_tag(&self.catalogue, record, volume))
    }

    /// Whether there was a file that sealing replaces.
    #[must_use]
    pub fn has_tag(&self) -> bool {
        let is_tag = |volume, record| crate::alike::is_tag(&self.catalogue, record, volume);
        self.catalogue.iter().any(|(_, record)| record.volume.is_some_and(|volume| is_tag(volume, record)))
    }

    /// The medium, opened read-only when the session began.
    #[must_use]
    pub fn medium(&self) -> BorrowedFd<'_> {
        self.target.file.as_fd()
    }

    /// Tables and volumes.
    #[must_use]
    pub fn layout(&self) -> &MediumLayout {
        &self.layout
    }

    /// The area ledger and the boot areas.
    #[must_use]
    pub fn area(&self) -> &AreaReport {
        &self.area
    }

    /// Shows all entries of `volumes`, volume by volume in this order, each in bytewise order of paths (a folder before
    /// what is in it), a stream behind the entry that it belongs to. Stops at the first error.
    ///
    /// # Errors
    /// What `visit` says.
    pub fn visit<E>(&self, volumes: &[VolumeId], visit: &mut dyn FnMut(&Listed<'_>) -> Result<(), E>) -> Result<(), E> {
        let entries = self.catalogue.iter().filter(|(_, record)| record.kind != EntryKind::Area);
        let mut sorted: Vec<EntryId> = entries.map(|(id, _)| id).collect();
        sorted.sort_unstable_by(|a, b| self.key(*a).cmp(&self.key(*b)));
        for volume in volumes {
            let mut path: Vec<&[u8]> = Vec::new();
            let mut levels = vec![self.siblings(&sorted, *volume, ROOT)];
            while let Some(level) = levels.last_mut() {
                let Some((id, record)) = level.next().and_then(|at| self.at(&sorted, at)) else {
                    levels.pop();
                    path.pop();
                    continue;
                };
                let stream = record.kind == EntryKind::Stream;
                if !stream {
                    path.push(self.catalogue.name(record));
                }
                visit(&self.listed(id, record, *volume, &path))?;
                if !stream {
                    levels.push(self.siblings(&sorted, *volume, id));
                }
            }
        }
        Ok(())
    }

    fn at(&self, sorted: &[EntryId], place: usize) -> Option<(EntryId, &Record)> {
        let id = *sorted.get(place)?;
        Some((id, self.catalogue.get(id)?))
    }

    /// Where the entries inside `parent` stand in `sorted`.
    fn siblings(&self, sorted: &[EntryId], volume: VolumeId, parent: EntryId) -> Range<usize> {
        let place = |id: &EntryId| self.catalogue.get(*id).map(|record| (record.volume, record.parent));
        let wanted = Some((Some(volume), parent));
        sorted.partition_point(|id| place(id) < wanted)..sorted.partition_point(|id| place(id) <= wanted)
    }

    /// Siblings stand together, streams first.
    fn key(&self, id: EntryId) -> Option<(Option<VolumeId>, EntryId, bool, &[u8])> {
        let record = self.catalogue.get(id)?;
        Some((record.volume, record.parent, record.kind != EntryKind::Stream, self.catalogue.name(record)))
    }

    fn listed<'a>(&'a self, id: EntryId, record: &Record, volume: VolumeId, path: &'a [&'a [u8]]) -> Listed<'a> {
        let content = record.same_as().unwrap_or(id);
        let has_content = record.kind.has_content();
        let state = self.ledger.state(content).filter(|_| has_content);
        Listed {
            entry: id,
            content,
            volume,
            path,
            stream: (record.kind == EntryKind::Stream).then(|| self.catalogue.name(record)),
            kind: record.kind,
            size: record.size,
            modified: record.modified(),
            digests: state.and_then(|state| state.read),
            subtrees: if has_content { self.ledger.subtrees_of(content) } else { &[] },
        }
    }
}
