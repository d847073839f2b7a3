//! Raw devices of Windows, `\\.\PhysicalDriveN`: they answer reads of whole sectors only, and say how long they are only
//! to calls that need `unsafe`. So reads are widened, and sector and capacity are found by asking.

use blanche_media::{ReadAt, ReadError};

/// Logical sectors that disks have.
const SECTORS: [u16; 4] = [512, 1024, 2048, 4096];
/// No disk is longer: LBAs of 48 bits with sectors of 4096 bytes.
const MAX_SECTORS: u64 = 1 << 48;

/// A device that reads whole sectors.
pub(crate) struct Aligned<R> {
    device: R,
    sector: u64,
}

impl<R: ReadAt> Aligned<R> {
    pub(crate) fn new(device: R, sector: u16) -> Self {
        Self { device, sector: u64::from(sector).max(1) }
    }
}

impl<R: ReadAt> ReadAt for Aligned<R> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let length = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        let over = offset.checked_rem(self.sector).unwrap_or(0);
        let start = offset.saturating_sub(over);
        let end = offset.saturating_add(length);
        let whole = end.checked_next_multiple_of(self.sector).unwrap_or(end).saturating_sub(start);
        if whole == length {
            return self.device.read_at(offset, buffer);
        }
        let mut sectors = vec![0; usize::try_from(whole).unwrap_or(usize::MAX)];
        let outcome = self.device.read_at(start, &mut sectors);
        let wanted = sectors.iter().skip(usize::try_from(over).unwrap_or(usize::MAX));
        buffer.iter_mut().zip(wanted).for_each(|(to, from)| *to = *from);
        match outcome {
            Err(ReadError::Unreadable { offset: at }) if at >= end => Ok(()),
            Err(ReadError::Unreadable { offset: at }) => Err(ReadError::Unreadable { offset: at.max(offset) }),
            other => other,
        }
    }

    fn capacity(&self) -> u64 {
        self.device.capacity()
    }
}

/// Logical sector and capacity (bytes) of a device, from which reads of whole sectors succeed: `reads(offset, length)`.
/// A bad sector at a place that is asked for makes the device look shorter than it is: never longer.
pub(crate) fn probe(reads: &mut dyn FnMut(u64, u16) -> bool) -> Option<(u16, u64)> {
    // A read at byte 512 of a disk with larger sectors is refused.
    let sector = SECTORS.into_iter().find(|sector| reads(u64::from(*sector), *sector))?;
    let mut readable = |number: u64| reads(number.saturating_mul(u64::from(sector)), sector);
    let (mut good, mut bad) = (1u64, 2u64);
    while bad < MAX_SECTORS && readable(bad) {
        good = bad;
        bad = bad.saturating_mul(2);
    }
    while bad.saturating_sub(good) > 1 {
        let middle = good.midpoint(bad);
        if readable(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some((sector, bad.saturating_mul(u64::from(sector))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_media::MemorySource;

    /// Refuses what is not whole sectors, as a device does.
    struct Strict(MemorySource, u64);

    impl ReadAt for Strict {
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
            assert!(offset.is_multiple_of(self.1) && (buffer.len() as u64).is_multiple_of(self.1), "not whole sectors");
            self.0.read_at(offset, buffer)
        }

        fn capacity(&self) -> u64 {
            self.0.capacity()
        }
    }

    fn strict(sector: u64) -> Strict {
        let bytes = (0..64 * 1024u32).map(|at| (at % 251) as u8).collect();
        let mut source = MemorySource::new(bytes);
        source.unreadable.push(8192..12288);
        Strict(source, sector)
    }

    #[test]
    fn any_range_is_read_by_whole_sectors() {
        let device = Aligned::new(strict(4096), 4096);
        for (offset, length) in [(0, 4096), (1, 1), (4000, 200), (12288, 5000), (5, 8187), (65535, 1)] {
            let mut buffer = vec![0; length];
            assert_eq!(device.read_at(offset, &mut buffer), Ok(()), "{offset} {length}");
            assert!((offset..).zip(&buffer).all(|(at, byte)| *byte == (at % 251) as u8), "{offset} {length}");
        }
    }

    #[test]
    fn what_is_before_a_bad_sector_is_read_all_the_same() {
        let device = Aligned::new(strict(512), 512);
        let mut buffer = [0; 200];
        assert_eq!(device.read_at(8100, &mut buffer), Err(ReadError::Unreadable { offset: 8192 }));
        assert_eq!(buffer[91], (8191 % 251) as u8);
        assert_eq!(device.read_at(8200, &mut buffer), Err(ReadError::Unreadable { offset: 8200 }));
    }

    #[test]
    fn sector_and_capacity_are_found() {
        for sector in SECTORS {
            for sectors in [2u64, 3, 1000, 31_116_288, (1 << 33) + 7] {
                let capacity = sectors * u64::from(sector);
                let mut asked = 0;
                let mut reads = |offset: u64, length: u16| {
                    asked += 1;
                    let whole = offset.is_multiple_of(u64::from(sector)) && length >= sector;
                    whole && offset + u64::from(length) <= capacity
                };
                assert_eq!(probe(&mut reads), Some((sector, capacity)));
                assert!(asked < 80, "{asked}");
            }
        }
        assert_eq!(probe(&mut |_, _| false), None);
    }
}
