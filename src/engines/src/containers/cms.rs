//! Cryptographic Message Syntax (RFC 5652) in BER, as S/MIME mails and `.p7m` files hold it: nobody takes out what lies in it.

use super::bytes::part;
use blanche_sandbox::wire::Container;
use memchr::memmem;

/// Bytes at the start in which the type of the content stands.
const START: usize = 40;
/// Object identifiers of types of content, with tag and length, all but their last byte: 1.2.840.113549.1.7 (RFC 5652) and
/// 1.2.840.113549.1.9.16.1 (RFC 5083, RFC 3274).
const PKCS_7: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
const SMIME: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01";
/// What is signed in catalogues and lists of Windows (1.3.6.1.4.1.311.10.1), in programs (1.3.6.1.4.1.311.2.1.4), and in time stamps
/// (RFC 3161): no files.
const NO_FILES: [&[u8]; 3] = [
    b"\x2b\x06\x01\x04\x01\x82\x37\x0a\x01",
    b"\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04",
];

/// Whether content is a message that is encrypted, or one that is signed or compressed and holds what it is about; or PKCS #12
/// (RFC 7292), which is encrypted too.
pub(super) fn recognise(content: &[u8]) -> Option<Container> {
    let start = content.get(..START).unwrap_or(content);
    if start.first() != Some(&0x30) {
        return None;
    }
    let after = |prefix: &[u8]| {
        let at = memmem::find(start, prefix)?;
        let end = at.checked_add(prefix.len())?;
        Some((start.get(..at)?, *content.get(end)?, content.get(end.checked_add(1)?..)?))
    };
    if let Some((before, kind, rest)) = after(PKCS_7) {
        // PKCS #12 begins with its version, 3.
        let bundle = memmem::find(before, &[2, 1, 3]).is_some();
        return match kind {
            1 | 2 if bundle => Some(Container::EncryptedBlob),
            2 => holds_content(rest).then_some(Container::Cms),
            3 | 4 | 6 => Some(Container::EncryptedBlob),
            5 => Some(Container::Cms),
            _ => None,
        };
    }
    match after(SMIME)?.1 {
        23 => Some(Container::EncryptedBlob),
        2 | 9 => Some(Container::Cms),
        _ => None,
    }
}

/// Whether SignedData (RFC 5652 5.1), whose tag \[0\] begins here, holds what it signs; what is not understood does.
fn holds_content(explicit: &[u8]) -> bool {
    // Version, algorithms, content.
    let content = element(explicit).and_then(|explicit| {
        let version = element(element(explicit.content)?.content)?;
        let algorithms = element(version.behind)?;
        element(algorithms.behind)
    });
    let Some((kind, signed)) =
        content.and_then(|content| element(content.content)).map(|kind| (kind.content, kind.behind))
    else {
        return true;
    };
    // Content of indefinite length ends with two zeros (X.690 8.1.5).
    !matches!(part(signed, 0, 2), None | Some([0, 0])) && !NO_FILES.contains(&kind)
}

/// An element in BER, without its tag.
struct Element<'a> {
    content: &'a [u8],
    behind: &'a [u8],
}

/// The element at the start (X.690 8.1); one of indefinite length, or that is cut, goes on to the end.
fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&first, rest) = bytes.get(1..)?.split_first()?;
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
    Some(Element { content, behind })
}
