//! Contents of a medium, in the order of their position, each byte read once.

use crate::area::{Areas, OUTSIDE};
use crate::bytes::{index, wide};
use crate::filesystem::Extent;
use crate::outbox::{Halt, Outbox};
use crate::packer::{Packer, STEP};
use crate::plan::{Plan, Planned};
use crate::source::{Medium, Removed, note};
use crate::units::{Bad, Units};
use blanche_sandbox::wire::{Cause, ReadLimit, ReadLimits, Subject};
use std::ops::Range;

/// How a volume allocates, for reading neighbouring files at once: bytes of a cluster, first byte of its clusters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allocation {
    pub(crate) cluster: u64,
    pub(crate) start: u64,
}

impl Allocation {
    /// Whether between `end` and `next` there is only the rest of the cluster that holds the byte before `end`.
    fn slack_only(&self, end: u64, next: u64) -> bool {
        let aligned = next.checked_sub(self.start).and_then(|offset| offset.checked_rem(self.cluster)) == Some(0);
        next == end || (aligned && next > end && next.saturating_sub(end) < self.cluster)
    }
}

/// Hands over everything in `plan`; returns the bytes of files that were read, by volume.
pub(crate) fn deliver(
    medium: &Medium<'_>,
    plan: &mut Plan,
    allocations: &[Allocation],
    limits: &ReadLimits,
    outbox: &mut Outbox<'_>,
    packer: &mut Packer<'_>,
    areas: &mut Areas,
) -> Result<Vec<u64>, Halt> {
    let mut read = vec![0u64; allocations.len()];
    plan.sort();
    outbox.planned()?;
    plan.retain(|entry| outbox.wants(entry));
    packer.release(outbox)?;
    // Content that shares clusters may be larger than the medium, but not without end.
    let budget = limits.max_bytes.min(medium.capacity().saturating_mul(4));
    let mut window = Window::default();
    for (number, file) in plan.files().iter().enumerate() {
        if outbox.totals.bytes.saturating_add(file.length) > budget {
            outbox.not_read(Subject::Entry(file.entry), 0, file.length, Cause::ReadLimit(ReadLimit::Bytes))?;
            continue;
        }
        let mut plain = None;
        let mut units = None;
        if file.unit == 0 {
            window.prepare(medium, file.first(), || reach(plan, number, allocations))?;
            plain = Some(Cursor::new(plan, file));
        } else {
            units = Some(Units::new(plan.extents(file), file.unit));
        }
        let mut whole = true;
        let digests = packer.deliver(outbox, file.entry, file.length, &mut |outbox, offset, buffer| {
            let bad = match (&mut plain, &mut units) {
                (Some(cursor), _) => cursor.fill(medium, &window, buffer)?,
                (None, Some(units)) => units.fill(medium, buffer)?,
                (None, None) => Bad::new(),
            };
            whole &= bad.is_empty();
            let lost = bad.iter().map(|(range, _)| range.end.saturating_sub(range.start));
            if let Some(read) = read.get_mut(usize::from(file.volume)) {
                let lost = lost.fold(0, u64::saturating_add);
                *read = read.saturating_add(wide(buffer.len()).saturating_sub(lost));
            }
            report(outbox, file, offset, bad)
        })?;
        if whole && file.volume == OUTSIDE {
            areas.seen(file.entry, &digests);
        }
    }
    packer.finish(outbox)?;
    Ok(read)
}

/// Says which bytes of a content could not be read; `bad` counts from `offset` of the content.
fn report(outbox: &mut Outbox<'_>, file: &Planned, offset: u64, bad: Bad) -> Result<(), Halt> {
    for (range, cause) in bad {
        let start = offset.saturating_add(range.start);
        let length = range.end.saturating_sub(range.start);
        outbox.not_read(Subject::Entry(file.entry), start, length, cause)?;
    }
    Ok(())
}

/// Where one large read from the start of file `number` may end: after the last of the following files that lie behind
/// each other with nothing but slack between them.
fn reach(plan: &Plan, number: usize, allocations: &[Allocation]) -> u64 {
    let mut files = plan.files().iter().skip(number);
    let Some(mut last) = files.next() else { return 0 };
    let start = last.first().start;
    let mut end = start.saturating_add(last.first().length);
    for next in files {
        let Some(allocation) = allocations.get(usize::from(last.volume)) else { break };
        let adjacent = next.volume == last.volume && allocation.slack_only(end, next.first().start);
        let after = next.first().start.saturating_add(next.first().length);
        if !last.single() || next.unit != 0 || !adjacent || after.saturating_sub(start) > STEP {
            break;
        }
        end = after;
        last = next;
    }
    end
}

