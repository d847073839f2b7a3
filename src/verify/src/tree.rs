//! What a mounted folder holds, in the order of a manifest.
//!
//! Each folder is sorted by itself, and what it holds follows it at once. That is the order of whole paths: the zero byte
//! between components is lower than any byte of a name. Paths stand one behind the other in one buffer: of a hundred
//! thousand files, as many small allocations would cost more than the comparison (P9 of docs/performance.md).

use crate::interrupt::Interrupt;
use crate::names;
use crate::reparse;
use blanche_tag::manifest::{EntryKind, MAX_ENTRIES, is_folder_path};
use blanche_tag::{Observed, Unlisted, Walk};
use std::collections::BTreeSet;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::thread;

/// Entries that are asked about at once; of as many, each half has a thread.
const TOGETHER: usize = 4096;
/// Fewer are not worth a thread.
const FEW: usize = 256;

/// One entry; its path stands in a buffer beside it.
#[derive(Clone, Debug)]
struct Place {
    path: Range<usize>,
    kind: EntryKind,
    size: u64,
}

/// The entries of one folder, with the buffer of their paths.
#[derive(Debug, Default)]
struct Listed {
    paths: Vec<u8>,
    places: std::vec::IntoIter<Place>,
}

/// Everything below a folder.
#[derive(Debug)]
pub(crate) struct Tree {
    volume: u32,
    paths: Vec<u8>,
    places: Vec<Place>,
    unlisted: Vec<Unlisted>,
}

fn path_in<'p>(paths: &'p [u8], place: &Place) -> &'p [u8] {
    paths.get(place.path.clone()).unwrap_or_default()
}

impl Tree {
    /// Lists everything below `root`, which shows volume number `volume`, without reading a content.
    pub(crate) fn list(root: &Path, volume: u32, interrupt: &Interrupt) -> Self {
        let device = fs::symlink_metadata(root).map_or(0, |metadata| device_of(&metadata));
        let mut tree = Self { volume, paths: Vec::new(), places: Vec::new(), unlisted: Vec::new() };
        let mut listing = Listing { root, volume, device, found: 0 };
        let mut open = vec![tree.listed(&[], &mut listing)];
        while let Some(folder) = open.last_mut() {
            if interrupt.is_raised() {
                break;
            }
            let Some(place) = folder.places.next() else {
                open.pop();
                continue;
            };
            let path = path_in(&folder.paths, &place);
            let start = tree.paths.len();
            tree.paths.extend_from_slice(path);
            tree.places.push(Place { path: start..tree.paths.len(), ..place });
            if place.kind == EntryKind::Folder {
                let path = path.to_vec();
                open.push(tree.listed(&path, &mut listing));
            }
        }
        tree
    }

    /// What is in a folder, in the order of names; nothing of one that cannot be listed to its end.
    fn listed(&mut self, folder: &[u8], listing: &mut Listing<'_>) -> Listed {
        let (mut paths, mut places) = (Vec::new(), Vec::new());
        if let Err(unlisted) = listing.list(folder, &mut paths, &mut places) {
            self.unlisted.push(unlisted);
            return Listed::default();
        }
        places.sort_unstable_by(|one, other| path_in(&paths, one).cmp(path_in(&paths, other)));
        Listed { paths, places: places.into_iter() }
    }

    /// Bytes of all contents.
    pub(crate) fn bytes(&self) -> u64 {
        self.places.iter().map(|place| place.size).fold(0, u64::saturating_add)
    }

    /// For the comparison; entries are made one at a time.
    pub(crate) fn walk(&self) -> Walk<impl Iterator<Item = Observed> + '_> {
        let observed = |place: &Place| Observed {
            volume: self.volume,
            path: path_in(&self.paths, place).to_vec(),
            stream: None,
            kind: place.kind,
            size: place.size,
            // Mounted folders show long names only.
            strange_short_name: false,
        };
        Walk {
            volumes: BTreeSet::from([self.volume]),
            entries: self.places.iter().map(observed),
            unlisted: self.unlisted.clone(),
            shows_streams: false,
        }
    }
}

/// Lists folders one by one.
struct Listing<'a> {
    root: &'a Path,
    volume: u32,
    /// That of the root.
    device: u64,
    /// Entries so far.
    found: u64,
}

