//! El Torito boot images and their catalogues. A computer that starts from the medium reads them, whether a tree names
//! them or not, so what the content of no file holds is handed over as a file of a folder of its own.

use super::descriptor::Root;
use super::folder::{Piece, for_each_record, start_of};
use super::geometry::{Geometry, SECTOR};
use super::ledger::Ledger;
use super::record::DirectoryRecord;
use super::window::Window;
use crate::fat;
use crate::filesystem::{ContentId, Found, Stored};
use crate::partition;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::EntryKind;
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::ops::{ControlFlow, Range};

/// The name of the folder.
pub(super) const FOLDER: &[u8] = b"[boot]";

/// Bytes of folders that are searched for the images.
const MAX_SEARCH: u64 = 64 << 20;

/// What an [`Image`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A floppy disk, or code that is loaded as it is.
    Image,
    /// A hard disk with its partition table.
    Disk,
    /// The boot catalogue itself.
    Catalogue,
}

/// A boot image or catalogue.
#[derive(Clone, Debug)]
pub(super) struct Image {
    kind: Kind,
    start: u64,
    /// Bytes, where the catalogue states them.
    size: Option<u64>,
    /// First byte behind the volume, or behind the medium for an image that lies there.
    end: u64,
    /// First byte of what comes next.
    next: u64,
    /// Bytes of the medium.
    capacity: u64,
    /// First byte that is no content of a file which holds the start, nor in a boot area that a tag binds.
    bound: u64,
    /// Among its kind, from 1.
    number: usize,
}

/// Looks for the images among the files of all trees, and for their size.
pub(super) fn search(medium: &Medium<'_>, roots: &[Root], images: &mut Vec<Image>) -> Result<(), Removed> {
    images.sort_by_key(|image| (image.kind, image.start, std::cmp::Reverse(image.size)));
    images.dedup_by_key(|image| (image.kind, image.start));
    if images.is_empty() {
        return Ok(());
    }
    let starts: Vec<u64> = images.iter().map(|image| image.start).collect();
    for start in starts.into_iter().chain(roots.iter().flat_map(|root| [root.start, root.end])) {
        images.iter_mut().for_each(|image| image.comes_before(start));
    }
    let mut left = MAX_SEARCH;
    for root in roots {
        for_each_in_tree(medium, root, &mut left, &mut |record| {
            let start = start_of(&root.geometry, record);
            let place = start..start.saturating_add(u64::from(record.size()));
            images.iter_mut().for_each(|image| image.meets(&place, record.is_directory()));
        })?;
    }
    let is_catalogue = |image: &Image| image.kind == Kind::Catalogue;
    for kind in images.chunk_by_mut(|one, next| is_catalogue(one) == is_catalogue(next)) {
        for (number, image) in (1..).zip(kind) {
            image.number = number;
            image.measure(medium)?;
        }
    }
    Ok(())
}

/// All records of a tree, as far as `left` bytes of folders hold them.
fn for_each_in_tree(
    medium: &Medium<'_>,
    root: &Root,
    left: &mut u64,
    take: &mut dyn FnMut(DirectoryRecord<'_>),
) -> Result<(), Removed> {
    let mut window = Window::default();
    let mut known = BTreeSet::from([root.start]);
    let mut queue = VecDeque::from([(root.start, root.length)]);
    while let Some((start, length)) = queue.pop_front() {
        let length = root.geometry.inside(start, length);
        if length > *left {
            break;
        }
        *left = left.saturating_sub(length);
        let extent = start..start.saturating_add(length);
        for_each_record(medium, &root.geometry, &mut window, &extent, extent.end, &mut |piece| {
            if let Piece::Record(record) = piece {
                take(record);
                let start = start_of(&root.geometry, record);
                if record.is_directory() && record.dot().is_none() && known.insert(start) {
                    queue.push_back((start, u64::from(record.size())));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(())
}

impl Image {
    /// An image at `start`, in a volume that ends at `end`.
    pub(super) fn new(kind: Kind, start: u64, size: Option<u64>, (end, capacity): (u64, u64)) -> Self {
        let end = if start < end { end } else { capacity };
        Self { kind, start, size, end, next: end, capacity, bound: start, number: 0 }
    }

    /// The catalogue in `place`; what of it lies before `bound` is in a boot area.
    pub(super) fn catalogue(place: &Range<u64>, bound: u64, ends: (u64, u64)) -> Self {
        let size = place.end.saturating_sub(place.start);
        Self { bound, ..Self::new(Kind::Catalogue, place.start, Some(size), ends) }
    }

    fn comes_before(&mut self, start: u64) {
        if start > self.start {
            self.next = self.next.min(start);
        }
    }

    fn meets(&mut self, place: &Range<u64>, is_folder: bool) {
        self.comes_before(place.start);
        if !is_folder && place.contains(&self.start) {
            self.bound = self.bound.max(place.end);
        }
    }

    /// How much of it a computer may read: the greater of what the catalogue states and what the image says about
    /// itself. Without either it loads a sector; what no file holds the start of may go on up to the next thing.
    fn measure(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let own = match medium.read_vec(self.start, SECTOR) {
            Ok(sector) => self.own_size(&sector).map(|size| size.min(self.end.saturating_sub(self.start))),
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { .. }) => None,
        };
        let room = if self.bound > self.start { SECTOR } else { self.next.saturating_sub(self.start).max(SECTOR) };
        self.size = self.size.max(own).or(Some(room));
        Ok(())
    }

    /// A FAT volume says how large it is, and so does the partition table of a disk.
    fn own_size(&self, sector: &[u8]) -> Option<u64> {
        match self.kind {
            Kind::Image => fat::Boot::parse(sector).ok().map(|boot| boot.total),
            Kind::Disk => partition::disk_length(sector),
            Kind::Catalogue => None,
        }
    }

    /// The image as a file, unless the content of one holds all of it.
    pub(super) fn found(&self, ledger: &RefCell<Ledger>, root: &Root) -> Option<Found> {
        let size = self.size.unwrap_or(0).max(1);
        if self.start.saturating_add(size) <= self.bound {
            return None;
        }
        let kind = if self.kind == Kind::Catalogue { "catalogue" } else { "image" };
        let mut found = Found::new(format!("{kind} {}", self.number).into_bytes(), EntryKind::File);
        let mut extents = Vec::new();
        // An image may be a partition behind the volume, which computers start from by the catalogue all the same.
        let medium = Geometry { range: 0..self.capacity, ..root.geometry.clone() };
        medium.place(self.start, size, 0, &mut extents, &mut found.faults);
        ledger.borrow_mut().file(&root.geometry, self.start, root.geometry.inside(self.start, size));
        found.size = size;
        found.content = (!extents.is_empty()).then(|| ContentId::place(&extents));
        found.stored = Stored::Extents(extents);
        Some(found)
    }
}
