//! File entries and extended file entries (ECMA-167 4/14.9 and 4/14.17): what a file, folder or stream is.

use super::account::Account;
use super::space::Space;
use super::tag::{Descriptor, EXTENDED_FILE_ENTRY, FILE_ENTRY, Place, Tag, count};
use crate::bytes::{Record, index, wide};
use crate::calendar::Civil;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::Modified;
use std::collections::BTreeMap;

/// Bytes read at once.
const MAX_READ: u64 = 256 << 10;
/// Bytes between two entries of a metadata partition that are read along.
const MAX_GAP: u64 = 32 << 10;

// File types (4/14.6.6; UDF 2.60, 2.2.13).
pub(super) const UNSPECIFIED: u8 = 0;
pub(super) const FOLDER: u8 = 4;
pub(super) const FILE: u8 = 5;
pub(super) const BLOCK_DEVICE: u8 = 6;
pub(super) const CHARACTER_DEVICE: u8 = 7;
pub(super) const PIPE: u8 = 9;
pub(super) const SOCKET: u8 = 10;
pub(super) const SYMBOLIC_LINK: u8 = 12;
pub(super) const STREAM_FOLDER: u8 = 13;
pub(super) const VIRTUAL_TABLE: u8 = 248;
pub(super) const REAL_TIME: u8 = 249;
pub(super) const METADATA_FILE: u8 = 250;
pub(super) const METADATA_MIRROR: u8 = 251;
pub(super) const METADATA_BITMAP: u8 = 252;

/// How the space of a file is described (4/14.6.8, bits 0 to 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allocation {
    Short,
    Long,
    Extended,
    Embedded,
}

/// A file entry.
#[derive(Debug)]
pub(super) struct Icb {
    pub(super) place: Place,
    bytes: Vec<u8>,
    extended: bool,
    /// Its checksum holds, it stands where it says, and its parts fit into its block.
    pub(super) sound: bool,
}

impl Icb {
    /// The file entry in a block; nothing when there is none.
    pub(super) fn parse(bytes: Vec<u8>, place: Place) -> Option<Self> {
        let tag = Tag::of(&bytes).filter(|tag| matches!(tag.id, FILE_ENTRY | EXTENDED_FILE_ENTRY))?;
        let extended = tag.id == EXTENDED_FILE_ENTRY;
        let fits = tag.location == place.block && tag.crc_holds(&bytes);
        let mut icb = Self { place, bytes, extended, sound: fits };
        let end = icb.head().saturating_add(icb.attributes_length()).saturating_add(icb.descriptors_length());
        icb.sound &= end <= icb.bytes.len();
        Some(icb)
    }

    fn record(&self) -> Record<'_> {
        Record(&self.bytes)
    }

    /// Bytes before the extended attributes.
    fn head(&self) -> usize {
        if self.extended { 216 } else { 176 }
    }

    fn attributes_length(&self) -> usize {
        count(self.record().u32(if self.extended { 208 } else { 168 }))
    }

    fn descriptors_length(&self) -> usize {
        count(self.record().u32(if self.extended { 212 } else { 172 }))
    }

    /// What it is.
    pub(super) fn file_type(&self) -> u8 {
        self.record().u8(27)
    }

    /// One entry that is written in place, the only strategy of rewritable media (4/A.5).
    pub(super) fn direct(&self) -> bool {
        self.record().u16(20) == 4
    }

    pub(super) fn allocation(&self) -> Allocation {
        match self.record().u16(34) & 7 {
            0 => Allocation::Short,
            1 => Allocation::Long,
            3 => Allocation::Embedded,
            _ => Allocation::Extended,
        }
    }

    pub(super) fn is_system(&self) -> bool {
        self.record().u16(34) & 0x400 != 0
    }

    /// Nobody may write (4/14.9.5).
    pub(super) fn read_only(&self) -> bool {
        self.record().u32(44) & 0x0842 == 0
    }

    /// Content is changed in a way that only its writer knows (4/14.6.8, bit 11; UDF 2.60, 2.3.5.4 forbids it).
    pub(super) fn transformed(&self) -> bool {
        self.record().u16(34) & 0x800 != 0
    }

    pub(super) fn links(&self) -> u16 {
        self.record().u16(48)
    }

    /// Bytes of content.
    pub(super) fn size(&self) -> u64 {
        self.record().u64(56)
    }

    /// Modification Date and Time.
    pub(super) fn modified(&self) -> Option<Modified> {
        timestamp(self.record().array(if self.extended { 92 } else { 84 }))
    }

    /// The file of extended attributes.
    pub(super) fn attribute_file(&self) -> Descriptor {
        Descriptor::long(self.record(), if self.extended { 136 } else { 112 })
    }

    /// The folder of named streams.
    pub(super) fn stream_folder(&self) -> Option<Descriptor> {
        self.extended.then(|| Descriptor::long(self.record(), 152)).filter(|folder| folder.length > 0)
    }

    /// The extended attributes in the entry itself.
    pub(super) fn attributes(&self) -> &[u8] {
        self.record().slice(self.head(), self.attributes_length())
    }

    /// Allocation descriptors, or the content itself.
    pub(super) fn descriptors(&self) -> &[u8] {
        self.record().slice(self.head().saturating_add(self.attributes_length()), self.descriptors_length())
    }
}

