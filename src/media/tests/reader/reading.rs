//! Runs the reader in this process and holds it to the contract: order of messages, sealed objects, digests, totals,
//! and an area ledger that adds up. Every test goes through here.

use blanche_media::{Input, MemorySource, ReadAt, Stop, read};
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{
    AreaReport, Cause, Chunk, Digests, Entry, EntryId, EntryKind, FromReader, MediumLayout, NotRead, ReadJob,
    ReadLimits, ReadTotals, Source, Subject,
};
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

/// Everything that the reader said.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) layout: Option<MediumLayout>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) planned: Option<(u32, u64)>,
    pub(crate) contents: BTreeMap<EntryId, Vec<u8>>,
    /// Boot areas and tables, with their content.
    pub(crate) areas: Vec<(Entry, Option<Vec<u8>>)>,
    pub(crate) order: Vec<EntryId>,
    pub(crate) not_read: Vec<NotRead>,
    pub(crate) area: Option<AreaReport>,
    pub(crate) done: Option<ReadTotals>,
    pub(crate) messages: usize,
    pub(crate) objects: usize,
    open: Option<(EntryId, u64)>,
}

fn bytes_of(object: OwnedFd, length: u64) -> Vec<u8> {
    let sealed = SealedContent::accept(object, length).expect("a sealed object of the announced length");
    let mut file = File::from(sealed.as_fd().try_clone_to_owned().unwrap());
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut file).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

fn digests(bytes: &[u8]) -> Digests {
    Digests { sha256: sha2::Sha256::digest(bytes).into(), blake3: *blake3::hash(bytes).as_bytes() }
}

impl Reading {
    pub(crate) fn take(&mut self, message: FromReader, object: Option<OwnedFd>) {
        self.messages += 1;
        assert!(self.done.is_none(), "nothing comes after Done");
        assert_eq!(self.layout.is_some(), self.messages > 1, "Medium comes first, once");
        if self.open.is_some() {
            assert!(matches!(message, FromReader::Chunk(_) | FromReader::NotRead(_)), "a chunk is missing");
        }
        let with_object = matches!(message, FromReader::Content(_) | FromReader::Chunk(_));
        assert_eq!(object.is_some(), with_object);
        match message {
            FromReader::Medium(layout) => self.layout = Some(layout),
            FromReader::Entries(entries) => self.take_entries(entries),
            FromReader::Planned { files, bytes } => {
                assert!(self.planned.is_none());
                self.planned = Some((files, bytes));
            }
            FromReader::Content(content) => {
                let length = content.pieces.iter().map(|piece| piece.length).sum();
                let bytes = bytes_of(object.unwrap(), length);
                self.objects += 1;
                let mut at = 0;
                for piece in content.pieces {
                    assert_eq!(piece.offset, at, "pieces follow each other");
                    at += piece.length;
                    let part = bytes[piece.offset as usize..at as usize].to_vec();
                    assert_eq!(digests(&part), piece.digests);
                    self.content(piece.entry, part);
                }
            }
            FromReader::Chunk(chunk) => self.take_chunk(chunk, object.unwrap()),
            FromReader::NotRead(not_read) => self.take_not_read(not_read),
            FromReader::Area(area) => {
                assert!(self.planned.is_some());
                assert!(self.area.is_none());
                self.area = Some(area);
            }
            FromReader::Done(totals) => self.done = Some(totals),
        }
    }

    fn take_entries(&mut self, entries: Vec<Entry>) {
        assert!(self.planned.is_none(), "entries come before Planned");
        assert!((1..=512).contains(&entries.len()));
        for entry in entries {
            assert!(!entry.name.is_empty() && entry.name.len() <= 1024);
            match entry.volume {
                Some(volume) => assert!(usize::from(volume) < self.layout.as_ref().unwrap().volumes.len()),
                None => assert_eq!(entry.kind, EntryKind::Area),
            }
            if let Some(parent) = entry.parent {
                assert!((parent as usize) < self.entries.len(), "a parent comes before its entries");
                let above = &self.entries[parent as usize];
                let stream = entry.kind == EntryKind::Stream && above.kind != EntryKind::Stream;
                assert!(stream || above.kind == EntryKind::Directory, "{entry:?} in {above:?}");
                assert_eq!(above.volume, entry.volume);
            }
            if let Some(first) = entry.same_as {
                let first = &self.entries[first as usize];
                assert!(entry.kind.has_content() && first.kind.has_content(), "{entry:?} is the same as {first:?}");
                assert_eq!(entry.kind == EntryKind::Link, first.kind == EntryKind::Link, "{entry:?} and {first:?}");
                assert_eq!((first.same_as, first.size), (None, entry.size), "{entry:?} is the same as {first:?}");
            }
            if entry.kind == EntryKind::Area {
                self.areas.push((entry, None));
                continue;
            }
            assert!(self.areas.is_empty(), "areas come last");
            self.entries.push(entry);
        }
    }

