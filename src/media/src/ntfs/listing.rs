//! The entries of one folder: names that lead to records, short names beside long ones, and system files.

use super::NtfsVolume;
use super::entry::{Describe, first_extent};
use super::file::{File, Whole};
use super::index::{Index, Named};
use super::record::{FileName, Namespace, Reference};
use super::system::{self, Known};
use crate::filesystem::{Fault, Found, Sink, Stored};
use crate::names::{fold_key, is_made_of, wtf8};
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::{Cause, Corruption, EntryKind, Feature};
use std::ops::ControlFlow;

const DIRECTORY: Cause = Cause::Corrupt(Corruption::Directory);
const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

/// Lists the folder of record `number`.
pub(super) fn list(
    volume: &mut NtfsVolume,
    medium: &Medium<'_>,
    number: u64,
    sink: Sink<'_>,
) -> Result<Vec<Fault>, Removed> {
    let place = volume.mft.position(number);
    let folder = match volume.file(medium, number)? {
        Ok(folder) => folder,
        Err(cause) => return Ok(vec![Fault { offset: place, length: volume.boot.record, cause }]),
    };
    let mut index = Index::open(medium, &mut volume.space, &folder, place)?;
    let known = if number == system::ROOT { None } else { volume.special.get(&number).copied() };
    let extras = if number == system::ROOT { std::mem::take(&mut volume.extras) } else { Vec::new() };
    let mut listing =
        Listing { volume, folder: folder.reference(), known, current: None, shorts: Vec::new(), longs: Vec::new() };
    let mut flow = extras.into_iter().try_for_each(&mut *sink);
    while flow.is_continue()
        && let Some(names) = index.batch(medium)?
    {
        for named in names {
            flow = listing.entry(medium, &named, sink)?;
            if flow.is_break() {
                break;
            }
        }
    }
    if flow.is_continue() {
        listing.lonely_short_names(medium, sink)?;
    }
    volume.space.read = volume.space.read.saturating_add(index.read);
    Ok(index.faults)
}

/// The state between the entries of one folder.
struct Listing<'l> {
    volume: &'l mut NtfsVolume,
    folder: Reference,
    /// Of a system folder: what belongs there and is not listed.
    known: Option<&'static [Known]>,
    /// The record that was read last: names of one record come one after the other.
    current: Option<(u64, Result<File, Cause>)>,
    /// Records of which a short name stands in the folder, and long ones beside which one should.
    shorts: Vec<u64>,
    longs: Vec<u64>,
}

