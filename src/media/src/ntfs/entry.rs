//! From a file's attributes to what the walker takes: one content, its streams, and everything that is not read.

use super::content::{self, Content, claim_metadata, claim_structure};
use super::extended;
use super::file::{File, Held, Whole, pay, read};
use super::index;
use super::record::*;
use super::reparse::{Meaning, meaning};
use super::space::Space;
use super::system;
use super::upcase::Upcase;
use crate::bytes::{Record, wide};
use crate::filesystem::{ContentId, Extent, Fault, FolderRef, Found, Stored};
use crate::names::{fold_key, wtf8};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Attributes, Cause, Clock, Corruption, EntryKind, Feature, Modified, ReadLimit};

/// Largest attribute that is metadata of one file, such as its security descriptor.
const MAX_METADATA: u64 = 256 << 10;
/// Largest reparse point ([MS-FSCC] 2.1.2: 16 KiB) with room.
const MAX_REPARSE: u64 = 64 << 10;

/// Seconds.
const FROM_1601_TO_1970: i64 = 11_644_473_600;

const UNKNOWN: Cause = Cause::FeatureUnsupported(Feature::UnknownFlag);
const CROSS_LINKED: Cause = Cause::Corrupt(Corruption::CrossLinked);

/// What describing a file needs.
pub(super) struct Describe<'d> {
    pub(super) space: &'d mut Space,
    pub(super) upcase: &'d Upcase,
    /// First byte of the volume.
    pub(super) volume: u64,
    /// Whether the file is met for the first time and claims its clusters.
    pub(super) claim: bool,
    /// Pieces of metadata that may still be read.
    pub(super) budget: &'d mut u64,
    /// Attributes that are metadata of a system file and not handed over.
    pub(super) ordinary: &'d dyn Fn(&Whole) -> bool,
}