/// A timestamp (1/7.3), to the second. What UDF writes is local time (UDF 2.60, 2.1.4.1) with its distance from UTC in minutes,
/// or with -2047 where that is not known; other numbers beyond a day say no more.
fn timestamp(bytes: [u8; 12]) -> Option<Modified> {
    let record = Record(&bytes);
    let kind = record.u16(0);
    // A year before 0 is one far behind 9999 here.
    let [month, day, hour, minute, second] = record.array(4);
    let civil = Civil { year: record.u16(2), month, day, hour, minute, second };
    // Twelve bits of two's complement.
    let zone = i16::from_le_bytes((kind << 4).to_le_bytes()) >> 4;
    match kind >> 12 {
        0 => civil.ahead(0),
        1 if (-1440..=1440).contains(&zone) => civil.ahead(zone.into()),
        1 => civil.local(),
        // By agreement of whoever writes and reads, or nothing that exists.
        _ => None,
    }
}

/// A block that was to hold a file entry.
#[derive(Debug)]
pub(super) enum Loaded {
    Entry(Icb),
    /// No file entry stands there.
    Broken,
    Unreadable,
}

impl Loaded {
    /// The file entry, if there is one.
    pub(super) fn entry(self) -> Option<Icb> {
        match self {
            Self::Entry(icb) => Some(icb),
            Self::Broken | Self::Unreadable => None,
        }
    }
}

/// Blocks that were read for their file entries.
pub(super) type Blocks = BTreeMap<Place, Option<Vec<u8>>>;

/// Reads the blocks at `places`, neighbours together. Only metadata partitions are read between them, because
/// elsewhere content of files may lie there.
pub(super) fn load(
    medium: &Medium<'_>,
    space: &Space,
    account: &mut Account,
    places: impl Iterator<Item = Place>,
) -> Result<Blocks, Removed> {
    let mut positions: Vec<(u64, Place)> =
        places.filter_map(|place| Some((space.block_position(place)?, place))).collect();
    positions.sort_unstable();
    positions.dedup();
    let mut blocks = Blocks::new();
    let mut rest = positions.as_slice();
    while let Some((first, place)) = rest.first() {
        let gap = if space.is_metadata(place.partition) { MAX_GAP } else { 0 };
        let mut end = first.saturating_add(space.block);
        let reached = rest.iter().take_while(|(position, other)| {
            let after = position.saturating_add(space.block);
            let near = other.partition == place.partition && *position <= end.saturating_add(gap);
            let joined = near && after.saturating_sub(*first) <= MAX_READ;
            end = if joined { end.max(after) } else { end };
            joined
        });
        let (run, behind) = rest.split_at(reached.count().max(1));
        rest = behind;
        let mut buffer = vec![0u8; index(end.saturating_sub(*first))];
        let mut bad = Vec::new();
        medium.read_tolerant(*first, &mut buffer, &mut bad)?;
        for (position, place) in run {
            let from = index(position.saturating_sub(*first));
            let bytes = Record(&buffer).slice(from, space.block_index());
            let after = position.saturating_add(wide(bytes.len()));
            let lost = bad.iter().any(|range| range.start < after && range.end > *position);
            blocks.insert(*place, (!lost).then(|| bytes.to_vec()));
            account.count_read(space.block);
        }
    }
    for place in blocks.keys() {
        account.structure(space, *place, 1);
    }
    Ok(blocks)
}

/// The file entry at `place` among blocks that were read.
pub(super) fn entry_in(blocks: &Blocks, place: Place) -> Loaded {
    match blocks.get(&place) {
        Some(Some(bytes)) => Icb::parse(bytes.clone(), place).map_or(Loaded::Broken, Loaded::Entry),
        Some(None) => Loaded::Unreadable,
        None => Loaded::Broken,
    }
}

/// Reads one file entry.
pub(super) fn load_one(
    medium: &Medium<'_>,
    space: &Space,
    account: &mut Account,
    place: Place,
) -> Result<Loaded, Removed> {
    let blocks = load(medium, space, account, std::iter::once(place))?;
    Ok(entry_in(&blocks, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::Clock;

    /// 2026-11-24 12:00:00 of this type and zone.
    fn noon(kind: u16, zone: i16) -> Option<Modified> {
        let [a, b] = (kind << 12 | u16::from_le_bytes(zone.to_le_bytes()) & 0xfff).to_le_bytes();
        timestamp([a, b, 0xea, 0x07, 11, 24, 12, 0, 0, 0, 0, 0])
    }

    #[test]
    fn only_a_zone_that_can_be_one_is_taken_off() {
        let at = |seconds: i64, clock| Some(Modified { seconds: 1_795_521_600 + seconds, clock });
        assert_eq!(noon(1, 0), at(0, Clock::Utc));
        assert_eq!([noon(1, 60), noon(1, -210)], [at(-3600, Clock::Utc), at(12_600, Clock::Utc)]);
        assert_eq!([noon(1, 1440), noon(1, -1440)], [at(-86_400, Clock::Utc), at(86_400, Clock::Utc)]);
        for unknown in [-2047, -2048, -1441, 1441, 2047] {
            assert_eq!(noon(1, unknown), at(0, Clock::Local), "{unknown}");
        }
        assert_eq!([noon(0, 0), noon(0, 60)], [at(0, Clock::Utc); 2], "universal time has no zone");
        for odd in 2..=15 {
            assert_eq!(noon(odd, 0), None, "type {odd}");
        }
    }

    #[test]
    fn dates_that_no_calendar_has_are_none() {
        let [a, b] = (1u16 << 12).to_le_bytes();
        for [low, high, month, day] in
            [[0, 0, 1, 1], [0x10, 0x27, 1, 1], [0xff, 0xff, 1, 1], [0xea, 7, 0, 1], [0xea, 7, 2, 31], [0xea, 7, 15, 1]]
        {
            assert_eq!(timestamp([a, b, low, high, month, day, 0, 0, 0, 0, 0, 0]), None, "{high} {low} {month} {day}");
        }
        assert_eq!((timestamp([0; 12]), timestamp([0xff; 12])), (None, None));
    }
}
