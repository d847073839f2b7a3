//! One entry: its inode, its content, its attributes, and everything in them that contradicts itself.

use super::ExtVolume;
use super::attributes::{self, Attribute, Parsed, Value};
use super::directory::{Name, Rules};
use super::inode::{Inode, Kind, ROOT, cause_of, flag};
use super::mapping::{Mapping, Purpose, length, map};
use super::space::Shared;
use super::superblock::{FIRST_INODE, incompat};
use crate::bytes::{index, wide};
use crate::filesystem::{ContentId, Extent, Fault, FolderRef, Found, Stored};
use crate::names::fold_key;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Attributes, Cause, Corruption, EntryKind, Feature, ReadLimit};

const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const RECORD: Cause = Cause::Corrupt(Corruption::FileRecord);

/// A name of a folder with its inode.
pub(super) struct Named {
    pub(super) name: Name,
    pub(super) inode: Result<Inode, Cause>,
    /// The bitmap says that the inode is in use.
    pub(super) allocated: bool,
}

/// The attributes of one inode.
#[derive(Debug, Default)]
pub(super) struct OfInode {
    pub(super) list: Vec<Attribute>,
    pub(super) faults: Vec<Cause>,
    /// system.data of an inode with inline content.
    data: Option<Vec<u8>>,
}

impl ExtVolume {
    /// The entry of a folder whose names follow `rules`.
    pub(super) fn entry(&mut self, medium: &Medium<'_>, rules: &Rules, named: Named) -> Result<Found, Removed> {
        let Named { name, inode, allocated } = named;
        let said = Kind::of_entry(name.file_type);
        let mut found = Found::new(name.bytes, said.map_or(EntryKind::File, Kind::entry));
        found.keys = [Some(key(&found.name, rules.casefold)), None];
        let mut causes = Vec::new();
        if name.odd {
            causes.push(DIRECTORY);
        }
        let inode = match inode {
            Ok(inode) => inode,
            Err(cause) => {
                causes.push(cause);
                return Ok(with(found, causes));
            }
        };
        let kind = inode.kind();
        found.kind = kind.entry();
        found.attributes = Attributes { read_only: inode.has(flag::IMMUTABLE), ..Attributes::default() };
        found.modified = inode.modified();
        let again = !self.reached.claim(inode.number);
        if !allocated || misplaced(&inode, again) || said.is_some_and(|said| said != kind) {
            causes.push(DIRECTORY);
        }
        causes.extend(self.contradictions(&inode));
        let own = self.attributes(medium, &inode)?;
        causes.extend(own.faults.iter().cloned());
        if found.kind.has_content() {
            found.size = inode.size;
            let data = own.data.as_deref();
            (found.stored, found.faults) = match kind {
                Kind::Link => self.target(medium, &inode, data, again)?,
                _ => self.content(medium, &inode, data, again)?,
            };
            found.content = (again || inode.links() > 1).then_some(ContentId::Number(u64::from(inode.number)));
        }
        match kind {
            Kind::Directory => found.folder = Some(folder(&inode)),
            Kind::Special => causes.push(Cause::NotRegularFile),
            Kind::Link if self.has_doubtful_target(&inode) => causes.push(RECORD),
            Kind::File | Kind::Link | Kind::Nonsense => {}
        }
        found.streams.extend(self.streams(medium, own.list, again || inode.links() > 1)?);
        Ok(with(found, causes))
    }

    /// What an inode says that cannot all be true, or that makes its content something else than what is stored.
    fn contradictions(&self, inode: &Inode) -> Vec<Cause> {
        let mut causes = Vec::new();
        if let Err(corruption) = inode.sound {
            causes.push(Cause::Corrupt(corruption));
        }
        let inline = inode.has(flag::INLINE_DATA);
        // A driver that does not know the feature would take the tree, or the content, for block numbers.
        let unannounced = (inode.has_extents() && !self.superblock.has(incompat::EXTENTS))
            || (inline && !self.superblock.has(incompat::INLINE_DATA))
            || (inline && inode.has_extents());
        if inode.kind() == Kind::Nonsense || unannounced || inode.has(flag::EA_INODE) {
            causes.push(RECORD);
        }
        if inode.has(flag::ENCRYPT) {
            causes.push(Cause::FeatureUnsupported(Feature::Encryption));
        }
        if inode.has(flag::COMPRESSED_BLOCKS) {
            causes.push(Cause::FeatureUnsupported(Feature::Compression));
        }
        causes
    }

