//! Parts of mails in base 64 (RFC 2045, RFC 2046): how many bytes come out of each, to be compared with what libclamav
//! unpacked. It leaves out parts of several kinds in silence: the second one of `multipart/signed`, all of
//! `multipart/plain`, text that is neither inline nor attached.

use std::collections::HashMap;

/// Bytes of a header that are kept.
const MAX_HEADER: usize = 64 << 10;
/// Types of signatures, which `multipart/signed` holds beside what is signed (RFC 1847), and how each of them begins in
/// base 64: with a sequence of ASN.1.
const SIGNATURES: [&str; 2] = ["application/pkcs7-signature", "application/x-pkcs7-signature"];
const SEQUENCE: &[u8] = b"MI";

/// The parts in base 64 of a mail, or of all mails in an mbox.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Bytes of each.
    pub(super) sizes: Vec<u64>,
    /// Bytes of each in mails within it, which are layers of their own.
    pub(super) within: Vec<u64>,
    /// What comes out of a part depends on who reads it.
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
            reader.begin(true, false);
        } else {
            reader.line(line);
        }
        blank = line.is_empty();
    }
    reader.end();
    reader.parts
}

/// What is known at a line.
#[derive(Default)]
struct Reader {
    /// And whether each belongs to a mail within the mail.
    boundaries: HashMap<Vec<u8>, bool>,
    /// The header is that of a whole mail, not of a part.
    whole: bool,
    within: bool,
    in_header: bool,
    header: Vec<u8>,
    /// The part in base 64 that goes on here.
    body: Option<Base64>,
    parts: Parts,
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
        if let Some((last, within)) = self.boundary(line) {
            self.begin(false, within);
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
        } else if self.in_header && self.header.len() < MAX_HEADER {
            // A line that begins with white space goes on with the one before.
            if !line.first().is_some_and(u8::is_ascii_whitespace) {
                self.header.push(b'\n');
            }
            self.header.extend_from_slice(line.get(..MAX_HEADER).unwrap_or(line));
        }
    }

    /// Whether a line parts two parts (`false`) or ends the last one (`true`), and whether it does within a mail in the mail.
    fn boundary(&self, line: &[u8]) -> Option<(bool, bool)> {
        let name = line.strip_prefix(b"--")?.trim_ascii_end();
        let last = name.strip_suffix(b"--").and_then(|name| self.boundaries.get(name));
        let next = || self.boundaries.get(name).map(|within| (false, *within));
        last.map(|within| (true, *within)).or_else(next)
    }

    /// The header is read: what follows it.
    fn body(&mut self) {
        let kind = self.values("content-type").next().unwrap_or_default();
        let lower = kind.to_ascii_lowercase();
        if lower.starts_with("multipart/") {
            self.boundaries.extend(boundary_of(&kind, &lower).map(|boundary| (boundary, self.within)));
            return;
        }
        // libclamav matches a mail that is one text, but need not show it as a layer.
        let text = self.whole && (lower.is_empty() || lower.starts_with("text/")) && !lower.contains("name");
        let encoded =
            self.values("content-transfer-encoding").any(|value| value.to_ascii_lowercase().contains("base64"));
        if lower.starts_with("message/") && !encoded {
            self.begin(true, true);
        } else if encoded && !text {
            let signature = SIGNATURES.iter().any(|kind| lower.starts_with(kind));
            self.body = Some(Base64 { signature, ..Base64::default() });
        }
    }

    /// The values of a field of the header.
    fn values(&self, name: &str) -> impl Iterator<Item = String> {
        self.header.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).filter_map(move |line| {
            let (field, value) = line.split_once(':')?;
            field.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// The boundary in the value of a content type; `lower` is the same in lower case.
fn boundary_of(kind: &str, lower: &str) -> Option<Vec<u8>> {
    let (at, name) = lower.match_indices("boundary").next()?;
    let value = kind.get(at.checked_add(name.len())?..)?.trim_start().strip_prefix('=')?.trim_start();
    let boundary = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ', '\t']).next()?,
    };
    (!boundary.is_empty()).then(|| boundary.trim_end().as_bytes().to_vec())
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
}