    fn take_chunk(&mut self, chunk: Chunk, object: OwnedFd) {
        let bytes = bytes_of(object, chunk.length);
        self.objects += 1;
        let expected = self.open.take().unwrap_or((chunk.entry, 0));
        assert_eq!((chunk.entry, chunk.offset), expected, "chunks follow each other");
        let area = (chunk.entry as usize).checked_sub(self.entries.len());
        let whole = match area {
            Some(area) => {
                let (announced, content) = &mut self.areas[area];
                let whole = content.get_or_insert_default();
                whole.extend_from_slice(&bytes);
                assert!(chunk.last.is_none() || whole.len() as u64 == announced.size, "an area comes as a whole");
                whole
            }
            None if chunk.offset == 0 => {
                self.content(chunk.entry, bytes);
                &self.contents[&chunk.entry]
            }
            None => {
                let whole = self.contents.get_mut(&chunk.entry).unwrap();
                whole.extend_from_slice(&bytes);
                whole
            }
        };
        match chunk.last {
            None => self.open = Some((chunk.entry, chunk.offset + chunk.length)),
            Some(found) => assert_eq!(found, digests(whole)),
        }
    }

    fn take_not_read(&mut self, not_read: NotRead) {
        match not_read.subject {
            Subject::Medium => {}
            Subject::Volume(id) => assert!(usize::from(id) < self.layout.as_ref().unwrap().volumes.len()),
            Subject::Entry(id) => {
                let files = self.entries.iter().chain(self.areas.iter().map(|(entry, _)| entry));
                let entry = files.clone().nth(id as usize).expect("an entry comes before what is said about it");
                let end = not_read.offset.saturating_add(not_read.length);
                let grew = not_read.cause == Cause::ChangedWhileRead;
                assert!(grew || end <= entry.size, "{not_read:?} is outside of {entry:?}");
                assert!(!self.contents.contains_key(&id) || grew, "said after the content: {not_read:?}");
            }
        }
        self.not_read.push(not_read);
    }

    fn content(&mut self, entry: EntryId, bytes: Vec<u8>) {
        if let Some(area) = (entry as usize).checked_sub(self.entries.len()) {
            assert!(self.planned.is_some(), "areas have no reason to come early");
            let (announced, content) = &mut self.areas[area];
            assert_eq!(bytes.len() as u64, announced.size);
            assert!(content.replace(bytes).is_none(), "an area comes once");
            return;
        }
        let announced = &self.entries[entry as usize];
        assert!(announced.kind.has_content());
        assert_eq!(announced.same_as, None, "a content is handed over under its first name");
        assert!(bytes.len() as u64 <= self.entries[entry as usize].size);
        assert!(self.contents.insert(entry, bytes).is_none(), "a content comes once");
        self.order.push(entry);
    }

    pub(crate) fn check(&self, capacity: u64) {
        let totals = self.done.expect("Done comes last");
        let bytes: u64 = self
            .contents
            .values()
            .chain(self.areas.iter().filter_map(|(_, content)| content.as_ref()))
            .map(|content| content.len() as u64)
            .sum();
        assert_eq!(totals.entries as usize, self.entries.len() + self.areas.len());
        let own = |entry: &&Entry| entry.kind.has_content() && entry.same_as.is_none();
        let files = self.entries.iter().filter(own);
        let announced = files.fold((0, 0u64), |(count, bytes), file| (count + 1, bytes.saturating_add(file.size)));
        assert_eq!(self.planned, Some(announced), "the plan counts what was announced");
        let areas = self.areas.iter().filter(|(_, content)| content.is_some()).count();
        assert_eq!(totals.contents as usize, self.contents.len() + areas);
        assert_eq!(totals.bytes, bytes);
        let area = self.area.as_ref().expect("Area comes before Done");
        assert_eq!(area.sums.iter().map(|sum| sum.bytes).sum::<u64>(), capacity, "{:#?}", area.sums);
        assert!(area.sums.iter().all(|sum| sum.looked_at <= sum.bytes));
        assert!(area.digests.len() <= 4096);
        self.check_content_ledger();
    }

