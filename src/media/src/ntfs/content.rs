//! What an attribute holds as content: extents, holes, compression units, and what is missing.

use super::file::{Held, Runs, Whole};
use super::record::{COMPRESSION_MASK, ENCRYPTED};
use super::runs::{Place, Run};
use super::space::{Space, Use};
use crate::bytes::wide;
use crate::filesystem::{Extent, Fault, Stored};
use crate::units::MAX_UNIT;
use blanche_sandbox::wire::{Cause, Corruption, Feature};
use std::ops::Range;

/// LZNT1, the only method of compression that NTFS has.
const LZNT1: u16 = 1;

/// A content and what is wrong with it.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) size: u64,
    pub(super) stored: Stored,
    /// Offsets within the content.
    pub(super) faults: Vec<Fault>,
}

impl Content {
    fn missing(size: u64, cause: Cause) -> Self {
        let faults = vec![Fault { offset: 0, length: size, cause }];
        Self { size, stored: Stored::Extents(Vec::new()), faults }
    }

    fn fault(&mut self, range: Range<u64>, cause: Cause) {
        let end = range.end.min(self.size);
        let offset = range.start.min(end);
        self.faults.push(Fault { offset, length: end.saturating_sub(offset), cause });
    }
}

/// The content of `attribute`; its clusters are claimed the first time.
pub(super) fn of(space: &mut Space, attribute: &Whole, claim: bool) -> Content {
    let size = attribute.size();
    let method = attribute.flags & COMPRESSION_MASK;
    let runs = match &attribute.held {
        _ if attribute.flags & ENCRYPTED != 0 && size > 0 => return encrypted(space, attribute, claim),
        Held::Resident(bytes) => {
            return Content { size, stored: Stored::Inline(bytes.clone()), faults: Vec::new() };
        }
        Held::Runs(runs) => runs,
    };
    let mut content = match method {
        _ if size == 0 => plain(space, runs),
        0 => plain(space, runs),
        LZNT1 => compressed(space, runs),
        _ => Content::missing(size, Cause::FeatureUnsupported(Feature::Compression)),
    };
    if runs.broken {
        content.fault(0..size, Cause::Corrupt(Corruption::FileRecord));
    }
    if claim {
        let stored = stored_bytes(&content.stored);
        for range in space.claim(&runs.runs, Use::Content(stored)) {
            // Shared clusters behind the end belong to nobody who reads.
            let behind = range.start >= size;
            let range = if behind { 0..0 } else { range };
            content.fault(range, Cause::Corrupt(Corruption::CrossLinked));
        }
    }
    content
}

fn encrypted(space: &mut Space, attribute: &Whole, claim: bool) -> Content {
    if let (true, Held::Runs(runs)) = (claim, &attribute.held) {
        let size = runs.size;
        space.claim(&runs.runs, Use::Content(size));
    }
    Content::missing(attribute.size(), Cause::FeatureUnsupported(Feature::Encryption))
}

/// Bytes of a content that lie on the medium.
fn stored_bytes(stored: &Stored) -> u64 {
    match stored {
        Stored::Extents(extents) | Stored::Lznt1 { extents, .. } => {
            let stored = extents.iter().filter(|extent| !extent.is_hole());
            stored.map(|extent| extent.length).fold(0, u64::saturating_add)
        }
        Stored::Inline(bytes) => wide(bytes.len()),
    }
}

/// Content as it is, with zeros behind what was ever written.
fn plain(space: &Space, runs: &Runs) -> Content {
    let (size, mut outside) = (runs.size, Vec::new());
    let mut extents = space.extents(&runs.runs, size.min(runs.initialised), &mut outside);
    let written = length(&extents);
    let covered = space.bytes(super::runs::total(&runs.runs)).min(size);
    if covered > written {
        extents.push(Extent::hole(covered.saturating_sub(written)));
    } else {
        trim(&mut extents, &outside, written);
    }
    let mut content = Content { size, stored: Stored::Extents(extents), faults: Vec::new() };
    content_faults(&mut content, runs, outside, covered);
    content
}

/// Ends content with the last byte that exists, when what comes behind it lies outside the volume.
fn trim(extents: &mut Vec<Extent>, outside: &[Range<u64>], written: u64) {
    if outside.last().is_some_and(|last| last.end == written) {
        while extents.last().is_some_and(|extent| extent.is_hole()) {
            extents.pop();
        }
    }
}

/// Content in compression units.
fn compressed(space: &Space, runs: &Runs) -> Content {
    let shift = u32::from(runs.unit);
    let unit = 1u64.checked_shl(shift).unwrap_or(0).saturating_mul(space.cluster);
    let Some(unit_bytes) = u32::try_from(unit).ok().filter(|unit| runs.unit > 0 && *unit <= MAX_UNIT) else {
        return Content::missing(runs.size, Cause::FeatureUnsupported(Feature::Compression));
    };
    let (size, mut outside) = (runs.size, Vec::new());
    let whole = |bytes: u64| bytes.div_ceil(unit).saturating_mul(unit);
    let mut extents = space.extents(&runs.runs, whole(size.min(runs.initialised)), &mut outside);
    let written = length(&extents);
    let clusters = super::runs::total(&runs.runs);
    let covered = whole(space.bytes(clusters)).min(whole(size));
    if covered > written {
        // The last unit is filled up; units that were never written are zeros.
        extents.push(Extent::hole(covered.saturating_sub(written)));
    }
    let mut content = Content { size, stored: Stored::Lznt1 { extents, unit: unit_bytes }, faults: Vec::new() };
    if runs.initialised < size && !runs.initialised.is_multiple_of(unit) {
        // Hosts show zeros from the middle of a unit on, whatever it unpacks to.
        let end = whole(runs.initialised);
        content.fault(runs.initialised..end, Cause::Corrupt(Corruption::Compression));
    }
    content_faults(&mut content, runs, outside, covered.min(size));
    content
}

fn content_faults(content: &mut Content, runs: &Runs, outside: Vec<Range<u64>>, covered: u64) {
    for range in outside {
        content.fault(range, Cause::Corrupt(Corruption::Chain));
    }
    if covered < content.size {
        content.fault(covered..content.size, Cause::Corrupt(Corruption::Chain));
    }
    if runs.initialised > content.size {
        content.fault(0..content.size, Cause::Corrupt(Corruption::FileRecord));
    }
}

fn length(extents: &[Extent]) -> u64 {
    extents.iter().map(|extent| extent.length).fold(0, u64::saturating_add)
}

/// Claims an attribute that belongs to the filesystem; what is wrong with its clusters.
pub(super) fn claim_metadata(space: &mut Space, attribute: &Whole) -> Option<Cause> {
    let Held::Runs(Runs { runs, broken, .. }) = &attribute.held else { return None };
    let shared = !space.claim(runs, Use::Metadata).is_empty();
    let outside = runs.iter().any(|Run { place, .. }| *place == Place::Outside);
    if *broken || outside {
        Some(Cause::Corrupt(Corruption::Chain))
    } else {
        shared.then_some(Cause::Corrupt(Corruption::CrossLinked))
    }
}

/// The same for what a system file is expected to hold. Any tool that opens the file by its number shows what stands in
/// it, whatever its name promises; so it is matched, unless it is named as not checked already.
pub(super) fn claim_structure(space: &mut Space, attribute: &Whole) -> Option<Cause> {
    let cause = claim_metadata(space, attribute);
    if let (None, Held::Runs(held)) = (&cause, &attribute.held) {
        space.hand_over(&held.runs);
    }
    cause
}
