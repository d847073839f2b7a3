//! Partition maps that need more of the volume than their own bytes: sparing tables, metadata files and virtual
//! allocation tables (UDF 2.60, 2.2.8 to 2.2.13).

use super::account::Account;
use super::allocation::{Purpose, layout};
use super::blocks::BlockSet;
use super::icb::{Icb, Loaded, METADATA_BITMAP, METADATA_FILE, METADATA_MIRROR, VIRTUAL_TABLE, load_one};
use super::space::{Deferred, Map, Piece, Space};
use super::tag::{Place, Tag, identifier};
use crate::bytes::{Record, wide};
use crate::filesystem::{Extent, Fault};
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, Feature};
use std::collections::BTreeMap;

/// Bytes of a sparing table that are read.
const MAX_TABLE: u64 = 1 << 20;
/// Bytes of a virtual allocation table that are read: 2^22 blocks of 2 KiB are 8 GiB.
const MAX_VIRTUAL: u64 = 16 << 20;
/// Blocks at the end of the volume in which the file entry of a virtual allocation table is looked for.
const VIRTUAL_TRIES: u32 = 4;

/// A metadata partition as far as the end of the walk needs it.
#[derive(Debug, Default)]
pub(super) struct MetadataFile {
    /// Its partition reference.
    pub(super) map: u16,
    /// The second copy, where there is one.
    pub(super) mirror: Vec<Extent>,
    /// Where the bitmap of its blocks lies.
    pub(super) bitmap: Vec<Extent>,
}

/// What completes the maps of a volume.
pub(super) struct Completer<'c, 'm> {
    pub(super) medium: &'c Medium<'m>,
    pub(super) space: &'c mut Space,
    pub(super) account: &'c mut Account,
    pub(super) faults: &'c mut Vec<Fault>,
    pub(super) metadata: Vec<MetadataFile>,
    /// A virtual partition is written on and on: entries that no folder names are older versions.
    pub(super) grows: bool,
}

impl Completer<'_, '_> {
    pub(super) fn complete(&mut self, deferred: Vec<Deferred>) -> Result<(), Removed> {
        for one in deferred {
            match one {
                Deferred::Sparable { map, packet, tables, table_bytes } => {
                    self.sparable(map, packet, &tables, u64::from(table_bytes))?;
                }
                Deferred::Metadata { map, below, file, mirror, bitmap, duplicate } => {
                    self.metadata(map, below, [file, mirror, bitmap], duplicate)?;
                }
                Deferred::Virtual { map, below } => self.virtual_table(map, below)?,
            }
        }
        Ok(())
    }

    fn fault(&mut self, offset: u64, cause: Cause) {
        self.faults.push(Fault { offset, length: 0, cause });
    }

