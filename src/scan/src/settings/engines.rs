//! What the engines are made of and how many work side by side: bases, limits, matchers.

use super::{document, units};
use blanche_sandbox::wire::{BaseInfo, EngineLimits};
use serde::Deserialize;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Seconds by which a base may be ahead of the clock: bases are dated by whoever publishes them.
const DAY: i64 = 86_400;

/// Signature bases and rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bases {
    /// Folders with ClamAV signatures. Use [`Bases::clamav_present`].
    pub clamav: Vec<PathBuf>,
    /// Folders with YARA rules. Use [`Bases::rules_present`].
    pub rules: Vec<PathBuf>,
    /// Names of bases, without extension, that must be loaded and no older than [`Bases::max_age`] before a tag may be written.
    #[serde(deserialize_with = "units::base_names")]
    pub fresh: Vec<String>,
    /// How old a base of [`Bases::fresh`] may be.
    #[serde(deserialize_with = "units::age")]
    pub max_age: Duration,
    /// Names of bases, without extension, that must be loaded before a tag may be written.
    #[serde(deserialize_with = "units::base_names")]
    pub required: Vec<String>,
}

impl Default for Bases {
    fn default() -> Self {
        Self {
            clamav: vec!["/var/lib/clamav".into(), "/usr/share/blanche/signatures/clamav".into()],
            rules: vec!["/usr/share/blanche/signatures/rules".into()],
            fresh: vec!["daily".into()],
            max_age: Duration::from_secs(7 * 24 * 3600),
            required: vec!["daily".into(), "main".into()],
        }
    }
}

impl Bases {
    /// The ClamAV folders that exist. A folder that the file names is known to exist since [`Settings::load`](super::Settings::load).
    #[must_use]
    pub fn clamav_present(&self) -> Vec<PathBuf> {
        self.clamav.iter().filter(|folder| folder.is_dir()).cloned().collect()
    }

    /// The rule folders that exist.
    #[must_use]
    pub fn rules_present(&self) -> Vec<PathBuf> {
        self.rules.iter().filter(|folder| folder.is_dir()).cloned().collect()
    }

    /// Names in [`Bases::required`] and [`Bases::fresh`] that none of the loaded bases has, compared without extension ("daily"
    /// is there when "daily.cvd" or "daily.cld" is loaded). A base without signatures is none.
    pub fn missing<'a>(&'a self, loaded: impl Iterator<Item = &'a BaseInfo> + Clone) -> Vec<&'a str> {
        let needed = self.required.iter().chain(self.fresh.iter().filter(|name| !self.required.contains(name)));
        needed.map(String::as_str).filter(|name| !loaded.clone().any(|base| is_called(base, name))).collect()
    }

    /// Whether the age of `base` counts.
    #[must_use]
    pub fn age_counts(&self, base: &BaseInfo) -> bool {
        self.fresh.iter().any(|name| is_called(base, name))
    }

    /// Whether `base` forbids a tag: it has no date, or one that a tag cannot hold (before 1970), is from the future, or is too
    /// old and its age counts. `now`: seconds since 1970.
    #[must_use]
    pub fn is_stale(&self, base: &BaseInfo, now: i64) -> bool {
        let Some(date) = base.date.filter(|date| *date >= 0) else { return true };
        let age = now.saturating_sub(date);
        // A base from the future says that one of the two clocks is wrong, so its age is unknown.
        age < -DAY || (self.age_counts(base) && u64::try_from(age).is_ok_and(|age| age > self.max_age.as_secs()))
    }
}

/// Whether this is the name of a base without extension, up to the first full stop (docs/tag-format.md, step 15), and it has
/// anything to find.
fn is_called(base: &BaseInfo, name: &str) -> bool {
    base.signatures > 0 && base.name.split('.').next() == Some(name)
}

/// Limits of the engines for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "document::EnginesDocument")]
pub struct EngineSettings {
    /// What the engines are told, and read back from them.
    pub limits: EngineLimits,
    /// Bytes of the tmpfs that each matcher gets for libclamav's temporary files.
    pub tmpfs_bytes: u64,
}

impl Default for EngineSettings {
    fn default() -> Self {
        document::EnginesDocument::default().into()
    }
}

/// How many matchers work side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matchers {
    /// `None` = one per core ("auto"). Use [`Matchers::resolved`].
    #[serde(deserialize_with = "units::matcher_count")]
    pub count: Option<NonZeroU32>,
}

impl Matchers {
    /// The number to start: as configured, or one per core that this process may use.
    #[must_use]
    pub fn resolved(self) -> u32 {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
        self.count.map_or_else(cores, NonZeroU32::get)
    }
}
