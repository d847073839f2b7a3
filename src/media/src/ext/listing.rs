//! The listing of one folder: its blocks in large reads, then the inodes of many names at once, in the order of the
//! tables, then the entries in the order of the folder.

use super::ExtVolume;
use super::attributes;
use super::directory::{Name, Rules, Wrong};
use super::entry::Named;
use super::inode::{Inode, Kind, ROOT, bit, flag, unreadable};
use super::mapping::{Purpose, map};
use crate::bytes::{Record, index};
use crate::filesystem::{Extent, Fault, FolderRef, Sink};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, Feature};
use std::ops::ControlFlow;

/// Bytes of a folder read at once.
const STEP: u64 = 64 << 10;
/// Bytes of inodes, and names, that wait for each other.
const MAX_WAITING: usize = 8 << 20;
/// See [`MAX_WAITING`].
const MAX_NAMES: usize = 1 << 15;
/// Bad places of one folder that are named.
const MAX_BAD: usize = 64;

/// Neighbouring blocks: the number of the first, and the bytes of each that could be read.
type Part = (u64, Vec<Option<Vec<u8>>>);

/// The blocks of a folder.
struct Blocks<'e> {
    extents: std::slice::Iter<'e, Extent>,
    current: Extent,
    /// Number of the next block.
    number: u64,
    block: u64,
    hole: bool,
    faults: Vec<Fault>,
}

impl<'e> Blocks<'e> {
    fn new(extents: &'e [Extent], block: u64) -> Self {
        let current = Extent { start: 0, length: 0 };
        Self { extents: extents.iter(), current, number: 0, block, hole: false, faults: Vec::new() }
    }

    /// The next blocks, as many as are read at once.
    fn next(&mut self, medium: &Medium<'_>) -> Result<Option<Part>, Removed> {
        while self.current.length == 0 || self.current.is_hole() {
            self.hole |= self.current.is_hole();
            self.number = self.number.saturating_add(self.current.length.checked_div(self.block).unwrap_or(0));
            let Some(next) = self.extents.next() else { return Ok(None) };
            self.current = *next;
        }
        let count = self.current.length.min(STEP);
        let start = self.current.start;
        let mut bytes = vec![0u8; index(count)];
        let mut bad = Vec::new();
        medium.read_tolerant(start, &mut bytes, &mut bad)?;
        let places = (start..).step_by(index(self.block));
        let blocks: Vec<_> = bytes
            .chunks(index(self.block))
            .zip(places)
            .map(|(bytes, at)| {
                let end = at.saturating_add(self.block);
                let lost = bad.iter().any(|bad| bad.start < end && bad.end > at);
                (!lost).then(|| bytes.to_vec())
            })
            .collect();
        let room = MAX_BAD.saturating_sub(self.faults.len());
        self.faults.extend(bad.iter().take(room).map(unreadable));
        let number = self.number;
        self.number = number.saturating_add(count.checked_div(self.block).unwrap_or(0));
        self.current.start = start.saturating_add(count);
        self.current.length = self.current.length.saturating_sub(count);
        Ok(Some((number, blocks)))
    }
}

impl ExtVolume {
    pub(super) fn list_folder(
        &mut self,
        medium: &Medium<'_>,
        folder: FolderRef,
        sink: Sink<'_>,
    ) -> Result<Vec<Fault>, Removed> {
        let number = u32::try_from(folder.id).unwrap_or(0);
        let inode = match self.inode(medium, number)? {
            Ok(inode) => inode,
            Err(cause) => return Ok(vec![Fault { offset: self.range.start, length: 0, cause }]),
        };
        let mut faults = Vec::new();
        if number == ROOT && self.root_entry(medium, &inode, &mut faults, sink)?.is_break() {
            return Ok(faults);
        }
        let rules = Rules::new(&self.superblock, &inode);
        let mut wrong = Wrong::default();
        let flow = if inode.has(flag::INLINE_DATA) {
            let mut names = Vec::new();
            self.inline_names(&inode, &rules, &mut names, &mut wrong);
            self.emit(medium, &rules, &mut names, sink)?
        } else {
            self.blocks_of_folder(medium, &inode, &rules, &mut wrong, &mut faults, sink)?
        };
        if flow.is_continue() {
            let cause = |corruption| Fault { offset: inode.position, length: 0, cause: Cause::Corrupt(corruption) };
            faults.extend(wrong.corruptions().map(cause));
        }
        Ok(faults)
    }

