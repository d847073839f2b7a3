//! A device or image through the station's readers: one pass in the order of the medium, in this process.
//!
//! A medium that was sealed had nothing that could not be read or listed (it was *clean*), so whatever the readers cannot
//! do now is said, and never passed over.

use crate::copy::{self, Copy, TAG_NAME};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::inventory::{Found, Inventory, Known};
use crate::progress::Progress;
use blanche_media::{Medium, Object, ReadFailure, Receiver, Stop, inspect};
use blanche_sandbox::wire::{
    Attributes, Cause, Digests, Entry, EntryId, EntryKind, FilesystemKind, FromReader, NotRead, Piece, ReadLimits,
    Subject, Tree, Volume, VolumeId,
};
use blanche_tag::claims::{self, Claims, Filesystem};
use blanche_tag::{Level, Observed, Unlisted, artefacts, manifest};
use std::collections::BTreeMap;

/// Bytes of possible artefacts that are kept at most: each has 64 KiB, and honest media have a few.
const MAX_KEPT: usize = 64 << 20;

/// The tags at the roots of all volumes.
pub(crate) fn tags(medium: &Medium<'_>, interrupt: &Interrupt) -> Result<Vec<Copy>, Failure> {
    // Only the roots are listed.
    let limits = ReadLimits { max_depth: 0, ..ReadLimits::default() };
    let mut gathered = Gathered::new(Wanted::Tags, interrupt, None);
    run(medium, &limits, &mut gathered)?;
    Ok(gathered.into_tags())
}

/// Everything on the medium, as deep as `level` needs.
pub(crate) fn inventory(
    medium: &Medium<'_>,
    claims: &Claims,
    level: Level,
    interrupt: &Interrupt,
    progress: &mut Progress,
) -> Result<Inventory, Failure> {
    let wanted = if level == Level::Full { Wanted::Everything(claims) } else { Wanted::Artefacts(claims) };
    let mut gathered = Gathered::new(wanted, interrupt, Some(progress));
    run(medium, &ReadLimits::default(), &mut gathered)?;
    Ok(gathered.into_inventory(claims))
}

fn run(medium: &Medium<'_>, limits: &ReadLimits, gathered: &mut Gathered<'_>) -> Result<(), Failure> {
    match inspect(medium, limits, gathered) {
        Ok(_) => Ok(()),
        Err(ReadFailure::Stopped(_)) => Err(Failure::Interrupted),
        Err(failure) => Err(Failure::Verifier(failure.to_string())),
    }
}

/// Which contents are read.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// Tags at the roots.
    Tags,
    /// What may be a host artefact, and the tag itself.
    Artefacts(&'a Claims),
    /// All of them.
    Everything(&'a Claims),
}

/// An entry as it was announced.
struct Node {
    volume: Option<VolumeId>,
    parent: Option<EntryId>,
    name: Box<[u8]>,
    kind: EntryKind,
    size: u64,
    same_as: Option<EntryId>,
    strange_short_name: bool,
}

struct Gathered<'a> {
    wanted: Wanted<'a>,
    interrupt: &'a Interrupt,
    progress: Option<&'a mut Progress>,
    volumes: Vec<Volume>,
    /// By volume of the medium: its number in the claims, or one behind them.
    numbers: Vec<u32>,
    nodes: Vec<Node>,
    digests: BTreeMap<EntryId, Digests>,
    faults: BTreeMap<EntryId, String>,
    unlisted: Vec<(Subject, String)>,
    kept: BTreeMap<EntryId, Vec<u8>>,
    kept_bytes: usize,
    /// Bytes of tags that may still be kept: those of all volumes together have no more memory than one may have.
    room: u64,
    walked: bool,
}

impl Receiver for Gathered<'_> {
    fn take(&mut self, message: FromReader, object: Option<Object>) -> Result<(), Stop> {
        if self.interrupt.is_raised() {
            return Err(Stop);
        }
        let memory = match object {
            Some(Object::Memory(memory)) => memory,
            _ => Vec::new(),
        };
        match message {
            FromReader::Medium(layout) => self.layout(layout.volumes),
            FromReader::Entries(entries) => self.nodes.extend(entries.into_iter().map(node)),
            FromReader::Planned { bytes, .. } => {
                self.walked = true;
                if let (Some(progress), Wanted::Everything(_)) = (&mut self.progress, self.wanted) {
                    progress.expect(bytes);
                }
            }
            FromReader::Content(content) => {
                content.pieces.iter().for_each(|piece| self.piece(piece, &memory));
                self.count(memory.len());
            }
            FromReader::Chunk(chunk) => {
                self.keep(chunk.entry, &memory);
                if let Some(digests) = chunk.last {
                    self.digests.insert(chunk.entry, digests);
                }
                self.count(memory.len());
            }
            FromReader::NotRead(not_read) => self.not_read(not_read),
            FromReader::Area(_) | FromReader::Done(_) => {}
        }
        Ok(())
    }

    fn wants(&mut self, entry: EntryId) -> bool {
        let Some(node) = self.node(entry).filter(|node| node.kind != EntryKind::Area) else { return false };
        match self.wanted {
            Wanted::Everything(_) => true,
            Wanted::Tags => {
                let left = self.room.checked_sub(node.size).filter(|_| self.is_tag(node));
                self.room = left.unwrap_or(self.room);
                left.is_some()
            }
            Wanted::Artefacts(claims) => self.is_tag(node) || self.may_be_artefact(entry, claims),
        }
    }
}

