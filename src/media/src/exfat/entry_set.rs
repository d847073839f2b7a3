//! Directory entry sets: a File entry, its Stream Extension and its File Name entries (exFAT 6.3, 7.4, 7.6, 7.7).

use crate::bytes::Record;
use crate::clusters::RECORD_BYTES;

/// EndOfDirectory (6.2.1).
pub const END: u8 = 0x00;
/// Bit of an entry type: in use (6.2.1.4).
pub const IN_USE: u8 = 0x80;
/// Allocation Bitmap (7.1).
pub const BITMAP: u8 = 0x81;
/// Up-case Table (7.2).
pub const UPCASE: u8 = 0x82;
/// Volume Label (7.3).
pub const LABEL: u8 = 0x83;
/// File (7.4).
pub const FILE: u8 = 0x85;
/// Stream Extension (7.6).
pub const STREAM: u8 = 0xc0;
/// File Name (7.7).
pub const NAME: u8 = 0xc1;
/// Bit of an entry type: secondary (6.2.1.3).
const SECONDARY: u8 = 0x40;
/// Bit of an entry type: benign, may be ignored (6.2.1.2).
pub const BENIGN: u8 = 0x20;
/// UTF-16 units of a File Name entry.
const NAME_UNITS: usize = 15;

/// A complete set, as it stands on the medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrySet {
    /// FileAttributes (7.4.4).
    pub attributes: u16,
    /// Name in UTF-16 units, NameLength of them.
    pub name: Vec<u16>,
    /// FirstCluster.
    pub first: u32,
    /// DataLength, bytes.
    pub length: u64,
    /// ValidDataLength, bytes.
    pub valid_length: u64,
    /// AllocationPossible (6.3.4.1): without it there are no clusters.
    pub allocated: bool,
    /// NoFatChain (6.3.4.2).
    pub contiguous: bool,
    /// SetChecksum matches (6.3.3).
    pub checksum_holds: bool,
}

/// Collects the records of one set.
#[derive(Debug, Default)]
pub struct Collector {
    records: Vec<[u8; RECORD_BYTES]>,
    wanted: usize,
}

/// What a record did to the set.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More records of the set are to come.
    More,
    /// The set is complete.
    Complete(EntrySet),
    /// The record does not belong there, and what was collected makes no set.
    Broken,
}

impl Collector {
    /// Begins a set with its File entry.
    pub fn begin(&mut self, bytes: &[u8; RECORD_BYTES]) {
        self.records.clear();
        self.records.push(*bytes);
        self.wanted = usize::from(Record(bytes).u8(1)).saturating_add(1);
    }

    /// Whether a set is being collected.
    #[must_use]
    pub fn open(&self) -> bool {
        !self.records.is_empty()
    }

    /// Gives up what was collected; true when that was something.
    pub fn abandon(&mut self) -> bool {
        let was_open = self.open();
        self.records.clear();
        was_open
    }

    /// Takes the next record of the set.
    pub fn take(&mut self, bytes: &[u8; RECORD_BYTES]) -> Step {
        let kind = Record(bytes).u8(0);
        // 2 to 18 secondary entries (7.4.2), in use and secondary each.
        if kind & (IN_USE | SECONDARY) != IN_USE | SECONDARY || !(3..=19).contains(&self.wanted) {
            self.records.clear();
            return Step::Broken;
        }
        self.records.push(*bytes);
        if self.records.len() < self.wanted {
            return Step::More;
        }
        let set = parse(&self.records);
        self.records.clear();
        set.map_or(Step::Broken, Step::Complete)
    }
}

fn parse(records: &[[u8; RECORD_BYTES]]) -> Option<EntrySet> {
    let (file, rest) = records.split_first()?;
    let (stream, names) = rest.split_first()?;
    let stream = Record(stream);
    if stream.u8(0) != STREAM {
        return None;
    }
    let length = usize::from(stream.u8(3));
    let name: Vec<u16> = names
        .iter()
        .take_while(|record| Record(record.as_slice()).u8(0) == NAME)
        .flat_map(|record| (0..NAME_UNITS).map(|unit| Record(record).u16(unit.saturating_mul(2).saturating_add(2))))
        .take(length)
        .collect();
    if name.is_empty() || name.len() < length {
        return None;
    }
    let flags = stream.u8(1);
    Some(EntrySet {
        attributes: Record(file).u16(4),
        name,
        first: stream.u32(20),
        length: stream.u64(24),
        valid_length: stream.u64(8),
        allocated: flags & 1 != 0,
        contiguous: flags & 2 != 0,
        checksum_holds: Record(file).u16(2) == checksum(records),
    })
}

/// EntrySetChecksum (6.3.3): all bytes but the checksum itself.
#[must_use]
pub fn checksum(records: &[[u8; RECORD_BYTES]]) -> u16 {
    let bytes = records.iter().flatten().enumerate();
    bytes
        .filter(|(offset, _)| !matches!(offset, 2 | 3))
        .fold(0u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)))
}
