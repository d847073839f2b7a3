//! Where the boot areas are that a tag binds: tables, the start of each volume, the ends of each gap
//! (docs/tag-format.md, section 10). What stands there is digested by whoever seals or verifies.

use crate::area::LedgerVolume;
use crate::partition::TableRange;
use crate::partition::gaps::gaps;
use blanche_sandbox::wire::{BootArea, BootAreaKind, FilesystemKind, MAX_AREAS, VolumeId};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes bound at each end of a gap.
const GAP_END: u64 = 1 << 20;
/// Boot block and superblock of ext.
const EXT: u64 = 2048;
/// Start of a volume without boot area of its own.
pub(crate) const HEAD: u64 = 64 << 10;

/// The boot areas of a medium with these volumes and tables, in order; none at all when there are more than
/// [`MAX_AREAS`], because part of them would bind nothing.
pub(crate) fn boot_areas(capacity: u64, volumes: &[LedgerVolume], tables: &[TableRange]) -> Vec<BootArea> {
    let mut areas = of_tables(tables);
    let taken = areas.iter().map(|area| area.start..area.start.saturating_add(area.length));
    let taken: Vec<_> = taken.chain(volumes.iter().map(|volume| volume.range.clone())).collect();
    for gap in gaps(capacity, taken.into_iter()) {
        areas.extend(gap_ends(gap).into_iter().flatten().map(|end| area(BootAreaKind::Gap, None, &end)));
    }
    for (number, volume) in volumes.iter().enumerate() {
        let number = VolumeId::try_from(number).ok();
        areas.extend(of_volume(volume).into_iter().map(|(kind, range)| area(kind, number, &range)));
    }
    areas.sort_by_key(|area| (area.start, area.length, area.kind, area.volume));
    if areas.len() > MAX_AREAS { Vec::new() } else { areas }
}

fn area(kind: BootAreaKind, volume: Option<VolumeId>, range: &Range<u64>) -> BootArea {
    BootArea { kind, volume, start: range.start, length: range.end.saturating_sub(range.start) }
}

/// Each record for itself; header and entries of a GPT as one area, with what lies between them.
fn of_tables(tables: &[TableRange]) -> Vec<BootArea> {
    let mut gpt: BTreeMap<BootAreaKind, Range<u64>> = BTreeMap::new();
    let mut areas = Vec::new();
    for TableRange { kind, range } in tables {
        match kind {
            BootAreaKind::GptPrimary | BootAreaKind::GptBackup => {
                let whole = gpt.entry(*kind).or_insert_with(|| range.clone());
                *whole = whole.start.min(range.start)..whole.end.max(range.end);
            }
            _ => areas.push(area(*kind, None, range)),
        }
    }
    areas.extend(gpt.iter().map(|(kind, range)| area(*kind, None, range)));
    areas
}

fn of_volume(volume: &LedgerVolume) -> Vec<(BootAreaKind, Range<u64>)> {
    use FilesystemKind::{ExFat, Ext, Fat12, Fat16, Fat32, Ntfs};
    let first = |length: u64| {
        let start = volume.range.start;
        start..start.saturating_add(length).min(volume.range.end)
    };
    let mut own = volume.area.iter().flat_map(|area| area.boot.iter().cloned());
    match volume.kind {
        Fat12 | Fat16 | Fat32 => own.next().map(|range| (BootAreaKind::Fat, range)).into_iter().collect(),
        ExFat => own.next().map(|range| (BootAreaKind::ExFat, range)).into_iter().collect(),
        Ntfs => [BootAreaKind::Ntfs, BootAreaKind::NtfsBackup].into_iter().zip(own).collect(),
        Ext => vec![(BootAreaKind::Ext, first(EXT))],
        _ => vec![(BootAreaKind::Head, first(HEAD))],
    }
}

/// The first and the last MiB, or the whole gap where that is all of it.
fn gap_ends(gap: Range<u64>) -> [Option<Range<u64>>; 2] {
    if gap.end.saturating_sub(gap.start) <= GAP_END.saturating_mul(2) {
        return [Some(gap), None];
    }
    [Some(gap.start..gap.start.saturating_add(GAP_END)), Some(gap.end.saturating_sub(GAP_END)..gap.end)]
}
