//! $UpCase, the table by which hosts compare names.

use crate::bytes::wide;
use crate::names::upper;

/// Bytes of the table: one UTF-16 unit for each.
pub(super) const BYTES: u64 = 128 << 10;
/// Letters whose case Windows and Unicode see differently. The tables of Windows and mkntfs have a few of them.
const MAX_ODD: usize = 256;

/// A table for all units.
#[derive(Debug)]
pub(super) struct Upcase {
    units: Option<Vec<u16>>,
}

impl Upcase {
    /// Unicode's simple upper case, when the volume's table cannot be used.
    pub(super) fn fallback() -> Self {
        Self { units: None }
    }

    /// The table of a volume; nothing when it is none that makes upper case of letters. A table that leaves letters
    /// as they are, or folds others, would hide names that other hosts cannot tell apart.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let units = super::record::units(bytes);
        if wide(bytes.len()) != BYTES {
            return None;
        }
        let mut odd = 0usize;
        for (unit, found) in (0..=u16::MAX).zip(&units) {
            let expected = upper(unit);
            if unit < 0x80 && *found != expected {
                return None;
            }
            odd = odd.saturating_add(usize::from(*found != expected && !is_pair(unit, *found)));
        }
        (odd <= MAX_ODD).then_some(Self { units: Some(units) })
    }

    /// Upper case of a unit.
    pub(super) fn upper(&self, unit: u16) -> u16 {
        match &self.units {
            Some(units) => units.get(usize::from(unit)).copied().unwrap_or(unit),
            None => upper(unit),
        }
    }
}

/// Whether `big` is an upper case of `small` where [`upper`] says otherwise: Unicode grew letters since the table was
/// made, or has more than one letter for the pair.
fn is_pair(small: u16, big: u16) -> bool {
    if big == small {
        return true;
    }
    let lower = |unit: u16| char::from_u32(u32::from(unit)).and_then(|letter| letter.to_lowercase().next());
    lower(big).is_some() && lower(big) == lower(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(change: impl Fn(u16) -> u16) -> Vec<u8> {
        (0..=u16::MAX).flat_map(|unit| change(unit).to_le_bytes()).collect()
    }

    #[test]
    fn a_table_that_does_not_fold_is_refused() {
        assert_eq!(Upcase::parse(&table(upper)).unwrap().upper(0xe9), 0xc9);
        assert!(Upcase::parse(&table(|unit| unit)).is_none());
        assert!(Upcase::parse(&table(|unit| if unit == 0x41 { 0x42 } else { upper(unit) })).is_none());
        assert!(Upcase::parse(&table(|unit| if unit > 0x3000 { 0x3000 } else { upper(unit) })).is_none());
        assert!(Upcase::parse(&table(upper)[..1000]).is_none());
    }
}
