//! Where the content of a file entry lies: its allocation descriptors (ECMA-167 4/12) as extents on the medium.

use super::account::{Account, Sharing};
use super::icb::{Allocation, Icb};
use super::space::Space;
use super::tag::{ALLOCATION_EXTENT, Descriptor, ExtentType, LONG, Place, SHORT, Tag, count};
use crate::bytes::{Record, is_zero, wide};
use crate::filesystem::{Extent, Fault};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, Feature, ReadLimit};
use std::collections::BTreeSet;

/// Extents of one file that are followed.
pub(super) const MAX_EXTENTS: usize = 1 << 20;
/// Blocks of allocation descriptors of one file: as many as that takes in blocks of 512 bytes.
pub(super) const MAX_CHAIN: usize = 1 << 16;
/// Faults of one file; the last one stands for everything behind it.
const MAX_FAULTS: usize = 64;

const CHAIN: Cause = Cause::Corrupt(Corruption::Chain);
const ALLOCATION: Cause = Cause::Corrupt(Corruption::Allocation);

/// Where content lies.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) extents: Vec<Extent>,
    /// The content, when it is embedded in the file entry.
    pub(super) embedded: Option<Vec<u8>>,
    /// Bytes of content.
    pub(super) size: u64,
    /// Offsets within the content.
    pub(super) faults: Vec<Fault>,
}

/// What the extents are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Content,
    Structure,
}

/// Lays out the content of a file entry and claims its blocks.
pub(super) fn layout(
    medium: &Medium<'_>,
    space: &Space,
    account: &mut Account,
    icb: &Icb,
    purpose: Purpose,
) -> Result<Layout, Removed> {
    let mut layout = Layout { size: icb.size(), ..Layout::default() };
    if !icb.sound {
        layout.fault(0, layout.size, Cause::Corrupt(Corruption::Checksum));
    }
    if icb.transformed() {
        layout.fault(0, layout.size, Cause::FeatureUnsupported(Feature::UnknownFlag));
    }
    let width = match icb.allocation() {
        Allocation::Embedded => {
            let bytes = icb.descriptors();
            let held = wide(bytes.len()).min(layout.size);
            layout.embedded = Some(Record(bytes).slice(0, crate::bytes::index(held)).to_vec());
            layout.missing(held);
            return Ok(layout);
        }
        Allocation::Extended => {
            // Forbidden by UDF 2.60, 2.3.10, and read by no host.
            layout.fault(0, layout.size, Cause::FeatureUnsupported(Feature::UnknownFlag));
            return Ok(layout);
        }
        Allocation::Short => SHORT,
        Allocation::Long => LONG,
    };
    let mut builder = Builder { space, account, layout, purpose, at: 0, lost: 0, width };
    builder.follow(medium, icb)?;
    Ok(builder.finish())
}

impl Layout {
    /// Names a part of the content; merged with the one before it where they touch.
    fn fault(&mut self, offset: u64, length: u64, cause: Cause) {
        let offset = offset.min(self.size);
        let length = length.min(self.size.saturating_sub(offset));
        let full = self.faults.len() >= MAX_FAULTS;
        match self.faults.last_mut() {
            Some(last) if full || (last.cause == cause && last.offset.saturating_add(last.length) >= offset) => {
                let end = offset.saturating_add(length).saturating_sub(last.offset);
                last.length = last.length.max(end);
            }
            _ => self.faults.push(Fault { offset, length, cause }),
        }
    }

    /// Names what is missing behind the first `held` bytes.
    fn missing(&mut self, held: u64) {
        if held < self.size {
            self.fault(held, self.size.saturating_sub(held), CHAIN);
        }
    }
}

struct Builder<'b> {
    space: &'b Space,
    account: &'b mut Account,
    layout: Layout,
    purpose: Purpose,
    /// Bytes described so far.
    at: u64,
    /// Bytes at the end of the extents that lie nowhere.
    lost: u64,
    /// Bytes of an allocation descriptor.
    width: usize,
}

