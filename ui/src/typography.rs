//! How large letters are: a capital H is seen at an angle of 0.7° at least (EN 301 549 V3.2.1, 5.1.4), at the distance that the
//! configuration declares.

/// The angle of a capital H, in degrees.
const ANGLE: f64 = 0.7;
/// Pixels in a millimetre where the screen does not say how large it is: 96 in an inch (CSS Values 4, 6.2).
const USUAL: f64 = 96.0 / 25.4;
/// A screen for people is at least so wide: what claims to be smaller does not know.
const NARROWEST: f64 = 60.0;

/// The height of a capital H in millimetres, for eyes that are `distance` millimetres away.
#[must_use]
pub fn capital(distance: f64) -> f64 {
    2.0 * distance * (ANGLE / 2.0).to_radians().tan()
}

/// Pixels in a millimetre on a screen of `pixels` and `millimetres` in width.
#[must_use]
pub fn density(pixels: f64, millimetres: f64) -> f64 {
    if pixels > 0.0 && millimetres >= NARROWEST { pixels / millimetres } else { USUAL }
}

/// The size of letters in pixels. `ratio`: how much of its size a capital H of the font has.
#[must_use]
pub fn size(distance: f64, density: f64, ratio: f64, percent: u16) -> f64 {
    // A font that draws no H, or draws it larger than the size, is measured wrongly.
    let ratio = if (0.4..=1.0).contains(&ratio) { ratio } else { 0.7 };
    (capital(distance) * density / ratio * f64::from(percent) / 100.0).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_h_has_8_6_mm_at_70_cm() {
        assert!((capital(700.0) - 8.55).abs() < 0.01, "{}", capital(700.0));
        let pixels = size(700.0, density(1280.0, 338.0), 0.729, 100);
        assert!(pixels * 0.729 / density(1280.0, 338.0) >= 8.55, "{pixels}");
        assert!((size(700.0, 3.78, 0.729, 200) / size(700.0, 3.78, 0.729, 100) - 2.0).abs() < 0.05);
    }

    #[test]
    fn a_screen_that_does_not_know_its_size_has_the_usual_one() {
        assert!((density(1280.0, 0.0) - USUAL).abs() < 1e-9);
        assert!((density(0.0, 300.0) - USUAL).abs() < 1e-9);
        assert!((density(1920.0, 480.0) - 4.0).abs() < 1e-9);
        assert!((size(700.0, 4.0, 0.0, 100) - size(700.0, 4.0, 0.7, 100)).abs() < 1e-9);
    }
}
