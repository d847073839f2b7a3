//! Contrast of colours (WCAG 2.1, "relative luminance" and "contrast ratio"; EN 301 549 V3.2.1, 11.1.4.3 and 11.1.4.11).

use std::str::FromStr;

/// A colour of a screen (sRGB, IEC 61966-2-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Colour(pub [u8; 3]);

impl FromStr for Colour {
    type Err = String;

    /// `#rgb` or `#rrggbb` (CSS Color Module Level 4, 5.2).
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no colour");
        let digits = text.trim().strip_prefix('#').ok_or_else(wrong)?;
        let long: String = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => digits.to_owned(),
            _ => return Err(wrong()),
        };
        let number = u32::from_str_radix(&long, 16).map_err(|_| wrong())?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl Colour {
    /// A colour of the theme in which the kiosk begins, by its name (ui/style/light.css).
    ///
    /// # Panics
    /// When it has none of that name.
    #[must_use]
    pub fn of_the_light_theme(name: &str) -> Self {
        let sheet = include_str!("../../../ui/style/light.css");
        let begin = format!("@define-color {name} ");
        let value = sheet.lines().find_map(|line| line.strip_prefix(&begin)).expect("a colour of the theme");
        value.trim_end_matches(';').parse().expect("a colour")
    }

    /// 0 for black, 1 for white.
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = self.0.map(|level| {
            let level = f64::from(level) / 255.0;
            if level <= 0.040_45 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// 1 for equal colours, 21 for black on white.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_standard() {
        let colour = |text: &str| text.parse::<Colour>().expect("a colour");
        // Examples of "Understanding Success Criterion 1.4.3" (W3C): #777 just fails on white, #767676 just passes.
        assert!((colour("#000").contrast(colour("#ffffff")) - 21.0).abs() < 1e-9);
        assert!(colour("#777777").contrast(colour("#fff")) < 4.5);
        assert!(colour("#767676").contrast(colour("#fff")) >= 4.5);
        assert!((colour("#abc").contrast(colour("#aabbcc")) - 1.0).abs() < 1e-9);
        for wrong in ["", "red", "#12", "#12345g"] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong}");
        }
    }
}
