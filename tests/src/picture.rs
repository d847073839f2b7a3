//! What stands on a screen, as `grim` and QEMU take it: a PPM image (ppm(5)), three bytes for each pixel.

use std::collections::BTreeSet;

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Rows from the top, red, green and blue.
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Reads a binary PPM with 255 levels.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn from_ppm(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let mut word = || {
            let end = rest.iter().position(u8::is_ascii_whitespace).expect("a header");
            let (word, after) = rest.split_at(end);
            rest = &after[1..];
            String::from_utf8_lossy(word).into_owned()
        };
        assert_eq!(word(), "P6", "a binary PPM");
        let mut number = || word().parse::<usize>().expect("a number");
        let (width, height, levels) = (number(), number(), number());
        assert_eq!(levels, 255);
        let pixels: Vec<[u8; 3]> = rest.as_chunks::<3>().0.to_vec();
        assert_eq!(pixels.len(), width * height);
        Self { width, height, pixels }
    }

    /// How many colours it has: a black or empty screen has one.
    #[must_use]
    pub fn colours(&self) -> usize {
        self.pixels.iter().collect::<BTreeSet<_>>().len()
    }

    /// The share of pixels that differ from those of `other`, 0 to 1; 1 for another size.
    #[must_use]
    pub fn difference(&self, other: &Self) -> f64 {
        if (self.width, self.height) != (other.width, other.height) {
            return 1.0;
        }
        let differ = self.pixels.iter().zip(&other.pixels).filter(|(one, other)| one != other).count();
        let share = |count: usize| u32::try_from(count).map_or(f64::MAX, f64::from);
        share(differ) / share(self.pixels.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_read_and_compared() {
        let one = Picture::from_ppm(b"P6\n2 1\n255\n\x00\x00\x00\xff\x0a\x20");
        assert_eq!((one.width, one.height, one.colours()), (2, 1, 2));
        let other = Picture::from_ppm(b"P6 2 1 255 \x00\x00\x00\xff\xff\xff");
        assert!((one.difference(&other) - 0.5).abs() < 1e-9);
        assert!(one.difference(&one) < 1e-9);
    }
}
