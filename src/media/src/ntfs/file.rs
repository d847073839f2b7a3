//! A file or folder from its base record and the records that continue it ($ATTRIBUTE_LIST).

use super::mft::Mft;
use super::record::{
    ATTRIBUTE_LIST, Attribute, Body, FILE_NAME, FileName, FileRecord, Namespace, Reference, Segment, attribute_list,
};
use super::runs::{self, Place, Run};
use super::space::{Space, Use};
use super::value::Value;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, ReadLimit};

/// Largest attribute list (Windows and ntfs-3g): 256 KiB.
const MAX_LIST: u64 = 256 << 10;
/// Bytes of metadata that cost as much as a continuation.
const PIECE: u64 = 4096;
/// Continuations of one file that may be wrong before the others are not looked at any more.
const MAX_WRONG: usize = 16;

const BROKEN: Cause = Cause::Corrupt(Corruption::FileRecord);

/// Where the bytes of an attribute are.
#[derive(Debug)]
pub(super) enum Held {
    Resident(Vec<u8>),
    Runs(Runs),
}

/// A non-resident attribute with all its parts.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) runs: Vec<Run>,
    /// Bytes.
    pub(super) size: u64,
    /// Bytes that were ever written; what follows reads as zeros.
    pub(super) initialised: u64,
    /// Compression unit: two to the power of this, in clusters.
    pub(super) unit: u16,
    /// Its parts do not fit together.
    pub(super) broken: bool,
}

/// A whole attribute.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) kind: u32,
    pub(super) name: Vec<u16>,
    pub(super) flags: u16,
    pub(super) held: Held,
}

impl Whole {
    /// Bytes.
    pub(super) fn size(&self) -> u64 {
        match &self.held {
            Held::Resident(bytes) => crate::bytes::wide(bytes.len()),
            Held::Runs(runs) => runs.size,
        }
    }

    /// Whether this is attribute `kind` with this name.
    pub(super) fn is(&self, kind: u32, name: &str) -> bool {
        self.kind == kind && self.name.iter().copied().eq(name.encode_utf16())
    }
}

/// A file or folder.
#[derive(Debug)]
pub(super) struct File {
    pub(super) number: u64,
    pub(super) sequence: u16,
    pub(super) directory: bool,
    /// It has more than one name, short ones not counted.
    pub(super) shared: bool,
    pub(super) attributes: Vec<Whole>,
    /// What is wrong with its records.
    pub(super) causes: Vec<Cause>,
}

impl File {
    /// Its names in folders.
    pub(super) fn names(&self) -> impl Iterator<Item = FileName> + '_ {
        self.attributes.iter().filter(|attribute| attribute.kind == FILE_NAME).filter_map(|name| match &name.held {
            Held::Resident(bytes) => FileName::parse(bytes),
            Held::Runs(_) => None,
        })
    }

    /// What refers to it.
    pub(super) fn reference(&self) -> Reference {
        Reference { number: self.number, sequence: self.sequence }
    }

    /// The attribute with this kind and name.
    pub(super) fn find(&self, kind: u32, name: &str) -> Option<&Whole> {
        self.attributes.iter().find(|attribute| attribute.is(kind, name))
    }

    fn blame(&mut self, cause: Cause) {
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }
}

/// What gathering needs besides the medium.
pub(super) struct Gather<'g> {
    pub(super) mft: &'g mut Mft,
    pub(super) space: &'g mut Space,
    /// Continuations and pieces of lists that may still be read in this volume: a hostile one may name the same file
    /// over and over.
    pub(super) budget: &'g mut u64,
}

