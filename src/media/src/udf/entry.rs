//! From file identifiers and file entries to what the walk is told.

use super::account::Account;
use super::allocation::{Layout, MAX_EXTENTS, Purpose, layout};
use super::attributes;
use super::folder::{Identifier, Identifiers};
use super::icb::{
    BLOCK_DEVICE, Blocks, CHARACTER_DEVICE, FILE, FOLDER, Icb, Loaded, PIPE, REAL_TIME, SOCKET, STREAM_FOLDER,
    SYMBOLIC_LINK, UNSPECIFIED, entry_in, load, load_one,
};
use super::space::Space;
use super::tag::{Descriptor, Place};
use crate::filesystem::{ContentId, Extent, Fault, FolderRef, Found, Stored};
use crate::names::{fold_key, upper, wtf8};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Attributes, Cause, Corruption, EntryKind, Feature, ReadLimit};

/// Streams of one file.
const MAX_STREAMS: usize = 4096;

/// What is needed to describe entries.
pub(super) struct Describer<'a, 'm, 'd> {
    pub(super) medium: &'a Medium<'m>,
    pub(super) space: &'d Space,
    pub(super) account: &'d mut Account,
}

/// A fault of an entry whose length is not known.
pub(super) fn at_entry(cause: Cause) -> Fault {
    Fault { offset: 0, length: 0, cause }
}

fn corrupt(corruption: Corruption) -> Fault {
    at_entry(Cause::Corrupt(corruption))
}

/// The name of an identifier, and whether hosts read it alike.
fn name_of(identifier: &Identifier) -> (Vec<u8>, Option<u64>, bool) {
    match identifier.decoded() {
        Some(name) if !name.units.is_empty() => {
            let key = fold_key(0, name.units.iter().map(|unit| upper(*unit)));
            (wtf8(&name.units), Some(key), name.plain)
        }
        _ if identifier.name.is_empty() => (b"(no name)".to_vec(), None, false),
        _ => (identifier.name.clone(), None, false),
    }
}

