//! The volume descriptor sequences (ECMA-167 3/8.4.2): which logical volume there is and where its partitions lie.
//! Both sequences are always read, because a host uses the reserve one when the main one is damaged.

use super::recognition::{Anchor, VolumeExtent};
use super::tag::{
    IMPLEMENTATION_USE, LOGICAL_VOLUME, PARTITION, POINTER, PRIMARY, TERMINATING, Tag, UNALLOCATED, count,
};
use crate::bytes::{Record, index, is_zero, wide};
use crate::filesystem::Fault;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption};
use std::collections::BTreeMap;
use std::ops::Range;

/// Blocks of one extent that are read; 16 are usual.
const MAX_BLOCKS: u64 = 256;
/// Extents of one sequence that are read.
const MAX_EXTENTS: usize = 8;

/// What one sequence says.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    pub(super) primary: Option<Vec<u8>>,
    pub(super) volume: Option<Vec<u8>>,
    /// By partition number.
    pub(super) partitions: BTreeMap<u16, Vec<u8>>,
    pub(super) faults: Vec<Fault>,
    /// Where it lies, in bytes on the medium.
    pub(super) places: Vec<Range<u64>>,
}

impl Sequence {
    fn complete(&self) -> bool {
        self.primary.is_some() && self.volume.is_some() && !self.partitions.is_empty()
    }

    /// Whether both lead to the same files.
    fn agrees(&self, other: &Self) -> bool {
        self.volume.as_deref().map(volume_facts) == other.volume.as_deref().map(volume_facts)
            && self.partitions.len() == other.partitions.len()
            && self.partitions.iter().zip(&other.partitions).all(|((number, one), (other_number, other))| {
                number == other_number && partition_facts(one) == partition_facts(other)
            })
    }
}

/// Block size, file set and partition maps of a logical volume descriptor (3/10.6).
fn volume_facts(bytes: &[u8]) -> [&[u8]; 3] {
    let record = Record(bytes);
    [record.slice(212, 4), record.slice(248, 24), record.slice(440, count(record.u32(264)))]
}

/// Number, content, space sets and place of a partition descriptor (3/10.5).
fn partition_facts(bytes: &[u8]) -> [&[u8]; 3] {
    let record = Record(bytes);
    [record.slice(22, 34), record.slice(56, 40), record.slice(184, 12)]
}

/// Reads both sequences and decides for one.
pub(super) fn choose(medium: &Medium<'_>, range: &Range<u64>, anchor: &Anchor) -> Result<Sequence, Removed> {
    let mut main = read(medium, range, anchor.block, anchor.main)?;
    if anchor.reserve.length == 0 {
        return Ok(main);
    }
    let mut reserve = read(medium, range, anchor.block, anchor.reserve)?;
    let mut faults = std::mem::take(&mut main.faults);
    faults.append(&mut reserve.faults);
    let mut places = std::mem::take(&mut main.places);
    places.append(&mut reserve.places);
    let at = |extent: VolumeExtent| range.start.saturating_add(u64::from(extent.block).saturating_mul(anchor.block));
    let mut note = |offset, corruption| faults.push(Fault { offset, length: 0, cause: Cause::Corrupt(corruption) });
    let chosen = match (main.complete(), reserve.complete()) {
        (true, true) => {
            if !main.agrees(&reserve) {
                note(at(anchor.reserve), Corruption::SecondFilesystem);
            }
            main
        }
        (true, false) => {
            note(at(anchor.reserve), Corruption::BootSector);
            main
        }
        (false, true) => {
            note(at(anchor.main), Corruption::BootSector);
            reserve
        }
        (false, false) => main,
    };
    Ok(Sequence { faults, places, ..chosen })
}

