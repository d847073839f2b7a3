//! Sizes and durations with their units, as people write them in the configuration.
//!
//! A bare number is refused: nobody should have to guess whether 64 means bytes or mebibytes.

use super::{CopyMode, LARGEST_FILE_LIMIT};
use crate::judge::SuspiciousPolicy;
use blanche_tag::claims::MAX_TEXT;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Units of size and their bytes (IEC 80000-13 and SI).
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// Units of time and their milliseconds.
const TIMES: [(&str, u64); 7] = [
    ("ms", 1),
    ("s", 1_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("hours", 3_600_000),
    ("day", 86_400_000),
    ("days", 86_400_000),
];

const SIZE_HINT: &str = "a size with its unit in quotes, such as \"64 MiB\" (B, KiB, MiB, GiB, TiB, kB, MB, GB or TB)";
const TIME_HINT: &str = "a time with its unit in quotes, such as \"120 s\" (ms, s, min, h or days)";

/// Splits "64 MiB" into 64 and the value of its unit, and multiplies.
fn measure(text: &str, units: &[(&str, u64)], hint: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let unit = unit.trim_start();
    if number.is_empty() {
        return Err(format!("\"{text}\" is not {hint}; only whole numbers are allowed"));
    }
    if unit.is_empty() {
        return Err(format!("\"{text}\" has no unit; write {hint}"));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("\"{unit}\" is not a unit; write {hint}"));
    };
    let number = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor));
    number.ok_or_else(|| format!("\"{text}\" is too large"))
}

/// Bytes in the notation of the configuration: "64 MiB", "2147483645 B".
#[must_use]
pub fn size_notation(bytes: u64) -> String {
    let exact = |(_, factor): &&(&str, u64)| bytes != 0 && bytes.is_multiple_of(*factor);
    let binary = SIZES.get(1..5).unwrap_or_default().iter().rev().find(exact);
    binary.map_or_else(|| format!("{bytes} B"), |(unit, factor)| format!("{} {unit}", bytes / factor))
}

/// A time in the notation of the configuration: "120 s", "7 days", "1500 ms".
#[must_use]
pub fn time_notation(time: Duration) -> String {
    const DAY: u64 = 86_400;
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) if seconds > DAY && seconds.is_multiple_of(DAY) => format!("{} days", seconds / DAY),
        (seconds, 0) => format!("{seconds} s"),
        _ => format!("{} ms", time.as_millis()),
    }
}

/// Takes text or a whole number, and says plainly what was expected instead of anything else.
struct Expect<'a>(&'a str);

/// What stands in the document.
enum Written {
    Text(String),
    Number(i64),
}

impl Visitor<'_> for Expect<'_> {
    type Value = Written;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
        Ok(Written::Text(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Written, E> {
        Ok(Written::Number(number))
    }
}

/// Reads a quoted size or time.
fn measured<'de, D: Deserializer<'de>>(from: D, units: &[(&str, u64)], hint: &str) -> Result<u64, D::Error> {
    match from.deserialize_any(Expect(hint))? {
        Written::Text(text) => measure(&text, units, hint).map_err(D::Error::custom),
        Written::Number(number) => Err(D::Error::custom(format!("{number} has no unit; write {hint}"))),
    }
}

/// Reads a text in quotes.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D, hint: &str) -> Result<String, D::Error> {
    match from.deserialize_any(Expect(hint))? {
        Written::Text(text) => Ok(text),
        Written::Number(number) => Err(D::Error::custom(format!("{number} is not {hint}"))),
    }
}

/// Reads the name of a file, or "none".
pub(super) fn file_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let hint = "the name of a file, or \"none\"";
    match from.deserialize_any(Expect(hint))? {
        Written::Text(text) if text == "none" => Ok(None),
        Written::Text(text) if !text.is_empty() => Ok(Some(text.into())),
        Written::Text(_) | Written::Number(_) => Err(D::Error::custom(format!("expected {hint}"))),
    }
}

