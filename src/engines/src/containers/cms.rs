//! Cryptographic Message Syntax (RFC 5652) in BER, as S/MIME mails and `.p7m` files hold it: nobody takes out what lies in it.

use super::bytes::part;
use blanche_sandbox::wire::Container;

/// Object identifiers of types of content, all but their last byte: 1.2.840.113549.1.7 (RFC 5652) and 1.2.840.113549.1.9.16.1
/// (RFC 5083, RFC 3274, RFC 5544).
const PKCS_7: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07";
const SMIME: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01";
/// What is signed in catalogues and lists of Windows (1.3.6.1.4.1.311.10.1) and in programs (1.3.6.1.4.1.311.2.1.4): no files.
const OF_WINDOWS: [&[u8]; 2] = [b"\x2b\x06\x01\x04\x01\x82\x37\x0a\x01", b"\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04"];
/// What is signed in time stamps (RFC 3161 2.4.2), and how long it is at most.
const TIME_STAMP: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04";
const MAX_TIME_STAMP: usize = 1024;
/// Tags of a sequence and of a string of octets.
const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;

/// Whether content is a message that is encrypted, or one that is signed or compressed and holds what it is about; or PKCS #12
/// (RFC 7292), which is encrypted too. By the extension also one in base 64 without a frame.
pub(super) fn recognise(content: &[u8], extension: &str) -> Option<Container> {
    kind(content).or_else(|| (extension == "p7m").then_some(Container::Cms))
}

fn kind(content: &[u8]) -> Option<Container> {
    let first = inside(content, SEQUENCE)?;
    if let Some(version) = element(first).filter(|version| version.tag == 2 && version.content == [3]) {
        let bundled = element(inside(version.behind, SEQUENCE)?)?;
        return is_of(bundled.content, PKCS_7).then_some(Container::EncryptedBlob);
    }
    let kind = element(first).filter(|kind| kind.tag == 6)?;
    let (&last, _) = kind.content.split_last()?;
    if is_of(kind.content, PKCS_7) {
        return match last {
            2 => holds_content(kind.behind).then_some(Container::Cms),
            1 | 5 => Some(Container::Cms),
            3 | 4 | 6 => Some(Container::EncryptedBlob),
            _ => None,
        };
    }
    match last {
        _ if !is_of(kind.content, SMIME) => None,
        23 => Some(Container::EncryptedBlob),
        2 | 9 | 31 => Some(Container::Cms),
        _ => None,
    }
}

/// Whether an object identifier is one of a family: one more byte.
fn is_of(identifier: &[u8], family: &[u8]) -> bool {
    identifier.len() == family.len().saturating_add(1) && identifier.starts_with(family)
}

/// Whether SignedData (RFC 5652 5.1), whose tag \[0\] begins here, holds what it signs; what is not understood does.
fn holds_content(explicit: &[u8]) -> bool {
    // Version, algorithms, content.
    let content = element(explicit).and_then(|explicit| {
        let version = element(inside(explicit.content, SEQUENCE)?)?;
        let algorithms = element(version.behind)?;
        element(inside(algorithms.behind, SEQUENCE)?)
    });
    let Some(kind) = content else { return true };
    // Content of indefinite length ends with two zeros (X.690 8.1.5).
    if matches!(part(kind.behind, 0, 2), None | Some([0, 0])) {
        return false;
    }
    let signed = element(kind.behind).map(|explicit| explicit.content).unwrap_or_default();
    let of_windows = OF_WINDOWS.contains(&kind.content) && inside(signed, SEQUENCE).is_some();
    let stamp = || inside(inside(signed, OCTETS)?, SEQUENCE).filter(|stamp| stamp.len() <= MAX_TIME_STAMP);
    let is_stamp = kind.content == TIME_STAMP && stamp().is_some_and(|stamp| stamp.starts_with(&[2, 1, 1]));
    !of_windows && !is_stamp
}

/// What is in the element of a tag at the start.
fn inside(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    element(bytes).filter(|element| element.tag == tag).map(|element| element.content)
}

/// An element in BER.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    behind: &'a [u8],
}

/// The element at the start (X.690 8.1); one of indefinite length, or that is cut, goes on to the end.
fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0x80 => (rest.len(), rest),
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let add = |length: usize, digit: &u8| length.checked_mul(256)?.checked_add(usize::from(*digit));
            (digits.iter().try_fold(0, add)?, rest)
        }
    };
    let (content, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some(Element { tag, content, behind })
}
