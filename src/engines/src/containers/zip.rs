//! Zip (PKWARE APPNOTE 6.3): what its central directory announces, to be compared with what libclamav unpacked.
//!
//! libclamav unpacks methods 0, 6, 8, 9 and 12, and passes over every other in silence; a member whose decompression
//! fails is passed over as well.

use super::bytes::{has, le16, le32, le64, offset, part};
use std::collections::HashSet;
use std::ops::Range;

/// What a zip announces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Zip {
    /// Bytes of each member that is neither a folder, encrypted nor of an unsupported method.
    pub(super) sizes: Vec<u64>,
    /// A member is encrypted.
    pub(super) encrypted: bool,
    /// A member's method is not unpacked.
    pub(super) unsupported: bool,
    /// End record, central directory and local headers contradict each other, a member is not listed, or the archive has
    /// more parts.
    pub(super) broken: bool,
    /// Names of the first members.
    pub(super) names: Vec<Vec<u8>>,
    /// A central directory was found.
    directory: bool,
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const SIGNATURE: &[u8] = b"PK\x05\x05";
/// End records that are looked at, and archives that are read: a file with more is made to keep us busy.
const MAX_ENDS: usize = 1024;
const MAX_ARCHIVES: usize = 64;
/// Bytes of the end record, and of its comment at most.
const END_BYTES: usize = 22;
const MAX_COMMENT: usize = 65_535;
/// Names that are kept, to recognise office documents.
const KEPT_NAMES: usize = 64;
/// Flags (APPNOTE 4.4.4): encrypted; lengths and CRC stand behind the data; values in the local header are masked.
const ENCRYPTED: u16 = 1;
const BEHIND: u16 = 1 << 3;
const MASKED: u16 = 1 << 13;
/// Methods that libclamav 1.4 unpacks: stored, imploded, deflated, deflate64, bzip2.
const METHODS: [u16; 5] = [0, 6, 8, 9, 12];

/// Whether content begins like a zip: a local header, an empty archive, or a spanning marker before the first header.
pub(super) fn begins(content: &[u8]) -> bool {
    has(content, 0, LOCAL)
        || has(content, 0, END)
        || ((has(content, 0, b"PK00") || has(content, 0, b"PK\x07\x08")) && has(content, 4, LOCAL))
}

/// Where a central directory is.
struct Directory {
    start: usize,
    /// Behind the last central header.
    end: usize,
    entries: u64,
    /// Whether `entries` has only 16 bits: writers without zip64 let it overflow.
    short: bool,
    /// Bytes before the archive (self-extracting programs): added to every offset in it.
    prefix: usize,
    broken: bool,
}

/// What is being read, and where its members are.
struct Reader<'a> {
    content: &'a [u8],
    zip: Zip,
    /// Offsets of the local headers that a directory lists.
    listed: HashSet<usize>,
    /// Bytes that belong to members.
    extents: Vec<Range<usize>>,
}

/// Reads every archive in the content; `None` when it neither begins like a zip nor holds one. `whole`: looks in all
/// of the content and for members that no directory lists, otherwise only at the last directory near the end, as in
/// containers that hold many zips as they are.
pub(super) fn read(content: &[u8], whole: bool) -> Option<Zip> {
    let whole = whole || begins(content);
    let tail = if whole { 0 } else { content.len().saturating_sub(END_BYTES + MAX_COMMENT) };
    let mut reader = Reader { content, zip: Zip::default(), listed: HashSet::new(), extents: Vec::new() };
    let window = content.get(tail..)?;
    let mut archives = 0;
    for (count, at) in memchr::memmem::rfind_iter(window, END).enumerate() {
        let at = tail.checked_add(at)?;
        if reader.zip.broken || (archives > 0 && !whole) {
            break;
        }
        if count >= MAX_ENDS || archives >= MAX_ARCHIVES {
            reader.zip.broken = true;
        } else if !reader.extents.iter().any(|extent| extent.contains(&at))
            && let Some(directory) = directory_at(content, at)
        {
            archives += 1;
            reader.directory(&directory);
        }
    }
    if whole && !reader.zip.broken && reader.unlisted() {
        reader.zip.broken = true;
    }
    let zip = reader.zip;
    (begins(content) || zip.directory || zip.broken).then_some(Zip { broken: zip.broken || !zip.directory, ..zip })
}

