//! From logical blocks to bytes on the medium: partitions and partition maps (ECMA-167 3/10.7; UDF 2.60, 2.2.8 to
//! 2.2.11).

use super::recognition::Anchor;
use super::sequence::Sequence;
use super::tag::{Place, count, identifier};
use crate::bytes::{Record, index};
use crate::filesystem::{Extent, Fault};
use blanche_sandbox::wire::{Cause, Corruption, Feature};
use std::collections::BTreeMap;
use std::ops::Range;

/// Partition maps that are believed; UDF has one or two.
const MAX_MAPS: usize = 8;
/// Blocks of one extent in a virtual partition, which holds single structures only (UDF 2.60, 2.2.8).
const MAX_VIRTUAL_RUN: usize = 256;

/// A run of blocks of the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    /// First block, from the start of the volume.
    pub(super) start: u32,
    pub(super) count: u32,
}

/// A part of a partition that lies in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// First block in the partition.
    pub(super) logical: u32,
    /// First block of the volume.
    pub(super) physical: u32,
    pub(super) count: u32,
}

/// One entry of the partition map table.
#[derive(Debug)]
pub(super) enum Map {
    /// Type 1, or a sparable partition: blocks as they lie, but for packets that were moved (first block of the
    /// packet in the partition, first block of its replacement in the volume).
    Plain { area: Area, packet: u32, moved: BTreeMap<u32, u32> },
    /// A metadata partition: the blocks of the metadata file, in order.
    Metadata { pieces: Vec<Piece> },
    /// A virtual partition: the place of each block within the partition below.
    Virtual { area: Area, table: Vec<u32> },
    /// Not read.
    Unread,
}

/// All partitions of the logical volume.
#[derive(Debug)]
pub(super) struct Space {
    /// Bytes on the medium.
    pub(super) range: Range<u64>,
    /// Bytes of a block.
    pub(super) block: u64,
    /// Blocks of the volume.
    pub(super) blocks: u32,
    pub(super) maps: Vec<Map>,
    /// Partition header descriptors (4/14.3) with the partition reference in which they count.
    pub(super) headers: Vec<(u16, Vec<u8>)>,
}

/// A partition map that needs more of the volume before it can be used.
pub(super) enum Deferred {
    Sparable { map: usize, packet: u16, tables: Vec<u32>, table_bytes: u32 },
    Metadata { map: usize, below: u16, file: u32, mirror: u32, bitmap: u32, duplicate: bool },
    Virtual { map: usize, below: u16 },
}

impl Space {
    /// The partitions of a logical volume; also what is left to do for its maps.
    pub(super) fn new(
        range: &Range<u64>,
        anchor: &Anchor,
        sequence: &Sequence,
        faults: &mut Vec<Fault>,
    ) -> (Self, Vec<Deferred>) {
        let length = range.end.saturating_sub(range.start);
        let blocks = length.checked_div(anchor.block).unwrap_or(0);
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        let mut space =
            Self { range: range.clone(), block: anchor.block, blocks, maps: Vec::new(), headers: Vec::new() };
        let mut deferred = Vec::new();
        let volume = Record(sequence.volume.as_deref().unwrap_or_default());
        let table = volume.slice(440, count(volume.u32(264)));
        let mut rest = table;
        for _ in 0..count(volume.u32(268)).min(MAX_MAPS) {
            let length = usize::from(Record(rest).u8(1));
            let (Some(map), true) = (rest.get(..length), length >= 6) else { break };
            rest = rest.get(length..).unwrap_or_default();
            let map = space.map(Record(map), sequence, faults, &mut deferred);
            space.maps.push(map);
        }
        if space.maps.len() != count(volume.u32(268)) {
            faults.push(space.volume_fault(Cause::Corrupt(Corruption::BootSector)));
        }
        (space, deferred)
    }

