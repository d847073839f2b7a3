//! Little-endian fields of on-disk records, and conversions between offsets (`u64`) and indexes (`usize`).
//!
//! A [`Record`] never fails: what lies beyond its end reads as zero. Every parser checks the length of what it parses
//! before it believes a field; this only makes sure that a forgotten check cannot panic.

/// A record as it stands on the medium.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a>(pub &'a [u8]);

impl<'a> Record<'a> {
    /// `N` bytes from `offset`; zeros where the record is shorter.
    #[must_use]
    pub fn array<const N: usize>(self, offset: usize) -> [u8; N] {
        let mut out = [0u8; N];
        let source = self.slice(offset, N);
        for (to, from) in out.iter_mut().zip(source) {
            *to = *from;
        }
        out
    }

    /// Up to `length` bytes from `offset`.
    #[must_use]
    pub fn slice(self, offset: usize, length: usize) -> &'a [u8] {
        let rest = self.0.get(offset..).unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    }

    /// One byte at `offset`.
    #[must_use]
    pub fn u8(self, offset: usize) -> u8 {
        self.0.get(offset).copied().unwrap_or(0)
    }

    /// Two bytes at `offset`.
    #[must_use]
    pub fn u16(self, offset: usize) -> u16 {
        u16::from_le_bytes(self.array(offset))
    }

    /// Four bytes at `offset`.
    #[must_use]
    pub fn u32(self, offset: usize) -> u32 {
        u32::from_le_bytes(self.array(offset))
    }

    /// Eight bytes at `offset`.
    #[must_use]
    pub fn u64(self, offset: usize) -> u64 {
        u64::from_le_bytes(self.array(offset))
    }
}

/// A length or offset as an index; what does not fit becomes the largest index, which no buffer has.
pub(crate) fn index(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// An index as a length or offset.
pub(crate) fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Whether there are only zeros.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_beyond_the_end_read_as_zero() {
        let record = Record(&[1, 2, 3]);
        assert_eq!(record.u16(0), 0x0201);
        assert_eq!(record.u32(1), 0x0302);
        assert_eq!(record.u64(usize::MAX), 0);
        assert_eq!(record.slice(2, 9), [3]);
    }
}
