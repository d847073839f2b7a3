//! Zip (PKWARE APPNOTE 6.3): what its central directory announces, to be compared with what libclamav unpacked.
//!
//! libclamav unpacks methods 0, 6, 8, 9 and 12, and passes over every other in silence; a member whose decompression
//! fails is passed over as well.

use super::bytes::{has, le16, le32, le64, offset, part};

/// What a zip announces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Zip {
    /// Bytes of each member that is neither a folder, encrypted nor of an unsupported method.
    pub(super) sizes: Vec<u64>,
    /// A member is encrypted.
    pub(super) encrypted: bool,
    /// A member's method is not unpacked.
    pub(super) unsupported: bool,
    /// Central directory and local headers contradict each other, or the archive has more parts.
    pub(super) broken: bool,
    /// Names of the first members.
    pub(super) names: Vec<Vec<u8>>,
    /// The central directory was found.
    pub(super) directory: bool,
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
/// Bytes of the end record, and of its comment at most.
const END_BYTES: usize = 22;
const MAX_COMMENT: usize = 65_535;
/// Names that are kept, to recognise office documents.
const KEPT_NAMES: usize = 64;
/// Methods that libclamav 1.4 unpacks: stored, imploded, deflated, deflate64, bzip2.
const METHODS: [u16; 5] = [0, 6, 8, 9, 12];

/// Whether content begins like a zip: a local header, an empty archive, or a spanning marker before the first header.
pub(super) fn begins(content: &[u8]) -> bool {
    has(content, 0, LOCAL)
        || has(content, 0, END)
        || ((has(content, 0, b"PK00") || has(content, 0, b"PK\x07\x08")) && has(content, 4, LOCAL))
}

/// Where the central directory is.
struct Directory {
    start: usize,
    entries: u64,
    /// Bytes before the archive (self-extracting programs): added to every offset in it.
    prefix: usize,
    split: bool,
}

/// Reads the central directory; `None` when the content neither begins like a zip nor ends like one.
pub(super) fn read(content: &[u8]) -> Option<Zip> {
    let Some(directory) = find_directory(content) else {
        return begins(content).then(Zip::default);
    };
    let mut zip = Zip { directory: true, broken: directory.split, ..Zip::default() };
    let mut at = directory.start;
    for _ in 0..directory.entries {
        let Some(next) = read_member(content, at, directory.prefix, &mut zip) else {
            zip.broken = true;
            break;
        };
        at = next;
    }
    Some(zip)
}

/// Finds the end record whose directory really stands where it says; the last one in the content wins, as in every
/// unpacker.
fn find_directory(content: &[u8]) -> Option<Directory> {
    let tail = content.len().saturating_sub(END_BYTES + MAX_COMMENT);
    let window = content.get(tail..)?;
    memchr::memmem::rfind_iter(window, END).find_map(|at| directory_at(content, tail.checked_add(at)?))
}

fn directory_at(content: &[u8], end: usize) -> Option<Directory> {
    // The comment must lie in the content: these four bytes occur by chance in programs that know about zips.
    part(content, end + END_BYTES, usize::from(le16(content, end + 20)?))?;
    let (mut entries, mut size, mut start) =
        (u64::from(le16(content, end + 10)?), u64::from(le32(content, end + 12)?), u64::from(le32(content, end + 16)?));
    let split = le16(content, end + 4)? != le16(content, end + 6)? && le16(content, end + 4)? != u16::MAX;
    let mut limit = end;
    let locator = end.checked_sub(20);
    if let Some(locator) = locator.filter(|at| has(content, *at, LOCATOR_64)) {
        let stated = offset(le64(content, locator + 8)?);
        let record = if has(content, stated, END_64) { stated } else { locator.checked_sub(56)? };
        if has(content, record, END_64) {
            (entries, size, start) =
                (le64(content, record + 32)?, le64(content, record + 40)?, le64(content, record + 48)?);
            limit = record;
        }
    }
    if entries == 0 {
        if !begins(content) {
            return None;
        }
        return Some(Directory { start: limit, entries: 0, prefix: 0, split });
    }
    let by_size = limit.checked_sub(offset(size));
    let found = [by_size, Some(offset(start))].into_iter().flatten().find(|at| has(content, *at, CENTRAL))?;
    Some(Directory { start: found, entries, prefix: found.saturating_sub(offset(start)), split })
}

/// Reads one central header and the local header it points to; returns where the next one starts.
fn read_member(content: &[u8], at: usize, prefix: usize, zip: &mut Zip) -> Option<usize> {
    if !has(content, at, CENTRAL) {
        return None;
    }
    let (flags, method) = (le16(content, at + 8)?, le16(content, at + 10)?);
    let mut size = u64::from(le32(content, at + 24)?);
    let [name, extra, comment] = [28, 30, 32].map(|field| le16(content, at + field).map(usize::from));
    let (name, extra, comment) = (name?, extra?, comment?);
    let mut local = u64::from(le32(content, at + 42)?);
    let compressed = le32(content, at + 20)?;
    let names = part(content, at + 46, name)?;
    let extras = part(content, at + 46 + name, extra)?;
    zip64(extras, &mut size, compressed, &mut local);
    if zip.names.len() < KEPT_NAMES {
        zip.names.push(names.to_vec());
    }
    let local = offset(local).checked_add(prefix)?;
    // Some unpackers believe the local header, others the central one: what differs is not what was matched.
    zip.broken |= !has(content, local, LOCAL) || le16(content, local + 8)? != method;
    let encrypted = (flags | le16(content, local + 6).unwrap_or(0)) & 1 != 0 || method == 99;
    if encrypted {
        zip.encrypted = true;
    } else if !METHODS.contains(&method) {
        zip.unsupported = true;
    } else if size > 0 {
        zip.sizes.push(size);
    }
    at.checked_add(46 + name + extra + comment)
}

/// APPNOTE 4.5.3: 64-bit values stand in the extra field, in this order, for those that are all ones.
fn zip64(extras: &[u8], size: &mut u64, compressed: u32, local: &mut u64) {
    let mut at = 0usize;
    while let (Some(kind), Some(length)) = (le16(extras, at), le16(extras, at + 2)) {
        if kind == 1 {
            let mut field = at + 4;
            if *size == u64::from(u32::MAX) {
                *size = le64(extras, field).unwrap_or(*size);
                field += 8;
            }
            if compressed == u32::MAX {
                field += 8;
            }
            if *local == u64::from(u32::MAX) {
                *local = le64(extras, field).unwrap_or(*local);
            }
            return;
        }
        at += 4 + usize::from(length);
    }
}
