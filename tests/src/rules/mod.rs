//! Samples for the rules of signatures/rules: for each rule content that it must find, and honest content that comes close.
//! All are harmless by construction: no code, no exploit, addresses in example.invalid (RFC 6761).
//!
//! What makes a text recognisable is broken by "¦" here and joined at run time, so that no scanner takes this source, or a
//! program made of it, for what it describes.

mod documents;
mod links;
mod media;
mod scripts;
mod shortcuts;

/// Content that a rule must find.
#[derive(Clone, Debug)]
pub struct Bad {
    /// Name of the rule.
    pub rule: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Content in which no rule may find anything.
#[derive(Clone, Debug)]
pub struct Good {
    /// The rules that it comes close to.
    pub near: &'static [&'static str],
    /// The content.
    pub bytes: Vec<u8>,
}

/// The samples of all themes; several for one rule show what it sees through.
#[must_use]
pub fn bad() -> Vec<Bad> {
    let themes = [media::bad(), shortcuts::bad(), scripts::bad(), links::bad(), documents::bad()];
    themes.into_iter().flatten().map(|(rule, bytes)| Bad { rule, bytes }).collect()
}

/// The honest samples of all themes.
#[must_use]
pub fn good() -> Vec<Good> {
    let themes = [media::good(), shortcuts::good(), scripts::good(), links::good(), documents::good()];
    themes.into_iter().flatten().map(|(near, bytes)| Good { near, bytes }).collect()
}

/// A rule's name and a content.
type Found = (&'static str, Vec<u8>);
/// Rules' names and a content.
type Near = (&'static [&'static str], Vec<u8>);

/// The text without its breaks.
fn text(broken: &str) -> Vec<u8> {
    broken.replace('¦', "").into_bytes()
}

/// The text in UTF-16, little-endian, without a mark.
fn wide(broken: &str) -> Vec<u8> {
    broken.replace('¦', "").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The beginning of a program without code (Microsoft PE format: stub, signature, machine type), then `rest`.
fn program(rest: &[u8]) -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.resize(0x3c, 0);
    file.extend([0x80, 0, 0, 0]);
    file.resize(0x4e, 0);
    file.extend(text("This pro¦gram cannot be ¦run in DOS mode."));
    file.resize(0x80, 0);
    file.extend(b"PE\0\0\x4c\x01");
    file.resize(0x200, 0);
    file.extend(rest);
    file
}

/// A JPEG's beginning, then `rest`.
fn picture(rest: &[u8]) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0", rest].concat()
}