    /// Where the content of an inode is, and what is missing. Ciphertext is not handed over.
    fn content(
        &mut self,
        medium: &Medium<'_>,
        inode: &Inode,
        data: Option<&[u8]>,
        again: bool,
    ) -> Result<(Stored, Vec<Fault>), Removed> {
        if inode.has(flag::INLINE_DATA) {
            return Ok(self.inline(inode, data, again));
        }
        let purpose = if again { Purpose::Again } else { Purpose::Content };
        let Mapping { extents, faults } = map(&mut self.space, medium, inode, inode.size, purpose)?;
        let encrypted = inode.has(flag::ENCRYPT);
        let extents = if encrypted { Vec::new() } else { extents };
        Ok((Stored::Extents(extents), faults))
    }

    /// Content in i_block and, behind it, in system.data.
    fn inline(&mut self, inode: &Inode, data: Option<&[u8]>, again: bool) -> (Stored, Vec<Fault>) {
        let lost = |offset: u64, cause| {
            let length = inode.size.saturating_sub(offset);
            vec![Fault { offset, length, cause }]
        };
        let encrypted = inode.has(flag::ENCRYPT);
        if again && !self.space.again(wide(inode.bytes.len())) {
            return (Stored::Extents(Vec::new()), lost(0, Cause::ReadLimit(ReadLimit::Bytes)));
        }
        let mut bytes = inode.blocks().to_vec();
        // "requires the presence of an extended attribute for system.data, even if the value is zero length".
        let mut faults = if data.is_none() { lost(0, RECORD) } else { Vec::new() };
        bytes.extend_from_slice(data.unwrap_or_default());
        bytes.truncate(index(inode.size));
        if wide(bytes.len()) < inode.size {
            faults = lost(wide(bytes.len()), RECORD);
        }
        let stored = if encrypted { Stored::Extents(Vec::new()) } else { Stored::Inline(bytes) };
        (stored, faults)
    }

    /// The target of a symbolic link: the first i_size bytes of i_block when it is shorter than that ("fast"), else of the
    /// blocks that a file would have. Ciphertext is not handed over.
    fn target(
        &mut self,
        medium: &Medium<'_>,
        inode: &Inode,
        data: Option<&[u8]>,
        again: bool,
    ) -> Result<(Stored, Vec<Fault>), Removed> {
        if !is_fast(inode) || inode.has(flag::INLINE_DATA) {
            return self.content(medium, inode, data, again);
        }
        let target = inode.blocks().get(..index(inode.size)).unwrap_or_default();
        let encrypted = inode.has(flag::ENCRYPT);
        let stored = if encrypted { Stored::Extents(Vec::new()) } else { Stored::Inline(target.to_vec()) };
        Ok((stored, Vec::new()))
    }

    /// Whether hosts could take something else for the target of a link: some drivers decide by the size where it is,
    /// others by whether blocks are in use besides those of attributes.
    fn has_doubtful_target(&self, inode: &Inode) -> bool {
        let attributes = if inode.attribute_block() == 0 { 0 } else { self.superblock.sectors_of_cluster() };
        let decided = inode.has(flag::INLINE_DATA) || self.superblock.has(incompat::EA_INODE);
        inode.size == 0 || (!decided && is_fast(inode) != (inode.allocated_blocks() == attributes))
    }

    /// The attributes of an inode; ordinary ones are left out.
    pub(super) fn attributes(&mut self, medium: &Medium<'_>, inode: &Inode) -> Result<OfInode, Removed> {
        let mut found = OfInode::default();
        let Parsed { list, broken } = attributes::in_inode(inode);
        if broken {
            found.faults.push(RECORD);
        }
        for attribute in list {
            match attribute.value {
                Value::Here(value, _) if attribute.is_inline_data_of(inode) && found.data.is_none() => {
                    found.data = Some(value);
                }
                _ if attribute.is_ordinary() => {}
                _ => found.list.push(attribute),
            }
        }
        let block = inode.attribute_block();
        if block != 0 {
            self.attribute_block(medium, block, &mut found)?;
        }
        Ok(found)
    }

    fn attribute_block(&mut self, medium: &Medium<'_>, block: u64, found: &mut OfInode) -> Result<(), Removed> {
        let number = u32::try_from(block).ok().filter(|_| self.space.holds(block, 1));
        let Some(number) = number else {
            found.faults.push(RECORD);
            return Ok(());
        };
        let shared = self.space.claim_attributes(number);
        if shared == Shared::Ordinary {
            return Ok(());
        }
        if shared == Shared::Crossed {
            found.faults.push(Cause::Corrupt(Corruption::CrossLinked));
        }
        if shared == Shared::Again && !self.space.again(self.space.block) {
            found.faults.push(Cause::ReadLimit(ReadLimit::Entries));
            return Ok(());
        }
        let bytes = match self.space.read(medium, number) {
            Ok(bytes) => bytes,
            Err(error) => {
                found.faults.push(cause_of(error)?);
                return Ok(());
            }
        };
        let before = (found.list.len(), found.faults.len());
        match attributes::in_block(&bytes, self.space.position(number)) {
            Some(Parsed { list, broken }) => {
                found.faults.extend(broken.then_some(RECORD));
                found.list.extend(list.into_iter().filter(|attribute| !attribute.is_ordinary()));
            }
            None => found.faults.push(RECORD),
        }
        if self.superblock.summed() && !attributes::block_sum_holds(self.superblock.seed, number, &bytes) {
            found.faults.push(Cause::Corrupt(Corruption::Checksum));
        }
        if before == (found.list.len(), found.faults.len()) {
            self.space.set_ordinary(number);
        }
        Ok(())
    }

