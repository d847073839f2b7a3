//! Disk labels of Sun and SGI (Linux, block/partitions/sun.c and sgi.c). They fill the first sector around the fields of
//! a boot sector, so that one sector may be both.

use super::mbr::MBR_BYTES;
use crate::bytes::Record;

/// SUN_LABEL_MAGIC and SGI_LABEL_MAGIC, big-endian.
const SUN: &[u8] = &[0xda, 0xbe];
const SGI: &[u8] = &[0x0b, 0xe5, 0xa9, 0x41];

/// Whether the first sector of a medium is a label whose checksum holds.
pub(super) fn is_foreign(sector: &[u8]) -> bool {
    let Some(label) = sector.get(..MBR_BYTES) else { return false };
    let record = Record(label);
    let sun = || label.chunks_exact(2).fold(0u16, |sum, word| sum ^ Record(word).u16(0)) == 0;
    let word = |bytes: &[u8]| Record(bytes).u32(0).swap_bytes();
    let sgi = || label.chunks_exact(4).fold(0u32, |sum, bytes| sum.wrapping_add(word(bytes))) == 0;
    (record.slice(508, 2) == SUN && sun()) || (label.starts_with(SGI) && sgi())
}