/// The directory that the end record at `end` points to, if it really stands there.
fn directory_at(content: &[u8], end: usize) -> Option<Directory> {
    // The comment must lie in the content: these four bytes occur by chance in programs that know about zips.
    part(content, end + END_BYTES, usize::from(le16(content, end + 20)?))?;
    let (mut entries, mut size, mut start) =
        (u64::from(le16(content, end + 10)?), u64::from(le32(content, end + 12)?), u64::from(le32(content, end + 16)?));
    let split = le16(content, end + 4)? != le16(content, end + 6)? && le16(content, end + 4)? != u16::MAX;
    let (mut limit, mut short) = (end, true);
    let locator = end.checked_sub(20);
    if let Some(locator) = locator.filter(|at| has(content, *at, LOCATOR_64)) {
        let stated = offset(le64(content, locator + 8)?);
        let record = if has(content, stated, END_64) { stated } else { locator.checked_sub(56)? };
        if has(content, record, END_64) {
            (entries, size, start) =
                (le64(content, record + 32)?, le64(content, record + 40)?, le64(content, record + 48)?);
            (limit, short) = (record, false);
        }
    }
    let by_size = limit.checked_sub(offset(size));
    let found = [by_size, Some(offset(start))].into_iter().flatten().find(|at| has(content, *at, CENTRAL));
    let Some(found) = found else {
        return (entries == 0 && size == 0 && begins(content)).then_some(Directory {
            start: limit,
            end: limit,
            entries: 0,
            short,
            prefix: 0,
            broken: split,
        });
    };
    // Before the end record, or wherever the directory is said to end.
    let broken = split || by_size != Some(found) || found < offset(start);
    Some(Directory { start: found, end: limit, entries, short, prefix: found.saturating_sub(offset(start)), broken })
}

impl Reader<'_> {
    /// Reads a directory to its end, whatever number of entries is announced.
    fn directory(&mut self, directory: &Directory) {
        self.zip.directory = true;
        self.zip.broken |= directory.broken;
        let (mut at, mut entries) = (directory.start, 0u64);
        while at < directory.end && has(self.content, at, CENTRAL) {
            let Some(next) = self.member(at, directory.prefix) else {
                self.zip.broken = true;
                return;
            };
            entries += 1;
            at = next;
        }
        // APPNOTE 4.3.13: a digital signature may follow the last header.
        let ends = at == directory.end || (at < directory.end && has(self.content, at, SIGNATURE));
        let counts = if directory.short { entries & 0xffff == directory.entries } else { entries == directory.entries };
        self.zip.broken |= !ends || !counts;
    }

    /// Reads one central header and the local header it points to; returns where the next one starts.
    fn member(&mut self, at: usize, prefix: usize) -> Option<usize> {
        let content = self.content;
        let (flags, method) = (le16(content, at + 8)?, le16(content, at + 10)?);
        let [name, extra, comment] = [28, 30, 32].map(|field| le16(content, at + field).map(usize::from));
        let (name, extra, comment) = (name?, extra?, comment?);
        let mut place = Place {
            size: u64::from(le32(content, at + 24)?),
            packed: u64::from(le32(content, at + 20)?),
            local: u64::from(le32(content, at + 42)?),
        };
        let names = part(content, at + 46, name)?;
        place.zip64(part(content, at + 46 + name, extra)?);
        if self.zip.names.len() < KEPT_NAMES {
            self.zip.names.push(names.to_vec());
        }
        let next = at.checked_add(46 + name + extra + comment);
        let local = offset(place.local).checked_add(prefix)?;
        // Some unpackers believe the local header, others the central one: what differs is not what was matched.
        self.zip.broken |= !has(content, local, LOCAL) || le16(content, local + 8)? != method;
        self.zip.broken |= contradicts(content, at, local, &place)?;
        if !self.listed.insert(local) {
            return next;
        }
        let head = 30 + usize::from(le16(content, local + 26)?) + usize::from(le16(content, local + 28)?);
        let end = local.checked_add(head)?.checked_add(offset(place.packed))?;
        self.extents.push(local..end);
        let encrypted = (flags | le16(content, local + 6).unwrap_or(0)) & ENCRYPTED != 0 || method == 99;
        if encrypted {
            self.zip.encrypted = true;
        } else if !METHODS.contains(&method) {
            self.zip.unsupported = true;
        } else {
            // A stored member that announces two lengths, or more than there is.
            self.zip.broken |= (method == 0 && place.packed != place.size) || end > content.len();
            if place.size > 0 {
                self.zip.sizes.push(place.size);
            }
        }
        next
    }

    /// Whether a plausible local header stands between the members: unpackers that repair archives find it.
    fn unlisted(&mut self) -> bool {
        self.extents.sort_unstable_by_key(|extent| extent.start);
        let mut at = 0;
        for extent in &self.extents {
            if extent.start > at && has_header(self.content, at..extent.start) {
                return true;
            }
            at = at.max(extent.end);
        }
        has_header(self.content, at..self.content.len())
    }
}