/// Bytes of the medium that were read ahead for the files that come next.
#[derive(Debug, Default)]
struct Window {
    range: Range<u64>,
    bytes: Vec<u8>,
    bad: Vec<Range<u64>>,
}

impl Window {
    /// Makes sure that the beginning of `first` is in memory.
    fn prepare(&mut self, medium: &Medium<'_>, first: Extent, reach: impl Fn() -> u64) -> Result<(), Removed> {
        if first.is_hole() || first.length == 0 || self.range.contains(&first.start) {
            return Ok(());
        }
        let length = reach().saturating_sub(first.start).min(STEP);
        self.bad.clear();
        self.bytes.resize(index(length), 0);
        self.range = first.start..first.start;
        medium.read_tolerant(first.start, &mut self.bytes, &mut self.bad)?;
        self.range.end = first.start.saturating_add(length);
        Ok(())
    }

    /// Copies what is in memory from `position` on; returns how much.
    fn copy(&self, position: u64, buffer: &mut [u8], bad: &mut Vec<Range<u64>>) -> usize {
        if !self.range.contains(&position) {
            return 0;
        }
        let from = index(position.saturating_sub(self.range.start));
        let held = self.bytes.get(from..).unwrap_or_default();
        let count = held.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(held) {
            *to = *from;
        }
        let end = position.saturating_add(wide(count));
        for range in &self.bad {
            let lost = range.start.max(position)..range.end.min(end);
            if !lost.is_empty() {
                note(bad, lost);
            }
        }
        count
    }
}

/// Goes through the extents of one content.
struct Cursor<E> {
    extents: E,
    current: Extent,
    in_first: bool,
}

impl<'a> Cursor<Box<dyn Iterator<Item = Extent> + 'a>> {
    fn new(plan: &'a Plan, file: &Planned) -> Self {
        let mut extents = plan.extents(file);
        let current = extents.next().unwrap_or(Extent { start: 0, length: 0 });
        Self { extents: Box::new(extents), current, in_first: true }
    }

    /// Fills `buffer` with the next bytes of the content; returns what could not be read, from the start of `buffer`.
    fn fill(&mut self, medium: &Medium<'_>, window: &Window, buffer: &mut [u8]) -> Result<Bad, Removed> {
        let mut bad = Vec::new();
        let mut filled = 0usize;
        while filled < buffer.len() {
            if self.current.length == 0 {
                let Some(next) = self.extents.next() else { break };
                self.current = next;
                self.in_first = false;
                continue;
            }
            let room = index(self.current.length).min(buffer.len().saturating_sub(filled));
            let Some(part) = buffer.get_mut(filled..filled.saturating_add(room)) else { break };
            let mut lost = Vec::new();
            let count = self.part(medium, window, part, &mut lost)?;
            let start = self.current.start;
            let base = wide(filled);
            let relative = |position: u64| position.saturating_sub(start).saturating_add(base);
            lost.into_iter().for_each(|range| note(&mut bad, relative(range.start)..relative(range.end)));
            self.advance(count);
            filled = filled.saturating_add(count);
        }
        Ok(bad.into_iter().map(|range| (range, Cause::Unreadable)).collect())
    }

    fn part(
        &self,
        medium: &Medium<'_>,
        window: &Window,
        part: &mut [u8],
        lost: &mut Vec<Range<u64>>,
    ) -> Result<usize, Removed> {
        if self.current.is_hole() {
            part.fill(0);
            return Ok(part.len());
        }
        if self.in_first {
            let copied = window.copy(self.current.start, part, lost);
            if copied > 0 {
                return Ok(copied);
            }
        }
        medium.read_tolerant(self.current.start, part, lost)?;
        Ok(part.len())
    }

    fn advance(&mut self, count: usize) {
        let count = wide(count);
        self.current.length = self.current.length.saturating_sub(count);
        if !self.current.is_hole() {
            self.current.start = self.current.start.saturating_add(count);
        }
    }
}
