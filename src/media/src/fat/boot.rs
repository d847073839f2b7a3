//! The boot sector of FAT12, FAT16 and FAT32 (Microsoft, "FAT: General Overview of On-Disk Format" 1.03, "Boot Sector
//! and BPB Structure" and "FAT Type Determination").

use crate::bytes::Record;
use blanche_sandbox::wire::FilesystemKind;

/// Bytes of a boot sector that carry fields.
pub(crate) const BOOT_BYTES: usize = 512;

/// Most clusters of a FAT16 ("FAT Type Determination").
const MAX_CLUSTERS_16: u64 = 65_524;

/// Why a boot sector is not one of FAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootFault {
    /// Neither a jump instruction nor the signature 55 AA.
    NoMark,
    /// BPB_BytsPerSec is none of 512, 1024, 2048, 4096.
    SectorSize,
    /// BPB_SecPerClus is no power of two.
    ClusterSize,
    /// BPB_RsvdSecCnt is zero.
    ReservedSectors,
    /// BPB_NumFATs is zero.
    TableCount,
    /// BPB_Media is neither F0 nor F8 to FF.
    Media,
    /// BPB_TotSec16 and BPB_TotSec32 are zero.
    TotalSectors,
    /// BPB_FATSz16 and BPB_FATSz32 are zero.
    TableSize,
    /// Reserved sectors, tables and root directory leave no room for clusters.
    NoClusters,
}

/// A boot sector that hosts accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot {
    /// FAT12, FAT16 or FAT32.
    pub kind: FilesystemKind,
    /// Bytes of a sector.
    pub sector: u64,
    /// Bytes of a cluster.
    pub cluster: u64,
    /// Bytes before the first table.
    pub reserved: u64,
    /// Bytes of one table.
    pub table: u64,
    /// Tables.
    pub tables: u64,
    /// The table in force, from 0 (BPB_ExtFlags).
    pub active_table: u64,
    /// The second copy of the table is kept equal to the first.
    pub mirrored: bool,
    /// Bytes of the fixed root directory; 0 on FAT32.
    pub root: u64,
    /// First cluster of the root directory; FAT32 only.
    pub root_cluster: u32,
    /// Clusters of the data region.
    pub clusters: u64,
    /// Bytes of the whole volume.
    pub total: u64,
    /// BS_VolID.
    pub serial: Option<u32>,
    /// The cluster count lies where hosts disagree about FAT12 and FAT16.
    pub ambiguous_width: bool,
    /// The fields contradict the kind: FAT32 with entries of a fixed root directory (Linux makes room for them, Windows
    /// does not), or FAT12 or FAT16 without them or with more clusters than 16 bits can number.
    pub contradictory: bool,
}

impl Boot {
    /// Validates the first 512 bytes of a volume.
    ///
    /// # Errors
    /// [`BootFault`].
    pub fn parse(sector: &[u8]) -> Result<Self, BootFault> {
        let record = Record(sector);
        let marked = matches!(record.u8(0), 0xe9 | 0xeb | 0x49) || record.u16(510) == 0xaa55;
        check(marked, BootFault::NoMark)?;
        let bytes_per_sector = u64::from(record.u16(11));
        check(matches!(bytes_per_sector, 512 | 1024 | 2048 | 4096), BootFault::SectorSize)?;
        let per_cluster = u64::from(record.u8(13));
        check(per_cluster.is_power_of_two(), BootFault::ClusterSize)?;
        let reserved = u64::from(record.u16(14));
        check(reserved > 0, BootFault::ReservedSectors)?;
        let tables = u64::from(record.u8(16));
        check(tables > 0, BootFault::TableCount)?;
        check(matches!(record.u8(21), 0xf0 | 0xf8..), BootFault::Media)?;
        let total = nonzero(record.u16(19), record.u32(32)).ok_or(BootFault::TotalSectors)?;
        let table = nonzero(record.u16(22), record.u32(36)).ok_or(BootFault::TableSize)?;
        let wide = record.u16(22) == 0;
        let announced_entries = record.u16(17);
        let root_entries = if wide { 0 } else { u64::from(announced_entries) };
        let root_sectors = root_entries.saturating_mul(32).div_ceil(bytes_per_sector.max(1));
        let before = reserved.saturating_add(tables.saturating_mul(table)).saturating_add(root_sectors);
        let data = total.saturating_sub(before);
        let clusters = data.checked_div(per_cluster).unwrap_or(0);
        check(clusters > 0, BootFault::NoClusters)?;
        let bytes = |sectors: u64| sectors.saturating_mul(bytes_per_sector);
        Ok(Self {
            kind: kind_of(wide, clusters),
            sector: bytes_per_sector,
            cluster: bytes(per_cluster),
            reserved: bytes(reserved),
            table: bytes(table),
            tables,
            mirrored: tables > 1 && !(wide && record.u16(40) & 0x80 != 0),
            active_table: if wide { active_table(record.u16(40), tables) } else { 0 },
            root: bytes(root_sectors),
            root_cluster: if wide { record.u32(44) } else { 0 },
            clusters,
            total: bytes(total),
            serial: serial(record, wide),
            ambiguous_width: !wide && matches!(clusters, 4085 | 4086),
            contradictory: if wide { announced_entries != 0 } else { root_entries == 0 || clusters > MAX_CLUSTERS_16 },
        })
    }

