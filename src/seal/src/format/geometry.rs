//! Where everything stands on a medium that is made anew.

use super::{round_down, round_up};
use blanche_sandbox::wire::CopyFilesystem;
use std::ops::Range;

/// Largest medium that gets FAT32, in bytes: Windows makes no larger ones.
pub const FAT32_MOST: u64 = 32 << 30;
/// Where the partition starts: what every current tool does, whatever the blocks of the medium.
pub(super) const FIRST: u64 = 1 << 20;
/// Least clusters of FAT32 ("FAT Type Determination"), with the distance from the limit that the specification advises.
const FAT32_LEAST_CLUSTERS: u64 = 65_525 + 16;
const FAT32_MOST_CLUSTERS: u64 = 0x0fff_fff4;
/// Sectors before the first table of FAT32, at least.
const FAT32_RESERVED: u64 = 32;
/// Sectors of the two boot regions of exFAT (3).
const EXFAT_BOOT: u64 = 24;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The numbers of one volume in one partition; bytes from the start of the medium where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Which filesystem.
    pub filesystem: CopyFilesystem,
    /// Bytes of a sector, which is a logical block of the medium.
    pub sector: u64,
    /// Bytes of the whole medium.
    pub capacity: u64,
    /// The partition.
    pub partition: Range<u64>,
    /// Bytes of a cluster.
    pub cluster: u64,
    /// The first allocation table.
    pub table_start: u64,
    /// Bytes of one table.
    pub table: u64,
    /// Tables.
    pub tables: u64,
    /// The first cluster, which has number 2.
    pub heap: u64,
    /// Clusters.
    pub clusters: u32,
}

impl Geometry {
    /// For a medium of `capacity` bytes with logical blocks of `block` bytes; nothing when the filesystem cannot be made
    /// there.
    #[must_use]
    pub fn new(filesystem: CopyFilesystem, capacity: u64, block: u32) -> Option<Self> {
        let sector = u64::from(block);
        if !matches!(block, 512 | 1024 | 2048 | 4096) {
            return None;
        }
        // A partition table of this kind counts sectors in 32 bits; what lies beyond is left unused.
        let most = sector.saturating_mul(u64::from(u32::MAX));
        let length = round_down(capacity.checked_sub(FIRST)?.min(most), MIB);
        let partition = FIRST..FIRST.checked_add(length)?;
        let frame = Self {
            filesystem,
            sector,
            capacity,
            partition,
            cluster: 0,
            table_start: 0,
            table: 0,
            tables: 0,
            heap: 0,
            clusters: 0,
        };
        match filesystem {
            CopyFilesystem::Fat32 => frame.fat32(length),
            CopyFilesystem::ExFat => frame.exfat(length),
        }
    }

    /// Sizes of clusters as Windows chooses them.
    fn fat32(self, length: u64) -> Option<Self> {
        let usual = match length {
            _ if length <= 260 * MIB => 512,
            _ if length <= 8 * GIB => 4 * KIB,
            _ if length <= 16 * GIB => 8 * KIB,
            _ if length <= 32 * GIB => 16 * KIB,
            _ => 32 * KIB,
        };
        let cluster = self.sector.max(usual);
        let table = self.table_for(length, cluster);
        let tables = table.saturating_mul(2);
        // The clusters stand on a multiple of their size, of 4 KiB at least.
        let heap = round_up(self.sector.saturating_mul(FAT32_RESERVED).saturating_add(tables), cluster.max(4 * KIB));
        let clusters = length.checked_sub(heap)?.checked_div(cluster)?;
        if !(FAT32_LEAST_CLUSTERS..=FAT32_MOST_CLUSTERS).contains(&clusters) {
            return None;
        }
        let table_start = FIRST.saturating_add(heap.saturating_sub(tables));
        Some(Self { cluster, table, tables: 2, table_start, heap: FIRST.saturating_add(heap), ..self }.with(clusters))
    }

