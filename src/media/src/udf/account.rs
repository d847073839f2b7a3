//! Which block belongs to whom, and how much of the volume is of which class.

use super::blocks::{BlockSet, PAGE};
use super::space::{Piece, Space};
use super::tag::Place;
use crate::filesystem::{Fault, Tally, VolumeArea};
use blanche_sandbox::wire::{Cause, ReadLimit};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Runs of content that are remembered (about 32 MiB).
const MAX_RUNS: usize = 1 << 21;
/// Bytes of structures that may be read again because several others name them.
const MAX_AGAIN: u64 = 64 << 20;
/// Bytes of the boot area: before the volume recognition sequence.
pub(super) const BOOT_BYTES: u64 = super::recognition::SEQUENCE_START;

/// How blocks were claimed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sharing {
    /// Not at all.
    Fresh,
    /// By another name of the same content.
    Same,
    /// By something else.
    Crossed,
    /// So much was claimed twice that nothing is followed any more.
    Exhausted,
}

/// The account of one volume.
#[derive(Debug)]
pub(super) struct Account {
    /// Of the volume.
    pub(super) blocks: BlockSet,
    /// Of metadata partitions, by partition reference.
    pub(super) inner: BTreeMap<u16, BlockSet>,
    /// Runs of content: first block of the volume, blocks.
    runs: BTreeSet<(u32, u32)>,
    /// Pages that may still be gone through for blocks that are claimed already.
    shared_left: u64,
    again_left: u64,
    overflow: bool,
    metadata: u64,
    metadata_read: u64,
    file: u64,
    slack: u64,
}

impl Account {
    /// For a volume of so many blocks.
    pub(super) fn new(blocks: u32) -> Self {
        Self {
            blocks: BlockSet::new(blocks),
            inner: BTreeMap::new(),
            runs: BTreeSet::new(),
            shared_left: u64::from(blocks / PAGE).saturating_mul(8).saturating_add(1 << 24),
            again_left: MAX_AGAIN,
            overflow: false,
            metadata: 0,
            metadata_read: 0,
            file: 0,
            slack: 0,
        }
    }

    /// Claims blocks of a partition for structures; returns whether all of them were free.
    pub(super) fn structure(&mut self, space: &Space, place: Place, count: u32) -> bool {
        if let Some(inner) = self.inner.get_mut(&place.partition) {
            return inner.insert(place.block..place.block.saturating_add(count)) == count;
        }
        let mut fresh = 0u32;
        for piece in space.pieces(place, count) {
            let blocks = piece.physical..piece.physical.saturating_add(piece.count);
            fresh = fresh.saturating_add(self.outer_structure(space, blocks));
        }
        fresh == count
    }

    /// Claims blocks of the volume for structures; returns how many were free.
    pub(super) fn outer_structure(&mut self, space: &Space, blocks: Range<u32>) -> u32 {
        let fresh = self.blocks.insert(blocks);
        self.metadata = self.metadata.saturating_add(u64::from(fresh).saturating_mul(space.block));
        fresh
    }

    /// Claims bytes of the medium for structures.
    pub(super) fn bytes_structure(&mut self, space: &Space, bytes: &Range<u64>) {
        let first = bytes.start.saturating_sub(space.range.start).checked_div(space.block).unwrap_or(0);
        let end = space.blocks_for(bytes.end.saturating_sub(space.range.start));
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        self.outer_structure(space, first..end);
    }

    /// Claims an extent of a file: `used` of its bytes are content, the rest of its blocks is slack.
    pub(super) fn content(&mut self, space: &Space, place: Place, length: u64, used: u64) -> Sharing {
        if self.shared_left == 0 {
            return Sharing::Exhausted;
        }
        let mut sharing = Sharing::Fresh;
        let mut used = used;
        for piece in space.pieces(place, space.blocks_for(length)) {
            let bytes = u64::from(piece.count).saturating_mul(space.block);
            let content = used.min(bytes);
            used = used.saturating_sub(content);
            sharing = sharing.max(self.piece(place.partition, piece, content, bytes));
        }
        sharing
    }

    fn piece(&mut self, partition: u16, piece: Piece, content: u64, bytes: u64) -> Sharing {
        let run = (piece.physical, piece.count);
        let fresh = match self.inner.get_mut(&partition) {
            Some(inner) => inner.insert(piece.logical..piece.logical.saturating_add(piece.count)),
            None => self.blocks.insert(piece.physical..piece.physical.saturating_add(piece.count)),
        };
        if fresh == piece.count {
            if !self.inner.contains_key(&partition) {
                self.file = self.file.saturating_add(content);
                self.slack = self.slack.saturating_add(bytes.saturating_sub(content));
            }
            if self.runs.len() < MAX_RUNS {
                self.runs.insert(run);
            }
            return Sharing::Fresh;
        }
        self.shared_left = self.shared_left.saturating_sub(u64::from(piece.count / PAGE).saturating_add(1));
        if fresh == 0 && self.runs.contains(&run) { Sharing::Same } else { Sharing::Crossed }
    }

    /// Whether structures of so many bytes may be read once more.
    pub(super) fn again(&mut self, bytes: u64) -> bool {
        let allowed = self.again_left >= bytes;
        self.again_left = self.again_left.saturating_sub(bytes);
        allowed
    }

    /// Counts structures that were read.
    pub(super) fn count_read(&mut self, bytes: u64) {
        self.metadata_read = self.metadata_read.saturating_add(bytes);
    }

    /// A fault when the account had to leave blocks out.
    pub(super) fn overflow_fault(&mut self, space: &Space) -> Option<Fault> {
        let inner = self.inner.values_mut().any(BlockSet::take_overflow);
        let overflow = self.blocks.take_overflow() || inner;
        let fresh = overflow && !self.overflow;
        self.overflow |= overflow;
        fresh.then(|| space.volume_fault(Cause::ReadLimit(ReadLimit::Entries)))
    }

    /// The area ledger.
    pub(super) fn area(&self, space: &Space) -> VolumeArea {
        let length = space.range.end.saturating_sub(space.range.start);
        let boot = space.range.start..space.range.start.saturating_add(BOOT_BYTES.min(length));
        let (file, slack, metadata, metadata_read) = (self.file, self.slack, self.metadata, self.metadata_read);
        VolumeArea::of(&space.range, vec![boot], &Tally { file, slack, metadata, metadata_read, free_read: 0 })
    }
}
