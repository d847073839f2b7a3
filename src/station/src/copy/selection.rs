//! What of a source is copied: which volumes, which files, under which names; and what is left out.

use super::naming::Namer;
use blanche_sandbox::wire::{CopyEntry, CopyKind, EntryId, EntryKind, MAX_COPIED, Tree, View, Volume, VolumeId};
use blanche_scan::progress::Cancel;
use blanche_scan::report::{CopyCause, LeftOut, Lines, Omission, Renamed};
use blanche_scan::{Inventory, Listed, Original};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Everything that will be on the output medium.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Folders and files, a folder before what is in it.
    pub(super) entries: Vec<CopyEntry>,
    /// Where each of them comes from; a folder that stands for a volume comes from nowhere.
    pub(super) origins: Vec<Option<EntryId>>,
    /// The files that each content becomes.
    pub(super) targets: HashMap<EntryId, Vec<u32>>,
    /// What is called otherwise.
    pub(super) renamed: Lines<Renamed>,
    /// What is not copied.
    pub(super) left_out: Lines<LeftOut>,
    /// Files.
    pub(super) files: u64,
    /// Their bytes.
    pub(super) bytes: u64,
}

impl Selection {
    /// Of everything that may be copied. `sealed`: the volume on which this station wrote a tag since it was checked.
    ///
    /// # Errors
    /// [`CopyCause::TooMany`], [`CopyCause::Nothing`], [`CopyCause::Cancelled`].
    pub(super) fn of(original: Original<'_>, sealed: Option<VolumeId>, cancel: &Cancel) -> Result<Self, CopyCause> {
        let inventory = original.inventory();
        let volumes = Volumes::of(inventory);
        let (namer, selection) = (Namer::default(), Self::default());
        let mut selecting = Selecting { original, sealed, cancel, namer, selection };
        let filled: Vec<VolumeId> =
            volumes.shown.iter().copied().filter(|volume| selecting.holds_files(*volume)).collect();
        let several = filled.len() > 1;
        for volume in filled {
            let root = if several { Some(selecting.volume_folder(volume)?) } else { None };
            selecting.volume(volume, root)?;
        }
        selecting.others(&volumes);
        let selection = selecting.selection;
        if selection.files == 0 { Err(CopyCause::Nothing) } else { Ok(selection) }
    }

    /// Folders.
    pub(super) fn folders(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX).saturating_sub(self.files)
    }

    /// Bytes that the tag will have, at most: docs/tag-format.md, sections 6 and 7. An entry of the manifest is its path,
    /// its digests and some numbers, and 32 bytes for each MiB.
    pub(super) fn tag_bytes(&self) -> u64 {
        let mut paths: Vec<u64> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let name = u64::try_from(entry.name.len()).unwrap_or(u64::MAX).saturating_mul(3).saturating_add(4);
            let parent = entry.parent.and_then(|parent| paths.get(usize::try_from(parent).ok()?)).copied();
            paths.push(parent.unwrap_or(0).saturating_add(name));
        }
        let each = paths.iter().map(|path| path.saturating_add(160)).fold(0, u64::saturating_add);
        each.saturating_add((self.bytes >> 20).saturating_mul(33)).saturating_add(128 << 10)
    }

    /// What stands for the path of each entry on the output medium ([`below`]), with the SHA-256 of files.
    pub(super) fn paths(&self) -> HashMap<PathDigest, Option<[u8; 32]>> {
        let mut paths: Vec<PathDigest> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let parent = entry.parent.and_then(|parent| paths.get(usize::try_from(parent).ok()?)).copied();
            paths.push(below(parent.unwrap_or_default(), &String::from_utf16_lossy(&entry.name)));
        }
        let digest = |entry: &CopyEntry| match entry.kind {
            CopyKind::File { sha256, .. } => Some(sha256),
            CopyKind::Folder => None,
        };
        paths.into_iter().zip(&self.entries).map(|(path, entry)| (path, digest(entry))).collect()
    }
}

/// What stands for a path: as long as any other, also of a thousand folders.
pub(super) type PathDigest = [u8; 32];

/// What stands for the path of `name` in a folder; the root is zeros.
pub(super) fn below(folder: PathDigest, name: &str) -> PathDigest {
    let mut hasher = blake3::Hasher::new();
    *hasher.update(&folder).update(name.as_bytes()).finalize().as_bytes()
}

/// The volumes of a source, by what hosts show of them.
#[derive(Debug, Default)]
struct Volumes {
    shown: Vec<VolumeId>,
    /// Hidden ones, and those for starting computers.
    hidden: Vec<VolumeId>,
    /// Further views of volumes that are shown.
    views: Vec<VolumeId>,
}

impl Volumes {
    fn of(inventory: &Inventory) -> Self {
        let mut all: Vec<(VolumeId, &Volume)> = (0..).zip(&inventory.layout().volumes).collect();
        // The view that most hosts choose comes first.
        all.sort_by_key(|(number, volume)| (volume.start, rank(volume.view), *number));
        let mut volumes = Self::default();
        let mut starts = BTreeSet::new();
        for (number, volume) in all {
            let list = match volume {
                volume if volume.hidden || volume.efi => &mut volumes.hidden,
                volume if volume.view.is_some() && !starts.insert(volume.start) => &mut volumes.views,
                _ => &mut volumes.shown,
            };
            list.push(number);
        }
        volumes
    }
}

