//! Where bytes of the medium come from, and how a bad sector is told from its good neighbours.
//!
//! Parsers use [`Medium`], which knows the capacity and the logical block. A failed read is narrowed down to single
//! logical blocks, so that "unreadable" has exact offsets and everything around is still read; the number of failing
//! reads is bounded, because a dying device may take seconds for each.

use crate::bytes::{index, wide};
use crate::signatures::{SUPERBLOCK, Signature};
use crate::udf;
use std::cell::{Cell, RefCell};
use std::ops::Range;
#[cfg(target_os = "linux")]
use {
    rustix::io::Errno,
    std::os::fd::{AsFd, BorrowedFd},
};

/// Failing reads after which a failed range is given up as a whole instead of block by block.
const MAX_FAILED_READS: u32 = 1 << 14;

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The device answered with an error. Everything before `offset` (bytes on the medium) was read.
    #[error("unreadable at byte {offset}")]
    Unreadable {
        /// Bytes from the start of the medium.
        offset: u64,
    },
    /// The device is gone; no later read can succeed.
    #[error("the medium was removed")]
    Removed,
}

/// Random access to a medium, read-only.
pub trait ReadAt {
    /// Fills `buffer` from `offset` (bytes).
    ///
    /// # Errors
    /// [`ReadError`]; the part of `buffer` before the offset in [`ReadError::Unreadable`] is filled.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError>;

    /// Bytes.
    fn capacity(&self) -> u64;
}

/// A block device or image file, read with `pread64`.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub struct FileSource<'a> {
    fd: BorrowedFd<'a>,
    capacity: u64,
}

#[cfg(target_os = "linux")]
impl<'a> FileSource<'a> {
    /// Reads from `fd`, which holds `capacity` bytes.
    #[must_use]
    pub fn new(fd: &'a impl AsFd, capacity: u64) -> Self {
        Self { fd: fd.as_fd(), capacity }
    }
}

#[cfg(target_os = "linux")]
impl ReadAt for FileSource<'_> {
    fn read_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> Result<(), ReadError> {
        while !buffer.is_empty() {
            match rustix::io::pread(self.fd, &mut *buffer, offset) {
                Err(Errno::INTR) => {}
                Err(Errno::NODEV | Errno::NXIO | Errno::NOMEDIUM) => return Err(ReadError::Removed),
                Err(_) | Ok(0) => return Err(ReadError::Unreadable { offset }),
                Ok(count) => {
                    offset = offset.saturating_add(wide(count));
                    buffer = buffer.get_mut(count..).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    fn capacity(&self) -> u64 {
        self.capacity
    }
}

/// A medium in memory, with faults on request: the simulated device of tests and fuzzing.
#[derive(Debug, Default)]
pub struct MemorySource {
    /// The content.
    pub bytes: Vec<u8>,
    /// Ranges (bytes) that answer with an error.
    pub unreadable: Vec<Range<u64>>,
    /// Reads after which the medium is gone.
    pub removed_after: Option<u64>,
    /// Every range that was read without error, in order.
    pub log: std::cell::RefCell<Vec<Range<u64>>>,
    reads: Cell<u64>,
}

impl MemorySource {
    /// A medium without faults.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }
}

impl ReadAt for MemorySource {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.reads.set(self.reads.get().saturating_add(1));
        if self.removed_after.is_some_and(|limit| self.reads.get() > limit) {
            return Err(ReadError::Removed);
        }
        let end = offset.saturating_add(wide(buffer.len()));
        let bad = self.unreadable.iter().filter(|range| range.start < end && range.end > offset);
        let limit = wide(self.bytes.len()).clamp(offset, end);
        let stop = bad.map(|range| range.start.max(offset)).fold(limit, u64::min);
        let good = self.bytes.get(index(offset)..index(stop)).unwrap_or_default();
        for (to, from) in buffer.iter_mut().zip(good) {
            *to = *from;
        }
        self.log.borrow_mut().push(offset..stop);
        if stop < end { Err(ReadError::Unreadable { offset: stop }) } else { Ok(()) }
    }

    fn capacity(&self) -> u64 {
        wide(self.bytes.len())
    }
}

/// The medium is gone; nothing more can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Removed;

/// What would stand at a watched place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sign {
    /// These bytes.
    Magic(&'static [u8]),
    /// A superblock with a short magic and fields that make sense.
    Superblock(Signature),
    /// The tag of an anchor of UDF that says that it is this block.
    Anchor(u32),
}

impl Sign {
    /// Bytes.
    fn length(self) -> usize {
        match self {
            Self::Magic(magic) => magic.len(),
            Self::Superblock(_) => index(SUPERBLOCK),
            Self::Anchor(_) => udf::TAG_BYTES,
        }
    }

    fn is(self, bytes: &[u8]) -> bool {
        match self {
            Self::Magic(magic) => bytes == magic,
            Self::Superblock(known) => known.is_superblock(bytes),
            Self::Anchor(number) => udf::is_anchor(bytes, number),
        }
    }
}

/// A place that is compared with a signature when it is read for another reason: a byte of a file is read only once.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// First byte on the medium.
    pub(crate) start: u64,
    /// What would stand there.
    pub(crate) sign: Sign,
    /// First byte of the volume that is affected.
    pub(crate) volume: u64,
    /// Whether it stood there; unknown before it was read.
    pub(crate) found: Option<bool>,
}

/// A source with its capacity, its logical block and a count of what was read.
pub struct Medium<'a> {
    source: &'a dyn ReadAt,
    capacity: u64,
    block: u64,
    bytes_read: Cell<u64>,
    failed_reads: Cell<u32>,
    watched: RefCell<Vec<Watched>>,
    probes: Cell<u32>,
}

