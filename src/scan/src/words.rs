//! Plain sentences in French and English for everything that Blanche tells a person.
//!
//! The reader is an agent who is not a computer person: each sentence says what happened and what to do next, and uses
//! no word of the trade. Every match is exhaustive: a new cause without its two sentences does not compile.
//! Names from media go through [`visible`] first.

mod amounts;
mod causes;
mod copying;
mod features;
mod formats;
mod outcome;
mod sealing;

pub use amounts::{colon, counted, date, duration, files, number, rate, size};
pub use blanche_tag::visible::{harmless, visible, visible_path};
pub use causes::cause;
pub use copying::{Consent, copy, erased, name_change, not_blank, omission, outside_profile};
pub use formats::{area, container, filesystem, role, view};
pub use outcome::{
    VerdictWords, nothing_to_check, obstacle, refusal, scan_error, severity, stage, suspicious, target_kind, verdict,
    weaker_isolation,
};
pub use sealing::{seal, write_obstacle};

use std::str::FromStr;

/// A language that Blanche speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// French, the language of the kiosk.
    #[default]
    Fr,
    /// English.
    En,
}

impl Lang {
    /// One of two, by language.
    pub fn pick<T>(self, french: T, english: T) -> T {
        match self {
            Self::Fr => french,
            Self::En => english,
        }
    }

    /// The language of the messages of the running program: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is
    /// not empty (POSIX.1-2024, XBD 8.2), French when it names neither French nor English.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// See [`Lang::from_environment`].
    fn from_variables(value: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &&str| value(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
        let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
        language.parse().unwrap_or_default()
    }
}

/// A language that Blanche does not speak.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a language of Blanche; write fr or en")]
pub struct UnknownLang(String);

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(text: &str) -> Result<Self, UnknownLang> {
        match text {
            "fr" => Ok(Self::Fr),
            "en" => Ok(Self::En),
            other => Err(UnknownLang(other.to_owned())),
        }
    }
}

/// What happened, and what to do about it: one or more whole sentences each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What happened.
    pub what: String,
    /// What to do next.
    pub next: String,
}

impl Advice {
    /// Picks one of two pairs of (what, next).
    fn new<W, N>(lang: Lang, french: (W, N), english: (W, N)) -> Self
    where
        W: Into<String>,
        N: Into<String>,
    {
        let (what, next) = lang.pick(french, english);
        Self { what: what.into(), next: next.into() }
    }
}

#[cfg(test)]
mod tests;