/// Reads a quoted size, or one word that stands for "no value".
fn size_or<'de, D: Deserializer<'de>>(from: D, word: &str, least: u64, most: u64) -> Result<Option<u64>, D::Error> {
    let hint = format!("\"{word}\" or {SIZE_HINT}");
    match from.deserialize_any(Expect(&hint))? {
        Written::Text(text) if text == word => Ok(None),
        Written::Text(text) => {
            let bytes = measure(&text, &SIZES, &hint).map_err(D::Error::custom)?;
            within(bytes, least, most, size_notation).map_err(D::Error::custom).map(Some)
        }
        Written::Number(number) => Err(D::Error::custom(format!("{number} has no unit; write {hint}"))),
    }
}

/// Refuses what is smaller or larger than makes sense.
fn within<N: PartialOrd + Copy>(value: N, least: N, most: N, show: impl Fn(N) -> String) -> Result<N, String> {
    if value < least || value > most {
        return Err(format!("{} is out of range; write {} to {}", show(value), show(least), show(most)));
    }
    Ok(value)
}

/// A size between `MIN` and `MAX` bytes.
pub(super) fn size<'de, D, const MIN: u64, const MAX: u64>(from: D) -> Result<u64, D::Error>
where
    D: Deserializer<'de>,
{
    let bytes = measured(from, &SIZES, SIZE_HINT)?;
    within(bytes, MIN, MAX, size_notation).map_err(D::Error::custom)
}

/// A size between `MIN` and `MAX` bytes, both below 4 GiB.
pub(super) fn short_size<'de, D, const MIN: u64, const MAX: u64>(from: D) -> Result<u32, D::Error>
where
    D: Deserializer<'de>,
{
    u32::try_from(size::<D, MIN, MAX>(from)?).map_err(D::Error::custom)
}

/// A whole number of things between `MIN` and `MAX`.
pub(super) fn count<'de, D, N, const MIN: i64, const MAX: i64>(from: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<i64>,
{
    let hint = format!("a whole number from {MIN} to {MAX}, without quotes");
    let number = match from.deserialize_any(Expect(&hint))? {
        Written::Number(number) => within(number, MIN, MAX, |number| number.to_string()).map_err(D::Error::custom)?,
        Written::Text(text) => return Err(D::Error::custom(format!("\"{text}\" is not {hint}"))),
    };
    N::try_from(number).map_err(|_| D::Error::custom(format!("{number} is too large")))
}

/// Files in one container: a whole number, or "none", which libclamav knows as 0.
pub(super) fn file_count<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let hint = "\"none\" or a whole number from 1 to 4294967295, without quotes";
    match from.deserialize_any(Expect(hint))? {
        Written::Text(text) if text == "none" => Ok(0),
        Written::Text(text) => Err(D::Error::custom(format!("\"{text}\" is not {hint}"))),
        Written::Number(number) => u32::try_from(number)
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| D::Error::custom(format!("{number} is out of range; write {hint}"))),
    }
}

/// A limit in bytes, or "none", which libclamav knows as 0.
pub(super) fn size_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Ok(size_or(from, "none", 1 << 20, 1 << 50)?.unwrap_or(0))
}

/// Like [`size_or_none`], but never a value that libclamav would silently replace by a smaller one.
pub(super) fn file_size_limit<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let bytes = size_or(from, "none", 1 << 20, 1 << 50)?.unwrap_or(0);
    if bytes > LARGEST_FILE_LIMIT {
        return Err(D::Error::custom(format!(
            "{} is out of range: libclamav would silently take {LARGEST_FILE_LIMIT} bytes instead; write \"none\", or \
             at most \"2047 MiB\"",
            size_notation(bytes)
        )));
    }
    Ok(bytes)
}

/// Milliseconds that an engine may spend on one file: never without a limit.
pub(super) fn scan_time<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let time = measured(from, &TIMES, TIME_HINT)?;
    let show = |milliseconds| time_notation(Duration::from_millis(milliseconds));
    let time = within(time, 1_000, 86_400_000, show).map_err(D::Error::custom)?;
    u32::try_from(time).map_err(D::Error::custom)
}

/// Whole seconds that yara-x may spend on one layer.
pub(super) fn rules_time<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let time = measured(from, &TIMES, TIME_HINT)?;
    let show = |milliseconds| time_notation(Duration::from_millis(milliseconds));
    let time = within(time, 1_000, 3_600_000, show).map_err(D::Error::custom)?;
    if !time.is_multiple_of(1_000) {
        return Err(D::Error::custom(format!(
            "{} is not a whole number of seconds; write \"{} s\"",
            show(time),
            time / 1_000
        )));
    }
    u32::try_from(time / 1_000).map_err(D::Error::custom)
}

