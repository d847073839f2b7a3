//! What FAT and exFAT have in common for somebody who plans to write one file.

use crate::draft::Draft;
use crate::exfat::ExFat;
use crate::fat::Fat;
use crate::name::FileName;
use crate::refusal::Refusal;
use crate::root::{Root, Slot, ranges};
use crate::space::{Run, Space};
use crate::stamp::Stamp;
use crate::table::Table;
use blanche_media::{Layout, Medium, ReadAt, Survey, survey};
use blanche_sandbox::wire::ReadLimits;
use std::ops::Range;

/// The file that stands under the name.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    /// Its records in the root folder: pieces of a long name included.
    pub(crate) records: Range<usize>,
    /// Hosts show exactly this name, not one that they only fold to it.
    pub(crate) exact: bool,
    /// Attributes.
    pub(crate) attributes: u16,
    /// Bytes.
    pub(crate) size: u64,
    /// Its clusters.
    pub(crate) runs: Vec<Run>,
}

/// The file that is to stand there.
#[derive(Clone, Debug)]
pub(crate) struct NewFile<'a> {
    pub(crate) name: &'a FileName,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) runs: &'a [Run],
    pub(crate) stamp: Stamp,
}

/// A volume that can be written.
pub(crate) trait Volume {
    /// Bytes of a cluster, and the first byte of cluster 2 on the medium.
    fn heap(&self) -> (u64, u64);

    /// Largest file.
    fn most(&self) -> u64;

    fn table(&self) -> &Table;

    /// Refuses a volume that a host has not finished with.
    fn refuse_dirty(&self, draft: &mut Draft<'_>) -> Result<(), Refusal>;

    /// Counts the free clusters and picks `needed` of them that nobody uses.
    fn space(&self, draft: &mut Draft<'_>, survey: &Survey, needed: u64) -> Result<Space, Refusal>;

    /// The root folder as it is.
    fn root(&self, draft: &mut Draft<'_>) -> Result<Root, Refusal>;

    /// The file called `name`; refuses other things of this name.
    fn find(&self, draft: &mut Draft<'_>, root: &Root, name: &FileName) -> Result<Option<Existing>, Refusal>;

    /// Free records for an entry, in one block; none when the root folder is full.
    fn slot(&self, draft: &Draft<'_>, root: &Root) -> Result<Option<Slot>, Refusal>;

    /// Whether the root folder may get another cluster.
    fn may_grow(&self, root: &Root) -> bool;

    /// What must stand on the medium before its allocation changes.
    fn begin(&self, draft: &mut Draft<'_>) -> Result<(), Refusal>;

    /// Marks the clusters of a file (`chained`: even when they are neighbours) as used.
    fn allocate(&self, draft: &mut Draft<'_>, runs: &[Run], chained: bool) -> Result<(), Refusal>;

    /// Turns end marks into free records.
    fn open_marks(&self, draft: &mut Draft<'_>, root: &Root, marks: Range<usize>) -> Result<(), Refusal>;

    /// Writes the entry of `file` into free records at `first`, or over the entry of the file that it replaces.
    fn put(&self, draft: &mut Draft<'_>, root: &Root, place: Place<'_>, file: &NewFile<'_>) -> Result<(), Refusal>;

    /// Removes an entry; returns the records that are left to be removed afterwards.
    fn erase(&self, draft: &mut Draft<'_>, root: &Root, existing: &Existing) -> Result<Range<usize>, Refusal>;

    /// Removes the records that [`Volume::erase`] left.
    fn erase_rest(&self, draft: &mut Draft<'_>, root: &Root, rest: Range<usize>) -> Result<(), Refusal>;

    /// Marks the clusters of a file as free.
    fn release(&self, draft: &mut Draft<'_>, runs: &[Run]) -> Result<(), Refusal>;

    /// Brings the counts up to date.
    fn account(&self, draft: &mut Draft<'_>, free: u64) -> Result<(), Refusal>;

    /// Where the clusters of `runs` stand on the medium.
    fn places(&self, runs: &[Run]) -> Vec<Range<u64>> {
        let (cluster, start) = self.heap();
        ranges(start, cluster, runs)
    }
}

/// Where an entry is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// Free records from here on.
    Free(usize),
    /// The entry of the file that is replaced.
    Over(&'a Existing),
}

/// Surveys the volume in `range` and opens it for planning.
pub(crate) fn open(
    device: &dyn ReadAt,
    draft: &mut Draft<'_>,
    range: Range<u64>,
) -> Result<(Box<dyn Volume>, Survey), Refusal> {
    let block = draft.block();
    let aligned = |value: u64| value.checked_rem(block) == Some(0);
    if !aligned(range.start) || range.end > device.capacity() {
        return Err(Refusal::Unsupported("a volume that does not begin and end with blocks of the medium"));
    }
    let medium = Medium::new(device, u32::try_from(block).unwrap_or(512));
    let survey = survey(&medium, range.clone(), &ReadLimits::default())?;
    let sector = match survey.layout() {
        Layout::Fat(boot) => boot.sector,
        Layout::ExFat(boot) => boot.sector,
    };
    if !aligned(sector) {
        return Err(Refusal::Unsupported("sectors smaller than the blocks of the medium"));
    }
    let volume: Box<dyn Volume> = match survey.layout() {
        Layout::Fat(boot) => Box::new(Fat::open(draft, range.start, boot)?),
        Layout::ExFat(boot) => Box::new(ExFat::open(draft, range.start, boot)?),
    };
    Ok((volume, survey))
}
