//! One entry of a manifest, and the rules that it must keep by itself.

use crate::cbor::{Malformed, Reader, Writer};
use crate::claims::Sha256;

/// Bytes of a path.
pub const MAX_PATH: usize = 32_768;
/// Bytes of a component of a path, or of the name of a stream.
const MAX_NAME: usize = 1024;
/// Components of a path.
const MAX_DEPTH: usize = 512;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A named stream of a file or folder.
    Stream,
    /// A link, never followed; its content is the target as it is stored.
    Link,
    /// A device node, pipe or socket.
    Other,
}

const KINDS: [EntryKind; 5] =
    [EntryKind::Folder, EntryKind::File, EntryKind::Stream, EntryKind::Link, EntryKind::Other];

impl EntryKind {
    /// Whether it has a content.
    #[must_use]
    pub const fn has_content(self) -> bool {
        matches!(self, Self::File | Self::Stream | Self::Link)
    }
}

/// Digests of one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// FIPS 180-4.
    pub sha256: Sha256,
    /// BLAKE3, unkeyed.
    pub blake3: [u8; 32],
}

/// One line of a manifest, without the chaining values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position of its volume in the claims.
    pub volume: u32,
    /// Components joined by a zero byte.
    pub path: Vec<u8>,
    /// Name of a stream.
    pub stream: Option<Vec<u8>>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of content.
    pub size: u64,
    /// Of the content.
    pub digests: Option<Digests>,
    /// Seconds since 1970, as information.
    pub modified: Option<i64>,
}

/// Whether a path has components, and all of them may stand in a path.
#[must_use]
pub fn is_folder_path(path: &[u8]) -> bool {
    let component = |name: &[u8]| (1..=MAX_NAME).contains(&name.len()) && name != b"." && name != b"..";
    let mut names = path.split(|byte| *byte == 0).enumerate();
    path.len() <= MAX_PATH && names.all(|(depth, name)| depth < MAX_DEPTH && component(name))
}

/// Whether names are WTF-8 (section 8; <https://wtf-8.codeberg.page/>): UTF-8, and single surrogates in the three bytes of
/// generalised UTF-8. A pair must have been joined. The zero bytes of a path part surrogates as other letters do.
pub(crate) fn is_wtf8(mut rest: &[u8]) -> bool {
    let mut after_leading = false;
    loop {
        let Err(error) = std::str::from_utf8(rest) else { return true };
        after_leading &= error.valid_up_to() == 0;
        match rest.get(error.valid_up_to()..) {
            Some([0xed, second @ 0xa0..=0xbf, 0x80..=0xbf, after @ ..]) => {
                let leading = *second < 0xb0;
                if after_leading && !leading {
                    return false;
                }
                (after_leading, rest) = (leading, after);
            }
            _ => return false,
        }
    }
}

impl Entry {
    /// The part of the order that entries are sorted by.
    #[must_use]
    pub fn key(&self) -> (u32, &[u8], Option<&[u8]>) {
        (self.volume, &self.path, self.stream.as_deref())
    }

    /// Rules that need no other entry.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let path_fits = is_folder_path(&self.path) || (self.path.is_empty() && self.stream.is_some());
        if !path_fits {
            return Err("not a path");
        }
        if self.stream.as_ref().is_some_and(|name| !(1..=MAX_NAME).contains(&name.len()) || name.contains(&0)) {
            return Err("not a name of a stream");
        }
        if (self.kind == EntryKind::Stream) != self.stream.is_some() {
            return Err("kind and stream do not fit");
        }
        if self.kind.has_content() != self.digests.is_some() {
            return Err("digests without content, or content without digests");
        }
        if !self.kind.has_content() && self.size != 0 {
            return Err("size without content");
        }
        Ok(())
    }

    /// Everything before the chaining values.
    pub(super) fn put_head(&self, writer: &mut Writer) {
        writer.array(9).unsigned(self.volume).bytes(&self.path);
        writer.nullable(self.stream.as_ref(), |writer, name| {
            writer.bytes(name);
        });
        let kind = KINDS.iter().position(|kind| *kind == self.kind).unwrap_or(KINDS.len());
        writer.unsigned(u64::try_from(kind).unwrap_or(u64::MAX)).unsigned(self.size);
        match &self.digests {
            Some(digests) => writer.bytes(&digests.sha256).bytes(&digests.blake3),
            None => writer.null().null(),
        };
    }

    pub(super) fn put_tail(&self, writer: &mut Writer) {
        writer.nullable(self.modified, |writer, time| {
            writer.signed(time);
        });
    }

    /// Everything before the chaining values.
    pub(super) fn take_head(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.tuple(9)?;
        let volume = reader.up_to(255)?;
        let path = reader.bytes()?;
        if path.len() > MAX_PATH {
            return reader.wrong("path too long");
        }
        let path = path.to_vec();
        let stream = reader.nullable(|reader| reader.bytes().map(<[u8]>::to_vec))?;
        let kind: usize = reader.up_to(4)?;
        let Some(kind) = KINDS.get(kind).copied() else { return reader.wrong("unknown kind") };
        let size = reader.unsigned()?;
        let sha256 = reader.nullable(Reader::array_of)?;
        let blake3 = reader.nullable(Reader::array_of)?;
        let digests = match (sha256, blake3) {
            (Some(sha256), Some(blake3)) => Some(Digests { sha256, blake3 }),
            (None, None) => None,
            _ => return reader.wrong("one digest of two"),
        };
        Ok(Self { volume, path, stream, kind, size, digests, modified: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_wtf8_and_pairs_are_not() {
        let (leading, trailing) = (b"\xed\xa0\xbd", b"\xed\xb8\x80");
        let good = [
            "a\0b c\0\u{e9}\u{1f600}".as_bytes().to_vec(),
            leading.to_vec(),
            trailing.to_vec(),
            [&trailing[..], leading, b"x", trailing].concat(),
            [&leading[..], leading, b"\0", trailing].concat(),
        ];
        for name in good {
            assert!(is_wtf8(&name), "{name:x?}");
        }
        let pair = [&leading[..], trailing].concat();
        let bad: [&[u8]; 6] = [b"\xff", b"a\xed", b"\xed\xa0", b"\xc0\x80", b"\xf4\x90\x80\x80", &pair];
        for name in bad {
            assert!(!is_wtf8(name), "{name:x?}");
        }
    }
}