impl Describe<'_> {
    /// What is to be said about `file` under this name.
    pub(super) fn found(&mut self, medium: &Medium<'_>, file: &File, name: &[u16]) -> Result<Found, Removed> {
        let key = fold_key(0, name.iter().map(|unit| self.upcase.upper(*unit)));
        let mut found = Found { keys: [Some(key), None], ..Found::new(wtf8(name), EntryKind::File) };
        let mut causes = file.causes.clone();
        if file.directory {
            found.kind = EntryKind::Directory;
            match file.find(INDEX_ROOT, index::NAME) {
                Some(_) => found.folder = Some(FolderRef { id: file.number, length: None, contiguous: false }),
                None => causes.push(Cause::Corrupt(Corruption::Directory)),
            }
            if self.claim {
                let wrong = index::claim(self.space, file);
                if wrong.contains(&CROSS_LINKED) {
                    // Many folders with one index would have it read many times.
                    found.folder = None;
                }
                causes.extend(wrong);
            }
        }
        let mut main = None;
        for attribute in &file.attributes {
            if (self.ordinary)(attribute) {
                causes.extend(self.structure(file, attribute));
            } else if attribute.is(DATA, "") && main.is_none() {
                main = Some(self.content(attribute));
            } else {
                self.attribute(medium, file, attribute, &mut found, &mut causes)?;
            }
        }
        self.set_main(&mut found, main, file);
        found.faults.extend(causes.into_iter().map(|cause| Fault { offset: 0, length: found.size, cause }));
        if file.shared && found.kind.has_content() {
            found.content = Some(ContentId::Number(file.number));
        }
        Ok(found)
    }

    /// The unnamed stream is the content of a file; that of a folder or link is none that hosts show.
    fn set_main(&self, found: &mut Found, main: Option<Content>, file: &File) {
        let Some(content) = main else { return };
        if found.kind == EntryKind::File {
            found.size = content.size;
            found.stored = content.stored;
            found.faults.extend(content.faults);
        } else if content.size > 0 {
            let stream = self.stream(file, found, b":$DATA".to_vec(), content);
            found.streams.push(stream);
        }
    }

    fn content(&mut self, attribute: &Whole) -> Content {
        content::of(self.space, attribute, self.claim)
    }

    fn claimed(&mut self, attribute: &Whole) -> Option<Cause> {
        if self.claim { claim_metadata(self.space, attribute) } else { None }
    }

    /// An attribute that a system file is expected to have. The records of $MFT are parsed one by one, and $Boot is the
    /// boot area; all others are matched.
    fn structure(&mut self, file: &File, attribute: &Whole) -> Option<Cause> {
        match file.number {
            system::MFT | system::BOOT => self.claimed(attribute),
            _ if self.claim => claim_structure(self.space, attribute),
            _ => None,
        }
    }

    /// Everything but the unnamed stream.
    fn attribute(
        &mut self,
        medium: &Medium<'_>,
        file: &File,
        attribute: &Whole,
        found: &mut Found,
        causes: &mut Vec<Cause>,
    ) -> Result<(), Removed> {
        match attribute.kind {
            DATA => self.named_stream(file, attribute, "", found),
            LOGGED_UTILITY_STREAM if is_of_system(attribute) => causes.extend(self.metadata(attribute)),
            LOGGED_UTILITY_STREAM => self.named_stream(file, attribute, ":$LOGGED_UTILITY_STREAM", found),
            STANDARD_INFORMATION => {
                if let Held::Resident(bytes) = &attribute.held {
                    found.attributes = flags(Record(bytes).u32(32));
                    found.modified = modified(Record(bytes).u64(8));
                }
                causes.extend(self.metadata(attribute));
            }
            FILE_NAME | OBJECT_ID | SECURITY_DESCRIPTOR | EA_INFORMATION => causes.extend(self.metadata(attribute)),
            INDEX_ROOT | INDEX_ALLOCATION | BITMAP if file.directory && attribute.is(attribute.kind, index::NAME) => {}
            REPARSE_POINT if attribute.name.is_empty() => match self.small(medium, attribute, MAX_REPARSE)? {
                Ok(bytes) => causes.extend(reparse(found, bytes)),
                Err(cause) => causes.push(cause),
            },
            EA => match self.small(medium, attribute, extended::MAX_BYTES)?.map(|bytes| extended::parse(&bytes)) {
                Ok(Some(values)) => self.extended(file, values, found),
                Ok(None) => causes.push(Cause::Corrupt(Corruption::FileRecord)),
                Err(cause) => causes.push(cause),
            },
            _ => causes.extend(self.claimed(attribute).into_iter().chain([UNKNOWN])),
        }
        Ok(())
    }

    /// An attribute that says something about the file and holds nothing else.
    fn metadata(&mut self, attribute: &Whole) -> Option<Cause> {
        let claimed = self.claimed(attribute);
        let too_large = attribute.size() > MAX_METADATA;
        claimed.or(too_large.then_some(Cause::Corrupt(Corruption::FileRecord)))
    }

    /// The bytes of a small attribute, unless its clusters are wrong or too many were read again and again: a file may
    /// have many names.
    fn small(&mut self, medium: &Medium<'_>, attribute: &Whole, limit: u64) -> Result<Result<Vec<u8>, Cause>, Removed> {
        if let Some(cause) = self.metadata(attribute) {
            return Ok(Err(cause));
        }
        if !self.claim && !pay(self.budget, &attribute.held) {
            return Ok(Err(Cause::ReadLimit(ReadLimit::Entries)));
        }
        read(medium, self.space, &attribute.held, limit)
    }

    fn named_stream(&mut self, file: &File, attribute: &Whole, kind: &str, found: &mut Found) {
        let content = self.content(attribute);
        let mut name = wtf8(&attribute.name);
        name.extend_from_slice(if name.is_empty() && kind.is_empty() { b":$DATA" } else { kind.as_bytes() });
        let stream = self.stream(file, found, name, content);
        found.streams.push(stream);
    }

    fn extended(&self, file: &File, values: Vec<(Vec<u8>, Vec<u8>)>, found: &mut Found) {
        for (mut name, value) in values {
            name.extend_from_slice(b":$EA");
            let content = Content { size: wide(value.len()), stored: Stored::Inline(value), faults: Vec::new() };
            let stream = self.stream(file, found, name, content);
            found.streams.push(stream);
        }
    }

    /// A stream of `owner`. Its key holds that of its owner, because streams of other files may have the same name.
    fn stream(&self, file: &File, owner: &Found, name: Vec<u8>, content: Content) -> Found {
        let [key, _] = owner.keys;
        let prefix = key.unwrap_or(0).to_le_bytes();
        let text = String::from_utf8_lossy(&name);
        let letters: Vec<u16> = text.encode_utf16().map(|unit| self.upcase.upper(unit)).collect();
        let key = fold_key(1, prefix.into_iter().map(u16::from).chain(letters));
        let id = self.volume.to_le_bytes().into_iter().chain(file.number.to_le_bytes()).chain(name.iter().copied());
        Found {
            keys: [Some(key), None],
            size: content.size,
            stored: content.stored,
            faults: content.faults,
            content: file.shared.then(|| stream_id(&id.collect::<Vec<u8>>())),
            ..Found::new(name, EntryKind::Stream)
        }
    }
}