    /// The sparing tables say the same, and the one with the highest sequence number counts (UDF 2.60, 2.2.12).
    fn sparable(&mut self, map: usize, packet: u16, tables: &[u32], bytes: u64) -> Result<(), Removed> {
        let mut best: Option<(u32, BTreeMap<u32, u32>)> = None;
        let mut differ = false;
        for block in tables {
            let position = self.space.position(*block);
            let table = match self.medium.read_vec(position, bytes.min(MAX_TABLE)) {
                Ok(table) => table,
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { offset }) => {
                    self.fault(offset, Cause::Unreadable);
                    continue;
                }
            };
            self.account.bytes_structure(self.space, &(position..position.saturating_add(wide(table.len()))));
            self.account.count_read(wide(table.len()));
            let named = identifier(Record(&table), 16) == b"*UDF Sparing Table";
            if !named || !Tag::sound(&table, 0, *block) {
                self.fault(position, Cause::Corrupt(Corruption::Checksum));
                continue;
            }
            let (number, moved) = self.moved(Record(&table), u32::from(packet));
            differ |= best.as_ref().is_some_and(|(best, other)| *best == number && *other != moved);
            if best.as_ref().is_none_or(|(best, _)| *best < number) {
                best = Some((number, moved));
            }
        }
        let start = self.space.range.start;
        if differ || best.is_none() {
            self.fault(start, Cause::Corrupt(Corruption::Allocation));
        }
        let wanted = best.map(|(_, moved)| moved).unwrap_or_default();
        if let Some(Map::Plain { packet: size, moved, .. }) = self.space.maps.get_mut(map) {
            *size = u32::from(packet).max(1);
            *moved = wanted;
        }
        Ok(())
    }

    /// Sequence number and moved packets of a sparing table. The values from FFFFFFF0h on mark packets that are
    /// defective or free.
    fn moved(&mut self, table: Record<'_>, packet: u32) -> (u32, BTreeMap<u32, u32>) {
        let mut moved = BTreeMap::new();
        let (mut sound, mut outside) = (true, false);
        for entry in 0..usize::from(table.u16(48)) {
            let at = entry.saturating_mul(8).saturating_add(56);
            let (original, replacement) = (table.u32(at), table.u32(at.saturating_add(4)));
            if original >= 0xffff_fff0 {
                continue;
            }
            outside |= replacement.saturating_add(packet) > self.space.blocks;
            sound &= original.checked_rem(packet.max(1)) == Some(0);
            if !outside {
                moved.insert(original, replacement);
            }
        }
        if outside || !sound {
            self.fault(self.space.range.start, Cause::Corrupt(Corruption::Allocation));
        }
        (table.u32(52), moved)
    }

    /// The file entry of a metadata, mirror or bitmap file, in the partition below.
    fn special(&mut self, place: Place, kind: u8) -> Result<Option<Icb>, Removed> {
        Ok(match load_one(self.medium, self.space, self.account, place)? {
            Loaded::Entry(icb) if icb.file_type() == kind && icb.sound => Some(icb),
            Loaded::Entry(_) | Loaded::Broken => {
                let position = self.space.block_position(place).unwrap_or(self.space.range.start);
                self.fault(position, Cause::Corrupt(Corruption::FileRecord));
                None
            }
            Loaded::Unreadable => {
                let position = self.space.block_position(place).unwrap_or(self.space.range.start);
                self.fault(position, Cause::Unreadable);
                None
            }
        })
    }

    /// Where a file of structures lies.
    fn extents(&mut self, icb: &Icb) -> Result<Vec<Extent>, Removed> {
        let laid = layout(self.medium, self.space, self.account, icb, Purpose::Structure)?;
        for fault in laid.faults {
            self.fault(self.space.range.start, fault.cause);
        }
        Ok(laid.extents)
    }

    /// A metadata partition is a file of which the blocks count (UDF 2.60, 2.2.10 and 2.2.13).
    fn metadata(&mut self, map: usize, below: u16, files: [u32; 3], duplicate: bool) -> Result<(), Removed> {
        let [file, mirror, bitmap] = files.map(|block| Place { partition: below, block });
        let main = self.special(file, METADATA_FILE)?;
        let second = self.special(mirror, METADATA_MIRROR)?;
        let Some(icb) = main.as_ref().or(second.as_ref()) else { return Ok(()) };
        let extents = self.extents(icb)?;
        let reference = u16::try_from(map).unwrap_or(u16::MAX);
        let mut kept = MetadataFile { map: reference, ..MetadataFile::default() };
        if let (Some(main), Some(second)) = (&main, &second) {
            if duplicate {
                kept.mirror = self.extents(second)?;
            } else if (main.size(), main.descriptors()) != (second.size(), second.descriptors()) {
                // Without a copy of its own, the mirror is the same file.
                self.fault(self.space.range.start, Cause::Corrupt(Corruption::SecondFilesystem));
            }
        }
        if bitmap.block != u32::MAX
            && let Some(icb) = self.special(bitmap, METADATA_BITMAP)?
        {
            kept.bitmap = self.extents(&icb)?;
        }
        let pieces = self.pieces(&extents);
        let count = pieces.last().map_or(0, |last| last.logical.saturating_add(last.count));
        if let Some(slot) = self.space.maps.get_mut(map) {
            *slot = Map::Metadata { pieces };
        }
        self.account.inner.insert(reference, BlockSet::new(count));
        self.metadata.push(kept);
        Ok(())
    }

    /// Extents of whole blocks as pieces of a partition.
    fn pieces(&self, extents: &[Extent]) -> Vec<Piece> {
        let mut logical = 0u32;
        let mut pieces = Vec::new();
        for extent in extents {
            let count = self.space.blocks_for(extent.length);
            if !extent.is_hole() {
                let offset = extent.start.saturating_sub(self.space.range.start);
                let physical = offset.checked_div(self.space.block).unwrap_or(0);
                let physical = u32::try_from(physical).unwrap_or(u32::MAX);
                pieces.push(Piece { logical, physical, count });
            }
            logical = logical.saturating_add(count);
        }
        pieces
    }

    /// The virtual allocation table is the last file that was written (UDF 2.60, 2.2.11). Where the recorded part of
    /// the medium ends is not known here, so it is looked for in its last blocks and given up otherwise.
    fn virtual_table(&mut self, map: usize, below: u16) -> Result<(), Removed> {
        let Some(Map::Plain { area, .. }) = self.space.maps.get(usize::from(below)) else {
            let start = self.space.range.start;
            self.fault(start, Cause::FeatureUnsupported(Feature::PartitionMap));
            return Ok(());
        };
        let area = *area;
        let last = self.space.blocks.saturating_sub(1).checked_sub(area.start);
        for back in 0..VIRTUAL_TRIES {
            let Some(block) = last.and_then(|last| last.checked_sub(back)) else { break };
            let place = Place { partition: below, block };
            let Loaded::Entry(icb) = load_one(self.medium, self.space, self.account, place)? else { continue };
            if let Some(table) = self.table(&icb)? {
                if let Some(slot) = self.space.maps.get_mut(map) {
                    *slot = Map::Virtual { area, table };
                }
                self.grows = true;
                return Ok(());
            }
        }
        let start = self.space.range.start;
        self.fault(start, Cause::FeatureUnsupported(Feature::PartitionMap));
        Ok(())
    }

    /// The entries of a table: since UDF 2.00 behind a header, before in front of a trailer.
    fn table(&mut self, icb: &Icb) -> Result<Option<Vec<u32>>, Removed> {
        let (kind, size) = (icb.file_type(), icb.size());
        if !matches!(kind, VIRTUAL_TABLE | 0) || size > MAX_VIRTUAL || !icb.sound {
            return Ok(None);
        }
        let laid = layout(self.medium, self.space, self.account, icb, Purpose::Structure)?;
        if !laid.faults.is_empty() {
            return Ok(None);
        }
        let mut bytes = laid.embedded.unwrap_or_default();
        for extent in laid.extents.iter().filter(|extent| !extent.is_hole()) {
            match self.medium.read_vec(extent.start, extent.length) {
                Ok(part) => bytes.extend(part),
                Err(ReadError::Removed) => return Err(Removed),
                Err(ReadError::Unreadable { .. }) => return Ok(None),
            }
        }
        self.account.count_read(wide(bytes.len()));
        let record = Record(&bytes);
        let body = if kind == VIRTUAL_TABLE {
            bytes.get(usize::from(record.u16(0))..)
        } else {
            let trailer = bytes.len().saturating_sub(36);
            let named = identifier(record, trailer) == b"*UDF Virtual Alloc Tbl";
            bytes.get(..trailer).filter(|_| named)
        };
        let words = body.map(|body| body.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect());
        Ok(words)
    }
}
