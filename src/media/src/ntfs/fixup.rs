//! The update sequence array: the last two bytes of every 512 bytes of a record are kept elsewhere and replaced by a
//! number that is new with each write, so that a write that was torn apart is found.

use crate::bytes::{Record, index};

/// Bytes that are protected together, whatever a sector of the medium has.
const STRIDE: usize = 512;
/// Bytes of a record of which the array still fits into the first of them.
const MAX_BYTES: u64 = 64 << 10;

/// Puts the bytes of a multi-sector record back; false when the array cannot be or a write was torn.
pub(super) fn apply(record: &mut [u8]) -> bool {
    let array = usize::from(Record(record).u16(4));
    let count = usize::from(Record(record).u16(6));
    let strides = record.len() / STRIDE;
    let end = array.saturating_add(count.saturating_mul(2));
    if count != strides.saturating_add(1) || array < 8 || end > record.len().min(STRIDE.saturating_sub(2)) {
        return false;
    }
    let number: [u8; 2] = Record(record).array(array);
    let mut whole = true;
    for stride in 1..=strides {
        let original: [u8; 2] = Record(record).array(array.saturating_add(stride.saturating_mul(2)));
        let last = stride.saturating_mul(STRIDE).saturating_sub(2);
        let Some(place) = record.get_mut(last..last.saturating_add(2)) else { return false };
        whole &= *place == number;
        place.copy_from_slice(&original);
    }
    whole
}

/// Blanks the array itself, which differs between two copies of one record.
pub(super) fn blank(record: &mut [u8]) {
    let array = usize::from(Record(record).u16(4));
    let bytes = usize::from(Record(record).u16(6)).saturating_mul(2);
    let end = array.saturating_add(bytes).min(record.len());
    if let Some(place) = record.get_mut(array..end) {
        place.fill(0);
    }
}

/// Whether so many bytes can be protected.
pub(super) fn fits(bytes: u64) -> bool {
    (1..=MAX_BYTES).contains(&bytes) && index(bytes).is_multiple_of(STRIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_record_is_found() {
        let mut record = vec![0u8; 1024];
        record[4..8].copy_from_slice(&[48, 0, 3, 0]);
        record[48..54].copy_from_slice(&[7, 0, 1, 2, 3, 4]);
        record[510] = 7;
        record[1022] = 7;
        let mut torn = record.clone();
        torn[1022] = 6;
        assert!(apply(&mut record) && record[510..512] == [1, 2] && record[1022..] == [3, 4]);
        assert!(!apply(&mut torn));
        for (offset, value) in [(6, 2), (6, 0), (4, 2), (5, 2)] {
            let mut broken = vec![0u8; 1024];
            broken[4..8].copy_from_slice(&[48, 0, 3, 0]);
            broken[offset] = value;
            assert!(!apply(&mut broken), "byte {offset}");
        }
    }
}