/// Makes of an entry what its reparse point, of these bytes, says; returns why it cannot be had.
fn reparse(found: &mut Found, bytes: Vec<u8>) -> Option<Cause> {
    match meaning(Record(&bytes).u32(0)) {
        // The first one of two, which were named as wrong when the attributes were gathered.
        Meaning::Link if found.kind == EntryKind::Link => None,
        Meaning::Link => {
            // A host goes elsewhere; what lies in a folder behind it is found as entries that nothing names.
            found.kind = EntryKind::Link;
            found.folder = None;
            found.size = wide(bytes.len());
            found.stored = Stored::Inline(bytes);
            None
        }
        Meaning::Unread(cause) => Some(cause),
    }
}

/// The identity of a stream of a file with several names.
fn stream_id(bytes: &[u8]) -> ContentId {
    let mut id = [0u8; 16];
    blake3::Hasher::new_derive_key("blanche-media ntfs stream").update(bytes).finalize_xof().fill(&mut id);
    ContentId::Place(id)
}

/// What EFS and transactions keep beside a file.
fn is_of_system(attribute: &Whole) -> bool {
    ["$EFS", "$TXF_DATA"].iter().any(|name| attribute.is(LOGGED_UTILITY_STREAM, name))
}

/// A FILETIME ([MS-DTYP] 2.3.3): units of 100 ns since 1601 UTC; 0 where no time was set ([MS-FSCC] 2.1.1).
fn modified(filetime: u64) -> Option<Modified> {
    let seconds = i64::try_from(filetime / 10_000_000).ok()?.checked_sub(FROM_1601_TO_1970)?;
    Modified::new(seconds, Clock::Utc).filter(|_| filetime != 0)
}

/// File attributes ([MS-FSCC] 2.6).
fn flags(bits: u32) -> Attributes {
    Attributes { read_only: bits & 1 != 0, hidden: bits & 2 != 0, system: bits & 4 != 0, strange_short_name: false }
}

/// The first bytes of a content that lies in the open, for looking at its kind.
pub(super) fn first_extent(found: &Found) -> Option<Extent> {
    match &found.stored {
        Stored::Extents(extents) => extents.first().copied().filter(|extent| !extent.is_hole()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filetime_is_a_moment_within_the_calendar_or_nothing() {
        let utc = |seconds| Some(Modified { seconds, clock: Clock::Utc });
        assert_eq!(modified(116_444_736_000_000_000), utc(0));
        assert_eq!(modified(116_444_735_999_999_999), utc(-1));
        assert_eq!(modified(1), utc(-FROM_1601_TO_1970));
        assert_eq!(modified((253_402_300_799 + 11_644_473_600) * 10_000_000), utc(Modified::LAST));
        for nothing in [0, (253_402_300_800 + 11_644_473_600) * 10_000_000, i64::MAX as u64, u64::MAX] {
            assert_eq!(modified(nothing), None, "{nothing}");
        }
    }
}
