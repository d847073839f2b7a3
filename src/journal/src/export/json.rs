//! JSON lines. A reader that canonicalises `record` (RFC 8785) gets the bytes that were hashed.

use crate::reader::Row;
use blanche_tag::visible::harmless;

pub(super) fn line(row: &Row) -> String {
    format!("{{\"hash\":\"{}\",\"record\":{}}}\n", row.hash, visible_json(&row.text))
}

/// A JSON text in which characters that a terminal would obey or not show stand as `\u` escapes: the same JSON. They can be in
/// strings only, control characters below U+0020 are escaped by every writer of JSON.
#[must_use]
pub fn visible_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for character in text.chars() {
        let alone: &str = character.encode_utf8(&mut buffer);
        if character == ' ' || harmless(alone) == alone {
            shown.push(character);
        } else {
            let mut units = [0; 2];
            character.encode_utf16(&mut units).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
        }
    }
    shown
}