impl<'a> Medium<'a> {
    /// `logical_block` in bytes; anything but a power of two of at least 512 is taken as 512.
    #[must_use]
    pub fn new(source: &'a dyn ReadAt, logical_block: u32) -> Self {
        let block = u64::from(logical_block);
        let block = if block.is_power_of_two() && block >= 512 { block } else { 512 };
        Self {
            source,
            capacity: source.capacity(),
            block,
            bytes_read: Cell::new(0),
            failed_reads: Cell::new(0),
            watched: RefCell::new(Vec::new()),
            probes: Cell::new(0),
        }
    }

    /// Whether one more place may be looked at for a filesystem that nothing announces, of at most `most` on the medium.
    pub(crate) fn may_probe(&self, most: u32) -> bool {
        let probes = self.probes.get();
        self.probes.set(probes.saturating_add(1));
        probes < most
    }

    /// Compares a place with a signature as soon as somebody reads it.
    pub(crate) fn watch(&self, place: Watched) {
        self.watched.borrow_mut().push(place);
    }

    /// The signatures that were found at watched places. What nobody read is read now.
    pub(crate) fn found_watched(&self) -> Result<Vec<Watched>, Removed> {
        let unread: Vec<Watched> = self.watched.borrow().iter().filter(|one| one.found.is_none()).cloned().collect();
        for place in unread {
            if let Err(ReadError::Removed) = self.read_vec(place.start, wide(place.sign.length())) {
                return Err(Removed);
            }
        }
        let mut found = self.watched.take();
        found.retain(|place| place.found == Some(true));
        Ok(found)
    }

    fn observe(&self, offset: u64, bytes: &[u8]) {
        for place in self.watched.borrow_mut().iter_mut().filter(|place| place.found.is_none()) {
            let within = place.start.checked_sub(offset).and_then(|from| usize::try_from(from).ok());
            let here = within.and_then(|from| bytes.get(from..from.checked_add(place.sign.length())?));
            if let Some(here) = here {
                place.found = Some(place.sign.is(here));
            }
        }
    }

    /// Bytes.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Bytes of a logical block.
    #[must_use]
    pub fn block(&self) -> u64 {
        self.block
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// [`ReadError`]; what lies beyond the capacity is unreadable.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let room = index(self.capacity.saturating_sub(offset));
        let inside = buffer.len().min(room);
        if let Some(part) = buffer.get_mut(..inside) {
            self.source.read_at(offset, part)?;
            self.observe(offset, part);
        }
        self.bytes_read.set(self.bytes_read.get().saturating_add(wide(inside)));
        if inside < buffer.len() { Err(ReadError::Unreadable { offset: self.capacity.max(offset) }) } else { Ok(()) }
    }

