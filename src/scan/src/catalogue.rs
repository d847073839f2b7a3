//! Every entry of the medium as the reader announced it, in little memory: names in one arena, paths built on demand.

use crate::words;
use blanche_sandbox::wire::{Clock, Entry, EntryId, EntryKind, Modified, ScanPiece, VolumeId};
use std::collections::BTreeSet;

/// Marks the root of a volume as parent.
pub(crate) const ROOT: EntryId = EntryId::MAX;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) volume: Option<VolumeId>,
    /// [`ROOT`] at the root of a volume.
    pub(crate) parent: EntryId,
    name_start: u32,
    name_length: u16,
    depth: u16,
    path_length: u32,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    same_as: EntryId,
    /// Apart from its clock, which takes no room of its own here.
    modified: i64,
    clock: Option<Clock>,
}

impl Record {
    /// Whether content of its own is handed over: folders and further names of a content have none.
    pub(crate) fn has_content(&self) -> bool {
        (self.kind.has_content() || self.kind == EntryKind::Area) && self.same_as == ROOT
    }

    /// The entry whose content this is another name of.
    pub(crate) fn same_as(&self) -> Option<EntryId> {
        (self.same_as != ROOT).then_some(self.same_as)
    }

    /// When its content was last changed, as the medium says.
    pub(crate) fn modified(&self) -> Option<Modified> {
        self.clock.map(|clock| Modified { seconds: self.modified, clock })
    }
}

/// A path for people, and the exact one when the two differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShownPath {
    pub(crate) visible: String,
    pub(crate) exact: Option<String>,
}

/// All entries, in the order of their identifiers.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    records: Vec<Record>,
    names: Vec<u8>,
    /// Contents, each with an entry that is another name of it with another extension.
    renamed: BTreeSet<(EntryId, EntryId)>,
    /// Those that were handed over before that name was known.
    late: BTreeSet<EntryId>,
}

