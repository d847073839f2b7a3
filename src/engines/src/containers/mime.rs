//! Parts of mails in base 64 (RFC 2045, RFC 2046): how many bytes come out of each, to be compared with what libclamav
//! unpacked. It leaves out parts of several kinds in silence: the second one of `multipart/signed`, all of
//! `multipart/plain`, text that is neither inline nor attached, all of a mail in a mail that encodes nothing.
//!
//! Programs that show mails differ in what they take for a part, too. A mail of which either is so is ambiguous.

use std::collections::HashMap;

/// Bytes of a header that are kept.
const MAX_HEADER: usize = 64 << 10;
/// Types of signatures, which `multipart/signed` holds beside what is signed (RFC 1847), and how each of them begins in
/// base 64: with a sequence of ASN.1.
const SIGNATURES: [&str; 2] = ["application/pkcs7-signature", "application/x-pkcs7-signature"];
const SEQUENCE: &[u8] = b"MI";
/// Kinds of parts in parts (RFC 2046, 5.1) of which libclamav takes one part at most, and what may stand there beside it.
const OF_ONE: [&str; 6] = ["signed", "parallel", "plain", "html", "enriched", "richtext"];
const BESIDE: [&str; 3] = ["application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"];

/// The parts in base 64 of a mail, or of all mails in an mbox.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Bytes of each.
    pub(super) sizes: Vec<u64>,
    /// Bytes of each in mails within it, which are layers of their own.
    pub(super) within: Vec<u64>,
    /// What comes out of a part depends on who reads it, or libclamav passes over one.
    pub(super) ambiguous: bool,
}

/// Reads a mail or an mbox.
pub(super) fn encoded_parts(content: &[u8]) -> Parts {
    let mbox = content.starts_with(b"From ") || content.starts_with(b">From ");
    let lines = content.split(|byte| *byte == b'\n');
    let lines = lines.flat_map(|line| line.strip_suffix(b"\r").unwrap_or(line).split(|byte| *byte == b'\r'));
    let mut reader = Reader { whole: true, in_header: true, ..Reader::default() };
    let mut blank = true;
    for line in lines {
        if mbox && blank && line.starts_with(b"From ") {
            reader.boundaries.clear();
            reader.end_message(None);
            reader.begin(true, false);
        } else {
            reader.line(line);
        }
        blank = line.is_empty();
    }
    reader.end();
    reader.end_message(None);
    reader.parts
}

/// What is known at a line.
#[derive(Default)]
struct Reader {
    boundaries: HashMap<Vec<u8>, Parent>,
    /// What the part that goes on here stands in, and how many stand there before it.
    parent: Parent,
    /// The header is that of a whole mail, not of a part.
    whole: bool,
    within: bool,
    in_header: bool,
    header: Vec<u8>,
    /// The part in base 64 that goes on here.
    body: Option<Base64>,
    /// The mail within the mail that goes on here.
    message: Option<Message>,
    parts: Parts,
}

/// A mail within a mail: libclamav looks at its parts only where a line says how something in it is encoded (mbox.c).
#[derive(Debug, Default)]
struct Message {
    encodes: bool,
    /// Than text without a name, which is matched with the whole mail.
    holds_more: bool,
}

/// What parts stand in.
#[derive(Clone, Copy, Default)]
struct Parent {
    /// It belongs to a mail within the mail.
    within: bool,
    of_one: bool,
    digest: bool,
    parts: u64,
}

impl Reader {
    fn begin(&mut self, whole: bool, within: bool) {
        self.end();
        (self.whole, self.within, self.in_header) = (whole, within, true);
        self.header.clear();
    }

    fn end(&mut self) {
        let Some(body) = self.body.take() else { return };
        self.parts.ambiguous |= body.broken || body.digits % 4 == 1;
        if body.digits > 0 && !(body.signature && body.start == SEQUENCE) {
            let sizes = if self.within { &mut self.parts.within } else { &mut self.parts.sizes };
            sizes.push(body.digits / 4 * 3 + body.digits % 4 * 6 / 8);
        }
    }

    fn line(&mut self, line: &[u8]) {
        if let Some(message) = &mut self.message {
            message.encodes |= says_an_encoding(line);
        }
        if let Some((last, parent)) = self.boundary(line) {
            // A header that a boundary ends: some readers go on with it.
            self.parts.ambiguous |= self.in_header && !self.whole && !self.header.is_empty();
            if !parent.within {
                self.end_message(None);
            }
            self.begin(false, parent.within);
            self.parent = parent;
            // What follows the last part belongs to none.
            self.in_header = !last;
        } else if let Some(body) = &mut self.body {
            body.line(line);
        } else if self.in_header && line.is_empty() {
            // Empty lines may stand before a mail.
            if !self.whole || !self.header.is_empty() {
                self.in_header = false;
                self.body();
            }
        } else if self.in_header {
            self.parts.ambiguous |= self.header.len() >= MAX_HEADER;
            // A line that begins with white space goes on with the one before.
            if !line.first().is_some_and(u8::is_ascii_whitespace) {
                self.header.push(b'\n');
                // Some readers take what is no field for the first line of the content.
                self.parts.ambiguous |= !self.whole && !line.contains(&b':');
            }
            let room = MAX_HEADER.saturating_sub(self.header.len());
            self.header.extend_from_slice(line.get(..room).unwrap_or(line));
        }
    }

