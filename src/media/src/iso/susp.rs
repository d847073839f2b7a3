//! System use entries (SUSP, IEEE P1281) and what Rock Ridge (RRIP, IEEE P1282) says with them about a file.

use super::dates;
use super::geometry::{Geometry, both32};
use super::ledger::Ledger;
use super::window::Window;
use crate::bytes::{Record, index};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::Modified;
use std::cell::RefCell;

/// Continuation areas of one record; Linux follows 32.
const MAX_AREAS: usize = 128;
/// Bytes of one continuation area, and of a name, a target or the attributes that are collected from them.
const MAX_AREA: u64 = 64 << 10;
const MAX_COLLECTED: usize = 256 << 10;
/// Bytes of continuation areas in one tree, beside the size of the volume: honest ones do not overlap.
const SPARE: u64 = 64 << 20;

/// The flag of NM (RRIP 4.1.4) and SL (4.1.3) that says that another one follows.
const GOES_ON: u8 = 1;
/// NM flags (RRIP 4.1.4).
const NAME_IS_A_FOLDER: u8 = 2 | 4;

/// TF flags (RRIP 4.1.6): which dates there are, in this order, and their form.
const CREATION: u8 = 1;
const MODIFY: u8 = 2;
const LONG_FORM: u8 = 0x80;

/// What the system use entries of one record say.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// NM (RRIP 4.1.4).
    pub(super) name: Vec<u8>,
    name_ended: bool,
    /// PX (RRIP 4.1.1).
    pub(super) mode: Option<u32>,
    /// TF (RRIP 4.1.6).
    pub(super) modified: Option<Modified>,
    /// The component records of SL (RRIP 4.1.3): the target of a link, as it is stored.
    pub(super) target: Vec<u8>,
    target_ended: bool,
    /// CL: the folder that was moved from here (RRIP 4.1.5.1).
    pub(super) child: Option<u32>,
    /// RE: was moved here from elsewhere (RRIP 4.1.5.3).
    pub(super) relocated: bool,
    /// ZF: compressed by zisofs.
    pub(super) compressed: bool,
    /// SF: sparse (RRIP 4.1.7).
    pub(super) sparse: bool,
    /// Values of AL: access control lists and extended attributes (AAIP 2.0).
    pub(super) attributes: Vec<u8>,
    /// Whether there was any entry of SUSP or Rock Ridge.
    pub(super) present: bool,
    /// Something contradicts itself.
    pub(super) broken: bool,
    /// A continuation area could not be read.
    pub(super) unreadable: bool,
    /// Too much to follow.
    pub(super) limit: bool,
}

/// A continuation area (SUSP 5.1).
#[derive(Clone, Copy, PartialEq, Eq)]
struct Area {
    start: u64,
    length: u64,
}

/// Reads system use areas of one tree.
#[derive(Debug)]
pub(super) struct Susp {
    /// Bytes at the start of every system use area that are not SUSP (5.3).
    skip: usize,
    window: Window,
    left: u64,
}

impl Susp {
    /// Looks at the first record of the root. Hosts use Rock Ridge once they see any of its entries there.
    pub(super) fn detect(
        medium: &Medium<'_>,
        geometry: &Geometry,
        ledger: &RefCell<Ledger>,
        area: &[u8],
    ) -> Result<Option<Self>, Removed> {
        let left = geometry.range.end.saturating_sub(geometry.range.start).saturating_add(SPARE);
        // Behind the 14 bytes of CD-ROM XA on discs that have both.
        for skip in [0, 14] {
            let mut susp = Self { skip, window: Window::default(), left };
            let facts = susp.facts(medium, geometry, ledger, area)?;
            if facts.present {
                let indicator = Record(area.get(skip..).unwrap_or_default());
                let stated = usize::from(indicator.u8(6));
                // SP (5.3): the check bytes, then the bytes to skip in every other record.
                let valid = indicator.slice(0, 6) == b"SP\x07\x01\xbe\xef";
                susp.skip = if valid { stated } else { skip };
                return Ok(Some(susp));
            }
        }
        Ok(None)
    }

    /// Everything that is said in a system use area and its continuations.
    pub(super) fn facts(
        &mut self,
        medium: &Medium<'_>,
        geometry: &Geometry,
        ledger: &RefCell<Ledger>,
        area: &[u8],
    ) -> Result<Facts, Removed> {
        let mut facts = Facts::default();
        let mut next = entries(&mut facts, geometry, area.get(self.skip..).unwrap_or_default());
        let mut seen: Vec<Area> = Vec::new();
        while let Some(area) = next {
            if seen.contains(&area) || geometry.inside(area.start, area.length) < area.length {
                facts.broken = true;
                break;
            }
            if seen.len() >= MAX_AREAS || area.length > MAX_AREA || area.length > self.left {
                facts.limit = true;
                break;
            }
            seen.push(area);
            self.left = self.left.saturating_sub(area.length);
            let sectors = geometry.sectors(area.start, area.length);
            ledger.borrow_mut().metadata(&sectors);
            let Some(bytes) = self.window.get(medium, &sectors, sectors.end)? else {
                facts.unreadable = true;
                break;
            };
            let from = index(area.start.saturating_sub(sectors.start));
            next = entries(&mut facts, geometry, Record(bytes).slice(from, index(area.length)));
        }
        ledger.borrow_mut().count_read(self.window.take_read());
        facts.join_attributes();
        facts.broken |= self.window.take_descriptor();
        facts.broken |= !facts.name.is_empty() && !facts.name_ended;
        facts.broken |= !facts.target.is_empty() && !facts.target_ended;
        Ok(facts)
    }
}

