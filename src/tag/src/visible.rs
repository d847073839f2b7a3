//! Names from media, made visible.
//!
//! A name is hostile text (security rule 12): it may hold escape sequences for the terminal, turn the writing
//! direction round ("exe.txt" for "txt.exe"), or hide behind invisible characters. Everything that would be obeyed or
//! not be seen is shown as an escape; the backslash is shown as two, so that two different names never look the same.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// A name or path as text that is safe on a terminal and in a report, and from which the exact bytes can be told.
///
/// * `\\` for a backslash;
/// * `\u{202E}` for a character that is a control, a format or bidirectional control, a variation selector, a space
///   other than U+0020, private, unassigned or otherwise invisible; for spaces at the start or end of a name (between
///   slashes); for combining marks that have nothing to combine with; for a lone surrogate of WTF-8 (the WTF-8
///   encoding, simonsapin.github.io/wtf-8, section 3.5);
/// * `\xFF` for a byte that belongs to no character.
///
/// Anything else stands for itself. The result holds no control and no bidirectional character.
#[must_use]
pub fn visible(bytes: &[u8]) -> String {
    render(bytes, false)
}

/// A path from its names, from the root on, separated by "/". A slash *within* a name is escaped.
#[must_use]
pub fn visible_path<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| render(name, true)).collect();
    names.join("/")
}

/// Text that should be harmless already, for a terminal: what would be obeyed or not be seen is escaped, the backslash
/// is left alone, so that what [`visible`] made stays as it is.
#[must_use]
pub fn harmless(text: &str) -> String {
    let obeyed = |character: char| {
        is_blank(character)
            || matches!(
                character.general_category(),
                GeneralCategory::Control
                    | GeneralCategory::Format
                    | GeneralCategory::PrivateUse
                    | GeneralCategory::Unassigned
                    | GeneralCategory::LineSeparator
                    | GeneralCategory::ParagraphSeparator
            )
    };
    let show = |character| if obeyed(character) { escape(u32::from(character)) } else { String::from(character) };
    text.chars().map(show).collect()
}

/// See [`visible`].
fn render(bytes: &[u8], escape_slash: bool) -> String {
    let units = units(bytes);
    let mut shown = String::with_capacity(bytes.len());
    // Nothing stands before a mark at the start of a name, nor behind an escape: it would sit on the wrong thing.
    let mut bare = true;
    for (index, unit) in units.iter().enumerate() {
        let next_is_edge = matches!(units.get(index.saturating_add(1)), None | Some(Unit::Char('/')));
        match *unit {
            Unit::Char('/') if !escape_slash => {
                shown.push('/');
                bare = true;
            }
            Unit::Char('\\') => {
                shown.push_str("\\\\");
                bare = false;
            }
            Unit::Char(character) if shows_itself(character, bare, next_is_edge) && character != '/' => {
                shown.push(character);
                bare = false;
            }
            Unit::Char(character) => {
                shown.push_str(&escape(u32::from(character)));
                bare = true;
            }
            Unit::Surrogate(code) => {
                shown.push_str(&escape(code));
                bare = true;
            }
            Unit::Byte(byte) => {
                shown.push_str(&format!("\\x{byte:02X}"));
                bare = true;
            }
        }
    }
    shown
}

fn escape(code: u32) -> String {
    format!("\\u{{{code:X}}}")
}

/// Whether a character can be seen, obeys nobody, and stands where it has something to stand on.
fn shows_itself(character: char, bare: bool, next_is_edge: bool) -> bool {
    if character == ' ' {
        return !bare && !next_is_edge;
    }
    if is_blank(character) {
        return false;
    }
    match character.general_category() {
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::Surrogate
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned => false,
        _ => match character.general_category_group() {
            GeneralCategoryGroup::Separator => false,
            GeneralCategoryGroup::Mark => !bare,
            _ => true,
        },
    }
}

