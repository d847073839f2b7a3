//! The steps of one copy, on any device.

use super::geometry::FIRST;
use super::layout::{Layout, STEP, Sink, State};
use super::round_down;
use super::{Geometry, Tree};
use crate::device::Device;
use crate::draft::{index, wide};
use crate::stamp::Stamp;
use blanche_media::ReadAt;
use blanche_sandbox::wire::{CopyFailure, CopyObstacle, CopyOrder, CopyPart};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// Bytes of files after which the medium is made to take them for good: what it still owes when somebody stops the copy is a
/// matter of seconds, not of all the memory that the kernel lends for it.
const OWED: u64 = 32 << 20;

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The medium did not take it.
    #[error("the medium answered: {0}")]
    Device(#[source] io::Error),
    /// Not the content that was checked.
    #[error("file {0} is not the one that was checked")]
    Differs(u32),
    /// Not all of it came.
    #[error("file {0} did not come to its end")]
    Missing(u32),
    /// The medium gives back something else.
    #[error("what is read back is not what was written (file {0:?}); the medium may be failing or lying")]
    ReadBack(Option<u32>),
    /// The object that was handed over cannot be read.
    #[error("the content that was handed over could not be read: {0}")]
    Object(#[source] io::Error),
    /// The parent said something that it may not.
    #[error("the parent broke the rules: {0}")]
    Order(&'static str),
}

impl CopyError {
    /// The same for the parent; nothing when the parent is at fault.
    #[must_use]
    pub fn failure(&self) -> Option<CopyFailure> {
        match self {
            Self::Device(_) => Some(CopyFailure::Device),
            Self::Differs(file) => Some(CopyFailure::Differs(*file)),
            Self::Missing(file) => Some(CopyFailure::Missing(*file)),
            Self::ReadBack(file) => Some(CopyFailure::ReadBack(*file)),
            Self::Object(_) | Self::Order(_) => None,
        }
    }
}

/// A file of which some bytes came.
#[derive(Debug)]
struct Open {
    sum: Sha256,
    /// Bytes that came.
    came: u64,
    /// The last of them, which do not fill a block yet.
    rest: Vec<u8>,
}

/// One copy onto `D`. `V` shows the same medium past every cache.
#[derive(Debug)]
pub struct Copying<D, V> {
    device: D,
    view: V,
    full: Layout,
    empty: Layout,
    open: HashMap<u32, Open>,
    /// Files that came to their end, by number.
    done: Vec<bool>,
    /// Bytes of each file that may be on the medium, by number.
    came: Vec<u64>,
    taken: u64,
    /// Bytes that came since the last flush.
    owed: u64,
    formatted: bool,
}

impl<D: Device, V: ReadAt> Copying<D, V> {
    /// Plans; writes nothing.
    ///
    /// # Errors
    /// [`CopyObstacle`].
    pub fn plan(device: D, view: V, order: CopyOrder, stamp: Stamp, tree: Tree) -> Result<Self, CopyObstacle> {
        let geometry = Geometry::new(order.filesystem, device.capacity(), device.block());
        let geometry = geometry.filter(|_| device.block() == order.logical_block).ok_or(CopyObstacle::Unfit)?;
        let entries = tree.len();
        let full = Layout::new(geometry, order.serial, stamp, tree)?;
        let empty = full.emptied()?;
        full.leaves(order.reserve)?;
        let (done, came) = (vec![false; entries], vec![0; entries]);
        let open = HashMap::new();
        Ok(Self { device, view, full, empty, open, done, came, taken: 0, owed: 0, formatted: false })
    }

    /// Whether the first and last MiB of the medium hold nothing but zeros.
    ///
    /// # Errors
    /// [`CopyObstacle::Unreadable`].
    pub fn is_blank(&self) -> Result<bool, CopyObstacle> {
        for range in self.edges() {
            let mut bytes = vec![0u8; index(range.end.saturating_sub(range.start))];
            self.view.read_at(range.start, &mut bytes).map_err(|_| CopyObstacle::Unreadable)?;
            if bytes.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where tables and boot sectors of any kind stand: the first and the last MiB, whole blocks.
    fn edges(&self) -> [Range<u64>; 2] {
        let block = u64::from(self.device.block());
        let end = round_down(self.device.capacity(), block);
        [0..FIRST.min(end), round_down(end.saturating_sub(FIRST), block)..end]
    }

    /// Erases and formats.
    ///
    /// # Errors
    /// [`CopyError::Device`], [`CopyError::ReadBack`].
    pub fn format(&mut self) -> Result<(), CopyError> {
        // Old tables first: from here on nothing leads to what was there.
        for edge in self.edges() {
            self.zero(edge)?;
        }
        self.device.flush().map_err(CopyError::Device)?;
        let geometry = self.empty.geometry.clone();
        let last = geometry.clusters.saturating_add(1);
        // Signatures of other filesystems stand in the first MiB of a volume and in its last; neither may tell of one.
        let start = FIRST..geometry.heap.max(FIRST.saturating_mul(2)).min(geometry.partition.end);
        self.zero(start)?;
        self.zero(geometry.partition.end.saturating_sub(FIRST)..geometry.partition.end)?;
        self.write_empty(last)?;
        let table = self.empty.partition_table();
        write(&mut self.device, 0, &table)?;
        self.device.flush().map_err(CopyError::Device)?;
        same(&self.view, 0, &table)?;
        self.formatted = true;
        Ok(())
    }

    /// The empty filesystem, with tables up to cluster `last`, written and read again.
    fn write_empty(&mut self, last: u32) -> Result<(), CopyError> {
        let Self { device, view, empty, .. } = self;
        let (at, link) = empty.link(State::HIDDEN);
        write(device, at, &link)?;
        device.flush().map_err(CopyError::Device)?;
        every(empty, last, &mut |at, bytes| write(device, at, bytes))?;
        device.flush().map_err(CopyError::Device)?;
        every(empty, last, &mut |at, bytes| same(view, at, bytes))?;
        empty.account(&mut |at, bytes| write(device, at, bytes))?;
        device.flush().map_err(CopyError::Device)?;
        empty.account(&mut |at, bytes| same(view, at, bytes))
    }

    fn zero(&mut self, range: Range<u64>) -> Result<(), CopyError> {
        let Self { device, empty, .. } = self;
        empty.pieces(range, &[], &mut |at, bytes| write(device, at, bytes))
    }

    /// Takes parts of files out of an object; returns how many bytes came so far.
    ///
    /// # Errors
    /// [`CopyError`]; nothing more may be taken then.
    pub fn take(&mut self, parts: &[CopyPart], object: &File, length: u64) -> Result<u64, CopyError> {
        if !self.formatted {
            return Err(CopyError::Order("content before the order to format"));
        }
        for part in parts {
            let end = part.offset.checked_add(part.length).filter(|end| *end <= length);
            if end.is_none() || part.length == 0 {
                return Err(CopyError::Order("a part outside its object"));
            }
            self.take_one(part, object)?;
            self.taken = self.taken.saturating_add(part.length);
            self.owed = self.owed.saturating_add(part.length);
            if self.owed >= OWED {
                self.device.flush().map_err(CopyError::Device)?;
                self.owed = 0;
            }
        }
        Ok(self.taken)
    }

    fn take_one(&mut self, part: &CopyPart, object: &File) -> Result<(), CopyError> {
        let place = index(part.file.into());
        let (size, sha256) = self.full.tree.file(part.file).ok_or(CopyError::Order("content of no file"))?;
        let run = self.full.run(part.file).ok_or(CopyError::Order("content of an empty file"))?;
        let target = self.full.place(run);
        let fresh = || Open { sum: Sha256::new(), came: 0, rest: Vec::new() };
        let mut open = self.open.remove(&part.file).unwrap_or_else(fresh);
        let after = open.came.checked_add(part.length).filter(|after| *after <= size);
        let (Some(after), Some(false)) = (after.filter(|_| open.came == part.at), self.done.get(place)) else {
            return Err(CopyError::Order("a part out of order"));
        };
        self.came.get_mut(place).into_iter().for_each(|came| *came = after);
        let block = u64::from(self.device.block());
        let mut from = part.offset;
        while open.came < after {
            let count = after.saturating_sub(open.came).min(STEP);
            let kept = open.rest.len();
            open.rest.resize(kept.saturating_add(index(count)), 0);
            let new = open.rest.get_mut(kept..).unwrap_or_default();
            object.read_exact_at(new, from).map_err(CopyError::Object)?;
            open.sum.update(&*new);
            let at = target.start.saturating_add(open.came).saturating_sub(wide(kept));
            (open.came, from) = (open.came.saturating_add(count), from.saturating_add(count));
            let whole = index(round_down(wide(open.rest.len()), block));
            write(&mut self.device, at, open.rest.get(..whole).unwrap_or_default())?;
            open.rest.drain(..whole);
        }
        if open.came < size {
            self.open.insert(part.file, open);
            return Ok(());
        }
        if open.sum.finalize()[..] != sha256[..] {
            return Err(CopyError::Differs(part.file));
        }
        // Behind the last byte, up to the end of the cluster, there is nothing of what was here before.
        let at = target.start.saturating_add(size).saturating_sub(wide(open.rest.len()));
        let Self { device, full, .. } = self;
        full.pieces(at..target.end, &open.rest, &mut |at, bytes| write(device, at, bytes))?;
        self.done.get_mut(place).into_iter().for_each(|done| *done = true);
        Ok(())
    }

    /// Reads every file again, makes all of them visible, and reads what makes them visible again. `told` hears how many
    /// bytes of files were the right ones.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn finish(&mut self, told: &mut dyn FnMut(u64)) -> Result<(), CopyError> {
        if !self.formatted {
            return Err(CopyError::Order("an end before the beginning"));
        }
        for (number, _) in self.full.tree.iter() {
            let came = self.done.get(index(number.into())) == Some(&true);
            if self.full.run(number).is_some() && self.full.tree.file(number).is_some() && !came {
                return Err(CopyError::Missing(number));
            }
        }
        self.device.flush().map_err(CopyError::Device)?;
        self.compare(told)?;
        let Self { device, view, full, .. } = self;
        let last = full.free;
        full.tables(last, State::HIDDEN, &mut |at, bytes| write(device, at, bytes))?;
        full.folders(&mut |at, bytes| write(device, at, bytes))?;
        device.flush().map_err(CopyError::Device)?;
        full.tables(last, State::HIDDEN, &mut |at, bytes| same(view, at, bytes))?;
        full.folders(&mut |at, bytes| same(view, at, bytes))?;
        // The switch.
        let (at, link) = full.link(State::SHOWN);
        write(device, at, &link)?;
        device.flush().map_err(CopyError::Device)?;
        same(view, at, &link)?;
        full.account(&mut |at, bytes| write(device, at, bytes))?;
        device.flush().map_err(CopyError::Device)?;
        full.account(&mut |at, bytes| same(view, at, bytes))
    }

    /// The SHA-256 of each file as the medium gives it back.
    fn compare(&self, told: &mut dyn FnMut(u64)) -> Result<(), CopyError> {
        let mut checked = 0u64;
        for (number, _) in self.full.tree.iter() {
            let (Some((size, sha256)), Some(run)) = (self.full.tree.file(number), self.full.run(number)) else {
                continue;
            };
            let start = self.full.place(run).start;
            let (mut sum, mut at) = (Sha256::new(), 0u64);
            while at < size {
                let count = size.saturating_sub(at).min(STEP);
                let mut bytes = vec![0u8; index(count)];
                let read = self.view.read_at(start.saturating_add(at), &mut bytes);
                read.map_err(|_| CopyError::ReadBack(Some(number)))?;
                sum.update(&bytes);
                (at, checked) = (at.saturating_add(count), checked.saturating_add(count));
                told(checked);
            }
            if sum.finalize()[..] != sha256[..] {
                return Err(CopyError::ReadBack(Some(number)));
            }
        }
        Ok(())
    }

    /// Leaves the medium formatted and empty, and then overwrites what came of files for as long as `wiping`: what there is no
    /// time for stays in free clusters, as what was there before the copy does.
    ///
    /// # Errors
    /// [`CopyError::Device`], [`CopyError::ReadBack`]; [`CopyError::Order`] before it was formatted.
    pub fn abandon(&mut self, wiping: Duration) -> Result<(), CopyError> {
        if !self.formatted {
            return Err(CopyError::Order("nothing was formatted"));
        }
        let last = self.full.free;
        self.write_empty(last)?;
        let (begun, mut owed) = (Instant::now(), 0u64);
        for place in self.written() {
            let mut start = place.start;
            while start < place.end && begun.elapsed() < wiping {
                let end = place.end.min(start.saturating_add(STEP));
                self.zero(start..end)?;
                owed = owed.saturating_add(end.saturating_sub(start));
                // Memory would take all of it at once, and the medium would be waited for afterwards.
                if owed >= STEP {
                    self.device.flush().map_err(CopyError::Device)?;
                    owed = 0;
                }
                start = end;
            }
        }
        self.device.flush().map_err(CopyError::Device)
    }

    /// Where something of files may stand: up to what came, in whole blocks.
    fn written(&self) -> Vec<Range<u64>> {
        let block = u64::from(self.device.block());
        let place = |(came, number): (&u64, u32)| {
            let place = self.full.place(self.full.run(number).filter(|_| *came > 0)?);
            let length = round_down(came.saturating_add(block).saturating_sub(1), block);
            Some(place.start..place.end.min(place.start.saturating_add(length)))
        };
        self.came.iter().zip(0u32..).filter_map(place).collect()
    }

    /// The device again: only a test looks at what happened to it.
    pub fn into_device(self) -> D {
        self.device
    }
}

/// Everything of a filesystem that is still being written; the tables first, which hide what was there.
fn every(layout: &Layout, last: u32, sink: &mut Sink<'_, CopyError>) -> Result<(), CopyError> {
    layout.boot(sink)?;
    layout.tables(last, State::HIDDEN, sink)?;
    layout.folders(sink)
}

fn write(device: &mut impl Device, at: u64, bytes: &[u8]) -> Result<(), CopyError> {
    if bytes.is_empty() { Ok(()) } else { device.write_at(at, bytes).map_err(CopyError::Device) }
}

/// Compares what the medium gives back.
fn same(view: &impl ReadAt, at: u64, wanted: &[u8]) -> Result<(), CopyError> {
    let mut found = vec![0u8; wanted.len()];
    view.read_at(at, &mut found).map_err(|_| CopyError::ReadBack(None))?;
    if found == wanted { Ok(()) } else { Err(CopyError::ReadBack(None)) }
}
