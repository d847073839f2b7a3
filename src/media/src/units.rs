//! Content in NTFS compression units, decoded while it is read.

use crate::bytes::{index, wide};
use crate::filesystem::Extent;
use crate::ntfs::lznt1;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption};
use std::ops::Range;

/// Largest unit: NTFS compresses 16 clusters of at most 4 KiB; other programs may have made larger ones.
pub(crate) const MAX_UNIT: u32 = 1 << 20;

/// What of a buffer is not what is stored, and why.
pub(crate) type Bad = Vec<(Range<u64>, Cause)>;

/// Goes through the units of one content.
pub(crate) struct Units<E> {
    extents: E,
    current: Extent,
    unit: usize,
    /// The unit that is decoded, and where in it the next byte is.
    decoded: Vec<u8>,
    at: usize,
    /// The unit is zeros because of this.
    lost: Option<Cause>,
}

impl<E: Iterator<Item = Extent>> Units<E> {
    pub(crate) fn new(extents: E, unit: u32) -> Self {
        let unit = index(u64::from(unit.min(MAX_UNIT)));
        Self { extents, current: Extent::hole(0), unit, decoded: Vec::new(), at: 0, lost: None }
    }

    /// Fills `buffer` with the next bytes of the content.
    pub(crate) fn fill(&mut self, medium: &Medium<'_>, buffer: &mut [u8]) -> Result<Bad, Removed> {
        let mut bad = Bad::new();
        let mut filled = 0usize;
        while filled < buffer.len() {
            if self.at >= self.decoded.len() {
                self.decode(medium)?;
            }
            let ready = self.decoded.get(self.at..).unwrap_or_default();
            let target = buffer.get_mut(filled..).unwrap_or_default();
            let count = ready.len().min(target.len());
            if count == 0 {
                break;
            }
            for (to, from) in target.iter_mut().zip(ready) {
                *to = *from;
            }
            if let Some(cause) = &self.lost {
                bad.push((wide(filled)..wide(filled.saturating_add(count)), cause.clone()));
            }
            self.at = self.at.saturating_add(count);
            filled = filled.saturating_add(count);
        }
        Ok(bad)
    }

    /// Reads and decodes the next unit.
    fn decode(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let (mut stored, mut covered, mut lost) = (Vec::new(), 0usize, None);
        while covered < self.unit {
            if self.current.length == 0 {
                let Some(next) = self.extents.next() else { break };
                self.current = next;
                continue;
            }
            let count = index(self.current.length).min(self.unit.saturating_sub(covered));
            if !self.current.is_hole() {
                if stored.len() < covered {
                    // Stored bytes behind a hole of the same unit: no writer does that.
                    lost = Some(Cause::Corrupt(Corruption::Compression));
                }
                let from = stored.len();
                stored.resize(from.saturating_add(count), 0);
                let mut bad = Vec::new();
                medium.read_tolerant(self.current.start, stored.get_mut(from..).unwrap_or_default(), &mut bad)?;
                if !bad.is_empty() {
                    lost = Some(Cause::Unreadable);
                }
                self.current.start = self.current.start.saturating_add(wide(count));
            }
            self.current.length = self.current.length.saturating_sub(wide(count));
            covered = covered.saturating_add(count);
        }
        self.at = 0;
        self.lost = lost;
        self.decoded = if self.lost.is_some() {
            vec![0; covered]
        } else if stored.len() == covered {
            stored
        } else if stored.is_empty() {
            vec![0; covered]
        } else {
            lznt1::decompress(&stored, covered).unwrap_or_else(|lznt1::Broken| {
                self.lost = Some(Cause::Corrupt(Corruption::Compression));
                vec![0; covered]
            })
        };
        Ok(())
    }
}
