//! A language that nobody speaks: every message longer than in English, in brackets, from right to left if wanted. What is not translated, what
//! is cut off, and what stands on the wrong side is seen at once.

use crate::words;
use std::fmt::Write as _;

/// A catalogue of that language (GNU gettext manual, "The Format of PO Files").
#[must_use]
pub fn catalogue(right_to_left: bool) -> String {
    let mut text = String::from("msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n");
    let mut said: Vec<&str> = Vec::new();
    for key in words::all().map(words::Message::key) {
        if said.contains(&key) {
            continue;
        }
        said.push(key);
        let translated = match key {
            "default:LTR" if right_to_left => "default:RTL".to_owned(),
            "default:LTR" | "12,345.6" => key.to_owned(),
            other => pseudo(other, right_to_left),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\nmsgid \"{}\"\nmsgstr \"{}\"\n", escaped(key), escaped(&translated));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A third longer, with other letters; what stands between braces stays.
fn pseudo(key: &str, right_to_left: bool) -> String {
    let mut text = String::from("[");
    let mut inside = false;
    for letter in key.chars() {
        inside = (inside || letter == '{') && letter != '}';
        text.push(if inside || letter == '}' { letter } else { other(letter, right_to_left) });
    }
    let more = key.chars().count().div_ceil(3);
    text.push(' ');
    // In words as long as usual ones: no language breaks its lines only at the end.
    text.extend(
        (1..=more).map(|number| if number % 7 == 0 && number < more { ' ' } else { other('o', right_to_left) }),
    );
    text.push(']');
    text
}

/// Hebrew letters have the direction; accented ones show what is not translated.
fn other(letter: char, right_to_left: bool) -> char {
    const LATIN: [char; 26] = [
        'á', 'ƀ', 'ç', 'ð', 'é', 'ƒ', 'ĝ', 'ĥ', 'í', 'ĵ', 'ķ', 'ļ', 'ɱ', 'ñ', 'ó', 'þ', 'ǫ', 'ŕ', 'š', 'ţ', 'ú', 'ṽ',
        'ŵ', 'ẋ', 'ý', 'ž',
    ];
    const HEBREW: [char; 26] = [
        'א', 'ב', 'ג', 'ד', 'ה', 'ו', 'ז', 'ח', 'ט', 'י', 'כ', 'ל', 'מ', 'נ', 'ס', 'ע', 'פ', 'צ', 'ק', 'ר', 'ש', 'ת',
        'ך', 'ם', 'ן', 'ף',
    ];
    let table = if right_to_left { HEBREW } else { LATIN };
    let place = u32::from(letter.to_ascii_lowercase()).checked_sub(u32::from('a'));
    place.and_then(|place| table.get(usize::try_from(place).ok()?)).copied().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_message_is_longer_and_in_other_letters() {
        for right_to_left in [false, true] {
            let catalog = Catalog::parse("xx", catalogue(right_to_left).as_bytes()).expect("a catalogue");
            assert_eq!(catalog.right_to_left(), right_to_left);
            for message in words::all().filter(|message| !matches!(message.key(), "default:LTR" | "12,345.6")) {
                let text = catalog.render(&message.into());
                let (before, after) = (message.key().chars().count(), text.chars().count());
                assert!(after * 10 >= before * 13, "{text}");
                let outside = text.split(['{', '}']).step_by(2).collect::<String>();
                assert!(!outside.chars().any(|letter| letter.is_ascii_alphabetic()), "{text}");
            }
        }
    }
}
