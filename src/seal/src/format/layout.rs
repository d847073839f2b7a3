//! Which clusters everything gets, and what is written for it.
//!
//! Everything lies in one piece: first what the filesystem itself needs, then the folders, then the files, each in the order
//! of announcement, without a gap. Only the root folder has two pieces. Its first cluster holds what the filesystem needs
//! there and records that are free, and never changes; what people see stands behind it, and one entry of the allocation
//! table leads there: the **link**. An end mark inside the root would not do: Linux and exfat-fuse read on behind it.

use super::geometry::{FIRST, Geometry};
use super::tree::Tree;
use super::{exfat, fat32, put};
use crate::draft::{index, wide};
use crate::space::Run;
use crate::stamp::Stamp;
use blanche_sandbox::wire::{CopyEntry, CopyFilesystem, CopyKind, CopyObstacle};
use std::ops::Range;

/// Bytes written at once.
pub(super) const STEP: u64 = 1 << 20;

/// Takes whole sectors: first byte on the medium, and the bytes.
pub(super) type Sink<'s, E> = dyn FnMut(u64, &[u8]) -> Result<(), E> + 's;

/// What the allocation table says of the volume as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Somebody is writing.
    pub(super) dirty: bool,
    /// The first cluster of the root folder leads to the rest of it.
    pub(super) linked: bool,
}

impl State {
    /// Nothing is to be seen yet.
    pub(super) const HIDDEN: Self = Self { dirty: true, linked: false };
    /// The switch is made.
    pub(super) const SHOWN: Self = Self { dirty: true, linked: true };
    /// Nobody is writing any more.
    pub(super) const DONE: Self = Self { dirty: false, linked: true };
}

/// A filesystem with everything in its place.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) geometry: Geometry,
    pub(super) serial: u32,
    pub(super) stamp: Stamp,
    pub(super) tree: Tree,
    /// Allocation bitmap and up-case table; FAT32 has neither.
    pub(super) system: Vec<Run>,
    /// The first cluster of the root folder.
    pub(super) root: Run,
    /// The rest of the root folder; none when there is nothing in it.
    pub(super) shown: Option<Run>,
    /// The clusters of each entry of the tree; empty files have none.
    runs: Vec<Option<Run>>,
    /// The first cluster that nothing uses.
    pub(super) free: u32,
}

impl Layout {
    /// Gives everything its place.
    ///
    /// # Errors
    /// [`CopyObstacle::NoRoom`], [`CopyObstacle::FolderFull`].
    pub(super) fn new(geometry: Geometry, serial: u32, stamp: Stamp, tree: Tree) -> Result<Self, CopyObstacle> {
        let none = Run { first: 0, count: 0 };
        let mut layout = Self {
            geometry,
            serial,
            stamp,
            tree,
            system: Vec::new(),
            root: none,
            shown: None,
            runs: Vec::new(),
            free: 2,
        };
        let mut needed = 0u64;
        for bytes in layout.system_bytes() {
            let run = layout.take(bytes, &mut needed);
            layout.system.push(run);
        }
        layout.root = layout.take(1, &mut needed);
        let shown = layout.folder_bytes(None)?;
        if shown > 0 {
            layout.shown = Some(layout.take(shown, &mut needed));
        }
        layout.runs = vec![None; layout.tree.len()];
        for folders in [true, false] {
            for number in 0..u32::try_from(layout.tree.len()).unwrap_or(u32::MAX) {
                let bytes = match layout.tree.get(number).map(|entry| entry.kind) {
                    Some(CopyKind::Folder) if folders => layout.folder_bytes(Some(number))?,
                    Some(CopyKind::File { size, .. }) if !folders && size > 0 => size,
                    _ => continue,
                };
                let run = layout.take(bytes, &mut needed);
                layout.runs.get_mut(index(number.into())).into_iter().for_each(|slot| *slot = Some(run));
            }
        }
        let room = layout.geometry.room();
        let needed = needed.saturating_mul(layout.geometry.cluster);
        if needed > room { Err(CopyObstacle::NoRoom { needed, room }) } else { Ok(layout) }
    }

    /// The same volume without a folder or file.
    ///
    /// # Errors
    /// When not even that fits.
    pub(super) fn emptied(&self) -> Result<Self, CopyObstacle> {
        Self::new(self.geometry.clone(), self.serial, self.stamp, Tree::default())
    }