    /// Whether a line parts two parts (`false`) or ends the last one (`true`), and of what.
    fn boundary(&mut self, line: &[u8]) -> Option<(bool, Parent)> {
        let name = line.strip_prefix(b"--")?.trim_ascii_end();
        let ends = name.strip_suffix(b"--").filter(|name| self.boundaries.contains_key(*name));
        let parent = self.boundaries.get_mut(ends.unwrap_or(name))?;
        parent.parts = parent.parts.saturating_add(1);
        Some((ends.is_some(), *parent))
    }

    /// The header is read: what follows it.
    fn body(&mut self) {
        let kind = self.values("content-type").next().unwrap_or_default();
        let lower = kind.to_ascii_lowercase();
        let essence = lower.split(';').next().unwrap_or_default().trim();
        self.parts.ambiguous |= self.is_passed_over(essence) || self.is_read_otherwise(essence);
        if let Some(subtype) = essence.strip_prefix("multipart/") {
            return self.holds(subtype, boundary_of(&kind, &lower));
        }
        let encoded =
            self.values("content-transfer-encoding").any(|value| value.to_ascii_lowercase().contains("base64"));
        // A part of a digest that does not say what it is (RFC 2046, 5.1.5).
        let of_digest = essence.is_empty() && self.parent.digest && !self.whole;
        if (lower.starts_with("message/") && !encoded) || of_digest {
            self.begin(true, true);
            return self.end_message(Some(Message::default()));
        }
        if let Some(message) = &mut self.message {
            message.holds_more |= !matches!(essence, "" | "text/plain") || lower.contains("name");
        }
        // libclamav matches a mail that is one text, but need not show it as a layer.
        let text = self.whole && (lower.is_empty() || lower.starts_with("text/")) && !lower.contains("name");
        if encoded && !text {
            let named =
                names_a_signature(&kind) && self.values("content-disposition").all(|field| names_a_signature(&field));
            let signature = SIGNATURES.contains(&essence) && named;
            self.body = Some(Base64 { signature, ..Base64::default() });
        }
    }

    /// Parts follow, up to this boundary.
    fn holds(&mut self, subtype: &str, boundary: Option<Vec<u8>>) {
        let (of_one, digest) = (OF_ONE.contains(&subtype), subtype == "digest");
        let parent = Parent { within: self.within, of_one, digest, parts: 0 };
        let known = boundary.map(|boundary| self.boundaries.insert(boundary, parent));
        self.parts.ambiguous |= known.is_none_or(|known| known.is_some_and(|known| known.of_one != of_one));
    }

    /// Whether libclamav passes over the part, and more stands in it than belongs there.
    fn is_passed_over(&self, essence: &str) -> bool {
        let quoted = |value: String| value.eq_ignore_ascii_case("quoted-printable");
        let beside = self.parent.of_one && self.parent.parts > 1 && !self.whole;
        let more = || !BESIDE.contains(&essence) || self.values("content-transfer-encoding").any(quoted);
        let hidden = || self.values("content-disposition").any(|value| is_neither_inline_nor_attached(&value));
        (beside && more()) || (!self.whole && essence.starts_with("text/") && hidden())
    }

    /// Whether readers may take the header for different things.
    fn is_read_otherwise(&self, essence: &str) -> bool {
        let differs = |name| {
            let mut values = self.values(name);
            values.next().is_some_and(|first| values.any(|value| value != first))
        };
        essence.contains(['(', '"'])
            || (essence.contains("multipart") && !essence.starts_with("multipart/"))
            || differs("content-type")
            || differs("content-transfer-encoding")
    }

    /// A mail in the mail is over, and perhaps another one begins.
    fn end_message(&mut self, next: Option<Message>) {
        let over = std::mem::replace(&mut self.message, next);
        self.parts.ambiguous |= over.is_some_and(|message| message.holds_more && !message.encodes);
    }

