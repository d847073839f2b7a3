//! When something was last changed, as its filesystem says.

use serde::{Deserialize, Serialize};

/// A moment in the calendar, without a judgement whether it is true: a medium may say anything.
///
/// NTFS, ext, and mounted folders count in UTC. exFAT, ISO 9660 and UDF write local time with its distance from UTC, which
/// is taken off. **FAT writes local time of a zone that it does not name**, and exFAT and UDF may: then `seconds` are what
/// the clock on the wall showed, counted as if that clock had shown UTC, and [`Clock::Local`] says so. Who writes such a time
/// onto another medium writes the same figures again, because nobody knows more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modified {
    /// Seconds since 1970-01-01 00:00:00 of `clock`, leap seconds not counted, from [`Modified::FIRST`] to [`Modified::LAST`].
    pub seconds: i64,
    /// Which clock showed it.
    pub clock: Clock,
}

/// A clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
    /// Universal time.
    Utc,
    /// One on a wall, nobody knows where.
    Local,
}

impl Modified {
    /// The first second of the year 1.
    pub const FIRST: i64 = -62_135_596_800;
    /// The last second of the year 9999.
    pub const LAST: i64 = 253_402_300_799;

    /// A moment within these years; nothing beyond them.
    #[must_use]
    pub fn new(seconds: i64, clock: Clock) -> Option<Self> {
        Some(Self { seconds, clock }).filter(|moment| moment.is_possible())
    }

    /// Whether it is within these years, which whoever hears of it has to look at.
    #[must_use]
    pub fn is_possible(self) -> bool {
        (Self::FIRST..=Self::LAST).contains(&self.seconds)
    }
}