impl Gather<'_> {
    /// Reads the file or folder of a reference's record; nothing with the reason when there is none. `claim` is set
    /// the first time.
    pub(super) fn file(
        &mut self,
        medium: &Medium<'_>,
        number: u64,
        claim: bool,
    ) -> Result<Result<File, Cause>, Removed> {
        let base = match self.mft.fetch(medium, number)? {
            Ok(base) => base,
            Err(cause) => return Ok(Err(cause)),
        };
        if !base.in_use || base.base.is_some() {
            return Ok(Err(BROKEN));
        }
        self.complete(medium, base, claim).map(Ok)
    }

    /// Adds to a base record what its continuations hold.
    pub(super) fn complete(&mut self, medium: &Medium<'_>, base: FileRecord, claim: bool) -> Result<File, Removed> {
        let mut file = File {
            number: base.number,
            sequence: base.sequence,
            directory: base.directory,
            shared: false,
            attributes: Vec::new(),
            causes: Vec::new(),
        };
        if base.broken {
            file.blame(BROKEN);
        }
        let (lists, own): (Vec<_>, Vec<_>) =
            base.attributes.iter().cloned().partition(|attribute| attribute.kind == ATTRIBUTE_LIST);
        if lists.len() > 1 {
            file.blame(BROKEN);
        }
        let mut attributes = own;
        if let Some(list) = lists.into_iter().next() {
            self.follow(medium, list, &base, &mut attributes, &mut file, claim)?;
        }
        file.attributes = self.merge(attributes, &mut file.causes);
        file.shared = file.names().filter(|name| name.namespace != Namespace::Short).count() > 1;
        Ok(file)
    }

    /// Follows an attribute list. What it names and what the records hold must be the same: hosts believe the list.
    fn follow(
        &mut self,
        medium: &Medium<'_>,
        list: Attribute,
        base: &FileRecord,
        attributes: &mut Vec<Attribute>,
        file: &mut File,
        claim: bool,
    ) -> Result<(), Removed> {
        let Some(bytes) = self.list_bytes(medium, list, file, claim)? else { return Ok(()) };
        let (entries, whole) = attribute_list(&bytes);
        if !whole {
            file.blame(BROKEN);
        }
        let own = attributes.iter().map(|own| (base.reference(), own.kind, own.instance));
        let mut found: Vec<_> = own.collect();
        let others = entries.iter().map(|entry| entry.0).filter(|other| *other != base.reference()).collect();
        for (reference, more) in self.continuations(medium, others, base, file)? {
            found.extend(more.iter().map(|one| (reference, one.kind, one.instance)));
            attributes.extend(more);
        }
        let mut named = entries;
        named.sort_unstable();
        found.sort_unstable();
        if named != found {
            file.blame(BROKEN);
        }
        Ok(())
    }

    /// The attributes of all records that continue `base`.
    fn continuations(
        &mut self,
        medium: &Medium<'_>,
        mut others: Vec<Reference>,
        base: &FileRecord,
        file: &mut File,
    ) -> Result<Vec<(Reference, Vec<Attribute>)>, Removed> {
        others.sort_unstable();
        others.dedup();
        let (mut found, mut wrong) = (Vec::new(), 0usize);
        for other in others {
            if *self.budget == 0 || wrong >= MAX_WRONG {
                file.blame(Cause::ReadLimit(ReadLimit::Entries));
                break;
            }
            match self.continuation(medium, other, base)? {
                Ok(more) => {
                    if more.broken {
                        file.blame(BROKEN);
                    }
                    found.push((other, more.attributes));
                }
                Err(cause) => {
                    wrong = wrong.saturating_add(1);
                    file.blame(cause);
                }
            }
        }
        Ok(found)
    }

    /// A record that continues `base` and says so.
    fn continuation(
        &mut self,
        medium: &Medium<'_>,
        reference: Reference,
        base: &FileRecord,
    ) -> Result<Result<FileRecord, Cause>, Removed> {
        *self.budget = self.budget.saturating_sub(1);
        Ok(match self.mft.fetch(medium, reference.number)? {
            Ok(more) if !more.in_use || more.reference() != reference => Err(BROKEN),
            Ok(more) if more.base != Some(base.reference()) => Err(BROKEN),
            other => other,
        })
    }

    fn list_bytes(
        &mut self,
        medium: &Medium<'_>,
        list: Attribute,
        file: &mut File,
        claim: bool,
    ) -> Result<Option<Vec<u8>>, Removed> {
        let whole = self.merge(vec![list], &mut file.causes).into_iter().next();
        let Some(Whole { held, .. }) = whole else { return Ok(None) };
        if let Held::Runs(runs) = &held
            && claim
            && !self.space.claim(&runs.runs, Use::Metadata).is_empty()
        {
            // Many files with one list would have its records read many times.
            file.blame(Cause::Corrupt(Corruption::CrossLinked));
            return Ok(None);
        }
        if !claim && !pay(self.budget, &held) {
            file.blame(Cause::ReadLimit(ReadLimit::Entries));
            return Ok(None);
        }
        match read(medium, self.space, &held, MAX_LIST)? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) => {
                file.blame(cause);
                Ok(None)
            }
        }
    }

    /// Puts the parts of each attribute together. Parts that are missing lie outside the volume.
    fn merge(&self, mut parts: Vec<Attribute>, causes: &mut Vec<Cause>) -> Vec<Whole> {
        let first = |attribute: &Attribute| match &attribute.body {
            Body::Resident(_) => 0,
            Body::Runs(segment) => segment.first,
        };
        parts.sort_by(|a, b| (a.kind, &a.name, first(a)).cmp(&(b.kind, &b.name, first(b))));
        let mut whole: Vec<Whole> = Vec::new();
        let mut duplicate = false;
        for Attribute { kind, name, flags, body, .. } in parts {
            let before = whole.last_mut().filter(|last| last.kind == kind && last.name == name);
            let segment = match body {
                Body::Resident(bytes) => {
                    duplicate |= before.is_some() && kind != FILE_NAME;
                    whole.push(Whole { kind, name, flags, held: Held::Resident(bytes) });
                    continue;
                }
                Body::Runs(segment) => segment,
            };
            if segment.first > 0
                && let Some(Whole { held: Held::Runs(runs), .. }) = before
            {
                self.append(runs, &segment);
                continue;
            }
            duplicate |= before.is_some();
            let (size, initialised, unit) = (segment.size, segment.initialised, segment.unit);
            let mut runs = Runs { size, initialised, unit, ..Runs::default() };
            self.append(&mut runs, &segment);
            whole.push(Whole { kind, name, flags, held: Held::Runs(runs) });
        }
        if duplicate && !causes.contains(&BROKEN) {
            causes.push(BROKEN);
        }
        whole
    }

    fn append(&self, runs: &mut Runs, segment: &Segment) {
        let (list, ended) = runs::decode(&segment.list, self.space.clusters);
        let before = runs::total(&runs.runs);
        let count = runs::total(&list);
        // An attribute without clusters has -1 as its last one.
        let announced = segment.last.wrapping_add(1).wrapping_sub(segment.first);
        runs.broken |= !ended || segment.first != before || count != announced;
        if segment.first > before {
            runs.runs.push(Run { place: Place::Outside, count: segment.first.saturating_sub(before) });
        }
        // What overlaps earlier parts would stand twice in the attribute.
        if segment.first >= before {
            runs.runs.extend(list);
        }
    }
}

/// Takes from the budget what reading an attribute once more costs; false when nothing is left.
pub(super) fn pay(budget: &mut u64, held: &Held) -> bool {
    let Held::Runs(runs) = held else { return true };
    let left = budget.checked_sub((runs.size / PIECE).saturating_add(1));
    *budget = left.unwrap_or(0);
    left.is_some()
}

/// The bytes of an attribute that belongs to the filesystem, of at most `limit` bytes.
pub(super) fn read(
    medium: &Medium<'_>,
    space: &mut Space,
    held: &Held,
    limit: u64,
) -> Result<Result<Vec<u8>, Cause>, Removed> {
    let runs = match held {
        Held::Resident(bytes) => return Ok(Ok(bytes.clone())),
        Held::Runs(runs) => runs,
    };
    let mut outside = Vec::new();
    let value = Value::new(&space.extents(&runs.runs, runs.size.min(runs.initialised), &mut outside));
    if runs.broken || !outside.is_empty() || runs.size > limit || value.length() < runs.size {
        return Ok(Err(BROKEN));
    }
    space.read = space.read.saturating_add(value.length());
    Ok(value.read_all(medium, limit)?.ok_or(Cause::Unreadable))
}
