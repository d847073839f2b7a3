//! The area ledger: every byte of the medium has one class (security rule 1), and what lies outside files is looked at
//! where an attacker would put boot code: tables, boot areas, both ends of every gap.

use crate::bytes::{index, wide};
use crate::filesystem::VolumeArea;
use crate::recognise;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{AreaClass, AreaDigest, AreaReport, AreaSum, FilesystemKind, VolumeId};
use sha2::Digest;
use std::ops::Range;

/// Bytes looked at from each end of a gap.
const GAP_END: u64 = 1 << 20;
/// Most bytes of one boot area that are looked at; FAT32 volumes of Windows reserve up to 4 MiB.
const MAX_BOOT: u64 = 16 << 20;
/// Lines of digests in the report.
const MAX_DIGESTS: usize = 4096;
/// Bytes read and hashed at once.
const STEP: u64 = 1 << 20;

/// A volume for the ledger.
pub(crate) struct LedgerVolume {
    pub(crate) range: Range<u64>,
    /// Absent when the volume was not read.
    pub(crate) area: Option<VolumeArea>,
    /// Bytes of files that were read.
    pub(crate) file_bytes_read: u64,
}

/// Adds up, reads and digests. `volumes` are in the order of their start.
pub(crate) fn report(
    medium: &Medium<'_>,
    volumes: &[LedgerVolume],
    tables: &[Range<u64>],
) -> Result<AreaReport, Removed> {
    let mut ledger = Ledger { medium, report: AreaReport::default() };
    let mut free = std::iter::once(0..medium.capacity()).collect();
    for (number, volume) in volumes.iter().enumerate() {
        let id = VolumeId::try_from(number).unwrap_or(VolumeId::MAX);
        let owned = take(&mut free, &volume.range);
        ledger.volume(id, volume, &owned)?;
    }
    let mut table_bytes = 0u64;
    let mut table_read = 0u64;
    for table in tables {
        for part in take(&mut free, table) {
            table_bytes = table_bytes.saturating_add(length(&part));
            table_read = table_read.saturating_add(ledger.look(AreaClass::Table, &part)?);
        }
    }
    ledger.sum(None, AreaClass::Table, table_bytes, table_read);
    let mut gap_read = 0u64;
    for gap in &free {
        for end in gap_ends(gap) {
            gap_read = gap_read.saturating_add(ledger.look(AreaClass::Gap, &end)?);
        }
    }
    let gap_bytes = free.iter().map(length).fold(0, u64::saturating_add);
    ledger.sum(None, AreaClass::Gap, gap_bytes, gap_read);
    Ok(ledger.report)
}

/// Removes `range` from the sorted list `free`; returns the parts that were there.
fn take(free: &mut Vec<Range<u64>>, range: &Range<u64>) -> Vec<Range<u64>> {
    let mut taken = Vec::new();
    let mut left = Vec::with_capacity(free.len().saturating_add(1));
    for part in free.drain(..) {
        let inside = part.start.max(range.start)..part.end.min(range.end);
        if inside.is_empty() {
            left.push(part);
            continue;
        }
        let around = [part.start..inside.start, inside.end..part.end];
        left.extend(around.into_iter().filter(|piece| !piece.is_empty()));
        taken.push(inside);
    }
    *free = left;
    taken
}

fn gap_ends(gap: &Range<u64>) -> Vec<Range<u64>> {
    if length(gap) <= GAP_END.saturating_mul(2) {
        return vec![gap.clone()];
    }
    vec![gap.start..gap.start.saturating_add(GAP_END), gap.end.saturating_sub(GAP_END)..gap.end]
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

struct Ledger<'l, 'm> {
    medium: &'l Medium<'m>,
    report: AreaReport,
}

impl Ledger<'_, '_> {
    fn sum(&mut self, volume: Option<VolumeId>, class: AreaClass, bytes: u64, looked_at: u64) {
        if bytes > 0 {
            self.report.sums.push(AreaSum { volume, class, bytes, looked_at: looked_at.min(bytes) });
        }
    }

    /// A volume counts with its own classes when all its bytes are its own. Of one that overlaps another, only the
    /// bytes that no earlier volume has are counted, and their use is not known.
    fn volume(&mut self, id: VolumeId, volume: &LedgerVolume, owned: &[Range<u64>]) -> Result<(), Removed> {
        let owned_bytes = owned.iter().map(length).fold(0, u64::saturating_add);
        let Some(area) = volume.area.as_ref().filter(|_| owned_bytes == length(&volume.range)) else {
            self.sum(Some(id), AreaClass::Unknown, owned_bytes, 0);
            return Ok(());
        };
        let mut boot_read = 0u64;
        for boot in &area.boot {
            let start = boot.start.min(boot.end);
            let part = start..boot.end.min(start.saturating_add(MAX_BOOT));
            boot_read = boot_read.saturating_add(self.look(AreaClass::Boot, &part)?);
        }
        for (class, bytes, looked_at) in &area.sums {
            let looked_at = match class {
                AreaClass::Boot => boot_read,
                AreaClass::File => volume.file_bytes_read,
                _ => *looked_at,
            };
            self.sum(Some(id), *class, *bytes, looked_at);
        }
        Ok(())
    }

    /// Reads and digests a range; returns the bytes read. A range that cannot be read gets no digest and counts as not
    /// looked at.
    fn look(&mut self, class: AreaClass, range: &Range<u64>) -> Result<u64, Removed> {
        if range.is_empty() || self.report.digests.len() >= MAX_DIGESTS {
            return Ok(0);
        }
        let mut hasher = sha2::Sha256::new();
        let mut position = range.start;
        let mut buffer = vec![0u8; index(length(range).min(STEP))];
        while position < range.end {
            let count = range.end.saturating_sub(position).min(STEP);
            let Some(part) = buffer.get_mut(..index(count)) else { break };
            match self.medium.read(position, part) {
                Ok(()) => hasher.update(&*part),
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { .. }) => return Ok(0),
            }
            position = position.saturating_add(wide(part.len()));
        }
        let sha256 = hasher.finalize().into();
        self.report.digests.push(AreaDigest { class, start: range.start, length: length(range), sha256 });
        Ok(length(range))
    }
}

/// The area of a blank volume, whose ends were seen to be zeros; nothing for any other that is not read.
pub(crate) fn of_blank(kind: FilesystemKind, range: &Range<u64>) -> Option<VolumeArea> {
    let blank = kind == FilesystemKind::Blank;
    let looked_at = length(range).min(recognise::BLANK_END.saturating_mul(2));
    blank.then(|| VolumeArea { boot: Vec::new(), sums: vec![(AreaClass::Free, length(range), looked_at)] })
}

/// The ledger of a medium that is gone: everything that was not counted is unknown.
pub(crate) fn unknown(capacity: u64) -> AreaReport {
    let sum = AreaSum { volume: None, class: AreaClass::Unknown, bytes: capacity, looked_at: 0 };
    AreaReport { sums: if capacity > 0 { vec![sum] } else { Vec::new() }, digests: Vec::new() }
}
