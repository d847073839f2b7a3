//! What FAT and exFAT have in common: a heap of clusters, an allocation table that chains them, folders of 32-byte
//! records, and the account of which cluster belongs to whom.

mod chain;
mod claims;
mod records;
mod table;

use chain::{Chain, ChainEnd, Run, contiguous, follow};
pub(crate) use claims::Claims;
pub(crate) use records::{RECORD_BYTES, for_each_record};
use table::Link;
pub(crate) use table::{AllocationTable, Width};

use crate::filesystem::{Extent, Fault, FolderRef, Tally, VolumeArea};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit};
use std::ops::Range;

/// Number of the first cluster of the heap (Microsoft FAT specification 1.03, "FAT Data Structure"; exFAT 5).
pub(crate) const FIRST_CLUSTER: u32 = 2;

/// Geometry of the cluster heap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heap {
    /// First byte of cluster 2 on the medium.
    pub(crate) start: u64,
    /// Bytes of one cluster.
    pub(crate) cluster_bytes: u64,
    /// Clusters.
    pub(crate) count: u32,
    /// First byte after the part of the volume that the medium holds.
    pub(crate) end: u64,
}

impl Heap {
    /// Highest valid cluster number.
    pub(crate) fn last(&self) -> u32 {
        self.count.saturating_add(FIRST_CLUSTER).saturating_sub(1)
    }

    /// Whether this is a cluster of the heap.
    pub(crate) fn holds(&self, cluster: u32) -> bool {
        (FIRST_CLUSTER..=self.last()).contains(&cluster)
    }

    /// First byte of a cluster on the medium.
    pub(crate) fn position(&self, cluster: u32) -> u64 {
        let number = u64::from(cluster.saturating_sub(FIRST_CLUSTER));
        self.start.saturating_add(number.saturating_mul(self.cluster_bytes))
    }

    /// Bytes in this many clusters.
    pub(crate) fn bytes(&self, clusters: u64) -> u64 {
        clusters.saturating_mul(self.cluster_bytes)
    }

    /// Clusters for this many bytes.
    pub(crate) fn clusters_for(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.cluster_bytes.max(1))
    }

    /// The bytes of `runs` from `0` to `length`: extents on the medium, with holes for what lies behind its end.
    pub(crate) fn extents(&self, runs: &[Run], length: u64) -> Vec<Extent> {
        let mut extents = Vec::with_capacity(runs.len());
        let mut left = length;
        for run in runs {
            let bytes = self.bytes(u64::from(run.count)).min(left);
            left = left.saturating_sub(bytes);
            let start = self.position(run.first);
            let inside = bytes.min(self.end.saturating_sub(start));
            for extent in [Extent { start, length: inside }, Extent::hole(bytes.saturating_sub(inside))] {
                if extent.length > 0 {
                    extents.push(extent);
                }
            }
        }
        extents
    }
}

/// Content with its faults.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    /// From byte 0 on.
    pub(crate) extents: Vec<Extent>,
    /// Offsets within the content.
    pub(crate) faults: Vec<Fault>,
    /// What is stored in place of the zeros behind [`Stream::valid`].
    pub(crate) tail: Vec<Extent>,
}

/// A stream of bytes as a directory entry announces it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    /// First cluster.
    pub(crate) first: u32,
    /// Bytes.
    pub(crate) size: u64,
    /// Bytes that were ever written; what follows reads as zeros.
    pub(crate) valid: u64,
    /// One run without a chain (exFAT NoFatChain).
    pub(crate) contiguous: bool,
}

/// The clusters of one volume: chains, claims and the account of their use.
#[derive(Debug)]
pub(crate) struct Clusters {
    pub(crate) heap: Heap,
    table: AllocationTable,
    claims: Claims,
    tally: Tally,
}

impl Clusters {
    pub(crate) fn new(heap: Heap, table: AllocationTable) -> Self {
        Self { heap, table, claims: Claims::new(heap.count), tally: Tally::default() }
    }

