//! Filesystems that no table announces: whoever knows the place can open them all the same.
//!
//! They are looked for where tools put partitions: at every MiB, at the cylinders and tracks of old layouts (255 heads,
//! 63 sectors), and at every sector of the first and the last MiB of a gap. On a large medium the number of places is
//! bounded; the ledger counts as looked at only what was read as a whole.

use super::Announced;
use crate::bytes::index;
use crate::recognise;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::VolumeRole;
use std::collections::BTreeSet;
use std::ops::Range;

/// Places looked at on one medium: with one in each MiB and those of the cylinders, about 3 GiB of gaps. Each costs the
/// device a handful of reads.
pub(crate) const MAX_PLACES: u32 = 4096;
/// Bytes of a track and of a cylinder in the layout that DOS and Windows used before Vista.
const TRACK: u64 = 63 * 512;
const CYLINDER: u64 = 255 * TRACK;
/// Where partitions begin since Windows Vista and fdisk of 2010.
const ALIGNMENT: u64 = 1 << 20;
/// Bytes of a sector, at which a boot sector may begin whatever the medium's own block is.
const SECTOR: usize = 512;
/// Smaller ones hold no filesystem: the smallest FAT12 that mkfs.vfat makes has 35 sectors.
const SMALLEST: u64 = 32 * 512;

/// The filesystems in `gaps` (bytes on the medium, in order), each up to the end of its gap or to the next one.
pub(crate) fn hidden(medium: &Medium<'_>, gaps: &[Range<u64>]) -> Result<Vec<Announced>, Removed> {
    let mut found: Vec<Announced> = Vec::new();
    for gap in gaps {
        let places = hidden_places(medium, gap)?;
        let ends = places.iter().skip(1).copied().chain([gap.end]);
        for (place, end) in places.iter().zip(ends) {
            // A signature far inside may be that of the earlier place only: then both have it.
            let alone = recognise::is_filesystem(medium, &(*place..end))?;
            let range = *place..if alone { end } else { gap.end };
            found.push(Announced { range, role: VolumeRole::Gap, partition_type: None, hidden: true, efi: false });
        }
    }
    Ok(found)
}

/// Where in `gap` filesystems begin, in order.
pub(crate) fn hidden_places(medium: &Medium<'_>, gap: &Range<u64>) -> Result<Vec<u64>, Removed> {
    let certain = boot_sectors(medium, gap)?.into_iter().chain([gap.start]);
    let mut places: BTreeSet<u64> = certain.collect();
    // More than the medium may be asked for are not listed.
    let room = usize::try_from(MAX_PLACES).unwrap_or(usize::MAX);
    places.extend(multiples(ALIGNMENT, 0, gap).take(room));
    places.extend(multiples(CYLINDER, 0, gap).take(room));
    places.extend(multiples(CYLINDER, TRACK, gap).take(room));
    let mut found = Vec::new();
    for place in places {
        let range = place..gap.end;
        if range.end.saturating_sub(range.start) < SMALLEST || !medium.may_probe(MAX_PLACES) {
            break;
        }
        if recognise::is_filesystem(medium, &range)? {
            found.push(place);
        }
    }
    Ok(found)
}

/// The multiples of `step`, and `behind` bytes behind each, that lie in `gap`.
fn multiples(step: u64, behind: u64, gap: &Range<u64>) -> impl Iterator<Item = u64> {
    let (start, end) = (gap.start, gap.end);
    let first = start.saturating_sub(behind).checked_next_multiple_of(step).unwrap_or(u64::MAX);
    let all = std::iter::successors(Some(first.saturating_add(behind)), move |place| place.checked_add(step));
    all.skip_while(move |place| *place < start).take_while(move |place| *place < end)
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
