//! From the first sectors of a medium to its list of volumes.
//!
//! Hosts disagree about many media, and a volume that only one of them shows must not stay unread. So this returns the
//! union of all views: MBR with its chain of logical partitions, both copies of a GPT, and the whole medium as one
//! filesystem. Views that contradict each other are called corrupt and still read.

mod ebr;
pub(crate) mod gaps;
mod gpt;
mod label;
mod mbr;
mod views;

pub(crate) use mbr::{disk_length, is_subdivided};
pub(crate) use views::discover;

use crate::filesystem::Fault;
use blanche_sandbox::wire::{BootAreaKind, PartitionTable, PartitionType, VolumeRole};
use std::ops::Range;

/// Number of a logical block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lba(pub(crate) u64);

impl Lba {
    /// First byte on the medium.
    pub(crate) fn byte(self, block: u64) -> u64 {
        self.0.saturating_mul(block)
    }
}

/// A partition as a table announces it: bytes on the medium, not yet compared with the medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) range: Range<u64>,
    pub(crate) role: VolumeRole,
    pub(crate) partition_type: Option<PartitionType>,
    pub(crate) hidden: bool,
    pub(crate) efi: bool,
}

/// Where a table, or a part of one, stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableRange {
    pub(crate) kind: BootAreaKind,
    /// Bytes on the medium.
    pub(crate) range: Range<u64>,
}

/// All views of a medium together.
#[derive(Debug, Default)]
pub(crate) struct Views {
    /// Tables that were found.
    pub(crate) tables: Vec<PartitionTable>,
    /// Bytes of the medium that hold them. A GPT has two ranges: its header and its entries.
    pub(crate) table_ranges: Vec<TableRange>,
    /// Partitions without duplicates, in the order of their start, cut to the medium.
    pub(crate) volumes: Vec<Announced>,
    /// About the medium.
    pub(crate) faults: Vec<Fault>,
    /// About a volume (index in `volumes`).
    pub(crate) volume_faults: Vec<(usize, Fault)>,
}
