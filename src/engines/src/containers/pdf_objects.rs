//! PDF (ISO 32000-1): streams that readers of PDF find and libclamav 1.4 does not.
//!
//! Readers find objects by their offsets (7.5.4), so that anything may stand before one, and take comments and NUL for white
//! space everywhere (7.2.2, 7.2.3). libclamav looks for `N G obj`: both numbers must follow white space of C (`isspace`,
//! which NUL is none of), comments do not exist, and an object ends at the next word that says so, even in a string.

use memchr::memmem;

/// Whether a reader takes it for a PDF and libclamav 1.4 does not: it knows one that begins at the first byte, and others by a version
/// with a dot (filetypes_int.h).
pub(super) fn is_taken_for_another(content: &[u8]) -> bool {
    const MARK: &[u8] = b"%PDF-";
    let dotted = |at: usize| content.get(at.saturating_add(MARK.len() + 1)) == Some(&b'.');
    !content.starts_with(MARK) && !memmem::find_iter(content, MARK).any(dotted)
}

/// Whether some stream may be hidden. `false` for streams that libclamav finds; it says itself when it cannot decode one.
pub(super) fn hide_streams(content: &[u8]) -> bool {
    // Each dictionary is read once, whatever pretends to be the head of an object inside it.
    let mut budget = content.len().saturating_mul(2);
    memmem::find_iter(content, b"obj").any(|at| {
        let (before, behind) = content.split_at(at);
        let behind = behind.get(3..).unwrap_or_default();
        if before.ends_with(b"end") || behind.first().is_some_and(|byte| is_regular(*byte)) {
            return false;
        }
        match head(before) {
            Head::None => false,
            Head::Hidden => true,
            Head::Seen => is_misread_stream(behind, &mut budget),
        }
    })
}

/// What stands before the word `obj`.
enum Head {
    /// No head of an object.
    None,
    /// One that libclamav finds.
    Seen,
    /// One that only others find.
    Hidden,
}

fn head(before: &[u8]) -> Head {
    let (above, generation) = number_before(before);
    let (start, number) = number_before(above);
    let follows_space = |bytes: &[u8]| bytes.last().is_some_and(|byte| *byte == 0x0b || byte.is_ascii_whitespace());
    if generation == 0 {
        return if follows_comment(before) { Head::Hidden } else { Head::None };
    }
    if number == 0 {
        let signed = matches!(above.last(), Some(b'+' | b'-'));
        return if signed || follows_comment(above) { Head::Hidden } else { Head::None };
    }
    let apart = before.last().is_some_and(|byte| is_space(*byte)) && follows_space(above);
    // Longer numbers do not fit where libclamav keeps them.
    if apart && follows_space(start) && number < 10 && generation < 10 { Head::Seen } else { Head::Hidden }
}

/// What stands before a number and the white space behind it, and how many digits it has.
pub(super) fn number_before(bytes: &[u8]) -> (&[u8], usize) {
    let bytes = trim_end(bytes);
    let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    (bytes.get(..bytes.len().saturating_sub(digits)).unwrap_or_default(), digits)
}

/// Whether the line before this place ends in a comment.
fn follows_comment(bytes: &[u8]) -> bool {
    let text = trim_end(bytes);
    let space = bytes.get(text.len()..).unwrap_or_default();
    let line = || text.rsplit(|byte| is_line_end(*byte)).next().unwrap_or_default();
    space.iter().any(|byte| is_line_end(*byte)) && line().contains(&b'%')
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last.saturating_add(1));
    bytes.get(..end).unwrap_or_default()
}

/// White space (ISO 32000-1, table 1), and the vertical tabulator, which C adds.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 0x09..=0x0d | b' ')
}

pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Neither white space nor a delimiter (table 2): the word goes on.
pub(super) fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

/// Whether an object is a stream in whose dictionary libclamav loses its way: a comment, a word that ends an object or a
/// dictionary within a string, or a filter in an object of its own.
fn is_misread_stream(object: &[u8], budget: &mut usize) -> bool {
    let (mut rest, mut depth, mut odd) = (object, 0usize, false);
    let stream = loop {
        rest = rest.trim_ascii_start();
        let Some(&first) = rest.first() else { break false };
        let length = match first {
            b'%' => {
                odd = true;
                rest.iter().position(|byte| is_line_end(*byte)).unwrap_or(rest.len())
            }
            b'(' => {
                let length = string_length(rest);
                let text = rest.get(..length).unwrap_or_default();
                odd |= [&b"obj"[..], b"stream", b"<<", b">>"].iter().any(|word| memmem::find(text, word).is_some());
                length
            }
            _ if rest.starts_with(b"<<") => {
                depth = depth.saturating_add(1);
                2
            }
            _ if depth > 0 && rest.starts_with(b">>") => {
                depth = depth.saturating_sub(1);
                2
            }
            0 => 1,
            _ if depth == 0 => {
                let data = rest.strip_prefix(b"stream");
                // 7.3.8.1; what libclamav takes for the first byte is another one where anything else stands.
                odd |= data.is_some_and(|data| !data.starts_with(b"\n") && !data.starts_with(b"\r\n"));
                break data.is_some();
            }
            b'/' => {
                odd |= is_filter_elsewhere(rest);
                1
            }
            _ => 1,
        };
        let Some(left) = budget.checked_sub(length) else { return true };
        *budget = left;
        rest = rest.get(length..).unwrap_or_default();
    };
    stream && odd
}

