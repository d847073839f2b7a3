//! A square code (QR, ISO/IEC 18004): black on white in every theme, with its quiet zone, and in whole pixels.

use gtk::gdk;
use gtk::glib;
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// The picture of a code, about `pixels` wide; `None` for what no code can hold.
#[must_use]
pub fn picture(text: &str, pixels: usize) -> Option<gdk::Texture> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let modules = width.checked_add(QUIET.checked_mul(2)?)?;
    let module = pixels.checked_div(modules)?.max(2);
    let side = modules.checked_mul(module)?;
    let dark = |at: usize| {
        let at = (at / module).checked_sub(QUIET).filter(|at| *at < width)?;
        Some(at)
    };
    let mut bytes = Vec::with_capacity(side.checked_mul(side)?.checked_mul(3)?);
    for y in 0..side {
        for x in 0..side {
            let is_dark = dark(x).zip(dark(y)).is_some_and(|at| code[at] == Color::Dark);
            bytes.extend([if is_dark { 0 } else { u8::MAX }; 3]);
        }
    }
    let length = i32::try_from(side).ok()?;
    let stride = side.checked_mul(3)?;
    let texture =
        gdk::MemoryTexture::new(length, length, gdk::MemoryFormat::R8g8b8, &glib::Bytes::from_owned(bytes), stride);
    Some(texture.into())
}