    fn exfat(self, length: u64) -> Option<Self> {
        let usual = match length {
            _ if length <= 256 * MIB => 4 * KIB,
            _ if length <= 32 * GIB => 32 * KIB,
            _ => 128 * KIB,
        };
        let cluster = self.sector.max(usual);
        let table = self.table_for(length, cluster);
        let table_start = round_up(self.sector.saturating_mul(EXFAT_BOOT), cluster);
        let alignment = if length > 512 * MIB { MIB } else { cluster };
        let heap = round_up(table_start.saturating_add(table), alignment);
        let clusters = length.checked_sub(heap)?.checked_div(cluster)?;
        // VolumeLength (3.1.6) is at least 1 MiB; the structures need some clusters.
        if length < MIB || !(16..=u64::from(u32::MAX - 10)).contains(&clusters) {
            return None;
        }
        let (table_start, heap) = (FIRST.saturating_add(table_start), FIRST.saturating_add(heap));
        Some(Self { cluster, table, tables: 1, table_start, heap, ..self }.with(clusters))
    }

    fn with(self, clusters: u64) -> Self {
        Self { clusters: u32::try_from(clusters).unwrap_or(u32::MAX), ..self }
    }

    /// Bytes of a table with an entry of four bytes for each cluster that there could be.
    fn table_for(&self, length: u64, cluster: u64) -> u64 {
        let entries = length.checked_div(cluster).unwrap_or(0).saturating_add(2);
        round_up(entries.saturating_mul(4), self.sector)
    }

    /// Bytes of the partition.
    pub(super) fn length(&self) -> u64 {
        self.partition.end.saturating_sub(self.partition.start)
    }

    /// Bytes as sectors.
    pub(super) fn sectors(&self, bytes: u64) -> u64 {
        bytes.checked_div(self.sector).unwrap_or(0)
    }

    /// How many clusters so many bytes need.
    pub(super) fn clusters_for(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.cluster.max(1))
    }

    /// First byte of a cluster.
    pub(super) fn place(&self, cluster: u32) -> u64 {
        self.heap.saturating_add(u64::from(cluster.saturating_sub(2)).saturating_mul(self.cluster))
    }

    /// Bytes in all clusters.
    pub(super) fn room(&self) -> u64 {
        u64::from(self.clusters).saturating_mul(self.cluster)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_lie_inside_the_partition_and_on_their_own_boundary() {
        for filesystem in [CopyFilesystem::Fat32, CopyFilesystem::ExFat] {
            for block in [512u32, 1024, 2048, 4096] {
                for capacity in
                    [3, 36, 64, 300, 1000, 8192, 16_001, 31_000, 65_536, 4_194_304].map(|mib| mib * MIB + 777)
                {
                    let Some(geometry) = Geometry::new(filesystem, capacity, block) else { continue };
                    let end = geometry.place(geometry.clusters + 2);
                    assert!(end <= geometry.partition.end && geometry.partition.end <= capacity, "{geometry:?}");
                    assert!(geometry.table_start + geometry.table * geometry.tables <= geometry.heap, "{geometry:?}");
                    assert!(geometry.table / 4 >= u64::from(geometry.clusters) + 2, "{geometry:?}");
                    assert_eq!(geometry.heap % geometry.cluster.max(4096), 0, "{geometry:?}");
                    assert_eq!(geometry.table_start % u64::from(block), 0, "{geometry:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_too_small_or_strange_is_not_formatted() {
        assert_eq!(Geometry::new(CopyFilesystem::Fat32, 33 * MIB, 512), None);
        assert!(Geometry::new(CopyFilesystem::Fat32, 36 * MIB, 512).is_some());
        assert_eq!(Geometry::new(CopyFilesystem::Fat32, 200 * MIB, 4096), None);
        assert!(Geometry::new(CopyFilesystem::ExFat, 3 * MIB, 512).is_some());
        for (capacity, block) in [(0, 512), (MIB, 512), (MIB + 1, 512), (64 * MIB, 8192), (64 * MIB, 520)] {
            assert_eq!(Geometry::new(CopyFilesystem::ExFat, capacity, block), None);
        }
    }
}
