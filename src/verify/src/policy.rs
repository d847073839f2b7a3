//! `policy.toml`: what a workstation demands, under the names of docs/tag-format.md, section 16.

use crate::arguments::LevelName;
use crate::failure::Failure;
use crate::rights;
use blanche_tag::claims::is_base_name;
use blanche_tag::{Level, OnMissing, Policy};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::path::Path;

/// Largest policy file.
const MAX_FILE: u64 = 1 << 20;

/// As a level is written.
pub(crate) const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Identity => "identity",
        Level::Inventory => "inventory",
        Level::Full => "full",
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Missing {
    Accept,
    Refuse,
}

impl From<Missing> for OnMissing {
    fn from(written: Missing) -> Self {
        match written {
            Missing::Accept => Self::Accept,
            Missing::Refuse => Self::Refuse,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    level: Option<LevelName>,
    sites: Option<AllOr>,
    max_tag_age: Option<Age>,
    fresh_bases: Option<BaseNames>,
    max_base_age: Option<Age>,
    min_engines: Option<u32>,
    required_engines: Option<Vec<String>>,
    accept_exceptions: Option<bool>,
    require_crl: Option<bool>,
    max_crl_age: Option<Age>,
    require_list: Option<bool>,
    max_list_age: Option<Age>,
    usb_not_available: Option<Missing>,
    capacity_not_available: Option<Missing>,
    boot_not_available: Option<Missing>,
}

/// A time with its unit, or "none" where that is possible: absent.
#[derive(Clone, Copy, Debug)]
struct Age(Option<u64>);

/// Units of time and their seconds.
const UNITS: [(&str, u64); 6] =
    [("s", 1), ("min", 60), ("h", 3_600), ("hours", 3_600), ("day", 86_400), ("days", 86_400)];
/// A hundred years: more is a mistake.
const MAX_AGE: u64 = 36_525 * 86_400;

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = |text: &str| {
            D::Error::custom(format!(
                "{text:?} is not a time with its unit, such as \"7 days\" (s, min, h, hours, day, days)"
            ))
        };
        let text = String::deserialize(from)?;
        if text == "none" {
            return Ok(Self(None));
        }
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits).unwrap_or((&text, ""));
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let seconds = number.parse::<u64>().ok().zip(unit).and_then(|(number, (_, unit))| number.checked_mul(*unit));
        seconds.filter(|seconds| *seconds <= MAX_AGE).map(|seconds| Self(Some(seconds))).ok_or_else(|| wrong(&text))
    }
}

/// A list, or the word "all": absent.
#[derive(Debug)]
struct AllOr(Option<Vec<String>>);

impl<'de> Deserialize<'de> for AllOr {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            List(Vec<String>),
        }
        match Written::deserialize(from) {
            Ok(Written::List(list)) => Ok(Self(Some(list))),
            Ok(Written::Word(word)) if word == "all" => Ok(Self(None)),
            _ => Err(D::Error::custom("expected \"all\" or a list of sites, such as [\"site-a\"]")),
        }
    }
}

/// Names of bases, which are compared without extension.
#[derive(Debug)]
struct BaseNames(Vec<String>);

impl<'de> Deserialize<'de> for BaseNames {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        match names.iter().find(|name| !is_base_name(name)) {
            Some(wrong) => Err(D::Error::custom(format!("{wrong:?} is not the name of a base without extension"))),
            None => Ok(Self(names)),
        }
    }
}

/// Reads a policy; the second value is the level that it demands, if it says one.
///
/// # Errors
/// [`Failure::Policy`] with the place, [`Failure::Rights`], [`Failure::BadFile`]
pub(crate) fn load(path: &Path) -> Result<(Policy, Option<Level>), Failure> {
    let bytes = rights::read(path, MAX_FILE)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::BadFile { path: path.to_owned(), why: "not text in UTF-8".to_owned() })?;
    parse(&text).map_err(|Mistake { line, column, message }| Failure::Policy {
        path: path.to_owned(),
        line,
        column,
        message,
    })
}

#[derive(Debug)]
struct Mistake {
    line: usize,
    column: usize,
    message: String,
}

impl Mistake {
    fn at(text: &str, start: usize, message: String) -> Self {
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
        Self { line, column, message }
    }
}

/// Where a key is set: it begins a line.
fn place(text: &str, key: &str) -> usize {
    let mut start = 0usize;
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        if rest.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return start.saturating_add(line.len().saturating_sub(rest.len()));
        }
        start = start.saturating_add(line.len());
    }
    0
}

