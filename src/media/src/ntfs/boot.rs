//! The boot sector of NTFS (first sector of $Boot).

use crate::bytes::Record;
use std::ops::Range;

/// Largest cluster that Windows makes: 2 MiB.
const MAX_CLUSTER: u64 = 2 << 20;
/// Bytes of a file record at most; Windows makes 1 or 4 KiB.
const MAX_RECORD: u64 = 4 << 10;
/// Windows numbers clusters with 32 bits.
const MAX_CLUSTERS: u64 = 0xffff_fff0;

/// Why a boot sector that says "NTFS" cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BootFault {
    /// Bytes per sector are no power of two from 512 to 4096.
    SectorSize,
    /// Sectors per cluster are no power of two, or a cluster is larger than 2 MiB.
    ClusterSize,
    /// A file record is no power of two from 512 bytes to 4 KiB.
    RecordSize,
    /// There are no clusters, or more than any host numbers.
    Clusters,
    /// $MFT lies outside the volume.
    Table,
}

/// A boot sector that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Boot {
    /// Bytes.
    pub(super) sector: u64,
    /// Bytes.
    pub(super) cluster: u64,
    /// Of the volume as the boot sector counts them.
    pub(super) clusters: u64,
    /// Bytes of all sectors; the copy of the boot sector lies behind them.
    pub(super) total: u64,
    /// First cluster of $MFT.
    pub(super) mft: u64,
    /// Bytes of a file record.
    pub(super) record: u64,
    /// Volume serial number.
    pub(super) serial: u64,
    /// 55 AA at its end.
    pub(super) marked: bool,
}

impl Boot {
    /// Validates the first sector (at least 512 bytes).
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BootFault> {
        let boot = Record(bytes);
        let sector = u64::from(boot.u16(11));
        check(sector.is_power_of_two() && (512..=4096).contains(&sector), BootFault::SectorSize)?;
        let cluster = sectors_per_cluster(boot.u8(13)).saturating_mul(sector);
        check(cluster.is_power_of_two() && cluster <= MAX_CLUSTER, BootFault::ClusterSize)?;
        let record = block(boot.u8(64), cluster);
        check(record.is_power_of_two() && (512..=MAX_RECORD).contains(&record), BootFault::RecordSize)?;
        let total = boot.u64(40).saturating_mul(sector);
        let clusters = total.checked_div(cluster).unwrap_or(0);
        check((1..=MAX_CLUSTERS).contains(&clusters), BootFault::Clusters)?;
        let mft = boot.u64(48);
        check(mft < clusters, BootFault::Table)?;
        let marked = boot.slice(510, 2) == [0x55, 0xaa];
        Ok(Self { sector, cluster, clusters, total, mft, record, serial: boot.u64(72), marked })
    }

    /// Where the copy of the boot sector lies if the volume in `range` has room for it.
    pub(super) fn backup(&self, range: &Range<u64>) -> Option<Range<u64>> {
        let start = range.start.checked_add(self.total)?;
        let end = start.checked_add(self.sector)?;
        (end <= range.end).then_some(start..end)
    }
}

/// A number, or for more than 128 sectors the negative of a power of two.
fn sectors_per_cluster(field: u8) -> u64 {
    if field <= 128 { u64::from(field) } else { power(field) }
}

/// Bytes of a record or block: a number of clusters, or the negative of a power of two in bytes.
fn block(field: u8, cluster: u64) -> u64 {
    if field < 128 { u64::from(field).saturating_mul(cluster) } else { power(field) }
}

/// Two to the power of the negative of `field`, which is a signed byte.
fn power(field: u8) -> u64 {
    1u64.checked_shl(u32::from(field.wrapping_neg())).unwrap_or(0)
}

fn check(holds: bool, fault: BootFault) -> Result<(), BootFault> {
    if holds { Ok(()) } else { Err(fault) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector() -> Vec<u8> {
        let mut sector = vec![0u8; 512];
        sector[11..13].copy_from_slice(&512u16.to_le_bytes());
        sector[13] = 8;
        sector[40..48].copy_from_slice(&32_767u64.to_le_bytes());
        sector[48] = 4;
        sector[64] = 0xf6;
        sector
    }

    #[test]
    fn negative_fields_are_powers_of_two() {
        let boot = Boot::parse(&sector()).unwrap();
        assert_eq!((boot.cluster, boot.clusters, boot.record), (4096, 4095, 1024));
        let mut large = sector();
        large[13] = 0xf8;
        large[64] = 0xf4;
        let boot = Boot::parse(&large).unwrap();
        assert_eq!((boot.cluster, boot.clusters, boot.record), (512 * 256, 127, 4096));
        assert_eq!(boot.backup(&(0..32_768 * 512)), Some(32_767 * 512..32_768 * 512));
        assert_eq!(boot.backup(&(0..32_767 * 512)), None);
    }

    #[test]
    fn each_broken_field_has_its_own_name() {
        let cases = [
            (11, 1, BootFault::SectorSize),
            (12, 0, BootFault::SectorSize),
            (13, 0, BootFault::ClusterSize),
            (13, 3, BootFault::ClusterSize),
            (13, 0x90, BootFault::ClusterSize),
            (64, 0, BootFault::RecordSize),
            (64, 0x81, BootFault::RecordSize),
            (47, 1, BootFault::Clusters),
            (50, 1, BootFault::Table),
        ];
        for (offset, value, fault) in cases {
            let mut broken = sector();
            broken[offset] = value;
            assert_eq!(Boot::parse(&broken), Err(fault), "byte {offset}");
        }
    }
}
