//! The blocks of one volume: where they lie, whom they belong to, what they are used for, and the few of them that are
//! kept in memory.

use super::superblock::SUPERBLOCK;
use crate::bytes::{index, wide};
use crate::clusters::Claims;
use crate::filesystem::{Fault, Tally, VolumeArea};
use crate::source::{Medium, ReadError};
use blanche_sandbox::wire::{Cause, ReadLimit};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

/// Blocks kept.
const KEPT: usize = 32;
/// Bytes of metadata that may be looked at again because several names or inodes share it. Honest volumes share what is
/// small; hostile ones may make us look at the same tree once per entry.
const MAX_AGAIN: u64 = 4 << 30;

/// What blocks are claimed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Content, of which so many bytes of the run are within the file's size.
    File(u64),
    /// Structures of the filesystem.
    Metadata,
}

/// The blocks of one volume.
#[derive(Debug)]
pub(super) struct Space {
    range: Range<u64>,
    pub(super) block: u64,
    /// First block that belongs to a group.
    first: u32,
    /// Blocks that the volume has and the medium holds.
    count: u32,
    /// Blocks of a cluster.
    cluster: u32,
    claims: Claims,
    /// Blocks of attributes, which inodes may share, and those of them in which nothing but the ordinary stands.
    attributes: Claims,
    ordinary: Claims,
    kept: VecDeque<(u32, Rc<[u8]>)>,
    again_left: u64,
    tally: Tally,
}

impl Space {
    /// For the volume in `range` with `count` blocks of `block` bytes, as far as they lie in it.
    pub(super) fn new(range: Range<u64>, block: u64, first: u32, count: u32, cluster: u32) -> Self {
        let here = range.end.saturating_sub(range.start).checked_div(block).unwrap_or(0);
        let count = u32::try_from(here).unwrap_or(u32::MAX).min(count);
        let claims = || Claims::new(count);
        Self {
            range,
            block,
            first,
            count,
            cluster,
            claims: claims(),
            attributes: claims(),
            ordinary: claims(),
            kept: VecDeque::new(),
            again_left: MAX_AGAIN,
            tally: Tally::default(),
        }
    }

    /// Whether all of these blocks lie in the volume and behind the boot area.
    pub(super) fn holds(&self, block: u64, count: u64) -> bool {
        block > 0 && block >= u64::from(self.first) && block.saturating_add(count) <= u64::from(self.count)
    }

    /// First byte of a block on the medium.
    pub(super) fn position(&self, block: u32) -> u64 {
        self.range.start.saturating_add(u64::from(block).saturating_mul(self.block))
    }

    /// Bytes of so many blocks.
    pub(super) fn bytes(&self, blocks: u64) -> u64 {
        blocks.saturating_mul(self.block)
    }

    /// Claims a run of blocks and counts it; `shared` is told about every run (from the first block on) that was claimed
    /// before. Returns how many blocks may be used: fewer when too much is shared.
    pub(super) fn claim(&mut self, first: u32, count: u32, usage: Use, shared: &mut dyn FnMut(u32, u32)) -> u32 {
        let (mut done, mut fresh) = (0u32, 0u32);
        let mut since = None;
        while done < count {
            let block = first.saturating_add(done);
            let left = count.saturating_sub(done);
            let step = if self.claims.claim_page(block, left) { Claims::PAGE } else { 1 };
            let is_fresh = step > 1 || self.claims.claim(block);
            if is_fresh {
                fresh = fresh.saturating_add(step);
                if let Some(start) = since.take() {
                    shared(start, done.saturating_sub(start));
                }
            } else {
                since.get_or_insert(done);
                if !self.claims.may_share() {
                    break;
                }
            }
            done = done.saturating_add(step);
        }
        if let Some(start) = since {
            shared(start, done.saturating_sub(start));
        }
        self.count_claimed(fresh, usage);
        done
    }

    fn count_claimed(&mut self, blocks: u32, usage: Use) {
        let bytes = self.bytes(u64::from(blocks));
        match usage {
            Use::Metadata => self.tally.metadata = self.tally.metadata.saturating_add(bytes),
            Use::File(inside) => {
                let file = inside.min(bytes);
                self.tally.file = self.tally.file.saturating_add(file);
                self.tally.slack = self.tally.slack.saturating_add(bytes.saturating_sub(file));
            }
        }
    }

