//! Volume descriptors (ECMA-119, 8): which trees a descriptor set names.

use super::folder::start_of;
use super::geometry::{Geometry, SECTOR, both16, both32};
use super::names::Naming;
use super::path_table::PathTables;
use super::record::DirectoryRecord;
use crate::bytes::Record;
use crate::filesystem::{Fault, Identity};
use crate::names::wtf8;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, Feature, FilesystemKind, NameEncoding, Tree};
use std::ops::Range;

/// Sectors of a set; Linux reads as many.
const MAX_SET: u64 = 84;

/// Types (8.1.1).
const BOOT: u8 = 0;
const PRIMARY: u8 = 1;
const SUPPLEMENTARY: u8 = 2;
const PARTITION: u8 = 3;
const TERMINATOR: u8 = 255;

const BOOT_SECTOR: Cause = Cause::Corrupt(Corruption::BootSector);

/// A tree that a descriptor names.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) tree: Tree,
    pub(super) naming: Naming,
    pub(super) geometry: Geometry,
    /// First byte of the root folder on the medium, and its bytes.
    pub(super) start: u64,
    pub(super) length: u64,
    /// First byte behind the volume, as the descriptor states it.
    pub(super) end: u64,
    pub(super) tables: PathTables,
    pub(super) identity: Identity,
    /// Of the whole descriptor.
    digest: [u8; 32],
}

impl Root {
    /// Whether it is the same tree.
    pub(super) fn shows_the_same(&self, other: &Self) -> bool {
        let key = |root: &Self| (root.start, root.length, root.naming, root.tree, root.geometry.clone());
        key(self) == key(other)
    }
}

/// A volume descriptor set.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// The sectors of its descriptors.
    pub(super) place: Range<u64>,
    pub(super) roots: Vec<Root>,
    /// Boot catalogues: where their sectors are counted from, and their first byte.
    pub(super) catalogues: Vec<(u64, u64)>,
    pub(super) faults: Vec<Fault>,
}

/// Whether a sector begins like a descriptor.
pub(super) fn is_descriptor(sector: &[u8]) -> bool {
    Record(sector).slice(1, 5) == b"CD001"
}

/// Whether a sector begins like a descriptor of High Sierra, from which ISO 9660 came and which Linux reads too.
fn is_high_sierra(sector: &[u8]) -> bool {
    Record(sector).slice(9, 5) == b"CDROM"
}

/// A boot record, a primary or supplementary descriptor, or a terminator (ECMA-119, 8.1.1).
pub(super) fn names_a_filesystem(sector: &[u8]) -> bool {
    let known = matches!(sector.first(), Some(&(BOOT | PRIMARY | SUPPLEMENTARY | PARTITION | TERMINATOR)));
    (known && is_descriptor(sector)) || is_high_sierra(sector)
}

/// Reads the set whose first descriptor is at `first`, with blocks counted from `base`. Hosts go on behind sectors that
/// are no descriptor, up to the terminator.
pub(super) fn read_set(medium: &Medium<'_>, range: &Range<u64>, base: u64, first: u64) -> Result<Set, Removed> {
    let mut set = Set { place: first..first, ..Set::default() };
    let (mut terminated, mut strange) = (false, false);
    for number in 0..MAX_SET {
        let offset = first.saturating_add(number.saturating_mul(SECTOR));
        let end = offset.saturating_add(SECTOR);
        if end > range.end {
            break;
        }
        let sector = match medium.read_vec(offset, SECTOR) {
            Ok(sector) => sector,
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { .. }) => {
                set.fault(offset, SECTOR, Cause::Unreadable);
                continue;
            }
        };
        if !is_descriptor(&sector) {
            if is_high_sierra(&sector) {
                set.fault(offset, SECTOR, Cause::Corrupt(Corruption::SecondFilesystem));
            }
            strange = true;
            continue;
        }
        if strange {
            set.fault(offset, SECTOR, BOOT_SECTOR);
        }
        set.place.end = end;
        set.descriptor(range, base, offset, &sector);
        if sector.first() == Some(&TERMINATOR) {
            terminated = true;
            break;
        }
    }
    if !terminated {
        set.fault(set.place.end, 0, BOOT_SECTOR);
    }
    Ok(set)
}

impl Set {
    fn fault(&mut self, offset: u64, length: u64, cause: Cause) {
        self.faults.push(Fault { offset, length, cause });
    }