impl<'a, 'm> Describer<'a, 'm, '_> {
    /// What an identifier names; its file entry is among `blocks`.
    pub(super) fn found(&mut self, identifier: &Identifier, blocks: &Blocks) -> Result<Found, Removed> {
        let (name, key, plain) = name_of(identifier);
        let kind = if identifier.is_folder() { EntryKind::Directory } else { EntryKind::File };
        let mut found = Found { keys: [key, None], ..Found::new(name, kind) };
        found.attributes.hidden = identifier.hidden();
        if !plain {
            found.faults.push(corrupt(Corruption::Directory));
        }
        match self.entry_of(identifier.icb, blocks) {
            Loaded::Entry(icb) => {
                self.describe(&mut found, &icb)?;
                if identifier.is_folder() != (icb.file_type() == FOLDER) {
                    found.faults.push(corrupt(Corruption::FileRecord));
                }
                found.streams = self.streams(&icb, &mut found.faults)?;
            }
            Loaded::Broken => found.faults.push(corrupt(Corruption::FileRecord)),
            Loaded::Unreadable => found.faults.push(at_entry(Cause::Unreadable)),
        }
        Ok(found)
    }

    fn entry_of(&self, icb: Descriptor, blocks: &Blocks) -> Loaded {
        if icb.length == 0 { Loaded::Broken } else { entry_in(blocks, icb.place) }
    }

    /// Kind, size and content by a file entry.
    fn describe(&mut self, found: &mut Found, icb: &Icb) -> Result<(), Removed> {
        found.attributes = Attributes { system: icb.is_system(), read_only: icb.read_only(), ..found.attributes };
        found.modified = icb.modified();
        if !icb.direct() {
            // Strategy 4096 of write-once media (UDF 2.60, 2.3.5.1): a newer entry may follow this one.
            found.faults.push(at_entry(Cause::FeatureUnsupported(Feature::UnknownFlag)));
        }
        found.kind = match icb.file_type() {
            FOLDER => EntryKind::Directory,
            SYMBOLIC_LINK => EntryKind::Link,
            BLOCK_DEVICE | CHARACTER_DEVICE | PIPE | SOCKET => EntryKind::Other,
            _ => EntryKind::File,
        };
        match found.kind {
            EntryKind::Directory => {
                found.folder = Some(FolderRef { id: icb.place.number(), length: None, contiguous: false });
                Ok(())
            }
            EntryKind::File => {
                if !matches!(icb.file_type(), FILE | UNSPECIFIED | REAL_TIME) {
                    found.faults.push(corrupt(Corruption::FileRecord));
                }
                self.content(found, icb)
            }
            EntryKind::Link => self.target(found, icb),
            EntryKind::Other => {
                found.faults.push(at_entry(Cause::NotRegularFile));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn content(&mut self, found: &mut Found, icb: &Icb) -> Result<(), Removed> {
        let laid = layout(self.medium, self.space, self.account, icb, Purpose::Content)?;
        let Layout { extents, embedded, size, faults } = laid;
        found.size = size;
        found.faults.extend(faults);
        found.content = match &embedded {
            _ if size == 0 => None,
            Some(_) => (icb.links() > 1).then(|| ContentId::Number(icb.place.number())),
            None => Some(ContentId::place(&extents)),
        };
        found.stored = embedded.map_or(Stored::Extents(extents), Stored::Inline);
        Ok(())
    }

    /// The path components of a symbolic link (4/8.7) are the content of its file. Other links with the same file entry
    /// are the same; a file whose extents lie there too is not.
    fn target(&mut self, found: &mut Found, icb: &Icb) -> Result<(), Removed> {
        self.content(found, icb)?;
        if found.size == 0 {
            found.faults.push(corrupt(Corruption::FileRecord));
        }
        found.content = Some(ContentId::Number(icb.place.number()));
        Ok(())
    }

    /// Named streams and large attributes of a file or folder.
    pub(super) fn streams(&mut self, icb: &Icb, faults: &mut Vec<Fault>) -> Result<Vec<Found>, Removed> {
        let (mut streams, sound) = attributes::streams(icb.attributes());
        if !sound {
            faults.push(corrupt(Corruption::FileRecord));
        }
        let attribute_file = icb.attribute_file();
        if attribute_file.length > 0 {
            streams.push(self.attribute_file(attribute_file.place)?);
        }
        if let Some(folder) = icb.stream_folder() {
            self.stream_folder(folder.place, &mut streams, faults)?;
        }
        Ok(streams)
    }

    /// The file of extended attributes (4/14.10), as it is.
    fn attribute_file(&mut self, place: Place) -> Result<Found, Removed> {
        let mut found = Found::new(b"attributes".to_vec(), EntryKind::Stream);
        match self.load_once(place)? {
            Some(Loaded::Entry(icb)) => self.content(&mut found, &icb)?,
            None => found.faults.push(corrupt(Corruption::CrossLinked)),
            Some(Loaded::Broken) => found.faults.push(corrupt(Corruption::FileRecord)),
            Some(Loaded::Unreadable) => found.faults.push(at_entry(Cause::Unreadable)),
        }
        Ok(found)
    }

    /// The streams in a stream folder (4/9.2; UDF 2.60, 3.3.5).
    pub(super) fn stream_folder(
        &mut self,
        place: Place,
        streams: &mut Vec<Found>,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Removed> {
        let Some(loaded) = self.load_once(place)? else {
            faults.push(corrupt(Corruption::CrossLinked));
            return Ok(());
        };
        let unreadable = matches!(loaded, Loaded::Unreadable);
        let Some(icb) = loaded.entry().filter(|icb| icb.file_type() == STREAM_FOLDER && icb.direct()) else {
            let cause = if unreadable { Cause::Unreadable } else { Cause::Corrupt(Corruption::FileRecord) };
            faults.push(at_entry(cause));
            return Ok(());
        };
        let mut listing = self.identifiers(&icb, faults)?;
        let (mut parents, mut extents) = (0u32, 0usize);
        while let Some(identifier) = listing.next()? {
            if identifier.parent() {
                parents = parents.saturating_add(1);
            }
            if identifier.parent() || identifier.deleted() {
                continue;
            }
            if streams.len() >= MAX_STREAMS || extents >= MAX_EXTENTS {
                faults.push(at_entry(Cause::ReadLimit(ReadLimit::Entries)));
                break;
            }
            let stream = self.stream(&identifier)?;
            if let Stored::Extents(more) = &stream.stored {
                extents = extents.saturating_add(more.len());
            }
            streams.push(stream);
        }
        if listing.corrupt || parents > 1 {
            faults.push(corrupt(Corruption::Directory));
        }
        faults.extend(listing.faults.into_iter().map(|fault| at_entry(fault.cause)));
        self.account.count_read(listing.read);
        Ok(())
    }

    fn stream(&mut self, identifier: &Identifier) -> Result<Found, Removed> {
        let (name, _, plain) = name_of(identifier);
        let mut found = Found::new(name, EntryKind::Stream);
        found.attributes.hidden = identifier.hidden();
        if !plain || identifier.is_folder() {
            found.faults.push(corrupt(Corruption::Directory));
        }
        match self.load_once(identifier.icb.place)? {
            None => found.faults.push(corrupt(Corruption::CrossLinked)),
            Some(Loaded::Entry(icb)) => {
                if !icb.direct() || icb.stream_folder().is_some() || icb.attribute_file().length > 0 {
                    // A stream has no streams of its own (UDF 2.60, 3.3.5.1).
                    found.faults.push(corrupt(Corruption::FileRecord));
                }
                self.content(&mut found, &icb)?;
            }
            Some(Loaded::Broken) => found.faults.push(corrupt(Corruption::FileRecord)),
            Some(Loaded::Unreadable) => found.faults.push(at_entry(Cause::Unreadable)),
        }
        Ok(found)
    }

    /// Reads the file entry of a stream or of its folder; nothing when too many files share theirs.
    fn load_once(&mut self, place: Place) -> Result<Option<Loaded>, Removed> {
        let fresh = self.account.structure(self.space, place, 1);
        if !fresh && !self.account.again(self.space.block) {
            return Ok(None);
        }
        load_one(self.medium, self.space, self.account, place).map(Some)
    }

    /// The identifiers in a folder of files or streams; what is wrong with its extents goes to `faults`.
    pub(super) fn identifiers(&mut self, icb: &Icb, faults: &mut Vec<Fault>) -> Result<Identifiers<'a, 'm>, Removed> {
        let laid = layout(self.medium, self.space, self.account, icb, Purpose::Structure)?;
        faults.extend(laid.faults.into_iter().map(|fault| at_entry(fault.cause)));
        let extents: Vec<Extent> = laid.extents;
        Ok(Identifiers::new(self.medium, laid.embedded.unwrap_or_default(), extents))
    }

    /// Reads the file entries of several identifiers at once.
    pub(super) fn load(&mut self, identifiers: &[Identifier]) -> Result<Blocks, Removed> {
        let named = identifiers.iter().filter(|identifier| identifier.icb.length > 0);
        load(self.medium, self.space, self.account, named.map(|identifier| identifier.icb.place))
    }
}
