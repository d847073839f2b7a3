//! Following a cluster chain: runs, loops, cross-links, early ends.

use super::{AllocationTable, Claims, Heap, Link};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption};

/// Ranges of shared clusters that are kept apart for one chain; later ones are joined with the last.
const MAX_SHARED: usize = 16;

/// Clusters that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// First cluster.
    pub(crate) first: u32,
    /// Clusters.
    pub(crate) count: u32,
}

/// Why a chain was not followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChainEnd {
    /// As many clusters as were asked for.
    Enough,
    /// The table says so.
    EndMark,
    /// It loops, leaves the heap, or runs into a free or defective cluster.
    Broken,
    /// The table cannot be read there.
    Unreadable,
    /// It runs through other entries' clusters, and too many chains of this volume do.
    Shared,
}

impl ChainEnd {
    /// What to say about content that should have followed.
    pub(crate) fn cause(self) -> Cause {
        match self {
            Self::Unreadable => Cause::Unreadable,
            Self::Shared => Cause::Corrupt(Corruption::CrossLinked),
            Self::Enough | Self::EndMark | Self::Broken => Cause::Corrupt(Corruption::Chain),
        }
    }
}

/// A chain as far as it could be followed.
#[derive(Debug)]
pub(crate) struct Chain {
    /// In the order of the content.
    pub(crate) runs: Vec<Run>,
    /// Clusters of all runs.
    pub(crate) clusters: u64,
    /// Why it ends.
    pub(crate) end: ChainEnd,
    /// Parts that belong to another entry as well: index of the first cluster within the chain, clusters.
    pub(crate) shared: Vec<(u64, u64)>,
    /// Clusters that no entry had claimed before.
    pub(crate) new_clusters: u64,
    /// Whether the last one is among them.
    pub(crate) last_is_new: bool,
}

impl Chain {
    fn new() -> Self {
        let end = ChainEnd::Broken;
        Self { runs: Vec::new(), clusters: 0, end, shared: Vec::new(), new_clusters: 0, last_is_new: false }
    }

    fn push(&mut self, first: u32, count: u32, fresh: bool) {
        let index = self.clusters;
        self.clusters = self.clusters.saturating_add(u64::from(count));
        match self.runs.last_mut() {
            Some(run) if run.first.checked_add(run.count) == Some(first) => run.count = run.count.saturating_add(count),
            _ => self.runs.push(Run { first, count }),
        }
        self.last_is_new = fresh;
        if fresh {
            self.new_clusters = self.new_clusters.saturating_add(u64::from(count));
            return;
        }
        let full = self.shared.len() >= MAX_SHARED;
        match self.shared.last_mut() {
            Some((start, length)) if full || start.saturating_add(*length) == index => {
                *length = self.clusters.saturating_sub(*start);
            }
            _ => self.shared.push((index, u64::from(count))),
        }
    }

    fn ended(mut self, end: ChainEnd) -> Self {
        self.end = end;
        self
    }
}

/// Follows the chain that begins at `first`, for `needed` clusters or to its end mark.
///
/// A cluster that was claimed before is either this chain's own (a loop: the chain ends here) or another entry's (a
/// cross-link: it is noted and the chain goes on, so that its content is still seen).
pub(crate) fn follow(
    table: &mut AllocationTable,
    medium: &Medium<'_>,
    heap: &Heap,
    claims: &mut Claims,
    first: u32,
    needed: Option<u64>,
) -> Result<Chain, Removed> {
    let mut chain = Chain::new();
    // Made when the first claimed cluster is met: only then is there anything to tell apart.
    let mut own: Option<Claims> = None;
    let mut cluster = first;
    loop {
        if needed.is_some_and(|needed| chain.clusters >= needed) {
            return Ok(chain.ended(ChainEnd::Enough));
        }
        // The count alone ends a chain whose loop the claims could not see because they overflowed.
        if !heap.holds(cluster) || chain.clusters > u64::from(heap.count) {
            return Ok(chain.ended(ChainEnd::Broken));
        }
        let fresh = !claims.contains(cluster);
        if !fresh && own.is_none() {
            own = Some(claims_of(heap, &chain.runs));
        }
        if own.as_mut().is_some_and(|own| !own.claim(cluster)) {
            return Ok(chain.ended(ChainEnd::Broken));
        }
        let link = match table.link(medium, cluster) {
            Ok(link) => link,
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { .. }) => {
                // The cluster itself is known to belong to the chain; only what follows is not.
                take(claims, &mut chain, cluster, fresh);
                let enough = needed.is_some_and(|needed| chain.clusters >= needed);
                return Ok(chain.ended(if enough { ChainEnd::Enough } else { ChainEnd::Unreadable }));
            }
        };
        if !fresh && !claims.may_share() {
            return Ok(chain.ended(ChainEnd::Shared));
        }
        match link {
            Link::Free | Link::Bad => {
                // Hosts look at the entry of a cluster only to find the next one: they do show this cluster.
                take(claims, &mut chain, cluster, fresh);
                return Ok(chain.ended(ChainEnd::Broken));
            }
            Link::End => {
                take(claims, &mut chain, cluster, fresh);
                return Ok(chain.ended(ChainEnd::EndMark));
            }
            Link::Next(next) => {
                take(claims, &mut chain, cluster, fresh);
                cluster = next;
            }
        }
    }
}

