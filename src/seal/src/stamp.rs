//! Times of the file: local time on FAT (FAT specification 1.03, "Date and Time Formats"), local time with its distance
//! from UTC on exFAT (exFAT 7.4.5 to 7.4.9).

use time::OffsetDateTime;

/// A moment with the station's distance from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    date: u16,
    time: u16,
    centiseconds: u8,
    utc_offset: u8,
}

impl Stamp {
    /// The local time of `moment`; years outside 1980 to 2107, which neither filesystem can say, become the nearest.
    #[must_use]
    pub fn new(moment: OffsetDateTime) -> Self {
        // Quarters of an hour, seven bits of two's complement; bit 7 says that it is known (7.4.10).
        let quarters = moment.offset().whole_minutes().checked_div(15).unwrap_or(0).clamp(-64, 63);
        let [low, _] = quarters.to_le_bytes();
        let utc_offset = low | 0x80;
        let year = moment.year();
        if year < 1980 {
            return Self { date: 0x21, time: 0, centiseconds: 0, utc_offset };
        }
        if year > 2107 {
            return Self { date: 0xff9f, time: 0xbf7d, centiseconds: 199, utc_offset };
        }
        let years = u16::try_from(year.saturating_sub(1980)).unwrap_or(0);
        let second = moment.second();
        let odd = if second.is_multiple_of(2) { 0 } else { 100 };
        let hundredths = u8::try_from(moment.millisecond() / 10).unwrap_or(0);
        Self {
            date: years << 9 | u16::from(u8::from(moment.month())) << 5 | u16::from(moment.day()),
            time: u16::from(moment.hour()) << 11 | u16::from(moment.minute()) << 5 | u16::from(second / 2),
            centiseconds: hundredths.saturating_add(odd),
            utc_offset,
        }
    }

    /// DIR_WrtDate and DIR_WrtTime.
    pub(crate) fn date_and_time(self) -> (u16, u16) {
        (self.date, self.time)
    }

    /// DIR_CrtTimeTenth; Create10msIncrement.
    pub(crate) fn centiseconds(self) -> u8 {
        self.centiseconds
    }

    /// The 32-bit timestamp of exFAT (7.4.8).
    pub(crate) fn timestamp(self) -> u32 {
        u32::from(self.date) << 16 | u32::from(self.time)
    }

    /// The UtcOffset of exFAT (7.4.10).
    pub(crate) fn utc_offset(self) -> u8 {
        self.utc_offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::UtcOffset;

    #[test]
    fn a_moment_is_written_in_local_time() {
        // 2026-11-24 15:43:25.370 UTC.
        let utc = OffsetDateTime::from_unix_timestamp_nanos(1_795_535_005_370_000_000).unwrap();
        let stamp = Stamp::new(utc.to_offset(UtcOffset::from_hms(1, 0, 0).unwrap()));
        assert_eq!(stamp.date, 46 << 9 | 11 << 5 | 24);
        assert_eq!(stamp.time, 16 << 11 | 43 << 5 | 12);
        assert_eq!((stamp.centiseconds, stamp.utc_offset), (137, 0x84));
        let west = Stamp::new(utc.to_offset(UtcOffset::from_hms(-3, -30, 0).unwrap()));
        assert_eq!((west.time >> 11, west.utc_offset), (12, 0xf2));
    }

    #[test]
    fn what_the_fields_cannot_say_becomes_the_nearest() {
        assert_eq!(Stamp::new(OffsetDateTime::UNIX_EPOCH).timestamp(), 0x0021_0000);
        let late = OffsetDateTime::from_unix_timestamp(5_000_000_000).unwrap();
        assert_eq!(Stamp::new(late).timestamp(), 0xff9f_bf7d);
    }
}
