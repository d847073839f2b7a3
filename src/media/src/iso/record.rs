//! A directory record (ECMA-119, 9.1).

use super::dates;
use super::geometry::{both16, both32};
use crate::bytes::Record;
use blanche_sandbox::wire::Modified;

/// Bytes before the identifier.
const FIXED: usize = 33;

/// File flags (9.1.6).
const HIDDEN: u8 = 0x01;
const DIRECTORY: u8 = 0x02;
const ASSOCIATED: u8 = 0x04;
const MULTI_EXTENT: u8 = 0x80;

/// A record whose own length and the length of its identifier fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirectoryRecord<'a> {
    record: Record<'a>,
    identifier: usize,
}

impl<'a> DirectoryRecord<'a> {
    /// Parses the record at the start of `bytes`, which end with its sector (6.8.1.1: no record goes further).
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let length = usize::from(*bytes.first()?);
        let record = Record(bytes.get(..length)?);
        let identifier = usize::from(record.u8(32));
        let fits = length > FIXED && identifier > 0 && FIXED.saturating_add(identifier) <= length;
        fits.then_some(Self { record, identifier })
    }

    /// Bytes of the record.
    pub(super) fn length(self) -> usize {
        self.record.0.len()
    }

    /// First logical block of the extent, whose first `attribute_blocks` hold an extended attribute record.
    pub(super) fn block(self) -> u32 {
        both32(self.record, 2).0
    }

    /// Logical blocks of the extended attribute record.
    pub(super) fn attribute_blocks(self) -> u32 {
        u32::from(self.record.u8(1))
    }

    /// Bytes of content.
    pub(super) fn size(self) -> u32 {
        both32(self.record, 10).0
    }

    /// Recording Date and Time (9.1.5): of the file that was recorded, on every disc that people make.
    pub(super) fn modified(self) -> Option<Modified> {
        dates::short(self.record.array(18))
    }

    /// Whether both byte orders say the same.
    pub(super) fn hosts_agree(self) -> bool {
        both32(self.record, 2).1 && both32(self.record, 10).1 && both16(self.record, 28).1
    }

    /// Number of the volume that holds the extent.
    pub(super) fn volume(self) -> u16 {
        both16(self.record, 28).0
    }

    pub(super) fn hidden(self) -> bool {
        self.flag(HIDDEN)
    }

    pub(super) fn is_directory(self) -> bool {
        self.flag(DIRECTORY)
    }

    pub(super) fn is_associated(self) -> bool {
        self.flag(ASSOCIATED)
    }

    /// Whether the next record is about the next part of the same file.
    pub(super) fn goes_on(self) -> bool {
        self.flag(MULTI_EXTENT)
    }

    fn flag(self, flag: u8) -> bool {
        self.record.u8(25) & flag != 0
    }

    /// Whether the content lies in pieces with gaps between them (9.1.7, 9.1.8).
    pub(super) fn interleaved(self) -> bool {
        self.record.u8(26) != 0 || self.record.u8(27) != 0
    }

    /// Never empty.
    pub(super) fn identifier(self) -> &'a [u8] {
        self.record.slice(FIXED, self.identifier)
    }

    /// 0 for the folder itself, 1 for the one above it (6.8.2.2).
    pub(super) fn dot(self) -> Option<u8> {
        match self.identifier() {
            [number @ (0 | 1)] => Some(*number),
            _ => None,
        }
    }

    /// The system use area behind the identifier and its padding byte (9.1.12).
    pub(super) fn system_use(self) -> &'a [u8] {
        let end = FIXED.saturating_add(self.identifier);
        self.record.0.get(end.saturating_add(end % 2)..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let mut bytes = [0u8; 64];
        bytes[32] = 4;
        bytes[33..37].copy_from_slice(b"NAME");
        for length in 0..=255u8 {
            bytes[0] = length;
            let parsed = DirectoryRecord::parse(&bytes);
            assert_eq!(parsed.is_some(), (37..=64).contains(&length), "{length}");
        }
        bytes[0] = 40;
        assert_eq!(DirectoryRecord::parse(&bytes).unwrap().identifier(), b"NAME");
        assert_eq!(DirectoryRecord::parse(&bytes).unwrap().system_use().len(), 2);
        bytes[32] = 0;
        assert!(DirectoryRecord::parse(&bytes).is_none());
        assert!(DirectoryRecord::parse(&[]).is_none());
    }
}
