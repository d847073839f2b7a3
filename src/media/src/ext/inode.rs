//! Inodes (Linux Documentation/filesystems/ext4, "Index Nodes"), and the tables in which they stand.

use super::checksum::crc32c;
use super::groups::Groups;
use super::space::Space;
use super::superblock::Superblock;
use crate::bytes::{Record, index, wide};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Clock, Corruption, EntryKind, Modified};
use std::collections::VecDeque;
use std::ops::Range;

/// The root directory.
pub(super) const ROOT: u32 = 2;
/// Bytes of an inode that every revision has; what follows begins with i_extra_isize.
pub(super) const OLD_BYTES: usize = 128;

/// Bits of i_flags.
pub(super) mod flag {
    pub(in crate::ext) const IMMUTABLE: u32 = 0x10;
    /// Clusters compressed by the e2compr patches.
    pub(in crate::ext) const COMPRESSED_BLOCKS: u32 = 0x200;
    pub(in crate::ext) const ENCRYPT: u32 = 0x800;
    pub(in crate::ext) const INDEX: u32 = 0x1000;
    pub(in crate::ext) const EXTENTS: u32 = 0x8_0000;
    pub(in crate::ext) const EA_INODE: u32 = 0x20_0000;
    pub(in crate::ext) const INLINE_DATA: u32 = 0x1000_0000;
    pub(in crate::ext) const CASEFOLD: u32 = 0x4000_0000;
}

/// What the upper four bits of i_mode say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link,
    /// A pipe, socket or device.
    Special,
    /// Nothing that exists.
    Nonsense,
}

impl Kind {
    /// What a directory entry says in its file_type; `None` when it says nothing.
    pub(super) fn of_entry(file_type: u8) -> Option<Self> {
        match file_type {
            0 => None,
            1 => Some(Self::File),
            2 => Some(Self::Directory),
            3..=6 => Some(Self::Special),
            7 => Some(Self::Link),
            _ => Some(Self::Nonsense),
        }
    }

    /// As it is announced; what is nonsense is read as a file.
    pub(super) fn entry(self) -> EntryKind {
        match self {
            Self::File | Self::Nonsense => EntryKind::File,
            Self::Directory => EntryKind::Directory,
            Self::Link => EntryKind::Link,
            Self::Special => EntryKind::Other,
        }
    }
}

/// One inode.
#[derive(Clone, Debug)]
pub(super) struct Inode {
    pub(super) number: u32,
    /// First byte on the medium.
    pub(super) position: u64,
    pub(super) bytes: Vec<u8>,
    /// i_size, and of directories only its lower half unless they may be large.
    pub(super) size: u64,
    /// Start of the checksums of what belongs to it, where there are any.
    seed: Option<u32>,
    /// Its own checksum and i_extra_isize.
    pub(super) sound: Result<(), Corruption>,
}

impl Inode {
    fn new(superblock: &Superblock, number: u32, position: u64, bytes: Vec<u8>) -> Self {
        let record = Record(&bytes);
        let start = crc32c(superblock.seed, &number.to_le_bytes());
        let seed = superblock.summed().then(|| crc32c(start, record.slice(0x64, 4)));
        let high = u64::from(record.u32(0x6c)) << 32;
        let wide = kind(record.u16(0)) != Kind::Directory || superblock.has(super::superblock::incompat::LARGE_DIR);
        let size = u64::from(record.u32(4)) | if wide { high } else { 0 };
        let mut inode = Self { number, position, bytes, size, seed, sound: Ok(()) };
        inode.sound = inode.check();
        inode
    }

    fn record(&self) -> Record<'_> {
        Record(&self.bytes)
    }

    fn check(&self) -> Result<(), Corruption> {
        let extra = self.extra();
        if extra.saturating_add(OLD_BYTES) > self.bytes.len() || !extra.is_multiple_of(4) {
            return Err(Corruption::FileRecord);
        }
        let Some(seed) = self.seed else { return Ok(()) };
        let record = self.record();
        let high = extra >= 4;
        let rest = self.bytes.get(0x84..).unwrap_or_default();
        let middle = if high { &[0, 0] } else { record.slice(0x82, 2) };
        let parts = [record.slice(0, 0x7c), &[0, 0], record.slice(0x7e, 4), middle, rest];
        let old = [record.slice(0, 0x7c), &[0, 0], record.slice(0x7e, 2), &[], &[]];
        let parts = if self.bytes.len() > OLD_BYTES { parts } else { old };
        let [a, b, c, d] = parts.into_iter().fold(seed, crc32c).to_le_bytes();
        let holds =
            u16::from_le_bytes([a, b]) == record.u16(0x7c) && (!high || u16::from_le_bytes([c, d]) == record.u16(0x82));
        if holds { Ok(()) } else { Err(Corruption::Checksum) }
    }

    /// i_extra_isize: bytes behind the first 128 that are fields.
    pub(super) fn extra(&self) -> usize {
        usize::from(self.record().u16(0x80))
    }

    pub(super) fn kind(&self) -> Kind {
        kind(self.record().u16(0))
    }

    /// i_links_count.
    pub(super) fn links(&self) -> u16 {
        self.record().u16(0x1a)
    }

    /// Whether a bit of i_flags is set.
    pub(super) fn has(&self, flag: u32) -> bool {
        self.record().u32(0x20) & flag != 0
    }

    /// Whether [`Inode::blocks`] holds an extent tree.
    pub(super) fn has_extents(&self) -> bool {
        self.has(flag::EXTENTS)
    }

    /// i_block: 60 bytes of block numbers, an extent tree, or content.
    pub(super) fn blocks(&self) -> &[u8] {
        self.record().slice(0x28, 60)
    }

    /// i_blocks without its upper half, in whatever unit: whether anything is allocated.
    pub(super) fn allocated_blocks(&self) -> u32 {
        self.record().u32(0x1c)
    }

    /// i_mtime, a signed number, and the two bits of i_mtime_extra that make it longer ("Inode Timestamps").
    pub(super) fn modified(&self) -> Option<Modified> {
        let low = i32::from_le_bytes(self.record().array(0x10));
        let fits = self.extra() >= 12 && self.bytes.len() >= OLD_BYTES.saturating_add(12);
        let epoch = if fits { i64::from(self.record().u32(0x88) & 3) } else { 0 };
        Modified::new(i64::from(low).saturating_add(epoch << 32), Clock::Utc)
    }

    /// i_file_acl: the block of attributes; 0 when there is none.
    pub(super) fn attribute_block(&self) -> u64 {
        u64::from(self.record().u16(0x76)) << 32 | u64::from(self.record().u32(0x68))
    }

    /// Start of the checksums of its tree and of its folder blocks.
    pub(super) fn sum_seed(&self) -> Option<u32> {
        self.seed
    }
}

