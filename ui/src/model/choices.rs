//! What a person chose for the time of their visit.

use super::screen::Colours;

/// Sizes of letters, in percent of what is needed at the declared distance.
pub const LETTERS: [u16; 4] = [100, 125, 150, 200];

/// Loudest and softest voice, in percent.
pub const VOLUMES: [u8; 2] = [10, 100];

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The name of a language.
    pub language: String,
    /// In percent: one of [`LETTERS`].
    pub letters: u16,
    /// Colours of the screen.
    pub colours: Colours,
    /// The voice is on.
    pub voice: bool,
    /// In percent.
    pub volume: u8,
}

impl Choices {
    /// Changes the volume within its bounds.
    pub(super) fn change_volume(&mut self, by: i8) {
        let [lowest, highest] = VOLUMES;
        self.volume = self.volume.saturating_add_signed(by).clamp(lowest, highest);
    }

    /// The size behind the present one, round and round.
    pub(super) fn next_letters(&self) -> u16 {
        LETTERS.into_iter().find(|size| *size > self.letters).unwrap_or(LETTERS[0])
    }

    /// The colours behind the present ones.
    pub(super) const fn next_colours(&self) -> Colours {
        match self.colours {
            Colours::Light => Colours::Dark,
            Colours::Dark => Colours::HighContrast,
            Colours::HighContrast => Colours::Light,
        }
    }
}
