//! What will be read, kept small: about 40 bytes per file, so that a million files stay far below the memory limit.

use crate::bytes::index;
use crate::filesystem::{ContentId, Extent};
use blanche_sandbox::wire::{EntryId, EntryKind, VolumeId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Extents beyond the first of each file that are kept at most (64 MiB).
const MAX_EXTENTS: usize = 4 << 20;

/// Contents from this length on are read before the short ones: matching one of them takes long, and a core that got the
/// last of them at the end would work alone.
const LONG: u64 = 16 << 20;
/// Contents that are read first because of their name; more of them would cost a disc too many seeks.
const MAX_FIRST: u32 = 256;
/// Extensions of what runs when somebody opens it, or can make something run: what is dangerous is seen early.
const RISKY: [&[u8]; 64] = [
    b"apk",
    b"app",
    b"application",
    b"bat",
    b"chm",
    b"cmd",
    b"com",
    b"cpl",
    b"desktop",
    b"dll",
    b"doc",
    b"docm",
    b"dotm",
    b"elf",
    b"exe",
    b"gadget",
    b"hlp",
    b"hta",
    b"img",
    b"inf",
    b"iqy",
    b"iso",
    b"jar",
    b"jnlp",
    b"js",
    b"jse",
    b"library-ms",
    b"lnk",
    b"msc",
    b"msi",
    b"one",
    b"pif",
    b"potm",
    b"ppam",
    b"pps",
    b"ppsm",
    b"ppt",
    b"pptm",
    b"ps1",
    b"psm1",
    b"rdp",
    b"reg",
    b"rtf",
    b"scf",
    b"scr",
    b"sct",
    b"search-ms",
    b"settingcontent-ms",
    b"sh",
    b"slk",
    b"sys",
    b"url",
    b"vbe",
    b"vbs",
    b"vhd",
    b"vhdx",
    b"wsf",
    b"wsh",
    b"xla",
    b"xlam",
    b"xll",
    b"xls",
    b"xlsb",
    b"xlsm",
];

/// When a content is read; within a turn, in the order of the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Its name says that it may run.
    First,
    /// It is long.
    Long,
    /// All others.
    Last,
}

impl Turn {
    /// By the name of an entry, as it stands on the medium. The name of a link says nothing about its target.
    pub(crate) fn of(kind: EntryKind, name: &[u8]) -> Self {
        if kind == EntryKind::Link {
            return Self::Last;
        }
        let extension = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        let risky = extension.len() < name.len() && RISKY.iter().any(|risky| extension.eq_ignore_ascii_case(risky));
        if risky { Self::First } else { Self::Last }
    }
}

/// One content to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    turn: Turn,
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
    /// How many have the first turn.
    first: u32,
    /// Contents that may be met again under another name: volume (numbers mean nothing outside of it), identity, size.
    names: BTreeMap<(Option<VolumeId>, ContentId, u64), EntryId>,
}

impl Plan {
    /// Adds a content of at most `size` bytes; false when there is no room for its extents. A `unit` other than 0 says
    /// that it is stored in NTFS compression units of so many bytes.
    pub(crate) fn add(
        &mut self,
        entry: EntryId,
        volume: VolumeId,
        extents: &[Extent],
        unit: u32,
        size: u64,
        turn: Turn,
    ) -> bool {
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
        let turn = match turn {
            Turn::First if self.first < MAX_FIRST && length > 0 => Turn::First,
            _ if length >= LONG => Turn::Long,
            _ => Turn::Last,
        };
        self.first = self.first.saturating_add(u32::from(turn == Turn::First));
        self.files.push(Planned { turn, entry, volume, length, unit, first, more: start, more_count: count });
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

    /// Orders contents by their turn, long ones by their length, then by their position on the medium: the longest of all would keep one
    /// core busy at the end.
    pub(crate) fn sort(&mut self) {
        let length = |file: &Planned| Reverse(if file.turn == Turn::Long { file.length } else { 0 });
        self.files.sort_unstable_by_key(|file| (file.turn, length(file), file.first.start, file.entry));
    }

    /// Keeps only the contents that somebody wants.
    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(EntryId) -> bool) {
        self.files.retain(|file| wanted(file.entry));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_run_comes_first_then_what_is_longest_then_the_rest_in_the_order_of_the_medium() {
        let mut plan = Plan::default();
        let mut add = |entry, start, length, name: &[u8]| {
            let extent = Extent { start, length };
            assert!(plan.add(entry, 0, &[extent], 0, length, Turn::of(EntryKind::File, name)));
        };
        add(0, 0, 10, b"a.txt");
        add(1, 5000, LONG, b"film.mkv");
        add(2, 4000, 10, b"b.EXE");
        add(3, 3000, 10, b"exe");
        add(4, 2000, 10, b"c.vbs");
        add(5, 6000, LONG + 1, b"longer.mkv");
        plan.sort();
        let order: Vec<EntryId> = plan.files().iter().map(|file| file.entry).collect();
        assert_eq!(order, [4, 2, 5, 1, 0, 3]);
    }

    #[test]
    fn a_link_does_not_run_whatever_its_name() {
        assert_eq!(Turn::of(EntryKind::File, b"a.exe"), Turn::First);
        assert_eq!(Turn::of(EntryKind::Link, b"a.exe"), Turn::Last);
    }

    #[test]
    fn only_so_many_come_first() {
        let mut plan = Plan::default();
        for entry in 0..2 * MAX_FIRST {
            let extent = Extent { start: u64::from(entry), length: 1 };
            assert!(plan.add(entry, 0, &[extent], 0, 1, Turn::First));
        }
        let first = plan.files().iter().filter(|file| file.turn == Turn::First).count();
        assert_eq!(first, index(u64::from(MAX_FIRST)));
    }
}
