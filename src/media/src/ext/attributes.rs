//! Extended attributes in the inode and in a block of their own (Linux Documentation/filesystems/ext4, "Extended
//! Attributes").

use super::checksum::crc32c;
use super::inode::{Inode, OLD_BYTES};
use crate::bytes::{Record, index, wide};
use crate::filesystem::Extent;

/// h_magic of either place.
const MAGIC: u32 = 0xea02_0000;
/// Bytes of an entry before its name.
const ENTRY: usize = 16;
/// Bytes of the header of a block.
const HEADER: usize = 32;

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Beside its name, at this place of the medium.
    Here(Vec<u8>, Extent),
    /// In an inode of its own, with so many bytes (feature ea_inode).
    Inode(u32, u64),
}

/// A name with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    index: u8,
    name: Vec<u8>,
    pub(super) value: Value,
}

/// What stands in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) list: Vec<Attribute>,
    /// Entries contradict themselves or each other.
    pub(super) broken: bool,
}

impl Attribute {
    /// The name with the prefix that its index stands for.
    pub(super) fn full_name(&self) -> Vec<u8> {
        let known = match self.index {
            0 => "",
            1 => "user.",
            2 => "system.posix_acl_access",
            3 => "system.posix_acl_default",
            4 => "trusted.",
            5 => "lustre.",
            6 => "security.",
            7 => "system.",
            8 => "system.richacl",
            9 => "encryption.",
            10 => "gnu.",
            _ => "",
        };
        let prefix = if known.is_empty() { format!("attribute {}.", self.index) } else { known.to_owned() };
        [prefix.as_bytes(), &self.name].concat()
    }

    /// system.data: the rest of content that begins in the inode.
    pub(super) fn is_inline_data(&self) -> bool {
        self.index == 7 && self.name == b"data"
    }

    /// Whether it is what every system writes, and has room for nothing else.
    pub(super) fn is_ordinary(&self) -> bool {
        let Value::Here(value, _) = &self.value else { return false };
        match (self.index, self.name.as_slice()) {
            (2 | 3, b"") => is_access_list(value),
            (6, b"selinux") => value.len() <= 64 && is_label(value),
            (6, b"capability") => is_capability(value),
            _ => false,
        }
    }
}

/// A POSIX access control list as ext4 stores it: version 1, then entries of a tag and permissions, with an identifier
/// for named users and groups (fs/ext4/acl.h).
fn is_access_list(value: &[u8]) -> bool {
    let mut rest = match value.split_first_chunk::<4>() {
        Some(([1, 0, 0, 0], rest)) if value.len() <= 260 => rest,
        _ => return false,
    };
    let mut last = 0;
    while !rest.is_empty() {
        let (tag, permissions) = (Record(rest).u16(0), Record(rest).u16(2));
        let length = if matches!(tag, 0x02 | 0x08) { 8 } else { 4 };
        let known = matches!(tag, 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x20) && tag >= last;
        if !known || permissions > 7 || rest.len() < length {
            return false;
        }
        last = tag;
        rest = rest.get(length..).unwrap_or_default();
    }
    true
}

/// user:role:type:level, in the letters of which such labels are made.
fn is_label(value: &[u8]) -> bool {
    let text = value.strip_suffix(b"\0").unwrap_or(value);
    let letters = text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_:.,-".contains(byte));
    letters && text.iter().filter(|byte| **byte == b':').count() >= 2
}

/// vfs_cap_data of revision 1, 2 or 3 (include/uapi/linux/capability.h).
fn is_capability(value: &[u8]) -> bool {
    let revision = Record(value).u32(0) & 0xff00_0000;
    matches!((revision, value.len()), (0x0100_0000, 12) | (0x0200_0000, 20) | (0x0300_0000, 24))
}

/// The attributes in an inode, behind its fields.
pub(super) fn in_inode(inode: &Inode) -> Parsed {
    let start = OLD_BYTES.saturating_add(inode.extra());
    let region = inode.bytes.get(start..).unwrap_or_default();
    if inode.bytes.len() <= OLD_BYTES || Record(region).u32(0) != MAGIC {
        return Parsed::default();
    }
    // Values count from the first entry.
    let inside = region.get(4..).unwrap_or_default();
    let position = inode.position.saturating_add(wide(start)).saturating_add(4);
    parse(inside, 0, position)
}

