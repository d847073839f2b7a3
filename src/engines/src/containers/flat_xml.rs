//! Documents in one file of XML: ECMA-376 "Flat OPC", Word and Visio 2003, "Flat ODF". What they embed stands in base 64 in elements
//! of its own. libclamav decodes those of Word 2003 alone, and of these not all: what is split by a comment or stands in
//! CDATA, in one long line or deep in others is left out. So content of such an element is not checked.

use super::signatures::{HEAD, head};
use blanche_sandbox::wire::Container;
use memchr::memmem;

/// Local names of the elements: any prefix may stand before them.
const ELEMENTS: [(&[u8], Container); 5] = [
    (b"binary-data", Container::OpenDocument),
    (b"binaryData", Container::Ooxml),
    (b"binData", Container::Ooxml),
    (b"ForeignData", Container::Ooxml),
    (b"VBProjectData", Container::Ooxml),
];
/// Tags inside such an element that are looked through for text: style sheets write a few.
const MAX_TAGS: usize = 16;

/// The kind of document when content is one that embeds something: style sheets and programs only name the elements.
pub(super) fn embeds(content: &[u8]) -> Option<Container> {
    let holds = |text: &[u8]| memmem::find(content, text).is_some();
    if !is_xml(content) {
        return None;
    }
    // UTF-16 is rare, and not worth a closer look.
    if let Some((_, kind)) = ELEMENTS.iter().find(|(name, _)| holds(&wide(name))) {
        return Some(*kind);
    }
    if !ELEMENTS.iter().any(|(name, _)| holds(name)) {
        return None;
    }
    memchr::memchr_iter(b'<', content).find_map(|at| {
        let tag = content.get(at.saturating_add(1)..)?;
        let (name, rest) = tag.split_at(tag.iter().position(|byte| ends_name(*byte))?);
        let local = name.rsplit(|byte| *byte == b':').next()?;
        let (_, kind) = ELEMENTS.iter().find(|(element, _)| local == *element)?;
        has_content(rest).then_some(*kind)
    })
}

/// Whether content may be XML: it opens with a tag (a declaration may be left out), or the declaration is near the start.
fn is_xml(content: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let text = marks.iter().find_map(|mark| content.strip_prefix(*mark)).unwrap_or(content);
    let first = text.iter().find(|byte| **byte != 0 && !byte.is_ascii_whitespace());
    let declared = |text: &[u8]| memmem::find(head(content, HEAD), text).is_some();
    first == Some(&b'<') || declared(b"<?xml") || declared(&wide(b"<?xml"))
}

/// Text in UTF-16 of either byte order: the zero at one end is left out.
fn wide(text: &[u8]) -> Vec<u8> {
    let mut wide: Vec<u8> = text.iter().flat_map(|byte| [*byte, 0]).collect();
    wide.pop();
    wide
}

fn ends_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'<')
}

/// Whether anything but elements stands in the element whose start tag goes on here: text, and also a reference, a
/// comment, CDATA or an instruction, which may hold or precede some.
fn has_content(mut rest: &[u8]) -> bool {
    let (mut depth, mut closes) = (0usize, false);
    for _ in 0..MAX_TAGS {
        // A tag without an end: no program takes this for XML.
        let Some((empty, behind)) = tag_end(rest) else { return false };
        depth = match (closes, empty) {
            (true, _) => depth.saturating_sub(1),
            (false, true) => depth,
            (false, false) => depth.saturating_add(1),
        };
        if depth == 0 {
            return false;
        }
        (closes, rest) = match behind.trim_ascii_start() {
            [] => return false,
            [b'<', b'!' | b'?', ..] => return true,
            [b'<', b'/', tag @ ..] => (true, tag),
            [b'<', tag @ ..] => (false, tag),
            _ => return true,
        };
    }
    true
}

/// Whether a tag is that of an empty element, and what follows it; `None` where it has no end.
fn tag_end(tag: &[u8]) -> Option<(bool, &[u8])> {
    let mut quote = None;
    for (at, byte) in tag.iter().enumerate() {
        match (quote, byte) {
            (_, b'<') => return None,
            (None, b'>') => {
                let empty = at.checked_sub(1).and_then(|before| tag.get(before)) == Some(&b'/');
                return Some((empty, tag.get(at.checked_add(1)?..)?));
            }
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}
