//! Filesystems that no table announces: whoever knows the place can open them all the same.
//!
//! They are looked for where tools put partitions, at every MiB, and at every sector of the first and the last MiB of a
//! gap: behind the first track of old layouts (sector 63), say.

use super::Announced;
use crate::bytes::index;
use crate::recognise;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::VolumeRole;
use std::collections::BTreeSet;
use std::ops::Range;

/// Places looked at on one medium; with one in each MiB, half a GiB of gaps.
const MAX_PLACES: usize = 512;
/// Where partitions begin since Windows Vista and fdisk of 2010.
const ALIGNMENT: u64 = 1 << 20;
/// Bytes of a sector, at which a boot sector may begin whatever the medium's own block is.
const SECTOR: usize = 512;
/// Smaller ones hold no filesystem: the smallest FAT12 that mkfs.vfat makes has 35 sectors.
const SMALLEST: u64 = 32 * 512;

/// The filesystems in `gaps` (bytes on the medium, in order), each up to the end of its gap or to the next one.
pub(crate) fn hidden(medium: &Medium<'_>, gaps: &[Range<u64>]) -> Result<Vec<Announced>, Removed> {
    let mut left = MAX_PLACES;
    let mut found: Vec<Announced> = Vec::new();
    for gap in gaps {
        let mut places: BTreeSet<u64> = boot_sectors(medium, gap)?;
        let aligned = gap.start.next_multiple_of(ALIGNMENT);
        places.extend(std::iter::once(gap.start).chain((aligned..gap.end).step_by(1 << 20)).take(MAX_PLACES));
        for place in places {
            let range = place..gap.end;
            if left == 0 || range.end.saturating_sub(range.start) < SMALLEST {
                break;
            }
            left = left.saturating_sub(1);
            if !recognise::is_filesystem(medium, &range)? {
                continue;
            }
            if let Some(last) = found.last_mut().filter(|last| last.range.end > place) {
                last.range.end = place;
            }
            found.push(Announced { range, role: VolumeRole::Gap, partition_type: None, hidden: true, efi: false });
        }
    }
    Ok(found)
}

/// Sectors in the first and the last MiB of a gap that are boot sectors of a filesystem.
fn boot_sectors(medium: &Medium<'_>, gap: &Range<u64>) -> Result<BTreeSet<u64>, Removed> {
    let mut found = BTreeSet::new();
    let last = gap.end.saturating_sub(ALIGNMENT).max(gap.start);
    for start in [gap.start, last] {
        let mut bytes = vec![0u8; index(gap.end.saturating_sub(start).min(ALIGNMENT))];
        medium.read_tolerant(start, &mut bytes, &mut Vec::new())?;
        for (number, sector) in (0u64..).zip(bytes.chunks_exact(SECTOR)) {
            if recognise::is_boot_sector(sector) {
                found.insert(start.saturating_add(number.saturating_mul(512)));
            }
        }
    }
    Ok(found)
}

/// What of the medium neither a volume nor a table takes.
pub(crate) fn gaps(capacity: u64, taken: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut taken: Vec<Range<u64>> = taken.collect();
    taken.sort_by_key(|range| range.start);
    let mut gaps = Vec::new();
    let mut end = 0u64;
    for range in taken {
        if range.start > end {
            gaps.push(end..range.start.min(capacity));
        }
        end = end.max(range.end);
    }
    if end < capacity {
        gaps.push(end..capacity);
    }
    gaps
}