impl<'a> Gathered<'a> {
    fn new(wanted: Wanted<'a>, interrupt: &'a Interrupt, progress: Option<&'a mut Progress>) -> Self {
        Self {
            wanted,
            interrupt,
            progress,
            volumes: Vec::new(),
            numbers: Vec::new(),
            nodes: Vec::new(),
            digests: BTreeMap::new(),
            faults: BTreeMap::new(),
            unlisted: Vec::new(),
            kept: BTreeMap::new(),
            kept_bytes: 0,
            room: copy::most(),
            walked: false,
        }
    }

    fn node(&self, entry: EntryId) -> Option<&Node> {
        self.nodes.get(usize::try_from(entry).ok()?)
    }

    fn count(&mut self, bytes: usize) {
        if let Some(progress) = &mut self.progress {
            progress.add(u64::try_from(bytes).unwrap_or(0));
        }
    }

    /// Volumes of the medium are those of the claims by place, kind and view; others get numbers behind them.
    fn layout(&mut self, volumes: Vec<Volume>) {
        if let Wanted::Artefacts(claims) | Wanted::Everything(claims) = self.wanted {
            let mut other = u32::try_from(claims.volumes.len()).unwrap_or(u32::MAX);
            for volume in &volumes {
                let claimed = claims.volumes.iter().position(|claimed| {
                    is_same(volume, claimed)
                        || (claimed.view.is_none() && is_first_of_two_tables(volume, &volumes, claimed))
                });
                self.numbers.push(claimed.and_then(|number| u32::try_from(number).ok()).unwrap_or_else(|| {
                    other = other.saturating_add(1);
                    other.saturating_sub(1)
                }));
            }
        }
        self.volumes = volumes;
    }

    fn number(&self, volume: Option<VolumeId>) -> u32 {
        volume.and_then(|volume| self.numbers.get(usize::from(volume))).copied().unwrap_or(0)
    }

    fn piece(&mut self, piece: &Piece, memory: &[u8]) {
        self.digests.insert(piece.entry, piece.digests);
        let range = usize::try_from(piece.offset).ok().zip(usize::try_from(piece.length).ok());
        let bytes = range.and_then(|(start, length)| memory.get(start..start.checked_add(length)?));
        self.keep(piece.entry, bytes.unwrap_or_default());
    }

    /// Keeps the bytes of a tag or of what may be an artefact.
    fn keep(&mut self, entry: EntryId, bytes: &[u8]) {
        let keeps = match self.wanted {
            Wanted::Tags => true,
            Wanted::Artefacts(claims) | Wanted::Everything(claims) => {
                self.kept_bytes.saturating_add(bytes.len()) <= MAX_KEPT && self.may_be_artefact(entry, claims)
            }
        };
        // Contents inside structures of the filesystem come unasked.
        if keeps && self.node(entry).is_some_and(|node| self.is_tag(node) || !matches!(self.wanted, Wanted::Tags)) {
            self.kept_bytes = self.kept_bytes.saturating_add(bytes.len());
            self.kept.entry(entry).or_default().extend_from_slice(bytes);
        }
    }

    fn is_tag(&self, node: &Node) -> bool {
        node.parent.is_none() && node.kind == EntryKind::File && *node.name == *TAG_NAME
    }

    fn may_be_artefact(&self, entry: EntryId, claims: &Claims) -> bool {
        let Some(node) = self.node(entry).filter(|node| node.kind == EntryKind::File) else { return false };
        let volume = usize::try_from(self.number(node.volume)).ok().and_then(|number| claims.volumes.get(number));
        // Artefacts are short: no path is made for anything else.
        volume.filter(|_| node.size <= 65_536).is_some_and(|volume| {
            artefacts::may_be(volume.filesystem, &self.path(entry), manifest::EntryKind::File, node.size)
        })
    }