/// Hosts prefer UDF to Joliet, Joliet to Rock Ridge, the last session to those before.
fn rank(view: Option<View>) -> (u8, u16) {
    let Some(view) = view else { return (0, 0) };
    let tree = match view.tree {
        Tree::Udf => 1,
        Tree::Joliet => 2,
        Tree::RockRidge => 3,
        Tree::Enhanced => 4,
        Tree::Iso9660 => 5,
        Tree::BootSector => 6,
        Tree::Ext => 7,
        Tree::OtherTable => 8,
    };
    (tree, u16::MAX.saturating_sub(view.session))
}

/// A selection that is being made.
struct Selecting<'a> {
    original: Original<'a>,
    sealed: Option<VolumeId>,
    cancel: &'a Cancel,
    namer: Namer,
    selection: Selection,
}

impl Selecting<'_> {
    fn holds_files(&self, volume: VolumeId) -> bool {
        self.original.visit(&[volume], &mut |listed| if is_file(listed) { Err(()) } else { Ok(()) }).is_err()
    }

    /// A folder for one of several volumes.
    fn volume_folder(&mut self, volume: VolumeId) -> Result<u32, CopyCause> {
        let name = format!("volume-{}", u32::from(volume).saturating_add(1));
        let named = self.namer.name(None, name.as_bytes());
        let kind = CopyKind::Folder;
        self.push(CopyEntry { parent: None, name: named.units, kind, modified: None }, None)
    }

    fn push(&mut self, entry: CopyEntry, origin: Option<EntryId>) -> Result<u32, CopyCause> {
        if self.cancel.is_cancelled() {
            return Err(CopyCause::Cancelled);
        }
        let number = u32::try_from(self.selection.entries.len()).map_err(|_| CopyCause::TooMany)?;
        if self.selection.entries.len() >= MAX_COPIED {
            return Err(CopyCause::TooMany);
        }
        self.selection.entries.push(entry);
        self.selection.origins.push(origin);
        Ok(number)
    }

    /// Everything on one volume, below `root`.
    fn volume(&mut self, volume: VolumeId, root: Option<u32>) -> Result<(), CopyCause> {
        // The folders on the way to the current entry.
        let mut way: Vec<Option<u32>> = vec![root];
        self.original.visit(&[volume], &mut |listed| {
            let depth = listed.path.len();
            if let Some(because) = self.omission(listed) {
                self.left_out(listed, because);
                return Ok(());
            }
            way.truncate(depth);
            let parent = way.last().copied().flatten();
            let kind = match listed.digests {
                Some(digests) if is_file(listed) => CopyKind::File { size: listed.size, sha256: digests.sha256 },
                _ => CopyKind::Folder,
            };
            let number = self.named(listed, parent, kind)?;
            match kind {
                CopyKind::Folder => way.push(Some(number)),
                CopyKind::File { size, .. } => {
                    self.selection.files = self.selection.files.saturating_add(1);
                    self.selection.bytes = self.selection.bytes.saturating_add(size);
                    self.selection.targets.entry(listed.content).or_default().push(number);
                }
            }
            Ok(())
        })
    }

    fn omission(&self, listed: &Listed<'_>) -> Option<Omission> {
        if self.sealed.is_some_and(|volume| self.original.inventory().is_tag(listed.entry, volume)) {
            return Some(Omission::OldTag);
        }
        match listed.kind {
            EntryKind::Stream => Some(Omission::Stream),
            EntryKind::Link => Some(Omission::Link),
            EntryKind::Other | EntryKind::Area => Some(Omission::Special),
            EntryKind::File if !self.original.is_clean(listed.entry) || listed.digests.is_none() => {
                Some(Omission::NotClean)
            }
            EntryKind::File | EntryKind::Directory => None,
        }
    }

    fn named(&mut self, listed: &Listed<'_>, parent: Option<u32>, kind: CopyKind) -> Result<u32, CopyCause> {
        let named = self.namer.name(parent, listed.path.last().copied().unwrap_or_default());
        if !named.because.is_empty() {
            let because = named.because;
            self.selection.renamed.add(|| {
                let (path, path_bytes) = self.original.inventory().shown(listed.entry);
                let to = String::from_utf16_lossy(&named.units);
                Renamed { volume: listed.volume, path, path_bytes, to, because }
            });
        }
        self.push(CopyEntry { parent, name: named.units, kind, modified: listed.modified }, Some(listed.entry))
    }

    fn left_out(&mut self, listed: &Listed<'_>, because: Omission) {
        self.selection.left_out.add(|| {
            let (path, path_bytes) = self.original.inventory().shown(listed.entry);
            LeftOut { volume: listed.volume, path, path_bytes, because }
        });
    }

    /// What is on volumes that are not copied. A content that is copied from another view is not missed.
    fn others(&mut self, volumes: &Volumes) {
        let copied: HashSet<[u8; 32]> = self.selection.entries.iter().filter_map(digest_of).collect();
        for (list, because) in [(&volumes.hidden, Omission::HiddenVolume), (&volumes.views, Omission::OtherView)] {
            let visited = self.original.visit(list, &mut |listed| {
                let known = listed.digests.is_some_and(|digests| copied.contains(&digests.sha256));
                if listed.kind != EntryKind::Directory && !(because == Omission::OtherView && known) {
                    self.left_out(listed, because);
                }
                Ok::<(), std::convert::Infallible>(())
            });
            match visited {
                Ok(()) => {}
                Err(never) => match never {},
            }
        }
    }
}

fn digest_of(entry: &CopyEntry) -> Option<[u8; 32]> {
    match entry.kind {
        CopyKind::File { sha256, .. } => Some(sha256),
        CopyKind::Folder => None,
    }
}

fn is_file(listed: &Listed<'_>) -> bool {
    listed.kind == EntryKind::File
}
