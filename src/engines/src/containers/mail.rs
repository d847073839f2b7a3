//! Mails, and calendars and address cards that carry files: recognised more widely than libclamav does, and what they
//! announce.

use super::signatures::{HEAD, head};
use blanche_sandbox::wire::Container;

/// Header fields that make a mail when two of them stand at the start (RFC 5322, 3.6).
const FIELDS: [&str; 10] = [
    "received:",
    "return-path:",
    "message-id:",
    "delivered-to:",
    "from:",
    "to:",
    "subject:",
    "date:",
    "x-mailer:",
    "reply-to:",
];
/// Header fields that make a mail by themselves (RFC 2045, 3).
const MIME_FIELDS: [&str; 2] = ["mime-version:", "content-type:"];
/// Extensions by which mail programs are started.
const EXTENSIONS: [&str; 6] = ["eml", "emlx", "mht", "mhtml", "mbox", "mbx"];

/// RFC 5322 headers; an mbox (RFC 4155) begins with "From ". Lines end in CR, LF or both.
pub(super) fn recognise(content: &[u8], extension: &str) -> Option<Container> {
    let text = head(content, HEAD);
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mbox = text.starts_with(b"From ") || text.starts_with(b">From ");
    let lines = text
        .split(|byte| *byte == b'\n')
        .flat_map(|line| line.strip_suffix(b"\r").unwrap_or(line).split(|byte| *byte == b'\r'));
    let mut fields = 0;
    for line in lines.skip(usize::from(mbox)).take(64) {
        let lower = String::from_utf8_lossy(line.get(..line.len().min(80)).unwrap_or_default()).to_ascii_lowercase();
        match line.first() {
            None if fields > 0 => break,
            None | Some(b' ' | b'\t') => {}
            _ if MIME_FIELDS.iter().any(|field| lower.starts_with(field)) => fields += 2,
            _ if FIELDS.iter().any(|field| lower.starts_with(field)) => fields += 1,
            _ if lower.split_once(':').is_some_and(|(name, _)| is_field_name(name)) => {}
            _ => break,
        }
    }
    match (mbox, fields) {
        (true, 1..) => Some(Container::Mbox),
        (false, 2..) => Some(Container::Eml),
        _ => EXTENSIONS.contains(&extension).then_some(Container::Eml),
    }
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether a part is announced whose content has to be decoded (RFC 2045, 6): libclamav shows it as a layer.
pub(super) fn announces_encoded_parts(content: &[u8]) -> bool {
    if is_single_text(content) {
        return false;
    }
    const FIELD: &[u8] = b"content-transfer-encoding";
    let starts = memchr::memchr2_iter(b'\n', b'\r', content).map(|at| at.saturating_add(1));
    std::iter::once(0).chain(starts).any(|at| {
        let line = head(content.get(at..).unwrap_or_default(), FIELD.len() + 100);
        let Some((name, value)) = line.split_at_checked(FIELD.len()) else { return false };
        let value = value.to_ascii_lowercase();
        name.eq_ignore_ascii_case(FIELD) && memchr::memmem::find(&value, b"base64").is_some()
    })
}

/// Whether a line of base 64 goes on behind its padding: libclamav ends it there (message.c), and some mail programs do not.
pub(super) fn goes_on_behind_padding(content: &[u8]) -> bool {
    content.split(|byte| matches!(byte, b'\n' | b'\r')).any(|line| {
        let Some(at) = memchr::memchr(b'=', line) else { return false };
        let (digits, rest) = line.split_at(at);
        let padding = rest.iter().take_while(|byte| **byte == b'=').count();
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        // Quoted-printable text has such a sign as well, but hardly behind so many digits and never in their rhythm.
        at >= 8
            && at.saturating_add(padding).is_multiple_of(4)
            && digits.iter().all(is_digit)
            && rest.get(padding).is_some_and(is_digit)
    })
}

/// Whether a mail is one text without parts or a name: libclamav decodes and matches it, but shows no layer. Only what
/// it surely takes for a mail counts: two well-known fields, and lines that end in LF.
fn is_single_text(content: &[u8]) -> bool {
    let start = head(content, HEAD).to_ascii_lowercase();
    let holds = |mark: &str| memchr::memmem::find(&start, mark.as_bytes()).is_some();
    let carriage_returns = memchr::memchr_iter(b'\r', &start);
    let lone = carriage_returns.filter_map(|at| start.get(at.saturating_add(1))).any(|next| *next != b'\n');
    let lines = start.split(|byte| *byte == b'\n');
    let text = start.starts_with(b"content-type: text/") || holds("\ncontent-type: text/");
    let known = lines.filter(|line| FIELDS.iter().any(|field| line.starts_with(field.as_bytes()))).count();
    text && !holds("multipart/") && !holds("name=") && !lone && known >= 2
}

/// iCalendar (RFC 5545, 3.8.1.1) or vCard (RFC 2426, 2.4.1; RFC 6350, 5.7) with a file in base 64, which nobody decodes.
pub(super) fn is_calendar_with_content(content: &[u8]) -> bool {
    let start = head(content, HEAD).to_ascii_lowercase();
    if !["begin:vcalendar", "begin:vcard"].iter().any(|begin| memchr::memmem::find(&start, begin.as_bytes()).is_some())
    {
        return false;
    }
    // Lines may be folded anywhere.
    let text: Vec<u8> = content.iter().filter(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_lowercase).collect();
    ["encoding=b", "encoding=\"b", ";base64"].iter().any(|mark| memchr::memmem::find(&text, mark.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODED: &str = "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\nFrom: a@b.c\nTo: d@e.f\n\nQg==\n";

    #[test]
    fn only_parts_and_files_are_promised() {
        let mail = |field: &str| announces_encoded_parts(format!("{field}\n{ENCODED}").as_bytes());
        assert!(!mail("Content-Type: text/plain; charset=utf-8"));
        assert!(mail("Content-Type: text/plain; name=a.zip"));
        assert!(mail("Content-Type: application/zip"));
        assert!(mail("Content-Type: multipart/mixed; boundary=B"));
    }

    #[test]
    fn lines_may_end_in_cr() {
        assert_eq!(recognise(b"From: a@b.c\rTo: d@e.f\r\r", ""), Some(Container::Eml));
        assert_eq!(recognise(b"From: a@b.c\r\n\r\nTo: d@e.f", ""), None);
    }
}
