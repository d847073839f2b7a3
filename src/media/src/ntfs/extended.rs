//! Extended attributes ($EA, [MS-FSCC] 2.4.16): small named values beside a file.

use crate::bytes::{Record, index};

/// Bytes of all extended attributes of a file at most.
pub(super) const MAX_BYTES: u64 = 64 << 10;

/// Names and values; nothing when they do not follow each other as they should.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    const NAME: usize = 8;
    let (mut found, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let entry = Record(rest);
        let (name, value) = (usize::from(entry.u8(5)), usize::from(entry.u16(6)));
        // A zero follows the name.
        let value_at = NAME.saturating_add(name).saturating_add(1);
        let end = value_at.saturating_add(value);
        let next = match index(u64::from(entry.u32(0))) {
            0 => rest.len(),
            next => next,
        };
        if name == 0 || end > next || next > rest.len() {
            return None;
        }
        found.push((entry.slice(NAME, name).to_vec(), entry.slice(value_at, value).to_vec()));
        rest = rest.get(next..).unwrap_or_default();
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(next: u32, name: &[u8], value: &[u8], length: usize) -> Vec<u8> {
        let mut bytes = next.to_le_bytes().to_vec();
        bytes.extend([0, name.len() as u8, value.len() as u8, 0]);
        bytes.extend([name, b"\0", value].concat());
        bytes.resize(length, 0);
        bytes
    }

    #[test]
    fn values_follow_each_other() {
        let bytes = [entry(16, b"ONE", b"1234", 16), entry(20, b"TWO", b"", 20)].concat();
        let expected = vec![(b"ONE".to_vec(), b"1234".to_vec()), (b"TWO".to_vec(), vec![])];
        assert_eq!(parse(&bytes), Some(expected.clone()));
        let last = [entry(16, b"ONE", b"1234", 16), entry(0, b"TWO", b"", 12)].concat();
        assert_eq!(parse(&last), Some(expected));
        assert_eq!(parse(&entry(15, b"ONE", b"1234", 16)), None, "the next one begins within the value");
        assert_eq!(parse(&entry(17, b"ONE", b"1234", 16)), None, "the next one begins behind the end");
        assert_eq!(parse(&entry(0, b"", b"1234", 16)), None);
        assert_eq!(parse(&[1, 0, 0]), None);
    }
}
