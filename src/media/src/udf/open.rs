//! From the first anchor to the root folder.

use super::UdfVolume;
use super::account::Account;
use super::cs0::decode_field;
use super::maps::Completer;
use super::recognition::{
    Anchor, Announced, Candidate, SEQUENCE_START, VolumeExtent, anchor_at, anchor_blocks, announced, sizes,
};
use super::sequence::{self, Sequence};
use super::space::{Map, Space};
use super::tag::{Descriptor, FILE_SET, INTEGRITY, Place, TERMINATING, Tag, count, identifier};
use crate::bytes::{Record, index, is_zero, wide};
use crate::filesystem::{Fault, Identity};
use crate::names::wtf8;
use crate::recognise::Recognised;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, Feature, FilesystemKind, NameEncoding};
use std::ops::Range;

/// Blocks of one file set extent that are read.
const MAX_SETS: u32 = 64;
/// Extents of integrity descriptors or file sets that are followed.
const MAX_EXTENTS: usize = 16;
/// The newest revision of UDF.
const NEWEST: u16 = 0x0260;
/// The domain of every UDF volume (UDF 2.60, 2.1.5.2).
const DOMAIN: &[u8] = b"*OSTA UDF Compliant";

/// Opens the volume in `range` (bytes on the medium).
pub(crate) fn open(medium: &Medium<'_>, range: &Range<u64>) -> Result<Vec<Recognised>, Removed> {
    let mut faults = Vec::new();
    let announced = announced(medium, range, &|_| true)?;
    if !announced.nsr {
        faults.push(at(range.start.saturating_add(SEQUENCE_START), Cause::Corrupt(Corruption::BootSector)));
    }
    let mut failure = Cause::Corrupt(Corruption::BootSector);
    let mut tried = Vec::new();
    for (size, number) in anchor_places(medium, range) {
        let position = range.start.saturating_add(u64::from(number).saturating_mul(size));
        let anchor = match anchor_at(medium, range, size, number)? {
            Candidate::Sound(anchor) if !tried.contains(&anchor) => anchor,
            Candidate::Sound(_) | Candidate::Nothing => continue,
            Candidate::Damaged => {
                faults.push(at(position, Cause::Corrupt(Corruption::Checksum)));
                continue;
            }
            Candidate::Unreadable => {
                faults.push(at(position, Cause::Unreadable));
                continue;
            }
        };
        tried.push(anchor);
        match open_at(medium, range, announced, anchor, &mut faults)? {
            Ok(volume) => return Ok(vec![Recognised::read(Box::new(volume), None)]),
            Err(cause) => {
                faults.push(at(position, Cause::Corrupt(Corruption::SecondFilesystem)));
                failure = cause;
            }
        }
    }
    let mut unread = Recognised::unread(FilesystemKind::Udf, range, failure);
    unread.faults.extend(faults);
    Ok(vec![unread])
}

/// Places of anchors in the order in which hosts look: block 256 of the device's block size before other sizes, then
/// the end. Once a volume is open, the other places are looked at when it is known that no file lies there.
fn anchor_places(medium: &Medium<'_>, range: &Range<u64>) -> Vec<(u64, u32)> {
    let length = range.end.saturating_sub(range.start);
    let all = sizes(medium).into_iter().flat_map(|size| {
        let numbers = anchor_blocks(length, size);
        numbers.into_iter().map(move |number| (size, number))
    });
    let (first, others): (Vec<_>, Vec<_>) = all.partition(|(_, number)| *number == 256);
    [first, others].concat()
}

/// Opens the volume to which an anchor leads; the cause if it cannot be read. Hosts try the next anchor then.
fn open_at(
    medium: &Medium<'_>,
    range: &Range<u64>,
    announced: Announced,
    anchor: Anchor,
    faults: &mut Vec<Fault>,
) -> Result<Result<UdfVolume, Cause>, Removed> {
    let sequence = sequence::choose(medium, range, &anchor)?;
    faults.extend(sequence.faults.iter().cloned());
    if sequence.volume.is_none() || sequence.partitions.is_empty() {
        return Ok(Err(Cause::Corrupt(Corruption::BootSector)));
    }
    Opener { medium, range, anchor, announced, faults }.volume(&sequence)
}

fn at(offset: u64, cause: Cause) -> Fault {
    Fault { offset, length: 0, cause }
}

