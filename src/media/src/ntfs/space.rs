//! The clusters of a volume: where runs lie on the medium, who claimed them first, and the account of their use.

use super::runs::{Place, Run};
use crate::clusters::Claims;
use crate::filesystem::{Extent, Fault, Tally, VolumeArea};
use blanche_sandbox::wire::{Cause, ReadLimit};
use std::ops::Range;

/// Ranges of shared clusters of one attribute that are told apart.
const MAX_SHARED: usize = 64;

/// What clusters are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Content, of which so many bytes are stored; the rest of its clusters is slack.
    Content(u64),
    /// Structures of the filesystem.
    Metadata,
}

/// Clusters of a volume.
#[derive(Debug)]
pub(super) struct Space {
    /// First byte of cluster 0 on the medium.
    start: u64,
    /// Bytes of a cluster.
    pub(super) cluster: u64,
    /// Clusters that the medium holds.
    pub(super) clusters: u64,
    claims: Claims,
    file: u64,
    slack: u64,
    metadata: u64,
    /// Bytes of metadata that were read.
    pub(super) read: u64,
    /// What is stored of the contents of system files, to be matched: they are judged by their names only.
    structures: Vec<Vec<Extent>>,
}

impl Space {
    pub(super) fn new(start: u64, cluster: u64, clusters: u64) -> Self {
        let claims = Claims::new(u32::try_from(clusters).unwrap_or(u32::MAX));
        Self { start, cluster, clusters, claims, file: 0, slack: 0, metadata: 0, read: 0, structures: Vec::new() }
    }

    /// Bytes of so many clusters.
    pub(super) fn bytes(&self, clusters: u64) -> u64 {
        clusters.saturating_mul(self.cluster)
    }

    /// The first `length` bytes of `runs`, neighbours joined. What lies outside the volume becomes a hole and is added
    /// to `outside` (bytes within the attribute).
    pub(super) fn extents(&self, runs: &[Run], length: u64, outside: &mut Vec<Range<u64>>) -> Vec<Extent> {
        let mut extents: Vec<Extent> = Vec::with_capacity(runs.len());
        let mut offset = 0u64;
        for run in runs {
            let bytes = self.bytes(run.count).min(length.saturating_sub(offset));
            if bytes == 0 {
                break;
            }
            let start = match run.place {
                Place::At(first) => self.start.saturating_add(self.bytes(first)),
                Place::Hole => Extent::HOLE,
                Place::Outside => {
                    outside.push(offset..offset.saturating_add(bytes));
                    Extent::HOLE
                }
            };
            match extents.last_mut() {
                Some(last) if follows(*last, start) => last.length = last.length.saturating_add(bytes),
                _ => extents.push(Extent { start, length: bytes }),
            }
            offset = offset.saturating_add(bytes);
        }
        extents
    }

    /// Claims the clusters of `runs`; returns those that were claimed before, as bytes within the attribute.
    pub(super) fn claim(&mut self, runs: &[Run], used_for: Use) -> Vec<Range<u64>> {
        let (mut shared, mut offset, mut fresh) = (Vec::new(), 0u64, 0u64);
        for run in runs {
            if let Place::At(first) = run.place {
                fresh = fresh.saturating_add(self.claim_run(first, run.count, offset, &mut shared));
            }
            offset = offset.saturating_add(run.count);
        }
        let fresh = self.bytes(fresh);
        match used_for {
            Use::Metadata => self.metadata = self.metadata.saturating_add(fresh),
            Use::Content(stored) => {
                let stored = stored.min(fresh);
                self.file = self.file.saturating_add(stored);
                self.slack = self.slack.saturating_add(fresh.saturating_sub(stored));
            }
        }
        shared.into_iter().map(|range| self.bytes(range.start)..self.bytes(range.end)).collect()
    }

