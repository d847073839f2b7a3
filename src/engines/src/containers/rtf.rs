//! RTF (Rich Text Format Specification 1.9.1): objects that libclamav does not turn back from hexadecimal digits.

use memchr::memmem;

/// Objects that are looked at: a file with more is made to keep us busy.
const MAX_OBJECTS: usize = 4096;

/// Whether an object is written in a way that readers understand and libclamav 1.4 (rtf.c) does not: it knows the word `object` only
/// with no white space behind it, `objdata` only with one space, and then digits up to the end of the group.
pub(super) fn hides_objects(content: &[u8]) -> bool {
    let behind = |word: &'static [u8]| {
        let places = memmem::find_iter(content, word);
        places.map(move |at| content.get(at.saturating_add(word.len())..).unwrap_or_default())
    };
    let bare =
        |rest: &[u8]| rest.first().is_some_and(|next| !next.is_ascii_alphabetic() && !matches!(next, b'\\' | b'{'));
    let unread = |rest: &[u8]| {
        let Some(data) = rest.strip_prefix(b" ") else { return true };
        let end = data.iter().position(|byte| !byte.is_ascii_hexdigit() && !byte.is_ascii_whitespace());
        end.is_some_and(|end| data.get(end) != Some(&b'}'))
    };
    behind(b"\\object").enumerate().any(|(number, rest)| number >= MAX_OBJECTS || bare(rest))
        || behind(b"\\objdata").enumerate().any(|(number, rest)| number >= MAX_OBJECTS || unread(rest))
}

#[cfg(test)]
mod tests {
    use super::hides_objects;

    #[test]
    fn only_the_spelling_that_is_understood_is_read() {
        let rtf =
            |object: &str, data: &str| hides_objects(format!("{{\\rtf1{{{object}\\objemb{{\\*{data}}}}}}}").as_bytes());
        assert!(!rtf("\\object", "\\objdata 0105\r\n0000"));
        assert!(rtf("\\object ", "\\objdata 01050000"));
        for data in ["\\objdata\r\n01050000", "\\objdata01050000", "\\objdata 0105\\bin4 abcd", "\\objdata 01{\\x 05}"]
        {
            assert!(rtf("\\object", data), "{data}");
        }
    }
}
