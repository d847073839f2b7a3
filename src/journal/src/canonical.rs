//! The one form of a record: JSON as RFC 8785 canonicalises it, without fractions. Its bytes are what is hashed and kept.

use serde_json::Value;

/// Largest integer that every reader of JSON keeps (RFC 8785, appendix D; RFC 7493, 2.2).
const LARGEST: u64 = (1 << 53) - 1;

/// Objects and arrays in each other.
const DEEPEST: usize = 16;

/// The canonical text of a value.
///
/// # Errors
/// A number that is no integer from 0 to 2^53 − 1; too deep; in words.
pub(crate) fn text(value: &Value) -> Result<String, String> {
    let mut text = String::new();
    put(value, &mut text, 0)?;
    Ok(text)
}

fn put(value: &Value, text: &mut String, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err("nested too deeply".to_owned());
    }
    let inner = depth.saturating_add(1);
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => match number.as_u64() {
            Some(number) if number <= LARGEST => text.push_str(&number.to_string()),
            _ => return Err(format!("the number {number} is not from 0 to 2^53 - 1")),
        },
        Value::String(string) => put_string(string, text)?,
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                put(item, text, inner)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            let mut sorted: Vec<_> = members.iter().collect();
            // RFC 8785, 3.2.3: by UTF-16 code units.
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                put_string(name, text)?;
                text.push(':');
                put(member, text, inner)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

/// serde_json escapes exactly as ECMAScript does, which is RFC 8785, 3.2.2.2.
fn put_string(string: &str, text: &mut String) -> Result<(), String> {
    text.push_str(&serde_json::to_string(string).map_err(|error| error.to_string())?);
    Ok(())
}

/// Reads a text that must be canonical.
///
/// # Errors
/// It is not, in words.
pub(crate) fn read(given: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(given).map_err(|error| error.to_string())?;
    if text(&value)? == given { Ok(value) } else { Err("not in canonical form (RFC 8785)".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::{read, text};
    use serde_json::json;

    #[test]
    fn the_examples_of_rfc_8785_come_out_as_it_says() {
        // 3.2.2, without the numbers, which are fractions.
        let value = json!({"string": "\u{20ac}$\u{000F}\u{000a}A'\u{0042}\u{0022}\u{005c}\\\"/", "literals": [null, true, false]});
        let expected = "{\"literals\":[null,true,false],\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(text(&value).unwrap(), expected);
        // 3.2.3: sorted by UTF-16 code units, not by code points.
        let value = json!({"\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{0080}": "Control", "\u{00f6}": "Latin Small Letter O With Diaeresis"});
        let sorted = text(&value).unwrap();
        let at = |name: &str| sorted.find(name).unwrap();
        let order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"].map(at);
        assert!(order.is_sorted(), "{sorted}");
    }

    #[test]
    fn one_value_has_one_text_and_no_other_is_read() {
        for good in ["{}", "{\"a\":[1,2],\"b\":\"\\u0000\"}", "9007199254740991"] {
            assert_eq!(text(&read(good).unwrap()).unwrap(), good);
        }
        for bad in [
            "{ }",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":1}",
            "\"\\u0041\"",
            "\"\\/\"",
            "1.0",
            "1e3",
            "-1",
            "01",
            "9007199254740992",
            "{}\n",
            "\"\\u000A\"",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&"[".repeat(20_000)).is_err());
    }
}
