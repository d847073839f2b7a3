//! The master boot record (UEFI 2.10, 5.2.1).

use super::{Announced, Lba};
use crate::bytes::{Record, is_zero};
use blanche_sandbox::wire::{PartitionType, VolumeRole};

/// Bytes that carry fields.
pub(crate) const MBR_BYTES: usize = 512;
/// Protects a GPT from programs that do not know it.
pub(crate) const PROTECTIVE: u8 = 0xee;
const EFI_SYSTEM: u8 = 0xef;
/// Containers of logical partitions: CHS, LBA, Linux.
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
/// Types of partitions that carry a table of their own, from which hosts make more partitions (Linux,
/// block/partitions): Windows dynamic disks, UnixWare, Minix, Solaris (the old type is also Linux swap), BSD.
const SUBDIVIDED: [u8; 8] = [0x42, 0x63, 0x81, 0x82, 0xa5, 0xa6, 0xa9, 0xbf];
/// FAT and NTFS types with the "hidden" bit, and Windows recovery (27h).
const HIDDEN: [u8; 8] = [0x11, 0x14, 0x16, 0x17, 0x1b, 0x1c, 0x1e, 0x27];

/// Whether hosts look for further partitions inside one of this type.
pub(crate) fn is_subdivided(kind: PartitionType) -> bool {
    matches!(kind, PartitionType::Mbr(kind) if SUBDIVIDED.contains(&kind))
}

/// One of the four records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MbrEntry {
    pub(crate) kind: u8,
    pub(crate) first: Lba,
    pub(crate) count: u64,
    /// 00h or 80h, as Linux and Windows demand.
    pub(crate) valid_indicator: bool,
}

impl MbrEntry {
    /// Whether the record announces something. Linux makes a partition of every record with sectors, even of type 0,
    /// which Windows takes for an empty one.
    pub(crate) fn used(&self) -> bool {
        self.count != 0
    }

    /// Whether it is a container of logical partitions.
    pub(crate) fn extended(&self) -> bool {
        EXTENDED.contains(&self.kind)
    }

    /// As a partition whose LBA counts from `base`.
    pub(crate) fn announced(&self, block: u64, base: Lba, role: VolumeRole) -> Announced {
        let start = Lba(base.0.saturating_add(self.first.0)).byte(block);
        Announced {
            range: start..start.saturating_add(Lba(self.count).byte(block)),
            role,
            partition_type: Some(PartitionType::Mbr(self.kind)),
            hidden: HIDDEN.contains(&self.kind),
            efi: self.kind == EFI_SYSTEM,
        }
    }
}

/// The four records, if the sector carries the signature 55 AA and one of them is used.
pub(crate) fn parse(sector: &[u8]) -> Option<[MbrEntry; 4]> {
    let entries = records(sector)?;
    entries.iter().any(MbrEntry::used).then_some(entries)
}

/// The four records, if the sector carries the signature 55 AA.
pub(crate) fn records(sector: &[u8]) -> Option<[MbrEntry; 4]> {
    let record = Record(sector);
    if sector.len() < MBR_BYTES || record.u16(510) != 0xaa55 {
        return None;
    }
    Some([446, 462, 478, 494].map(|offset| {
        let entry = Record(record.slice(offset, 16));
        MbrEntry {
            kind: entry.u8(4),
            first: Lba(u64::from(entry.u32(8))),
            count: u64::from(entry.u32(12)),
            valid_indicator: matches!(entry.u8(0), 0 | 0x80),
        }
    }))
}

/// Bytes up to the end of the last partition of a disk with blocks of 512 bytes that begins with this sector.
pub(crate) fn disk_length(sector: &[u8]) -> Option<u64> {
    let entries = parse(sector)?;
    let used = entries.iter().filter(|entry| entry.used());
    used.map(|entry| Lba(entry.first.0.saturating_add(entry.count)).byte(512)).max()
}

/// Whether a sector that is also a valid boot sector carries a table that a host would follow: boot code, text and
/// zeros at 446 make none.
pub(crate) fn plausible_beside_boot_sector(entries: &[MbrEntry; 4], capacity: u64, block: u64) -> bool {
    let sound = |entry: &MbrEntry| entry.valid_indicator && entry.first.byte(block) < capacity;
    entries.iter().all(|entry| entry.valid_indicator)
        && entries.iter().any(|entry| entry.used() && entry.first.0 > 0 && sound(entry))
}

/// Whether the place of the table holds zeros only.
pub(crate) fn empty(sector: &[u8]) -> bool {
    is_zero(Record(sector).slice(446, 64))
}
