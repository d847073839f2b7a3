//! The table of masks in section 10 of the specification: nothing else is masked, and each row has a vector in which a host
//! changed that field alone.

use super::build::*;
use blanche_tag::areas::{self, Mask};
use blanche_tag::claims::*;
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;
/// Bytes of a sector, and the sectors of FSInfo and of the copy of the boot sector, of every medium here.
const SECTOR: usize = 512;
const INFO: usize = 1;
const COPY: usize = 6;

/// A row of the table, for one filesystem.
pub struct Row {
    kind: AreaKind,
    filesystem: Filesystem,
    mask: Mask,
    reason: String,
}

/// All of them, in the order of the document.
pub fn rows() -> Vec<Row> {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tag-format.md");
    let document = std::fs::read_to_string(document).unwrap();
    let (_, table) = document.split_once("| kind | offset | length | bits | reason |\n").unwrap();
    table.lines().skip(1).take_while(|line| line.starts_with('|')).flat_map(read).collect()
}

fn read(line: &str) -> Vec<Row> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [kind, offset, length, bits, reason] = cells[..] else { panic!("{line}") };
    let areas: &[_] = match kind {
        "0" => &[(AreaKind::Mbr, Filesystem::Fat32)],
        "4, fat12 and fat16" => &[(AreaKind::Fat, Filesystem::Fat12), (AreaKind::Fat, Filesystem::Fat16)],
        "4, fat32" => &[(AreaKind::Fat, Filesystem::Fat32)],
        "5" => &[(AreaKind::ExFat, Filesystem::ExFat)],
        "8" => &[(AreaKind::Ext, Filesystem::Ext)],
        other => panic!("a mask of the unknown kind {other}"),
    };
    let bits = u8::from_str_radix(bits, 16).unwrap();
    let mask = Mask { offset: value(offset), length: length.parse().unwrap(), bits };
    areas
        .iter()
        .map(|(kind, filesystem)| Row { kind: *kind, filesystem: *filesystem, mask, reason: reason.into() })
        .collect()
}

/// "(*k* + *f*) · *S* + 488" in bytes.
fn value(text: &str) -> usize {
    let text = text.replace('*', "");
    match text.split_once(" · S + ") {
        Some((sectors, rest)) => sum(sectors.trim_matches(['(', ')'])) * SECTOR + sum(rest),
        None => sum(&text),
    }
}

fn sum(text: &str) -> usize {
    let number = |text: &str| match (text, text.strip_prefix("0x")) {
        ("f", _) => INFO,
        ("k", _) => COPY,
        (_, Some(digits)) => usize::from_str_radix(digits, 16).unwrap(),
        _ => text.parse().unwrap(),
    };
    text.split(" + ").map(number).sum()
}

/// What stands in an area, by its place there, and how long it is.
fn area(kind: AreaKind, filesystem: Filesystem) -> (Vec<(usize, Vec<u8>)>, usize) {
    let mut sector = vec![0; SECTOR];
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    match (kind, filesystem) {
        (AreaKind::Fat, Filesystem::Fat32) => {
            sector[11..13].copy_from_slice(&[0, 2]);
            sector[48..52].copy_from_slice(&[INFO as u8, 0, COPY as u8, 0]);
            (vec![(0, sector)], 32 * SECTOR)
        }
        (AreaKind::ExFat, _) => {
            sector[3..11].copy_from_slice(b"EXFAT   ");
            sector[108] = 9;
            (vec![(0, sector.clone()), (12 * SECTOR, sector)], 24 * SECTOR)
        }
        (AreaKind::Ext, _) => {
            let mut superblock = vec![0; 1024];
            superblock[0x38..0x3a].copy_from_slice(&[0x53, 0xef]);
            (vec![(1024, superblock)], 2048)
        }
        _ => (vec![(0, sector)], SECTOR),
    }
}

impl Row {
    /// Of the vector.
    pub fn name(&self) -> String {
        let of = match (self.kind, self.filesystem) {
            (AreaKind::Mbr, _) => "mbr",
            (_, Filesystem::Fat12) => "fat12",
            (_, Filesystem::Fat16) => "fat16",
            (_, Filesystem::Fat32) => "fat32",
            (_, Filesystem::ExFat) => "exfat",
            _ => "ext",
        };
        format!("masked-{of}-{}", self.mask.offset)
    }

    /// In words.
    pub fn about(&self) -> String {
        format!("{} bytes from {}, {}", self.mask.length, self.mask.offset, self.reason.replace('*', ""))
    }

    /// The medium has such an area, the tag is of that medium, and then a host changes every bit of the field.
    pub fn change(&self, case: &mut Case) {
        let start = if self.kind == AreaKind::Mbr { 0 } else { MIB };
        if start != 0 && self.filesystem != Filesystem::Fat32 {
            self.format(case);
        }
        for at in (start + self.mask.offset as u64..).take(self.mask.length) {
            let holds = |(from, bytes): &&mut (u64, Vec<u8>)| (*from..*from + bytes.len() as u64).contains(&at);
            let (from, bytes) = case.bytes.iter_mut().find(holds).unwrap();
            bytes[(at - *from) as usize] ^= self.mask.bits;
        }
    }

    /// Another filesystem in the place of FAT32.
    fn format(&self, case: &mut Case) {
        let (pieces, length) = area(self.kind, self.filesystem);
        case.bytes.truncate(1);
        case.bytes.extend(pieces.into_iter().map(|(at, bytes)| (MIB + at as u64, bytes)));
        let sha256 = areas::digest(self.kind, Some(self.filesystem), &range(&case.bytes, MIB, length as u64));
        let area = Area { kind: self.kind, volume: Some(0), start: MIB, length: length as u64, sha256 };
        *case.claims.medium.areas.last_mut().unwrap() = area;
        let volume = &mut case.claims.volumes[0];
        (volume.filesystem, volume.identifier, volume.code_page) = (self.filesystem, None, None);
        if self.kind == AreaKind::Ext {
            case.claims.medium.tag_volume = None;
        }
    }
}

#[test]
fn what_is_masked_is_what_the_document_says() {
    let mut documented = BTreeMap::<String, (AreaKind, Filesystem, Vec<Mask>)>::new();
    for row in rows() {
        let key = format!("{:?} {:?}", row.kind, row.filesystem);
        documented.entry(key).or_insert((row.kind, row.filesystem, Vec::new())).2.push(row.mask);
    }
    assert_eq!(documented.len(), 6, "{:?}", documented.keys());
    for (key, (kind, filesystem, mut masks)) in documented {
        let (pieces, length) = area(kind, filesystem);
        let pieces: Vec<_> = pieces.into_iter().map(|(at, bytes)| (at as u64, bytes)).collect();
        let mut found = areas::masks(kind, Some(filesystem), &range(&pieces, 0, length as u64));
        for list in [&mut masks, &mut found] {
            list.sort_by_key(|mask| mask.offset);
        }
        assert_eq!(found, masks, "{key}");
    }
}