/// What is needed while a volume is opened.
struct Opener<'o, 'm> {
    medium: &'o Medium<'m>,
    range: &'o Range<u64>,
    anchor: Anchor,
    announced: Announced,
    faults: &'o mut Vec<Fault>,
}

/// What the file set descriptor says.
#[derive(PartialEq)]
struct FileSet {
    root: Descriptor,
    system_streams: Descriptor,
}

impl Opener<'_, '_> {
    fn fault(&mut self, offset: u64, cause: Cause) {
        self.faults.push(at(offset, cause));
    }

    fn volume(&mut self, sequence: &Sequence) -> Result<Result<UdfVolume, Cause>, Removed> {
        let descriptor = Record(sequence.volume.as_deref().unwrap_or_default());
        self.check_domain(descriptor);
        let (mut space, deferred) = Space::new(self.range, &self.anchor, sequence, self.faults);
        let mut account = Account::new(space.blocks);
        self.claim(&space, &mut account, sequence);
        let mut completer = Completer {
            medium: self.medium,
            space: &mut space,
            account: &mut account,
            faults: self.faults,
            metadata: Vec::new(),
            grows: false,
        };
        completer.complete(deferred)?;
        let (metadata, grows) = (completer.metadata, completer.grows);
        self.integrity(VolumeExtent::of(descriptor, 432), &space, &mut account)?;
        let first = Descriptor::long(descriptor, 248);
        if matches!(space.maps.get(usize::from(first.place.partition)), Some(Map::Unread) | None) {
            return Ok(Err(Cause::FeatureUnsupported(Feature::PartitionMap)));
        }
        let Some(set) = self.file_set(first, &space, &mut account)? else {
            return Ok(Err(Cause::Corrupt(Corruption::BootSector)));
        };
        Ok(Ok(UdfVolume {
            identity: identity(descriptor, sequence.primary.as_deref()),
            anchor: self.anchor,
            space,
            account,
            root: set.root.place,
            system_streams: Some(set.system_streams).filter(|streams| streams.length > 0).map(|streams| streams.place),
            metadata,
            grows,
            faults: std::mem::take(self.faults),
        }))
    }

    /// The domain and its revision (UDF 2.60, 2.1.5.3).
    fn check_domain(&mut self, descriptor: Record<'_>) {
        if identifier(descriptor, 216) != DOMAIN || descriptor.u16(240) > NEWEST {
            self.fault(self.range.start, Cause::FeatureUnsupported(Feature::UnknownFlag));
        }
    }

    /// Claims everything that led here.
    fn claim(&self, space: &Space, account: &mut Account, sequence: &Sequence) {
        let start = self.range.start.saturating_add(SEQUENCE_START);
        account.bytes_structure(space, &(start..start.saturating_add(self.announced.length)));
        account.count_read(self.announced.length);
        account.outer_structure(space, 256..257);
        for place in &sequence.places {
            account.bytes_structure(space, place);
            account.count_read(place.end.saturating_sub(place.start));
        }
    }

    /// Whether the integrity sequence (3/8.8.2) can be read. What it says changes nothing for a reader.
    fn integrity(&mut self, first: VolumeExtent, space: &Space, account: &mut Account) -> Result<(), Removed> {
        let mut next = Some(first).filter(|extent| extent.length > 0);
        for _ in 0..MAX_EXTENTS {
            let Some(extent) = next.take() else { return Ok(()) };
            let length = u64::from(extent.length).min(space.block.saturating_mul(u64::from(MAX_SETS)));
            let start = space.position(extent.block).min(self.range.end);
            let end = start.saturating_add(length).min(self.range.end);
            account.bytes_structure(space, &(start..end));
            for (block, bytes) in (extent.block..).zip(self.blocks(start, end, space, account)?) {
                let Some(bytes) = bytes.filter(|bytes| !is_zero(bytes)) else { break };
                let position = space.position(block);
                let record = Record(&bytes);
                if Tag::sound(&bytes, TERMINATING, block) {
                    break;
                }
                if !Tag::sound(&bytes, INTEGRITY, block) {
                    self.fault(position, Cause::Corrupt(Corruption::Checksum));
                    break;
                }
                let uses = count(record.u32(72)).saturating_mul(8).saturating_add(80);
                // The oldest revision that can read this, behind the identifier and two counts (UDF 2.60, 2.2.6.4).
                if record.u32(76) >= 46 && record.u16(uses.saturating_add(40)) > NEWEST {
                    self.fault(position, Cause::FeatureUnsupported(Feature::UnknownFlag));
                }
                next = Some(VolumeExtent::of(record, 32)).filter(|extent| extent.length > 0);
            }
        }
        self.fault(self.range.start, Cause::Corrupt(Corruption::Chain));
        Ok(())
    }

