//! Normalised boot areas (section 10 of the specification): what hosts change by merely mounting a medium is masked.

use crate::claims::{AreaKind, Filesystem, Sha256};
use sha2::{Digest, Sha256 as Hash};

/// One row of the table of masks: bytes from `offset`, and the bits that are cleared in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// From the start of the area.
    pub offset: usize,
    /// Bytes.
    pub length: usize,
    /// Cleared in each of them.
    pub bits: u8,
}

const fn mask(offset: usize, length: usize) -> Mask {
    Mask { offset, length, bits: 0xff }
}

/// Windows writes a disk signature where there is none.
const MBR: [Mask; 1] = [mask(440, 4)];

/// struct ext4_super_block (fs/ext4/ext4.h), from the start of the volume.
const EXT: [Mask; 14] = [
    mask(0x40c, 8),                                // s_free_blocks_count_lo, s_free_inodes_count
    mask(0x42c, 10),                               // s_mtime, s_wtime, s_mnt_count
    mask(0x43a, 2),                                // s_state
    Mask { offset: 0x460, length: 1, bits: 0x04 }, // s_feature_incompat: RECOVER
    Mask { offset: 0x466, length: 1, bits: 0x01 }, // s_feature_ro_compat: ORPHAN_PRESENT
    mask(0x488, 64),                               // s_last_mounted
    mask(0x4e8, 4),                                // s_last_orphan
    mask(0x558, 4),                                // s_free_blocks_count_hi
    mask(0x578, 8),                                // s_kbytes_written
    mask(0x594, 108),                              // s_error_count to s_last_error_func
    mask(0x648, 4),                                // s_overhead_blocks
    mask(0x674, 2),                                // s_wtime_hi, s_mtime_hi
    mask(0x678, 4),                                // s_first_error_time_hi to s_last_error_errcode
    mask(0x7fc, 4),                                // s_checksum
];

/// Little-endian number of 16 bits.
fn word(bytes: &[u8], offset: usize) -> Option<usize> {
    let word = bytes.get(offset..offset.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes(word.try_into().ok()?)))
}

/// BS_Reserved1 holds the dirty flags; FAT32 has a copy of the boot sector and free counts (FAT specification 1.03).
fn fat_masks(bytes: &[u8], filesystem: Option<Filesystem>) -> Vec<Mask> {
    if filesystem != Some(Filesystem::Fat32) {
        return vec![mask(37, 1)];
    }
    let sector = word(bytes, 11).unwrap_or(0);
    let backup = word(bytes, 50).filter(|sector| *sector != 0);
    let info = word(bytes, 48).filter(|sector| *sector != 0 && *sector != 0xffff);
    let at = |number: usize, offset: usize| number.checked_mul(sector)?.checked_add(offset);
    let both = backup.zip(info).and_then(|(backup, info)| backup.checked_add(info));
    let copy = backup.and_then(|backup| at(backup, 65)).map(|offset| mask(offset, 1));
    let counts = [info, both].into_iter().flatten().filter_map(|number| at(number, 488)).map(|offset| mask(offset, 8));
    [mask(65, 1)].into_iter().chain(copy).chain(counts).collect()
}

/// VolumeFlags and PercentInUse, in the boot sector and its copy (exFAT specification, 3.1.13, 3.1.18).
fn exfat_masks(bytes: &[u8]) -> Vec<Mask> {
    let shift = bytes.get(108).copied().map(u32::from);
    let sector = shift.and_then(|shift| 1usize.checked_shl(shift));
    let backup = sector.and_then(|sector| sector.checked_mul(12));
    [Some(0), backup]
        .into_iter()
        .flatten()
        .filter_map(|start| Some([mask(start.checked_add(106)?, 2), mask(start.checked_add(112)?, 1)]))
        .flatten()
        .collect()
}

