//! Folders: the index $I30, a tree of blocks whose entries are file names.
//!
//! Windows walks the tree, ntfs-3g reads the blocks that the bitmap says are in use. Every block that either of them
//! sees is read once, in the order of its place; where they would disagree, the folder is called corrupt.

use super::content::claim_metadata;
use super::file::{File, Held, read};
use super::fixup;
use super::mft::Bits;
use super::record::{BITMAP, FileName, INDEX_ALLOCATION, INDEX_ROOT, Reference};
use super::space::Space;
use super::value::{Value, touches};
use crate::bytes::{Record, index, wide};
use crate::filesystem::Fault;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit};
use std::ops::Range;

/// The index of a folder.
pub(super) const NAME: &str = "$I30";
/// Blocks of one folder: 16 GiB of names.
const MAX_BLOCKS: u64 = 1 << 22;
/// Faults of one folder that are told apart.
const MAX_FAULTS: usize = 64;
/// Bytes read at once.
const STEP: u64 = 64 << 10;
/// Names gathered before they are handed on in the order of their records.
const BATCH: usize = 8192;
/// Entries of an index: header with length, flags.
const ENTRY: usize = 16;
const HAS_CHILD: u16 = 1;
const LAST: u16 = 2;

/// An entry of a folder.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) reference: Reference,
    pub(super) name: FileName,
}

/// Goes through one index.
#[derive(Debug)]
pub(super) struct Index {
    root: Option<Vec<u8>>,
    value: Value,
    block: u64,
    /// Bytes that a block number of the tree counts.
    unit: u64,
    count: u64,
    bitmap: Vec<u8>,
    /// The next block that the bitmap may say is in use.
    next: u64,
    done: Bits,
    /// The block that names a block as its child first; blocks that nothing names are not in the tree.
    parents: Vec<u32>,
    /// Blocks of the tree that the bitmap does not know.
    strays: Vec<u64>,
    chunk: Vec<u8>,
    chunk_bad: Vec<Range<u64>>,
    /// Where the chunk begins within the index.
    chunk_start: Option<u64>,
    /// The record of the folder on the medium.
    place: u64,
    ended: bool,
    /// Bytes that were read of it.
    pub(super) read: u64,
    /// About the folder; offsets on the medium.
    pub(super) faults: Vec<Fault>,
}

/// Parents of blocks: none, and the root.
const NOBODY: u32 = u32::MAX;
const ROOT: u32 = u32::MAX - 1;

/// Claims the clusters of a folder's index the first time that the folder is met.
pub(super) fn claim(space: &mut Space, folder: &File) -> Vec<Cause> {
    let parts = [folder.find(INDEX_ALLOCATION, NAME), folder.find(BITMAP, NAME)];
    parts.into_iter().flatten().filter_map(|part| claim_metadata(space, part)).collect()
}

impl Index {
    /// The index of `folder`, whose record is at `place` on the medium.
    pub(super) fn open(medium: &Medium<'_>, space: &mut Space, folder: &File, place: u64) -> Result<Self, Removed> {
        let mut index = Self::empty(place);
        let root = folder.find(INDEX_ROOT, NAME);
        let Some(Held::Resident(bytes)) = root.map(|root| &root.held) else {
            index.corrupt(place);
            return Ok(index);
        };
        // Type of the indexed attribute, bytes of a block.
        let record = Record(bytes);
        index.block = u64::from(record.u32(8));
        if record.u32(0) != super::record::FILE_NAME || !fixup::fits(index.block) || !index.block.is_power_of_two() {
            index.corrupt(place);
            index.block = 0;
        }
        index.unit = if space.cluster <= index.block { space.cluster } else { 512 };
        index.root = Some(bytes.clone());
        index.open_blocks(medium, space, folder)?;
        Ok(index)
    }

