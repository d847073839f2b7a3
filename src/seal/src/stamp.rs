//! Times of the file: local time on FAT (FAT specification 1.03, "Date and Time Formats"), local time with its distance
//! from UTC on exFAT (exFAT 7.4.5 to 7.4.10).

use blanche_sandbox::wire::{Clock, LocalTime, Modified};
use time::{OffsetDateTime, UtcOffset};

/// A moment with the station's distance from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    date: u16,
    time: u16,
    centiseconds: u8,
    /// Nothing where nobody knows it.
    offset: Option<UtcOffset>,
}

impl Stamp {
    /// The time of a station, as it tells its children.
    #[must_use]
    pub fn local(time: LocalTime) -> Self {
        let moment = OffsetDateTime::from_unix_timestamp(time.seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let offset = UtcOffset::from_whole_seconds(time.offset).unwrap_or(UtcOffset::UTC);
        Self::new(moment.checked_to_offset(offset).unwrap_or(moment))
    }

    /// The local time of `moment`; years outside 1980 to 2107, which neither filesystem can say, become the nearest.
    #[must_use]
    pub fn new(moment: OffsetDateTime) -> Self {
        let offset = Some(moment.offset());
        let year = moment.year();
        if year < 1980 {
            return Self { date: 0x21, time: 0, centiseconds: 0, offset };
        }
        if year > 2107 {
            return Self { date: 0xff9f, time: 0xbf7d, centiseconds: 199, offset };
        }
        let years = u16::try_from(year.saturating_sub(1980)).unwrap_or(0);
        let second = moment.second();
        let odd = if second.is_multiple_of(2) { 0 } else { 100 };
        let hundredths = u8::try_from(moment.millisecond() / 10).unwrap_or(0);
        Self {
            date: years << 9 | u16::from(u8::from(moment.month())) << 5 | u16::from(moment.day()),
            time: u16::from(moment.hour()) << 11 | u16::from(moment.minute()) << 5 | u16::from(second / 2),
            centiseconds: hundredths.saturating_add(odd),
            offset,
        }
    }

    /// The last change of a file as it stands on a medium that is written at this moment: in the local time of the station,
    /// by the distance from UTC that is in force now, as hosts read FAT; the figures of a clock that nobody knows as they are.
    pub(crate) fn of_file(self, modified: Modified) -> Self {
        let seconds = modified.seconds.clamp(Modified::FIRST, Modified::LAST);
        let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        match (modified.clock, self.offset) {
            (Clock::Utc, Some(offset)) => Self::new(moment.checked_to_offset(offset).unwrap_or(moment)),
            (Clock::Utc, None) => Self::new(moment),
            (Clock::Local, _) => Self { offset: None, ..Self::new(moment) },
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

    /// The UtcOffset of exFAT (7.4.10): quarters of an hour, seven bits of two's complement; bit 7 says that it is known.
    pub(crate) fn utc_offset(self) -> u8 {
        let Some(offset) = self.offset else { return 0 };
        let quarters = offset.whole_minutes().checked_div(15).unwrap_or(0).clamp(-64, 63);
        let [low, _] = quarters.to_le_bytes();
        low | 0x80
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
        assert_eq!((stamp.centiseconds, stamp.utc_offset()), (137, 0x84));
        let west = Stamp::new(utc.to_offset(UtcOffset::from_hms(-3, -30, 0).unwrap()));
        assert_eq!((west.time >> 11, west.utc_offset()), (12, 0xf2));
    }

    #[test]
    fn what_the_fields_cannot_say_becomes_the_nearest() {
        assert_eq!(Stamp::new(OffsetDateTime::UNIX_EPOCH).timestamp(), 0x0021_0000);
        let late = OffsetDateTime::from_unix_timestamp(5_000_000_000).unwrap();
        assert_eq!(Stamp::new(late).timestamp(), 0xff9f_bf7d);
    }

    #[test]
    fn a_file_keeps_its_moment_and_figures_without_a_zone_stay_as_they_are() {
        let hour_east = Stamp::local(LocalTime { seconds: 1_795_535_005, offset: 3600 });
        // 2000-02-29 12:34:57.
        let of = |clock| hour_east.of_file(Modified { seconds: 951_827_697, clock });
        let (utc, local) = (of(Clock::Utc), of(Clock::Local));
        assert_eq!((utc.date, local.date), (20 << 9 | 2 << 5 | 29, 20 << 9 | 2 << 5 | 29));
        assert_eq!((utc.time, local.time), (13 << 11 | 34 << 5 | 28, 12 << 11 | 34 << 5 | 28));
        assert_eq!((utc.centiseconds, local.centiseconds), (100, 100));
        assert_eq!((utc.utc_offset(), local.utc_offset()), (0x84, 0));
        let again = local.of_file(Modified { seconds: 951_827_697, clock: Clock::Utc });
        assert_eq!((again.time, again.utc_offset()), (12 << 11 | 34 << 5 | 28, 0x80), "no zone is known here");
    }

    #[test]
    fn no_moment_is_too_far_away() {
        for offset in [-86_399, 0, 86_399] {
            let here = Stamp::local(LocalTime { seconds: 0, offset });
            for clock in [Clock::Utc, Clock::Local] {
                let of = |seconds| here.of_file(Modified { seconds, clock }).timestamp();
                for early in [i64::MIN, Modified::FIRST, -1, 0] {
                    assert_eq!(of(early), 0x0021_0000, "{early}");
                }
                for late in [5_000_000_000, Modified::LAST, i64::MAX] {
                    assert_eq!(of(late), 0xff9f_bf7d, "{late}");
                }
            }
        }
    }
}