/// Characters of other categories that show nothing: Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties)
/// beyond category Cf, and the empty braille pattern.
fn is_blank(character: char) -> bool {
    matches!(
        character,
        '\u{34F}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FFA0}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// What a name is made of.
enum Unit {
    Char(char),
    /// A lone surrogate, U+D800..=U+DFFF.
    Surrogate(u32),
    Byte(u8),
}

/// Splits bytes into characters, surrogates and stray bytes.
fn units(bytes: &[u8]) -> Vec<Unit> {
    let mut units = Vec::with_capacity(bytes.len());
    // `utf8_chunks` cuts a surrogate (ED A0 80) into single bytes: they wait until the next character.
    let mut stray = Vec::new();
    for chunk in bytes.utf8_chunks() {
        if !chunk.valid().is_empty() {
            settle(&mut stray, &mut units);
            units.extend(chunk.valid().chars().map(Unit::Char));
        }
        stray.extend_from_slice(chunk.invalid());
    }
    settle(&mut stray, &mut units);
    units
}

/// Turns stray bytes into surrogates where three of them make one.
fn settle(stray: &mut Vec<u8>, units: &mut Vec<Unit>) {
    let stray = std::mem::take(stray);
    let mut rest = stray.as_slice();
    while let [first, tail @ ..] = rest {
        if let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, tail @ ..] = rest {
            units.push(Unit::Surrogate(0xD000 | (u32::from(second & 0x3F) << 6) | u32::from(third & 0x3F)));
            rest = tail;
        } else {
            units.push(Unit::Byte(*first));
            rest = tail;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

    use super::*;

    /// The exact bytes from what is shown: that this exists proves that no two names look the same.
    fn bytes_of(shown: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = shown;
        while let Some(character) = rest.chars().next() {
            rest = rest.split_at(character.len_utf8()).1;
            if character != '\\' {
                bytes.extend_from_slice(character.to_string().as_bytes());
            } else if let Some(after) = rest.strip_prefix('\\') {
                bytes.push(b'\\');
                rest = after;
            } else if let Some(after) = rest.strip_prefix('x') {
                bytes.push(u8::from_str_radix(after.split_at(2).0, 16).expect("two digits"));
                rest = after.split_at(2).1;
            } else {
                let (code, after) = rest.strip_prefix("u{").and_then(|rest| rest.split_once('}')).expect("a code");
                let code = u32::from_str_radix(code, 16).expect("digits");
                match char::from_u32(code) {
                    Some(character) => bytes.extend_from_slice(character.to_string().as_bytes()),
                    None => bytes.extend([0xED, 0x80 | (code >> 6 & 0x3F) as u8, 0x80 | (code & 0x3F) as u8]),
                }
                rest = after;
            }
        }
        bytes
    }

    /// Bidi_Control and Default_Ignorable, written out by hand rather than taken from the code under test.
    fn forbidden(character: char) -> bool {
        character.is_control()
            || matches!(character, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}'
                | '\u{E000}'..='\u{F8FF}' | '\u{3164}' | '\u{A0}')
    }

    /// What a name can be made of to deceive.
    const SPECIAL: [&str; 20] = [
        "\u{202E}",
        "\u{200D}",
        "\u{FEFF}",
        "\u{E0041}",
        "\u{FE0F}",
        "\u{301}",
        "\\",
        "\\\\",
        "\\u{41}",
        "\\x41",
        " ",
        "/",
        "\u{1B}[2J",
        "\u{A0}",
        "\u{E000}",
        "é",
        "😀",
        "\u{3164}",
        "\r\n",
        "\0",
    ];

    /// Numbers below `limit`, always the same ones (SplitMix64).
    fn next(state: &mut u64, limit: u64) -> u64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// Up to eleven pieces: something special, any character, any bytes, a lone surrogate.
    fn hostile(state: &mut u64) -> Vec<u8> {
        let mut name = Vec::new();
        for _ in 0..next(state, 12) {
            match next(state, 4) {
                0 => name.extend_from_slice(SPECIAL[next(state, 20) as usize].as_bytes()),
                1 => {
                    let character = char::from_u32(next(state, 0x11_0000) as u32).unwrap_or('x');
                    name.extend_from_slice(character.to_string().as_bytes());
                }
                2 => (0..=next(state, 3)).for_each(|_| name.push(next(state, 256) as u8)),
                _ => name.extend([0xED, 0xA0 + next(state, 0x20) as u8, 0x80 + next(state, 0x40) as u8]),
            }
        }
        name
    }

    #[test]
    fn nothing_hostile_is_left_and_no_two_names_look_the_same() {
        let mut state = 1;
        for _ in 0..20_000 {
            let name = hostile(&mut state);
            let shown = visible(&name);
            assert!(!shown.contains(forbidden), "{shown:?}");
            assert_eq!(bytes_of(&shown), name, "{shown}");
            let in_path = visible_path([name.as_slice()]);
            assert!(!in_path.contains('/'));
            assert_eq!(bytes_of(&in_path), name);
        }
    }

    #[test]
    fn every_character_can_be_told_from_every_other() {
        for character in (0..=0x10FFFF).filter_map(char::from_u32) {
            let name = format!("a{character}b");
            let shown = visible(name.as_bytes());
            assert!(!shown.contains(forbidden), "{shown:?}");
            assert_eq!(bytes_of(&shown), name.as_bytes(), "{shown}");
        }
    }

    #[test]
    fn what_was_made_visible_once_stays_as_it_is() {
        let shown = visible("a\\b\u{202E}c\u{1B}".as_bytes());
        assert_eq!(harmless(&shown), shown);
        assert_eq!(harmless("a\u{202E}\u{1B}\n"), "a\\u{202E}\\u{1B}\\u{A}");
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["Rapport d'activité 2024.odt", "写真.jpg", "😀.png", "a/b c/d", "Ünïcödé e\u{301}", "שלום.txt"]
        {
            assert_eq!(visible(name.as_bytes()), name);
        }
    }

    #[test]
    fn tricks_are_shown() {
        for (name, shown) in [
            (&b"inv\xE2\x80\xAEfdp.exe"[..], "inv\\u{202E}fdp.exe"),
            (b"\x1B[31mred", "\\u{1B}[31mred"),
            (b"back\\slash", "back\\\\slash"),
            (b"\xFF\xFEname", "\\xFF\\xFEname"),
            (b"\xED\xA0\x80x", "\\u{D800}x"),
            (b"\xED\xA0", "\\xED\\xA0"),
            (b" both ", "\\u{20}both\\u{20}"),
            (b"folder / file", "folder\\u{20}/\\u{20}file"),
            (b"\xCC\x81accent", "\\u{301}accent"),
            (b"a/\xCC\x81", "a/\\u{301}"),
            (b"", ""),
        ] {
            assert_eq!(visible(name), shown);
        }
    }

    #[test]
    fn a_slash_within_a_name_does_not_look_like_a_folder() {
        assert_eq!(visible_path([&b"a"[..], b"b/c"]), "a/b\\u{2F}c");
        assert_eq!(visible_path(std::iter::empty()), "");
    }
}