    /// One entry of the table (3/10.7.2 for type 1, UDF 2.60, 2.2.8 to 2.2.10 for type 2).
    fn map(&mut self, map: Record<'_>, sequence: &Sequence, faults: &mut Vec<Fault>, later: &mut Vec<Deferred>) -> Map {
        let number = self.maps.len();
        let (kind, set, partition) = match (map.u8(0), map.u8(1)) {
            (1, 6) => (&b""[..], map.u16(2), map.u16(4)),
            (2, 64) => (identifier(map, 4), map.u16(36), map.u16(38)),
            _ => (&b"unknown"[..], 0, 0),
        };
        let primary = sequence.primary.as_deref().map_or(0, |primary| Record(primary).u16(56));
        let area = sequence.partitions.get(&partition).map(|partition| self.area(Record(partition), faults));
        let Some(area) = area.filter(|_| set == primary) else {
            // A partition that is not described, or on another medium of a set.
            faults.push(self.volume_fault(Cause::FeatureUnsupported(Feature::PartitionMap)));
            return Map::Unread;
        };
        if let (b"" | b"*UDF Sparable Partition", Ok(number)) = (kind, u16::try_from(number)) {
            let header = sequence.partitions.get(&partition).map(|partition| Record(partition).slice(56, 40).to_vec());
            self.headers.extend(header.map(|header| (number, header)));
        }
        let plain = Map::Plain { area, packet: 1, moved: BTreeMap::new() };
        let (deferred, map) = match kind {
            b"" => return plain,
            b"*UDF Sparable Partition" => (sparable(number, map), plain),
            b"*UDF Metadata Partition" => (metadata(number, map, self.below(partition, sequence)), Map::Unread),
            b"*UDF Virtual Partition" => {
                (Deferred::Virtual { map: number, below: self.below(partition, sequence) }, Map::Unread)
            }
            _ => {
                faults.push(self.volume_fault(Cause::FeatureUnsupported(Feature::PartitionMap)));
                return Map::Unread;
            }
        };
        later.push(deferred);
        map
    }

    /// The map over which a metadata or virtual partition lies: the one before it that is plain and of the same
    /// partition number (UDF 2.60, 2.2.10).
    fn below(&self, partition: u16, sequence: &Sequence) -> u16 {
        let start = sequence.partitions.get(&partition).map(|partition| Record(partition).u32(188));
        let same = |map: &Map| matches!(map, Map::Plain { area, .. } if Some(area.start) == start);
        let found = self.maps.iter().position(same);
        found.and_then(|found| u16::try_from(found).ok()).unwrap_or(u16::MAX)
    }

    /// Where a partition lies, cut to the volume (3/10.5).
    fn area(&self, partition: Record<'_>, faults: &mut Vec<Fault>) -> Area {
        let (start, count) = (partition.u32(188), partition.u32(192));
        let room = self.blocks.saturating_sub(start);
        if count > room {
            let missing = u64::from(count.saturating_sub(room)).saturating_mul(self.block);
            let cause = Cause::Corrupt(Corruption::BootSector);
            let fault = Fault { offset: self.range.end, length: missing, cause };
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        if !matches!(identifier(partition, 24), b"+NSR02" | b"+NSR03") {
            faults.push(self.volume_fault(Cause::FeatureUnsupported(Feature::PartitionMap)));
        }
        Area { start, count: count.min(room) }
    }

    /// A fault of the volume as a whole.
    pub(super) fn volume_fault(&self, cause: Cause) -> Fault {
        Fault { offset: self.range.start, length: 0, cause }
    }

    /// Blocks for this many bytes.
    pub(super) fn blocks_for(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(self.block.max(1))).unwrap_or(u32::MAX)
    }

    /// First byte of a block of the volume on the medium.
    pub(super) fn position(&self, block: u32) -> u64 {
        self.range.start.saturating_add(u64::from(block).saturating_mul(self.block))
    }

    /// Where blocks of a partition lie, in order; blocks that lie nowhere are left out.
    pub(super) fn pieces(&self, place: Place, count: u32) -> Vec<Piece> {
        let start = place.block;
        match self.maps.get(usize::from(place.partition)) {
            Some(Map::Plain { area, packet, moved }) => {
                let end = start.saturating_add(count).min(area.count);
                split_packets(start..end, area.start, (*packet).max(1), moved)
            }
            Some(Map::Metadata { pieces }) => cut(pieces, start..start.saturating_add(count)),
            Some(Map::Virtual { area, table }) => {
                let wanted = table.iter().skip(index(u64::from(start))).take(index(u64::from(count)));
                let inside = (start..).zip(wanted).take(MAX_VIRTUAL_RUN).filter(|(_, place)| **place < area.count);
                let one = |(logical, place): (u32, &u32)| Piece {
                    logical,
                    physical: area.start.saturating_add(*place),
                    count: 1,
                };
                inside.map(one).collect()
            }
            Some(Map::Unread) | None => Vec::new(),
        }
    }

    /// The same as bytes on the medium, with holes where blocks lie nowhere.
    pub(super) fn extents(&self, place: Place, length: u64) -> Vec<Extent> {
        let mut extents = Vec::new();
        let mut done = 0u64;
        let mut put = |start: Option<u64>, until: u64| {
            let size = until.min(length).saturating_sub(done);
            if size > 0 {
                extents.push(Extent { start: start.unwrap_or(Extent::HOLE), length: size });
                done = done.saturating_add(size);
            }
        };
        for piece in self.pieces(place, self.blocks_for(length)) {
            let offset = u64::from(piece.logical.saturating_sub(place.block)).saturating_mul(self.block);
            put(None, offset);
            let bytes = u64::from(piece.count).saturating_mul(self.block);
            put(Some(self.position(piece.physical)), offset.saturating_add(bytes));
        }
        put(None, length);
        extents
    }

