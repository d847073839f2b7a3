//! Older sessions. Programs that add a session to a medium that can be overwritten put the descriptors of the new tree
//! at sector 16 and leave the older ones where they are: 16 sectors behind the start of their session, which is a
//! multiple of 32 sectors. They name their blocks from the start of the volume. A copy of the descriptors 16 sectors
//! further on, with blocks counted from there, is made for hosts that open a partition that begins there.

use super::descriptor::{Set, is_descriptor, read_set};
use super::folder::is_root;
use super::geometry::SECTOR;
use super::ledger::SYSTEM_AREA;
use crate::filesystem::Fault;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit};
use std::ops::Range;

/// Sectors between possible starts of sessions.
const ALIGNMENT: u64 = 32 * SECTOR;
/// Sessions that are read.
const MAX_SESSIONS: usize = 64;

/// Adds the sets of other sessions to `sets`, and what is wrong with them to `faults`. A set that names only trees that
/// are known is added without trees.
pub(super) fn find(
    medium: &Medium<'_>,
    range: &Range<u64>,
    end: u64,
    sets: &mut Vec<Set>,
    faults: &mut Vec<Fault>,
) -> Result<(), Removed> {
    let partition = range.start.saturating_add(SYSTEM_AREA);
    add(medium, range, (partition, partition), sets, faults)?;
    let mut start = range.start.saturating_add(ALIGNMENT);
    while start.saturating_add(SYSTEM_AREA).saturating_add(SECTOR) <= end {
        if sets.iter().filter(|set| !set.roots.is_empty()).count() > MAX_SESSIONS {
            faults.push(Fault { offset: start, length: 0, cause: Cause::ReadLimit(ReadLimit::Volumes) });
            break;
        }
        add(medium, range, (start, range.start), sets, faults)?;
        start = start.saturating_add(ALIGNMENT);
    }
    Ok(())
}

/// Looks for a session that begins at `start`, whose blocks are counted from `base`.
fn add(
    medium: &Medium<'_>,
    range: &Range<u64>,
    (start, base): (u64, u64),
    sets: &mut Vec<Set>,
    faults: &mut Vec<Fault>,
) -> Result<(), Removed> {
    let first = start.saturating_add(SYSTEM_AREA);
    match medium.read_vec(first, SECTOR) {
        Ok(sector) if is_descriptor(&sector) => {}
        Ok(_) | Err(ReadError::Unreadable { .. }) => return Ok(()),
        Err(ReadError::Removed) => return Err(Removed),
    }
    let mut set = read_set(medium, range, base, first)?;
    let before = set.roots.len();
    // The tree of a session lies within it; what looks like a descriptor in the content of a file has none.
    let mut real = Vec::new();
    for root in std::mem::take(&mut set.roots) {
        if root.start >= start && is_root(medium, &root.geometry, root.start)? {
            real.push(root);
        }
    }
    if real.is_empty() {
        return Ok(());
    }
    faults.append(&mut set.faults);
    if real.len() < before {
        let cause = Cause::Corrupt(Corruption::BootSector);
        faults.push(Fault { offset: first, length: SECTOR, cause });
    }
    real.retain(|root| !sets.iter().any(|set| set.roots.iter().any(|known| known.shows_the_same(root))));
    set.roots = real;
    sets.push(set);
    Ok(())
}
