//! Words for people, in French and English: times, sizes, and what a result does not say by itself.

use crate::failure::shown;
use crate::lang::Lang;
use std::path::PathBuf;
use time::OffsetDateTime;

/// Something that is true beside the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Rights of the trust folder are not looked at on this system.
    RightsNotChecked,
    /// A CRL that does not parse counts as missing.
    BadCrl(PathBuf),
    /// Replays and older lists are not recognised next time.
    NothingRemembered,
    /// `--at`.
    ClockGiven,
    /// The clock is behind what an authority stated.
    ClockBehind,
}

impl Notice {
    /// As it stands in JSON.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::RightsNotChecked => "rights_not_checked",
            Self::BadCrl(_) => "bad_crl",
            Self::NothingRemembered => "nothing_remembered",
            Self::ClockGiven => "clock_given",
            Self::ClockBehind => "clock_behind",
        }
    }

    pub(crate) fn sentence(&self, lang: Lang) -> String {
        let (fr, en) = match self {
            Self::RightsNotChecked => (
                "Les droits du dossier de confiance ne sont pas contrôlés sous ce système.",
                "The rights of the trust folder are not checked on this system.",
            ),
            Self::BadCrl(path) => {
                let path = shown(path);
                return lang.of(
                    format!("{path} n'est pas une liste de révocation lisible : elle compte comme absente."),
                    format!("{path} is not a readable CRL: it counts as missing."),
                );
            }
            Self::NothingRemembered => (
                "Rien n'est mémorisé : une étiquette ou une liste plus ancienne ne sera pas reconnue la prochaine fois.",
                "Nothing is remembered: an older tag or list will not be recognised next time.",
            ),
            Self::ClockGiven => (
                "Vérifié à la date demandée ; rien n'est mémorisé.",
                "Verified as of the time given; nothing is remembered.",
            ),
            Self::ClockBehind => (
                "L'horloge de ce poste retarde : une autorité a déjà daté un objet plus tard.",
                "The clock of this workstation is behind: an authority has stated a later time.",
            ),
        };
        lang.of(fr, en).to_owned()
    }
}

/// RFC 3339 in UTC.
pub(crate) fn time(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.map_or_else(
        || seconds.to_string(),
        |time| {
            let (year, month, day) = time.to_calendar_date();
            let (hour, minute, second) = time.to_hms();
            format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
        },
    )
}

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

/// A time as people say it, in UTC: "28 novembre 2026 à 07:31 UTC".
pub(crate) fn moment(seconds: u64, lang: Lang) -> String {
    let known = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let Some(known) = known else { return seconds.to_string() };
    let (year, month, day) = known.to_calendar_date();
    let (hour, minute, _) = known.to_hms();
    let months = lang.of(FRENCH, ENGLISH);
    let month = months.get(usize::from(u8::from(month)).saturating_sub(1)).copied().unwrap_or_default();
    let at = lang.of("à", "at");
    format!("{day} {month} {year} {at} {hour:02}:{minute:02} UTC")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A UUID in its usual form (RFC 9562, 4).
pub(crate) fn uuid(bytes: &[u8; 16]) -> String {
    let digits = hex(bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_the_month_by_its_name() {
        assert_eq!(moment(1_767_225_599, Lang::Fr), "31 décembre 2025 à 23:59 UTC");
        assert_eq!(moment(0, Lang::En), "1 January 1970 at 00:00 UTC");
        assert_eq!(moment(u64::MAX, Lang::En), "18446744073709551615");
    }

    #[test]
    fn times_and_identifiers_have_their_usual_form() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(time(253_402_300_799), "9999-12-31T23:59:59Z");
        assert_eq!(time(u64::MAX), "18446744073709551615");
        assert_eq!(uuid(&[0x0f; 16]), "0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f");
    }
}