    /// First byte of cluster 2, from the start of the volume.
    pub fn heap_start(&self) -> u64 {
        self.reserved.saturating_add(self.table.saturating_mul(self.tables)).saturating_add(self.root)
    }
}

fn check(holds: bool, fault: BootFault) -> Result<(), BootFault> {
    if holds { Ok(()) } else { Err(fault) }
}

fn nonzero(short: u16, long: u32) -> Option<u64> {
    let value = if short == 0 { u64::from(long) } else { u64::from(short) };
    (value > 0).then_some(value)
}

/// The specification decides by the cluster count alone; Linux and Windows take a volume without BPB_FATSz16 as FAT32
/// whatever its size, and small FAT32 volumes exist (mkfs.vfat -F 32).
fn kind_of(wide: bool, clusters: u64) -> FilesystemKind {
    match (wide, clusters) {
        (true, _) => FilesystemKind::Fat32,
        (false, ..4085) => FilesystemKind::Fat12,
        (false, _) => FilesystemKind::Fat16,
    }
}

/// BPB_ExtFlags: bit 7 switches mirroring off, bits 0 to 3 then name the table in force.
fn active_table(flags: u16, tables: u64) -> u64 {
    let chosen = u64::from(flags & 0x0f);
    if flags & 0x80 != 0 && chosen < tables { chosen } else { 0 }
}

/// BS_VolID, present when BS_BootSig is 28h or 29h.
fn serial(record: Record<'_>, wide: bool) -> Option<u32> {
    let (signature, serial) = if wide { (66, 67) } else { (38, 39) };
    matches!(record.u8(signature), 0x28 | 0x29).then(|| record.u32(serial))
}

/// The FAT that a broken boot sector claims to be, by the texts that formatting programs leave in it.
pub(crate) fn claimed_kind(sector: &[u8]) -> Option<FilesystemKind> {
    let record = Record(sector);
    [
        (82, b"FAT32   ", FilesystemKind::Fat32),
        (54, b"FAT16   ", FilesystemKind::Fat16),
        (54, b"FAT12   ", FilesystemKind::Fat12),
        (54, b"FAT     ", FilesystemKind::Fat16),
    ]
    .into_iter()
    .find(|(offset, text, _)| record.slice(*offset, 8) == text.as_slice())
    .map(|(.., kind)| kind)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    /// A 1.44 MB floppy.
    fn floppy() -> Vec<u8> {
        let mut sector = vec![0u8; 512];
        sector[..3].copy_from_slice(&[0xeb, 0x3c, 0x90]);
        sector[11..13].copy_from_slice(&512u16.to_le_bytes());
        sector[13] = 1;
        sector[14] = 1;
        sector[16] = 2;
        sector[17..19].copy_from_slice(&224u16.to_le_bytes());
        sector[19..21].copy_from_slice(&2880u16.to_le_bytes());
        sector[21] = 0xf0;
        sector[22] = 9;
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }

    #[test]
    fn a_floppy_is_fat12() {
        let boot = Boot::parse(&floppy()).unwrap();
        assert_eq!((boot.kind, boot.clusters, boot.heap_start()), (FilesystemKind::Fat12, 2847, 33 * 512));
    }

    #[test]
    fn each_broken_field_has_its_own_name() {
        let cases: [(usize, u8, BootFault); 7] = [
            (12, 7, BootFault::SectorSize),
            (13, 3, BootFault::ClusterSize),
            (14, 0, BootFault::ReservedSectors),
            (16, 0, BootFault::TableCount),
            (21, 1, BootFault::Media),
            (22, 0, BootFault::TableSize),
            (20, 0, BootFault::NoClusters),
        ];
        for (offset, value, fault) in cases {
            let mut sector = floppy();
            sector[offset] = value;
            if offset == 20 {
                sector[19] = 4;
            }
            assert_eq!(Boot::parse(&sector), Err(fault), "byte {offset}");
        }
        let mut sector = floppy();
        sector[0] = 0;
        sector[511] = 0;
        assert_eq!(Boot::parse(&sector), Err(BootFault::NoMark));
        let mut sector = floppy();
        sector[19..21].fill(0);
        assert_eq!(Boot::parse(&sector), Err(BootFault::TotalSectors));
    }
}