    /// Before everything was announced, whatever is said to be missing may hide entries; afterwards it is a content.
    fn not_read(&mut self, NotRead { subject, cause, .. }: NotRead) {
        let why = describe(&cause);
        let entry = match subject {
            Subject::Entry(entry) => entry,
            other => return self.unlisted.push((other, why)),
        };
        // Two names that a host cannot tell apart count, too: short names stand in no manifest, and one may lead a host to another file.
        if self.node(entry).is_none_or(|node| node.kind == EntryKind::Area) {
            return;
        }
        if self.walked {
            self.faults.entry(entry).or_insert(why);
        } else {
            self.unlisted.push((subject, why));
        }
    }

    /// Components from the root on; a stream has the path of its owner.
    fn path(&self, entry: EntryId) -> Vec<u8> {
        let mut names: Vec<&[u8]> = Vec::new();
        let mut next = Some(entry);
        while let Some(node) = next.and_then(|entry| self.node(entry)) {
            if node.kind != EntryKind::Stream {
                names.push(&node.name);
            }
            next = node.parent;
        }
        names.reverse();
        names.join(&0)
    }

    fn into_tags(mut self) -> Vec<Copy> {
        let mut tags = Vec::new();
        let mut kept = std::mem::take(&mut self.kept);
        for (node, entry) in self.nodes.iter().zip(0u32..).filter(|(node, _)| self.is_tag(node)) {
            let fault = self.faults.get(&entry);
            tags.push(match (kept.remove(&entry), fault) {
                _ if node.size > copy::most() => Copy::TooLong(node.size),
                (Some(bytes), None) => Copy::Whole(bytes),
                (_, fault) => {
                    let why = fault.map_or("the tags of this medium are too long together", String::as_str);
                    Copy::Broken(node.size, why.to_owned())
                }
            });
        }
        tags
    }

    fn into_inventory(mut self, claims: &Claims) -> Inventory {
        let mut found = Vec::with_capacity(self.nodes.len());
        for entry in (0u32..).take(self.nodes.len()) {
            if let Some(observed) = self.observed(entry) {
                found.push((Found { content: self.content(entry), observed }, entry));
            }
        }
        let known = u32::try_from(claims.volumes.len()).unwrap_or(u32::MAX);
        for number in self.numbers.iter().filter(|number| **number >= known) {
            // A volume that nobody sealed is an addition by itself, whatever it holds.
            let root = Observed {
                volume: *number,
                path: Vec::new(),
                stream: None,
                kind: manifest::EntryKind::Folder,
                size: 0,
                strange_short_name: false,
            };
            found.push((Found { observed: root, content: Known::NotRead }, EntryId::MAX));
        }
        found.sort_by(|(one, _), (other, _)| one.observed.key().cmp(&other.observed.key()));
        let positions = found.iter().enumerate().map(|(position, (_, entry))| (position, *entry));
        let kept = positions.filter_map(|(position, entry)| Some((position, self.kept.remove(&entry)?))).collect();
        let unlisted = self.unlisted.iter().map(|(subject, why)| self.unlisted(*subject, why));
        let unlisted: Vec<_> = unlisted.filter(|unlisted| !stands_twice(&found, unlisted)).collect();
        let volumes = self.numbers.iter().copied().filter(|number| *number < known).collect();
        Inventory { volumes, found: found.into_iter().map(|(found, _)| found).collect(), unlisted, kept }
    }

    fn unlisted(&self, subject: Subject, why: &str) -> Unlisted {
        let (volume, path) = match subject {
            Subject::Medium => (0, Vec::new()),
            Subject::Volume(volume) => (self.number(Some(volume)), Vec::new()),
            Subject::Entry(entry) => (self.number(self.node(entry).and_then(|node| node.volume)), self.path(entry)),
        };
        Unlisted { volume, path, why: why.to_owned() }
    }

    /// The entry as a manifest has it; nothing for areas.
    fn observed(&self, entry: EntryId) -> Option<Observed> {
        let node = self.node(entry)?;
        let kind = match node.kind {
            EntryKind::Area => return None,
            EntryKind::Directory => manifest::EntryKind::Folder,
            EntryKind::File => manifest::EntryKind::File,
            EntryKind::Stream => manifest::EntryKind::Stream,
            EntryKind::Link => manifest::EntryKind::Link,
            EntryKind::Other => manifest::EntryKind::Other,
        };
        let size = if node.kind.has_content() { node.size } else { 0 };
        let stream = (node.kind == EntryKind::Stream).then(|| node.name.to_vec());
        let (volume, path) = (self.number(node.volume), self.path(entry));
        Some(Observed { volume, path, stream, kind, size, strange_short_name: node.strange_short_name })
    }

