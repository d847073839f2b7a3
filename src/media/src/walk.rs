//! The walker: one for all filesystems. It never recurses, never enters a folder twice, and stops at every budget with
//! a named cause.

use crate::bytes::index;
use crate::filesystem::{Fault, Filesystem, FolderRef, Found, Stored};
use crate::outbox::{Halt, Outbox};
use crate::packer::Packer;
use crate::plan::{Plan, Turn};
use crate::source::Medium;
use blanche_sandbox::wire::{Cause, Corruption, Entry, EntryId, EntryKind, ReadLimit, ReadLimits, Subject, VolumeId};
use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;

/// A folder that waits to be listed.
struct Pending {
    folder: FolderRef,
    entry: Option<EntryId>,
    /// Folders above its entries.
    depth: u32,
    /// Bytes of its path.
    path: u32,
}

/// The walk of one volume.
pub(crate) struct Walk<'w, 'o, 'p> {
    pub(crate) limits: &'w ReadLimits,
    pub(crate) outbox: &'w mut Outbox<'o>,
    pub(crate) packer: &'w mut Packer<'p>,
    pub(crate) plan: &'w mut Plan,
    pub(crate) volume: VolumeId,
}

impl Walk<'_, '_, '_> {
    /// Announces every entry of the volume and plans every content. Parents come before their entries.
    pub(crate) fn run(&mut self, medium: &Medium<'_>, filesystem: &mut dyn Filesystem) -> Result<(), Halt> {
        let root = filesystem.root();
        let mut visited = BTreeSet::from([root.id]);
        let mut queue = VecDeque::from([Pending { folder: root, entry: None, depth: 0, path: 0 }]);
        while let Some(pending) = queue.pop_front() {
            let mut visit = Visit {
                walk: self,
                pending: &pending,
                visited: &mut visited,
                queue: &mut queue,
                names: BTreeSet::new(),
                too_long: false,
                outcome: Ok(()),
                full: false,
            };
            let faults = filesystem.list(medium, pending.folder, &mut |found| visit.take(found))?;
            let Visit { outcome, full, too_long, .. } = visit;
            outcome?;
            let subject = self.subject(&pending);
            if too_long {
                self.outbox.not_read(subject, 0, 0, Cause::ReadLimit(ReadLimit::PathLength))?;
            }
            self.folder_faults(&pending, faults)?;
            if full {
                return self.exhausted(subject);
            }
        }
        filesystem.finish(medium)?;
        let faults = filesystem.take_faults();
        self.volume_faults(faults)
    }

    fn subject(&self, pending: &Pending) -> Subject {
        pending.entry.map_or(Subject::Volume(self.volume), Subject::Entry)
    }

    /// The faults of a folder stand at the folder; those of the root, which has no entry, at the volume.
    fn folder_faults(&mut self, pending: &Pending, faults: Vec<Fault>) -> Result<(), Halt> {
        match pending.entry {
            None => self.volume_faults(faults),
            Some(entry) => {
                for fault in faults {
                    self.outbox.not_read(Subject::Entry(entry), 0, 0, fault.cause)?;
                }
                Ok(())
            }
        }
    }

    fn volume_faults(&mut self, faults: Vec<Fault>) -> Result<(), Halt> {
        for fault in faults {
            self.outbox.not_read(Subject::Volume(self.volume), fault.offset, fault.length, fault.cause)?;
        }
        Ok(())
    }

    fn exhausted(&mut self, subject: Subject) -> Result<(), Halt> {
        self.outbox.not_read(subject, 0, 0, Cause::ReadLimit(ReadLimit::Entries))?;
        Ok(())
    }
}

/// The listing of one folder.
struct Visit<'v, 'w, 'o, 'p> {
    walk: &'v mut Walk<'w, 'o, 'p>,
    pending: &'v Pending,
    visited: &'v mut BTreeSet<u64>,
    queue: &'v mut VecDeque<Pending>,
    names: BTreeSet<u64>,
    /// Entries were left out because their path is too long.
    too_long: bool,
    outcome: Result<(), Halt>,
    full: bool,
}