fn take(claims: &mut Claims, chain: &mut Chain, cluster: u32, fresh: bool) {
    claims.claim(cluster);
    chain.push(cluster, 1, fresh);
}

fn claims_of(heap: &Heap, runs: &[Run]) -> Claims {
    let mut own = Claims::new(heap.count);
    for run in runs {
        for cluster in run.first..run.first.saturating_add(run.count) {
            own.claim(cluster);
        }
    }
    own
}

/// A run of `needed` clusters without a chain (exFAT NoFatChain, 6.3.4.2).
pub(crate) fn contiguous(heap: &Heap, claims: &mut Claims, first: u32, needed: u64) -> Chain {
    let mut chain = Chain::new();
    if !heap.holds(first) {
        return chain;
    }
    let room = u64::from(heap.last().saturating_sub(first)).saturating_add(1);
    let mut left = u32::try_from(needed.min(room)).unwrap_or(heap.count);
    let mut cluster = first;
    while left > 0 {
        let count = if claims.claim_page(cluster, left) { Claims::PAGE } else { 1 };
        let fresh = count > 1 || claims.claim(cluster);
        if !fresh && !claims.may_share() {
            return chain.ended(ChainEnd::Shared);
        }
        chain.push(cluster, count, fresh);
        cluster = cluster.saturating_add(count);
        left = left.saturating_sub(count);
    }
    let end = if needed > room { ChainEnd::Broken } else { ChainEnd::Enough };
    chain.ended(end)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod tests {
    use super::*;
    use crate::clusters::Width;
    use crate::source::MemorySource;

    const END: u16 = 0xffff;

    /// A FAT16 table of the given entries, from cluster 2 on.
    fn with_table(entries: &[u16], test: impl FnOnce(&mut AllocationTable, &Medium<'_>, &Heap, &mut Claims)) {
        let bytes: Vec<u8> = [0xfff8, END].iter().chain(entries).flat_map(|entry| entry.to_le_bytes()).collect();
        let length = bytes.len() as u64;
        let source = MemorySource::new(bytes);
        let medium = Medium::new(&source, 512);
        let count = entries.len() as u32;
        let heap = Heap { start: 0, cluster_bytes: 512, count, end: u64::MAX };
        test(&mut AllocationTable::new(0, length, Width::Fat16), &medium, &heap, &mut Claims::new(count));
    }

    #[test]
    fn neighbours_become_one_run() {
        with_table(&[3, 4, 6, 0, 7, END], |table, medium, heap, claims| {
            let chain = follow(table, medium, heap, claims, 2, None).unwrap();
            assert_eq!(chain.runs, [Run { first: 2, count: 3 }, Run { first: 6, count: 2 }]);
            assert_eq!((chain.end, chain.clusters), (ChainEnd::EndMark, 5));
        });
    }

    #[test]
    fn a_loop_ends_before_its_first_repetition() {
        with_table(&[3, 4, 3], |table, medium, heap, claims| {
            let chain = follow(table, medium, heap, claims, 2, Some(1_000_000)).unwrap();
            assert_eq!((chain.clusters, chain.end, chain.shared.len()), (3, ChainEnd::Broken, 0));
        });
    }

    #[test]
    fn a_cross_link_is_noted_and_followed() {
        with_table(&[3, 4, END, 3], |table, medium, heap, claims| {
            follow(table, medium, heap, claims, 2, None).unwrap();
            let chain = follow(table, medium, heap, claims, 5, None).unwrap();
            assert_eq!((chain.clusters, chain.end, chain.new_clusters), (3, ChainEnd::EndMark, 1));
            assert_eq!(chain.shared, [(1, 2)]);
        });
    }

    #[test]
    fn a_chain_into_a_free_cluster_or_out_of_the_heap_is_broken() {
        with_table(&[3, 0, 99, 5], |table, medium, heap, claims| {
            let into_free = follow(table, medium, heap, claims, 2, Some(2)).unwrap();
            assert_eq!((into_free.clusters, into_free.end), (2, ChainEnd::Broken));
            let chain = follow(table, medium, heap, claims, 4, None).unwrap();
            assert_eq!((chain.clusters, chain.end), (1, ChainEnd::Broken));
            let itself = follow(table, medium, heap, claims, 5, None).unwrap();
            assert_eq!((itself.clusters, itself.end), (1, ChainEnd::Broken));
            assert_eq!(follow(table, medium, heap, claims, 1, None).unwrap().clusters, 0);
        });
    }

    #[test]
    fn sharing_is_bounded() {
        with_table(&[3, 4, END], |table, medium, heap, claims| {
            let steps = 2 * 3 + 65_536;
            for _ in 0..=(steps / 3 + 1) {
                follow(table, medium, heap, claims, 2, None).unwrap();
            }
            assert_eq!(follow(table, medium, heap, claims, 2, None).unwrap().end, ChainEnd::Shared);
        });
    }

    #[test]
    fn a_contiguous_run_stops_at_the_end_of_the_heap() {
        let heap = Heap { start: 0, cluster_bytes: 512, count: 10_000, end: u64::MAX };
        let mut claims = Claims::new(heap.count);
        let chain = contiguous(&heap, &mut claims, 2000, 20_000);
        assert_eq!((chain.clusters, chain.end), (8002, ChainEnd::Broken));
        assert_eq!(chain.runs.len(), 1);
        assert_eq!(contiguous(&heap, &mut claims, 3000, 2).shared, [(0, 2)]);
    }
}
