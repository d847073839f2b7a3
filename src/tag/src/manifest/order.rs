//! Rules between entries: strictly ascending, folders before what they hold.

use super::{Counts, Entry, EntryKind, MAX_ENTRIES};

/// What the next entry is compared with; its memory is used again for each entry.
#[derive(Debug, Default)]
struct Last {
    volume: u32,
    path: Vec<u8>,
    stream: Option<Vec<u8>>,
}

/// Follows a manifest from entry to entry.
#[derive(Debug, Default)]
pub(super) struct Order {
    last: Option<Last>,
    /// The last folder that was seen, or the folder that holds the last entry: it is a prefix of every path that may
    /// follow, because what a folder holds follows it without anything between.
    folder: Vec<u8>,
    pub(super) counts: Counts,
}

impl Order {
    pub(super) fn take(&mut self, entry: &Entry) -> Result<(), &'static str> {
        entry.check()?;
        if self.counts.entries >= MAX_ENTRIES {
            return Err("too many entries");
        }
        if let Some(last) = &self.last {
            if (last.volume, last.path.as_slice(), last.stream.as_deref()) >= entry.key() {
                return Err("out of order or repeated");
            }
            if last.volume != entry.volume {
                self.folder.clear();
            }
        }
        if entry.stream.is_some() {
            self.check_owner(entry)?
        } else {
            self.enter(entry)?
        }
        if !self.counts.add(entry.kind, entry.size) {
            return Err("sizes exceed 64 bits");
        }
        let last = self.last.get_or_insert_default();
        last.volume = entry.volume;
        last.path.clone_from(&entry.path);
        last.stream.clone_from(&entry.stream);
        Ok(())
    }

    /// A stream follows what it belongs to, or another stream of it.
    fn check_owner(&self, entry: &Entry) -> Result<(), &'static str> {
        let owner = |last: &Last| last.volume == entry.volume && last.path == entry.path;
        if entry.path.is_empty() || self.last.as_ref().is_some_and(owner) { Ok(()) } else { Err("stream of nothing") }
    }

    /// The folder of the entry was seen, and everything since lies in it.
    fn enter(&mut self, entry: &Entry) -> Result<(), &'static str> {
        let end = entry.path.iter().rposition(|byte| *byte == 0).unwrap_or(0);
        let parent = entry.path.get(..end).unwrap_or_default();
        let known = parent.is_empty()
            || self.folder == parent
            || self.folder.strip_prefix(parent).is_some_and(|rest| rest.first() == Some(&0));
        if !known {
            return Err("its folder does not come before it");
        }
        self.folder.truncate(end);
        if entry.kind == EntryKind::Folder {
            self.folder.clone_from(&entry.path);
        }
        Ok(())
    }
}
