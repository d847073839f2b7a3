//! ISO 9660 (ECMA-119): the files of every namespace. Primary and Joliet trees may show different files, and
//! libclamav walks one of them.

use super::bytes::{has, le16, le32, offset, part};
use super::members::Members;
use std::collections::BTreeSet;

const SECTOR: usize = 2048;
/// Volume descriptors that are read.
const MAX_DESCRIPTORS: usize = 64;
/// Folders that are walked, in all trees together.
const MAX_FOLDERS: usize = 1 << 16;

/// The files of all trees, each extent once.
pub(super) fn read(content: &[u8]) -> Members {
    let mut members = Members::default();
    if !has(content, 0x8001, b"CD001") {
        // A raw image with sectors of 2352 bytes.
        members.unsupported = true;
        return members;
    }
    let mut files = BTreeSet::new();
    let mut folders = BTreeSet::new();
    let mut queue = Vec::new();
    for index in 16..16 + MAX_DESCRIPTORS {
        let at = index * SECTOR;
        if !has(content, at + 1, b"CD001") {
            break;
        }
        match content.get(at) {
            Some(1 | 2) => {
                members.unsupported |= le16(content, at + 128) != Some(2048);
                if let Some(root) = part(content, at + 156, 34).and_then(extent) {
                    queue.push(root);
                }
            }
            Some(255) => break,
            _ => {}
        }
    }
    // Folders that overlap could make the walk quadratic: honest ones take less than the image in all.
    let mut budget = content.len();
    while let Some(folder) = queue.pop() {
        if !folders.insert(folder) {
            continue;
        }
        budget = budget.saturating_sub(offset(folder.1));
        if folders.len() > MAX_FOLDERS || budget == 0 {
            members.broken = true;
            break;
        }
        members.broken |= !walk(content, folder, &mut files, &mut queue);
    }
    members.sizes = files.into_iter().map(|(_, size)| u64::from(size)).filter(|size| *size > 0).collect();
    members
}

/// Block and bytes of a directory record (9.1).
fn extent(record: &[u8]) -> Option<(u32, u32)> {
    Some((le32(record, 2)?, le32(record, 10)?))
}

/// Lists one folder; `false` when it does not lie in the image or a record is damaged.
fn walk(
    content: &[u8],
    (block, size): (u32, u32),
    files: &mut BTreeSet<(u32, u32)>,
    queue: &mut Vec<(u32, u32)>,
) -> bool {
    let Some(start) = offset(block).checked_mul(SECTOR) else { return false };
    let Some(folder) = part(content, start, offset(size)) else { return false };
    let mut at = 0usize;
    while let Some(length) = folder.get(at).map(|length| usize::from(*length)) {
        if length == 0 {
            // 6.8.1.1: records do not cross sectors; the rest of this one is empty.
            at = (at / SECTOR + 1) * SECTOR;
            continue;
        }
        let (Some(record), true) = (part(folder, at, length), length >= 34) else { return false };
        let (Some(target), Some(flags)) = (extent(record), record.get(25)) else { return false };
        // The first two records are the folder itself and its parent.
        let own = record.get(32) == Some(&1) && record.get(33).is_some_and(|name| *name <= 1);
        match (own, flags & 2 != 0) {
            (true, _) => {}
            (false, true) => queue.push(target),
            (false, false) => {
                files.insert(target);
            }
        }
        at += length;
    }
    true
}
