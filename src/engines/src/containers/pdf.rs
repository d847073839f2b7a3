//! PDF (ISO 32000-1): what libclamav takes for something else.

use memchr::memmem;

/// Whether a reader takes it for a PDF and libclamav 1.4 does not: it knows one that begins at the first byte, and others by a version
/// with a dot (filetypes_int.h).
pub(super) fn is_taken_for_another(content: &[u8]) -> bool {
    const MARK: &[u8] = b"%PDF-";
    let dotted = |at: usize| content.get(at.saturating_add(MARK.len() + 1)) == Some(&b'.');
    !content.starts_with(MARK) && !memmem::find_iter(content, MARK).any(dotted)
}