    /// Finds the blocks, if the folder has any, and which of them are in use.
    fn open_blocks(&mut self, medium: &Medium<'_>, space: &mut Space, folder: &File) -> Result<(), Removed> {
        let place = self.place;
        let Some(Held::Runs(runs)) = folder.find(INDEX_ALLOCATION, NAME).map(|blocks| &blocks.held) else {
            return Ok(());
        };
        let mut outside = Vec::new();
        let value = Value::new(&space.extents(&runs.runs, runs.size.min(runs.initialised), &mut outside));
        let stored = value.stored().min(space.bytes(space.clusters));
        if runs.broken || !outside.is_empty() || stored < runs.size {
            self.corrupt(place);
        }
        self.count = value.length().min(stored).checked_div(self.block).unwrap_or(0);
        if self.count > MAX_BLOCKS {
            self.count = MAX_BLOCKS;
            self.fault(place, 0, Cause::ReadLimit(ReadLimit::Entries));
        }
        self.value = value;
        self.done = Bits::new(self.count);
        self.parents = vec![NOBODY; index(self.count)];
        let Some(bitmap) = folder.find(BITMAP, NAME) else {
            self.corrupt(place);
            return Ok(());
        };
        match read(medium, space, &bitmap.held, MAX_BLOCKS)? {
            Ok(bytes) => self.bitmap = bytes,
            Err(cause) => self.fault(place, 0, cause),
        }
        Ok(())
    }

    fn empty(place: u64) -> Self {
        Self {
            root: None,
            value: Value::default(),
            block: 0,
            unit: 512,
            count: 0,
            bitmap: Vec::new(),
            next: 0,
            done: Bits::new(0),
            parents: Vec::new(),
            strays: Vec::new(),
            chunk: Vec::new(),
            chunk_bad: Vec::new(),
            chunk_start: None,
            place,
            ended: false,
            read: 0,
            faults: Vec::new(),
        }
    }

    fn corrupt(&mut self, offset: u64) {
        self.fault(offset, 0, Cause::Corrupt(Corruption::Directory));
    }

    /// A folder that is wrong in more places is wrong enough.
    fn fault(&mut self, offset: u64, length: u64, cause: Cause) {
        let fault = Fault { offset, length, cause };
        if self.faults.len() < MAX_FAULTS && self.faults.last() != Some(&fault) {
            self.faults.push(fault);
        }
    }

    /// The next names in the order of their records; nothing when there are no more.
    pub(super) fn batch(&mut self, medium: &Medium<'_>) -> Result<Option<Vec<Named>>, Removed> {
        let mut names = Vec::new();
        if let Some(root) = self.root.take() {
            // The header of a node stands behind the header of the root.
            self.node(root.get(16..).unwrap_or_default(), ROOT, self.place, &mut names);
        }
        while names.len() < BATCH {
            let Some((number, stray)) = self.next_block() else {
                self.finish();
                break;
            };
            self.block(medium, number, stray, &mut names)?;
        }
        names.sort_by_key(|named| named.reference.number);
        Ok((!names.is_empty()).then_some(names))
    }

    /// The next block and whether the bitmap does not know it.
    fn next_block(&mut self) -> Option<(u64, bool)> {
        while self.next < self.count {
            let number = self.next;
            self.next = number.saturating_add(1);
            if self.in_bitmap(number) {
                return Some((number, false));
            }
        }
        while let Some(number) = self.strays.pop() {
            if !self.done.contains(number) {
                return Some((number, true));
            }
        }
        None
    }

    fn in_bitmap(&self, number: u64) -> bool {
        let byte = self.bitmap.get(index(number / 8)).copied().unwrap_or(0);
        byte.checked_shr(u32::try_from(number % 8).unwrap_or(0)).unwrap_or(0) & 1 != 0
    }

    fn block(&mut self, medium: &Medium<'_>, number: u64, stray: bool, names: &mut Vec<Named>) -> Result<(), Removed> {
        self.done.insert(number);
        let start = number.saturating_mul(self.block);
        let place = self.value.position(start).unwrap_or(self.place);
        let range = start..start.saturating_add(self.block);
        let mut bytes = self.bytes(medium, start)?;
        if touches(&self.chunk_bad, &range) {
            self.fault(place, self.block, Cause::Unreadable);
            return Ok(());
        }
        let record = Record(&bytes);
        let numbered = record.u64(16).saturating_mul(self.unit) == start;
        if record.slice(0, 4) != b"INDX" || !fixup::apply(&mut bytes) {
            self.corrupt(place);
            return Ok(());
        }
        if stray || !numbered {
            self.corrupt(place);
        }
        let own = u32::try_from(number).unwrap_or(NOBODY);
        self.node(bytes.get(24..).unwrap_or_default(), own, place, names);
        Ok(())
    }

