//! Sectors of folders and continuation areas, read in larger pieces where the sectors that follow are known to belong
//! to folders too: small reads at random are what makes USB keys slow, and content of files is not read twice.

use super::descriptor::names_a_filesystem;
use crate::bytes::{index, wide};
use crate::source::{Medium, Removed};
use std::ops::Range;

/// Bytes read at once.
const AHEAD: u64 = 64 << 10;

/// The last piece that was read.
#[derive(Debug, Default)]
pub(super) struct Window {
    range: Range<u64>,
    bytes: Vec<u8>,
    bad: Vec<Range<u64>>,
    read: u64,
    descriptor: bool,
}

impl Window {
    /// The bytes of `wanted`, at most [`AHEAD`]; what cannot be read is nothing. Reading may go on up to `end`.
    pub(super) fn get(&mut self, medium: &Medium<'_>, wanted: &Range<u64>, end: u64) -> Result<Option<&[u8]>, Removed> {
        if wanted.start < self.range.start || wanted.end > self.range.end {
            let end = end.clamp(wanted.end, wanted.end.max(wanted.start.saturating_add(AHEAD)));
            self.range = wanted.start..wanted.start;
            self.bad.clear();
            self.bytes.clear();
            self.bytes.resize(index(end.saturating_sub(wanted.start)), 0);
            medium.read_tolerant(wanted.start, &mut self.bytes, &mut self.bad)?;
            self.range.end = end;
            self.read = self.read.saturating_add(wide(self.bytes.len()));
            // Blocks may be smaller than sectors.
            self.descriptor |= self.bytes.chunks(512).any(names_a_filesystem);
        }
        if self.bad.iter().any(|bad| bad.start < wanted.end && bad.end > wanted.start) {
            return Ok(None);
        }
        let from = index(wanted.start.saturating_sub(self.range.start));
        let to = index(wanted.end.saturating_sub(self.range.start));
        Ok(self.bytes.get(from..to))
    }

    /// Whether anything read since the last question looks like a volume descriptor: folders hold none, but another
    /// filesystem may hide in what other programs skip in them.
    pub(super) fn take_descriptor(&mut self) -> bool {
        std::mem::take(&mut self.descriptor)
    }

    /// Bytes read since the last question.
    pub(super) fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.read)
    }
}
