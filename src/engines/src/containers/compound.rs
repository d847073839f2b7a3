//! Compound files ([MS-CFB]): whether libclamav finds every stream that the directory lists. It follows the links from
//! entry to entry, passes over what it does not expect, and says nothing.

use super::bytes::{le16, le32, offset, part};
use std::collections::HashSet;

/// Sectors and mini sectors by which libclamav 1.4 counts entries and reads tables, whatever the header says.
const SECTOR: usize = 512;
const SHIFTS: [u16; 2] = [9, 6];
/// 2.2: bytes from which on a stream has sectors of its own. libclamav believes another number in the header, and readers do not.
const CUTOFF: u32 = 4096;
/// Sectors in a sector of the allocation table (2.3).
const PER_TABLE: usize = SECTOR / 4;
/// 2.6.1: bytes of a directory entry; 2.5: entries of the allocation table that stand in the header.
const ENTRY: usize = 128;
const IN_HEADER: usize = 109;
/// 2.1: no entry, and the largest number of a sector.
const NONE: u32 = 0xffff_ffff;
const LARGEST: u32 = 0xffff_fffa;
/// Bytes of a file that libclamav opens, storages within storages that it follows, and streams that it takes out.
const MAX_BYTES: usize = 0x7fff_ffff;
const MAX_DEPTH: u32 = 100;
const MAX_ENTRIES: usize = 100_000;
/// Bytes of a name that it takes out with macros (2.6.1: as long as its field).
const MAX_NAME: u16 = 64;
/// 2.6.1: kinds of entries.
const STORAGE: u8 = 1;
const STREAM: u8 = 2;
const ROOT: u8 = 5;

/// Whether a stream may be listed that libclamav does not reach: larger sectors, another cutoff, a directory that is cut short, an entry
/// that is reached twice or never, or that is none.
pub(super) fn hides_streams(content: &[u8]) -> bool {
    content.len() > MAX_BYTES
        || [30, 32].map(|at| le16(content, at)) != SHIFTS.map(Some)
        || le32(content, 56) != Some(CUTOFF)
        || directory(content).is_none_or(|list| !is_a_tree(&list, content.len()))
}

fn sector(content: &[u8], number: u32) -> Option<&[u8]> {
    part(content, offset(number).checked_add(1)?.checked_mul(SECTOR)?, SECTOR)
}

/// The sectors of the directory, one behind the other; `None` when their chain leads nowhere or round.
fn directory(content: &[u8]) -> Option<Vec<&[u8]>> {
    let tables = tables(content)?;
    // libclamav believes the header's count of tables for those that the header lists.
    let counted = offset(le32(content, 44)?);
    let next = |number: u32| {
        let (table, index) = (offset(number) / PER_TABLE, offset(number) % PER_TABLE);
        let table = tables.get(table).filter(|_| table <= counted || table >= IN_HEADER)?;
        le32(sector(content, *table)?, 4 * index)
    };
    let (mut sectors, mut number) = (Vec::new(), le32(content, 48)?);
    while number <= LARGEST {
        if sectors.len() >= MAX_ENTRIES / (SECTOR / ENTRY) {
            return None;
        }
        sectors.push(sector(content, number)?);
        number = next(number)?;
    }
    Some(sectors)
}

/// The sectors of the allocation table (2.5): those that the header lists, and as many of those behind them, in a chain
/// of lists, as the file has sectors for. `None` when the chain leads nowhere or round.
fn tables(content: &[u8]) -> Option<Vec<u32>> {
    let needed = content.len() / SECTOR / PER_TABLE + 1;
    let mut tables: Vec<u32> = (0..IN_HEADER).filter_map(|index| le32(content, 76 + 4 * index)).collect();
    let (mut seen, mut more) = (HashSet::new(), le32(content, 68)?);
    while tables.len() < needed && more <= LARGEST {
        let list = sector(content, more).filter(|_| seen.insert(more))?;
        tables.extend((0..PER_TABLE - 1).filter_map(|index| le32(list, 4 * index)));
        more = le32(list, 4 * (PER_TABLE - 1))?;
    }
    Some(tables)
}

/// Whether each link of the directory (2.6) leads to an entry that is in use and was not reached before, and each entry
/// that is in use is reached: some readers look at all of them. `length`: bytes of the file, in which streams must fit.
fn is_a_tree(sectors: &[&[u8]], length: usize) -> bool {
    let entry = |index: usize| part(sectors.get(index / (SECTOR / ENTRY))?, index % (SECTOR / ENTRY) * ENTRY, ENTRY);
    let (mut seen, mut next) = (HashSet::new(), vec![(0usize, 0u32)]);
    while let Some((index, depth)) = next.pop() {
        let Some(entry) = entry(index).filter(|_| depth <= MAX_DEPTH && seen.insert(index)) else { return false };
        if !is_expected(entry, index == 0, length) {
            return false;
        }
        // Left, right, child.
        for (at, deeper) in [(68, 0), (72, 0), (76, 1)] {
            let link = le32(entry, at).unwrap_or(NONE);
            if link != NONE {
                next.push((offset(link), depth.saturating_add(deeper)));
            }
        }
    }
    let all = (0..).map_while(entry).enumerate();
    all.filter(|(_, entry)| matches!(kind(entry), STORAGE | STREAM | ROOT)).all(|(index, _)| seen.contains(&index))
}

fn kind(entry: &[u8]) -> u8 {
    entry.get(66).copied().unwrap_or_default()
}

/// Whether libclamav takes an entry for what it is: the root is the first one and no other; of a stream it takes out
/// none with a longer name than there can be, nor of more bytes than its limits.
fn is_expected(entry: &[u8], first: bool, length: usize) -> bool {
    match kind(entry) {
        ROOT => first,
        STORAGE => !first,
        STREAM => {
            !first
                && le16(entry, 64).is_some_and(|name| name <= MAX_NAME)
                && le32(entry, 120).is_some_and(|size| offset(size) <= length)
        }
        _ => false,
    }
}
