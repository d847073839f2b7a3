//! El Torito boot images. A computer that starts from the medium runs them, whether a tree names them or not, so what
//! no tree names is handed over as a file of a folder of its own.

use super::descriptor::Root;
use super::folder::{Piece, for_each_record, start_of};
use super::geometry::{Geometry, SECTOR};
use super::ledger::Ledger;
use super::record::DirectoryRecord;
use super::window::Window;
use crate::fat;
use crate::filesystem::{ContentId, Found, Stored};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::EntryKind;
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::ops::{ControlFlow, Range};

/// The name of the folder.
pub(super) const FOLDER: &[u8] = b"[boot]";

/// Bytes of folders that are searched for the images.
const MAX_SEARCH: u64 = 64 << 20;

/// A boot image.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) start: u64,
    /// Bytes, where the catalogue states them.
    pub(super) size: Option<u64>,
    /// First byte of what comes next.
    pub(super) next: u64,
    /// Bytes of the medium.
    pub(super) capacity: u64,
    /// A file of some tree holds it.
    pub(super) in_file: bool,
}

/// Looks for the images among the files of all trees, and for the size of those that no tree has.
pub(super) fn search(medium: &Medium<'_>, roots: &[Root], images: &mut Vec<Image>) -> Result<(), Removed> {
    images.sort_by_key(|image| (image.start, std::cmp::Reverse(image.size)));
    images.dedup_by_key(|image| image.start);
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
    images.iter_mut().try_for_each(|image| image.measure(medium))
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
    fn comes_before(&mut self, start: u64) {
        if start > self.start {
            self.next = self.next.min(start);
        }
    }

    fn meets(&mut self, place: &Range<u64>, is_folder: bool) {
        self.comes_before(place.start);
        // The catalogue counts in whole sectors.
        let end = self.start.saturating_add(self.size.unwrap_or(1));
        let length = place.end.saturating_sub(place.start).div_ceil(SECTOR).saturating_mul(SECTOR);
        let held = place.start.saturating_add(length);
        self.in_file |= !is_folder && place.start <= self.start && held >= end;
    }

    /// The catalogue does not say how large it is: a FAT volume does, and anything else may go on up to the next thing.
    fn measure(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        if self.in_file || self.size.is_some() {
            return Ok(());
        }
        let room = self.next.saturating_sub(self.start);
        self.size = match medium.read_vec(self.start, SECTOR) {
            Ok(sector) => fat::Boot::parse(&sector).ok().map(|boot| boot.total.min(room)),
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { .. }) => None,
        };
        self.size = self.size.or(Some(room));
        Ok(())
    }

    /// The image as a file, unless a tree has it.
    pub(super) fn found(&self, number: usize, ledger: &RefCell<Ledger>, root: &Root) -> Option<Found> {
        if self.in_file {
            return None;
        }
        let size = self.size.unwrap_or(0).max(1);
        let mut found = Found::new(format!("image {}", number.saturating_add(1)).into_bytes(), EntryKind::File);
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
