//! The ways in which the tour is made: pictures are taken and sizes are measured in the same ones.

use super::Mode;
use crate::desk::Size;

/// A language, what a person has set up, and a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// "fr" or "en".
    pub language: &'static str,
    /// What a person has set up.
    pub mode: Mode,
    /// The screen.
    pub size: Size,
}

impl Set {
    /// All of them. The language that nobody speaks is the same one whatever was spoken before.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut sets = Vec::new();
        for language in ["fr", "en"] {
            for mode in Mode::ALL.into_iter().filter(|mode| language == "fr" || *mode != Mode::Pseudo) {
                sets.extend([Size::LANDSCAPE, Size::PORTRAIT].map(|size| Self { language, mode, size }));
            }
        }
        sets
    }

    /// Name of its pictures: `fr-large-portrait`.
    #[must_use]
    pub fn name(&self) -> String {
        let language = if self.mode == Mode::Pseudo { "" } else { self.language };
        let stands = if self.size.height > self.size.width { "portrait" } else { "landscape" };
        format!("{language}-{}-{stands}", self.mode.name()).trim_start_matches('-').to_owned()
    }
}
