//! From the runs of blocks that a tree names, in the order of the content, to extents, faults and claims. The two kinds
//! of trees are in [`super::extents`] and [`super::indirect`].

use super::inode::Inode;
use super::space::{Space, Use};
use super::{extents, indirect};
use crate::filesystem::{Extent, Fault};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

/// Faults of one content that are told apart.
const MAX_FAULTS: usize = 64;
/// Extents of one content.
const MAX_EXTENTS: usize = 1 << 21;
/// Blocks that a file can have: logical numbers have 32 bits.
pub(super) const MAX_BLOCKS: u64 = 1 << 32;

/// For what an inode is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its content is handed over.
    Content,
    /// Its blocks are structures of the filesystem.
    Structure,
    /// Its blocks were claimed when another name of it was met.
    Again,
}

/// Where content lies.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    /// From byte 0 on.
    pub(super) extents: Vec<Extent>,
    /// Offsets within the content.
    pub(super) faults: Vec<Fault>,
}

/// Where the first `size` bytes of the content of an inode lie.
pub(super) fn map(
    space: &mut Space,
    medium: &Medium<'_>,
    inode: &Inode,
    size: u64,
    purpose: Purpose,
) -> Result<Mapping, Removed> {
    let mut mapper = Mapper::new(space, medium, size, purpose);
    if inode.has_extents() {
        extents::map(&mut mapper, inode)?;
    } else {
        indirect::map(&mut mapper, inode)?;
    }
    Ok(mapper.finish())
}

/// The state between the runs of one content.
pub(super) struct Mapper<'a, 'm> {
    pub(super) space: &'a mut Space,
    medium: &'a Medium<'m>,
    size: u64,
    purpose: Purpose,
    mapping: Mapping,
    /// Blocks of the content that came so far, holes counted.
    next: u64,
    /// Bytes of the content in `mapping`.
    covered: u64,
    /// Everything from this byte of the content on is named as missing.
    lost_from: u64,
    /// Blocks of the tree.
    own: BTreeSet<u32>,
    /// Runs whose clusters are still to be closed.
    runs: Vec<(u32, u32)>,
}

impl<'a, 'm> Mapper<'a, 'm> {
    fn new(space: &'a mut Space, medium: &'a Medium<'m>, size: u64, purpose: Purpose) -> Self {
        Self {
            space,
            medium,
            size,
            purpose,
            mapping: Mapping::default(),
            next: 0,
            covered: 0,
            lost_from: size,
            own: BTreeSet::new(),
            runs: Vec::new(),
        }
    }

    /// Names a part of the content; behind its end there is nothing to name.
    fn fault(&mut self, range: Range<u64>, cause: Cause) {
        let range = range.start.min(self.size)..range.end.min(self.size);
        let full = self.mapping.faults.len() >= MAX_FAULTS;
        match self.mapping.faults.last_mut() {
            Some(last) if full || (last.cause == cause && last.offset.saturating_add(last.length) == range.start) => {
                let end = range.end.max(last.offset.saturating_add(last.length));
                last.offset = last.offset.min(range.start);
                last.length = end.saturating_sub(last.offset);
            }
            _ => {
                let length = range.end.saturating_sub(range.start);
                self.mapping.faults.push(Fault { offset: range.start, length, cause });
            }
        }
    }

    fn lose(&mut self, range: Range<u64>, cause: Cause) {
        if range.end >= self.lost_from {
            self.lost_from = self.lost_from.min(range.start);
        }
        self.fault(range, cause);
    }

    /// Names blocks of the content that cannot be found.
    pub(super) fn lose_blocks(&mut self, blocks: Range<u64>, cause: Cause) {
        let range = self.space.bytes(blocks.start)..self.space.bytes(blocks.end);
        self.lose(range, cause);
    }

    /// The next run of blocks: `count` of them, from block `logical` of the content on, at block `physical`.
    pub(super) fn run(&mut self, logical: u64, physical: u64, count: u64, written: bool) {
        let end = logical.saturating_add(count);
        if logical < self.next || self.mapping.extents.len() >= MAX_EXTENTS {
            let limit = Cause::ReadLimit(ReadLimit::Entries);
            let backwards = logical < self.next;
            self.lose_blocks(logical..end, if backwards { Cause::Corrupt(Corruption::Chain) } else { limit });
            return;
        }
        let first = u32::try_from(physical).ok().filter(|_| self.space.holds(physical, count));
        let (Some(first), Ok(count)) = (first, u32::try_from(count)) else {
            self.lose_blocks(logical..end, Cause::Corrupt(Corruption::Chain));
            return;
        };
        let usable = self.claim(logical, first, count, written);
        if usable < count {
            let from = logical.saturating_add(u64::from(usable));
            self.lose_blocks(from..end, Cause::Corrupt(Corruption::CrossLinked));
        }
        self.next = logical.saturating_add(u64::from(usable));
        let bytes = self.space.bytes(logical)..self.space.bytes(self.next).min(self.size);
        if written && bytes.start < bytes.end {
            self.push(bytes.start, self.space.position(first), bytes.end.saturating_sub(bytes.start));
        }
    }