impl Listing<'_> {
    /// The error names the folder, or the entry that keeps it from being listed.
    fn list(&mut self, folder: &[u8], paths: &mut Vec<u8>, places: &mut Vec<Place>) -> Result<(), Unlisted> {
        let volume = self.volume;
        let unlisted = |path: &[u8], why: io::Error| Unlisted { volume, path: path.to_vec(), why: why.to_string() };
        let refused = |why: &str| Err(unlisted(folder, io::Error::other(why)));
        let mut unread = fs::read_dir(names::below(self.root, folder)).map_err(|error| unlisted(folder, error))?;
        loop {
            let entries = unread.by_ref().take(TOGETHER).collect::<io::Result<Vec<_>>>();
            let entries = entries.map_err(|error| unlisted(folder, error))?;
            if entries.is_empty() {
                return Ok(());
            }
            for (entry, seen) in entries.iter().zip(ask(&entries)) {
                let start = paths.len();
                names::join(paths, folder, &names::from_host(&entry.file_name()));
                let path = start..paths.len();
                self.found = self.found.saturating_add(1);
                // One more than any manifest has: the comparison refuses anyway.
                if self.found > MAX_ENTRIES.saturating_add(1) {
                    return refused("more entries than any tag lists");
                }
                let whole = paths.get(path.clone()).unwrap_or_default();
                if !is_folder_path(whole) {
                    return refused("a path that no tag can list");
                }
                let (device, kind, size) = seen.map_err(|error| unlisted(whole, error))?;
                if device != self.device {
                    return refused("another filesystem is mounted in it");
                }
                places.push(Place { path, kind, size });
            }
        }
    }
}

/// Device, kind and size of each of the entries, or why they cannot be told. Asking takes most of the time of an inventory, and two
/// processors ask twice as fast.
fn ask(entries: &[DirEntry]) -> Vec<io::Result<(u64, EntryKind, u64)>> {
    let each = |entries: &[DirEntry]| -> Vec<_> {
        let seen = |metadata: Metadata| {
            reparse::admit(&metadata)?;
            let (kind, size) = kind_of(&metadata);
            Ok((device_of(&metadata), kind, size))
        };
        entries.iter().map(|entry| entry.metadata().and_then(seen)).collect()
    };
    let (here, there) = entries.split_at(if entries.len() < FEW { entries.len() } else { entries.len() / 2 });
    thread::scope(|scope| {
        // Without a thread, this one asks about all.
        let spawn = || thread::Builder::new().spawn_scoped(scope, || each(there)).ok();
        let other = (!there.is_empty()).then(spawn).flatten();
        let mut seen = each(here);
        seen.extend(other.and_then(|other| other.join().ok()).unwrap_or_else(|| each(there)));
        seen
    })
}

fn kind_of(metadata: &Metadata) -> (EntryKind, u64) {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        (EntryKind::Link, metadata.len())
    } else if kind.is_dir() {
        (EntryKind::Folder, 0)
    } else if kind.is_file() {
        (EntryKind::File, metadata.len())
    } else {
        (EntryKind::Other, 0)
    }
}

#[cfg(unix)]
fn device_of(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.dev()
}

/// Windows mounts other volumes by reparse points, which are not followed.
#[cfg(not(unix))]
fn device_of(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_the_order_of_a_manifest() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "a!", "a b", "b/a/c", "b/a!/c", "b/ab", "C", "\u{e9}/x"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let tree = Tree::list(folder.path(), 3, &Interrupt::default());
        let walk = tree.walk();
        let found: Vec<_> = walk.entries.collect();
        assert_eq!((found.len(), tree.bytes(), walk.unlisted.len()), (12, 26, 0));
        assert!(found.is_sorted_by(|one, other| one.key() < other.key()), "{found:?}");
    }

    #[test]
    fn each_of_many_entries_is_found_with_its_own_size() {
        let folder = tempfile::tempdir().unwrap();
        let sizes: Vec<_> = (0..TOGETHER + FEW).collect();
        for size in &sizes {
            fs::File::create(folder.path().join(format!("{size:05}"))).unwrap().set_len(*size as u64).unwrap();
        }
        let tree = Tree::list(folder.path(), 0, &Interrupt::default());
        let found = tree.walk().entries.map(|entry| (String::from_utf8(entry.path).unwrap(), entry.size));
        assert!(found.eq(sizes.iter().map(|size| (format!("{size:05}"), *size as u64))));
    }

    #[test]
    fn a_folder_that_is_gone_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::list(&folder.path().join("gone"), 0, &Interrupt::default());
        let walk = tree.walk();
        assert_eq!((walk.entries.count(), walk.unlisted[0].path.len()), (0, 0));
    }
}