    fn content(&self, entry: EntryId) -> Known {
        let Some(node) = self.node(entry).filter(|node| node.kind.has_content()) else { return Known::NotRead };
        let first = node.same_as.unwrap_or(entry);
        match (self.faults.get(&first), self.digests.get(&first)) {
            (Some(why), _) => Known::Unreadable(why.clone()),
            (None, Some(Digests { sha256, blake3 })) => {
                Known::Digests(manifest::Digests { sha256: *sha256, blake3: *blake3 })
            }
            (None, None) => Known::NotRead,
        }
    }
}

/// What stands twice in a folder is an addition, and the comparison says so whatever else is wrong with it. `found` is sorted.
fn stands_twice(found: &[(Found, EntryId)], Unlisted { volume, path, .. }: &Unlisted) -> bool {
    let key = (*volume, path.as_slice(), None);
    let first = found.partition_point(|(found, _)| found.observed.key() < key);
    found.iter().skip(first).take_while(|(found, _)| found.observed.key() == key).nth(1).is_some()
}

fn node(entry: Entry) -> Node {
    let Entry { volume, parent, name, kind, size, same_as, attributes, .. } = entry;
    let Attributes { strange_short_name, .. } = attributes;
    Node { volume, parent, name: name.into_boxed_slice(), kind, size, same_as, strange_short_name }
}

/// A cause as it stands in reports, for people who know what it means.
fn describe(cause: &Cause) -> String {
    let text = serde_json::to_string(cause).unwrap_or_default();
    text.chars().filter(|letter| !matches!(letter, '{' | '}' | '"')).collect::<String>().replace(',', ", ")
}

fn is_same(volume: &Volume, claimed: &claims::Volume) -> bool {
    let view = volume.view.map(|view| claims::View { tree: tree(view.tree), session: view.session });
    is_same_place(volume, claimed) && view == claimed.view
}

/// Whether it shows the first table of a small FAT whose copies differ by now: each is a view then. When it was sealed they
/// were equal, and the volume had one view. The other one is an addition.
fn is_first_of_two_tables(volume: &Volume, all: &[Volume], claimed: &claims::Volume) -> bool {
    let is_other = |volume: &Volume| volume.view.is_some_and(|view| view.tree == Tree::OtherTable);
    let place = |other: &&Volume| (other.start, other.length) == (volume.start, volume.length);
    is_same_place(volume, claimed) && !is_other(volume) && all.iter().filter(place).any(is_other)
}

fn is_same_place(volume: &Volume, claimed: &claims::Volume) -> bool {
    (volume.start, volume.length) == (claimed.start, claimed.length)
        && filesystem(volume.filesystem) == Some(claimed.filesystem)
}

fn filesystem(kind: FilesystemKind) -> Option<Filesystem> {
    Some(match kind {
        FilesystemKind::Fat12 => Filesystem::Fat12,
        FilesystemKind::Fat16 => Filesystem::Fat16,
        FilesystemKind::Fat32 => Filesystem::Fat32,
        FilesystemKind::ExFat => Filesystem::ExFat,
        FilesystemKind::Ntfs => Filesystem::Ntfs,
        FilesystemKind::Ext => Filesystem::Ext,
        FilesystemKind::Iso9660 => Filesystem::Iso9660,
        FilesystemKind::Udf => Filesystem::Udf,
        FilesystemKind::Blank => Filesystem::Blank,
        _ => return None,
    })
}

fn tree(tree: Tree) -> claims::Tree {
    match tree {
        Tree::Iso9660 => claims::Tree::Iso9660,
        Tree::RockRidge => claims::Tree::RockRidge,
        Tree::Joliet => claims::Tree::Joliet,
        Tree::Enhanced => claims::Tree::Enhanced,
        Tree::Udf => claims::Tree::Udf,
        Tree::BootSector => claims::Tree::BootSector,
        Tree::Ext => claims::Tree::Ext,
        Tree::OtherTable => claims::Tree::OtherTable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(volume: VolumeId, size: u64) -> Node {
        let (volume, name) = (Some(volume), TAG_NAME.into());
        Node { volume, parent: None, name, kind: EntryKind::File, size, same_as: None, strange_short_name: false }
    }

    #[test]
    fn tags_of_all_volumes_together_are_not_longer_than_one_may_be() {
        let interrupt = Interrupt::default();
        let mut gathered = Gathered::new(Wanted::Tags, &interrupt, None);
        gathered.nodes = vec![tag(0, copy::most() - 9), tag(1, 10), tag(2, 4), tag(3, copy::most() + 1), tag(4, 5)];
        assert_eq!([0, 1, 2, 3, 4].map(|entry| gathered.wants(entry)), [true, false, true, false, true]);
        let tags = gathered.into_tags();
        assert!(matches!(tags[1], Copy::Broken(10, _)) && matches!(tags[3], Copy::TooLong(_)), "{tags:?}");
    }
}