    /// The block that begins at byte `start` of the index.
    fn bytes(&mut self, medium: &Medium<'_>, start: u64) -> Result<Vec<u8>, Removed> {
        let size = STEP.max(self.block);
        let chunk_start = start.saturating_sub(start.checked_rem(size).unwrap_or(0));
        if self.chunk_start != Some(chunk_start) {
            let length = size.min(self.value.length().saturating_sub(chunk_start));
            self.chunk = vec![0; index(length)];
            self.chunk_bad.clear();
            self.value.read(medium, chunk_start, &mut self.chunk, &mut self.chunk_bad)?;
            self.chunk_start = Some(chunk_start);
            self.read = self.read.saturating_add(length);
        }
        let within = index(start.saturating_sub(chunk_start));
        let end = within.saturating_add(index(self.block));
        Ok(self.chunk.get(within..end).unwrap_or_default().to_vec())
    }

    /// Entries of one node, which begins with its header: offset of the first entry and of the end behind the last.
    fn node(&mut self, bytes: &[u8], own: u32, place: u64, names: &mut Vec<Named>) {
        let header = Record(bytes);
        let (mut at, end) = (index(u64::from(header.u32(0))), index(u64::from(header.u32(4))));
        let Some(entries) = bytes.get(..end) else { return self.corrupt(place) };
        loop {
            let rest = entries.get(at..).unwrap_or_default();
            let entry = Record(rest);
            let (length, key, flags) = (usize::from(entry.u16(8)), usize::from(entry.u16(10)), entry.u16(12));
            let child = if flags & HAS_CHILD != 0 { 8 } else { 0 };
            let needed = if flags & LAST != 0 { ENTRY } else { ENTRY.saturating_add(key) };
            if length > rest.len() || length < needed.saturating_add(child) {
                return self.corrupt(place);
            }
            if child > 0 {
                let number = entry.u64(length.saturating_sub(8)).saturating_mul(self.unit);
                self.child(number, own, place);
            }
            if flags & LAST != 0 {
                return;
            }
            match FileName::parse(entry.slice(ENTRY, key)) {
                Some(name) => names.push(Named { reference: Reference::of(entry.u64(0)), name }),
                None => self.corrupt(place),
            }
            at = at.saturating_add(length);
        }
    }

    /// Notes that `own` names the block at byte `start` of the index as its child.
    fn child(&mut self, start: u64, own: u32, place: u64) {
        let number = start.checked_div(self.block).unwrap_or(u64::MAX);
        let exact = start.checked_rem(self.block) == Some(0);
        match self.parents.get_mut(index(number)).filter(|parent| **parent == NOBODY && exact) {
            Some(parent) => *parent = own,
            None => return self.corrupt(place),
        }
        if !self.in_bitmap(number) {
            self.strays.push(number);
        }
    }

    /// Once all blocks were read: each of them must hang on the root.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let mut hangs = Bits::new(self.count);
        for number in 0..self.count {
            if !self.done.contains(number) {
                continue;
            }
            let mut above = Vec::new();
            let mut current = number;
            while !hangs.contains(current) {
                above.push(current);
                let parent = self.parents.get(index(current)).copied().unwrap_or(NOBODY);
                if parent == ROOT {
                    break;
                }
                if parent == NOBODY || wide(above.len()) > self.count {
                    let place = self.value.position(number.saturating_mul(self.block)).unwrap_or(self.place);
                    return self.corrupt(place);
                }
                current = u64::from(parent);
            }
            for block in above {
                hangs.insert(block);
            }
        }
    }
}
