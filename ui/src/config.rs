//! The configuration of a kiosk: /etc/blanche/kiosk.toml (docs/kiosk.md). Strict: what is misspelled is an error and not a default.

use crate::model::choices::{LETTERS, VOLUMES};
use crate::model::screen::Colours;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where it is looked for.
pub const PATH: &str = "/etc/blanche/kiosk.toml";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path}: {source}; correct --config or the rights of the file", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what docs/kiosk.md describes.
    #[error("{path}: {what}", path = path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// What, and where.
        what: String,
    },
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Languages that a person can choose, the first at the start; all when empty.
    pub languages: Vec<String>,
    /// Folder with further languages, as .po files.
    pub words: Option<PathBuf>,
    /// Name of the organisation.
    pub name: Option<String>,
    /// Its logo: SVG or PNG.
    pub logo: Option<PathBuf>,
    /// Whom to call.
    pub contact: Option<String>,
    /// Address of the console, for the square code: `https://…`.
    pub console: Option<String>,
    /// The screen and the person before it.
    pub screen: ScreenConfig,
    /// How long things stay.
    pub delays: Delays,
    /// Receipts; none without it.
    pub receipt: Option<Receipt>,
    /// The voice.
    pub voice: VoiceConfig,
}

/// See [`Config::screen`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScreenConfig {
    /// From the eyes to the screen, in millimetres.
    pub distance: u16,
    /// Width of the picture in millimetres; asked of the screen without it, and some screens lie.
    pub width: Option<u16>,
    /// Letters at the start, in percent of what the distance needs.
    pub letters: u16,
    /// Colours at the start.
    pub colours: Colours,
    /// The screen goes dark when nothing happened for so many seconds; never when 0.
    pub blank: u32,
}

impl Default for ScreenConfig {
    fn default() -> Self {
        Self { distance: 700, width: None, letters: 100, colours: Colours::Light, blank: 0 }
    }
}

/// See [`Config::delays`]. In seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Delays {
    /// The result of a medium that is gone.
    pub farewell: u32,
    /// A page that nobody touches.
    pub quiet: u32,
    /// The warning before either goes: 20 at least (EN 301 549, 11.2.2.1).
    pub warning: u32,
}

impl Default for Delays {
    fn default() -> Self {
        Self { farewell: 60, quiet: 120, warning: 20 }
    }
}

/// See [`Config::receipt`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Receipt {
    /// A printer's device, or a file that each receipt replaces.
    pub path: PathBuf,
    /// What the printer understands.
    #[serde(default)]
    pub format: ReceiptFormat,
}

/// What a printer understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptFormat {
    /// UTF-8.
    #[default]
    Text,
    /// ESC/POS, as most receipt printers do.
    EscPos,
}

/// See [`Config::voice`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct VoiceConfig {
    /// It speaks from the start.
    pub on: bool,
    /// In percent.
    pub volume: u8,
}

impl Default for VoiceConfig {
    fn default() -> Self {
        Self { on: false, volume: 70 }
    }
}

impl Config {
    /// Reads a file. The usual one may be absent: then everything is as it comes.
    ///
    /// # Errors
    /// When it cannot be read or is not what docs/kiosk.md describes.
    pub fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let place = path.unwrap_or(Path::new(PATH));
        let text = match std::fs::read_to_string(place) {
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other.map_err(|source| ConfigError::Read { path: place.to_owned(), source })?,
        };
        Self::parse(&text).map_err(|what| ConfigError::Wrong { path: place.to_owned(), what })
    }

    /// Reads its text.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_or(Ok(config), |wrong| Err(wrong.to_owned()))
    }

    /// The first value out of its bounds.
    fn check(&self) -> Option<&'static str> {
        let Delays { farewell, quiet, warning } = self.delays;
        let [softest, loudest] = VOLUMES;
        let wrong = [
            (warning < 20, "delays.warning: people need 20 seconds at least"),
            (farewell < warning.saturating_mul(2), "delays.farewell: twice delays.warning at least"),
            (quiet < warning.saturating_mul(2), "delays.quiet: twice delays.warning at least"),
            (!(200..=5000).contains(&self.screen.distance), "screen.distance: 200 to 5000 millimetres"),
            (self.screen.width.is_some_and(|width| width < 50), "screen.width: 50 millimetres at least"),
            (!LETTERS.contains(&self.screen.letters), "screen.letters: 100, 125, 150 or 200"),
            (!(softest..=loudest).contains(&self.voice.volume), "voice.volume: 10 to 100"),
        ];
        wrong.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn an_empty_file_and_no_file_are_the_same() {
        assert_eq!(Config::parse("").expect("nothing is needed"), Config::default());
        assert!(matches!(Config::read(Some(Path::new("/nonexistent/kiosk.toml"))), Err(ConfigError::Read { .. })));
    }

    #[test]
    fn what_is_misspelled_or_out_of_bounds_is_an_error() {
        for text in [
            "langages = []",
            "[screen]\ncolors = \"dark\"",
            "[screen]\ncolours = \"pink\"",
            "[screen]\nletters = 110",
            "[screen]\ndistance = 0",
            "[screen]\nwidth = 3",
            "[delays]\nwarning = 5",
            "[delays]\nfarewell = 30",
            "[delays]\nquiet = 20",
            "[voice]\nvolume = 0",
            "[receipt]\nformat = \"text\"",
        ] {
            assert!(Config::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_example_of_the_documentation_can_be_read() {
        let document = include_str!("../../docs/kiosk.md");
        let (_, example) = document.split_once("```toml\n").expect("an example");
        let (example, _) = example.split_once("```").expect("its end");
        let config = Config::parse(example).expect("a configuration");
        assert_eq!(config.languages, ["fr", "en"]);
        assert_eq!(config.receipt.map(|receipt| receipt.format), Some(ReceiptFormat::EscPos));
    }
}