    /// Reads `length` bytes; as many as the medium holds.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_vec(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let mut buffer = vec![0u8; index(length.min(self.capacity.saturating_sub(offset)))];
        self.read(offset, &mut buffer)?;
        Ok(buffer)
    }

    /// Fills `buffer` from `offset`; what cannot be read becomes zeros and is added to `bad` (bytes on the medium).
    pub(crate) fn read_tolerant(
        &self,
        offset: u64,
        buffer: &mut [u8],
        bad: &mut Vec<Range<u64>>,
    ) -> Result<(), Removed> {
        // Ranges still to be read, the next one last.
        let all = offset..offset.saturating_add(wide(buffer.len()));
        let mut todo = Vec::from([all]);
        while let Some(range) = todo.pop() {
            let Some(part) = part_of(buffer, offset, &range) else { continue };
            let failed_at = match self.read(range.start, part) {
                Ok(()) => continue,
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { offset }) => offset.clamp(range.start, range.end),
            };
            self.failed_reads.set(self.failed_reads.get().saturating_add(1));
            let block_end = self.block_end(failed_at).min(range.end);
            let block = failed_at..block_end;
            let give_up = failed_at >= self.capacity || self.failed_reads.get() > MAX_FAILED_READS;
            if give_up || (range.start == block.start && range.end == block.end) {
                let lost = failed_at..range.end;
                if let Some(part) = part_of(buffer, offset, &lost) {
                    part.fill(0);
                }
                note(bad, lost);
                continue;
            }
            self.split(&mut todo, block, range.end);
        }
        Ok(())
    }

    /// Queues the block where a read failed, then the rest in two halves: drivers that fail a request as a whole do
    /// not tell which of its blocks is bad.
    fn split(&self, todo: &mut Vec<Range<u64>>, block: Range<u64>, end: u64) {
        let half = end.saturating_sub(block.end) / 2;
        let middle = self.block_end(block.end.saturating_add(half)).min(end);
        for range in [middle..end, block.end..middle, block] {
            if !range.is_empty() {
                todo.push(range);
            }
        }
    }

    /// First byte after the logical block that holds `offset`.
    fn block_end(&self, offset: u64) -> u64 {
        let within = offset.checked_rem(self.block).unwrap_or(0);
        offset.saturating_sub(within).saturating_add(self.block)
    }
}

impl std::fmt::Debug for Medium<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Medium").field("capacity", &self.capacity).field("block", &self.block).finish()
    }
}

/// The part of `buffer` (whose first byte is `start` on the medium) that holds `range`.
fn part_of<'b>(buffer: &'b mut [u8], start: u64, range: &Range<u64>) -> Option<&'b mut [u8]> {
    let from = index(range.start.saturating_sub(start));
    let to = index(range.end.saturating_sub(start));
    buffer.get_mut(from..to)
}

/// Adds a range to a sorted list, joined with the last one where they touch.
pub(crate) fn note(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn a_bad_block_is_told_from_its_neighbours() {
        let mut source = MemorySource::new(vec![7; 64 << 10]);
        source.unreadable = vec![1024..1536, 5120..6144];
        let medium = Medium::new(&source, 512);
        let mut buffer = vec![1; 16 << 10];
        let mut bad = Vec::new();
        medium.read_tolerant(512, &mut buffer, &mut bad).unwrap();
        assert_eq!(bad, [1024..1536, 5120..6144]);
        assert!(buffer[512..1024].iter().all(|byte| *byte == 0));
        assert_eq!(buffer.iter().filter(|byte| **byte == 7).count(), (16 << 10) - 1536);
    }

    #[test]
    fn the_end_of_the_medium_is_unreadable_and_not_an_endless_search() {
        let source = MemorySource::new(vec![7; 1000]);
        let medium = Medium::new(&source, 512);
        let mut buffer = vec![1; 4096];
        let mut bad = Vec::new();
        medium.read_tolerant(0, &mut buffer, &mut bad).unwrap();
        assert_eq!((bad.len(), bad[0].clone()), (1, 1000..4096));
    }

    #[test]
    fn a_removed_medium_ends_every_read() {
        let mut source = MemorySource::new(vec![7; 4096]);
        source.removed_after = Some(0);
        let medium = Medium::new(&source, 512);
        assert_eq!(medium.read_tolerant(0, &mut [0; 512], &mut Vec::new()), Err(Removed));
    }
}