    fn descriptor(&mut self, range: &Range<u64>, base: u64, offset: u64, sector: &[u8]) {
        let record = Record(sector);
        match record.u8(0) {
            BOOT => {
                // El Torito 1.0, figure 7.
                if record.slice(7, 23) == b"EL TORITO SPECIFICATION" {
                    let catalogue = u64::from(record.u32(71)).saturating_mul(SECTOR);
                    self.catalogues.push((base, base.saturating_add(catalogue)));
                }
            }
            PRIMARY | SUPPLEMENTARY => match root(range, base, offset, record, &mut self.faults) {
                Some(root) => self.add(offset, root),
                None => self.fault(offset, SECTOR, BOOT_SECTOR),
            },
            PARTITION => self.fault(offset, SECTOR, Cause::FeatureUnsupported(Feature::PartitionMap)),
            TERMINATOR => {}
            _ => self.fault(offset, SECTOR, BOOT_SECTOR),
        }
    }

    /// A primary descriptor may be recorded several times (6.7.1.1), but then all of them are equal.
    fn add(&mut self, offset: u64, root: Root) {
        let primary = |root: &Root| root.tree == Tree::Iso9660;
        let second = primary(&root) && self.roots.iter().any(|known| primary(known) && known.digest != root.digest);
        if second {
            self.fault(offset, SECTOR, Cause::Corrupt(Corruption::SecondFilesystem));
        }
        if !self.roots.iter().any(|known| known.digest == root.digest) {
            self.roots.push(root);
        }
    }
}

/// The tree of a primary, supplementary or enhanced descriptor (8.4, 8.5).
fn root(range: &Range<u64>, base: u64, offset: u64, record: Record<'_>, faults: &mut Vec<Fault>) -> Option<Root> {
    let (tree, naming) = match (record.u8(0), record.slice(88, 3)) {
        (PRIMARY, _) => (Tree::Iso9660, Naming::Plain),
        // Levels 1 to 3 of UCS-2 (Joliet specification, "Escape sequences").
        (_, b"%/@" | b"%/C" | b"%/E") => (Tree::Joliet, Naming::Joliet),
        _ => (Tree::Enhanced, Naming::Plain),
    };
    let (block, block_agrees) = both16(record, 128);
    let (blocks, blocks_agree) = both32(record, 80);
    let (volumes, volumes_agree) = both16(record, 120);
    let (_, number_agrees) = both16(record, 124);
    let (tables, tables_agree) = PathTables::of(record);
    let directory = DirectoryRecord::parse(record.slice(156, 34)).filter(|root| root.is_directory())?;
    let geometry = Geometry { range: range.clone(), base, block: u64::from(block) };
    let start = start_of(&geometry, directory);
    let length = u64::from(directory.size());
    if !matches!(block, 512 | 1024 | 2048) || length == 0 || start >= range.end {
        return None;
    }
    let mut fault = |wrong: bool, cause: Cause| {
        if wrong {
            faults.push(Fault { offset, length: SECTOR, cause });
        }
    };
    let both = [block_agrees, blocks_agree, volumes_agree, number_agrees, tables_agree, directory.hosts_agree()];
    fault(both.contains(&false), BOOT_SECTOR);
    fault(volumes > 1, Cause::FeatureUnsupported(Feature::StoredElsewhere));
    fault(directory.interleaved() || directory.goes_on(), Cause::FeatureUnsupported(Feature::Interleaved));
    Some(Root {
        tree,
        naming,
        end: geometry.position(blocks),
        geometry,
        start,
        length,
        tables,
        identity: identity(naming, record),
        digest: *blake3::hash(record.0).as_bytes(),
    })
}

fn identity(naming: Naming, record: Record<'_>) -> Identity {
    let label = record.slice(40, 32);
    let (label, encoding) = match naming {
        Naming::Plain => (label.to_vec(), NameEncoding::Bytes),
        Naming::Joliet => {
            let units: Vec<u16> = label.chunks_exact(2).map(|pair| Record(pair).u16(0).swap_bytes()).collect();
            (wtf8(&units), NameEncoding::Wtf8)
        }
    };
    let end = label.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |last| last.saturating_add(1));
    let label = label.get(..end).filter(|label| !label.is_empty()).map(<[u8]>::to_vec);
    // Date and time of the last change, or of creation (8.4.27, 8.4.26), as other programs identify such volumes.
    let dates = [830, 813].map(|at| record.slice(at, 16));
    let set = dates.iter().find(|date| date.iter().all(u8::is_ascii_digit) && date.iter().any(|digit| *digit != b'0'));
    let identifier = set.map(|date| String::from_utf8_lossy(date).into_owned());
    Identity { kind: FilesystemKind::Iso9660, label, identifier, encoding }
}
