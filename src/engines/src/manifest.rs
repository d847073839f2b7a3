//! `manifest.toml` beside signature or rule files: the name, version and date of a set. A base's date is never its
//! mtime, which says when somebody copied it.

use serde::Deserialize;
use std::io;
use std::path::Path;
use time::{Date, Month};

/// Name of the file.
pub const FILE_NAME: &str = "manifest.toml";

/// What it says. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    version: String,
    date: toml::value::Datetime,
}

/// Name, version and date of one set of signatures or rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Name of the set.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Seconds since 1970-01-01 UTC; a date without a time counts as its first second.
    pub date: i64,
}

/// Why a manifest was refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read.
    #[error("{FILE_NAME}: {0}")]
    Read(#[from] io::Error),
    /// It is not TOML, a key is unknown or missing: the text names line and column.
    #[error("{FILE_NAME}: {0}")]
    Parse(#[from] toml::de::Error),
    /// A time without a date, or a date that does not exist.
    #[error("{FILE_NAME}: date = {0} is no calendar date; write date = 2026-11-22")]
    Date(String),
}

/// Reads the manifest of a folder; `None` when there is none.
///
/// # Errors
/// [`ManifestError`] when there is one that cannot be trusted.
pub fn read(folder: &Path) -> Result<Option<Manifest>, ManifestError> {
    match std::fs::read_to_string(folder.join(FILE_NAME)) {
        Ok(text) => parse(&text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads the text of a manifest.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
    let written: Written = toml::from_str(text)?;
    let refused = || ManifestError::Date(written.date.to_string());
    let date = written.date.date.ok_or_else(refused)?;
    let day = seconds_of(date).ok_or_else(refused)?;
    let time = written.date.time.map_or(0, |time| {
        i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0))
    });
    let offset = match written.date.offset {
        Some(toml::value::Offset::Custom { minutes }) => i64::from(minutes) * 60,
        Some(toml::value::Offset::Z) | None => 0,
    };
    Ok(Manifest { name: written.name, version: written.version, date: day + time - offset })
}

/// Seconds since 1970-01-01 at the beginning of a date; `None` when the date does not exist, or lies before.
fn seconds_of(date: toml::value::Date) -> Option<i64> {
    let month = Month::try_from(date.month).ok()?;
    let date = Date::from_calendar_date(date.year.into(), month, date.day).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp()).filter(|seconds| *seconds >= 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot read its own text must stop")]
    use super::*;

    #[test]
    fn a_date_becomes_seconds() {
        let read = |date: &str| parse(&format!("name = 'a'\nversion = '1'\ndate = {date}\n")).unwrap().date;
        // Values of `date -u -d … +%s`.
        assert_eq!(read("1970-01-01"), 0);
        assert_eq!(read("2024-02-29"), 1_709_164_800);
        assert_eq!(read("2026-11-22"), 1_795_305_600);
        assert_eq!(read("2026-11-22T01:00:00+01:00"), 1_795_305_600);
    }

    #[test]
    fn a_manifest_is_strict() {
        assert!(matches!(parse("name='a'\nversion='1'\ndate=2026-11-22\nextra=1\n"), Err(ManifestError::Parse(_))));
        assert!(matches!(parse("name='a'\nversion='1'\n"), Err(ManifestError::Parse(_))));
        assert!(matches!(parse("name='a'\nversion='1'\ndate=10:00:00\n"), Err(ManifestError::Date(_))));
        assert!(parse("name='a'\nversion='1'\ndate=2026-02-30\n").is_err());
    }
}
