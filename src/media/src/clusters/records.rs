//! The 32-byte records of which FAT and exFAT folders consist.

use crate::bytes::{Record, index, wide};
use crate::filesystem::{Extent, Fault};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::Cause;
use std::ops::{ControlFlow, Range};

/// Bytes of a directory record (FAT specification 1.03 "Directory Structure"; exFAT 6).
pub(crate) const RECORD_BYTES: usize = 32;
/// Bytes read at once.
const STEP: u64 = 32 << 10;

/// Hands each record to `visit`, or `None` once for each part that cannot be read. Only bytes of the folder itself are
/// read. Returns the faults (offsets on the medium) and the bytes read.
pub(crate) fn for_each_record(
    medium: &Medium<'_>,
    extents: &[Extent],
    visit: &mut dyn FnMut(Option<&[u8; RECORD_BYTES]>) -> ControlFlow<()>,
) -> Result<(Vec<Fault>, u64), Removed> {
    let mut faults = Vec::new();
    let mut read = 0u64;
    let mut buffer = vec![0u8; index(STEP)];
    for extent in extents.iter().filter(|extent| !extent.is_hole()) {
        let mut done = 0u64;
        while done < extent.length {
            let count = extent.length.saturating_sub(done).min(STEP);
            let position = extent.start.saturating_add(done);
            let Some(part) = buffer.get_mut(..index(count)) else { break };
            let mut bad = Vec::new();
            medium.read_tolerant(position, part, &mut bad)?;
            read = read.saturating_add(count);
            let flow = visit_part(part, position, &bad, visit);
            faults.extend(bad.into_iter().map(unreadable));
            if flow.is_break() {
                return Ok((faults, read));
            }
            done = done.saturating_add(count);
        }
    }
    Ok((faults, read))
}

fn visit_part(
    part: &[u8],
    position: u64,
    bad: &[Range<u64>],
    visit: &mut dyn FnMut(Option<&[u8; RECORD_BYTES]>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut lost = false;
    for (number, bytes) in part.chunks(RECORD_BYTES).enumerate() {
        let at = position.saturating_add(wide(number).saturating_mul(wide(RECORD_BYTES)));
        let gone = bad.iter().any(|range| range.start < at.saturating_add(wide(RECORD_BYTES)) && range.end > at);
        if !gone {
            visit(Some(&Record(bytes).array(0)))?;
        } else if !lost {
            visit(None)?;
        }
        lost = gone;
    }
    ControlFlow::Continue(())
}

fn unreadable(range: Range<u64>) -> Fault {
    Fault { offset: range.start, length: range.end.saturating_sub(range.start), cause: Cause::Unreadable }
}