impl Builder<'_> {
    /// Goes through all descriptors, also those in further extents (4/12, 4/14.5).
    fn follow(&mut self, medium: &Medium<'_>, icb: &Icb) -> Result<(), Removed> {
        let mut visited = BTreeSet::new();
        let mut next = self.take(icb.descriptors(), icb.place.partition);
        while let Some(descriptor) = next.take() {
            let place = descriptor.place;
            if !visited.insert(place) || visited.len() > MAX_CHAIN {
                self.rest(CHAIN);
                return Ok(());
            }
            if !self.account.structure(self.space, place, 1) && !self.account.again(self.space.block) {
                self.rest(Cause::Corrupt(Corruption::CrossLinked));
                return Ok(());
            }
            let Some(position) = self.space.block_position(place) else {
                self.rest(CHAIN);
                return Ok(());
            };
            let bytes = match medium.read_vec(position, self.space.block) {
                Ok(bytes) => bytes,
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { .. }) => {
                    self.rest(Cause::Unreadable);
                    return Ok(());
                }
            };
            self.account.count_read(self.space.block);
            next = self.more(&bytes, place);
        }
        Ok(())
    }

    /// The descriptors of a further extent.
    fn more(&mut self, bytes: &[u8], place: Place) -> Option<Descriptor> {
        if Tag::of(bytes).is_none_or(|tag| tag.id != ALLOCATION_EXTENT) {
            self.rest(CHAIN);
            return None;
        }
        if !Tag::sound(bytes, ALLOCATION_EXTENT, place.block) {
            self.rest(Cause::Corrupt(Corruption::Checksum));
        }
        let record = Record(bytes);
        let length = count(record.u32(20));
        if length > bytes.len().saturating_sub(24) {
            self.rest(ALLOCATION);
        }
        self.take(record.slice(24, length), place.partition)
    }

    /// Takes descriptors up to their end; returns where they go on. A length of zero ends them (4/12); what follows
    /// is read by some hosts and not by others.
    fn take(&mut self, bytes: &[u8], partition: u16) -> Option<Descriptor> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let record = Record(rest);
            let descriptor = match self.width {
                SHORT => Descriptor::short(record, 0, partition),
                _ => Descriptor::long(record, 0),
            };
            let behind = rest.get(self.width..);
            let next = behind.unwrap_or_default();
            if behind.is_none() || descriptor.length == 0 || descriptor.kind == ExtentType::Continuation {
                let ended = behind.is_some() && is_zero(next);
                if !ended {
                    self.rest(ALLOCATION);
                }
                return Some(descriptor).filter(|last| last.length > 0 && behind.is_some());
            }
            rest = next;
            if self.layout.extents.len() >= MAX_EXTENTS {
                self.rest(Cause::ReadLimit(ReadLimit::Entries));
                return None;
            }
            self.extent(descriptor);
        }
        None
    }

    fn extent(&mut self, descriptor: Descriptor) {
        let length = u64::from(descriptor.length);
        if self.at.checked_rem(self.space.block) != Some(0) {
            // Only the last extent may end within a block (4/12.1).
            self.rest(ALLOCATION);
        }
        let used = self.layout.size.saturating_sub(self.at).min(length);
        if descriptor.kind == ExtentType::Recorded {
            self.recorded(descriptor.place, length, used);
        } else {
            if descriptor.kind == ExtentType::Allocated {
                self.account.content(self.space, descriptor.place, length, 0);
            }
            self.put(Extent::hole(used), false);
        }
        self.at = self.at.saturating_add(length);
    }

    fn recorded(&mut self, place: Place, length: u64, used: u64) {
        let at = self.at;
        let sharing = match self.purpose {
            Purpose::Content => self.account.content(self.space, place, length, used),
            Purpose::Structure => {
                let count = self.space.blocks_for(length);
                let fresh = self.account.structure(self.space, place, count);
                // Folders that share their extents would be read over and over.
                if fresh || self.account.again(length) { Sharing::Fresh } else { Sharing::Exhausted }
            }
        };
        if sharing >= Sharing::Crossed {
            self.layout.fault(at, used, Cause::Corrupt(Corruption::CrossLinked));
        }
        if sharing == Sharing::Exhausted {
            self.put(Extent::hole(used), true);
            return;
        }
        let mut offset = at;
        for extent in self.space.extents(place, used) {
            if extent.is_hole() {
                self.layout.fault(offset, extent.length, CHAIN);
            }
            offset = offset.saturating_add(extent.length);
            self.put(extent, extent.is_hole());
        }
    }

    /// Adds an extent, joined with the one before it where they touch.
    fn put(&mut self, extent: Extent, lost: bool) {
        if extent.length == 0 {
            return;
        }
        self.lost = if lost { self.lost.saturating_add(extent.length) } else { 0 };
        if let Some(last) = self.layout.extents.last_mut() {
            let behind = !last.is_hole() && last.start.saturating_add(last.length) == extent.start;
            if behind || (last.is_hole() && extent.is_hole()) {
                last.length = last.length.saturating_add(extent.length);
                return;
            }
        }
        self.layout.extents.push(extent);
    }

    /// Names everything from here on.
    fn rest(&mut self, cause: Cause) {
        let at = self.at.min(self.layout.size);
        self.layout.fault(at, self.layout.size.saturating_sub(at), cause);
    }

    /// Content ends with the last byte that exists.
    fn finish(mut self) -> Layout {
        while self.lost > 0 {
            let Some(last) = self.layout.extents.last_mut() else { break };
            let cut = last.length.min(self.lost);
            last.length = last.length.saturating_sub(cut);
            self.lost = self.lost.saturating_sub(cut);
            if last.length == 0 {
                self.layout.extents.pop();
            }
        }
        let here = self.at;
        self.layout.missing(here);
        self.layout
    }
}
