//! File records and their attributes, as they stand in one record.

use super::fixup;
use crate::bytes::{Record, index, wide};

pub(super) const STANDARD_INFORMATION: u32 = 0x10;
pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const OBJECT_ID: u32 = 0x40;
pub(super) const SECURITY_DESCRIPTOR: u32 = 0x50;
pub(super) const VOLUME_NAME: u32 = 0x60;
pub(super) const VOLUME_INFORMATION: u32 = 0x70;
pub(super) const DATA: u32 = 0x80;
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xa0;
pub(super) const BITMAP: u32 = 0xb0;
pub(super) const REPARSE_POINT: u32 = 0xc0;
pub(super) const EA_INFORMATION: u32 = 0xd0;
pub(super) const EA: u32 = 0xe0;
pub(super) const LOGGED_UTILITY_STREAM: u32 = 0x100;
const END: u32 = 0xffff_ffff;

/// Attribute flags: the method of compression (only 1 is known).
pub(super) const COMPRESSION_MASK: u16 = 0x00ff;
pub(super) const ENCRYPTED: u16 = 0x4000;

/// Bytes of the header of an attribute, resident or not.
const RESIDENT_HEADER: usize = 24;
const RUNS_HEADER: usize = 64;

/// A file reference: the number of a record and how often it was used anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) number: u64,
    pub(super) sequence: u16,
}

impl Reference {
    pub(super) fn of(field: u64) -> Self {
        let sequence = u16::try_from(field >> 48).unwrap_or(0);
        Self { number: field & 0xffff_ffff_ffff, sequence }
    }
}

/// How an attribute is stored, as one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// In the record.
    Resident(Vec<u8>),
    /// In clusters of its own; the rest of the runs may stand in other records.
    Runs(Segment),
}

/// A part of a non-resident attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Clusters of the attribute before this part.
    pub(super) first: u64,
    /// Its last cluster, within the attribute.
    pub(super) last: u64,
    /// Compression unit: two to the power of this, in clusters; 0 without compression.
    pub(super) unit: u16,
    /// Bytes; meaningful in the first part, like the next one.
    pub(super) size: u64,
    /// Bytes that were ever written.
    pub(super) initialised: u64,
    /// The run list.
    pub(super) list: Vec<u8>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) kind: u32,
    pub(super) name: Vec<u16>,
    pub(super) flags: u16,
    /// Unique in its record.
    pub(super) instance: u16,
    pub(super) body: Body,
}

/// A file record.
#[derive(Debug)]
pub(super) struct FileRecord {
    pub(super) number: u64,
    pub(super) sequence: u16,
    pub(super) in_use: bool,
    pub(super) directory: bool,
    /// The record that this one continues, if it does.
    pub(super) base: Option<Reference>,
    pub(super) attributes: Vec<Attribute>,
    /// Its attributes do not end where and how they should.
    pub(super) broken: bool,
}

/// What the head of a record says before its fixups are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Never written or not in use.
    Unused,
    /// Continues another record.
    Extension,
    /// A file or folder.
    Base,
    /// No file record.
    Damaged,
}

/// A first look at a record.
pub(super) fn head(bytes: &[u8]) -> Head {
    let record = Record(bytes);
    match record.slice(0, 4) {
        [0, 0, 0, 0] => Head::Unused,
        b"FILE" if record.u16(22) & 1 == 0 => Head::Unused,
        b"FILE" if record.u64(32) != 0 => Head::Extension,
        b"FILE" => Head::Base,
        _ => Head::Damaged,
    }
}

impl FileRecord {
    /// Parses record `number`; nothing when it is none or was torn apart while it was written.
    pub(super) fn parse(number: u64, mut bytes: Vec<u8>) -> Option<Self> {
        if Record(&bytes).slice(0, 4) != b"FILE" || !fixup::apply(&mut bytes) {
            return None;
        }
        let record = Record(&bytes);
        let flags = record.u16(22);
        let base = record.u64(32);
        let used = index(u64::from(record.u32(24)));
        let inside = bytes.get(..used);
        let (attributes, ended) = attributes(inside.unwrap_or(&bytes), usize::from(record.u16(20)));
        Some(Self {
            number,
            sequence: record.u16(16),
            in_use: flags & 1 != 0,
            directory: flags & 2 != 0,
            base: (base != 0).then(|| Reference::of(base)),
            attributes,
            broken: !ended || inside.is_none(),
        })
    }

