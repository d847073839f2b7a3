//! The records of one folder, sector by sector.

use super::geometry::Geometry;
use super::record::DirectoryRecord;
use super::window::Window;
use crate::bytes::is_zero;
use crate::source::{Medium, Removed};
use std::ops::{ControlFlow, Range};

/// What stands in a folder.
pub(super) enum Piece<'a> {
    Record(DirectoryRecord<'a>),
    /// Bytes that are no record where one should be; the rest of their sector is left out.
    Broken,
    /// A sector that could not be read.
    Unreadable(Range<u64>),
}

/// Takes the pieces of a folder; `Break` ends it.
pub(super) type Take<'t> = &'t mut dyn FnMut(Piece<'_>) -> Result<ControlFlow<()>, Removed>;

/// Goes through the records in `extent` (bytes on the medium), reading on up to `ahead`.
///
/// A record ends in the sector in which it begins, and behind the last one of a sector there are zeros (ECMA-119,
/// 6.8.1.1). Hosts that do not hold to it read other records than those that do, so anything else is named.
pub(super) fn for_each_record(
    medium: &Medium<'_>,
    geometry: &Geometry,
    window: &mut Window,
    extent: &Range<u64>,
    ahead: u64,
    take: Take<'_>,
) -> Result<(), Removed> {
    let mut position = extent.start;
    while position < extent.end {
        let sector = position..geometry.sector_end(position).min(extent.end);
        position = sector.end;
        let Some(bytes) = window.get(medium, &sector, ahead)? else {
            if take(Piece::Unreadable(sector))?.is_break() {
                return Ok(());
            }
            continue;
        };
        let mut at = 0usize;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let record = DirectoryRecord::parse(rest);
            let flow = match record {
                Some(record) => take(Piece::Record(record))?,
                None if is_zero(rest) => break,
                None => take(Piece::Broken)?,
            };
            if flow.is_break() {
                return Ok(());
            }
            let Some(record) = record else { break };
            at = at.saturating_add(record.length());
        }
    }
    Ok(())
}

/// The length that a folder states about itself in its first record.
pub(super) fn own_length(
    medium: &Medium<'_>,
    geometry: &Geometry,
    window: &mut Window,
    start: u64,
) -> Result<Option<u64>, Removed> {
    let sector = start..geometry.sector_end(start).min(geometry.range.end);
    if sector.is_empty() {
        return Ok(None);
    }
    let Some(bytes) = window.get(medium, &sector, sector.end)? else { return Ok(None) };
    let own = DirectoryRecord::parse(bytes).filter(|record| record.dot() == Some(0));
    Ok(own.filter(|record| start_of(geometry, *record) == start).map(|record| u64::from(record.size())))
}

/// Where the content of a record begins: behind its extended attribute record.
pub(super) fn start_of(geometry: &Geometry, record: DirectoryRecord<'_>) -> u64 {
    geometry.position(record.block().saturating_add(record.attribute_blocks()))
}

/// Whether a root folder begins at `start`: its first two records name itself (ECMA-119, 6.8.2.2).
pub(super) fn is_root(medium: &Medium<'_>, geometry: &Geometry, start: u64) -> Result<bool, Removed> {
    let sector = start..geometry.sector_end(start).min(geometry.range.end);
    if sector.is_empty() {
        return Ok(false);
    }
    let mut window = Window::default();
    let Some(bytes) = window.get(medium, &sector, sector.end)? else { return Ok(false) };
    let mut at = 0usize;
    for dot in [0, 1] {
        let record = DirectoryRecord::parse(bytes.get(at..).unwrap_or_default());
        let Some(record) = record.filter(|record| record.dot() == Some(dot)) else { return Ok(false) };
        if start_of(geometry, record) != start {
            return Ok(false);
        }
        at = at.saturating_add(record.length());
    }
    Ok(true)
}