    /// Attributes as streams. Those of inodes with several names, and those in blocks, may be met again.
    pub(super) fn streams(
        &mut self,
        medium: &Medium<'_>,
        list: Vec<Attribute>,
        again: bool,
    ) -> Result<Vec<Found>, Removed> {
        let mut streams = Vec::with_capacity(list.len());
        for attribute in list {
            let mut found = Found::new(attribute.full_name(), EntryKind::Stream);
            match attribute.value {
                Value::Here(bytes, place) => self.value_here(&mut found, bytes, place, again),
                Value::Inode(number, size) => self.value_inode(medium, &mut found, number, size)?,
            }
            streams.push(found);
        }
        Ok(streams)
    }

    fn value_here(&mut self, found: &mut Found, bytes: Vec<u8>, place: Extent, again: bool) {
        found.size = wide(bytes.len());
        let in_block = self.space.is_attribute_block(place.start);
        found.content = (again || in_block).then(|| ContentId::place(&[place]));
        found.stored = Stored::Inline(bytes);
    }

    /// "The target ea inode": its whole content is the value.
    fn value_inode(&mut self, medium: &Medium<'_>, found: &mut Found, number: u32, size: u64) -> Result<(), Removed> {
        found.size = size;
        let whole = |cause| Fault { offset: 0, length: size, cause };
        let inode = match self.inode(medium, number)? {
            Ok(inode) => inode,
            Err(cause) => {
                found.faults.push(whole(cause));
                return Ok(());
            }
        };
        let again = !self.reached.claim(number);
        if inode.kind() != Kind::File {
            found.faults.push(whole(RECORD));
            return Ok(());
        }
        let purpose = if again { Purpose::Again } else { Purpose::Content };
        let Mapping { extents, faults } = map(&mut self.space, medium, &inode, size, purpose)?;
        if length(&extents) < size && faults.is_empty() {
            found.faults.push(whole(RECORD));
        }
        found.faults.extend(faults);
        let announced = self.superblock.has(incompat::EA_INODE) && inode.has(flag::EA_INODE);
        if !announced || inode.size != size || inode.links() == 0 || number < FIRST_INODE {
            found.faults.push(whole(RECORD));
        }
        if let Err(corruption) = inode.sound {
            found.faults.push(whole(Cause::Corrupt(corruption)));
        }
        found.stored = Stored::Extents(extents);
        found.content = Some(ContentId::Number(u64::from(number)));
        Ok(())
    }
}

impl Attribute {
    fn is_inline_data_of(&self, inode: &Inode) -> bool {
        self.is_inline_data() && inode.has(flag::INLINE_DATA)
    }
}

/// Whether no folder should have (another) entry for this inode.
fn misplaced(inode: &Inode, again: bool) -> bool {
    let reserved = inode.number < FIRST_INODE && inode.number != ROOT;
    // A file with one link has one name; folders that are met again are named by the walk.
    let second = again && inode.kind() != Kind::Directory && inode.links() <= 1;
    inode.links() == 0 || reserved || second
}

/// Names causes at the whole of an entry.
fn with(mut found: Found, causes: Vec<Cause>) -> Found {
    let length = if found.kind.has_content() { found.size } else { 0 };
    for cause in causes {
        let fault = Fault { offset: 0, length, cause };
        if !found.faults.contains(&fault) {
            found.faults.push(fault);
        }
    }
    found
}

/// Whether the target of a link stands in i_block, as Linux decides by the size.
fn is_fast(inode: &Inode) -> bool {
    inode.size < wide(inode.blocks().len())
}

fn folder(inode: &Inode) -> FolderRef {
    FolderRef { id: u64::from(inode.number), length: Some(inode.size), contiguous: false }
}

/// Digest of the name under which hosts look an entry up. Only folders with the casefold flag do not tell case apart;
/// Linux folds more than case there (normalisation), but two names that differ in that are both handed over anyway.
fn key(name: &[u8], casefold: bool) -> u64 {
    match std::str::from_utf8(name) {
        Ok(text) if casefold => {
            let folded: String = text.chars().flat_map(char::to_lowercase).collect();
            fold_key(1, folded.encode_utf16())
        }
        _ => fold_key(0, name.iter().map(|byte| u16::from(*byte))),
    }
}