    /// Blocks of a small structure; nothing for those that cannot be read, which is named.
    fn blocks(
        &mut self,
        start: u64,
        end: u64,
        space: &Space,
        account: &mut Account,
    ) -> Result<Vec<Option<Vec<u8>>>, Removed> {
        let mut buffer = vec![0u8; index(end.saturating_sub(start))];
        let mut bad = Vec::new();
        self.medium.read_tolerant(start, &mut buffer, &mut bad)?;
        account.count_read(wide(buffer.len()));
        let lost = |from: u64, to: u64| bad.iter().any(|range| range.start < to && range.end > from);
        let size = space.block_index().max(1);
        let blocks = buffer.chunks(size).enumerate().map(|(number, bytes)| {
            let from = start.saturating_add(wide(number.saturating_mul(size)));
            (!lost(from, from.saturating_add(wide(size)))).then(|| bytes.to_vec())
        });
        let blocks = blocks.collect();
        for range in &bad {
            let length = range.end.saturating_sub(range.start);
            self.faults.push(Fault { offset: range.start, length, cause: Cause::Unreadable });
        }
        Ok(blocks)
    }

    /// The file set (4/14.1). There is one (UDF 2.60, 2.3.2); hosts that know several choose differently.
    fn file_set(
        &mut self,
        first: Descriptor,
        space: &Space,
        account: &mut Account,
    ) -> Result<Option<FileSet>, Removed> {
        let mut found: Option<FileSet> = None;
        let mut next = Some(first);
        for _ in 0..MAX_EXTENTS {
            let Some(extent) = next.take() else { break };
            let blocks = space.blocks_for(u64::from(extent.length)).min(MAX_SETS);
            account.structure(space, extent.place, blocks);
            for block in extent.place.block..extent.place.block.saturating_add(blocks) {
                let Some(start) = space.block_position(Place { block, ..extent.place }) else { break };
                let bytes = self.blocks(start, start.saturating_add(space.block), space, account)?;
                let Some(bytes) = bytes.into_iter().next().flatten() else { continue };
                if is_zero(&bytes) || Tag::sound(&bytes, TERMINATING, block) {
                    break;
                }
                if !Tag::sound(&bytes, FILE_SET, block) {
                    self.fault(start, Cause::Corrupt(Corruption::Checksum));
                    continue;
                }
                next = self.one_set(Record(&bytes), start, &mut found);
            }
        }
        if next.is_some() {
            self.fault(self.range.start, Cause::Corrupt(Corruption::Chain));
        }
        Ok(found)
    }

    /// A file set descriptor; returns where more of them are.
    fn one_set(&mut self, record: Record<'_>, start: u64, found: &mut Option<FileSet>) -> Option<Descriptor> {
        if identifier(record, 416) != DOMAIN {
            self.fault(start, Cause::FeatureUnsupported(Feature::UnknownFlag));
        }
        let set = FileSet { root: Descriptor::long(record, 400), system_streams: Descriptor::long(record, 464) };
        match found {
            Some(first) if *first != set => self.fault(start, Cause::Corrupt(Corruption::SecondFilesystem)),
            Some(_) => {}
            None => *found = Some(set),
        }
        Some(Descriptor::long(record, 448)).filter(|next| next.length > 0)
    }
}

/// Label, and the part of the volume set identifier that is unique (UDF 2.60, 2.2.2.5).
fn identity(volume: Record<'_>, primary: Option<&[u8]>) -> Identity {
    let label = decode_field(volume.slice(84, 128)).map(|units| wtf8(&units));
    let set = primary.and_then(|primary| decode_field(Record(primary).slice(72, 128)));
    let unique = set.and_then(|units| String::from_utf16(units.get(..16)?).ok());
    Identity {
        kind: FilesystemKind::Udf,
        label: label.map(|label| label.get(..255).map_or(label.clone(), <[u8]>::to_vec)),
        identifier: unique.filter(|text| text.chars().all(|letter| letter.is_ascii_hexdigit())),
        encoding: NameEncoding::Wtf8,
    }
}
