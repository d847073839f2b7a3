//! What every structure of ECMA-167 begins with, a tag (3/7.2, 4/7.2), and the small fields that occur everywhere:
//! extents, allocation descriptors (4/14.14) and entity identifiers (1/7.4).

use crate::bytes::{Record, index};

/// Bytes of a tag.
pub(crate) const TAG_BYTES: usize = 16;

// Tag identifiers (3/7.2.1 and 4/7.2.1).
pub(super) const PRIMARY: u16 = 1;
pub(super) const ANCHOR: u16 = 2;
pub(super) const POINTER: u16 = 3;
pub(super) const IMPLEMENTATION_USE: u16 = 4;
pub(super) const PARTITION: u16 = 5;
pub(super) const LOGICAL_VOLUME: u16 = 6;
pub(super) const UNALLOCATED: u16 = 7;
pub(super) const TERMINATING: u16 = 8;
pub(super) const INTEGRITY: u16 = 9;
pub(super) const FILE_SET: u16 = 256;
pub(super) const FILE_IDENTIFIER: u16 = 257;
pub(super) const ALLOCATION_EXTENT: u16 = 258;
pub(super) const FILE_ENTRY: u16 = 261;
pub(super) const ATTRIBUTE_HEADER: u16 = 262;
pub(super) const SPACE_ENTRY: u16 = 263;
pub(super) const SPACE_BITMAP: u16 = 264;
pub(super) const EXTENDED_FILE_ENTRY: u16 = 266;

/// A tag whose own checksum holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) id: u16,
    /// Block in which the structure says that it stands.
    pub(super) location: u32,
    crc: u16,
    crc_length: u16,
}

impl Tag {
    /// The tag at the beginning of `bytes`; nothing when there is none or its checksum does not hold.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let record = Record(bytes);
        let head = bytes.get(..TAG_BYTES)?;
        let others = head.iter().enumerate().filter(|(offset, _)| *offset != 4);
        let sum = others.fold(0u8, |sum, (_, byte)| sum.wrapping_add(*byte));
        let tag = Self { id: record.u16(0), location: record.u32(12), crc: record.u16(8), crc_length: record.u16(10) };
        (sum == record.u8(4) && matches!(record.u16(2), 2 | 3)).then_some(tag)
    }

    /// Whether the checksum of what follows the tag holds; `bytes` begin with the tag.
    pub(super) fn crc_holds(&self, bytes: &[u8]) -> bool {
        let length = usize::from(self.crc_length);
        let body = Record(bytes).slice(TAG_BYTES, length);
        body.len() == length && crc(body) == self.crc
    }

    /// The tag at the beginning of `bytes` if it is of this kind, stands where it says, and its checksums hold.
    pub(super) fn sound(bytes: &[u8], id: u16, location: u32) -> bool {
        Self::of(bytes).is_some_and(|tag| tag.id == id && tag.location == location && tag.crc_holds(bytes))
    }
}

/// CRC of ITU-T V.41, x^16 + x^12 + x^5 + 1, starting with zero (3/7.2.6).
pub(super) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0u16, |crc, byte| {
        let mixed = (crc >> 8) ^ u16::from(*byte);
        let mixed = mixed ^ (mixed >> 4);
        (crc << 8) ^ (mixed << 12) ^ (mixed << 5) ^ mixed
    })
}

/// What an allocation descriptor says about its extent (4/14.14.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExtentType {
    Recorded,
    /// Space is set aside, and zeros are read.
    Allocated,
    /// Zeros are read.
    Hole,
    /// More allocation descriptors.
    Continuation,
}

/// A short or long allocation descriptor (4/14.14.1, 4/14.14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) kind: ExtentType,
    /// Bytes.
    pub(super) length: u32,
    pub(super) place: Place,
}

/// Bytes of a long allocation descriptor.
pub(super) const LONG: usize = 16;
/// Bytes of a short one.
pub(super) const SHORT: usize = 8;

impl Descriptor {
    /// A long descriptor at `offset` of a record.
    pub(super) fn long(record: Record<'_>, offset: usize) -> Self {
        let at = |field: usize| offset.saturating_add(field);
        let place = Place { partition: record.u16(at(8)), block: record.u32(at(4)) };
        Self::new(record.u32(offset), place)
    }

    /// A short descriptor, which counts in `partition`.
    pub(super) fn short(record: Record<'_>, offset: usize, partition: u16) -> Self {
        let place = Place { partition, block: record.u32(offset.saturating_add(4)) };
        Self::new(record.u32(offset), place)
    }

    fn new(length: u32, place: Place) -> Self {
        let kind = match length >> 30 {
            0 => ExtentType::Recorded,
            1 => ExtentType::Allocated,
            2 => ExtentType::Hole,
            _ => ExtentType::Continuation,
        };
        Self { kind, length: length & 0x3fff_ffff, place }
    }
}

/// A logical block: partition reference number (an index into the partition maps) and block in it (4/7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) partition: u16,
    pub(super) block: u32,
}

impl Place {
    /// As one number.
    pub(super) fn number(self) -> u64 {
        u64::from(self.partition) << 32 | u64::from(self.block)
    }

    /// The reverse of [`Place::number`].
    pub(super) fn of_number(number: u64) -> Self {
        let partition = u16::try_from(number >> 32).unwrap_or(u16::MAX);
        Self { partition, block: u32::try_from(number & 0xffff_ffff).unwrap_or(u32::MAX) }
    }
}

/// The identifier of an entity identifier ("regid", 1/7.4) at `offset`, without its padding.
pub(super) fn identifier(record: Record<'_>, offset: usize) -> &[u8] {
    let text = record.slice(offset.saturating_add(1), 23);
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    text.get(..end).unwrap_or_default()
}

/// A length or count in a record as an index.
pub(super) fn count(value: u32) -> usize {
    index(u64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_the_standard() {
        // ECMA-167 3rd edition, A.1: the bytes 70 6A 77 have the CRC 3299h.
        assert_eq!(crc(&[0x70, 0x6a, 0x77]), 0x3299);
    }

    #[test]
    fn a_tag_is_believed_with_its_checksum_only() {
        let mut bytes = [0u8; 20];
        bytes[0] = 2;
        bytes[2] = 3;
        bytes[12] = 9;
        bytes[4] = 14;
        assert_eq!(Tag::of(&bytes).map(|tag| (tag.id, tag.location)), Some((2, 9)));
        assert!(Tag::sound(&bytes, 2, 9) && !Tag::sound(&bytes, 2, 8));
        bytes[5] = 1;
        assert_eq!(Tag::of(&bytes), None);
        assert_eq!(Tag::of(&bytes[..15]), None);
    }

    #[test]
    fn places_are_numbers_and_back() {
        let place = Place { partition: 65_535, block: u32::MAX };
        assert_eq!(Place::of_number(place.number()), place);
    }
}
