//! The two checksums of ext4 (Linux Documentation/filesystems/ext4, "Checksums"): CRC-32C for `metadata_csum`, CRC-16
//! for `gdt_csum`. Both go on from a start value and do not invert their result.

use std::sync::LazyLock;

/// Castagnoli's polynomial (RFC 3720, 12.1), lowest bit first.
const CASTAGNOLI: u32 = 0x82f6_3b78;
/// x^16 + x^15 + x^2 + 1, lowest bit first.
const CRC16: u32 = 0xa001;

static CASTAGNOLI_TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| table(CASTAGNOLI));
static CRC16_TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| table(CRC16));

/// What each byte does to a checksum.
fn table(polynomial: u32) -> [u32; 256] {
    let bit = |rest: u32| if rest & 1 == 0 { rest >> 1 } else { (rest >> 1) ^ polynomial };
    std::array::from_fn(|byte| (0..8).fold(u32::try_from(byte).unwrap_or(0), |rest, _| bit(rest)))
}

fn go_on(table: &[u32; 256], start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |rest, byte| {
        let [low, ..] = rest.to_le_bytes();
        table.get(usize::from(low ^ byte)).copied().unwrap_or(0) ^ (rest >> 8)
    })
}

/// CRC-32C of `bytes` behind what gave `start` (all ones at the beginning).
pub(super) fn crc32c(start: u32, bytes: &[u8]) -> u32 {
    go_on(&CASTAGNOLI_TABLE, start, bytes)
}

/// CRC-16 of `bytes` behind what gave `start` (all ones at the beginning).
pub(super) fn crc16(start: u16, bytes: &[u8]) -> u16 {
    u16::try_from(go_on(&CRC16_TABLE, u32::from(start), bytes)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_3720() {
        // Appendix B.4; there the result is inverted.
        let whole = |bytes: &[u8]| !crc32c(!0, bytes);
        assert_eq!(whole(&[0; 32]), 0x8a91_36aa);
        assert_eq!(whole(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(whole(&std::array::from_fn::<u8, 32, _>(|byte| byte as u8)), 0x46dd_794e);
        assert_eq!(whole(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn parts_give_what_the_whole_gives() {
        assert_eq!(crc32c(crc32c(!0, b"1234"), b"56789"), crc32c(!0, b"123456789"));
        assert_eq!(crc16(crc16(!0, b"1234"), b"56789"), crc16(!0, b"123456789"));
    }

    #[test]
    fn crc16_of_the_usual_text() {
        // CRC-16/ARC and CRC-16/MODBUS in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc16(0, b"123456789"), 0xbb3d);
        assert_eq!(crc16(!0, b"123456789"), 0x4b37);
    }
}