fn parse(text: &str) -> Result<(Policy, Option<Level>), Mistake> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let message = error.message().trim().replace('\n', "; ");
        Mistake::at(text, error.span().map_or(0, |span| span.start), message)
    })?;
    let level = document.level.map(Level::from);
    let mut policy = Policy::default();
    let set = |to: &mut u64, written: Option<Age>, key: &str| match written {
        None => Ok(()),
        Some(Age(Some(seconds))) => {
            *to = seconds;
            Ok(())
        }
        Some(Age(None)) => {
            let message = format!("{key} cannot be \"none\"; write a time such as \"31 days\"");
            Err(Mistake::at(text, place(text, key), message))
        }
    };
    set(&mut policy.max_base_age, document.max_base_age, "max_base_age")?;
    set(&mut policy.max_crl_age, document.max_crl_age, "max_crl_age")?;
    set(&mut policy.max_list_age, document.max_list_age, "max_list_age")?;
    let Policy { level: default_level, min_engines, required_engines, fresh_bases, .. } = policy.clone();
    let number = |written: u32| usize::try_from(written).unwrap_or(usize::MAX);
    Ok((
        Policy {
            level: level.unwrap_or(default_level),
            sites: document.sites.and_then(|AllOr(sites)| sites),
            max_tag_age: document.max_tag_age.and_then(|Age(seconds)| seconds),
            min_engines: document.min_engines.map_or(min_engines, number),
            fresh_bases: document.fresh_bases.map_or(fresh_bases, |BaseNames(names)| names),
            required_engines: document.required_engines.unwrap_or(required_engines),
            accept_exceptions: document.accept_exceptions.unwrap_or(policy.accept_exceptions),
            require_crl: document.require_crl.unwrap_or(policy.require_crl),
            require_list: document.require_list.unwrap_or(policy.require_list),
            usb_not_available: document.usb_not_available.map_or(policy.usb_not_available, Into::into),
            capacity_not_available: document.capacity_not_available.map_or(policy.capacity_not_available, Into::into),
            boot_not_available: document.boot_not_available.map_or(policy.boot_not_available, Into::into),
            ..policy
        },
        level,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_has_the_default_of_the_specification() {
        assert_eq!(parse("").unwrap(), (Policy::default(), None));
        let same = "level = \"full\"\nsites = \"all\"\nmax_tag_age = \"none\"\nfresh_bases = [\"daily\"]\nmax_base_age = \"7 days\"\n\
                    min_engines = 1\nrequired_engines = []\naccept_exceptions = false\nrequire_crl = true\n\
                    max_crl_age = \"31 days\"\nrequire_list = false\nmax_list_age = \"31 days\"\n\
                    usb_not_available = \"accept\"\ncapacity_not_available = \"accept\"\n\
                    boot_not_available = \"accept\"\n";
        assert_eq!(parse(same).unwrap(), (Policy::default(), Some(Level::Full)));
    }

    #[test]
    fn every_name_changes_what_it_says() {
        let text = "level = \"identity\"\nsites = [\"a\"]\nmax_tag_age = \"36 h\"\nfresh_bases = [\"a\"]\nmax_base_age = \"1 day\"\n\
                    min_engines = 2\nrequired_engines = [\"clamav\"]\naccept_exceptions = true\nrequire_crl = false\n\
                    max_crl_age = \"90 min\"\nrequire_list = true\nmax_list_age = \"10 s\"\n\
                    usb_not_available = \"refuse\"\ncapacity_not_available = \"refuse\"\n\
                    boot_not_available = \"refuse\"\n";
        let expected = Policy {
            level: Level::Identity,
            sites: Some(vec!["a".into()]),
            max_tag_age: Some(36 * 3600),
            fresh_bases: vec!["a".into()],
            max_base_age: 86_400,
            min_engines: 2,
            required_engines: vec!["clamav".into()],
            accept_exceptions: true,
            require_crl: false,
            max_crl_age: 5400,
            require_list: true,
            max_list_age: 10,
            usb_not_available: OnMissing::Refuse,
            capacity_not_available: OnMissing::Refuse,
            boot_not_available: OnMissing::Refuse,
        };
        assert_eq!(parse(text).unwrap(), (expected, Some(Level::Identity)));
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (text, line, part) in [
            ("\nmax_age = \"1 day\"\n", 2, "unknown field `max_age`"),
            ("level = \"ful\"", 1, "unknown variant `ful`"),
            ("min_engines = 1\nmax_crl_age = 86400", 2, "expected a string"),
            ("max_crl_age = \"7 weeks\"", 1, "time with its unit"),
            ("max_crl_age = \"999999999999 days\"", 1, "time with its unit"),
            ("\n\nmax_list_age = \"none\"", 3, "cannot be \"none\""),
            ("# max_list_age matters\n  max_list_age = \"none\"", 2, "cannot be \"none\""),
            ("sites = \"site-a\"", 1, "\"all\" or a list"),
            ("fresh_bases = [\"daily.cvd\"]", 1, "without extension"),
            ("fresh_bases = [\"\"]", 1, "without extension"),
            ("require_crl = \"yes\"", 1, "expected a boolean"),
            ("usb_not_available = \"ignore\"", 1, "unknown variant `ignore`"),
        ] {
            let mistake = parse(text).unwrap_err();
            assert_eq!(mistake.line, line, "{text:?}: {mistake:?}");
            assert!(mistake.message.contains(part), "{text:?}: {mistake:?}");
        }
    }
}
