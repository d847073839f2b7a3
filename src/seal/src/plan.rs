//! Everything that will be written, computed before the first write.

use crate::device::Device;
use crate::draft::{Draft, Stage, StageKind, index, wide};
use crate::name::FileName;
use crate::refusal::Refusal;
use crate::root::{Root, Slot};
use crate::space::{Run, Space};
use crate::stamp::Stamp;
use crate::volume::{Existing, NewFile, Place, Volume, open};
use std::ops::Range;

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name in the root folder.
    pub name: FileName,
    /// Bytes.
    pub length: u64,
    /// Local time of all three times of the file.
    pub stamp: Stamp,
    /// A file of this name may be replaced. Whether it is a tag is for the caller to know (see [`crate::find`]).
    pub replace: bool,
}

/// Every block that will be written, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) stages: Vec<Stage>,
    /// Where the content goes on the medium: whole blocks.
    pub(crate) content: Vec<Range<u64>>,
    /// Bytes of the content.
    pub(crate) length: u64,
    pub(crate) block: u32,
    pub(crate) capacity: u64,
    allocated: u64,
    released: u64,
    replaces: Option<u64>,
}

impl Plan {
    /// Every range (bytes on the medium, whole blocks) that [`Plan::commit`] writes, with the stage that writes it.
    pub fn writes(&self) -> impl Iterator<Item = (StageKind, Range<u64>)> {
        let content = self.content.iter().cloned().map(|range| (StageKind::Content, range));
        let metadata = self.stages.iter().flat_map(|stage| {
            let range = |write: &(u64, Vec<u8>)| write.0..write.0.saturating_add(wide(write.1.len()));
            stage.writes.iter().map(move |write| (stage.kind, range(write)))
        });
        content.chain(metadata)
    }

    /// Bytes in clusters that the volume has less of afterwards, before what is released.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        self.allocated
    }

    /// Bytes in clusters that become free.
    #[must_use]
    pub fn released(&self) -> u64 {
        self.released
    }

    /// Bytes of the file that is replaced or removed.
    #[must_use]
    pub fn replaces(&self) -> Option<u64> {
        self.replaces
    }
}

/// Plans to write a file into the root folder of the volume in `range` (bytes on the medium). Writes nothing.
///
/// # Errors
/// [`Refusal`].
pub fn plan(device: &dyn Device, range: Range<u64>, request: &Request) -> Result<Plan, Refusal> {
    let mut draft = Draft::new(device, device.block());
    let (volume, survey) = open(device, &mut draft, range)?;
    volume.refuse_dirty(&mut draft)?;
    if request.length == 0 || request.length > volume.most() {
        return Err(Refusal::Length { length: request.length, most: volume.most() });
    }
    let root = volume.root(&mut draft)?;
    let existing = volume.find(&mut draft, &root, &request.name)?;
    if let Some(existing) = existing.as_ref().filter(|_| !request.replace) {
        return Err(Refusal::Exists { name: request.name.to_string(), size: existing.size });
    }
    let slot = match existing {
        Some(_) => None,
        None => volume.slot(&draft, &root)?,
    };
    let grows = existing.is_none() && slot.is_none();
    if grows && !volume.may_grow(&root) {
        return Err(Refusal::RootFull { records: wide(root.len()) });
    }
    let cluster = volume.heap().0;
    let clusters = request.length.div_ceil(cluster.max(1));
    let needed = clusters.saturating_add(u64::from(grows));
    let space = volume.space(&mut draft, &survey, needed)?;
    if space.free < needed {
        let bytes = |clusters: u64| clusters.saturating_mul(cluster);
        return Err(Refusal::NoSpace { needed: bytes(needed), free: bytes(space.free) });
    }
    let mut job = Job { volume: &*volume, draft, root, space, request };
    let grown = if grows { job.take_last() } else { None };
    job.run(existing, slot, grown).map(|plan| Plan { block: device.block(), capacity: device.capacity(), ..plan })
}

/// Plans to remove the file called `name` from the root folder of the volume in `range`. Writes nothing.
///
/// # Errors
/// [`Refusal`].
pub fn plan_removal(device: &dyn Device, range: Range<u64>, name: &FileName) -> Result<Plan, Refusal> {
    let mut draft = Draft::new(device, device.block());
    let (volume, survey) = open(device, &mut draft, range)?;
    volume.refuse_dirty(&mut draft)?;
    let root = volume.root(&mut draft)?;
    let Some(existing) = volume.find(&mut draft, &root, name)? else {
        return Err(Refusal::Absent { name: name.to_string() });
    };
    let space = volume.space(&mut draft, &survey, 0)?;
    volume.begin(&mut draft)?;
    draft.end_stage(StageKind::Content);
    let rest = volume.erase(&mut draft, &root, &existing)?;
    one_block(&draft)?;
    draft.end_stage(StageKind::Entry);
    volume.erase_rest(&mut draft, &root, rest)?;
    let free = space.free.saturating_add(Run::total(&existing.runs));
    finish(&*volume, &mut draft, Some(&existing), free)?;
    Ok(Plan {
        stages: draft.into_stages(),
        content: Vec::new(),
        length: 0,
        block: device.block(),
        capacity: device.capacity(),
        allocated: 0,
        released: Run::total(&existing.runs).saturating_mul(volume.heap().0),
        replaces: Some(existing.size),
    })
}

