//! PDF (ISO 32000-1): attached files that libclamav does not decode.

use memchr::memmem;

/// Bytes of a dictionary that are read on each side of its type.
const REACH: usize = 4096;
/// Attachments that are looked at, and bytes of a list in one's dictionary: a file with more is made to keep us busy.
const MAX_ATTACHMENTS: usize = 4096;
const MAX_LIST: usize = 256;

/// Whether a reader takes it for a PDF and libclamav 1.4 does not: it knows one that begins at the first byte, and others by a version
/// with a dot (filetypes_int.h).
pub(super) fn is_taken_for_another(content: &[u8]) -> bool {
    const MARK: &[u8] = b"%PDF-";
    let dotted = |at: usize| content.get(at.saturating_add(MARK.len() + 1)) == Some(&b'.');
    !content.starts_with(MARK) && !memmem::find_iter(content, MARK).any(dotted)
}

/// Whether a stream of type EmbeddedFile (7.11.4) is encoded in a way that libclamav leaves as it is: a predictor
/// (7.4.4.4), filters or their parameters in objects of their own (7.3.10), names with escapes (7.3.5).
pub(super) fn has_unread_attachment(content: &[u8]) -> bool {
    const TYPE: &[u8] = b"/EmbeddedFile";
    memmem::find_iter(content, TYPE).enumerate().any(|(number, at)| {
        let behind = content.get(at.saturating_add(TYPE.len())..).unwrap_or_default();
        if behind.first().is_some_and(u8::is_ascii_alphanumeric) {
            return false;
        }
        if number >= MAX_ATTACHMENTS {
            return true;
        }
        let before = content.get(at.saturating_sub(REACH)..at).unwrap_or_default();
        let start = memmem::rfind(before, b"obj").unwrap_or(0);
        let behind = behind.get(..REACH).unwrap_or(behind);
        let end = memmem::find(behind, b"stream").unwrap_or(behind.len());
        let dictionary = [before.get(start..).unwrap_or_default(), behind.get(..end).unwrap_or_default()].concat();
        is_unread(&dictionary)
    })
}

fn is_unread(dictionary: &[u8]) -> bool {
    let values = |key: &'static [u8]| {
        memmem::find_iter(dictionary, key).map(move |at| {
            let value = dictionary.get(at.saturating_add(key.len())..).unwrap_or_default().trim_ascii_start();
            match value.strip_prefix(b"[") {
                Some(list) => {
                    let list = list.get(..MAX_LIST).unwrap_or(list);
                    list.iter().position(|byte| *byte == b']').and_then(|end| list.get(..end))
                }
                None => value.get(..1),
            }
        })
    };
    let is_reference = |value: &[u8]| value.iter().any(u8::is_ascii_digit) && !value.contains(&b'<');
    // A list that does not end is none that is understood.
    let has_reference = |key| values(key).any(|value| value.is_none_or(is_reference));
    let escaped = |key| values(key).count() == 0 && dictionary.contains(&b'#');
    // Only 1 means none; 2, and 10 to 15, are predictors.
    let predictor = memmem::find_iter(dictionary, b"/Predictor").any(|at| {
        let value = dictionary.get(at.saturating_add(10)..).unwrap_or_default().trim_ascii_start();
        !value.starts_with(b"1") || value.get(1).is_some_and(u8::is_ascii_digit)
    });
    predictor || has_reference(b"/Filter") || has_reference(b"/DecodeParms") || escaped(b"/Filter")
}
