//! `signer.toml`: who the station is, where the passphrase comes from, and what the signer obeys. Strict: an unknown key, a
//! number without its unit or a file that others may write is an error (security rule 11).

use crate::KeysError;
use crate::certificate::{DAY, StationName};
use crate::place;
use crate::token::TokenPlace;
use blanche_tag::claims::is_base_name;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name of the file in the key folder.
pub const FILE: &str = "signer.toml";

/// Where the signer finds its passphrase, and the PIN of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum PassphrasePlace {
    /// A file of mode 0600; below the key folder unless the path is absolute.
    File(PathBuf),
    /// A credential of the service manager: the file of this name in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)). The
    /// parent opens it and hands the descriptor over.
    Credential(String),
}

/// What the signer refuses to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningPolicy {
    /// Names of bases that must have been used and whose age counts, as in a workstation's policy (docs/tag-format.md,
    /// step 15).
    #[serde(default = "daily")]
    pub fresh_bases: Vec<String>,
    /// Seconds between the date of such a base and the issue of a tag, at most.
    #[serde(with = "duration")]
    pub max_base_age: u64,
    /// Seconds between issue and expiry of a tag, at most.
    #[serde(with = "duration")]
    pub max_validity: u64,
}

/// ClamAV's base that has what is new.
fn daily() -> Vec<String> {
    vec!["daily".to_owned()]
}

impl Default for SigningPolicy {
    fn default() -> Self {
        Self { fresh_bases: daily(), max_base_age: 7 * DAY, max_validity: 30 * DAY }
    }
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// First label of the name in the certificates.
    pub station: String,
    /// Second label.
    pub site: String,
    /// The file with the highest counter; below the key folder unless the path is absolute. Its folder should hold nothing
    /// else: the signer may write there.
    pub counter: PathBuf,
    /// See [`PassphrasePlace`].
    pub passphrase: PassphrasePlace,
    /// See [`SigningPolicy`].
    pub policy: SigningPolicy,
    /// Where the classical key is, if not in `classical.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenPlace>,
}

impl Settings {
    pub(crate) fn of(name: &StationName, passphrase: PassphrasePlace, token: Option<TokenPlace>) -> Self {
        Self {
            station: name.station.to_string(),
            site: name.site.to_string(),
            counter: PathBuf::from("counter/highest"),
            passphrase,
            policy: SigningPolicy::default(),
            token,
        }
    }

    /// Reads the file in a key folder.
    ///
    /// # Errors
    /// It is missing, others may write it, or it is not of this form; with the line.
    pub fn read(folder: &Path) -> Result<Self, KeysError> {
        let path = folder.join(FILE);
        Self::parse(&place::read_text(&path)?, path)
    }

    /// The same in a folder of another user, whom the file must belong to.
    pub(crate) fn read_of(folder: &Path, owner: u32) -> Result<Self, KeysError> {
        let path = folder.join(FILE);
        Self::parse(&place::read_text_of(&path, owner)?, path)
    }

    fn parse(text: &str, path: PathBuf) -> Result<Self, KeysError> {
        let settings: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count().saturating_add(1));
            KeysError::Settings { path: path.clone(), what: format!("line {line}: {}", error.message()) }
        })?;
        settings.name().map_err(|error| KeysError::Settings { path: path.clone(), what: error.to_string() })?;
        if let Some(wrong) = settings.policy.fresh_bases.iter().find(|name| !is_base_name(name)) {
            let what = format!("policy.fresh_bases: {wrong:?} is not the name of a base without extension");
            return Err(KeysError::Settings { path, what });
        }
        if let PassphrasePlace::Credential(name) = &settings.passphrase {
            // systemd.exec(5): a name that can be a file name.
            if name.is_empty() || name.contains('/') || name.starts_with('.') {
                let what = format!("passphrase.credential: {name:?} is not the name of a credential");
                return Err(KeysError::Settings { path, what });
            }
        }
        Ok(settings)
    }

    pub(crate) fn name(&self) -> Result<StationName, KeysError> {
        StationName::new(&self.station, &self.site)
    }

    pub(crate) fn to_toml(&self) -> Result<String, KeysError> {
        toml::to_string(self).map_err(|error| KeysError::internal("signer.toml")(&error))
    }
}

/// Durations with their unit, as in docs/configuration.md: `"7 days"`, `"12 h"`.
mod duration {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    const UNITS: [(&str, u64); 6] =
        [("s", 1), ("min", 60), ("h", 3600), ("hours", 3600), ("day", 86_400), ("days", 86_400)];

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    pub(super) fn serialize<S: Serializer>(seconds: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        let text = if *seconds != 0 && seconds.is_multiple_of(86_400) {
            format!("{} days", seconds / 86_400)
        } else {
            format!("{seconds} s")
        };
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is not a time with its unit, such as \"7 days\" (s, min, h, days)"))
        })
    }

    fn parse(text: &str) -> Option<u64> {
        let text = text.trim();
        let digits = text.find(|character: char| !character.is_ascii_digit())?;
        let (number, unit) = text.split_at_checked(digits)?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        number.parse::<u64>().ok()?.checked_mul(*factor).filter(|seconds| *seconds > 0)
    }

    #[cfg(test)]
    mod tests {
        use super::parse;

        #[test]
        fn a_time_needs_its_unit() {
            assert_eq!(parse("7 days"), Some(604_800));
            assert_eq!(parse("90min"), Some(5400));
            for wrong in ["7", "days", "-1 s", "0 s", "7 weeks", "18446744073709551615 days", ""] {
                assert_eq!(parse(wrong), None, "{wrong}");
            }
        }
    }
}
