//! The file allocation table: FAT12, FAT16, FAT32 (Microsoft FAT specification 1.03, "FAT Data Structure") and exFAT
//! (exFAT specification 4.1), read through a few windows so that memory stays small on volumes of any size.

use crate::bytes::{Record, index, wide};
use crate::source::{Medium, ReadError};

/// Bytes of one window.
const WINDOW: u64 = 64 << 10;
/// Windows kept; the last used comes first.
const WINDOWS: usize = 16;

/// Size of a table entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
}

/// What the table says about a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The chain goes on here; not yet compared with the heap.
    Next(u32),
    /// Last cluster of its chain.
    End,
    /// The cluster belongs to no chain.
    Free,
    /// Marked as defective.
    Bad,
}

#[derive(Debug)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
    /// The same part of the mirror; empty when it cannot be read or there is none.
    mirror: Vec<u8>,
}

/// One copy of the table.
#[derive(Debug)]
pub(crate) struct AllocationTable {
    start: u64,
    length: u64,
    width: Width,
    windows: Vec<Window>,
    bytes_read: u64,
    /// Where a copy stands that should be equal.
    mirror: Option<u64>,
    /// The first entry that was asked for and is another one in the mirror: byte on the medium.
    differs: Option<u64>,
}

impl AllocationTable {
    /// The table at `start` (bytes on the medium) with `length` bytes.
    pub(crate) fn new(start: u64, length: u64, width: Width) -> Self {
        Self { start, length, width, windows: Vec::new(), bytes_read: 0, mirror: None, differs: None }
    }

    /// Compares every entry that is asked for with a copy of the table at `mirror` (byte on the medium). Two hosts that
    /// use different copies see the same files as long as none of these differs, because both start at the same root.
    pub(crate) fn with_mirror(mut self, mirror: u64) -> Self {
        self.mirror = Some(mirror);
        self
    }

    /// Where the mirror said something else: byte on the medium, in the table.
    pub(crate) fn take_difference(&mut self) -> Option<u64> {
        self.differs.take()
    }

    /// Entries that fit into `length` bytes.
    pub(crate) fn capacity(length: u64, width: Width) -> u64 {
        match width {
            Width::Fat12 => length.saturating_mul(2) / 3,
            Width::Fat16 => length / 2,
            Width::Fat32 | Width::ExFat => length / 4,
        }
    }