    /// The only byte position of a block of a partition.
    pub(super) fn block_position(&self, place: Place) -> Option<u64> {
        self.pieces(place, 1).first().map(|piece| self.position(piece.physical))
    }

    /// Whether blocks of this partition hold nothing but structures, so that more than asked for may be read.
    pub(super) fn is_metadata(&self, partition: u16) -> bool {
        matches!(self.maps.get(usize::from(partition)), Some(Map::Metadata { .. }))
    }

    /// The metadata partitions.
    pub(super) fn metadata_pieces(&self, partition: usize) -> &[Piece] {
        match self.maps.get(partition) {
            Some(Map::Metadata { pieces }) => pieces,
            _ => &[],
        }
    }

    /// Blocks of a buffer.
    pub(super) fn block_index(&self) -> usize {
        index(self.block)
    }
}

/// Packet size, and where the sparing tables lie (UDF 2.60, 2.2.9).
fn sparable(number: usize, map: Record<'_>) -> Deferred {
    let table = |table: usize| map.u32(table.saturating_mul(4).saturating_add(48));
    let tables = (0..usize::from(map.u8(42)).min(4)).map(table).collect();
    Deferred::Sparable { map: number, packet: map.u16(40), tables, table_bytes: map.u32(44) }
}

/// Where the files lie that make a metadata partition (UDF 2.60, 2.2.10).
fn metadata(number: usize, map: Record<'_>, below: u16) -> Deferred {
    let (file, mirror, bitmap) = (map.u32(40), map.u32(44), map.u32(48));
    Deferred::Metadata { map: number, below, file, mirror, bitmap, duplicate: map.u8(58) & 1 != 0 }
}

/// Splits a run where packets were moved (UDF 2.60, 2.2.12).
fn split_packets(blocks: Range<u32>, base: u32, packet: u32, moved: &BTreeMap<u32, u32>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = blocks.start;
    let mut put = |logical: u32, physical: u32, end: u32| {
        let count = end.saturating_sub(logical);
        if count > 0 {
            pieces.push(Piece { logical, physical, count });
        }
    };
    let first = start.saturating_sub(packet.saturating_sub(1));
    for (original, replacement) in moved.range(first..blocks.end.max(first)) {
        let end = original.saturating_add(packet).min(blocks.end);
        let from = (*original).max(start);
        if end <= from {
            continue;
        }
        put(start, base.saturating_add(start), from);
        put(from, replacement.saturating_add(from.saturating_sub(*original)), end);
        start = end;
    }
    put(start, base.saturating_add(start), blocks.end);
    pieces
}

/// The parts of `pieces` (in logical order) that hold `blocks`.
fn cut(pieces: &[Piece], blocks: Range<u32>) -> Vec<Piece> {
    let first = pieces.partition_point(|piece| piece.logical.saturating_add(piece.count) <= blocks.start);
    let touching = pieces.iter().skip(first).take_while(|piece| piece.logical < blocks.end);
    let part = |piece: &Piece| {
        let start = piece.logical.max(blocks.start);
        let end = piece.logical.saturating_add(piece.count).min(blocks.end);
        let skipped = start.saturating_sub(piece.logical);
        let physical = piece.physical.saturating_add(skipped);
        Piece { logical: start, physical, count: end.saturating_sub(start) }
    };
    touching.map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_packets_are_found_in_their_new_place() {
        let moved = BTreeMap::from([(32, 9000), (64, 9100)]);
        let piece = |logical, physical, count| Piece { logical, physical, count };
        let pieces = split_packets(40..70, 1000, 32, &moved);
        assert_eq!(pieces, [piece(40, 9008, 24), piece(64, 9100, 6)]);
        let pieces = split_packets(0..100, 1000, 32, &moved);
        let expected = [piece(0, 1000, 32), piece(32, 9000, 32), piece(64, 9100, 32), piece(96, 1096, 4)];
        assert_eq!(pieces, expected);
        assert_eq!(split_packets(10..10, 0, 32, &moved), []);
    }

    #[test]
    fn pieces_of_a_metadata_file_are_cut() {
        let piece = |logical, physical, count| Piece { logical, physical, count };
        let pieces = [piece(0, 100, 10), piece(10, 500, 10), piece(30, 700, 5)];
        assert_eq!(cut(&pieces, 5..12), [piece(5, 105, 5), piece(10, 500, 2)]);
        assert_eq!(cut(&pieces, 20..29), []);
        assert_eq!(cut(&pieces, 15..99), [piece(15, 505, 5), piece(30, 700, 5)]);
    }
}
