//! ISO 9660 (ECMA-119, 4th edition) with Joliet, Rock Ridge (IEEE P1281, P1282) and El Torito 1.0, read-only.
//!
//! Hosts choose one of several trees over the same bytes, and programs can be told to show older sessions. Each tree of
//! each session is a view of its own; all of them share one [`ledger`], and equal places are equal contents.

mod boot;
mod catalogue;
mod dates;
mod descriptor;
mod folder;
mod geometry;
mod ledger;
mod leftover;
mod listing;
mod names;
mod path_table;
mod record;
mod sessions;
mod spans;
mod susp;
mod volume;
mod window;

use crate::filesystem::Fault;
use crate::recognise::Recognised;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, FilesystemKind, Tree, View};
use boot::Image;
use descriptor::{Root, Set, read_set};
use folder::{Piece, for_each_record};
use geometry::SECTOR;
use ledger::{Ledger, SYSTEM_AREA};
use std::cell::RefCell;
use std::ops::{ControlFlow, Range};
use std::rc::Rc;
use susp::Susp;
use volume::IsoVolume;
use window::Window;

/// Bytes from the start of a volume before which no content of files lies:
/// behind the system area of 16 sectors (ECMA-119, 6.2.1).
pub(crate) const CONTENT_START: u64 = 32768;

/// Bytes behind the end that the volume states in which sessions and leftovers are looked for: images are padded.
const BEHIND: u64 = 64 << 20;

/// Opens the volume in `range` (bytes on the medium): one result for each view of it.
pub(crate) fn open(medium: &Medium<'_>, range: &Range<u64>) -> Result<Vec<Recognised>, Removed> {
    let first = range.start.saturating_add(SYSTEM_AREA);
    let main = read_set(medium, range, range.start, first)?;
    let stated = main.roots.iter().map(|root| root.end).max();
    let scan_end = stated.map_or(range.end, |end| end.max(first).saturating_add(BEHIND).min(range.end));
    let ledger = Rc::new(RefCell::new(Ledger::new(range.clone(), scan_end)));
    let mut faults = main.faults.clone();
    if let Some(end) = stated.filter(|end| *end > range.end) {
        let (offset, length) = (range.end, end.saturating_sub(range.end));
        faults.push(Fault { offset, length, cause: Cause::Corrupt(Corruption::BootSector) });
    }
    let mut sets = vec![main];
    sessions::find(medium, range, scan_end, &mut sets, &mut faults)?;
    sets.iter().for_each(|set| claim(&ledger, set));
    let images = boot_images(medium, &ledger, &sets, &mut faults)?;
    let mut views = Vec::new();
    sets.retain(|set| !set.roots.is_empty());
    let several = sets.len() > 1;
    for (number, set) in sets.into_iter().enumerate() {
        let session = if several { u16::try_from(number.saturating_add(1)).unwrap_or(u16::MAX) } else { 0 };
        for root in set.roots {
            add_views(medium, &ledger, root, session, &mut views)?;
        }
    }
    let Some((leader, _)) = views.first_mut() else {
        return Ok(vec![Recognised::broken(FilesystemKind::Iso9660, range)]);
    };
    leader.lead(images, faults);
    Ok(views.into_iter().map(|(volume, view)| Recognised::read(Box::new(volume), Some(view))).collect())
}

/// The boot images of all sessions.
fn boot_images(
    medium: &Medium<'_>,
    ledger: &RefCell<Ledger>,
    sets: &[Set],
    faults: &mut Vec<Fault>,
) -> Result<Vec<Image>, Removed> {
    let mut catalogues: Vec<(u64, u64)> = sets.iter().flat_map(|set| set.catalogues.iter().copied()).collect();
    catalogues.sort_unstable();
    catalogues.dedup();
    let mut images = Vec::new();
    for place in catalogues {
        images.extend(catalogue::images(medium, ledger, place, faults)?);
    }
    let roots: Vec<Root> = sets.iter().flat_map(|set| set.roots.iter().cloned()).collect();
    boot::search(medium, &roots, &mut images)?;
    Ok(images)
}

/// The system area and the descriptors of a session.
fn claim(ledger: &RefCell<Ledger>, set: &Set) {
    let mut ledger = ledger.borrow_mut();
    ledger.boot(set.place.start.saturating_sub(SYSTEM_AREA)..set.place.start);
    ledger.metadata(&set.place);
    ledger.count_read(set.place.end.saturating_sub(set.place.start));
}

/// A tree, and a primary one with the names of Rock Ridge where it has them.
fn add_views(
    medium: &Medium<'_>,
    ledger: &Rc<RefCell<Ledger>>,
    root: Root,
    session: u16,
    views: &mut Vec<(IsoVolume, View)>,
) -> Result<(), Removed> {
    let rock = if root.tree == Tree::Iso9660 { rock_ridge(medium, ledger, &root)? } else { None };
    let view = View { tree: root.tree, session };
    views.push((IsoVolume::new(root.clone(), None, Rc::clone(ledger)), view));
    if rock.is_some() {
        let view = View { tree: Tree::RockRidge, session };
        let mut named = root;
        named.tree = Tree::RockRidge;
        views.push((IsoVolume::new(named, rock, Rc::clone(ledger)), view));
    }
    Ok(())
}

/// Whether the first record of the root has entries of Rock Ridge.
fn rock_ridge(medium: &Medium<'_>, ledger: &RefCell<Ledger>, root: &Root) -> Result<Option<Susp>, Removed> {
    let end = root.start.saturating_add(root.geometry.inside(root.start, root.length.min(SECTOR)));
    let mut susp = None;
    for_each_record(medium, &root.geometry, &mut Window::default(), &(root.start..end), end, &mut |piece| {
        if let Piece::Record(record) = piece {
            susp = Susp::detect(medium, &root.geometry, ledger, record.system_use())?;
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok(susp)
}
