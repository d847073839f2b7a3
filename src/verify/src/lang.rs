//! French or English.

use clap::ValueEnum;

/// Language of the sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// French.
    #[default]
    Fr,
    /// English.
    En,
}

impl Lang {
    /// The language of the messages of the running program: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not
    /// empty (POSIX.1-2024, XBD 8.2), French when it names neither French nor English.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(value: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &&str| value(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
        if locale.split(['_', '.', '@']).next() == Some("en") { Self::En } else { Self::Fr }
    }

    /// The one of two that belongs to this language.
    pub(crate) fn of<T>(self, french: T, english: T) -> T {
        match self {
            Self::Fr => french,
            Self::En => english,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_says_something_counts() {
        let lang = |set: &[(&str, &str)]| {
            Lang::from_variables(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
        };
        assert_eq!(lang(&[("LANG", "en_GB.UTF-8")]), Lang::En);
        assert_eq!(lang(&[("LC_ALL", "fr_FR"), ("LANG", "en_GB.UTF-8")]), Lang::Fr);
        assert_eq!(lang(&[("LC_ALL", ""), ("LC_MESSAGES", "en")]), Lang::En);
        assert_eq!(lang(&[("LANG", "C.UTF-8")]), Lang::Fr);
        assert_eq!(lang(&[]), Lang::Fr);
    }
}
