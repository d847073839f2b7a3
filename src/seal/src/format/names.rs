//! Names that every host shows as they are: FAT specification 1.03, "Long Names"; exFAT 7.7.3; Microsoft, "Naming Files,
//! Paths, and Namespaces".

use blanche_media::layout::upcase::Upcase;
use blanche_sandbox::wire::MAX_COPIED_NAME;

/// Devices of Windows, whatever their extension; COM and LPT with one digit come on top.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// The form under which hosts take two names for the same: simple upper case, unit by unit, as the up-case table of the
/// exFAT volumes that are written here.
#[must_use]
pub fn fold(name: &[u16]) -> Vec<u16> {
    let upcase = Upcase::fallback();
    name.iter().map(|unit| upcase.upper(*unit)).collect()
}

/// Whether a unit may stand in no name: controls and what separates paths, streams and patterns.
#[must_use]
pub fn is_forbidden(unit: u16) -> bool {
    let ascii = u8::try_from(unit).is_ok_and(|byte| byte < 0x20 || byte == 0x7f || b"\"*/:<>?\\|".contains(&byte));
    ascii || matches!(unit, 0xfffe | 0xffff)
}

/// Whether Windows takes a name for one of its devices: what stands before the first dot decides.
#[must_use]
pub fn is_device(name: &[u16]) -> bool {
    let text = String::from_utf16_lossy(name);
    let base = text.split('.').next().unwrap_or_default().trim_end_matches(' ').to_uppercase();
    let numbered = |prefix: &str| {
        base.strip_prefix(prefix).is_some_and(|digit| {
            let mut letters = digit.chars();
            matches!((letters.next(), letters.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    DEVICES.contains(&base.as_str()) || numbered("COM") || numbered("LPT")
}

/// Whether a name can be written, and is then shown by every host as it is.
#[must_use]
pub fn is_writable(name: &[u16]) -> bool {
    let edge = |unit: Option<&u16>| unit.is_none_or(|unit| *unit == u16::from(b' '));
    let stop = name.last() == Some(&u16::from(b'.'));
    (1..=MAX_COPIED_NAME).contains(&name.len())
        && !name.iter().any(|unit| is_forbidden(*unit))
        && String::from_utf16(name).is_ok()
        && !edge(name.first())
        && !edge(name.last())
        && !stop
        && !is_device(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writable(name: &str) -> bool {
        is_writable(&name.encode_utf16().collect::<Vec<_>>())
    }

    #[test]
    fn what_some_host_would_show_otherwise_is_not_writable() {
        for name in ["a", "Été 2026.txt", ".profile", "a.b.c", "CONSOLE.txt", "COM10", "日本語", &"x".repeat(255)]
        {
            assert!(writable(name), "{name}");
        }
        let long = "x".repeat(256);
        for name in [
            "",
            ".",
            "..",
            "a.",
            "a ",
            " a",
            "a/b",
            "a\\b",
            "a:b",
            "a\u{1}",
            "a\u{7f}",
            "con",
            "NUL.txt",
            "aux .c",
            "com1",
            "LPT9.x",
            "COM²",
            "conin$",
            long.as_str(),
            "a\u{ffff}",
        ] {
            assert!(!writable(name), "{name:?}");
        }
        assert!(!is_writable(&[0x61, 0xd800]), "a lone surrogate");
    }

    #[test]
    fn names_that_differ_in_case_only_are_the_same() {
        let units = |name: &str| name.encode_utf16().collect::<Vec<_>>();
        assert_eq!(fold(&units("Été")), fold(&units("éTÉ")));
        assert_ne!(fold(&units("ete")), fold(&units("été")));
    }
}
