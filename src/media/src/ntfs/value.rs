//! Reading a non-resident structure of the filesystem by offsets within it.

use crate::bytes::{index, wide};
use crate::filesystem::Extent;
use crate::source::{Medium, Removed};
use std::ops::Range;

/// A structure in pieces.
#[derive(Debug, Default)]
pub(super) struct Value {
    /// Offset within the structure and place on the medium, in order and without gap.
    pieces: Vec<(u64, Extent)>,
    length: u64,
}

impl Value {
    /// Of these pieces, from byte 0 on.
    pub(super) fn new(extents: &[Extent]) -> Self {
        let mut value = Self::default();
        for extent in extents {
            value.pieces.push((value.length, *extent));
            value.length = value.length.saturating_add(extent.length);
        }
        value
    }

    /// Bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that are stored.
    pub(super) fn stored(&self) -> u64 {
        let stored = self.pieces.iter().filter(|(_, extent)| !extent.is_hole());
        stored.map(|(_, extent)| extent.length).fold(0, u64::saturating_add)
    }

    /// Where byte `offset` lies on the medium.
    pub(super) fn position(&self, offset: u64) -> Option<u64> {
        let (start, extent) = self.pieces.get(self.piece(offset)?)?;
        (!extent.is_hole()).then(|| extent.start.saturating_add(offset.saturating_sub(*start)))
    }

    fn piece(&self, offset: u64) -> Option<usize> {
        let after = self.pieces.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).filter(|_| offset < self.length)
    }

    /// Fills `buffer` from byte `offset`; what is stored nowhere or cannot be read becomes zeros, the latter is added
    /// to `bad` (bytes within the structure).
    pub(super) fn read(
        &self,
        medium: &Medium<'_>,
        offset: u64,
        buffer: &mut [u8],
        bad: &mut Vec<Range<u64>>,
    ) -> Result<(), Removed> {
        buffer.fill(0);
        let end = offset.saturating_add(wide(buffer.len())).min(self.length);
        let first = self.piece(offset).unwrap_or(usize::MAX);
        for (start, extent) in self.pieces.get(first..).unwrap_or_default() {
            let from = offset.max(*start);
            let to = end.min(start.saturating_add(extent.length));
            if from >= to {
                break;
            }
            if extent.is_hole() {
                continue;
            }
            let place = index(from.saturating_sub(offset))..index(to.saturating_sub(offset));
            let Some(part) = buffer.get_mut(place) else { break };
            let on_medium = extent.start.saturating_add(from.saturating_sub(*start));
            let mut lost = Vec::new();
            medium.read_tolerant(on_medium, part, &mut lost)?;
            let within = |at: u64| at.saturating_sub(on_medium).saturating_add(from);
            bad.extend(lost.into_iter().map(|range| within(range.start)..within(range.end)));
        }
        Ok(())
    }

    /// The first `limit` bytes; nothing when some of them cannot be read.
    pub(super) fn read_all(&self, medium: &Medium<'_>, limit: u64) -> Result<Option<Vec<u8>>, Removed> {
        let mut bytes = vec![0u8; index(self.length.min(limit))];
        let mut bad = Vec::new();
        self.read(medium, 0, &mut bytes, &mut bad)?;
        Ok(bad.is_empty().then_some(bytes))
    }
}

/// Whether `part` touches any of `ranges`.
pub(super) fn touches(ranges: &[Range<u64>], part: &Range<u64>) -> bool {
    ranges.iter().any(|range| range.start < part.end && range.end > part.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    #[test]
    fn reading_across_pieces_and_bad_sectors() {
        let mut source = MemorySource::new((0..8192u32).map(|at| (at / 512) as u8 + 1).collect());
        source.unreadable = std::iter::once(1024..1536).collect();
        let medium = Medium::new(&source, 512);
        let extent = |start, length| Extent { start, length };
        let value = Value::new(&[extent(4096, 1024), Extent::hole(512), extent(512, 1024)]);
        assert_eq!((value.length(), value.stored()), (2560, 2048));
        assert_eq!([value.position(1023), value.position(1024), value.position(1536)], [Some(5119), None, Some(512)]);
        let (mut bytes, mut bad) = (vec![9; 2560], Vec::new());
        value.read(&medium, 512, &mut bytes, &mut bad).unwrap();
        assert_eq!([bytes[0], bytes[511], bytes[512], bytes[1024], bytes[1536], bytes[2048]], [10, 10, 0, 2, 0, 0]);
        assert_eq!((bad.len(), bad[0].clone()), (1, 2048..2560));
        assert_eq!(value.read_all(&medium, u64::MAX), Ok(None));
        assert_eq!(value.read_all(&medium, 2048).unwrap().unwrap().len(), 2048);
    }
}
