//! PDF (ISO 32000-1): attached files that libclamav does not decode.

use memchr::memmem;

/// Bytes of a dictionary that are read on each side of its type.
const REACH: usize = 4096;

/// Whether a stream of type EmbeddedFile (7.11.4) is encoded in a way that libclamav leaves as it is: a predictor
/// (7.4.4.4), filters or their parameters in objects of their own (7.3.10), names with escapes (7.3.5).
pub(super) fn has_unread_attachment(content: &[u8]) -> bool {
    const TYPE: &[u8] = b"/EmbeddedFile";
    memmem::find_iter(content, TYPE).any(|at| {
        let behind = content.get(at.saturating_add(TYPE.len())..).unwrap_or_default();
        if behind.first().is_some_and(u8::is_ascii_alphanumeric) {
            return false;
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
                Some(list) => list.split(|byte| *byte == b']').next().unwrap_or_default(),
                None => value.get(..1).unwrap_or_default(),
            }
        })
    };
    let has_reference = |key| values(key).any(|value| value.iter().any(u8::is_ascii_digit) && !value.contains(&b'<'));
    let escaped = |key| values(key).count() == 0 && dictionary.contains(&b'#');
    // Only 1 means none; 2, and 10 to 15, are predictors.
    let predictor = memmem::find_iter(dictionary, b"/Predictor").any(|at| {
        let value = dictionary.get(at.saturating_add(10)..).unwrap_or_default().trim_ascii_start();
        !value.starts_with(b"1") || value.get(1).is_some_and(u8::is_ascii_digit)
    });
    predictor || has_reference(b"/Filter") || has_reference(b"/DecodeParms") || escaped(b"/Filter")
}
