//! Directory blocks (Linux Documentation/filesystems/ext4, "Directory Entries"). Every block is read as a linear list:
//! the nodes of a hash tree look like entries without an inode there, so what no index names is found as well.

use super::checksum::crc32c;
use super::inode::{Inode, flag};
use super::superblock::{Superblock, incompat};
use crate::bytes::{Record, index, wide};
use blanche_sandbox::wire::Corruption;

/// Bytes before the name.
const FIXED: usize = 8;
/// Bytes of the shortest entry that holds a name, and of the entry that holds the checksum.
const SHORTEST: usize = 12;
/// det_reserved_ft: what makes the last entry the checksum's.
const TAIL: u8 = 0xde;
/// First entry of the root of a hash tree, and of its other nodes.
const ROOT_ENTRIES: usize = 0x20;
const NODE_ENTRIES: usize = 8;

/// A name and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) bytes: Vec<u8>,
    pub(super) inode: u32,
    /// 0 where entries carry no type.
    pub(super) file_type: u8,
    /// It has bytes that no name may have.
    pub(super) odd: bool,
}

/// How the blocks of one folder are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    folder: u32,
    inodes: u32,
    file_types: bool,
    indexed: bool,
    /// Start of the checksums, where there are any.
    seed: Option<u32>,
    /// Names are ciphertext.
    pub(super) encrypted: bool,
    /// Names that differ in case only are the same.
    pub(super) casefold: bool,
}

/// What a folder of so many bytes is wrong with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) entries: bool,
    pub(super) checksum: bool,
}

impl Wrong {
    pub(super) fn corruptions(self) -> impl Iterator<Item = Corruption> {
        let all = [(self.entries, Corruption::Directory), (self.checksum, Corruption::Checksum)];
        all.into_iter().filter_map(|(set, corruption)| set.then_some(corruption))
    }
}

impl Rules {
    pub(super) fn new(superblock: &Superblock, inode: &Inode) -> Self {
        Self {
            folder: inode.number,
            inodes: superblock.inodes,
            file_types: superblock.has(incompat::FILETYPE),
            indexed: inode.has(flag::INDEX),
            seed: inode.sum_seed(),
            encrypted: inode.has(flag::ENCRYPT),
            casefold: inode.has(flag::CASEFOLD),
        }
    }

    /// A whole block, the `number`th of the folder.
    pub(super) fn block(&self, number: u64, bytes: &[u8], names: &mut Vec<Name>, wrong: &mut Wrong) {
        if let Some(seed) = self.seed {
            let holds = match self.tree_entries(number, bytes) {
                Some(entries) => tree_sum_holds(seed, bytes, entries),
                None => leaf_sum_holds(seed, bytes),
            };
            wrong.checksum |= !holds;
        }
        let dots = if number == 0 { 2 } else { 0 };
        self.entries(bytes, dots, names, wrong);
    }

    /// A list of entries; the first `dots` of them must be "." and "..".
    pub(super) fn entries(&self, bytes: &[u8], dots: usize, names: &mut Vec<Name>, wrong: &mut Wrong) {
        let (mut offset, mut number) = (0usize, 0usize);
        while offset < bytes.len() {
            let rest = bytes.get(offset..).unwrap_or_default();
            let record = Record(rest);
            let length = record_length(record.u16(4), bytes.len());
            let name_length =
                usize::from(record.u8(6)) | if self.file_types { 0 } else { usize::from(record.u8(7)) << 8 };
            let needed = name_length.saturating_add(FIXED).next_multiple_of(4).max(SHORTEST);
            let used = record.u32(0) != 0;
            let sound = length >= SHORTEST
                && length.is_multiple_of(4)
                && length <= rest.len()
                && (needed <= length || !used)
                && (name_length > 0 || !used);
            if !sound {
                wrong.entries = true;
                return;
            }
            let name = record.slice(FIXED, name_length);
            let dot = used && (name == b"." || name == b"..");
            if number < dots {
                let expected: &[u8] = if number == 0 { b"." } else { b".." };
                let itself = number > 0 || record.u32(0) == self.folder;
                wrong.entries |= !used || name != expected || !itself || record.u32(0) > self.inodes;
            } else {
                // Hosts skip these two by name wherever they are, so elsewhere they would hide something.
                wrong.entries |= dot;
            }
            if used && !dot {
                names.push(self.name(record, name));
            }
            offset = offset.saturating_add(length);
            number = number.saturating_add(1);
        }
        wrong.entries |= number < dots;
    }