    /// Follows a chain without claiming its clusters: for a first look before the walk.
    pub(crate) fn peek(&mut self, medium: &Medium<'_>, first: u32) -> Result<Vec<Extent>, Removed> {
        let mut claims = Claims::new(self.heap.count);
        let chain = follow(&mut self.table, medium, &self.heap, &mut claims, first, None)?;
        Ok(self.heap.extents(&chain.runs, u64::MAX))
    }

    fn chain(&mut self, medium: &Medium<'_>, first: u32, needed: Option<u64>, one_run: bool) -> Result<Chain, Removed> {
        match needed {
            Some(needed) if one_run => Ok(contiguous(&self.heap, &mut self.claims, first, needed)),
            _ => follow(&mut self.table, medium, &self.heap, &mut self.claims, first, needed),
        }
    }

    /// Where the content of a file lies.
    pub(crate) fn file(&mut self, medium: &Medium<'_>, stream: Stream) -> Result<Placed, Removed> {
        if stream.size == 0 {
            return Ok(Placed::default());
        }
        let needed = self.heap.clusters_for(stream.size);
        let chain = self.chain(medium, stream.first, Some(needed), stream.contiguous)?;
        let held = self.heap.bytes(chain.clusters);
        let available = held.min(stream.size);
        let stored = available.min(stream.valid);
        let claimed = self.heap.bytes(chain.new_clusters);
        let slack = if chain.last_is_new { held.saturating_sub(stored).min(claimed) } else { 0 };
        self.tally.slack = self.tally.slack.saturating_add(slack);
        self.tally.file = self.tally.file.saturating_add(claimed.saturating_sub(slack));

        let extents = self.heap.extents(&chain.runs, stored);
        let tail =
            if stored < available { behind(self.heap.extents(&chain.runs, available), stored) } else { Vec::new() };
        let mut placed = Placed { extents, faults: Vec::new(), tail };
        self.cross_links(&chain, stream.size, &mut placed.faults);
        outside_faults(&placed.extents, &mut placed.faults);
        trim_holes(&mut placed.extents);
        let here = placed.extents.iter().map(|extent| extent.length).fold(0, u64::saturating_add);
        if here == stored && available > stored {
            placed.extents.push(Extent::hole(available.saturating_sub(stored)));
        } else if here < stored && available > stored {
            let length = available.saturating_sub(stored);
            placed.faults.push(Fault { offset: stored, length, cause: Cause::Corrupt(Corruption::Chain) });
        }
        if chain.end == ChainEnd::Broken && held >= stream.size {
            // Its last cluster is marked as free or defective: the next writer may change it.
            let offset = held.saturating_sub(self.heap.cluster_bytes);
            let length = stream.size.saturating_sub(offset);
            placed.faults.push(Fault { offset, length, cause: Cause::Corrupt(Corruption::Chain) });
        }
        if available < stream.size {
            let cause = chain.end.cause();
            let length = stream.size.saturating_sub(available);
            placed.faults.push(Fault { offset: available, length, cause });
        }
        Ok(placed)
    }

    /// Where the records of a folder lie (or of another structure that belongs to the filesystem), and what is wrong.
    pub(crate) fn folder(&mut self, medium: &Medium<'_>, folder: FolderRef) -> Result<Placed, Removed> {
        let first = u32::try_from(folder.id).unwrap_or(0);
        let needed = folder.length.map(|length| self.heap.clusters_for(length));
        let chain = self.chain(medium, first, needed, folder.contiguous)?;
        let length = folder.length.unwrap_or(u64::MAX).min(self.heap.bytes(chain.clusters));
        self.tally.metadata = self.tally.metadata.saturating_add(self.heap.bytes(chain.new_clusters));
        let extents = self.heap.extents(&chain.runs, length);
        let mut faults = Vec::new();
        if !chain.shared.is_empty() {
            faults.push(self.folder_fault(first, Cause::Corrupt(Corruption::CrossLinked)));
        }
        if extents.iter().any(|extent| extent.is_hole()) {
            faults.push(self.folder_fault(first, Cause::Corrupt(Corruption::Chain)));
        }
        let complete = match needed {
            Some(needed) => chain.clusters >= needed,
            None => chain.end == ChainEnd::EndMark,
        };
        if !complete {
            faults.push(self.folder_fault(first, chain.end.cause()));
        }
        Ok(Placed { extents, faults, tail: Vec::new() })
    }

