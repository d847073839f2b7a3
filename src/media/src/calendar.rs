//! Dates of filesystems as moments. What no calendar has becomes nothing: media may say anything, and a file without a time
//! is still a file.

use blanche_sandbox::wire::{Clock, Modified};
use time::{Date, Month};

/// Date and time of day as people write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: u16,
    /// From 1.
    pub(crate) month: u8,
    /// From 1.
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
}

impl Civil {
    /// The two numbers of 16 bits in which FAT ("Date and Time Formats" 1.03) and exFAT (7.4.8) write a moment to 2 seconds.
    pub(crate) fn of_dos(date: u16, time: u16) -> Self {
        let bits = |value: u16, shift: u32, mask: u16| {
            u8::try_from(value.checked_shr(shift).unwrap_or(0) & mask).unwrap_or(u8::MAX)
        };
        Self {
            year: (date >> 9).saturating_add(1980),
            month: bits(date, 5, 15),
            day: bits(date, 0, 31),
            hour: bits(time, 11, 31),
            minute: bits(time, 5, 63),
            second: bits(time, 0, 31).saturating_mul(2),
        }
    }

    /// On a clock of which nobody knows where it hangs.
    pub(crate) fn local(self) -> Option<Modified> {
        Modified::new(self.seconds()?, Clock::Local)
    }

    /// On a clock so many minutes ahead of UTC.
    pub(crate) fn ahead(self, minutes: i64) -> Option<Modified> {
        let seconds = self.seconds()?.checked_sub(minutes.checked_mul(60)?)?;
        Modified::new(seconds, Clock::Utc)
    }

    /// On a clock so many quarters of an hour ahead of UTC, as exFAT and ISO 9660 count.
    pub(crate) fn quarters_ahead(self, quarters: i8) -> Option<Modified> {
        self.ahead(i64::from(quarters).saturating_mul(15))
    }

    /// Seconds since 1970-01-01 00:00:00 on the same clock; nothing for the 31st of February, hour 25 and the like.
    fn seconds(self) -> Option<i64> {
        let month = Month::try_from(self.month).ok()?;
        let date = Date::from_calendar_date(self.year.into(), month, self.day).ok()?;
        let moment = date.with_hms(self.hour, self.minute, self.second).ok()?;
        // The year 0 of astronomers is in no filesystem.
        (self.year > 0).then(|| moment.assume_utc().unix_timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn civil(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Civil {
        Civil { year, month, day, hour, minute, second }
    }

    /// What `date --utc +%s` of GNU coreutils says of these dates.
    #[test]
    fn dates_are_counted_as_other_programs_count_them() {
        for (date, expected) in [
            (civil(1970, 1, 1, 0, 0, 0), 0),
            (civil(1, 1, 1, 0, 0, 0), Modified::FIRST),
            (civil(9999, 12, 31, 23, 59, 59), Modified::LAST),
            (civil(1900, 2, 28, 23, 59, 59), -2_203_891_201),
            (civil(1900, 3, 1, 0, 0, 0), -2_203_891_200),
            (civil(1969, 12, 31, 23, 59, 59), -1),
            (civil(1980, 1, 1, 0, 0, 0), 315_532_800),
            (civil(2000, 2, 29, 12, 34, 56), 951_827_696),
            (civil(2100, 3, 1, 0, 0, 0), 4_107_542_400),
            (civil(2107, 12, 31, 23, 59, 58), 4_354_819_198),
        ] {
            assert_eq!(date.seconds(), Some(expected), "{date:?}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = civil(1599, 12, 31, 0, 0, 0).seconds().unwrap();
        for year in 1600..=2400 {
            for month in 1..=12 {
                for day in 1..=Month::try_from(month).unwrap().length(i32::from(year)) {
                    expected += 86_400;
                    assert_eq!(civil(year, month, day, 0, 0, 0).seconds(), Some(expected), "{year}-{month}-{day}");
                }
            }
        }
    }

    #[test]
    fn what_no_calendar_has_is_nothing() {
        for date in [
            civil(0, 1, 1, 0, 0, 0),
            civil(10_000, 1, 1, 0, 0, 0),
            civil(u16::MAX, u8::MAX, u8::MAX, u8::MAX, u8::MAX, u8::MAX),
            civil(2026, 0, 1, 0, 0, 0),
            civil(2026, 13, 1, 0, 0, 0),
            civil(2026, 15, 31, 0, 0, 0),
            civil(2026, 1, 0, 0, 0, 0),
            civil(2026, 2, 29, 0, 0, 0),
            civil(2100, 2, 29, 0, 0, 0),
            civil(2026, 2, 31, 0, 0, 0),
            civil(2026, 4, 31, 0, 0, 0),
            civil(2026, 1, 1, 24, 0, 0),
            civil(2026, 1, 1, 0, 60, 0),
            civil(2026, 1, 1, 0, 0, 60),
        ] {
            assert_eq!(date.local(), None, "{date:?}");
            assert_eq!(date.ahead(0), None, "{date:?}");
        }
    }

    #[test]
    fn a_distance_from_utc_is_taken_off_and_cannot_lead_out_of_the_calendar() {
        let noon = civil(2026, 11, 24, 12, 0, 0);
        let utc = |seconds| Some(Modified { seconds, clock: Clock::Utc });
        assert_eq!(noon.ahead(0), utc(1_795_521_600));
        assert_eq!(noon.ahead(-210), utc(1_795_521_600 + 12_600));
        assert_eq!(noon.quarters_ahead(8), utc(1_795_521_600 - 7200));
        assert_eq!(noon.quarters_ahead(-64), utc(1_795_521_600 + 57_600));
        assert_eq!(noon.local(), Some(Modified { seconds: 1_795_521_600, clock: Clock::Local }));
        assert_eq!(civil(1, 1, 1, 0, 0, 0).quarters_ahead(1), None);
        assert_eq!(civil(9999, 12, 31, 23, 59, 59).ahead(-1), None);
        assert_eq!([i64::MIN, i64::MAX].map(|minutes| noon.ahead(minutes)), [None, None]);
    }

    #[test]
    fn any_two_numbers_of_fat_are_a_moment_or_nothing() {
        for date in 0..=u16::MAX {
            let found = Civil::of_dos(date, 0x0001).local();
            let (month, day) = (date >> 5 & 15, date & 31);
            assert!(found.is_none() || ((1..=12).contains(&month) && (1..=31).contains(&day)), "{date:#x}");
            let range = 315_532_800..=4_354_819_199;
            assert!(found.is_none_or(|found| range.contains(&found.seconds)), "{date:#x}");
        }
        for time in 0..=u16::MAX {
            let exists = time >> 11 < 24 && time >> 5 & 63 < 60 && time & 31 < 30;
            assert_eq!(Civil::of_dos(0x21, time).local().is_some(), exists, "{time:#x}");
        }
        assert_eq!(Civil::of_dos(0, 0).local(), None, "nothing was ever written there");
    }
}
