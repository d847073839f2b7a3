//! Folders and files as the parent announces them, validated entry by entry.

use super::names::{fold, is_writable};
use super::short;
use crate::draft::index;
use blanche_sandbox::wire::{CopyEntry, CopyKind, MAX_COPIED};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Why an announcement is refused: the parent is not listened to any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// More than [`MAX_COPIED`].
    #[error("more entries than the limit allows")]
    TooMany,
    /// A folder that was not announced.
    #[error("an entry inside something that is no folder")]
    Parent,
    /// A name that some host would show otherwise.
    #[error("a name that cannot be written")]
    Name,
    /// Two names that hosts take for the same.
    #[error("two entries of one name")]
    Twice,
    /// Nothing has the digest of something, or the other way round.
    #[error("an empty file with the digest of another")]
    Empty,
}

/// Everything that will be on the medium.
#[derive(Debug, Default)]
pub struct Tree {
    entries: Vec<CopyEntry>,
    root: Vec<u32>,
    /// What is in each entry, in the order of announcement.
    inside: Vec<Vec<u32>>,
    names: HashSet<(Option<u32>, Vec<u16>)>,
}

impl Tree {
    /// The next entry.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn push(&mut self, entry: CopyEntry) -> Result<(), TreeError> {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        if self.entries.len() >= MAX_COPIED {
            return Err(TreeError::TooMany);
        }
        let folder = |parent: u32| self.get(parent).is_some_and(|parent| parent.kind == CopyKind::Folder);
        if !entry.parent.is_none_or(folder) {
            return Err(TreeError::Parent);
        }
        if !is_writable(&entry.name) {
            return Err(TreeError::Name);
        }
        if let CopyKind::File { size, sha256 } = entry.kind
            && (size == 0) != (sha256[..] == Sha256::digest([])[..])
        {
            return Err(TreeError::Empty);
        }
        if !self.names.insert((entry.parent, fold(&entry.name))) {
            return Err(TreeError::Twice);
        }
        match entry.parent {
            None => self.root.push(number),
            Some(parent) => self.inside.get_mut(index(parent.into())).into_iter().for_each(|list| list.push(number)),
        }
        self.entries.push(entry);
        self.inside.push(Vec::new());
        Ok(())
    }

    /// One entry.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&CopyEntry> {
        self.entries.get(index(number.into()))
    }

    /// All entries with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &CopyEntry)> {
        (0..).zip(&self.entries)
    }

    /// What a folder, or the root, holds.
    pub(super) fn inside(&self, folder: Option<u32>) -> impl Iterator<Item = (u32, &CopyEntry)> {
        let list = match folder {
            None => Some(&self.root),
            Some(folder) => self.inside.get(index(folder.into())),
        };
        list.into_iter().flatten().filter_map(|number| Some((*number, self.get(*number)?)))
    }

    /// Size and digest of a file.
    pub(super) fn file(&self, number: u32) -> Option<(u64, [u8; 32])> {
        match self.get(number)?.kind {
            CopyKind::File { size, sha256 } => Some((size, sha256)),
            CopyKind::Folder => None,
        }
    }

    /// How many entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Records of 32 bytes that a name needs in a folder of FAT.
#[must_use]
pub fn fat_records(name: &[u16]) -> u64 {
    match short::exact(name) {
        Some(_) => 1,
        None => u64::try_from(name.len().div_ceil(13)).unwrap_or(u64::MAX).saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(parent: Option<u32>, name: &str, kind: CopyKind) -> CopyEntry {
        CopyEntry { parent, name: name.encode_utf16().collect(), kind, modified: None }
    }

    const FILE: CopyKind = CopyKind::File { size: 1, sha256: [1; 32] };

    #[test]
    fn a_parent_that_was_taken_over_cannot_announce_what_no_host_could_read() {
        let mut tree = Tree::default();
        tree.push(entry(None, "folder", CopyKind::Folder)).unwrap();
        tree.push(entry(Some(0), "file", FILE)).unwrap();
        for (wrong, error) in [
            (entry(Some(1), "in a file", FILE), TreeError::Parent),
            (entry(Some(2), "in itself", CopyKind::Folder), TreeError::Parent),
            (entry(None, "FOLDER", FILE), TreeError::Twice),
            (entry(None, "nul", FILE), TreeError::Name),
            (entry(None, "a", CopyKind::File { size: 0, sha256: [1; 32] }), TreeError::Empty),
        ] {
            assert_eq!(tree.push(wrong), Err(error));
        }
        assert_eq!(tree.len(), 2);
        assert_eq!(tree.inside(Some(0)).count(), 1);
    }

    #[test]
    fn long_names_need_a_record_for_every_13_units() {
        let records = |name: &str| fat_records(&name.encode_utf16().collect::<Vec<_>>());
        assert_eq!(["README.TXT", "readme.txt", "thirteen.long", "fourteen.longs"].map(records), [1, 2, 2, 3]);
    }
}