/// Whether a local header with a known method and a name begins in `range`.
fn has_header(content: &[u8], range: Range<usize>) -> bool {
    let gap = content.get(range.clone()).unwrap_or_default();
    memchr::memmem::find_iter(gap, LOCAL).map(|at| range.start.saturating_add(at)).any(|at| {
        let name = le16(content, at + 26).map_or(0, usize::from);
        matches!(le16(content, at + 8), Some(0..=20 | 92..=99)) && name > 0 && part(content, at + 30, name).is_some()
    })
}

/// Whether the local header at `local` says something else than the central one at `central`, which says `place`: libclamav unpacks by
/// the former. Where lengths and CRC were not known when it was written, it has none, and libclamav takes those of the other; what is
/// encrypted is not unpacked.
fn contradicts(content: &[u8], central: usize, local: usize, place: &Place) -> Option<bool> {
    let flags = le16(content, local + 6)?;
    if (flags ^ le16(content, central + 8)?) & (ENCRYPTED | MASKED) != 0 {
        return Some(true);
    }
    if flags & (ENCRYPTED | BEHIND) != 0 {
        return Some(false);
    }
    let mut here =
        Place { size: le32(content, local + 22)?.into(), packed: le32(content, local + 18)?.into(), local: 0 };
    let [name, extra] = [26, 28].map(|field| le16(content, local + field).map(usize::from));
    here.zip64(part(content, local + 30 + name?, extra?)?);
    let crc = le32(content, local + 14)? != le32(content, central + 16)?;
    Some(flags & MASKED != 0 || crc || here.size != place.size || here.packed != place.packed)
}

/// Where a member is: bytes unpacked and packed, and the offset of its local header.
struct Place {
    size: u64,
    packed: u64,
    local: u64,
}

impl Place {
    /// APPNOTE 4.5.3: 64-bit values stand in the extra field, in this order, for those that are all ones.
    fn zip64(&mut self, extras: &[u8]) {
        let mut at = 0usize;
        while let (Some(kind), Some(length)) = (le16(extras, at), le16(extras, at + 2)) {
            if kind == 1 {
                let mut field = at + 4;
                for value in [&mut self.size, &mut self.packed, &mut self.local] {
                    if *value == u64::from(u32::MAX) {
                        *value = le64(extras, field).unwrap_or(*value);
                        field += 8;
                    }
                }
                return;
            }
            at += 4 + usize::from(length);
        }
    }
}
