//! Sizes, times, counts and dates as people read them.
//!
//! Sizes are decimal (1 Go = 1 GB = 10⁹ bytes), because that is what is printed on the medium. Configuration and
//! limits keep their exact notation ([`crate::settings::size_notation`]).

use super::Lang;
use std::time::Duration;

/// Keeps a number and its unit on one line (U+00A0).
const NO_BREAK: char = '\u{A0}';

/// "1,2 Go" or "1.2 GB": two digits at most below ten, whole numbers above; never rounded up to a full unit.
#[must_use]
pub fn size(bytes: u64, lang: Lang) -> String {
    const UNITS: [(u64, &str, &str); 4] =
        [(1_000_000_000_000, "To", "TB"), (1_000_000_000, "Go", "GB"), (1_000_000, "Mo", "MB"), (1_000, "ko", "kB")];
    let Some((factor, french, english)) = UNITS.into_iter().find(|(factor, ..)| bytes >= *factor) else {
        let unit = match (lang, bytes) {
            (Lang::Fr, 0 | 1) => "octet",
            (Lang::Fr, _) => "octets",
            (Lang::En, 1) => "byte",
            (Lang::En, _) => "bytes",
        };
        return format!("{bytes}{NO_BREAK}{unit}");
    };
    let whole = bytes / factor;
    let tenth = bytes % factor / (factor / 10);
    let unit = lang.pick(french, english);
    if whole >= 10 || tenth == 0 {
        return format!("{whole}{NO_BREAK}{unit}");
    }
    format!("{whole}{}{tenth}{NO_BREAK}{unit}", lang.pick(",", "."))
}

/// "24 Mo/s".
#[must_use]
pub fn rate(bytes_per_second: u64, lang: Lang) -> String {
    format!("{}/s", size(bytes_per_second, lang))
}

/// "moins d'une seconde", "12 s", "3 min 20 s", "2 h 05 min", "9 jours".
#[must_use]
pub fn duration(time: Duration, lang: Lang) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes, seconds) {
        (.., 0) => lang.pick("moins d'une seconde", "less than a second").to_owned(),
        (0, 0, 0, _) => format!("{seconds}{NO_BREAK}s"),
        (0, 0, _, _) if seconds.is_multiple_of(60) => format!("{minutes}{NO_BREAK}min"),
        (0, 0, _, _) => format!("{minutes}{NO_BREAK}min{NO_BREAK}{:02}{NO_BREAK}s", seconds % 60),
        (0 | 1, _, _, _) if hours < 48 => format!("{hours}{NO_BREAK}h{NO_BREAK}{:02}{NO_BREAK}min", minutes % 60),
        _ => format!("{days}{NO_BREAK}{}", lang.pick("jours", "days")),
    }
}

/// What stands between a thing and what is said of it.
#[must_use]
pub fn colon(lang: Lang) -> &'static str {
    lang.pick(" :", ":")
}

/// "12 345" or "12,345".
#[must_use]
pub fn number(value: u64, lang: Lang) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len().saturating_sub(index)).is_multiple_of(3) {
            grouped.push(lang.pick(NO_BREAK, ','));
        }
        grouped.push(digit);
    }
    grouped
}

/// "1 fichier", "12 fichiers", "0 fichier"; "0 files" in English.
#[must_use]
pub fn counted(value: u64, french: (&str, &str), english: (&str, &str), lang: Lang) -> String {
    let (one, many, singular) = match lang {
        Lang::Fr => (french.0, french.1, value <= 1),
        Lang::En => (english.0, english.1, value == 1),
    };
    format!("{}{NO_BREAK}{}", number(value, lang), if singular { one } else { many })
}

/// "3 fichiers" or "3 files".
#[must_use]
pub fn files(value: u64, lang: Lang) -> String {
    counted(value, ("fichier", "fichiers"), ("file", "files"), lang)
}

/// "20 novembre 2026" or "20 November 2026", in UTC; `None` for years that no base has.
#[must_use]
pub fn date(unix_seconds: i64, lang: Lang) -> Option<String> {
    const FRENCH: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    const ENGLISH: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let day = jiff::Timestamp::from_second(unix_seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
    let month = usize::try_from(day.month()).ok()?.checked_sub(1)?;
    let month = lang.pick(FRENCH, ENGLISH).get(month).copied()?;
    let first = lang == Lang::Fr && day.day() == 1;
    Some(format!("{}{}{NO_BREAK}{month} {}", day.day(), if first { "er" } else { "" }, day.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ordinary spaces are easier to read in a table of expectations.
    fn plain(text: &str) -> String {
        text.replace(NO_BREAK, " ")
    }

    #[test]
    fn sizes_are_decimal_and_never_rounded_up() {
        for (bytes, french, english) in [
            (0, "0 octet", "0 bytes"),
            (1, "1 octet", "1 byte"),
            (999, "999 octets", "999 bytes"),
            (1_000, "1 ko", "1 kB"),
            (1_999, "1,9 ko", "1.9 kB"),
            (999_999, "999 ko", "999 kB"),
            (1_200_000_000, "1,2 Go", "1.2 GB"),
            (15_931_539_456, "15 Go", "15 GB"),
            (2_000_398_934_016, "2 To", "2 TB"),
            (u64::MAX, "18446744 To", "18446744 TB"),
        ] {
            assert_eq!(plain(&size(bytes, Lang::Fr)), french);
            assert_eq!(plain(&size(bytes, Lang::En)), english);
        }
        assert_eq!(plain(&rate(24_500_000, Lang::Fr)), "24 Mo/s");
    }

    #[test]
    fn times_get_coarser_as_they_get_longer() {
        for (milliseconds, french, english) in [
            (0, "moins d'une seconde", "less than a second"),
            (999, "moins d'une seconde", "less than a second"),
            (12_000, "12 s", "12 s"),
            (180_000, "3 min", "3 min"),
            (200_000, "3 min 20 s", "3 min 20 s"),
            (185_000, "3 min 05 s", "3 min 05 s"),
            (7_500_000, "2 h 05 min", "2 h 05 min"),
            (100_000_000, "27 h 46 min", "27 h 46 min"),
            (777_600_000, "9 jours", "9 days"),
        ] {
            assert_eq!(plain(&duration(Duration::from_millis(milliseconds), Lang::Fr)), french);
            assert_eq!(plain(&duration(Duration::from_millis(milliseconds), Lang::En)), english);
        }
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(plain(&files(0, Lang::Fr)), "0 fichier");
        assert_eq!(plain(&files(1, Lang::Fr)), "1 fichier");
        assert_eq!(plain(&files(1_234_567, Lang::Fr)), "1 234 567 fichiers");
        assert_eq!(plain(&files(0, Lang::En)), "0 files");
        assert_eq!(plain(&files(1, Lang::En)), "1 file");
        assert_eq!(plain(&files(12_345, Lang::En)), "12,345 files");
    }

    #[test]
    fn dates_have_a_name_for_the_month() {
        assert_eq!(date(1_795_132_800, Lang::Fr).map(|date| plain(&date)).as_deref(), Some("20 novembre 2026"));
        assert_eq!(date(1_795_132_800, Lang::En).map(|date| plain(&date)).as_deref(), Some("20 November 2026"));
        assert_eq!(date(1_793_491_200, Lang::Fr).map(|date| plain(&date)).as_deref(), Some("1er novembre 2026"));
        assert_eq!(date(i64::MAX, Lang::En), None);
    }
}