    fn name(&self, record: Record<'_>, name: &[u8]) -> Name {
        let odd = !self.encrypted && name.iter().any(|byte| matches!(byte, 0 | b'/'));
        // No name is longer than 255 bytes; without a type its length has 16 bits.
        let odd = odd || name.len() > 255;
        let bytes = name.get(..255).unwrap_or(name).to_vec();
        // With casefold and encryption together, a hash follows the name in the same record: it is not listed.
        let file_type = if self.file_types { record.u8(7) } else { 0 };
        Name { bytes, inode: record.u32(0), file_type, odd }
    }

    /// Where the entries of a node of a hash tree begin; `None` for other blocks ("Hash Tree Directories").
    fn tree_entries(&self, number: u64, bytes: &[u8]) -> Option<usize> {
        let record = Record(bytes);
        let whole = record.u32(0) == 0 && record_length(record.u16(4), bytes.len()) == bytes.len();
        match number {
            _ if !self.indexed => None,
            0 => Some(ROOT_ENTRIES),
            _ if whole => Some(NODE_ENTRIES),
            _ => None,
        }
    }
}

/// Bytes of an entry; blocks of 64 KiB need a code for their whole length.
fn record_length(stored: u16, block: usize) -> usize {
    match stored {
        0 | 0xffff if block >= 0x1_0000 => block,
        stored => usize::from(stored),
    }
}

/// The checksum in the last entry of a block of entries.
fn leaf_sum_holds(seed: u32, bytes: &[u8]) -> bool {
    let Some(at) = bytes.len().checked_sub(SHORTEST) else { return false };
    let tail = Record(bytes.get(at..).unwrap_or_default());
    let is_tail = tail.u32(0) == 0 && tail.u16(4) == 12 && tail.u8(6) == 0 && tail.u8(7) == TAIL;
    is_tail && crc32c(seed, bytes.get(..at).unwrap_or_default()) == tail.u32(8)
}

/// The checksum behind the room for entries of a node.
fn tree_sum_holds(seed: u32, bytes: &[u8], entries: usize) -> bool {
    let record = Record(bytes);
    let (limit, count) = (record.u16(entries), record.u16(entries.saturating_add(2)));
    let after = |number: u16| entries.saturating_add(index(u64::from(number).saturating_mul(8)));
    let tail = after(limit);
    if count > limit || wide(tail).saturating_add(8) > wide(bytes.len()) {
        return false;
    }
    let parts = [record.slice(0, after(count)), record.slice(tail, 4), &[0; 4]];
    parts.into_iter().fold(seed, crc32c) == record.u32(tail.saturating_add(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules { folder: 2, inodes: 99, file_types: true, indexed: false, seed: None, encrypted: false, casefold: false }
    }

    fn entry(inode: u32, length: u16, name: &[u8]) -> Vec<u8> {
        let mut bytes = inode.to_le_bytes().to_vec();
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&[name.len() as u8, 1]);
        bytes.extend_from_slice(name);
        bytes.resize(usize::from(length).max(bytes.len()), 0);
        bytes
    }

    fn read(parts: &[Vec<u8>], dots: usize) -> (Vec<Vec<u8>>, bool) {
        let (mut names, mut wrong) = (Vec::new(), Wrong::default());
        rules().entries(&parts.concat(), dots, &mut names, &mut wrong);
        (names.into_iter().map(|name| name.bytes).collect(), wrong.entries)
    }

    #[test]
    fn an_honest_block() {
        let parts = [entry(2, 12, b"."), entry(2, 12, b".."), entry(0, 16, b"gone"), entry(12, 24, b"file")];
        assert_eq!(read(&parts, 2), (vec![b"file".to_vec()], false));
    }

    #[test]
    fn lengths_that_lie_end_the_block() {
        for length in [0u16, 4, 8, 10, 14, 28] {
            let mut bad = entry(12, 24, b"file");
            bad[4..6].copy_from_slice(&length.to_le_bytes());
            assert_eq!(read(&[bad], 0), (vec![], true), "{length}");
        }
        assert_eq!(read(&[entry(12, 12, b"too long"), vec![0; 20]], 0), (vec![], true));
        assert_eq!(read(&[entry(12, 12, b"")], 0), (vec![], true));
    }

    #[test]
    fn dots_have_their_place() {
        let (one, two) = (entry(2, 12, b"."), entry(2, 12, b".."));
        assert!(!read(&[one.clone(), two.clone()], 2).1);
        assert!(read(&[two.clone(), one.clone()], 2).1);
        assert!(read(&[one.clone(), two.clone(), one.clone()], 2).1);
        assert!(read(&[entry(7, 12, b"."), two], 2).1);
        assert!(read(&[one], 2).1);
    }
}
