//! Extended attributes (ECMA-167 4/14.10), handed over as streams when they are large enough to hold something.

use super::tag::{ATTRIBUTE_HEADER, Tag, count, identifier};
use crate::bytes::{Record, is_zero, wide};
use crate::filesystem::{Found, Stored};
use blanche_sandbox::wire::EntryKind;

/// Bytes of the header descriptor (4/14.10.1).
const HEADER: usize = 24;
/// Bytes of an attribute before its data (4/14.10.2).
const HEAD: usize = 12;
/// Smaller data is a fact about the file: times, device numbers, Finder flags, an empty reserve.
const LARGE: usize = 64;

// Attribute types with an entity identifier (4/14.10.8, 4/14.10.9).
const IMPLEMENTATION_USE: u32 = 2048;
const APPLICATION_USE: u32 = 65_536;

/// The large attributes in `space`, and whether the attributes are in order.
pub(super) fn streams(space: &[u8]) -> (Vec<Found>, bool) {
    let mut found = Vec::new();
    if space.is_empty() {
        return (found, true);
    }
    let header = Tag::of(space).filter(|tag| tag.id == ATTRIBUTE_HEADER);
    let mut sound = header.is_some_and(|tag| tag.crc_holds(space));
    let mut rest = space.get(HEADER..).unwrap_or_default();
    while !is_zero(rest) {
        let record = Record(rest);
        let length = count(record.u32(8));
        let Some(attribute) = rest.get(..length).filter(|attribute| attribute.len() >= HEAD) else {
            // Not an attribute: what is left is handed over as it is.
            sound = false;
            found.push(stream(b"unknown", rest));
            break;
        };
        let (name, data) = parts(Record(attribute));
        if data.len() >= LARGE && !is_zero(data) {
            found.push(stream(&name, data));
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    (found, sound)
}

/// Name and data of an attribute.
fn parts(attribute: Record<'_>) -> (Vec<u8>, &[u8]) {
    let kind = attribute.u32(0);
    if matches!(kind, IMPLEMENTATION_USE | APPLICATION_USE) {
        let name = identifier(attribute, 16).to_vec();
        let name = if name.is_empty() { kind.to_string().into_bytes() } else { name };
        return (name, attribute.0.get(48..).unwrap_or_default());
    }
    (kind.to_string().into_bytes(), attribute.0.get(HEAD..).unwrap_or_default())
}

fn stream(name: &[u8], data: &[u8]) -> Found {
    let letters = name.iter().map(|byte| char::from(*byte)).collect::<String>();
    let mut found = Found::new(format!("attribute {letters}").into_bytes(), EntryKind::Stream);
    found.size = wide(data.len());
    found.stored = Stored::Inline(data.to_vec());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u32, name: &[u8], data: &[u8]) -> Vec<u8> {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend([1, 0, 0, 0]);
        bytes.extend((48 + data.len() as u32).to_le_bytes());
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.push(0);
        bytes.extend(name);
        bytes.resize(48, 0);
        bytes.extend(data);
        bytes
    }

    fn space(attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0u8; HEADER];
        bytes[0..4].copy_from_slice(&[6, 1, 2, 0]);
        bytes[4] = 9;
        bytes.extend(attributes.concat());
        bytes
    }

    #[test]
    fn large_attributes_are_streams_and_small_ones_are_not() {
        let large = attribute(2048, b"*UDF OS/2 EA", &[7; 100]);
        let small = attribute(65_536, b"*Someone", &[7; 60]);
        let free = attribute(2048, b"*UDF FreeEASpace", &[0; 300]);
        let (found, sound) = streams(&space(&[small, free, large]));
        assert!(sound);
        let names: Vec<_> = found.iter().map(|found| found.name.as_slice()).collect();
        assert_eq!(names, [b"attribute *UDF OS/2 EA"]);
        assert_eq!((found[0].size, &found[0].stored), (100, &Stored::Inline(vec![7; 100])));
    }

    #[test]
    fn what_is_no_attribute_is_handed_over_and_named() {
        for bytes in [vec![1; 40], attribute(2048, b"*X", &[7; 100])[..60].to_vec()] {
            let (found, sound) = streams(&space(&[bytes]));
            assert_eq!((found.len(), sound), (1, false));
        }
        assert_eq!(streams(&[]).0.len(), 0);
        assert!(!streams(&[0; 24]).1);
    }
}