    fn claim(&mut self, logical: u64, first: u32, count: u32, written: bool) -> u32 {
        let usage = match self.purpose {
            Purpose::Again => return count,
            Purpose::Structure => Use::Metadata,
            Purpose::Content if !written => Use::File(0),
            Purpose::Content => {
                let start = self.space.bytes(logical);
                let end = self.space.bytes(logical.saturating_add(u64::from(count))).min(self.size);
                Use::File(end.saturating_sub(start))
            }
        };
        let mut shared = Vec::new();
        let usable = self.space.claim(first, count, usage, &mut |start, length| shared.push((start, length)));
        for (start, length) in shared {
            let from = logical.saturating_add(u64::from(start));
            let range = self.space.bytes(from)..self.space.bytes(from.saturating_add(u64::from(length)));
            self.fault(range, Cause::Corrupt(Corruption::CrossLinked));
        }
        if self.space.clustered() {
            self.runs.push((first, usable));
        }
        usable
    }

    /// Adds stored bytes behind a hole, if there is one.
    fn push(&mut self, offset: u64, start: u64, length: u64) {
        if offset > self.covered {
            self.mapping.extents.push(Extent::hole(offset.saturating_sub(self.covered)));
        }
        self.covered = offset.saturating_add(length);
        match self.mapping.extents.last_mut() {
            Some(last) if !last.is_hole() && last.start.saturating_add(last.length) == start => {
                last.length = last.length.saturating_add(length);
            }
            _ => self.mapping.extents.push(Extent { start, length }),
        }
    }

    /// A block of the tree itself, which stands for `blocks` of the content; `None` when it cannot be used, which was
    /// named then.
    pub(super) fn node(&mut self, block: u64, blocks: &Range<u64>) -> Result<Option<Rc<[u8]>>, Removed> {
        let number = u32::try_from(block).ok().filter(|_| self.space.holds(block, 1));
        let Some(number) = number.filter(|number| self.own.insert(*number)) else {
            self.lose_blocks(blocks.clone(), Cause::Corrupt(Corruption::Chain));
            return Ok(None);
        };
        let again = self.purpose == Purpose::Again;
        let crossed = !again && !self.space.claim_metadata(number);
        if crossed {
            let range = self.space.bytes(blocks.start)..self.space.bytes(blocks.end);
            self.fault(range, Cause::Corrupt(Corruption::CrossLinked));
        }
        if (again || crossed) && !self.space.again(self.space.block) {
            self.lose_blocks(blocks.clone(), Cause::ReadLimit(ReadLimit::Entries));
            return Ok(None);
        }
        if self.space.clustered() && !again {
            self.runs.push((number, 1));
        }
        match self.space.read(self.medium, number) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ReadError::Removed) => Err(Removed),
            Err(ReadError::Unreadable { .. }) => {
                self.lose_blocks(blocks.clone(), Cause::Unreadable);
                Ok(None)
            }
        }
    }

    /// Names a part of the content of which the checksum does not hold.
    pub(super) fn doubt(&mut self, blocks: &Range<u64>) {
        let range = self.space.bytes(blocks.start)..self.space.bytes(blocks.end);
        self.fault(range, Cause::Corrupt(Corruption::Checksum));
    }

    /// What follows the last run is a hole, unless it is missing.
    fn finish(mut self) -> Mapping {
        for (first, count) in std::mem::take(&mut self.runs) {
            self.space.claim_rest(first, count);
        }
        if self.size > self.space.bytes(MAX_BLOCKS) {
            // No file is that long: what is stored is handed over, and the rest is no hole.
            self.lose(self.covered..self.size, Cause::Corrupt(Corruption::FileRecord));
        } else if self.lost_from > self.covered {
            self.mapping.extents.push(Extent::hole(self.lost_from.saturating_sub(self.covered)));
        }
        self.mapping
    }
}

/// Bytes of extents.
pub(super) fn length(extents: &[Extent]) -> u64 {
    extents.iter().map(|extent| extent.length).fold(0, u64::saturating_add)
}