    /// The values of a field of the header.
    fn values(&self, name: &str) -> impl Iterator<Item = String> {
        self.header.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).filter_map(move |line| {
            let (field, value) = line.split_once(':')?;
            field.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// The boundary in the value of a content type; `lower` is the same in lower case. `None` where readers may find another.
fn boundary_of(kind: &str, lower: &str) -> Option<Vec<u8>> {
    let (before, name) = (lower.find("boundary")?, "boundary".len());
    let value = kind.get(before.checked_add(name)?..)?.trim_start().strip_prefix('=')?.trim_start();
    let (boundary, rest) = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => value.split_at(value.find([';', ' ', '\t']).unwrap_or(value.len())),
    };
    let plain = lower.get(..before)?.trim_end().ends_with(';')
        && !boundary.contains(['\\', '"'])
        && (value.starts_with('"') || !boundary.contains('('))
        && !boundary.is_empty()
        && !rest.to_ascii_lowercase().contains("boundary");
    plain.then(|| boundary.trim_end().as_bytes().to_vec())
}

/// Whether every name in a field is that of a signature: programs go by that, whatever the type says.
fn names_a_signature(field: &str) -> bool {
    let lower = field.to_ascii_lowercase();
    lower.split("name").skip(1).all(|rest| {
        let value = rest.trim_start_matches([' ', '=', '"']);
        value.split([' ', ';', '"']).next().is_some_and(|name| name.ends_with(".p7s"))
    })
}

/// Whether libclamav takes a line for one that says how something is encoded: 7 bits are none.
fn says_an_encoding(line: &[u8]) -> bool {
    const FIELD: &[u8] = b"content-transfer-encoding";
    let says = line.get(..FIELD.len()).is_some_and(|start| start.eq_ignore_ascii_case(FIELD));
    says && !line.to_ascii_lowercase().windows(4).any(|word| word == b"7bit")
}

/// libclamav passes over text with such a disposition.
fn is_neither_inline_nor_attached(value: &str) -> bool {
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    !matches!(kind.as_str(), "" | "inline" | "attachment")
}

/// Digits that are counted.
#[derive(Default)]
struct Base64 {
    digits: u64,
    /// The first two.
    start: Vec<u8>,
    padded: bool,
    /// Something else stands between them, or behind the padding: what comes out depends on who reads it.
    broken: bool,
    signature: bool,
}

impl Base64 {
    fn line(&mut self, line: &[u8]) {
        for byte in line.trim_ascii() {
            match byte {
                b'=' => self.padded = true,
                b'+' | b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' if !self.padded => {
                    self.digits += 1;
                    if self.start.len() < SEQUENCE.len() {
                        self.start.push(*byte);
                    }
                }
                _ => self.broken = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "From: a@b.c\r\nTo: d@e.f\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"B b\"\r\n\r\n";

    fn part(kind: &str, digits: &str) -> String {
        format!("--B b\r\nContent-Type: {kind}\r\ncontent-transfer-encoding: Base64\r\n\r\n{digits}\r\n")
    }

    fn sizes(mail: &str) -> Vec<u64> {
        let parts = encoded_parts(mail.as_bytes());
        assert!(!parts.ambiguous && parts.within.is_empty(), "{parts:?} {mail}");
        parts.sizes
    }

    #[test]
    fn each_part_in_base_64_counts() {
        let two = part("text/plain", "QUJD") + &part("image/png", "QUJD\r\nREVG\r\nRw==\r\n");
        assert_eq!(sizes(&format!("{HEAD}{two}--B b--\r\nQUJD\r\n")), [3, 7]);
        assert_eq!(sizes(&format!("{HEAD}{two}").replace('\r', "")), [3, 7]);
        let inner =
            "--B b\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Transfer-Encoding: base64\n\nQUI";
        assert_eq!(sizes(&format!("{HEAD}{}{inner}\n--C--\n{}", part("a/b", "QUJD"), part("a/b", "QQ"))), [3, 2, 1]);
    }

    #[test]
    fn parts_of_a_mail_within_a_mail_are_told_apart() {
        let mail = format!("{HEAD}--B b\nContent-Type: message/rfc822\n\n{}", HEAD.replace("B b", "C"));
        let inner = part("a/b", "QUJD").replace("B b", "C");
        let parts = encoded_parts(format!("{mail}{inner}--C--\n{}", part("a/b", "QQ")).as_bytes());
        assert_eq!((parts.sizes, parts.within), (vec![1], vec![3]));
        let quoted = "--B b\n\nContent-Transfer-Encoding: base64\n\nQUJD\n";
        assert!(sizes(&format!("{HEAD}{quoted}")).is_empty());
    }

    #[test]
    fn a_signature_does_not_count_and_what_only_says_it_is_one_does() {
        assert!(sizes(&format!("{HEAD}{}", part("application/pkcs7-signature", "MIIB"))).is_empty());
        assert_eq!(sizes(&format!("{HEAD}{}", part("application/pkcs7-signature", "UEsD"))), [3]);
    }

    #[test]
    fn each_mail_of_an_mbox_is_read() {
        let mail = "Content-Type: a/b\nContent-Transfer-Encoding: base64\n\nQUJD\n\n";
        assert_eq!(sizes(&format!("From a\n{mail}From b\n{mail}")), [3, 3]);
        assert!(sizes(&mail.replace("a/b", "text/plain")).is_empty());
    }

    #[test]
    fn base_64_that_readers_may_take_otherwise_is_told() {
        let told = |digits: &str| encoded_parts(format!("{HEAD}{}", part("a/b", digits)).as_bytes()).ambiguous;
        for digits in ["QU*JD", "QUI=REVG", "QUJDR", "QU JD"] {
            assert!(told(digits), "{digits}");
        }
    }

    fn is_ambiguous(mail: &str) -> bool {
        encoded_parts(mail.as_bytes()).ambiguous
    }

    #[test]
    fn parts_that_readers_may_find_elsewhere_are_told() {
        let of = |kind: &str| format!("From: a@b.c\nContent-Type: {kind}\n\n--BB\n\ntext\n--BB--\n");
        assert!(!is_ambiguous(&of("multipart/mixed; charset=x; boundary=\"BB\"; type=y")));
        for kind in [
            "multipart/mixed; x-boundary=foo; boundary=BB",
            "multipart/mixed; name=\"boundary=foo\"; boundary=BB",
            "multipart/mixed; protocol=\"boundary\"; boundary=BB",
            "multipart/mixed; boundary*0=\"BB\"",
            "multipart/mixed; boundary=BB(x)",
            "multipart/mixed",
            "(x) multipart/mixed; boundary=BB",
            "\"multipart/mixed\"; boundary=BB",
            "multipart/mixed; boundary=BB\nContent-Type: multipart/mixed; boundary=CC",
        ] {
            assert!(is_ambiguous(&of(kind)), "{kind}");
        }
        let long = "X-Junk: a\n".repeat(MAX_HEADER / 10);
        assert!(is_ambiguous(&format!("{long}{}", of("multipart/mixed; boundary=BB"))));
        let part = |header: &str| of("multipart/mixed; boundary=BB").replacen("--BB\n\n", header, 1);
        assert!(!is_ambiguous(&part("--BB\nContent-Type: a/b\n\n")));
        assert!(is_ambiguous(&part("--BB\nContent-Type: a/b\nPHNjcmlwdD4=\n\n")));
        assert!(is_ambiguous(&part("--BB\nContent-Type: a/b\n--BB\n\n")));
    }

    #[test]
    fn parts_that_libclamav_passes_over_are_told() {
        let two = |kind: &str, second: &str| {
            let head = format!("From: a@b.c\nContent-Type: multipart/{kind}; boundary=BB\n\n--BB\n\ntext\n");
            format!("{head}--BB\n{second}\n\nbody\n--BB--\n")
        };
        let quoted = "Content-Type: a/b\nContent-Transfer-Encoding: quoted-printable";
        assert!(!is_ambiguous(&two("mixed", quoted)));
        for kind in ["signed", "parallel"] {
            assert!(is_ambiguous(&two(kind, quoted)), "{kind}");
        }
        assert!(!is_ambiguous(&two("signed", "Content-Type: application/pgp-signature; name=signature.asc")));
        assert!(is_ambiguous(&two("mixed", "Content-Type: text/html\nContent-Disposition: foo; filename=a.hta")));
        assert!(!is_ambiguous(&two("mixed", "Content-Type: text/html\nContent-Disposition: attachment")));
    }

    #[test]
    fn a_mail_in_a_mail_that_encodes_nothing_is_told_where_it_holds_more_than_text() {
        let forwarded = |header: &str| {
            let outer = "From: a@b.c\nContent-Type: multipart/mixed; boundary=BB\n\n--BB\n";
            format!("{outer}Content-Type: message/rfc822\n\nFrom: d@e.f\n{header}\n\ntext\n--BB--\n")
        };
        assert!(!is_ambiguous(&forwarded("Content-Type: text/plain")));
        assert!(is_ambiguous(&forwarded("Content-Type: text/html")));
        assert!(is_ambiguous(&forwarded("Content-Type: text/html\nContent-Transfer-Encoding: 7bit")));
        assert!(!is_ambiguous(&forwarded("Content-Type: text/html\nContent-Transfer-Encoding: 8bit")));
        let digest = "From: a@b.c\nContent-Type: multipart/digest; boundary=BB\n\n--BB\n\nFrom: d@e.f\n";
        assert!(is_ambiguous(&format!("{digest}Content-Type: text/html\n\ntext\n--BB--\n")));
    }

    #[test]
    fn a_signature_is_named_as_one() {
        let named = |name: &str| part(&format!("application/pkcs7-signature; name={name}"), "MIIB");
        assert!(sizes(&format!("{HEAD}{}", named("smime.p7s"))).is_empty());
        assert_eq!(sizes(&format!("{HEAD}{}", named("a.hta"))), [3]);
    }
}