impl Listing<'_> {
    fn entry(&mut self, medium: &Medium<'_>, named: &Named, sink: Sink<'_>) -> Result<ControlFlow<()>, Removed> {
        let number = named.reference.number;
        if self.folder.number == system::ROOT
            && let Some(known) = system::of_record(number).filter(|known| known.is_called(&named.name.name))
        {
            return self.system_file(medium, number, known, sink);
        }
        let known = self.known.and_then(|known| known.iter().find(|one| one.is_called(&named.name.name)));
        if let Some(known) = known
            && self.belongs(medium, named.reference, known, false)?
        {
            self.belongs(medium, named.reference, known, true)?;
            return Ok(GO_ON);
        }
        self.read(medium, number)?;
        let agrees = self.agrees(named);
        if let Some((_, Ok(file))) = &self.current {
            match named.name.namespace {
                Namespace::Short if agrees && has_long(file, self.folder) => {
                    self.shorts.push(number);
                    return Ok(GO_ON);
                }
                Namespace::Paired | Namespace::Long if short(file, self.folder).is_some() => self.longs.push(number),
                _ => {}
            }
        }
        self.hand_over(medium, &named.name, agrees, known, sink)
    }

    /// Short names whose long name does not stand in the folder.
    fn lonely_short_names(&mut self, medium: &Medium<'_>, sink: Sink<'_>) -> Result<(), Removed> {
        self.longs.sort_unstable();
        for number in std::mem::take(&mut self.shorts) {
            if self.longs.binary_search(&number).is_ok() {
                continue;
            }
            self.read(medium, number)?;
            let Some((_, Ok(file))) = &self.current else { continue };
            let Some(name) = short(file, self.folder) else { continue };
            if self.hand_over(medium, &name, false, None, sink)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Makes the record the current one.
    fn read(&mut self, medium: &Medium<'_>, number: u64) -> Result<(), Removed> {
        if self.current.as_ref().is_none_or(|(current, _)| *current != number) {
            self.current = Some((number, self.volume.file(medium, number)?));
        }
        Ok(())
    }

    /// Whether the record says the same as the entry.
    fn agrees(&self, named: &Named) -> bool {
        let Some((_, Ok(file))) = &self.current else { return false };
        let same = |name: FileName| name.parent == self.folder && name.name == named.name.name;
        let here = named.name.parent == self.folder && file.sequence == named.reference.sequence;
        here && file.names().any(same)
    }

    /// Hands over the current record under this name, without what belongs into it if it is a system file.
    fn hand_over(
        &mut self,
        medium: &Medium<'_>,
        name: &FileName,
        agrees: bool,
        known: Option<&'static Known>,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        let mut found = match &self.current {
            Some((_, Ok(file))) => {
                let claim = !self.volume.mft.is_reached(file.number);
                self.volume.mft.reach(file.number);
                let expected = |attribute: &Whole| known.is_some_and(|known| known.expects(attribute));
                let mut found = self.volume.describe(medium, file, &name.name, claim, &expected)?;
                found.keys[1] = self.alias(file, name);
                found.attributes.strange_short_name =
                    shorts(file, self.folder).any(|short| !is_made_of(&short.name, &name.name));
                found
            }
            other => self.lost(name, other.as_ref().and_then(|(_, outcome)| outcome.as_ref().err().cloned())),
        };
        // A name that hosts take for the folder itself or the one above it.
        let dots = matches!(found.name.as_slice(), b"." | b"..");
        let read = matches!(self.current, Some((_, Ok(_))));
        if (read && !agrees) || dots {
            found.faults.push(Fault { offset: 0, length: found.size, cause: DIRECTORY });
        }
        if self.folder.number == system::ROOT && is_hibernation_file(&name.name) {
            self.hibernation(medium, &found)?;
        }
        Ok(sink(found))
    }

    /// An entry whose record cannot be read.
    fn lost(&self, name: &FileName, cause: Option<Cause>) -> Found {
        let kind = if name.directory { EntryKind::Directory } else { EntryKind::File };
        let key = fold_key(0, name.name.iter().map(|unit| self.volume.upcase.upper(*unit)));
        let fault = Fault { offset: 0, length: 0, cause: cause.unwrap_or(DIRECTORY) };
        Found { keys: [Some(key), None], faults: vec![fault], ..Found::new(wtf8(&name.name), kind) }
    }

    /// The short name of the current record, under which hosts look it up too. It counts once, with the long name that
    /// was made together with it.
    fn alias(&self, file: &File, name: &FileName) -> Option<u64> {
        let short = short(file, self.folder)?;
        let long = file.names().find(|long| long.parent == self.folder && long.namespace == Namespace::Paired)?;
        let fold = |name: &FileName| fold_key(0, name.name.iter().map(|unit| self.volume.upcase.upper(*unit)));
        (long.name == name.name && fold(&short) != fold(name)).then(|| fold(&short))
    }

    /// The file in which Windows keeps its memory while it sleeps: what is on the volume is not what it will write when
    /// it wakes.
    fn hibernation(&mut self, medium: &Medium<'_>, found: &Found) -> Result<(), Removed> {
        let mut header = vec![0u8; 4];
        match (&found.stored, first_extent(found)) {
            (Stored::Inline(bytes), _) => header.clone_from(bytes),
            (_, Some(extent)) => medium.read_tolerant(extent.start, &mut header, &mut Vec::new())?,
            _ => {}
        }
        if matches!(header.get(..4), Some(b"hibr" | b"HIBR" | b"rstr" | b"RSTR")) {
            let place = first_extent(found).map_or(self.volume.range.start, |extent| extent.start);
            self.volume.fault(place, 0, Cause::FeatureUnsupported(Feature::Hibernation));
        }
        Ok(())
    }

    /// An entry of the root that names a system file. Those were read when the volume was opened; $Extend is listed
    /// only when something stands in it that does not belong there.
    fn system_file(
        &mut self,
        medium: &Medium<'_>,
        number: u64,
        known: &'static Known,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        let Some(entries) = known.folder else { return Ok(GO_ON) };
        if self.all_belong(medium, number, entries, false)? {
            self.all_belong(medium, number, entries, true)?;
            return Ok(GO_ON);
        }
        self.volume.special.insert(number, entries);
        self.read(medium, number)?;
        let Some((_, Ok(file))) = &self.current else { return Ok(GO_ON) };
        let letters: Vec<u16> = known.name.encode_utf16().collect();
        let mut found = self.volume.describe(medium, file, &letters, false, &|_| false)?;
        // Streams of system files stand in the root.
        found.streams.clear();
        Ok(sink(found))
    }

    /// Whether everything in a system folder belongs there. `take` claims and counts it as metadata.
    fn all_belong(
        &mut self,
        medium: &Medium<'_>,
        number: u64,
        entries: &'static [Known],
        take: bool,
    ) -> Result<bool, Removed> {
        let Ok(folder) = self.volume.file(medium, number)? else { return Ok(false) };
        let place = self.volume.mft.position(number);
        let mut index = Index::open(medium, &mut self.volume.space, &folder, place)?;
        while let Some(names) = index.batch(medium)? {
            for named in names {
                let known = entries.iter().find(|one| one.is_called(&named.name.name));
                let Some(known) = known else { return Ok(false) };
                if !self.belongs(medium, named.reference, known, take)? {
                    return Ok(false);
                }
            }
        }
        Ok(index.faults.is_empty())
    }

    /// Whether this is the system file of that name, with nothing in it that does not belong there.
    fn belongs(
        &mut self,
        medium: &Medium<'_>,
        reference: Reference,
        known: &'static Known,
        take: bool,
    ) -> Result<bool, Removed> {
        let number = reference.number;
        let claim = take && !self.volume.mft.is_reached(number);
        let Ok(file) = self.volume.gather().file(medium, number, claim)? else { return Ok(false) };
        let letters: Vec<u16> = known.name.encode_utf16().collect();
        let expected = |attribute: &Whole| known.expects(attribute);
        let found = self.volume.describe(medium, &file, &letters, claim, &expected)?;
        let plain = matches!(found.kind, EntryKind::File | EntryKind::Directory) && found.size == 0;
        let folder = known.folder.is_some() == (found.kind == EntryKind::Directory);
        let belongs = plain && folder && found.streams.is_empty() && file.sequence == reference.sequence;
        if take {
            self.volume.mft.reach(number);
            let place = self.volume.mft.position(number);
            found.faults.into_iter().for_each(|fault| self.volume.fault(place, 0, fault.cause));
        } else if !belongs || !found.faults.is_empty() {
            if let (true, Some(entries)) = (belongs, known.folder) {
                self.volume.special.insert(number, entries);
            }
            return Ok(false);
        }
        match known.folder {
            Some(entries) if !self.all_belong(medium, number, entries, take)? => {
                self.volume.special.insert(number, entries);
                Ok(false)
            }
            _ => Ok(belongs),
        }
    }
}

impl NtfsVolume {
    fn describe(
        &mut self,
        medium: &Medium<'_>,
        file: &File,
        name: &[u16],
        claim: bool,
        ordinary: &dyn Fn(&Whole) -> bool,
    ) -> Result<Found, Removed> {
        let volume = self.range.start;
        let (space, upcase, budget) = (&mut self.space, &self.upcase, &mut self.budget);
        Describe { space, upcase, volume, claim, budget, ordinary }.found(medium, file, name)
    }
}

/// The short name that a record has in a folder.
fn short(file: &File, folder: Reference) -> Option<FileName> {
    shorts(file, folder).next()
}

/// More than one where somebody tampered with it.
fn shorts(file: &File, folder: Reference) -> impl Iterator<Item = FileName> + '_ {
    file.names().filter(move |name| name.parent == folder && name.namespace == Namespace::Short)
}

fn has_long(file: &File, folder: Reference) -> bool {
    file.names().any(|name| name.parent == folder && name.namespace != Namespace::Short)
}

fn is_hibernation_file(name: &[u16]) -> bool {
    String::from_utf16_lossy(name).eq_ignore_ascii_case("hiberfil.sys")
}