/// The attributes in a block, which stands at `position` of the medium; `None` when it is no such block.
pub(super) fn in_block(bytes: &[u8], position: u64) -> Option<Parsed> {
    let record = Record(bytes);
    // h_blocks: "must be 1".
    (record.u32(0) == MAGIC && record.u32(8) == 1).then(|| parse(bytes, HEADER, position))
}

/// h_checksum of a block.
pub(super) fn block_sum_holds(seed: u32, block: u32, bytes: &[u8]) -> bool {
    let record = Record(bytes);
    let number = u64::from(block).to_le_bytes();
    let parts = [&number[..], record.slice(0, 0x10), &[0; 4], record.slice(0x14, bytes.len())];
    parts.into_iter().fold(seed, crc32c) == record.u32(0x10)
}

/// Entries from `first` on; values count from the start of `region`.
fn parse(region: &[u8], first: usize, position: u64) -> Parsed {
    let mut parsed = Parsed::default();
    let (mut offset, mut values) = (first, 0usize);
    loop {
        let entry = Record(region.get(offset..).unwrap_or_default());
        let name_length = usize::from(entry.u8(0));
        let next = offset.saturating_add(ENTRY).saturating_add(name_length).next_multiple_of(4);
        // Four zeros end the list.
        if entry.0.len() >= 4 && entry.u32(0) == 0 {
            return parsed;
        }
        if next > region.len() {
            parsed.broken = true;
            return parsed;
        }
        let name = entry.slice(ENTRY, name_length).to_vec();
        let (at, inode, size) = (usize::from(entry.u16(2)), entry.u32(4), entry.u32(8));
        let length = index(u64::from(size));
        let value = if inode != 0 {
            Some(Value::Inode(inode, u64::from(size)))
        } else {
            let bytes = if size == 0 { Some(&[][..]) } else { region.get(at..at.saturating_add(length)) };
            let extent = Extent { start: position.saturating_add(wide(at)), length: u64::from(size) };
            values = values.saturating_add(bytes.map_or(0, <[u8]>::len));
            // Values that lie in each other could be more than there is room for.
            bytes.filter(|_| values <= region.len()).map(|bytes| Value::Here(bytes.to_vec(), extent))
        };
        match value {
            Some(value) => parsed.list.push(Attribute { index: entry.u8(1), name, value }),
            None => parsed.broken = true,
        }
        offset = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(index: u8, name: &[u8], value: &[u8]) -> Attribute {
        let extent = Extent { start: 0, length: 0 };
        Attribute { index, name: name.to_vec(), value: Value::Here(value.to_vec(), extent) }
    }

    #[test]
    fn what_is_ordinary_has_no_room_for_anything_else() {
        let list = [1, 0, 0, 0, 1, 0, 7, 0, 2, 0, 5, 0, 9, 9, 0, 0, 4, 0, 5, 0, 0x10, 0, 5, 0, 0x20, 0, 4, 0];
        assert!(attribute(2, b"", &list).is_ordinary());
        assert!(!attribute(2, b"", b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR").is_ordinary());
        assert!(!attribute(1, b"", &list).is_ordinary());
        assert!(attribute(6, b"selinux", b"system_u:object_r:file_t:s0\0").is_ordinary());
        assert!(!attribute(6, b"selinux", b"#!/bin/sh\nid::").is_ordinary());
        assert!(!attribute(6, b"capability", b"12345678901234567890").is_ordinary());
        assert!(!attribute(1, b"note", b"").is_ordinary());
    }

    #[test]
    fn values_outside_and_lists_without_an_end_are_named() {
        let mut region = vec![1, 1, 60, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, b'a', 0, 0, 0];
        region.resize(64, 0);
        region[60..].copy_from_slice(b"body");
        let parsed = parse(&region, 0, 1000);
        let extent = Extent { start: 1060, length: 4 };
        assert_eq!((parsed.list[0].full_name(), parsed.broken), (b"user.a".to_vec(), false));
        assert_eq!(parsed.list[0].value, Value::Here(b"body".to_vec(), extent));
        region[2] = 61;
        assert!(parse(&region, 0, 0).broken);
        assert!(parse(&[1; 40], 0, 0).broken);
    }
}
