//! Times of records: UTC to the millisecond, in one form of RFC 3339 that sorts as it is read.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;

/// A point in time, in milliseconds since 1970-01-01 UTC; to year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

/// How it is written: `2026-11-28T09:30:00.125Z`.
const FORM: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

impl Moment {
    /// The machine's clock.
    #[must_use]
    pub fn now() -> Self {
        Self::from_millisecond(Timestamp::now().as_millisecond())
    }

    /// Milliseconds since 1970; what lies outside years 1970 to 9999 becomes the nearest that does not.
    #[must_use]
    pub fn from_millisecond(milliseconds: i64) -> Self {
        // 9999-12-30T22:00:00Z is the last that jiff has.
        Self(milliseconds.clamp(0, Timestamp::MAX.as_millisecond()))
    }

    /// Reads the one form in which records have it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let moment = Self::from_millisecond(text.parse::<Timestamp>().ok()?.as_millisecond());
        (moment.to_string() == text).then_some(moment)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millisecond(self) -> i64 {
        self.0
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> u64 {
        u64::try_from(self.0 / 1000).unwrap_or(0)
    }

    /// That much earlier.
    #[must_use]
    pub fn before(self, age: std::time::Duration) -> Self {
        Self::from_millisecond(self.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX);
        write!(formatter, "{}", at.to_zoned(TimeZone::UTC).strftime(FORM))
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn there_is_one_form_and_it_sorts_like_time() {
        let text = "2026-11-28T09:30:00.125Z";
        assert_eq!(Moment::read(text).unwrap().to_string(), text);
        assert_eq!(Moment::from_millisecond(0).to_string(), "1970-01-01T00:00:00.000Z");
        for other in ["2026-11-28T09:30:00Z", "2026-11-28T09:30:00.1250Z", "2026-11-28T10:30:00.125+01:00", "now", ""] {
            assert_eq!(Moment::read(other), None, "{other}");
        }
        let moments = [0, 1, 999, 1000, 1_700_000_000_000, i64::MAX].map(Moment::from_millisecond);
        assert!(moments.windows(2).all(|pair| pair[0].to_string() < pair[1].to_string()));
        assert_eq!(moments.map(|moment| Moment::read(&moment.to_string()).unwrap()), moments);
    }
}