    /// Claims one run, which begins with cluster `offset` of its attribute; returns how many clusters were free.
    fn claim_run(&mut self, first: u64, count: u64, offset: u64, shared: &mut Vec<Range<u64>>) -> u64 {
        let (mut done, mut fresh) = (0u64, 0u64);
        while done < count {
            let cluster = u32::try_from(first.saturating_add(done)).unwrap_or(u32::MAX);
            let left = u32::try_from(count.saturating_sub(done)).unwrap_or(u32::MAX);
            let at = offset.saturating_add(done);
            if self.claims.claim_page(cluster, left) {
                done = done.saturating_add(u64::from(Claims::PAGE));
                fresh = fresh.saturating_add(u64::from(Claims::PAGE));
                continue;
            }
            if self.claims.claim(cluster) {
                fresh = fresh.saturating_add(1);
            } else if self.claims.may_share() {
                note(shared, at..at.saturating_add(1));
            } else {
                note(shared, at..offset.saturating_add(count));
                break;
            }
            done = done.saturating_add(1);
        }
        fresh
    }

    /// Has what is stored of a system file matched as the boot areas are.
    pub(super) fn hand_over(&mut self, runs: &[Run]) {
        let mut extents = self.extents(runs, u64::MAX, &mut Vec::new());
        extents.retain(|extent| !extent.is_hole());
        if !extents.is_empty() {
            self.structures.push(extents);
        }
    }

    /// Moves bytes of metadata to another account: the boot area, or slack.
    pub(super) fn boot_claimed(&mut self, boot: u64, slack: u64) {
        self.metadata = self.metadata.saturating_sub(boot.saturating_add(slack));
        self.slack = self.slack.saturating_add(slack);
    }

    /// A fault when the account of claims had to be given up.
    pub(super) fn overflow(&mut self) -> Option<Fault> {
        let cause = Cause::ReadLimit(ReadLimit::Entries);
        self.claims.take_overflow().then_some(Fault { offset: self.start, length: 0, cause })
    }

    /// The area ledger of the volume in `range`.
    pub(super) fn area(&self, range: &Range<u64>, boot: Vec<Range<u64>>, read: u64) -> VolumeArea {
        let metadata_read = self.read.saturating_add(read);
        let (file, slack, metadata) = (self.file, self.slack, self.metadata);
        let area = VolumeArea::of(range, boot, &Tally { file, slack, metadata, metadata_read, free_read: 0 });
        VolumeArea { structures: self.structures.clone(), ..area }
    }
}

fn follows(last: Extent, start: u64) -> bool {
    if last.is_hole() { start == Extent::HOLE } else { last.start.checked_add(last.length) == Some(start) }
}

/// Adds a range, joined with the last one where they touch or where there are too many.
fn note(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    let full = ranges.len() >= MAX_SHARED;
    match ranges.last_mut() {
        Some(last) if full || last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_clusters_are_told_by_their_place_in_the_second_attribute() {
        let mut space = Space::new(1 << 20, 4096, 100_000);
        let at = |first, count| Run { place: Place::At(first), count };
        let hole = Run { place: Place::Hole, count: 2 };
        assert_eq!(space.claim(&[at(10, 4), hole, at(8192, 8192)], Use::Content(5000)), []);
        let shared = space.claim(&[hole, at(12, 4)], Use::Metadata);
        assert_eq!((shared.len(), shared[0].clone()), (1, 8192..16_384));
        assert_eq!((space.file, space.metadata), (5000, 8192));
        assert_eq!(space.slack, (4 + 8192) * 4096 - 5000);
    }

    #[test]
    fn runs_become_extents() {
        let space = Space::new(1 << 20, 4096, 100);
        let run = |place, count| Run { place, count };
        let runs = [run(Place::At(1), 1), run(Place::At(2), 1), run(Place::Outside, 1), run(Place::At(9), 9)];
        let mut outside = Vec::new();
        let extents = space.extents(&runs, 14_000, &mut outside);
        let first = Extent { start: (1 << 20) + 4096, length: 8192 };
        let last = Extent { start: (1 << 20) + 9 * 4096, length: 14_000 - 12_288 };
        assert_eq!((extents, outside.len()), (vec![first, Extent::hole(4096), last], 1));
        assert_eq!(outside[0], 8192..12_288);
    }
}
