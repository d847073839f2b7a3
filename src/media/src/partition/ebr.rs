//! Logical partitions: a chain of extended boot records inside an extended partition. No standard describes them;
//! this follows what Linux (block/partitions/msdos.c) and Windows do: data partitions count from their own record,
//! links from the start of the extended partition.

use super::mbr::{self, MBR_BYTES, MbrEntry};
use super::{Announced, Lba};
use crate::filesystem::Fault;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, VolumeRole};
use std::collections::BTreeSet;
use std::ops::Range;

/// Longest chain that is followed; Linux stops after 100 records without a partition and 256 partitions.
const MAX_RECORDS: usize = 1024;

/// What the chain of one extended partition holds.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) partitions: Vec<Announced>,
    /// The records themselves, in bytes on the medium.
    pub(crate) records: Vec<Range<u64>>,
    pub(crate) faults: Vec<Fault>,
}

/// Follows the chain of `extended`, an entry of the MBR.
pub(crate) fn follow(medium: &Medium<'_>, extended: &MbrEntry) -> Result<Chain, Removed> {
    let block = medium.block();
    let mut chain = Chain::default();
    let mut seen = BTreeSet::new();
    let mut next = Some(extended.first);
    while let Some(at) = next.take() {
        let start = at.byte(block);
        let mut fault = |length, cause| chain.faults.push(Fault { offset: start, length, cause });
        let corrupt = Cause::Corrupt(Corruption::PartitionTable);
        if !seen.insert(at) || seen.len() > MAX_RECORDS || start >= medium.capacity() {
            fault(0, corrupt);
            break;
        }
        let mut sector = [0u8; MBR_BYTES];
        match medium.read(start, &mut sector) {
            Ok(()) => {}
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { .. }) => {
                fault(block, Cause::Unreadable);
                break;
            }
        }
        let Some(entries) = mbr::records(&sector) else {
            fault(block, corrupt);
            break;
        };
        chain.records.push(start..start.saturating_add(block).min(medium.capacity()));
        let data = entries.iter().filter(|entry| entry.used() && !entry.extended());
        chain.partitions.extend(data.map(|entry| entry.announced(block, at, VolumeRole::Logical)));
        let link = entries.iter().find(|entry| entry.used() && entry.extended());
        next = link.map(|link| Lba(extended.first.0.saturating_add(link.first.0)));
    }
    Ok(chain)
}
