//! Sizes, times and dates as texts. Sizes are decimal (1 GB = 10⁹ bytes), because that is what is printed on the medium.

use crate::words::{Message, Text, amounts as words};
use jiff::civil::{Date, Time};

/// "15 GB": two digits at most below ten, whole numbers above; never rounded up to a full unit.
#[must_use]
pub fn size(bytes: u64) -> Text {
    const UNITS: [(u64, Message); 4] = [
        (1_000_000_000_000, words::TERABYTES),
        (1_000_000_000, words::GIGABYTES),
        (1_000_000, words::MEGABYTES),
        (1_000, words::KILOBYTES),
    ];
    let Some((factor, unit)) = UNITS.into_iter().find(|(factor, _)| bytes >= *factor) else {
        return words::BYTES.with([("number", bytes.into())]);
    };
    let tenths = bytes / (factor / 10);
    let number =
        if tenths >= 100 || tenths.is_multiple_of(10) { Text::Number(tenths / 10) } else { Text::Tenths(tenths) };
    unit.with([("number", number)])
}

/// How long something takes, as coarse as nobody minds: never less than what is left.
#[must_use]
pub fn duration(seconds: u64) -> Text {
    let minutes = seconds.div_ceil(60);
    match seconds {
        0..10 => words::A_FEW_SECONDS.into(),
        10..50 => words::SECONDS.with([("number", (seconds.div_ceil(10) * 10).into())]),
        50..=60 => words::ONE_MINUTE.into(),
        61..=3_300 => words::MINUTES.with([("number", minutes.into())]),
        3_301..=3_900 => words::ONE_HOUR.into(),
        3_901..=86_400 => {
            let tens = minutes.div_ceil(10);
            let (hours, rest) = (tens / 6, tens % 6 * 10);
            if rest == 0 {
                return words::HOURS.with([("number", hours.into())]);
            }
            words::HOURS_MINUTES.with([("hours", hours.into()), ("minutes", Text::Digits(rest))])
        }
        _ => words::DAYS.into(),
    }
}

/// "14:10".
#[must_use]
pub fn clock(time: Time) -> Text {
    let part = |number: i8| u64::try_from(number).unwrap_or_default();
    words::CLOCK.with([("hour", part(time.hour()).into()), ("minute", Text::Digits(part(time.minute())))])
}

/// "20 November 2026".
#[must_use]
pub fn date(date: Date) -> Text {
    let month = usize::try_from(date.month()).ok().and_then(|month| MONTHS.get(month.checked_sub(1)?).copied());
    let part = |number: i16| Text::Raw(number.to_string());
    let (month, year) = (("month", month.unwrap_or(words::JANUARY).into()), ("year", part(date.year())));
    match date.day() {
        // In French an ordinal, and the only one.
        1 => words::DATE_FIRST.with([month, year]),
        day => words::DATE.with([("day", part(day.into())), month, year]),
    }
}

const MONTHS: [Message; 12] = [
    words::JANUARY,
    words::FEBRUARY,
    words::MARCH,
    words::APRIL,
    words::MAY,
    words::JUNE,
    words::JULY,
    words::AUGUST,
    words::SEPTEMBER,
    words::OCTOBER,
    words::NOVEMBER,
    words::DECEMBER,
];

/// The day of a moment in seconds since 1970, in UTC as bases and tags count; `None` for 0 and for years that no calendar has.
#[must_use]
pub fn day(unix_seconds: u64) -> Option<Date> {
    let seconds = i64::try_from(unix_seconds).ok().filter(|seconds| *seconds > 0)?;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::catalog::Catalog;

    /// Ordinary spaces are easier to read in a table of expectations.
    fn both(text: &Text) -> (String, String) {
        let plain = |catalog: &Catalog| catalog.render(text).replace('\u{A0}', " ");
        (plain(&Catalog::french()), plain(&Catalog::english()))
    }

    #[test]
    fn sizes_are_decimal_and_never_rounded_up() {
        for (bytes, french, english) in [
            (0, "0 octets", "0 bytes"),
            (999, "999 octets", "999 bytes"),
            (1_000, "1 ko", "1 kB"),
            (1_999, "1,9 ko", "1.9 kB"),
            (999_999, "999 ko", "999 kB"),
            (1_200_000_000, "1,2 Go", "1.2 GB"),
            (15_931_539_456, "15 Go", "15 GB"),
            (2_000_398_934_016, "2 To", "2 TB"),
            (u64::MAX, "18 446 744 To", "18,446,744 TB"),
        ] {
            assert_eq!(both(&size(bytes)), (french.to_owned(), english.to_owned()));
        }
    }

    #[test]
    fn a_time_is_never_shorter_than_what_is_left() {
        for (seconds, french, english) in [
            (0, "quelques secondes", "a few seconds"),
            (11, "environ 20 secondes", "about 20 seconds"),
            (55, "environ une minute", "about one minute"),
            (61, "environ 2 minutes", "about 2 minutes"),
            (240, "environ 4 minutes", "about 4 minutes"),
            (3_600, "environ une heure", "about one hour"),
            (7_200, "environ 2 heures", "about 2 hours"),
            (7_500, "environ 2 h 10 min", "about 2 h 10 min"),
            (9_000, "environ 2 h 30 min", "about 2 h 30 min"),
            (u64::MAX, "plus d’un jour", "more than a day"),
        ] {
            assert_eq!(both(&duration(seconds)), (french.to_owned(), english.to_owned()));
        }
    }

    #[test]
    fn a_date_and_a_time_are_those_of_the_calendar_of_the_language() {
        let day = day(1_795_132_800).expect("a day");
        assert_eq!(both(&date(day)), ("20 novembre 2026".to_owned(), "20 November 2026".to_owned()));
        let first = jiff::civil::date(2026, 12, 1);
        assert_eq!(both(&date(first)), ("1er décembre 2026".to_owned(), "1 December 2026".to_owned()));
        let time = jiff::civil::time(14, 5, 0, 0);
        assert_eq!(both(&clock(time)), ("14 h 05".to_owned(), "14:05".to_owned()));
        assert_eq!((super::day(0), super::day(u64::MAX)), (None, None));
    }
}
