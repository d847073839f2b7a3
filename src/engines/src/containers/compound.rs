//! Compound files ([MS-CFB]): whether libclamav finds every stream that the directory lists. It ends a walk at the first entry that it
//! does not expect, and says nothing.

use super::bytes::{le16, le32, offset, part};
use std::collections::HashSet;

/// Sectors and mini sectors by which libclamav 1.4 counts entries and reads tables, whatever the header says.
const SECTOR: usize = 512;
const SHIFTS: [u16; 2] = [9, 6];
/// 2.6.1: bytes of a directory entry; 2.5: entries of the allocation table that stand in the header.
const ENTRY: usize = 128;
const IN_HEADER: usize = 109;
/// 2.1: no entry, and the largest number of a sector.
const NONE: u32 = 0xffff_ffff;
const LARGEST: u32 = 0xffff_fffa;
/// Storages within storages that libclamav follows.
const MAX_DEPTH: u32 = 100;

/// Whether a stream may be listed that libclamav does not reach: larger sectors, a directory that is cut short, an entry that is reached
/// twice, or that is none.
pub(super) fn hides_streams(content: &[u8]) -> bool {
    [30, 32].map(|at| le16(content, at)) != SHIFTS.map(Some) || directory(content).is_none_or(|list| !is_a_tree(&list))
}

fn sector(content: &[u8], number: u32) -> Option<&[u8]> {
    part(content, offset(number).checked_add(1)?.checked_mul(SECTOR)?, SECTOR)
}

/// The sectors of the directory, one behind the other; `None` when their chain leads nowhere or round.
fn directory(content: &[u8]) -> Option<Vec<&[u8]>> {
    let per_sector = SECTOR / 4;
    let limit = content.len() / SECTOR;
    // 2.5: the sectors of the allocation table, those behind the header's in a chain of their own.
    let mut tables: Vec<u32> = (0..IN_HEADER).filter_map(|index| le32(content, 76 + 4 * index)).collect();
    let mut more = le32(content, 68)?;
    for _ in 0..limit {
        let Some(list) = Some(more).filter(|number| *number <= LARGEST).and_then(|number| sector(content, number))
        else {
            break;
        };
        tables.extend((0..per_sector - 1).filter_map(|index| le32(list, 4 * index)));
        more = le32(list, 4 * (per_sector - 1))?;
    }
    let next = |number: u32| {
        let (table, index) = (offset(number) / per_sector, offset(number) % per_sector);
        le32(sector(content, *tables.get(table)?)?, 4 * index)
    };
    let (mut sectors, mut number) = (Vec::new(), le32(content, 48)?);
    while number <= LARGEST {
        if sectors.len() > limit {
            return None;
        }
        sectors.push(sector(content, number)?);
        number = next(number)?;
    }
    Some(sectors)
}

/// Whether each link of the directory (2.6) leads to an entry that is in use and was not reached before.
fn is_a_tree(sectors: &[&[u8]]) -> bool {
    let entry = |index: u32| {
        let index = offset(index);
        part(sectors.get(index / (SECTOR / ENTRY))?, index % (SECTOR / ENTRY) * ENTRY, ENTRY)
    };
    let (mut seen, mut next) = (HashSet::new(), vec![(0u32, 0u32)]);
    while let Some((index, depth)) = next.pop() {
        let Some(entry) = entry(index).filter(|_| depth <= MAX_DEPTH && seen.insert(index)) else { return false };
        let kind = entry.get(66).copied().unwrap_or_default();
        // 5 is the root, 1 a storage, 2 a stream.
        if !(if index == 0 { kind == 5 } else { matches!(kind, 1 | 2) }) {
            return false;
        }
        // Left, right, child.
        for (at, deeper) in [(68, 0), (72, 0), (76, 1)] {
            let link = le32(entry, at).unwrap_or(NONE);
            if link != NONE {
                next.push((link, depth.saturating_add(deeper)));
            }
        }
    }
    true
}