/// How old something may be: from an hour to ten years.
pub(super) fn age<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let time = measured(from, &TIMES, TIME_HINT)?;
    let show = |milliseconds| time_notation(Duration::from_millis(milliseconds));
    let time = within(time, 3_600_000, 3_650 * 86_400_000, show).map_err(D::Error::custom)?;
    Ok(Duration::from_millis(time))
}

/// The identifier of a policy, for which a tag has room (docs/tag-format.md, section 6).
pub(super) fn policy<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text: String = serde::Deserialize::deserialize(from)?;
    if text.len() <= MAX_TEXT {
        return Ok(text);
    }
    Err(D::Error::custom(format!("{} bytes are too long for a tag; write at most {MAX_TEXT}", text.len())))
}

/// Names of bases, which are compared without extension.
pub(super) fn base_names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let names: Vec<String> = serde::Deserialize::deserialize(from)?;
    match names.iter().find(|name| name.is_empty() || name.contains('.')) {
        Some(wrong) => {
            Err(D::Error::custom(format!("{wrong:?} is not the name of a base; write it without extension: \"daily\"")))
        }
        None => Ok(names),
    }
}

/// How long something is kept: "none" is for ever.
pub(super) fn keep_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let hint = format!("\"none\" or {TIME_HINT}");
    let time = match from.deserialize_any(Expect(&hint))? {
        Written::Text(text) if text == "none" => return Ok(None),
        Written::Text(text) => measure(&text, &TIMES, &hint).map_err(D::Error::custom)?,
        Written::Number(number) => return Err(D::Error::custom(format!("{number} has no unit; write {hint}"))),
    };
    let show = |milliseconds| time_notation(Duration::from_millis(milliseconds));
    let time = within(time, 86_400_000, 36_500 * 86_400_000, show).map_err(D::Error::custom)?;
    Ok(Some(Duration::from_millis(time)))
}

/// "auto" or a number of matchers.
pub(super) fn matcher_count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NonZeroU32>, D::Error> {
    let hint = "\"auto\" or a whole number from 1 to 256, without quotes";
    match from.deserialize_any(Expect(hint))? {
        Written::Text(text) if text == "auto" => Ok(None),
        Written::Text(text) => Err(D::Error::custom(format!("\"{text}\" is not {hint}"))),
        Written::Number(number) => u32::try_from(number)
            .ok()
            .filter(|number| *number <= 256)
            .and_then(NonZeroU32::new)
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("{number} is out of range; write {hint}"))),
    }
}

/// "auto" or a size.
pub(super) fn spool_quota<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    size_or(from, "auto", 64 << 20, 1 << 50)
}

/// "none" or a size.
pub(super) fn capacity_limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    size_or(from, "none", 1 << 20, 1 << 50)
}

/// "needs-person" or "infected".
pub(super) fn suspicious_policy<'de, D: Deserializer<'de>>(from: D) -> Result<SuspiciousPolicy, D::Error> {
    let hint = "\"needs-person\" or \"infected\"";
    match from.deserialize_any(Expect(hint))? {
        Written::Text(text) if text == "needs-person" => Ok(SuspiciousPolicy::NeedsPerson),
        Written::Text(text) if text == "infected" => Ok(SuspiciousPolicy::Infected),
        Written::Text(text) => Err(D::Error::custom(format!("\"{text}\" is not known; write {hint}"))),
        Written::Number(number) => Err(D::Error::custom(format!("{number} is not known; write {hint}"))),
    }
}

/// Of which media files may be copied.
pub(super) fn copy_mode<'de, D: Deserializer<'de>>(from: D) -> Result<CopyMode, D::Error> {
    let hint = "\"all-or-nothing\" or \"clean-files\"";
    match from.deserialize_any(Expect(hint))? {
        Written::Text(text) if text == "all-or-nothing" => Ok(CopyMode::AllOrNothing),
        Written::Text(text) if text == "clean-files" => Ok(CopyMode::CleanFiles),
        Written::Text(text) => Err(D::Error::custom(format!("\"{text}\" is not known; write {hint}"))),
        Written::Number(number) => Err(D::Error::custom(format!("{number} is not known; write {hint}"))),
    }
}