/// Bytes of a literal string (7.3.4.2) with its parentheses.
pub(super) fn string_length(text: &[u8]) -> usize {
    let (mut depth, mut escaped) = (0usize, false);
    let ends = |byte: &u8| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    };
    text.iter().position(ends).map_or(text.len(), |last| last.saturating_add(1))
}

/// Whether this is the key of a filter that stands in another object (7.3.10).
fn is_filter_elsewhere(key: &[u8]) -> bool {
    let Some(value) = key.strip_prefix(b"/Filter") else { return false };
    let mut value = value.iter().skip_while(|byte| is_space(**byte) || **byte == b'[');
    value.next().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(head: &str, dictionary: &str) -> Vec<u8> {
        format!("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n{head}\n{dictionary}\nstream\nx\nendstream\nendobj\n")
            .into()
    }

    #[test]
    fn heads_that_only_readers_of_pdf_find_hide_streams() {
        for head in [
            "\u{0}5 0 obj",
            "Z5 0 obj",
            ">5 0 obj",
            "-5 0 obj",
            "%%EOF5 0 obj",
            "5\u{0}0 obj",
            "5 \u{0}0 obj",
            "5%c\n0 obj",
            "5 %a\r%b\n0 obj",
            "5 0%c\nobj",
            "5 0 % long comment \n obj",
            "5 0obj",
            "5 -0 obj",
            "5 +0 obj",
            "99999999999999999999 0 obj",
        ] {
            assert!(hide_streams(&with(head, "<< /Length 1 >>")), "{head:?}");
        }
        for head in
            ["5 0 obj", "5\t0\tobj", "5\n0\nobj", " 5 0  obj", "%% Original object ID: 7 0\n5 0 obj", "5 0\u{0}obj"]
        {
            assert!(!hide_streams(&with(head, "<< /Length 1 >>")), "{head:?}");
        }
    }

    #[test]
    fn dictionaries_in_which_libclamav_loses_its_way_hide_streams() {
        for dictionary in [
            "<<%>>\n/Length 1 >>",
            "%endobj\n<< /Length 1 >>",
            "<< /Length 1 >>%c",
            "<< /X (endobj) /Length 1 >>",
            "<< /X (>>stream) >>",
            "<< /Filter 4 0 R >>",
            "<< /Filter\u{0}[ 4 0 R ] >>",
            "<< /Y << /X (a\\)endobj) >> >>",
        ] {
            assert!(hide_streams(&with("5 0 obj", dictionary)), "{dictionary:?}");
        }
        for dictionary in [
            "<< /Length 1 /Filter /FlateDecode >>",
            "<</Length 1/Filter[/A85 /Fl]/Params<</CheckSum (a%\\)b)>>>>",
            "<< /Length 6 0 R /Filter\u{0}/FlateDecode >>",
            "<< /ID [<3c3c> <3e>] /X (50 %) >>",
        ] {
            assert!(!hide_streams(&with("5 0 obj", dictionary)), "{dictionary:?}");
        }
        let with_end = |end: &str| format!("%PDF-1.7\n5 0 obj\n<< /Length 1 >>\nstream{end}x\nendstream\nendobj\n");
        assert!(["\r", " \n", "\t\r\n", "\u{c}", "x"].iter().all(|end| hide_streams(with_end(end).as_bytes())));
        assert!(["\n", "\r\n"].iter().all(|end| !hide_streams(with_end(end).as_bytes())));
    }

    #[test]
    fn other_words_and_objects_without_a_stream_hide_nothing() {
        for text in
            ["an object", "(obj)", "see obj 5", "100 % obj", "7 0 obj <</S /JavaScript /JS (% endobj) >> endobj"]
        {
            assert!(!hide_streams(format!("%PDF-1.7\n{text}\n").as_bytes()), "{text:?}");
        }
    }

    /// Millions of heads, each with a dictionary that never ends.
    #[test]
    fn dictionaries_in_each_other_take_no_time() {
        let text = b"%PDF-1.7\n".iter().chain(b"1 0 obj<<\n".repeat(1 << 20).iter()).copied().collect::<Vec<u8>>();
        assert!(hide_streams(&text));
    }
}
