//! The records of the root folder and where each of them stands.

use crate::draft::{Draft, index, wide};
use crate::refusal::Refusal;
use crate::space::Run;
use blanche_media::layout::Record;
use std::ops::Range;

/// Bytes of a record (FAT specification 1.03, "Directory Structure"; exFAT 6).
pub(crate) const RECORD: u64 = 32;
/// Largest root folder that is looked through; FAT allows 2 MiB.
const MAX_BYTES: u64 = 32 << 20;

/// The root folder.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    bytes: Vec<u8>,
    /// Where the bytes stand on the medium, in order.
    places: Vec<Range<u64>>,
    /// Its last cluster; none for the fixed root folder of FAT12 and FAT16.
    pub(crate) last: Option<u32>,
}

/// Where a new entry goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Number of the first record.
    pub(crate) first: usize,
    /// End marks in front of it, which must become free records.
    pub(crate) marks: Range<usize>,
}

impl Root {
    /// Reads the root folder at `places`.
    pub(crate) fn read(draft: &Draft<'_>, places: Vec<Range<u64>>, last: Option<u32>) -> Result<Self, Refusal> {
        let length = places.iter().map(|place| place.end.saturating_sub(place.start)).fold(0, u64::saturating_add);
        if length > MAX_BYTES {
            return Err(Refusal::Unsupported("a root folder above 32 MiB"));
        }
        let mut bytes = Vec::with_capacity(index(length));
        for place in &places {
            let mut part = vec![0u8; index(place.end.saturating_sub(place.start))];
            draft.read_raw(place.start, &mut part)?;
            bytes.extend_from_slice(&part);
        }
        Ok(Self { bytes, places, last })
    }

    /// Its records in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.bytes.chunks_exact(32).map(Record)
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / 32
    }

    /// The type, or first letter, of a record; 0 behind the last.
    pub(crate) fn kind(&self, number: usize) -> u8 {
        self.record(number).u8(0)
    }

    /// One record; zeros behind the last.
    pub(crate) fn record(&self, number: usize) -> Record<'_> {
        let start = number.saturating_mul(32);
        Record(self.bytes.get(start..start.saturating_add(32)).unwrap_or_default())
    }

    /// First byte of a record on the medium; none behind the last.
    pub(crate) fn position(&self, number: usize) -> Option<u64> {
        let mut offset = wide(number).checked_mul(RECORD)?;
        for place in &self.places {
            let length = place.end.saturating_sub(place.start);
            if offset < length {
                return place.start.checked_add(offset);
            }
            offset = offset.saturating_sub(length);
        }
        None
    }

    /// Number of the first end mark; the number of records when there is none.
    pub(crate) fn end(&self) -> usize {
        self.records().position(|record| record.u8(0) == 0).unwrap_or_else(|| self.len())
    }

    /// Whether `count` records from `first` on stand in one block of `block` bytes.
    pub(crate) fn in_one_block(&self, first: usize, count: usize, block: u64) -> bool {
        let block_of = |number: usize| self.position(number).map(|position| position.checked_div(block));
        let last = first.saturating_add(count.saturating_sub(1));
        block_of(first).is_some() && block_of(first) == block_of(last)
    }

    /// The root folder with one more cluster of zeros at `place`.
    pub(crate) fn grown(mut self, place: Range<u64>, cluster: u32) -> Self {
        let length = index(place.end.saturating_sub(place.start));
        self.bytes.resize(self.bytes.len().saturating_add(length), 0);
        self.places.push(place);
        self.last = Some(cluster);
        self
    }
}

/// Byte ranges of runs of clusters.
pub(crate) fn ranges(heap: u64, cluster_bytes: u64, runs: &[Run]) -> Vec<Range<u64>> {
    let position = |cluster: u64| heap.saturating_add(cluster.saturating_sub(2).saturating_mul(cluster_bytes));
    let range = |run: &Run| {
        let first = u64::from(run.first);
        position(first)..position(first.saturating_add(u64::from(run.count)))
    };
    runs.iter().map(range).collect()
}
