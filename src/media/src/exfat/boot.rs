//! The main boot region of exFAT (Microsoft, "exFAT file system specification" 1.00, section 3).

use crate::bytes::{Record, index, is_zero};

/// Sectors of a boot region: boot, extended boot, OEM parameters, reserved, checksum (exFAT 3).
const REGION_SECTORS: u64 = 12;

/// Why a boot sector that says "EXFAT" cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootFault {
    /// BytesPerSectorShift is outside 9 to 12 (3.1.14).
    SectorSize,
    /// SectorsPerClusterShift makes clusters above 32 MiB (3.1.15).
    ClusterSize,
    /// NumberOfFats is neither 1 nor 2 (3.1.16).
    TableCount,
    /// FatOffset or FatLength lie outside the volume (3.1.5, 3.1.6).
    Table,
    /// ClusterHeapOffset or ClusterCount lie outside the volume (3.1.7, 3.1.8).
    Heap,
}

/// A boot sector that can be used; offsets in bytes from the start of the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Bytes of a sector.
    pub sector: u64,
    /// Bytes of a cluster.
    pub cluster: u64,
    /// FatOffset.
    pub table_start: u64,
    /// FatLength.
    pub table: u64,
    /// NumberOfFats.
    pub tables: u64,
    /// VolumeFlags bit 0.
    pub second_active: bool,
    /// ClusterHeapOffset.
    pub heap_start: u64,
    /// ClusterCount.
    pub clusters: u32,
    /// FirstClusterOfRootDirectory.
    pub root: u32,
    /// VolumeLength.
    pub total: u64,
    /// VolumeSerialNumber.
    pub serial: u32,
}

impl Boot {
    /// Whether a sector claims to be exFAT: FileSystemName (3.1.2), and MustBeZero (3.1.3) where FAT has its fields.
    pub fn claims(sector: &[u8]) -> bool {
        let record = Record(sector);
        record.slice(3, 8) == b"EXFAT   " && is_zero(record.slice(11, 53))
    }

    /// Validates a sector that [`Boot::claims`] to be exFAT.
    ///
    /// # Errors
    /// [`BootFault`].
    pub fn parse(sector: &[u8]) -> Result<Self, BootFault> {
        let record = Record(sector);
        let sector_shift = u32::from(record.u8(108));
        check((9..=12).contains(&sector_shift), BootFault::SectorSize)?;
        let cluster_shift = sector_shift.saturating_add(u32::from(record.u8(109)));
        check(cluster_shift <= 25, BootFault::ClusterSize)?;
        let bytes = |sectors: u32| u64::from(sectors).checked_shl(sector_shift).unwrap_or(0);
        let tables = u64::from(record.u8(110));
        check(matches!(tables, 1 | 2), BootFault::TableCount)?;
        let total_sectors = record.u64(72);
        let total = total_sectors.saturating_mul(bytes(1));
        let table_start = bytes(record.u32(80));
        let table = bytes(record.u32(84));
        let clusters = record.u32(92);
        let heap_start = bytes(record.u32(88));
        let cluster = 1u64.checked_shl(cluster_shift).unwrap_or(512);
        let table_end = table_start.saturating_add(table.saturating_mul(tables));
        let entries = table / 4;
        let table_fits = table_start >= bytes(24) && table_end <= heap_start && entries > 2;
        check(table_fits, BootFault::Table)?;
        let heap_end = heap_start.saturating_add(u64::from(clusters).saturating_mul(cluster));
        let enough = entries >= u64::from(clusters).saturating_add(2);
        check(clusters > 0 && clusters <= 0xffff_fff5 && heap_end <= total && enough, BootFault::Heap)?;
        Ok(Self {
            sector: bytes(1),
            cluster,
            table_start,
            table,
            tables,
            second_active: record.u16(106) & 1 != 0 && tables == 2,
            heap_start,
            clusters,
            root: record.u32(96),
            total,
            serial: record.u32(100),
        })
    }

    /// Bytes of one boot region.
    pub(crate) fn region(&self) -> u64 {
        self.sector.saturating_mul(REGION_SECTORS)
    }

    /// Whether the checksum sector matches the eleven sectors before it (3.4).
    pub(crate) fn checksum_holds(&self, region: &[u8]) -> bool {
        let covered = index(self.sector.saturating_mul(REGION_SECTORS.saturating_sub(1)));
        let (sectors, checksums) = region.split_at(covered.min(region.len()));
        let volatile = |offset: &usize| matches!(offset, 106 | 107 | 112);
        let sum = sectors
            .iter()
            .enumerate()
            .filter(|(offset, _)| !volatile(offset))
            .fold(0u32, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u32::from(*byte)));
        !checksums.is_empty() && checksums.chunks(4).all(|found| Record(found).u32(0) == sum)
    }
}

fn check(holds: bool, fault: BootFault) -> Result<(), BootFault> {
    if holds { Ok(()) } else { Err(fault) }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    fn sector() -> Vec<u8> {
        let mut sector = vec![0u8; 512];
        sector[3..11].copy_from_slice(b"EXFAT   ");
        sector[72..80].copy_from_slice(&8192u64.to_le_bytes());
        for (offset, value) in [(80, 128u32), (84, 64), (88, 256), (92, 990), (96, 5)] {
            sector[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        }
        sector[108] = 9;
        sector[109] = 3;
        sector[110] = 1;
        sector
    }

    #[test]
    fn each_broken_field_has_its_own_name() {
        let boot = Boot::parse(&sector()).unwrap();
        assert_eq!((boot.cluster, boot.heap_start, boot.root), (4096, 256 * 512, 5));
        let cases = [
            (108, 8, BootFault::SectorSize),
            (109, 17, BootFault::ClusterSize),
            (110, 3, BootFault::TableCount),
            (85, 1, BootFault::Table),
            (73, 1, BootFault::Heap),
            (93, 0xff, BootFault::Heap),
        ];
        for (offset, value, fault) in cases {
            let mut broken = sector();
            broken[offset] = value;
            assert_eq!(Boot::parse(&broken), Err(fault), "byte {offset}");
        }
    }
}