/// The masks of an area with these bytes. One that would reach outside is left out.
#[must_use]
pub fn masks(kind: AreaKind, filesystem: Option<Filesystem>, bytes: &[u8]) -> Vec<Mask> {
    let all = match kind {
        AreaKind::Mbr => MBR.to_vec(),
        AreaKind::Fat => fat_masks(bytes, filesystem),
        AreaKind::ExFat => exfat_masks(bytes),
        AreaKind::Ext => EXT.to_vec(),
        _ => Vec::new(),
    };
    let inside = |mask: &Mask| mask.offset.checked_add(mask.length).is_some_and(|end| end <= bytes.len());
    all.into_iter().filter(inside).collect()
}

/// SHA-256 of an area after masking. `filesystem` is that of its volume.
#[must_use]
pub fn digest(kind: AreaKind, filesystem: Option<Filesystem>, bytes: &[u8]) -> Sha256 {
    let mut normal = bytes.to_vec();
    for mask in masks(kind, filesystem, bytes) {
        normal.iter_mut().skip(mask.offset).take(mask.length).for_each(|byte| *byte &= !mask.bits);
    }
    Hash::digest(&normal).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An area whose layout fields are set, and nothing else.
    fn area(kind: AreaKind) -> Vec<u8> {
        let mut bytes = vec![0xa5; 24 * 512];
        bytes[11..13].copy_from_slice(&512u16.to_le_bytes());
        bytes[48..52].copy_from_slice(&[1, 0, 6, 0]);
        bytes[108] = 9;
        if kind == AreaKind::Mbr {
            bytes.truncate(512)
        }
        bytes
    }

    /// Flips each bit: those in the table change nothing, all others change the digest.
    fn masked(kind: AreaKind, filesystem: Filesystem) -> Vec<(usize, u8)> {
        let bytes = area(kind);
        let before = digest(kind, Some(filesystem), &bytes);
        let mut found = Vec::new();
        for offset in 0..bytes.len() {
            let mut changed = bytes.clone();
            let bits = (0..8).filter(|bit| {
                changed[offset] = bytes[offset] ^ (1 << bit);
                digest(kind, Some(filesystem), &changed) == before
            });
            let bits: u8 = bits.map(|bit| 1 << bit).sum();
            if bits != 0 {
                found.push((offset, bits));
            }
        }
        found
    }

    fn whole(ranges: &[(usize, usize)]) -> Vec<(usize, u8)> {
        ranges.iter().flat_map(|(start, length)| (*start..start + length).map(|offset| (offset, 0xff))).collect()
    }

    #[test]
    fn only_what_hosts_change_is_masked() {
        assert_eq!(masked(AreaKind::Mbr, Filesystem::Fat32), whole(&[(440, 4)]));
        assert_eq!(masked(AreaKind::Fat, Filesystem::Fat16), whole(&[(37, 1)]));
        let fat32 = whole(&[(65, 1), (512 + 488, 8), (6 * 512 + 65, 1), (7 * 512 + 488, 8)]);
        assert_eq!(masked(AreaKind::Fat, Filesystem::Fat32), fat32);
        let exfat = whole(&[(106, 2), (112, 1), (6144 + 106, 2), (6144 + 112, 1)]);
        assert_eq!(masked(AreaKind::ExFat, Filesystem::ExFat), exfat);
        assert_eq!(masked(AreaKind::Ntfs, Filesystem::Ntfs), []);
        assert_eq!(masked(AreaKind::Gap, Filesystem::Fat32), []);
    }

    #[test]
    fn masks_that_reach_outside_are_left_out() {
        assert_eq!(masks(AreaKind::ExFat, None, &area(AreaKind::ExFat)[..512]), [mask(106, 2), mask(112, 1)]);
        assert_eq!(masks(AreaKind::Fat, Some(Filesystem::Fat32), &[0; 40]), []);
        let lying = [0xff; 512];
        assert_eq!(masks(AreaKind::Fat, Some(Filesystem::Fat32), &lying), [mask(65, 1)]);
        assert_eq!(masks(AreaKind::ExFat, None, &lying), [mask(106, 2), mask(112, 1)]);
    }
}
