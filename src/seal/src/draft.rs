//! Blocks as they will be, stage by stage: every change is made here first, on top of the changes before it, and the
//! stages are written later. Nothing that is not in a draft is ever written.

use crate::refusal::Refusal;
use blanche_media::ReadAt;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Bytes of metadata in one write.
const MAX_WRITE: usize = 1 << 20;

/// What a stage does. The order of the list is the order of writing; there is a flush after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageKind {
    /// Bytes of the file into free clusters; on exFAT also VolumeDirty (exFAT 8.1).
    Content,
    /// Clusters of the file, and of the root folder's growth, are marked as used.
    Allocation,
    /// The root folder becomes one cluster longer.
    Growth,
    /// End marks before the new entry become free records (exFAT 6.2.1).
    Opening,
    /// The switch: one block.
    Entry,
    /// What is left of a long name, and the clusters of the file that was replaced or removed.
    Release,
    /// Counts that are hints, and VolumeDirty.
    Account,
}

/// Writes that need no order among themselves.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) kind: StageKind,
    /// Whole blocks: where they start on the medium, and their bytes.
    pub(crate) writes: Vec<(u64, Vec<u8>)>,
}

/// The blocks of a medium with planned changes.
pub(crate) struct Draft<'d> {
    device: &'d dyn ReadAt,
    block: u64,
    /// Blocks that a stage changes, as they will be, by their first byte.
    changed: BTreeMap<u64, Vec<u8>>,
    /// Those that the current stage changes.
    touched: BTreeSet<u64>,
    /// The block that was read last and is not changed.
    last: Option<(u64, Vec<u8>)>,
    stages: Vec<Stage>,
}

impl<'d> Draft<'d> {
    pub(crate) fn new(device: &'d dyn ReadAt, block: u32) -> Self {
        let block = u64::from(block.max(512));
        Self { device, block, changed: BTreeMap::new(), touched: BTreeSet::new(), last: None, stages: Vec::new() }
    }

    /// Bytes of a logical block.
    pub(crate) fn block(&self) -> u64 {
        self.block
    }

    /// First byte of the block that holds `offset`.
    pub(crate) fn block_of(&self, offset: u64) -> u64 {
        offset.saturating_sub(offset.checked_rem(self.block).unwrap_or(0))
    }

    fn load(&mut self, start: u64) -> Result<&[u8], Refusal> {
        if self.changed.contains_key(&start) {
            return Ok(self.changed.get(&start).map(Vec::as_slice).unwrap_or_default());
        }
        if self.last.as_ref().is_none_or(|(held, _)| *held != start) {
            let mut bytes = vec![0u8; index(self.block)];
            self.device.read_at(start, &mut bytes)?;
            self.last = Some((start, bytes));
        }
        Ok(self.last.as_ref().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default())
    }

    /// `length` bytes from `offset` with all changes so far.
    pub(crate) fn read(&mut self, offset: u64, length: u64) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        let end = offset.saturating_add(length);
        let mut at = offset;
        while at < end {
            let start = self.block_of(at);
            let stop = end.min(start.saturating_add(self.block));
            let range = within(start, at..stop);
            bytes.extend_from_slice(self.load(start)?.get(range).unwrap_or_default());
            at = stop;
        }
        Ok(bytes)
    }

    /// Bytes of the medium as they are, without changes: for large reads.
    pub(crate) fn read_raw(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Refusal> {
        Ok(self.device.read_at(offset, buffer)?)
    }

    /// Changes bytes in the current stage.
    pub(crate) fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Refusal> {
        let end = offset.saturating_add(wide(bytes.len()));
        let mut at = offset;
        while at < end {
            let start = self.block_of(at);
            let stop = end.min(start.saturating_add(self.block));
            if !self.changed.contains_key(&start) {
                let whole = at == start && stop == start.saturating_add(self.block);
                let current = if whole { vec![0; index(self.block)] } else { self.load(start)?.to_vec() };
                self.changed.insert(start, current);
            }
            let source = bytes.get(index(at.saturating_sub(offset))..).unwrap_or_default();
            let target = self.changed.get_mut(&start).and_then(|block| block.get_mut(within(start, at..stop)));
            target.unwrap_or_default().iter_mut().zip(source).for_each(|(to, from)| *to = *from);
            self.touched.insert(start);
            at = stop;
        }
        Ok(())
    }

    /// Blocks that the current stage changes.
    pub(crate) fn touched(&self) -> usize {
        self.touched.len()
    }

    /// Ends the current stage. One without changes is left out, unless it is the one that carries the content.
    pub(crate) fn end_stage(&mut self, kind: StageKind) {
        let mut writes: Vec<(u64, Vec<u8>)> = Vec::new();
        for start in std::mem::take(&mut self.touched) {
            let Some(block) = self.changed.get(&start) else { continue };
            match writes.last_mut() {
                Some((first, bytes)) if first.saturating_add(wide(bytes.len())) == start && bytes.len() < MAX_WRITE => {
                    bytes.extend_from_slice(block);
                }
                _ => writes.push((start, block.clone())),
            }
        }
        if !writes.is_empty() || kind == StageKind::Content {
            self.stages.push(Stage { kind, writes });
        }
    }

    /// All stages, in order.
    pub(crate) fn into_stages(self) -> Vec<Stage> {
        self.stages
    }
}

/// A range of the medium as indexes into the block that starts at `start`.
fn within(start: u64, range: Range<u64>) -> Range<usize> {
    index(range.start.saturating_sub(start))..index(range.end.saturating_sub(start))
}

/// A length as an index; what does not fit becomes the largest, which no buffer has.
pub(crate) fn index(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// An index as a length.
pub(crate) fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_media::MemorySource;

    #[test]
    fn a_stage_sees_the_changes_of_the_stages_before() {
        let source = MemorySource::new((0..2048u32).map(|at| (at / 512) as u8).collect());
        let mut draft = Draft::new(&source, 512);
        draft.patch(510, &[9, 9, 9, 9]).unwrap();
        assert_eq!(draft.touched(), 2);
        draft.end_stage(StageKind::Allocation);
        assert_eq!(draft.read(509, 6).unwrap(), [0, 9, 9, 9, 9, 1]);
        draft.patch(512, &[7]).unwrap();
        draft.end_stage(StageKind::Entry);
        draft.end_stage(StageKind::Account);
        let stages = draft.into_stages();
        assert_eq!(stages.len(), 2);
        assert_eq!(stages[0].writes.len(), 1);
        assert_eq!(stages[0].writes[0].1[508..516], [0, 0, 9, 9, 9, 9, 1, 1]);
        assert_eq!((stages[1].writes[0].0, &stages[1].writes[0].1[..3]), (512, &[7, 9, 1][..]));
    }
}