fn kind(mode: u16) -> Kind {
    match mode >> 12 {
        8 => Kind::File,
        4 => Kind::Directory,
        10 => Kind::Link,
        1 | 2 | 6 | 12 => Kind::Special,
        _ => Kind::Nonsense,
    }
}

/// Bytes of a table read at once.
const WINDOW: u64 = 64 << 10;
/// Windows kept: 4 MiB.
const WINDOWS: usize = 64;

/// A part of a table in memory.
#[derive(Debug)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
    bad: Vec<Range<u64>>,
}

/// Reads inodes through a few windows.
#[derive(Debug, Default)]
pub(super) struct Tables {
    windows: VecDeque<Window>,
}

impl Tables {
    /// The inode with this number, or why it cannot be had.
    pub(super) fn inode(
        &mut self,
        medium: &Medium<'_>,
        superblock: &Superblock,
        groups: &Groups,
        space: &mut Space,
        number: u32,
    ) -> Result<Result<Inode, Cause>, Removed> {
        let (group, place) = superblock.place_of(number);
        let table = groups.table(group).filter(|_| number > 0 && number <= superblock.inodes);
        let Some(table) = table.map(|block| space.position(block)) else {
            return Ok(Err(Cause::Corrupt(Corruption::FileRecord)));
        };
        let bytes = superblock.inode_bytes;
        let offset = u64::from(place).saturating_mul(bytes);
        let position = table.saturating_add(offset);
        let found = match self.windows.iter().position(|window| window.holds(position, bytes)) {
            Some(found) => self.windows.remove(found),
            None => {
                let length = u64::from(superblock.inodes_per_group).saturating_mul(bytes);
                let start = offset.saturating_sub(offset.checked_rem(WINDOW).unwrap_or(0));
                let count = length.saturating_sub(start).min(WINDOW);
                Some(load(medium, space, table.saturating_add(start), count)?)
            }
        };
        let Some(window) = found else { return Ok(Err(Cause::Unreadable)) };
        let raw = window.slice(position, bytes).map(<[u8]>::to_vec);
        if self.windows.len() >= WINDOWS {
            self.windows.pop_back();
        }
        self.windows.push_front(window);
        Ok(raw.map(|raw| Inode::new(superblock, number, position, raw)).ok_or(Cause::Unreadable))
    }
}

fn load(medium: &Medium<'_>, space: &mut Space, start: u64, count: u64) -> Result<Window, Removed> {
    let mut bytes = vec![0u8; index(count)];
    let mut bad = Vec::new();
    medium.read_tolerant(start, &mut bytes, &mut bad)?;
    space.count_read(count);
    Ok(Window { start, bytes, bad })
}

impl Window {
    fn end(&self) -> u64 {
        self.start.saturating_add(wide(self.bytes.len()))
    }

    fn holds(&self, position: u64, bytes: u64) -> bool {
        position >= self.start && position.saturating_add(bytes) <= self.end()
    }

    fn slice(&self, position: u64, bytes: u64) -> Option<&[u8]> {
        let end = position.saturating_add(bytes);
        if self.bad.iter().any(|bad| bad.start < end && bad.end > position) {
            return None;
        }
        let from = index(position.saturating_sub(self.start));
        self.bytes.get(from..from.saturating_add(index(bytes)))
    }
}

/// Whether a bit of a bitmap is set.
pub(super) fn bit(bitmap: &[u8], number: u32) -> bool {
    let byte = bitmap.get(index(u64::from(number / 8))).copied().unwrap_or(0);
    byte.checked_shr(number % 8).unwrap_or(0) & 1 != 0
}

/// The bytes of a range as a fault names them.
pub(super) fn unreadable(range: &Range<u64>) -> crate::filesystem::Fault {
    let length = range.end.saturating_sub(range.start);
    crate::filesystem::Fault { offset: range.start, length, cause: Cause::Unreadable }
}

/// What a failed read of metadata is, unless the medium is gone.
pub(super) fn cause_of(error: ReadError) -> Result<Cause, Removed> {
    match error {
        ReadError::Removed => Err(Removed),
        ReadError::Unreadable { .. } => Ok(Cause::Unreadable),
    }
}
