//! What will be read, kept small: about 40 bytes per file, so that a million files stay far below the memory limit.

use crate::bytes::index;
use crate::filesystem::{ContentId, Extent};
use blanche_sandbox::wire::{EntryId, VolumeId};
use std::collections::BTreeMap;

/// Extents beyond the first of each file that are kept at most (64 MiB).
const MAX_EXTENTS: usize = 4 << 20;

/// One content to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    pub(crate) entry: EntryId,
    pub(crate) volume: VolumeId,
    /// Bytes that can be handed over.
    pub(crate) length: u64,
    /// Bytes of an NTFS compression unit; 0 for plain content.
    pub(crate) unit: u32,
    first: Extent,
    more: u32,
    more_count: u32,
}

impl Planned {
    /// Where its content begins; empty contents come first.
    pub(crate) fn first(&self) -> Extent {
        self.first
    }

    /// Whether it lies in one piece, as it is.
    pub(crate) fn single(&self) -> bool {
        self.more_count == 0 && self.unit == 0
    }
}

/// All contents of a medium.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    files: Vec<Planned>,
    extents: Vec<Extent>,
    /// Contents that may be met again under another name: volume (numbers mean nothing outside of it), identity, size.
    names: BTreeMap<(Option<VolumeId>, ContentId, u64), EntryId>,
}

impl Plan {
    /// Adds a content of at most `size` bytes; false when there is no room for its extents. A `unit` other than 0 says
    /// that it is stored in NTFS compression units of so many bytes.
    pub(crate) fn add(&mut self, entry: EntryId, volume: VolumeId, extents: &[Extent], unit: u32, size: u64) -> bool {
        let (first, more) = match extents.split_first() {
            Some((first, more)) => (*first, more),
            None => (Extent { start: 0, length: 0 }, extents),
        };
        if self.extents.len().saturating_add(more.len()) > MAX_EXTENTS {
            return false;
        }
        let length = extents.iter().map(|extent| extent.length).fold(0, u64::saturating_add).min(size);
        let start = u32::try_from(self.extents.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(more.len()).unwrap_or(u32::MAX);
        self.extents.extend_from_slice(more);
        self.files.push(Planned { entry, volume, length, unit, first, more: start, more_count: count });
        true
    }

    /// The entry under which a content was announced first.
    pub(crate) fn first_name(&self, volume: VolumeId, content: ContentId, size: u64) -> Option<EntryId> {
        self.names.get(&(scope(volume, content), content, size)).copied()
    }

    /// Remembers the first name of a content.
    pub(crate) fn name(&mut self, volume: VolumeId, content: ContentId, size: u64, entry: EntryId) {
        self.names.insert((scope(volume, content), content, size), entry);
    }

    /// Orders contents by their position on the medium.
    pub(crate) fn sort(&mut self) {
        self.files.sort_unstable_by_key(|file| (file.first.start, file.entry));
    }

    pub(crate) fn files(&self) -> &[Planned] {
        &self.files
    }

    /// The extents of a content.
    pub(crate) fn extents(&self, file: &Planned) -> impl Iterator<Item = Extent> + '_ {
        let start = index(u64::from(file.more));
        let end = start.saturating_add(index(u64::from(file.more_count)));
        std::iter::once(file.first).chain(self.extents.get(start..end).unwrap_or_default().iter().copied())
    }
}

/// Numbers are unique within their volume, places on the whole medium.
fn scope(volume: VolumeId, content: ContentId) -> Option<VolumeId> {
    match content {
        ContentId::Number(_) => Some(volume),
        ContentId::Place(_) => None,
    }
}
