//! The boot catalogue (El Torito 1.0, 2): which images a computer may start.

use super::boot::{Image, Kind};
use super::geometry::SECTOR;
use super::ledger::Ledger;
use crate::boot_areas::HEAD;
use crate::bytes::{Record, wide};
use crate::filesystem::Fault;
use crate::source::{Medium, ReadError, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit};
use std::cell::RefCell;

/// Bytes of an entry of the catalogue, and of the catalogue itself.
const ENTRY: usize = 32;
const MAX_CATALOGUE: u64 = 16 * SECTOR;
const MAX_IMAGES: usize = 256;
/// Of sectors of 512 bytes: what a BIOS loads when the image loads the rest by itself.
const FIRST_PART: u64 = 4;

/// The images of a catalogue at `start`, whose sectors are counted from `base`, and the catalogue itself.
pub(super) fn images(
    medium: &Medium<'_>,
    ledger: &RefCell<Ledger>,
    (base, start): (u64, u64),
    faults: &mut Vec<Fault>,
) -> Result<Vec<Image>, Removed> {
    let range = ledger.borrow().range.clone();
    let ends = (range.end, medium.capacity());
    let mut entries = Entries { ends, ..Entries::default() };
    let mut fault = |length, cause| faults.push(Fault { offset: start, length, cause });
    let length = MAX_CATALOGUE.min(range.end.saturating_sub(start));
    let mut bytes = Vec::new();
    let mut images = Vec::new();
    while wide(bytes.len()) < length && !entries.ended {
        let offset = start.saturating_add(wide(bytes.len()));
        match medium.read_vec(offset, SECTOR.min(range.end.saturating_sub(offset))) {
            Ok(sector) => {
                ledger.borrow_mut().boot(offset..offset.saturating_add(SECTOR));
                sector.chunks_exact(ENTRY).for_each(|entry| entries.take(Record(entry), base, &mut images));
                bytes.extend_from_slice(&sector);
            }
            Err(ReadError::Removed) => return Err(Removed),
            Err(ReadError::Unreadable { .. }) => {
                fault(SECTOR, Cause::Unreadable);
                return Ok(images);
            }
        }
    }
    if !is_valid(&bytes) {
        fault(SECTOR, Cause::Corrupt(Corruption::Checksum));
    }
    if !entries.ended {
        fault(SECTOR, Cause::Corrupt(Corruption::BootSector));
    }
    if images.len() > MAX_IMAGES {
        fault(SECTOR, Cause::ReadLimit(ReadLimit::Entries));
        images.truncate(MAX_IMAGES);
    }
    let place = start..start.saturating_add(wide(bytes.len()));
    if !place.is_empty() {
        images.push(Image::catalogue(&place, range.start.saturating_add(HEAD), ends));
    }
    Ok(images)
}

/// Whether it begins with a validation entry, of which all words add up to zero (2.1).
fn is_valid(bytes: &[u8]) -> bool {
    let words = bytes.chunks_exact(2).take(ENTRY / 2);
    let sum = words.fold(0u16, |sum, word| sum.wrapping_add(Record(word).u16(0)));
    let record = Record(bytes);
    (record.u8(0), record.u16(30), sum) == (1, 0xaa55, 0)
}

/// Where in the catalogue the next entry is: validation, initial entry, then sections (2.0).
#[derive(Default)]
struct Entries {
    /// First byte behind the volume, and behind the medium.
    ends: (u64, u64),
    number: usize,
    /// Entries of the section that follow.
    left: u16,
    /// The header of the section said that no other follows.
    last: bool,
    ended: bool,
}

impl Entries {
    fn take(&mut self, entry: Record<'_>, base: u64, images: &mut Vec<Image>) {
        let number = self.number;
        self.number = number.saturating_add(1);
        match (number, entry.u8(0)) {
            _ if self.ended => {}
            (0, _) => {}
            (1, _) => images.extend(self.image(entry, base)),
            // A section entry extension (2.5).
            (_, 0x44) => {}
            (_, 0x88 | 0x00) if self.left > 0 => {
                images.extend(self.image(entry, base));
                self.left = self.left.saturating_sub(1);
                self.ended = self.last && self.left == 0;
            }
            (_, kind @ (0x90 | 0x91)) => {
                self.left = entry.u16(2);
                self.last = kind == 0x91;
                self.ended = self.last && self.left == 0;
            }
            _ => self.ended = true,
        }
    }

    /// The image of an initial or section entry (2.2, 2.4).
    fn image(&self, entry: Record<'_>, base: u64) -> Option<Image> {
        let sectors = u64::from(entry.u16(6));
        let (kind, size) = match entry.u8(1) & 0x0f {
            1 => (Kind::Image, Some(1200 << 10)),
            2 => (Kind::Image, Some(1440 << 10)),
            3 => (Kind::Image, Some(2880 << 10)),
            4 => (Kind::Disk, None),
            _ => (Kind::Image, (sectors > FIRST_PART).then(|| sectors.saturating_mul(512))),
        };
        let block = entry.u32(8);
        let start = base.saturating_add(u64::from(block).saturating_mul(SECTOR));
        (block > 0).then(|| Image::new(kind, start, size, self.ends))
    }
}