/// The switch is one block, or it is no switch.
fn one_block(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.touched() == 1 { Ok(()) } else { Err(Refusal::Unsupported("a directory entry across two blocks")) }
}

/// Release, then the counts.
fn finish(volume: &dyn Volume, draft: &mut Draft<'_>, old: Option<&Existing>, free: u64) -> Result<(), Refusal> {
    if let Some(old) = old {
        volume.release(draft, &old.runs)?;
    }
    draft.end_stage(StageKind::Release);
    volume.account(draft, free)?;
    draft.end_stage(StageKind::Account);
    Ok(())
}

/// The planning of one file for which there is room.
struct Job<'j, 'd> {
    volume: &'j dyn Volume,
    draft: Draft<'d>,
    root: Root,
    space: Space,
    request: &'j Request,
}

impl Job<'_, '_> {
    /// Takes the last picked cluster for the root folder.
    fn take_last(&mut self) -> Option<u32> {
        let run = self.space.runs.last_mut()?;
        let cluster = run.clusters().last();
        run.count = run.count.saturating_sub(1);
        self.space.runs.retain(|run| run.count > 0);
        cluster
    }

    fn run(mut self, existing: Option<Existing>, slot: Option<Slot>, grown: Option<u32>) -> Result<Plan, Refusal> {
        let volume = self.volume;
        let new = Run::total(&self.space.runs).saturating_add(u64::from(grown.is_some()));
        let old = existing.as_ref().map_or(0, |existing| Run::total(&existing.runs));
        volume.begin(&mut self.draft)?;
        let old_end = self.root.last.unwrap_or(0);
        let slot = match grown {
            Some(cluster) => self.grow(cluster)?,
            None => slot,
        };
        self.draft.end_stage(StageKind::Content);
        volume.allocate(&mut self.draft, &self.space.runs, false)?;
        if let Some(cluster) = grown {
            volume.allocate(&mut self.draft, &[Run { first: cluster, count: 1 }], true)?;
        }
        self.draft.end_stage(StageKind::Allocation);
        if let Some(cluster) = grown {
            volume.table().set(&mut self.draft, old_end, cluster)?;
        }
        self.draft.end_stage(StageKind::Growth);
        self.entry(existing.as_ref(), slot)?;
        let free = self.space.free.saturating_sub(new).saturating_add(old);
        finish(volume, &mut self.draft, existing.as_ref(), free)?;
        let (cluster, _) = volume.heap();
        Ok(Plan {
            content: self.content(),
            stages: self.draft.into_stages(),
            length: self.request.length,
            block: 0,
            capacity: 0,
            allocated: new.saturating_mul(cluster),
            released: old.saturating_mul(cluster),
            replaces: existing.map(|existing| existing.size),
        })
    }

    /// Zeros for a new cluster of the root folder; returns the free records that it has with it.
    fn grow(&mut self, cluster: u32) -> Result<Option<Slot>, Refusal> {
        let place = self.volume.places(&[Run { first: cluster, count: 1 }]).into_iter().next().unwrap_or(0..0);
        let zeros = vec![0u8; index(place.end.saturating_sub(place.start))];
        self.draft.patch(place.start, &zeros)?;
        self.root = self.root.clone().grown(place, cluster);
        self.volume.slot(&self.draft, &self.root)
    }

    /// End marks, then the switch.
    fn entry(&mut self, existing: Option<&Existing>, slot: Option<Slot>) -> Result<(), Refusal> {
        let place = match (existing, &slot) {
            (Some(existing), _) => Place::Over(existing),
            (None, Some(slot)) => Place::Free(slot.first),
            (None, None) => return Err(Refusal::RootFull { records: wide(self.root.len()) }),
        };
        if let Some(slot) = &slot {
            self.volume.open_marks(&mut self.draft, &self.root, slot.marks.clone())?;
            self.draft.end_stage(StageKind::Opening);
        }
        let Request { name, length, stamp, .. } = self.request;
        let file = NewFile { name, size: *length, runs: &self.space.runs, stamp: *stamp };
        self.volume.put(&mut self.draft, &self.root, place, &file)?;
        one_block(&self.draft)?;
        self.draft.end_stage(StageKind::Entry);
        Ok(())
    }

    /// Where the content goes: up to the end of the block that holds its last byte.
    fn content(&self) -> Vec<Range<u64>> {
        let block = self.draft.block();
        let mut left = self.request.length.next_multiple_of(block);
        let cut = self.volume.places(&self.space.runs).into_iter().map(|place| {
            let length = place.end.saturating_sub(place.start).min(left);
            left = left.saturating_sub(length);
            place.start..place.start.saturating_add(length)
        });
        cut.filter(|place| !place.is_empty()).collect()
    }
}