    /// Whether so many bytes are free.
    ///
    /// # Errors
    /// [`CopyObstacle::NoRoom`].
    pub(super) fn leaves(&self, bytes: u64) -> Result<(), CopyObstacle> {
        let (room, cluster) = (self.geometry.room(), self.geometry.cluster);
        let used = u64::from(self.free.saturating_sub(2)).saturating_mul(cluster);
        let needed = self.geometry.clusters_for(bytes).saturating_mul(cluster).saturating_add(used);
        if needed > room { Err(CopyObstacle::NoRoom { needed, room }) } else { Ok(()) }
    }

    /// The next clusters. What does not fit gets nonsense, and the whole layout is refused at the end.
    fn take(&mut self, bytes: u64, needed: &mut u64) -> Run {
        let clusters = self.geometry.clusters_for(bytes);
        *needed = needed.saturating_add(clusters);
        let run = Run { first: self.free, count: u32::try_from(clusters).unwrap_or(u32::MAX) };
        self.free = self.free.saturating_add(run.count);
        run
    }

    fn exfat(&self) -> bool {
        self.geometry.filesystem == CopyFilesystem::ExFat
    }

    fn system_bytes(&self) -> Vec<u64> {
        if self.exfat() { vec![exfat::bitmap_bytes(&self.geometry), wide(exfat::upcase().len())] } else { Vec::new() }
    }

    fn folder_bytes(&self, folder: Option<u32>) -> Result<u64, CopyObstacle> {
        if self.exfat() { exfat::folder_bytes(&self.tree, folder) } else { fat32::folder_bytes(&self.tree, folder) }
    }

    /// The clusters of an entry.
    pub(super) fn run(&self, number: u32) -> Option<Run> {
        self.runs.get(index(number.into())).copied().flatten()
    }

    /// When an entry was last changed; what nobody knows of was changed now.
    pub(super) fn changed(&self, entry: &CopyEntry) -> Stamp {
        entry.modified.map_or(self.stamp, |modified| self.stamp.of_file(modified))
    }

    /// Where a run stands on the medium.
    pub(super) fn place(&self, run: Run) -> Range<u64> {
        self.geometry.place(run.first)..self.geometry.place(run.first.saturating_add(run.count))
    }

    /// All runs, in the order of their clusters.
    pub(super) fn all(&self) -> Vec<Run> {
        let mut all: Vec<Run> = self.system.iter().copied().chain([self.root]).chain(self.shown).collect();
        all.extend(self.runs.iter().flatten());
        all.sort_unstable_by_key(|run| run.first);
        all
    }

    /// The partition table: one block.
    pub(super) fn partition_table(&self) -> Vec<u8> {
        let geometry = &self.geometry;
        let mut block = vec![0u8; index(geometry.sector)];
        let short = |bytes: u64| u32::try_from(geometry.sectors(bytes)).unwrap_or(u32::MAX).to_le_bytes();
        // UEFI 2.10, 5.2.1. FE FF FF: beyond what cylinders, heads and sectors can say.
        let kind = if self.exfat() { 0x07 } else { 0x0c };
        put(&mut block, 440, &self.serial.to_le_bytes());
        put(&mut block, 446, &[0, 0xfe, 0xff, 0xff, kind, 0xfe, 0xff, 0xff]);
        put(&mut block, 454, &short(FIRST));
        put(&mut block, 458, &short(geometry.length()));
        put(&mut block, 510, &[0x55, 0xaa]);
        block
    }

    /// Boot sectors and what belongs to them.
    pub(super) fn boot<E>(&self, sink: &mut Sink<'_, E>) -> Result<(), E> {
        if self.exfat() { exfat::boot(self, sink) } else { fat32::boot(self, sink) }
    }

    /// The allocation tables up to `last`, a cluster.
    pub(super) fn tables<E>(&self, last: u32, state: State, sink: &mut Sink<'_, E>) -> Result<(), E> {
        let geometry = &self.geometry;
        let length = u64::from(last).saturating_add(1).saturating_mul(4).min(geometry.table);
        let length = super::round_up(length, geometry.sector);
        let runs = self.all();
        for copy in 0..geometry.tables {
            let start = geometry.table_start.saturating_add(copy.saturating_mul(geometry.table));
            let mut at = 0u64;
            while at < length {
                let end = length.min(at.saturating_add(STEP));
                sink(start.saturating_add(at), &self.entries(&runs, at / 4..end / 4, state))?;
                at = end;
            }
        }
        if self.exfat() { exfat::flags(self, state.dirty, sink) } else { Ok(()) }
    }