impl Catalogue {
    /// Adds the next entry.
    ///
    /// # Errors
    /// A static description of what the reader did wrong; such a reader must not be listened to any more.
    pub(crate) fn push(&mut self, entry: &Entry, max_depth: u32, max_path: u32) -> Result<EntryId, &'static str> {
        let id = EntryId::try_from(self.records.len()).map_err(|_| "too many entries")?;
        if entry.name.is_empty() || entry.name.len() > 1024 {
            return Err("an entry without a name, or with one longer than 1024 bytes");
        }
        let name_length = u16::try_from(entry.name.len()).map_err(|_| "name too long")?;
        let mut record = Record {
            volume: entry.volume,
            parent: ROOT,
            name_start: u32::try_from(self.names.len()).map_err(|_| "names longer than 4 GiB in all")?,
            name_length,
            depth: 0,
            path_length: u32::from(name_length),
            kind: entry.kind,
            size: entry.size,
            same_as: ROOT,
            modified: entry.modified.map_or(0, |modified| modified.seconds),
            clock: entry.modified.map(|modified| modified.clock),
        };
        if let Some(first) = entry.same_as {
            self.is_named_again(entry, first)?;
            record.same_as = first;
        }
        if !entry.modified.is_none_or(Modified::is_possible) {
            return Err("a time that no calendar has");
        }
        if entry.kind == EntryKind::Area && entry.parent.is_some() {
            return Err("an area inside a folder");
        }
        if let Some(parent) = entry.parent {
            let above = self.get(parent).ok_or("an entry whose folder was not announced")?;
            let fits = match entry.kind {
                EntryKind::Stream => above.kind != EntryKind::Stream,
                _ => above.kind == EntryKind::Directory,
            };
            if !fits || above.volume != entry.volume {
                return Err("an entry inside something that is no folder of its volume");
            }
            record.parent = parent;
            record.depth = above.depth.saturating_add(u16::from(entry.kind != EntryKind::Stream));
            record.path_length = above.path_length.saturating_add(1).saturating_add(u32::from(name_length));
        }
        if u32::from(record.depth) > max_depth || record.path_length > max_path {
            return Err("an entry deeper or with a longer path than the limits allow");
        }
        self.names.extend_from_slice(&entry.name);
        self.records.push(record);
        if let Some(first) = entry.same_as
            && self.extension(first) != self.extension(id)
        {
            self.renamed.insert((first, id));
        }
        Ok(id)
    }

    /// The content of `first` was handed over before its name `id` was known.
    pub(crate) fn named_late(&mut self, first: EntryId, id: EntryId) {
        if self.renamed.contains(&(first, id)) {
            self.late.insert(first);
        }
    }

    /// Extensions of all names of a content, its own first; as many as one piece can have.
    pub(crate) fn extensions(&self, id: EntryId) -> Vec<String> {
        self.all_extensions(id).0
    }

    /// Contents that were not looked at under each of their extensions: there were too many, or one was known too late.
    pub(crate) fn missed_names(&self) -> BTreeSet<EntryId> {
        let contents: BTreeSet<EntryId> = self.renamed.iter().map(|(content, _)| *content).collect();
        let over = contents.into_iter().filter(|content| self.all_extensions(*content).1);
        over.chain(self.late.iter().copied()).collect()
    }

    /// Extensions of a content, and whether there are more than one piece can have.
    fn all_extensions(&self, id: EntryId) -> (Vec<String>, bool) {
        let mut extensions = vec![self.extension(id)];
        for (_, name) in self.renamed.range((id, 0)..=(id, EntryId::MAX)) {
            let extension = self.extension(*name);
            if !extensions.contains(&extension) {
                if extensions.len() == ScanPiece::MAX_EXTENSIONS {
                    return (extensions, true);
                }
                extensions.push(extension);
            }
        }
        (extensions, false)
    }

    /// Whether `entry` can be another name of `first`.
    fn is_named_again(&self, entry: &Entry, first: EntryId) -> Result<(), &'static str> {
        let named = self.get(first).ok_or("another name of something that was not announced")?;
        let both = entry.kind.has_content() && named.kind.has_content() && named.same_as == ROOT;
        let is_link = |kind| kind == EntryKind::Link;
        if !both || is_link(entry.kind) != is_link(named.kind) || named.size != entry.size {
            return Err("another name of something that is not the same");
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: EntryId) -> Option<&Record> {
        self.records.get(usize::try_from(id).ok()?)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (EntryId, &Record)> {
        (0..).zip(self.records.iter())
    }

    /// The name of an entry as the filesystem has it.
    pub(crate) fn name(&self, record: &Record) -> &[u8] {
        let start = usize::try_from(record.name_start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::from(record.name_length));
        self.names.get(start..end).unwrap_or_default()
    }

    /// The path from the volume's root. "/" separates folders and ":" a stream from its file; either of them inside a
    /// name is escaped.
    pub(crate) fn path(&self, id: EntryId) -> ShownPath {
        let mut chain = Vec::new();
        let mut next = self.get(id);
        while let Some(record) = next {
            chain.push(record);
            next = self.get(record.parent);
        }
        let (mut visible, mut exact, mut plain) = (String::new(), Vec::new(), true);
        for (position, record) in chain.iter().rev().enumerate() {
            if position > 0 {
                let separator = if record.kind == EntryKind::Stream { ':' } else { '/' };
                visible.push(separator);
                exact.push(u8::try_from(separator).unwrap_or(b'/'));
            }
            let name = self.name(record);
            let shown = words::visible_path([name]);
            plain = plain && shown.as_bytes() == name;
            visible.push_str(&shown);
            exact.extend_from_slice(name);
        }
        ShownPath { visible, exact: (!plain).then(|| hexadecimal(&exact)) }
    }

    /// Extension in lower case without the dot, as a hint for the extension check; empty when there is none or it is
    /// longer than 16 bytes or not ASCII. The name of a link says nothing about its target, nor that of an area.
    fn extension(&self, id: EntryId) -> String {
        let named = |record: &&Record| matches!(record.kind, EntryKind::File | EntryKind::Stream);
        let Some(record) = self.get(id).filter(named) else { return String::new() };
        let name = self.name(record);
        let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else { return String::new() };
        let extension = name.get(dot.saturating_add(1)..).unwrap_or_default();
        if dot == 0 || extension.is_empty() || extension.len() > 16 {
            return String::new();
        }
        if !extension.iter().all(u8::is_ascii_alphanumeric) {
            return String::new();
        }
        extension.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect()
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::Attributes;

    fn entry(parent: Option<EntryId>, name: &[u8], kind: EntryKind) -> Entry {
        Entry {
            volume: Some(0),
            parent,
            name: name.to_vec(),
            kind,
            size: 1,
            attributes: Attributes::default(),
            same_as: None,
            modified: None,
        }
    }

    #[test]
    fn paths_are_built_from_the_root_and_hostile_names_are_escaped() {
        let mut catalogue = Catalogue::default();
        catalogue.push(&entry(None, b"dir", EntryKind::Directory), 9, 99).expect("folder");
        let file = catalogue.push(&entry(Some(0), b"a/b.TXT", EntryKind::File), 9, 99).expect("file");
        let stream = catalogue.push(&entry(Some(file), b"zone", EntryKind::Stream), 9, 99).expect("stream");
        assert_eq!(catalogue.path(0), ShownPath { visible: "dir".into(), exact: None });
        assert_eq!(catalogue.path(stream).visible, "dir/a\\u{2F}b.TXT:zone");
        assert!(catalogue.path(stream).exact.is_some());
        assert_eq!(catalogue.extension(file), "txt");
    }

    #[test]
    fn a_reader_cannot_put_entries_where_none_can_be() {
        let mut catalogue = Catalogue::default();
        catalogue.push(&entry(None, b"file", EntryKind::File), 9, 99).expect("file");
        let at = |seconds| Some(Modified { seconds, clock: Clock::Utc });
        for (wrong, depth, path) in [
            (entry(Some(0), b"child of a file", EntryKind::File), 9, 99),
            (entry(Some(7), b"orphan", EntryKind::File), 9, 99),
            (entry(None, b"", EntryKind::File), 9, 99),
            (entry(None, &[b'x'; 1025], EntryKind::File), 9, 9999),
            (entry(None, b"long", EntryKind::File), 9, 3),
            (Entry { volume: Some(1), ..entry(Some(0), b"other volume", EntryKind::Stream) }, 9, 99),
            (Entry { same_as: Some(7), ..entry(None, b"name of nothing", EntryKind::File) }, 9, 99),
            (Entry { same_as: Some(0), size: 2, ..entry(None, b"longer", EntryKind::File) }, 9, 99),
            (Entry { same_as: Some(0), ..entry(None, b"folder", EntryKind::Directory) }, 9, 99),
            (Entry { modified: at(Modified::LAST + 1), ..entry(None, b"year 10000", EntryKind::File) }, 9, 99),
            (Entry { modified: at(i64::MIN), ..entry(None, b"no year", EntryKind::File) }, 9, 99),
        ] {
            assert!(catalogue.push(&wrong, depth, path).is_err(), "{wrong:?}");
        }
        assert_eq!(catalogue.len(), 1);
    }

    #[test]
    fn a_time_is_kept_with_its_clock() {
        let mut catalogue = Catalogue::default();
        let times = [Clock::Utc, Clock::Local].map(|clock| [Modified::FIRST, 0, Modified::LAST].map(|at| (at, clock)));
        let times = times.concat().into_iter().map(|(seconds, clock)| Some(Modified { seconds, clock }));
        for modified in times.chain([None]) {
            let id = catalogue.push(&Entry { modified, ..entry(None, b"file", EntryKind::File) }, 9, 99).expect("file");
            assert_eq!(catalogue.get(id).and_then(Record::modified), modified);
        }
    }

    #[test]
    fn a_content_is_looked_at_under_the_extension_of_every_name() {
        let mut catalogue = Catalogue::default();
        let mut name = |name: String, same_as| {
            let named = Entry { same_as, ..entry(None, name.as_bytes(), EntryKind::File) };
            catalogue.push(&named, 9, 99).expect("a name")
        };
        let (first, second) = (name("a.exe".into(), None), name("b".into(), None));
        for (other, content) in [("c.JPG", first), ("d.jpg", first), ("f.exe", first)] {
            name(other.into(), Some(content));
        }
        let third = name("e.gpg".into(), Some(second));
        let many = name("many.0".into(), None);
        for number in 1..=ScanPiece::MAX_EXTENSIONS {
            name(format!("many.{number}"), Some(many));
        }
        assert_eq!(catalogue.extensions(first), ["exe", "jpg"]);
        assert_eq!(catalogue.extensions(second), ["", "gpg"]);
        assert_eq!(catalogue.extensions(many).len(), ScanPiece::MAX_EXTENSIONS);
        assert_eq!(catalogue.missed_names(), BTreeSet::from([many]));
        catalogue.named_late(second, third);
        catalogue.named_late(first, first);
        assert_eq!(catalogue.missed_names(), BTreeSet::from([second, many]));
    }

    /// A million entries are 48 MB.
    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<Record>() <= 48, "{}", size_of::<Record>());
    }

    #[test]
    fn a_link_has_a_content_which_only_links_share() {
        let mut catalogue = Catalogue::default();
        let file = catalogue.push(&entry(None, b"file.exe", EntryKind::File), 9, 99).expect("file");
        let link = catalogue.push(&entry(None, b"link.exe", EntryKind::Link), 9, 99).expect("link");
        let area = catalogue.push(&entry(None, b"[boot 0+1].exe", EntryKind::Area), 9, 99).expect("area");
        assert!([file, link, area].iter().all(|id| catalogue.get(*id).is_some_and(Record::has_content)));
        assert_eq!(
            [file, link, area].map(|id| catalogue.extension(id)),
            ["exe", "", ""],
            "only a file is one by its name"
        );
        let named = |name: &[u8], kind, first| Entry { same_as: Some(first), ..entry(None, name, kind) };
        for (kind, first) in [(EntryKind::Link, file), (EntryKind::File, link), (EntryKind::Link, area)] {
            assert!(catalogue.push(&named(b"wrong", kind, first), 9, 99).is_err(), "{kind:?} of {first}");
        }
        let second = catalogue.push(&named(b"second", EntryKind::Link, link), 9, 99).expect("another name of the link");
        assert!(!catalogue.get(second).is_some_and(Record::has_content));
        assert!(catalogue.push(&named(b"third", EntryKind::Link, second), 9, 99).is_err(), "a name of a name");
    }
}