    /// What refers to this record.
    pub(super) fn reference(&self) -> Reference {
        Reference { number: self.number, sequence: self.sequence }
    }
}

/// All attributes from `at` on, and whether they end as they should.
fn attributes(bytes: &[u8], mut at: usize) -> (Vec<Attribute>, bool) {
    let mut found = Vec::new();
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= 4) {
        let record = Record(rest);
        if record.u32(0) == END {
            return (found, true);
        }
        let length = index(u64::from(record.u32(4)));
        let whole = rest.get(..length).filter(|whole| whole.len() >= RESIDENT_HEADER && length.is_multiple_of(8));
        let Some(attribute) = whole.and_then(attribute) else { break };
        found.push(attribute);
        at = at.saturating_add(length);
    }
    (found, false)
}

fn attribute(bytes: &[u8]) -> Option<Attribute> {
    let record = Record(bytes);
    let name_bytes = usize::from(record.u8(9)).saturating_mul(2);
    let name = if name_bytes == 0 { &[] } else { part(bytes, usize::from(record.u16(10)), name_bytes)? };
    let body = if record.u8(8) == 0 {
        let length = index(u64::from(record.u32(16)));
        Body::Resident(part(bytes, usize::from(record.u16(20)), length)?.to_vec())
    } else {
        let list = bytes.get(usize::from(record.u16(32))..)?;
        if bytes.len() < RUNS_HEADER || usize::from(record.u16(32)) < RUNS_HEADER {
            return None;
        }
        Body::Runs(Segment {
            first: record.u64(16),
            last: record.u64(24),
            unit: record.u16(34),
            size: record.u64(48),
            initialised: record.u64(56),
            list: list.to_vec(),
        })
    };
    Some(Attribute { kind: record.u32(0), name: units(name), flags: record.u16(12), instance: record.u16(14), body })
}

fn part(bytes: &[u8], start: usize, length: usize) -> Option<&[u8]> {
    bytes.get(start..start.checked_add(length)?)
}

/// UTF-16 units.
pub(super) fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| Record(pair).u16(0)).collect()
}

/// A $FILE_NAME attribute, or the key of an entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) parent: Reference,
    /// The record is a folder, according to this copy of its flags.
    pub(super) directory: bool,
    pub(super) namespace: Namespace,
    pub(super) name: Vec<u16>,
}

/// For whom a name was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// Any name, or one for Windows that needs no short one.
    Long,
    /// A long name beside which a short one stands.
    Paired,
    /// A short name beside a long one.
    Short,
}

impl FileName {
    /// Parses the value; nothing when it is cut off or empty.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        const NAME: usize = 66;
        let record = Record(bytes);
        let length = usize::from(record.u8(64)).saturating_mul(2);
        let name = part(bytes, NAME, length).filter(|name| !name.is_empty())?;
        Some(Self {
            parent: Reference::of(record.u64(0)),
            directory: record.u32(56) & 0x1000_0000 != 0,
            namespace: match record.u8(65) {
                1 => Namespace::Paired,
                2 => Namespace::Short,
                _ => Namespace::Long,
            },
            name: units(name),
        })
    }
}

/// Entries of an attribute list: record and instance of every attribute that the file has.
pub(super) fn attribute_list(bytes: &[u8]) -> (Vec<(Reference, u32, u16)>, bool) {
    const ENTRY: usize = 26;
    let (mut entries, mut at) = (Vec::new(), 0usize);
    while at < bytes.len() {
        let record = Record(bytes.get(at..).unwrap_or_default());
        let length = usize::from(record.u16(4));
        if length < ENTRY || wide(at).saturating_add(wide(length)) > wide(bytes.len()) {
            return (entries, false);
        }
        entries.push((Reference::of(record.u64(16)), record.u32(0), record.u16(24)));
        at = at.saturating_add(length);
    }
    (entries, true)
}