    /// Every byte of every file was handed over or is named as not read.
    fn check_content_ledger(&self) {
        let mut missing = BTreeMap::<EntryId, u64>::new();
        for note in &self.not_read {
            if let Subject::Entry(id) = note.subject {
                let sum = missing.entry(id).or_default();
                *sum = sum.saturating_add(note.length);
            }
        }
        let stopped = self.not_read.iter().any(|note| note.subject == Subject::Medium);
        for (number, entry) in self.entries.iter().enumerate() {
            let id = number as EntryId;
            if !entry.kind.has_content() || entry.same_as.is_some() || stopped {
                continue;
            }
            let here = self.contents.get(&id).map(|content| content.len() as u64);
            let missing = missing.get(&id).copied().unwrap_or(0);
            assert!(here.unwrap_or(0).saturating_add(missing) >= entry.size, "{} has a hole", self.path(id));
            assert!(here.is_some() || missing > 0, "{} never came", self.path(id));
        }
    }

    /// Path of an entry within its volume.
    pub(crate) fn path(&self, id: EntryId) -> String {
        let entry = &self.entries[id as usize];
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        match entry.parent {
            Some(parent) if entry.kind == EntryKind::Stream => format!("{}:{name}", self.path(parent)),
            Some(parent) => format!("{}/{name}", self.path(parent)),
            None => name,
        }
    }

    /// Paths and contents of all files, streams and links of a volume.
    pub(crate) fn files(&self, volume: u16) -> BTreeMap<String, Vec<u8>> {
        self.chosen(volume, |_| true)
    }

    /// Paths and targets of all links of a volume.
    pub(crate) fn links(&self, volume: u16) -> BTreeMap<String, Vec<u8>> {
        self.chosen(volume, |entry| entry.kind == EntryKind::Link)
    }

    fn chosen(&self, volume: u16, chosen: impl Fn(&Entry) -> bool) -> BTreeMap<String, Vec<u8>> {
        let of_volume = |(_, entry): &(EntryId, &Entry)| entry.volume == Some(volume) && chosen(entry);
        let entries = (0..).zip(&self.entries).filter(of_volume);
        let content = |(id, entry): (EntryId, &Entry)| {
            let bytes = self.contents.get(&entry.same_as.unwrap_or(id))?;
            Some((self.path(id), bytes.clone()))
        };
        entries.filter_map(content).collect()
    }

    /// The entry with this path.
    pub(crate) fn find(&self, path: &str) -> EntryId {
        let mut ids = 0..self.entries.len() as EntryId;
        ids.find(|id| self.path(*id) == path).unwrap_or_else(|| panic!("no {path}"))
    }

    /// What was not read of the entry with this path: offset, length, cause.
    pub(crate) fn notes(&self, path: &str) -> Vec<(u64, u64, Cause)> {
        let subject = Subject::Entry(self.find(path));
        let notes = self.not_read.iter().filter(|note| note.subject == subject);
        notes.map(|note| (note.offset, note.length, note.cause.clone())).collect()
    }

    pub(crate) fn layout(&self) -> &MediumLayout {
        self.layout.as_ref().unwrap()
    }

    /// Whether anything was not read for this cause.
    pub(crate) fn says(&self, cause: &Cause) -> bool {
        self.not_read.iter().any(|note| note.cause == *cause)
    }
}

/// Reads a medium with these limits and 512-byte blocks.
pub(crate) fn read_with(source: &dyn ReadAt, limits: ReadLimits) -> Reading {
    let capacity = source.capacity();
    let job = ReadJob { source: Source::Medium { capacity, logical_block: 512 }, limits };
    run(&job, &Input::Medium(source), capacity)
}

/// Runs a job and checks the contract.
pub(crate) fn run(job: &ReadJob, input: &Input<'_>, capacity: u64) -> Reading {
    let mut reading = Reading::default();
    let mut out = |message: FromReader, object: Option<OwnedFd>| -> Result<(), Stop> {
        reading.take(message, object);
        Ok(())
    };
    read(job, input, &mut out).expect("no failure but the medium's");
    reading.check(capacity);
    reading
}

/// Reads an image in memory.
pub(crate) fn read_image(bytes: Vec<u8>) -> Reading {
    read_with(&MemorySource::new(bytes), ReadLimits::default())
}
