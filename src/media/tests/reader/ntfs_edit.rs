//! Changing the folders of an image, and what tests of tricks ask.

use super::volume::*;
use crate::reading::Reading;
use blanche_sandbox::wire::{Cause, Subject};
use std::fs;
use std::path::Path;

/// What must not be hidden.
pub(crate) const MARKER: &[u8] = b"the marker that must not be hidden";

pub(crate) fn handed_over(reading: &Reading) -> bool {
    reading.contents.values().any(|content| content.windows(MARKER.len()).any(|window| window == MARKER))
}

pub(crate) fn write(mount: &Path, name: &str, content: &[u8]) {
    fs::write(mount.join(name), content).unwrap();
}

pub(crate) fn says_of_volume(reading: &Reading, cause: &Cause) -> bool {
    reading.not_read.iter().any(|note| note.subject == Subject::Volume(0) && note.cause == *cause)
}

/// An entry of a folder.
pub(crate) fn entry_of(reference: u64, key: &[u8], child: Option<u64>) -> Vec<u8> {
    let mut entry = vec![0u8; (16 + key.len()).next_multiple_of(8)];
    entry[..8].copy_from_slice(&reference.to_le_bytes());
    entry[10..12].copy_from_slice(&(key.len() as u16).to_le_bytes());
    entry[16..16 + key.len()].copy_from_slice(key);
    if let Some(child) = child {
        entry[12] = 1;
        entry.extend(child.to_le_bytes());
    }
    let length = entry.len() as u16;
    entry[8..10].copy_from_slice(&length.to_le_bytes());
    entry
}

/// Puts an entry first into the index root of a folder.
pub(crate) fn add_to_root(record: &mut Vec<u8>, entry: &[u8]) {
    let (at, length) = attribute(record, INDEX_ROOT, "$I30");
    let value_at = u16_at(record, at + 20);
    let mut value = record[at + value_at..at + value_at + u32_at(record, at + 16)].to_vec();
    let flags = u16_at(record, at + 14) as u16;
    assert!(length > 0);
    let first = 16 + u32_at(&value, 16);
    value.splice(first..first, entry.iter().copied());
    for field in [20, 24] {
        let end = u32_at(&value, field) + entry.len();
        value[field..field + 4].copy_from_slice(&(end as u32).to_le_bytes());
    }
    remove(record, INDEX_ROOT, "$I30");
    insert(record, &resident(INDEX_ROOT, "$I30", flags, &value));
}

/// The only index block of the root: place, and its bytes with their own ends.
pub(crate) fn root_block(image: &Image) -> (usize, Vec<u8>) {
    let (place, _) = image.runs(&image.record(5), INDEX_ALLOCATION, "$I30")[0];
    let mut block = image.bytes[place..place + 4096].to_vec();
    fix(&mut block, false);
    (place, block)
}

pub(crate) fn put_block(image: &mut Image, place: usize, mut block: Vec<u8>) {
    fix(&mut block, true);
    image.bytes[place..place + 4096].copy_from_slice(&block);
}

/// Place and length of the entry with this name in a block.
pub(crate) fn entry_in(block: &[u8], name: &str) -> (usize, usize) {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut at = 24 + u32_at(block, 24);
    loop {
        let length = u16_at(block, at + 8);
        assert!(block[at + 12] & 2 == 0, "no {name}");
        if usize::from(block[at + 16 + 64]) * 2 == units.len() && block[at + 16 + 66..].starts_with(&units) {
            return (at, length);
        }
        at += length;
    }
}

/// Takes an entry out of the block of the root.
pub(crate) fn take_out_of_block(image: &mut Image, name: &str) {
    let (place, mut block) = root_block(image);
    let (at, length) = entry_in(&block, name);
    let end = 24 + u32_at(&block, 28);
    block.copy_within(at + length..end, at);
    block[28..32].copy_from_slice(&((end - 24 - length) as u32).to_le_bytes());
    put_block(image, place, block);
}

/// Moves a file from the root into $Extend, whose entries fit into its record.
pub(crate) fn into_extend(image: &mut Image, name: &str) {
    let number = image.find(name);
    image.change(number, |record| {
        let (at, _) = attribute(record, FILE_NAME, "");
        record[at + 24..at + 32].copy_from_slice(&(11u64 | 11 << 48).to_le_bytes());
    });
    let record = image.record(number);
    let (at, _) = attribute(&record, FILE_NAME, "");
    let key = record[at + 24..at + 24 + u32_at(&record, at + 16)].to_vec();
    let reference = number as u64 | (u16_at(&record, 16) as u64) << 48;
    let entry = entry_of(reference, &key, None);
    take_out_of_block(image, name);
    image.change(11, |record| add_to_root(record, &entry));
}