    /// Bytes that were read of it.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.min(self.length)
    }

    /// What the table says about `cluster`.
    pub(crate) fn link(&mut self, medium: &Medium<'_>, cluster: u32) -> Result<Link, ReadError> {
        let number = u64::from(cluster);
        match self.width {
            Width::Fat12 => {
                let offset = number.saturating_add(number / 2);
                let low = u32::from(self.byte(medium, offset)?);
                let high = u32::from(self.byte(medium, offset.saturating_add(1))?);
                let pair = low | high << 8;
                let value = if cluster.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 };
                Ok(classify(value, 0xff7))
            }
            Width::Fat16 => {
                let value = u16::from_le_bytes(self.field(medium, number.saturating_mul(2))?);
                Ok(classify(u32::from(value), 0xfff7))
            }
            Width::Fat32 => {
                let value = u32::from_le_bytes(self.field(medium, number.saturating_mul(4))?);
                Ok(classify(value & 0x0fff_ffff, 0x0fff_fff7))
            }
            Width::ExFat => {
                let value = u32::from_le_bytes(self.field(medium, number.saturating_mul(4))?);
                Ok(classify(value, 0xffff_fff7))
            }
        }
    }

    fn byte(&mut self, medium: &Medium<'_>, offset: u64) -> Result<u8, ReadError> {
        self.field::<1>(medium, offset).map(|[byte]| byte)
    }

    /// `N` bytes (1, 2 or 4) at `offset`, which never cross a window because both are aligned.
    fn field<const N: usize>(&mut self, medium: &Medium<'_>, offset: u64) -> Result<[u8; N], ReadError> {
        let held =
            |window: &Window| offset >= window.start && offset < window.start.saturating_add(wide(window.bytes.len()));
        let found = match self.windows.first() {
            Some(window) if held(window) => 0,
            _ => match self.windows.iter().position(held) {
                Some(found) => found,
                None => self.load(medium, offset)?,
            },
        };
        if let Some(head) = self.windows.get_mut(..=found) {
            head.rotate_right(1);
        }
        let Some(window) = self.windows.first() else { return Ok([0; N]) };
        let within = index(offset.saturating_sub(window.start));
        let field = Record(&window.bytes).array(within);
        if !window.mirror.is_empty() && field != Record(&window.mirror).array(within) {
            self.differs.get_or_insert(self.start.saturating_add(offset));
        }
        Ok(field)
    }

    /// Loads the window around `offset`; if a sector of it is bad, only the block that is asked for.
    fn load(&mut self, medium: &Medium<'_>, offset: u64) -> Result<usize, ReadError> {
        let outside = ReadError::Unreadable { offset: self.start.saturating_add(offset) };
        if offset >= self.length {
            return Err(outside);
        }
        let block = medium.block();
        let mut result = Err(outside);
        for size in [WINDOW, block] {
            let start = offset.saturating_sub(offset.checked_rem(size).unwrap_or(0));
            let mut bytes = vec![0u8; index(size.min(self.length.saturating_sub(start)))];
            match medium.read(self.start.saturating_add(start), &mut bytes) {
                Ok(()) => {
                    self.bytes_read = self.bytes_read.saturating_add(wide(bytes.len()));
                    self.windows.truncate(WINDOWS.saturating_sub(1));
                    let mirror = self.read_mirror(medium, start, wide(bytes.len()))?;
                    self.windows.push(Window { start, bytes, mirror });
                    result = Ok(self.windows.len().saturating_sub(1));
                    break;
                }
                Err(error) => result = Err(error),
            }
        }
        result
    }
}

impl AllocationTable {
    fn read_mirror(&self, medium: &Medium<'_>, start: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let Some(mirror) = self.mirror else { return Ok(Vec::new()) };
        match medium.read_vec(mirror.saturating_add(start), length) {
            Err(ReadError::Removed) => Err(ReadError::Removed),
            // A copy that no host can read shows nothing else to anybody.
            Err(ReadError::Unreadable { .. }) => Ok(Vec::new()),
            Ok(bytes) => Ok(bytes),
        }
    }
}

fn classify(value: u32, bad: u32) -> Link {
    match value {
        0 => Link::Free,
        value if value > bad => Link::End,
        value if value == bad => Link::Bad,
        value => Link::Next(value),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    #[test]
    fn fat12_entries_share_bytes() {
        // Entries 0 to 3: 0xff0, 0xfff, 0x003, 0xff7.
        let source = MemorySource::new(vec![0xf0, 0xff, 0xff, 0x03, 0x70, 0xff]);
        let medium = Medium::new(&source, 512);
        let mut table = AllocationTable::new(0, 6, Width::Fat12);
        assert_eq!(table.link(&medium, 1).unwrap(), Link::End);
        assert_eq!(table.link(&medium, 2).unwrap(), Link::Next(3));
        assert_eq!(table.link(&medium, 3).unwrap(), Link::Bad);
        assert!(table.link(&medium, 4).is_err());
    }

    #[test]
    fn a_bad_sector_costs_only_its_own_entries() {
        let mut source = MemorySource::new(vec![0; 4096]);
        source.unreadable = std::iter::once(512..1024).collect();
        let medium = Medium::new(&source, 512);
        let mut table = AllocationTable::new(0, 4096, Width::Fat32);
        assert_eq!(table.link(&medium, 3).unwrap(), Link::Free);
        assert!(table.link(&medium, 130).is_err());
        assert_eq!(table.link(&medium, 256).unwrap(), Link::Free);
    }
}
