//! Which clusters of a FAT or exFAT volume belong to something, for the sealer, which writes beside it.
//!
//! The allocation table alone does not say: a damaged or hostile volume has files in clusters that the table calls free,
//! and files that share clusters. The survey walks every folder as the reader does and stops at the first fault: on a
//! volume with any, nothing can be written without a risk for somebody's file.

use crate::bytes::wide;
use crate::exfat::{Boot as ExFatBoot, ExFatVolume};
use crate::fat::{BOOT_BYTES, Boot as FatBoot, FatVolume};
use crate::filesystem::{Fault, Filesystem, FolderRef, Found};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit, ReadLimits};
use std::collections::{BTreeSet, VecDeque};
use std::ops::{ControlFlow, Range};

/// A volume whose clusters are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// FAT12, FAT16 or FAT32.
    Fat(FatBoot),
    /// exFAT.
    ExFat(ExFatBoot),
}

/// Why a volume could not be surveyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurveyFailure {
    /// The boot sector is neither of FAT nor of exFAT.
    #[error("the volume is neither FAT nor exFAT")]
    UnknownLayout,
    /// Something on the volume is wrong or cannot be read.
    #[error("the volume is damaged at byte {offset}: {cause:?}")]
    Fault {
        /// Bytes from the start of the medium, or within a file.
        offset: u64,
        /// What is wrong.
        cause: Cause,
    },
    /// The medium is gone.
    #[error("the medium was removed")]
    Removed,
}

impl From<Removed> for SurveyFailure {
    fn from(Removed: Removed) -> Self {
        Self::Removed
    }
}

impl From<Fault> for SurveyFailure {
    fn from(fault: Fault) -> Self {
        Self::Fault { offset: fault.offset, cause: fault.cause }
    }
}

/// A volume without faults, and what its clusters are used for.
#[derive(Debug)]
pub struct Survey {
    layout: Layout,
    volume: Surveyed,
}

#[derive(Debug)]
enum Surveyed {
    Fat(FatVolume),
    ExFat(ExFatVolume),
}

impl Survey {
    /// Its boot sector.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether a file, a folder or a structure of the volume uses this cluster, whatever the allocation table says.
    #[must_use]
    pub fn claimed(&self, cluster: u32) -> bool {
        match &self.volume {
            Surveyed::Fat(volume) => volume.claimed(cluster),
            Surveyed::ExFat(volume) => volume.claimed(cluster),
        }
    }
}

/// Walks the volume in `range` (bytes on the medium) within `limits`.
///
/// # Errors
/// [`SurveyFailure`]: also for damage that a host would not notice.
pub fn survey(medium: &Medium<'_>, range: Range<u64>, limits: &ReadLimits) -> Result<Survey, SurveyFailure> {
    let sector = match medium.read_vec(range.start, wide(BOOT_BYTES)) {
        Ok(sector) => sector,
        Err(ReadError::Removed) => return Err(SurveyFailure::Removed),
        Err(ReadError::Unreadable { offset }) => {
            return Err(SurveyFailure::Fault { offset, cause: Cause::Unreadable });
        }
    };
    if sector.len() < BOOT_BYTES {
        return Err(SurveyFailure::UnknownLayout);
    }
    if ExFatBoot::claims(&sector) {
        let boot = ExFatBoot::parse(&sector).map_err(|_| SurveyFailure::UnknownLayout)?;
        let mut volume = ExFatVolume::open(medium, range, boot)?;
        walk(medium, &mut volume, limits)?;
        return Ok(Survey { layout: Layout::ExFat(boot), volume: Surveyed::ExFat(volume) });
    }
    let boot = FatBoot::parse(&sector).map_err(|_| SurveyFailure::UnknownLayout)?;
    let mut volume = FatVolume::open(medium, range, boot, boot.active_table, false)?;
    walk(medium, &mut volume, limits)?;
    Ok(Survey { layout: Layout::Fat(boot), volume: Surveyed::Fat(volume) })
}

/// Lists every folder once.
fn walk(medium: &Medium<'_>, volume: &mut dyn Filesystem, limits: &ReadLimits) -> Result<(), SurveyFailure> {
    first(volume.take_faults())?;
    let root = volume.root();
    let mut visited = BTreeSet::from([root.id]);
    let mut queue = VecDeque::from([(root, 0u32)]);
    let mut left = limits.max_entries;
    while let Some((folder, depth)) = queue.pop_front() {
        let mut listed = Listed { names: BTreeSet::new(), folders: Vec::new(), left, fault: None };
        let faults = volume.list(medium, folder, &mut |found| listed.take(found))?;
        left = listed.left;
        first(listed.fault.into_iter().chain(faults))?;
        for folder in listed.folders {
            let offset = folder.id;
            if !visited.insert(folder.id) {
                return Err(SurveyFailure::Fault { offset, cause: Cause::Corrupt(Corruption::Directory) });
            }
            if depth >= limits.max_depth {
                return Err(SurveyFailure::Fault { offset, cause: Cause::ReadLimit(ReadLimit::Depth) });
            }
            queue.push_back((folder, depth.saturating_add(1)));
        }
    }
    volume.finish(medium)?;
    first(volume.take_faults())
}

fn first(faults: impl IntoIterator<Item = Fault>) -> Result<(), SurveyFailure> {
    faults.into_iter().next().map_or(Ok(()), |fault| Err(fault.into()))
}

/// What one folder holds.
struct Listed {
    names: BTreeSet<u64>,
    folders: Vec<FolderRef>,
    left: u32,
    fault: Option<Fault>,
}

impl Listed {
    fn take(&mut self, found: Found) -> ControlFlow<()> {
        let known = found.keys.iter().flatten().filter(|key| !self.names.insert(**key)).count();
        self.fault = found.faults.into_iter().next();
        if known > 0 {
            self.fault.get_or_insert(Fault { offset: 0, length: 0, cause: Cause::AmbiguousNames });
        }
        if self.left == 0 {
            self.fault.get_or_insert(Fault { offset: 0, length: 0, cause: Cause::ReadLimit(ReadLimit::Entries) });
        }
        self.left = self.left.saturating_sub(1);
        self.folders.extend(found.folder);
        if self.fault.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
