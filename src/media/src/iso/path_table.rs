//! Path tables (ECMA-119, 9.4): a second list of all folders, by which some hosts find them.

use super::geometry::{Geometry, both32};
use super::ledger::Ledger;
use crate::bytes::{Record, index};
use crate::filesystem::Fault;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Bytes of a table: 65 535 folders with the longest names take less.
const MAX_TABLE: u32 = 16 << 20;
/// Folders that are named one by one.
const MAX_NAMED: usize = 64;

const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);

/// Where the tables of a tree are (8.4.12 to 8.4.17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathTables {
    /// Bytes of each.
    size: u32,
    /// Little-endian ones: first logical block; 0 for none.
    little: [u32; 2],
    /// Big-endian ones.
    big: [u32; 2],
}

/// One folder.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Line<'a> {
    identifier: &'a [u8],
    attribute_blocks: u8,
    block: u32,
    parent: u16,
}

/// The lines of a table; `None` for one that does not fit.
struct Lines<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Option<Line<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(*self.bytes.first()?);
        let padded = length.saturating_add(length % 2).saturating_add(8);
        let Some((line, rest)) = self.bytes.split_at_checked(padded).filter(|_| length > 0) else {
            self.bytes = &[];
            return Some(None);
        };
        self.bytes = rest;
        let line = Record(line);
        let (block, parent) = match self.big {
            false => (line.u32(2), line.u16(6)),
            true => (u32::from_be_bytes(line.array(2)), u16::from_be_bytes(line.array(6))),
        };
        Some(Some(Line { identifier: line.slice(8, length), attribute_blocks: line.u8(1), block, parent }))
    }
}

impl PathTables {
    /// Of a volume descriptor; the other value says whether both byte orders of the size are equal.
    pub(super) fn of(descriptor: Record<'_>) -> (Self, bool) {
        let (size, agree) = both32(descriptor, 132);
        let little = [descriptor.u32(140), descriptor.u32(144)];
        let big = [148, 152].map(|at| u32::from_be_bytes(descriptor.array(at)));
        (Self { size, little, big }, agree)
    }

    /// Compares the tables with each other and with the folders that were listed.
    pub(super) fn check(
        &self,
        medium: &Medium<'_>,
        geometry: &Geometry,
        ledger: &RefCell<Ledger>,
        listed: &BTreeSet<u64>,
    ) -> Result<Vec<Fault>, Removed> {
        let mut faults = Vec::new();
        let mut first: Option<(Vec<u8>, bool)> = None;
        let little = self.little.map(|block| (block, false));
        let big = self.big.map(|block| (block, true));
        for (block, is_big) in little.into_iter().chain(big).filter(|(block, _)| *block != 0) {
            let offset = geometry.position(block);
            let bytes = match self.read(medium, geometry, ledger, offset)? {
                Ok(bytes) => bytes,
                Err(cause) => {
                    faults.push(Fault { offset, length: u64::from(self.size), cause });
                    continue;
                }
            };
            let lines = || Lines { bytes: &bytes, big: is_big };
            let agree = match &first {
                Some((first, big)) => Lines { bytes: first, big: *big }.eq(lines()),
                None => lines().all(|line| line.is_some()),
            };
            if !agree {
                faults.push(Fault { offset, length: u64::from(self.size), cause: DIRECTORY });
            }
            unlisted(lines(), geometry, listed, &mut faults);
            first.get_or_insert((bytes, is_big));
        }
        Ok(faults)
    }

    fn read(
        &self,
        medium: &Medium<'_>,
        geometry: &Geometry,
        ledger: &RefCell<Ledger>,
        start: u64,
    ) -> Result<Result<Vec<u8>, Cause>, Removed> {
        let length = u64::from(self.size);
        if self.size > MAX_TABLE || geometry.inside(start, length) < length {
            return Ok(Err(DIRECTORY));
        }
        let mut bytes = vec![0u8; index(length)];
        let mut bad = Vec::new();
        medium.read_tolerant(start, &mut bytes, &mut bad)?;
        let mut ledger = ledger.borrow_mut();
        ledger.metadata(&geometry.sectors(start, length));
        ledger.count_read(length);
        Ok(if bad.is_empty() { Ok(bytes) } else { Err(Cause::Unreadable) })
    }
}

/// Names the folders that only a table has.
fn unlisted<'a>(
    lines: impl Iterator<Item = Option<Line<'a>>>,
    geometry: &Geometry,
    listed: &BTreeSet<u64>,
    faults: &mut Vec<Fault>,
) {
    for line in lines.flatten() {
        let start = geometry.position(line.block.saturating_add(u32::from(line.attribute_blocks)));
        let known = faults.iter().any(|fault| fault.offset == start);
        if !listed.contains(&start) && !known && faults.len() < MAX_NAMED {
            faults.push(Fault { offset: start, length: 0, cause: Cause::Corrupt(Corruption::Unreachable) });
        }
    }
}