/// The entries of one area; returns where they go on.
fn entries(facts: &mut Facts, geometry: &Geometry, mut bytes: &[u8]) -> Option<Area> {
    let mut next = None;
    while let Some(header) = bytes.get(..4) {
        let header = Record(header);
        let length = usize::from(header.u8(2));
        if header.u16(0) == 0 {
            break;
        }
        let Some((entry, rest)) = bytes.split_at_checked(length).filter(|_| length >= 4) else {
            facts.broken = true;
            break;
        };
        bytes = rest;
        let entry = Record(entry);
        match &entry.array(0) {
            b"ST" => return next,
            b"CE" => {
                let [block, offset, length] = [4, 12, 20].map(|at| both32(entry, at));
                facts.broken |= next.is_some() || !(block.1 && offset.1 && length.1);
                let start = geometry.position(block.0).saturating_add(u64::from(offset.0));
                next = Some(Area { start, length: u64::from(length.0) });
            }
            signature => facts.entry(*signature, entry),
        }
    }
    next
}

impl Facts {
    fn entry(&mut self, signature: [u8; 2], entry: Record<'_>) {
        match &signature {
            b"SP" | b"ER" | b"RR" => self.present = true,
            b"PX" => {
                let (mode, agree) = both32(entry, 4);
                self.broken |= !agree || self.mode.is_some_and(|known| known != mode);
                self.mode = Some(mode);
                self.present = true;
            }
            b"NM" => self.name(entry),
            b"TF" => self.modified = self.modified.or_else(|| modified(entry)),
            b"SL" => self.target(entry),
            b"CL" => {
                let (block, agree) = both32(entry, 4);
                self.broken |= !agree || self.child.is_some();
                self.child = Some(block);
            }
            b"RE" => self.relocated = true,
            b"ZF" => self.compressed = true,
            b"SF" => self.sparse = true,
            b"AL" => collect(&mut self.attributes, entry.slice(5, usize::MAX), &mut self.limit),
            _ => {}
        }
    }

    /// A part of the name. Linux takes every NM whatever an earlier one says, and none that means a dot.
    fn name(&mut self, entry: Record<'_>) {
        let flags = entry.u8(4);
        self.present = true;
        if flags & NAME_IS_A_FOLDER != 0 {
            self.broken |= entry.0.len() > 5;
            return;
        }
        self.broken |= self.name_ended;
        self.name_ended = flags & GOES_ON == 0;
        collect(&mut self.name, entry.slice(5, usize::MAX), &mut self.limit);
    }

    /// A part of the target.
    fn target(&mut self, entry: Record<'_>) {
        self.broken |= self.target_ended;
        self.target_ended = entry.u8(4) & GOES_ON == 0;
        collect(&mut self.target, entry.slice(5, usize::MAX), &mut self.limit);
    }

    /// Takes the headers (flags, length) of the component records of AL away. A record may go on in the next entry.
    fn join_attributes(&mut self) {
        let mut bytes = self.attributes.as_slice();
        let mut values = Vec::new();
        while let [_, length, rest @ ..] = bytes {
            let (value, rest) = rest.split_at(usize::from(*length).min(rest.len()));
            values.extend_from_slice(value);
            bytes = rest;
        }
        self.attributes = values;
    }
}

/// The time of the last change in an entry TF.
fn modified(entry: Record<'_>) -> Option<Modified> {
    let flags = entry.u8(4);
    let width = if flags & LONG_FORM == 0 { dates::SHORT } else { dates::LONG };
    let before = if flags & CREATION == 0 { 0 } else { width };
    let date = entry.slice(before.saturating_add(5), width);
    if flags & MODIFY == 0 || date.len() < width {
        return None;
    }
    if flags & LONG_FORM == 0 { dates::short(Record(date).array(0)) } else { dates::long(Record(date).array(0)) }
}

fn collect(to: &mut Vec<u8>, more: &[u8], limit: &mut bool) {
    if to.len().saturating_add(more.len()) > MAX_COLLECTED {
        *limit = true;
    } else {
        to.extend_from_slice(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::Clock;

    #[test]
    fn the_date_of_the_last_change_stands_behind_that_of_the_creation() {
        let date = |hour| [126, 11, 24, hour, 0, 0, 0];
        let entry = |flags: u8, dates: &[u8]| {
            let length = u8::try_from(dates.len()).unwrap() + 5;
            modified(Record(&[&[b'T', b'F', length, 1, flags], dates].concat()))
        };
        let at = |hour: i64| Some(Modified { seconds: 1_795_478_400 + hour * 3600, clock: Clock::Utc });
        let two = [date(1), date(2)].concat();
        assert_eq!(entry(MODIFY, &two), at(1));
        assert_eq!(entry(CREATION | MODIFY, &two), at(2));
        assert_eq!(entry(CREATION, &two), None);
        assert_eq!(entry(CREATION | MODIFY, &two[..13]), None, "cut off");
        assert_eq!(entry(LONG_FORM | MODIFY, b"2026112412000000\0"), at(12));
        assert_eq!(entry(LONG_FORM | CREATION | MODIFY, b"2026112412000000\x002026112413000000\0"), at(13));
        assert_eq!(entry(LONG_FORM | MODIFY, &two), None);
    }
}