    /// With bigalloc, what surrounds the runs of a file in their clusters is slack. Called when all of them are claimed.
    pub(super) fn claim_rest(&mut self, first: u32, count: u32) {
        let within = first.checked_rem(self.cluster).unwrap_or(0);
        let end = first.saturating_add(count);
        let next = end.checked_next_multiple_of(self.cluster).unwrap_or(end).min(self.count);
        let before = (first.saturating_sub(within).max(1)..first).rev();
        let mut slack = before.take_while(|block| self.claims.claim(*block)).count();
        slack = slack.saturating_add((end..next).take_while(|block| self.claims.claim(*block)).count());
        self.tally.slack = self.tally.slack.saturating_add(self.bytes(wide(slack)));
    }

    /// Whether space is given away in clusters of several blocks (bigalloc).
    pub(super) fn clustered(&self) -> bool {
        self.cluster > 1
    }

    /// Claims one block of the filesystem's own; false when it belongs to something already.
    pub(super) fn claim_metadata(&mut self, block: u32) -> bool {
        let mut fresh = true;
        self.claim(block, 1, Use::Metadata, &mut |_, _| fresh = false);
        fresh
    }

    /// Claims a block of attributes, which several inodes may have in common.
    pub(super) fn claim_attributes(&mut self, block: u32) -> Shared {
        if self.ordinary.contains(block) {
            return Shared::Ordinary;
        }
        if self.attributes.claim(block) {
            return if self.claim_metadata(block) { Shared::First } else { Shared::Crossed };
        }
        Shared::Again
    }

    /// Whether this byte of the medium lies in a block of attributes.
    pub(super) fn is_attribute_block(&self, position: u64) -> bool {
        let block = position.saturating_sub(self.range.start).checked_div(self.block).unwrap_or(0);
        u32::try_from(block).is_ok_and(|block| self.attributes.contains(block))
    }

    /// Remembers that nothing in this block of attributes is worth a second look.
    pub(super) fn set_ordinary(&mut self, block: u32) {
        self.ordinary.claim(block);
    }

    /// Whether so many bytes may be looked at once more.
    pub(super) fn again(&mut self, bytes: u64) -> bool {
        let allowed = self.again_left >= bytes;
        self.again_left = self.again_left.saturating_sub(bytes);
        allowed
    }

    /// One block of metadata, which must lie in the volume.
    pub(super) fn read(&mut self, medium: &Medium<'_>, block: u32) -> Result<Rc<[u8]>, ReadError> {
        if let Some(found) = self.kept.iter().position(|(number, _)| *number == block) {
            let kept = self.kept.remove(found);
            let bytes = kept.as_ref().map(|(_, bytes)| Rc::clone(bytes));
            self.kept.extend(kept);
            return Ok(bytes.unwrap_or_default());
        }
        let mut bytes = vec![0u8; index(self.block)];
        medium.read(self.position(block), &mut bytes)?;
        let bytes: Rc<[u8]> = bytes.into();
        self.count_read(wide(bytes.len()));
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((block, Rc::clone(&bytes)));
        Ok(bytes)
    }

    /// Counts metadata that was read.
    pub(super) fn count_read(&mut self, bytes: u64) {
        self.tally.metadata_read = self.tally.metadata_read.saturating_add(bytes);
    }

    /// A fault when the account of claims had to be given up.
    pub(super) fn claims_fault(&mut self) -> Option<Fault> {
        let all = [&mut self.claims, &mut self.attributes, &mut self.ordinary];
        let overflow = all.into_iter().fold(false, |lost, claims| claims.take_overflow() | lost);
        let cause = Cause::ReadLimit(ReadLimit::Entries);
        overflow.then_some(Fault { offset: self.range.start, length: 0, cause })
    }

    /// The area ledger: the boot area, what was claimed, and the rest.
    pub(super) fn area(&self) -> VolumeArea {
        let length = self.range.end.saturating_sub(self.range.start);
        let boot = self.range.start..self.range.start.saturating_add(SUPERBLOCK.min(length));
        // Block 0 is claimed with its superblock; where blocks are larger than 1 KiB it holds the boot area too.
        let within = if self.block > SUPERBLOCK { SUPERBLOCK } else { 0 };
        let tally = Tally { metadata: self.tally.metadata.saturating_sub(within), ..self.tally };
        VolumeArea::of(&self.range, vec![boot], &tally)
    }
}

/// To whom a block of attributes belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    /// To this inode, as far as is known.
    First,
    /// To another inode as well.
    Again,
    /// It was seen, and nothing but the ordinary stands in it.
    Ordinary,
    /// To something that is no attribute.
    Crossed,
}
