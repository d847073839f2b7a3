//! Directory entry sets: a File entry, its Stream Extension and its File Name entries (exFAT 6.3, 7.4, 7.6, 7.7).

use crate::bytes::Record;
use crate::calendar::Civil;
use crate::clusters::RECORD_BYTES;
use blanche_sandbox::wire::Modified;

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
    /// LastModifiedTimestamp, LastModified10msIncrement and LastModifiedUtcOffset (7.4.6).
    pub modified: Option<Modified>,
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
        modified: modified(Record(file)),
        name,
        first: stream.u32(20),
        length: stream.u64(24),
        valid_length: stream.u64(8),
        allocated: flags & 1 != 0,
        contiguous: flags & 2 != 0,
        checksum_holds: Record(file).u16(2) == checksum(records),
    })
}

/// When the file was last changed (7.4.6), to the second.
fn modified(file: Record<'_>) -> Option<Modified> {
    let even = Civil::of_dos(file.u16(14), file.u16(12));
    // Hundredths on top of the two seconds, up to 199 (7.4.9).
    let odd = u8::from((100..200).contains(&file.u8(21)));
    let civil = Civil { second: even.second.saturating_add(odd), ..even };
    // OffsetValid and seven bits of two's complement (7.4.10).
    let offset = file.u8(23);
    if offset & 0x80 == 0 { civil.local() } else { civil.quarters_ahead(i8::from_le_bytes([offset << 1]) >> 1) }
}

/// EntrySetChecksum (6.3.3): all bytes but the checksum itself.
#[must_use]
pub fn checksum(records: &[[u8; RECORD_BYTES]]) -> u16 {
    let bytes = records.iter().flatten().enumerate();
    bytes
        .filter(|(offset, _)| !matches!(offset, 2 | 3))
        .fold(0u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::Clock;

    /// 2026-11-24 12:00:00 with these hundredths and this UtcOffset.
    fn of(hundredths: u8, offset: u8) -> Option<Modified> {
        let mut file = [0u8; RECORD_BYTES];
        file[12..16].copy_from_slice(&[0, 12 << 3, 24 | 11 << 5, 46 << 1 | 1]);
        (file[21], file[23]) = (hundredths, offset);
        modified(Record(&file))
    }

    #[test]
    fn hundredths_and_the_distance_from_utc_count() {
        let noon = 1_795_521_600;
        let utc = |seconds| Some(Modified { seconds, clock: Clock::Utc });
        assert_eq!([of(0, 0x80), of(99, 0x80), of(100, 0x80), of(199, 0x80)], [0, 0, 1, 1].map(|odd| utc(noon + odd)));
        assert_eq!(of(200, 0x80), utc(noon), "no such hundredths");
        assert_eq!(of(0, 0x84), utc(noon - 3600));
        assert_eq!(of(0, 0xf2), utc(noon + 3 * 3600 + 1800));
        assert_eq!([of(0, 0xbf), of(0, 0xc0)], [utc(noon - 63 * 900), utc(noon + 64 * 900)]);
        for unknown in [0, 0x04, 0x7f] {
            assert_eq!(of(0, unknown), Some(Modified { seconds: noon, clock: Clock::Local }));
        }
    }

    #[test]
    fn records_of_nothing_but_ones_or_zeros_have_no_time() {
        assert_eq!(modified(Record(&[0xff; RECORD_BYTES])), None);
        assert_eq!(modified(Record(&[0; RECORD_BYTES])), None);
    }
}