    fn folder_fault(&self, first: u32, cause: Cause) -> Fault {
        let offset = if self.heap.holds(first) { self.heap.position(first) } else { self.heap.start };
        Fault { offset, length: 0, cause }
    }

    /// Names the parts of a chain that another entry claimed first.
    fn cross_links(&self, chain: &Chain, size: u64, faults: &mut Vec<Fault>) {
        for (index, count) in &chain.shared {
            let offset = self.heap.bytes(*index);
            let length = self.heap.bytes(*count).min(size.saturating_sub(offset));
            faults.push(Fault { offset, length, cause: Cause::Corrupt(Corruption::CrossLinked) });
        }
    }

    /// Whether a cluster belongs to what was followed so far.
    pub(crate) fn claimed(&self, cluster: u32) -> bool {
        self.claims.contains(cluster)
    }

    /// Counts metadata that was read.
    pub(crate) fn count_read(&mut self, bytes: u64) {
        self.tally.metadata_read = self.tally.metadata_read.saturating_add(bytes);
    }

    /// A fault when the two copies of the table disagree about something that was read.
    pub(crate) fn take_mirror_fault(&mut self) -> Option<Fault> {
        let offset = self.table.take_difference()?;
        Some(Fault { offset, length: 0, cause: Cause::Corrupt(Corruption::Allocation) })
    }

    /// A fault when the account of claims had to be given up.
    pub(crate) fn claims_fault(&mut self) -> Option<Fault> {
        self.claims.take_overflow().then_some(Fault {
            offset: self.heap.start,
            length: 0,
            cause: Cause::ReadLimit(ReadLimit::Entries),
        })
    }

    /// The area ledger of a volume whose boot areas and metadata outside the heap are given.
    pub(crate) fn area(&self, volume: &Range<u64>, boot: Vec<Range<u64>>, outside: u64) -> VolumeArea {
        let metadata = outside.saturating_add(self.tally.metadata);
        let metadata_read = self.table.bytes_read().saturating_add(self.tally.metadata_read);
        VolumeArea::of(volume, boot, &Tally { metadata, metadata_read, ..self.tally })
    }
}

/// Names the holes: parts of the content that lie behind the end of the medium.
fn outside_faults(extents: &[Extent], faults: &mut Vec<Fault>) {
    let mut offset = 0u64;
    for extent in extents {
        if extent.is_hole() {
            faults.push(Fault { offset, length: extent.length, cause: Cause::Corrupt(Corruption::Chain) });
        }
        offset = offset.saturating_add(extent.length);
    }
}

/// What of `extents` lies behind their first `skip` bytes.
fn behind(extents: Vec<Extent>, mut skip: u64) -> Vec<Extent> {
    let rest = extents.into_iter().filter_map(|extent| {
        let cut = skip.min(extent.length);
        skip = skip.saturating_sub(cut);
        let start = if extent.is_hole() { extent.start } else { extent.start.saturating_add(cut) };
        let length = extent.length.saturating_sub(cut);
        (length > 0).then_some(Extent { start, length })
    });
    rest.collect()
}

/// Content ends with the last byte that exists.
fn trim_holes(extents: &mut Vec<Extent>) {
    while extents.last().is_some_and(|extent| extent.is_hole()) {
        extents.pop();
    }
}