    /// The block of the first table that holds the link, and where it stands: the switch. What the filesystem itself
    /// needs fits into the clusters of one block of the table on every medium.
    pub(super) fn link(&self, state: State) -> (u64, Vec<u8>) {
        let geometry = &self.geometry;
        (geometry.table_start, self.entries(&self.all(), 0..geometry.sector / 4, state))
    }

    /// Entries of the allocation table; `runs` are all runs in order.
    fn entries(&self, runs: &[Run], range: Range<u64>, state: State) -> Vec<u8> {
        let last = self.shown.unwrap_or(self.root).first;
        let end_of = |run: &Run| u64::from(run.first.saturating_add(run.count));
        let mut next = runs.partition_point(|run| end_of(run) <= range.start);
        let mut bytes = Vec::with_capacity(index(range.end.saturating_sub(range.start).saturating_mul(4)));
        for cluster in range {
            while runs.get(next).is_some_and(|run| end_of(run) <= cluster) {
                next = next.saturating_add(1);
            }
            let number = u32::try_from(cluster).unwrap_or(u32::MAX);
            let run = runs.get(next).filter(|run| run.first <= number);
            let entry = match (number, run) {
                (0 | 1, _) => self.head(number, state.dirty),
                (_, None) => 0,
                (_, Some(run)) if *run == self.root => {
                    self.shown.filter(|_| state.linked).map_or(self.end_mark(), |run| run.first)
                }
                // Folders and files of exFAT lie in one piece and say so (6.3.4.2): the table says nothing about them.
                (_, Some(run)) if self.exfat() && run.first > last => 0,
                (_, Some(run)) if end_of(run) == cluster.saturating_add(1) => self.end_mark(),
                (_, Some(_)) => number.saturating_add(1),
            };
            bytes.extend_from_slice(&entry.to_le_bytes());
        }
        bytes
    }

    /// The first two entries: the media type; the end mark, with ClnShutBitMask on FAT32.
    fn head(&self, number: u32, dirty: bool) -> u32 {
        match (self.exfat(), number) {
            (true, 0) => 0xffff_fff8,
            (true, _) => u32::MAX,
            (false, 0) => 0x0fff_fff8,
            (false, _) if dirty => 0x07ff_ffff,
            (false, _) => 0x0fff_ffff,
        }
    }

    fn end_mark(&self) -> u32 {
        if self.exfat() { u32::MAX } else { 0x0fff_ffff }
    }

    /// Bitmap, up-case table, every folder, and the root folder.
    pub(super) fn folders<E>(&self, sink: &mut Sink<'_, E>) -> Result<(), E> {
        if self.exfat() {
            exfat::system(self, sink)?;
        }
        for (number, entry) in self.tree.iter() {
            if let (CopyKind::Folder, Some(run)) = (entry.kind, self.run(number)) {
                self.pieces(self.place(run), &self.folder(Some(number)), sink)?;
            }
        }
        if let Some(run) = self.shown {
            self.pieces(self.place(run), &self.folder(None), sink)?;
        }
        let root = if self.exfat() { exfat::root(self) } else { fat32::root(self) };
        self.pieces(self.place(self.root), &root, sink)
    }

    fn folder(&self, folder: Option<u32>) -> Vec<u8> {
        if self.exfat() { exfat::folder(self, folder) } else { fat32::folder(self, folder) }
    }

    /// Fills `place` with `bytes` and zeros.
    pub(super) fn pieces<E>(&self, place: Range<u64>, bytes: &[u8], sink: &mut Sink<'_, E>) -> Result<(), E> {
        let mut at = place.start;
        while at < place.end {
            let end = place.end.min(at.saturating_add(STEP));
            let mut piece = vec![0u8; index(end.saturating_sub(at))];
            put(&mut piece, 0, bytes.get(index(at.saturating_sub(place.start))..).unwrap_or_default());
            sink(at, &piece)?;
            at = end;
        }
        Ok(())
    }

    /// Counts, and the sign that nobody is writing any more.
    pub(super) fn account<E>(&self, sink: &mut Sink<'_, E>) -> Result<(), E> {
        if self.exfat() {
            return exfat::flags(self, false, sink);
        }
        self.tables(1, State::DONE, sink)?;
        fat32::counts(self, sink)
    }
}
