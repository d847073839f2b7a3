//! One view of an ISO 9660 volume.

use super::boot::{self, Image};
use super::descriptor::Root;
use super::folder::{for_each_record, own_length};
use super::ledger::Ledger;
use super::leftover;
use super::listing::Listing;
use super::spans::Spans;
use super::susp::Susp;
use super::window::Window;
use crate::filesystem::{Fault, Filesystem, FolderRef, Found, Identity, Sink, VolumeArea};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, EntryKind, ReadLimit, Tree};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

/// The folder that holds boot images.
const BOOT: FolderRef = FolderRef { id: u64::MAX, length: None, contiguous: true };
/// Bytes of folders that lie in other folders and are read all the same: no writer makes such folders.
const MAX_SHARED: u64 = 64 << 20;

/// A tree with its names.
#[derive(Debug)]
pub(super) struct IsoVolume {
    root: Root,
    /// For the names of Rock Ridge.
    rock: Option<Susp>,
    ledger: Rc<RefCell<Ledger>>,
    window: Window,
    /// First bytes of folders that were listed.
    listed: BTreeSet<u64>,
    /// Bytes of folders that were listed, and of those that will be.
    folders: Spans,
    ahead: Spans,
    shared_left: u64,
    /// Boot images and catalogues that this view hands over.
    images: Vec<Image>,
    faults: Vec<Fault>,
}

impl IsoVolume {
    pub(super) fn new(root: Root, rock: Option<Susp>, ledger: Rc<RefCell<Ledger>>) -> Self {
        let end = root.start.saturating_add(root.geometry.inside(root.start, root.length));
        let mut ahead = Spans::default();
        ahead.insert(&(root.start..end));
        ledger.borrow_mut().add_view();
        Self {
            root,
            rock,
            ledger,
            window: Window::default(),
            listed: BTreeSet::new(),
            folders: Spans::default(),
            ahead,
            shared_left: MAX_SHARED,
            images: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Makes this the view that answers for the volume as a whole.
    pub(super) fn lead(&mut self, images: Vec<Image>, faults: Vec<Fault>) {
        self.images = images;
        self.faults.extend(faults);
    }

    fn has_boot_folder(&self) -> bool {
        self.images.iter().any(|image| image.found(&self.ledger, &self.root).is_some())
    }

    /// The bytes of a folder on the medium, and what is wrong with its place.
    fn place(&mut self, start: u64, length: u64) -> (Range<u64>, Vec<Fault>) {
        let inside = self.root.geometry.inside(start, length);
        let extent = start..start.saturating_add(inside);
        let mut faults = Vec::new();
        let mut fault = |cause| faults.push(Fault { offset: start, length: 0, cause });
        if inside < length {
            fault(Cause::Corrupt(Corruption::Chain));
        }
        // Hosts that go by whole sectors see more of it than those that go by its length (ECMA-119, 6.8.1.3).
        let whole = self.root.geometry.sectors(start, inside);
        if extent.end < whole.end {
            fault(Cause::Corrupt(Corruption::Directory));
        }
        let fresh = self.folders.insert(&extent);
        if fresh < inside {
            fault(Cause::Corrupt(Corruption::CrossLinked));
            let shared = inside.saturating_sub(fresh);
            if shared > self.shared_left {
                fault(Cause::ReadLimit(ReadLimit::Entries));
                return (start..start, faults);
            }
            self.shared_left = self.shared_left.saturating_sub(shared);
        }
        (extent, faults)
    }

    fn list_records(
        &mut self,
        medium: &Medium<'_>,
        extent: &Range<u64>,
        sink: Sink<'_>,
    ) -> Result<Vec<Fault>, Removed> {
        let (geometry, start) = (&self.root.geometry, extent.start);
        let ahead = self.ahead.end_of(start).unwrap_or(extent.end);
        let tree = (geometry, self.root.naming, self.rock.as_mut());
        let mut listing = Listing::new(tree, &self.ledger, &mut self.ahead, start, sink);
        for_each_record(medium, geometry, &mut self.window, extent, ahead, &mut |piece| listing.take(medium, piece))?;
        let mut faults = listing.finish();
        if self.window.take_descriptor() {
            let cause = Cause::Corrupt(Corruption::SecondFilesystem);
            faults.push(Fault { offset: start, length: 0, cause });
        }
        let mut ledger = self.ledger.borrow_mut();
        ledger.metadata(&geometry.sectors(start, extent.end.saturating_sub(start)));
        ledger.count_read(self.window.take_read());
        Ok(faults)
    }

    fn list_images(&self, sink: Sink<'_>) {
        for found in self.images.iter().filter_map(|image| image.found(&self.ledger, &self.root)) {
            if sink(found).is_break() {
                return;
            }
        }
    }
}

impl Filesystem for IsoVolume {
    fn identity(&self) -> &Identity {
        &self.root.identity
    }

    fn root(&self) -> FolderRef {
        FolderRef { id: self.root.start, length: Some(self.root.length), contiguous: true }
    }

    fn allocation(&self) -> (u64, u64) {
        (self.root.geometry.block, self.root.geometry.base)
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.ledger.borrow_mut().take_fault());
        faults
    }

    fn list(&mut self, medium: &Medium<'_>, folder: FolderRef, sink: Sink<'_>) -> Result<Vec<Fault>, Removed> {
        if folder == BOOT {
            self.list_images(sink);
            return Ok(Vec::new());
        }
        let start = folder.id;
        let length = match folder.length {
            Some(length) => Some(length),
            None => own_length(medium, &self.root.geometry, &mut self.window, start)?,
        };
        let Some(length) = length.filter(|length| *length > 0) else {
            return Ok(vec![Fault { offset: start, length: 0, cause: Cause::Corrupt(Corruption::Directory) }]);
        };
        self.listed.insert(start);
        let (extent, mut faults) = self.place(start, length);
        if extent.is_empty() {
            return Ok(faults);
        }
        let mut ended = false;
        let mut watched = |found: Found| {
            let flow = sink(found);
            ended |= flow.is_break();
            flow
        };
        faults.extend(self.list_records(medium, &extent, &mut watched)?);
        if start == self.root.start && !ended && self.has_boot_folder() {
            let mut found = Found::new(boot::FOLDER.to_vec(), EntryKind::Directory);
            found.folder = Some(BOOT);
            let _ = sink(found);
        }
        Ok(faults)
    }

    fn finish(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        // Rock Ridge shows the same folders as the tree that it gives names to.
        if self.root.tree != Tree::RockRidge {
            let found = self.root.tables.check(medium, &self.root.geometry, &self.ledger, &self.listed)?;
            self.faults.extend(found);
        }
        let last = self.ledger.borrow_mut().end_view();
        if last {
            let found = leftover::look(medium, &self.ledger)?;
            self.faults.extend(found);
        }
        Ok(())
    }

    fn area(&self) -> VolumeArea {
        self.ledger.borrow().area()
    }
}