/// Reads one sequence with its continuations.
fn read(medium: &Medium<'_>, range: &Range<u64>, block: u64, extent: VolumeExtent) -> Result<Sequence, Removed> {
    let mut sequence = Sequence::default();
    let mut next = Some(extent);
    let mut visited: Vec<VolumeExtent> = Vec::new();
    while let Some(extent) = next.take() {
        let start = range.start.saturating_add(u64::from(extent.block).saturating_mul(block));
        if visited.contains(&extent) || visited.len() >= MAX_EXTENTS {
            sequence.faults.push(Fault { offset: start, length: 0, cause: Cause::Corrupt(Corruption::Chain) });
            break;
        }
        visited.push(extent);
        let length = u64::from(extent.length).min(block.saturating_mul(MAX_BLOCKS));
        let inside = start.min(range.end)..start.saturating_add(length).min(range.end);
        let mut bytes = vec![0u8; index(inside.end.saturating_sub(inside.start))];
        let mut bad = Vec::new();
        medium.read_tolerant(inside.start, &mut bytes, &mut bad)?;
        for range in &bad {
            let length = range.end.saturating_sub(range.start);
            sequence.faults.push(Fault { offset: range.start, length, cause: Cause::Unreadable });
        }
        next = sequence.take(&bytes, &Read { block, first: extent.block, start: inside.start, bad: &bad });
        sequence.places.push(inside);
    }
    let size = sequence.volume.as_deref().map(|volume| u64::from(Record(volume).u32(212)));
    if size.is_some_and(|size| size != block) {
        // Blocks of another size than the sectors: no host reads that (UDF 2.60, 2.2.4.2).
        sequence.fault(range.start, Corruption::BootSector);
        sequence.volume = None;
    }
    Ok(sequence)
}

impl Sequence {
    /// Takes the descriptors of one extent, up to its end, a terminator or an unrecorded block; returns the extent
    /// in which the sequence goes on. Descriptors behind the pointer to it count, as in Linux.
    fn take(&mut self, bytes: &[u8], extent: &Read<'_>) -> Option<VolumeExtent> {
        let mut next = None;
        for (number, bytes) in bytes.chunks(index(extent.block).max(1)).enumerate() {
            let offset = extent.start.saturating_add(wide(number).saturating_mul(extent.block));
            if extent.bad.iter().any(|range| range.contains(&offset)) {
                continue;
            }
            if is_zero(bytes) {
                break;
            }
            let location = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(extent.first);
            let Some(tag) = Tag::of(bytes).filter(|tag| tag.location == location && tag.crc_holds(bytes)) else {
                self.fault(offset, Corruption::Checksum);
                continue;
            };
            let agreed = match tag.id {
                PRIMARY => prevail(&mut self.primary, bytes, &|_, _| true),
                LOGICAL_VOLUME => prevail(&mut self.volume, bytes, &same_volume),
                PARTITION => self.partition(bytes),
                IMPLEMENTATION_USE | UNALLOCATED => true,
                POINTER => {
                    next = Some(VolumeExtent::of(Record(bytes), 20));
                    true
                }
                TERMINATING => break,
                _ => false,
            };
            if !agreed {
                self.fault(offset, Corruption::SecondFilesystem);
            }
        }
        next
    }

    fn partition(&mut self, bytes: &[u8]) -> bool {
        let number = Record(bytes).u16(22);
        let mut slot = self.partitions.remove(&number);
        let agreed = prevail(&mut slot, bytes, &|older, newer| {
            sequence_number(older) != sequence_number(newer) || partition_facts(older) == partition_facts(newer)
        });
        self.partitions.extend(slot.map(|slot| (number, slot)));
        agreed
    }

    fn fault(&mut self, offset: u64, corruption: Corruption) {
        self.faults.push(Fault { offset, length: 0, cause: Cause::Corrupt(corruption) });
    }
}

/// An extent that was read.
struct Read<'a> {
    /// Bytes of a block.
    block: u64,
    /// First block.
    first: u32,
    /// First byte on the medium.
    start: u64,
    bad: &'a [Range<u64>],
}

/// Of two descriptors for the same thing, the one with the higher sequence number counts (3/8.4.3). Returns whether
/// `agree` says that no host can be misled by the other one.
fn prevail(slot: &mut Option<Vec<u8>>, newer: &[u8], agree: &dyn Fn(&[u8], &[u8]) -> bool) -> bool {
    let Some(older) = slot else {
        *slot = Some(newer.to_vec());
        return true;
    };
    let agreed = agree(older, newer);
    if sequence_number(newer) > sequence_number(older) {
        *older = newer.to_vec();
    }
    agreed
}

fn sequence_number(descriptor: &[u8]) -> u32 {
    Record(descriptor).u32(16)
}

/// One logical volume: the same identifier, and the same facts unless one is older.
fn same_volume(one: &[u8], other: &[u8]) -> bool {
    let name = |bytes| Record(bytes).slice(20, 192);
    name(one) == name(other)
        && (sequence_number(one) != sequence_number(other) || volume_facts(one) == volume_facts(other))
}
