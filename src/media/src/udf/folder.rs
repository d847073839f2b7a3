//! The file identifiers of which a folder consists (ECMA-167 4/14.4), across all borders of blocks and extents.

use super::cs0;
use super::tag::{Descriptor, FILE_IDENTIFIER, Tag};
use crate::bytes::{Record, index, is_zero};
use crate::filesystem::{Extent, Fault};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::Cause;
use std::collections::VecDeque;

/// Bytes of a file identifier without names.
const HEAD: usize = 38;
/// Bytes read at once.
const STEP: u64 = 32 << 10;

// File characteristics (4/14.4.3).
const HIDDEN: u8 = 0x01;
const IS_FOLDER: u8 = 0x02;
const DELETED: u8 = 0x04;
const PARENT: u8 = 0x08;

/// A file identifier.
#[derive(Debug)]
pub(super) struct Identifier {
    characteristics: u8,
    pub(super) icb: Descriptor,
    pub(super) name: Vec<u8>,
}

impl Identifier {
    pub(super) fn hidden(&self) -> bool {
        self.characteristics & HIDDEN != 0
    }

    pub(super) fn is_folder(&self) -> bool {
        self.characteristics & IS_FOLDER != 0
    }

    /// Hosts do not show it, and its file entry may be anything by now.
    pub(super) fn deleted(&self) -> bool {
        self.characteristics & DELETED != 0
    }

    pub(super) fn parent(&self) -> bool {
        self.characteristics & PARENT != 0
    }

    /// The name as units, and whether hosts read it alike; nothing when it cannot be decoded.
    pub(super) fn decoded(&self) -> Option<cs0::Decoded> {
        cs0::decode(&self.name)
    }
}

/// Reads the identifiers of one folder.
pub(super) struct Identifiers<'a, 'm> {
    medium: &'a Medium<'m>,
    extents: VecDeque<Extent>,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes that were read.
    pub(super) read: u64,
    /// Something is no identifier, or its checksum does not hold.
    pub(super) corrupt: bool,
    /// Parts that cannot be read.
    pub(super) faults: Vec<Fault>,
}

impl<'a, 'm> Identifiers<'a, 'm> {
    /// Those in `extents`, behind those in `bytes`.
    pub(super) fn new(medium: &'a Medium<'m>, bytes: Vec<u8>, extents: Vec<Extent>) -> Self {
        let extents = extents.into();
        Self { medium, extents, buffer: bytes, at: 0, read: 0, corrupt: false, faults: Vec::new() }
    }

    /// The next identifier. What is none is stepped over, four bytes at a time: identifiers begin at multiples of
    /// four (4/14.4.9).
    pub(super) fn next(&mut self) -> Result<Option<Identifier>, Removed> {
        loop {
            self.ensure(HEAD)?;
            if self.at >= self.buffer.len() {
                return Ok(None);
            }
            let head = Record(self.rest());
            let found = Tag::of(head.0).filter(|tag| tag.id == FILE_IDENTIFIER);
            let (name, skipped) = (usize::from(head.u8(19)), usize::from(head.u16(36)));
            let length = HEAD.saturating_add(skipped).saturating_add(name);
            let Some(tag) = found else {
                self.step();
                continue;
            };
            self.ensure(length)?;
            let record = Record(self.rest());
            if record.0.len() < length {
                self.step();
                continue;
            }
            let whole = length.next_multiple_of(4);
            let sound = tag.crc_holds(record.slice(0, whole));
            let identifier = Identifier {
                characteristics: record.u8(18),
                icb: Descriptor::long(record, 20),
                name: record.slice(HEAD.saturating_add(skipped), name).to_vec(),
            };
            self.corrupt |= !sound;
            self.at = self.at.saturating_add(whole);
            return Ok(Some(identifier));
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Steps over what is no identifier; zeros as many as there are.
    fn step(&mut self) {
        self.corrupt = true;
        let words = self.rest().chunks(4);
        let zeros = words.take_while(|word| is_zero(word)).count();
        self.at = self.at.saturating_add(zeros.max(1).saturating_mul(4));
    }

    /// Makes sure that `length` bytes from the current place are in memory, if the folder has as many. A hole ends
    /// what came before it, because nothing is recorded there.
    fn ensure(&mut self, length: usize) -> Result<(), Removed> {
        while self.rest().len() < length {
            let Some(extent) = self.extents.front_mut() else { return Ok(()) };
            if extent.is_hole() {
                self.corrupt = true;
                self.extents.pop_front();
                self.at = self.buffer.len();
                continue;
            }
            let count = extent.length.min(STEP);
            let position = extent.start;
            extent.start = position.saturating_add(count);
            extent.length = extent.length.saturating_sub(count);
            if extent.length == 0 {
                self.extents.pop_front();
            }
            self.buffer.drain(..self.at.min(self.buffer.len()));
            self.at = 0;
            let held = self.buffer.len();
            self.buffer.resize(held.saturating_add(index(count)), 0);
            let mut bad = Vec::new();
            self.medium.read_tolerant(position, self.buffer.get_mut(held..).unwrap_or_default(), &mut bad)?;
            self.read = self.read.saturating_add(count);
            for range in bad {
                let length = range.end.saturating_sub(range.start);
                self.faults.push(Fault { offset: range.start, length, cause: Cause::Unreadable });
            }
        }
        Ok(())
    }
}