impl Visit<'_, '_, '_, '_> {
    fn take(&mut self, found: Found) -> ControlFlow<()> {
        self.outcome = self.entry(found);
        if self.outcome.is_err() || self.full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn entry(&mut self, mut found: Found) -> Result<(), Halt> {
        if self.walk.outbox.totals.entries >= self.walk.limits.max_entries {
            self.full = true;
            return Ok(());
        }
        let name = u32::try_from(found.name.len()).unwrap_or(u32::MAX);
        let path = self.pending.path.saturating_add(u32::from(self.pending.depth > 0)).saturating_add(name);
        if path > self.walk.limits.max_path {
            self.too_long = true;
            return Ok(());
        }
        let ambiguous = self.ambiguous(&found);
        let (folder, streams) = (found.folder, std::mem::take(&mut found.streams));
        let is_folder = found.kind == EntryKind::Directory;
        let id = self.announce(found, self.pending.entry, ambiguous)?;
        for stream in streams {
            self.stream(stream, id, path)?;
        }
        if is_folder {
            self.folder(folder, id, path)?;
        }
        Ok(())
    }

    /// A stream of the entry `owner`, whose path has `path` bytes.
    fn stream(&mut self, stream: Found, owner: EntryId, path: u32) -> Result<(), Halt> {
        let name = u32::try_from(stream.name.len()).unwrap_or(u32::MAX);
        let limit = if self.walk.outbox.totals.entries >= self.walk.limits.max_entries {
            ReadLimit::Entries
        } else if path.saturating_add(1).saturating_add(name) > self.walk.limits.max_path {
            ReadLimit::PathLength
        } else {
            let ambiguous = self.ambiguous(&stream);
            self.announce(stream, Some(owner), ambiguous)?;
            return Ok(());
        };
        self.walk.outbox.not_read(Subject::Entry(owner), 0, 0, Cause::ReadLimit(limit))?;
        Ok(())
    }

    /// Announces one entry with its faults, and plans its content.
    fn announce(&mut self, found: Found, parent: Option<EntryId>, ambiguous: bool) -> Result<EntryId, Halt> {
        let Walk { outbox, plan, volume, .. } = &mut *self.walk;
        let content = found.kind.has_content();
        let known = found.content.filter(|_| content);
        let same_as = known.and_then(|known| plan.first_name(*volume, known, found.size));
        let turn = Turn::of(found.kind, &found.name);
        let id = outbox.entry(Entry {
            volume: Some(*volume),
            parent,
            name: found.name,
            kind: found.kind,
            size: found.size,
            attributes: found.attributes,
            same_as,
            modified: found.modified,
        })?;
        let subject = Subject::Entry(id);
        if ambiguous {
            outbox.not_read(subject, 0, found.size, Cause::AmbiguousNames)?;
        }
        let no_faults = found.faults.is_empty();
        for fault in found.faults {
            outbox.not_read(subject, fault.offset, fault.length, fault.cause)?;
        }
        if !content || same_as.is_some() {
            return Ok(id);
        }
        if let Some(known) = known.filter(|_| no_faults) {
            plan.name(*volume, known, found.size, id);
        }
        self.content(id, &found.stored, found.size, turn)?;
        Ok(id)
    }

    /// Plans the content of an entry, or hands it over when it is here already.
    fn content(&mut self, id: EntryId, stored: &Stored, size: u64, turn: Turn) -> Result<(), Halt> {
        let Walk { outbox, plan, packer, volume, .. } = &mut *self.walk;
        let (extents, unit) = match stored {
            Stored::Extents(extents) => (extents, 0),
            Stored::Lznt1 { extents, unit } => (extents, *unit),
            Stored::Inline(bytes) => {
                let inside = bytes.get(..index(size)).unwrap_or(bytes);
                return packer.deliver_inline(outbox, id, inside);
            }
        };
        // Content of which nothing is left was named as a fault already.
        let something = size == 0 || !extents.is_empty();
        if something && !plan.add(id, *volume, extents, unit, size, turn) {
            outbox.not_read(Subject::Entry(id), 0, size, Cause::ReadLimit(ReadLimit::Entries))?;
        }
        Ok(())
    }

    /// Whether a host cannot tell this entry from an earlier one of the folder.
    fn ambiguous(&mut self, found: &Found) -> bool {
        let mut known = false;
        for key in found.keys.iter().flatten() {
            known |= !self.names.insert(*key);
        }
        known
    }

    fn folder(&mut self, folder: Option<FolderRef>, entry: EntryId, path: u32) -> Result<(), Halt> {
        let Some(folder) = folder else { return Ok(()) };
        let subject = Subject::Entry(entry);
        let depth = self.pending.depth.saturating_add(1);
        if !self.visited.insert(folder.id) {
            self.walk.outbox.not_read(subject, 0, 0, Cause::Corrupt(Corruption::Directory))?;
        } else if depth > self.walk.limits.max_depth {
            self.walk.outbox.not_read(subject, 0, 0, Cause::ReadLimit(ReadLimit::Depth))?;
        } else {
            self.queue.push_back(Pending { folder, entry: Some(entry), depth, path });
        }
        Ok(())
    }
}
