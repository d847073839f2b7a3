//! $MFT, the table of all file records: read in windows, and which of its records some folder names.

use super::record::{FileRecord, Head, head};
use super::value::{Value, touches};
use crate::bytes::{index, wide};
use crate::filesystem::Fault;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit};
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes of one window.
const WINDOW: u64 = 64 << 10;
/// Windows kept: 32 MiB.
const WINDOWS: usize = 512;
/// Records that are told apart; 8 MiB for each set of bits.
const MAX_RECORDS: u64 = 1 << 26;
/// Records that no folder names and that get a fault of their own.
const MAX_UNREACHABLE: usize = 1024;

/// The table.
#[derive(Debug)]
pub(super) struct Mft {
    value: Value,
    record: u64,
    count: u64,
    whole: bool,
    windows: BTreeMap<u64, Window>,
    clock: u64,
    /// Records that no folder has to name: not in use, or the continuation of another.
    unnamed: Bits,
    /// Records that a folder names, or that belong to the filesystem.
    reached: Bits,
    read: u64,
}

#[derive(Debug, Default)]
struct Window {
    bytes: Vec<u8>,
    bad: Vec<Range<u64>>,
    used: u64,
}

impl Mft {
    /// The table in `value`, of which `initialised` bytes were ever written, with records of `record` bytes in a volume
    /// of `volume` bytes.
    pub(super) fn new(value: Value, initialised: u64, record: u64, volume: u64) -> Self {
        let bytes = value.length().min(initialised);
        let stored = value.stored().min(volume);
        let count = bytes.min(stored).checked_div(record).unwrap_or(0).min(MAX_RECORDS);
        let (unnamed, reached) = (Bits::new(count), Bits::new(count));
        let whole = bytes <= stored;
        Self { value, record, count, whole, windows: BTreeMap::new(), clock: 0, unnamed, reached, read: 0 }
    }

    /// A fault when there are more records than are looked at.
    pub(super) fn limit_fault(&self) -> Option<Fault> {
        let (offset, cause) = (self.position(0), Cause::ReadLimit(ReadLimit::Entries));
        (self.count >= MAX_RECORDS).then_some(Fault { offset, length: 0, cause })
    }

    /// Records.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that were read of the table, at most once each.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.min(self.value.stored())
    }

    /// Where a record begins on the medium.
    pub(super) fn position(&self, number: u64) -> u64 {
        let place = self.value.position(number.saturating_mul(self.record));
        place.or_else(|| self.value.position(0)).unwrap_or(0)
    }

    /// Whether a folder was seen to name the record.
    pub(super) fn is_reached(&self, number: u64) -> bool {
        self.reached.contains(number)
    }

    /// Notes that a folder names the record.
    pub(super) fn reach(&mut self, number: u64) {
        self.reached.insert(number);
    }

    /// Whether every record is stored somewhere.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The bytes of a record as they stand on the medium; nothing when they cannot be read.
    pub(super) fn raw(&mut self, medium: &Medium<'_>, number: u64) -> Result<Option<Vec<u8>>, Removed> {
        let place = self.place(number);
        let (window, start) = self.window(medium, number)?;
        if touches(&window.bad, &place) {
            return Ok(None);
        }
        let within = index(place.start.saturating_sub(start))..index(place.end.saturating_sub(start));
        Ok(window.bytes.get(within).map(<[u8]>::to_vec))
    }

    /// Reads a record, or says why that is not possible.
    pub(super) fn fetch(&mut self, medium: &Medium<'_>, number: u64) -> Result<Result<FileRecord, Cause>, Removed> {
        if number >= self.count {
            return Ok(Err(Cause::Corrupt(Corruption::FileRecord)));
        }
        let Some(bytes) = self.raw(medium, number)? else { return Ok(Err(Cause::Unreadable)) };
        Ok(FileRecord::parse(number, bytes).ok_or(Cause::Corrupt(Corruption::FileRecord)))
    }

    fn place(&self, number: u64) -> Range<u64> {
        let start = number.saturating_mul(self.record);
        start..start.saturating_add(self.record)
    }

    /// The window that holds a record, and its first byte within the table.
    fn window(&mut self, medium: &Medium<'_>, number: u64) -> Result<(&Window, u64), Removed> {
        let size = WINDOW.max(self.record);
        let key = self.place(number).start.checked_div(size).unwrap_or(0);
        let start = key.saturating_mul(size);
        self.clock = self.clock.saturating_add(1);
        if !self.windows.contains_key(&key) {
            let end = self.place(self.count).start;
            let mut window = Window { bytes: vec![0; index(size.min(end.saturating_sub(start)))], ..Window::default() };
            self.value.read(medium, start, &mut window.bytes, &mut window.bad)?;
            self.read = self.read.saturating_add(wide(window.bytes.len()));
            self.note_unnamed(&window, start);
            if self.windows.len() >= WINDOWS
                && let Some(oldest) = self.windows.iter().min_by_key(|(_, window)| window.used).map(|(key, _)| *key)
            {
                self.windows.remove(&oldest);
            }
            self.windows.insert(key, window);
        }
        let window = self.windows.entry(key).or_default();
        window.used = self.clock;
        Ok((window, start))
    }

    fn note_unnamed(&mut self, window: &Window, start: u64) {
        let first = start.checked_div(self.record).unwrap_or(0);
        for (number, bytes) in (first..).zip(window.bytes.chunks(index(self.record))) {
            let named = matches!(head(bytes), Head::Base | Head::Damaged);
            if !named && !touches(&window.bad, &self.place(number)) {
                self.unnamed.insert(number);
            }
        }
    }

    /// A fault for every record in use that no folder names. What was not read of the table yet is read now.
    pub(super) fn unreachable(&mut self, medium: &Medium<'_>) -> Result<Vec<Fault>, Removed> {
        let mut faults = Vec::new();
        for number in 0..self.count {
            if self.unnamed.contains(number) || self.reached.contains(number) {
                continue;
            }
            self.window(medium, number)?;
            if self.unnamed.contains(number) {
                continue;
            }
            if faults.len() >= MAX_UNREACHABLE {
                let (offset, cause) = (self.position(0), Cause::Corrupt(Corruption::Unreachable));
                faults.push(Fault { offset, length: 0, cause });
                break;
            }
            let cause = match self.fetch(medium, number)? {
                Ok(_) => Cause::Corrupt(Corruption::Unreachable),
                Err(cause) => cause,
            };
            faults.push(Fault { offset: self.position(number), length: self.record, cause });
        }
        Ok(faults)
    }
}

/// A set of numbers below a bound.
#[derive(Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// For numbers below `count`.
    pub(super) fn new(count: u64) -> Self {
        Self(vec![0; index(count.div_ceil(64))])
    }

    /// Adds a number; false when it was there or is too large.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        let Some(word) = self.0.get_mut(index(number / 64)) else { return false };
        let mask = mask(number);
        let new = *word & mask == 0;
        *word |= mask;
        new
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.get(index(number / 64)).is_some_and(|word| *word & mask(number) != 0)
    }
}

fn mask(number: u64) -> u64 {
    1u64.rotate_left(u32::try_from(number % 64).unwrap_or(0))
}