    /// The root has no entry of its own: what would stand at it stands at the volume, and its attributes at the top.
    fn root_entry(
        &mut self,
        medium: &Medium<'_>,
        inode: &Inode,
        faults: &mut Vec<Fault>,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        self.reached.claim(ROOT);
        let mut fault = |cause| faults.push(Fault { offset: inode.position, length: 0, cause });
        if inode.kind() != Kind::Directory || inode.links() == 0 {
            fault(Cause::Corrupt(Corruption::FileRecord));
        }
        if let Err(corruption) = inode.sound {
            fault(Cause::Corrupt(corruption));
        }
        if inode.has(flag::ENCRYPT) {
            fault(Cause::FeatureUnsupported(Feature::Encryption));
        }
        let found = self.attributes(medium, inode)?;
        for cause in found.faults {
            fault(cause);
        }
        for stream in self.streams(medium, found.list, false)? {
            if sink(stream).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// "Inline Directories": the parent's number and entries in i_block, and entries in system.data.
    fn inline_names(&self, inode: &Inode, rules: &Rules, names: &mut Vec<Name>, wrong: &mut Wrong) {
        let (parent, first) = inode.blocks().split_at_checked(4).unwrap_or_default();
        let parent = Record(parent).u32(0);
        wrong.entries |= parent == 0 || parent > self.superblock.inodes;
        rules.entries(first, 0, names, wrong);
        let data = attributes::in_inode(inode).list.into_iter().find(attributes::Attribute::is_inline_data);
        match data.map(|data| data.value) {
            Some(attributes::Value::Here(bytes, _)) => rules.entries(&bytes, 0, names, wrong),
            _ => wrong.entries = true,
        }
    }

    fn blocks_of_folder(
        &mut self,
        medium: &Medium<'_>,
        inode: &Inode,
        rules: &Rules,
        wrong: &mut Wrong,
        faults: &mut Vec<Fault>,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        let block = self.superblock.block;
        let whole = inode.size.checked_next_multiple_of(block).unwrap_or(inode.size);
        wrong.entries |= whole != inode.size || whole == 0;
        let mapping = map(&mut self.space, medium, inode, whole, Purpose::Structure)?;
        let at = |fault: Fault| Fault { offset: inode.position, length: 0, cause: fault.cause };
        faults.extend(mapping.faults.into_iter().map(at));
        let mut blocks = Blocks::new(&mapping.extents, block);
        let mut names = Vec::new();
        let most = MAX_WAITING.checked_div(index(self.superblock.inode_bytes)).unwrap_or(1).min(MAX_NAMES);
        while let Some((first, read)) = blocks.next(medium)? {
            for (number, bytes) in (first..).zip(read) {
                let Some(bytes) = bytes else { continue };
                self.space.count_read(block);
                rules.block(number, &bytes, &mut names, wrong);
            }
            if names.len() >= most && self.emit(medium, rules, &mut names, sink)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // Every block of a folder is stored; hosts stop or go on at a hole as they like.
        wrong.entries |= blocks.hole;
        faults.append(&mut blocks.faults);
        self.emit(medium, rules, &mut names, sink)
    }

    /// Hands over the entries for `names`.
    fn emit(
        &mut self,
        medium: &Medium<'_>,
        rules: &Rules,
        names: &mut Vec<Name>,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_unstable_by_key(|place| names.get(*place).map(|name| name.inode));
        let mut inodes: Vec<Option<(Result<Inode, Cause>, bool)>> = Vec::new();
        inodes.resize_with(names.len(), || None);
        for place in order {
            let Some(number) = names.get(place).map(|name| name.inode) else { continue };
            let allocated = self.is_allocated(medium, number)?;
            let inode = self.inode(medium, number)?;
            if let Some(slot) = inodes.get_mut(place) {
                *slot = Some((inode, allocated));
            }
        }
        for (name, inode) in std::mem::take(names).into_iter().zip(inodes) {
            let Some((inode, allocated)) = inode else { continue };
            let found = self.entry(medium, rules, Named { name, inode, allocated })?;
            if sink(found).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the bitmap of its group says that an inode is in use; also when nobody can tell.
    fn is_allocated(&mut self, medium: &Medium<'_>, number: u32) -> Result<bool, Removed> {
        let (group, place) = self.superblock.place_of(number);
        let Some(block) = self.groups.inode_bitmap(group) else { return Ok(true) };
        if self.groups.unused(group) >= self.superblock.inodes_per_group {
            return Ok(false);
        }
        match self.space.read(medium, block) {
            Ok(bitmap) => Ok(bit(&bitmap, place)),
            Err(error) => super::inode::cause_of(error).map(|_| true),
        }
    }
}
