//! The up-case table, by which exFAT hosts compare names (exFAT 7.2).

use crate::bytes::{Record, wide};
use crate::names::upper;

/// Bytes of a table that maps every unit without compression.
pub const MAX_BYTES: u64 = 128 << 10;

/// A table for all 65 536 units.
#[derive(Debug)]
pub struct Upcase {
    units: Option<Vec<u16>>,
}

impl Upcase {
    /// Unicode's simple upper case, when the volume's table cannot be used.
    #[must_use]
    pub fn fallback() -> Self {
        Self { units: None }
    }

    /// Unpacks a table: `FFFF n` stands for `n` units that map to themselves (7.2.5.1).
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut units: Vec<u16> = Vec::with_capacity(1 << 16);
        let mut fields = bytes.chunks_exact(2).map(|pair| Record(pair).u16(0));
        while let Some(unit) = fields.next() {
            let next = u16::try_from(units.len());
            let Ok(position) = next else { break };
            if unit != 0xffff || wide(bytes.len()) >= MAX_BYTES {
                units.push(unit);
                continue;
            }
            let count = usize::from(fields.next().unwrap_or(0));
            units.extend((position..=u16::MAX).take(count));
        }
        Self { units: Some(units) }
    }

    /// Upper case of a unit.
    #[must_use]
    pub fn upper(&self, unit: u16) -> u16 {
        match &self.units {
            Some(units) => units.get(usize::from(unit)).copied().unwrap_or(unit),
            None => upper(unit),
        }
    }
}

/// TableChecksum (7.2.2).
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0u32, |sum, byte| sum.rotate_right(1).wrapping_add(u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_identity_are_unpacked() {
        let fields = [0xffffu16, 0x61, 0x41, 0x42, 0xffff, 0xff9d];
        let bytes: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        let table = Upcase::parse(&bytes);
        assert_eq!([0x20, 0x61, 0x62, 0x63, 0xfffe].map(|unit| table.upper(unit)), [0x20, 0x41, 0x42, 0x63, 0xfffe]);
    }
}
