//! UDF 1.02 to 2.60 (OSTA, "Universal Disk Format Specification"), which is a subset of ECMA-167 3rd edition,
//! read-only.
//!
//! Read: any block size that hosts use, both volume descriptor sequences, plain, sparable, metadata and virtual
//! partitions, files by short, long and embedded descriptors, named streams, extended attributes.
//!
//! Not shown, as in every host: entries with the "deleted" bit. When the file entry of one is still in use it is found
//! at the end of the walk and named as unreachable. A logical volume that was not closed is no fault: hosts repair
//! nothing when they mount it, they read what is there.
//!
//! Named and not followed: ICB strategy 4096, whose newer entries some hosts follow and others do not; extended
//! allocation descriptors.

mod account;
mod allocation;
mod attributes;
mod blocks;
mod cs0;
mod entry;
mod folder;
mod free;
mod icb;
mod maps;
mod open;
mod recognition;
mod sequence;
mod space;
mod tag;
mod unclaimed;

pub(crate) use open::open;
pub(crate) use recognition::{announced, is_anchor};
pub(crate) use tag::TAG_BYTES;

use crate::filesystem::{Fault, Filesystem, FolderRef, Found, Identity, Sink, VolumeArea};
use crate::source::{Medium, Removed};
use account::Account;
use blanche_sandbox::wire::{Cause, Corruption, Feature};
use entry::{Describer, at_entry};
use folder::{Identifier, Identifiers};
use icb::{FOLDER, Icb, Loaded, load_one};
use maps::MetadataFile;
use recognition::Anchor;
use space::Space;
use std::ops::{ControlFlow, Range};
use tag::Place;
use unclaimed::Search;

/// Identifiers whose file entries are read together.
const BATCH: usize = 256;

/// An open UDF volume.
#[derive(Debug)]
pub(crate) struct UdfVolume {
    identity: Identity,
    anchor: Anchor,
    space: Space,
    account: Account,
    root: Place,
    /// Streams of the volume itself (4/14.1.17).
    system_streams: Option<Place>,
    metadata: Vec<MetadataFile>,
    /// Entries that no folder names are older versions of others.
    grows: bool,
    faults: Vec<Fault>,
}

impl UdfVolume {
    fn describer<'a, 'm, 'd>(&'d mut self, medium: &'a Medium<'m>) -> Describer<'a, 'm, 'd> {
        Describer { medium, space: &self.space, account: &mut self.account }
    }

    /// The streams of the root folder and of the volume, which have no entry to stand at.
    fn root_streams(&mut self, medium: &Medium<'_>, icb: &Icb, faults: &mut Vec<Fault>) -> Result<Vec<Found>, Removed> {
        let system = self.system_streams;
        let mut describer = self.describer(medium);
        let mut streams = describer.streams(icb, faults)?;
        if let Some(system) = system {
            describer.stream_folder(system, &mut streams, faults)?;
        }
        Ok(streams)
    }

    /// Hands over the entries of a folder, several at a time.
    fn entries(
        &mut self,
        medium: &Medium<'_>,
        listing: &mut Identifiers<'_, '_>,
        sink: Sink<'_>,
    ) -> Result<ControlFlow<()>, Removed> {
        let mut parents = 0u32;
        loop {
            let mut batch: Vec<Identifier> = Vec::new();
            let mut ended = false;
            while batch.len() < BATCH && !ended {
                match listing.next()? {
                    Some(identifier) if identifier.deleted() => {}
                    Some(identifier) if identifier.parent() => parents = parents.saturating_add(1),
                    Some(identifier) => batch.push(identifier),
                    None => ended = true,
                }
            }
            let mut describer = self.describer(medium);
            let blocks = describer.load(&batch)?;
            for identifier in &batch {
                if sink(describer.found(identifier, &blocks)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if ended {
                // One entry for the parent (4/8.6); another one would hide something.
                listing.corrupt |= parents > 1;
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// The faults of a folder, with the place of its file entry where they have none of their own.
    fn placed(&self, place: Place, faults: Vec<Fault>) -> Vec<Fault> {
        let position = self.space.block_position(place).unwrap_or(self.space.range.start);
        let put = |fault: Fault| Fault { offset: if fault.offset == 0 { position } else { fault.offset }, ..fault };
        faults.into_iter().map(put).collect()
    }
}

impl Filesystem for UdfVolume {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn root(&self) -> FolderRef {
        FolderRef { id: self.root.number(), length: None, contiguous: false }
    }

    fn allocation(&self) -> (u64, u64) {
        (self.space.block, self.space.range.start)
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.account.overflow_fault(&self.space));
        faults
    }

    fn list(&mut self, medium: &Medium<'_>, folder: FolderRef, sink: Sink<'_>) -> Result<Vec<Fault>, Removed> {
        let place = Place::of_number(folder.id);
        let mut faults = Vec::new();
        let icb = match load_one(medium, &self.space, &mut self.account, place)? {
            Loaded::Entry(icb) if icb.file_type() == FOLDER => icb,
            Loaded::Entry(_) | Loaded::Broken => {
                faults.push(at_entry(Cause::Corrupt(Corruption::FileRecord)));
                return Ok(self.placed(place, faults));
            }
            Loaded::Unreadable => {
                faults.push(at_entry(Cause::Unreadable));
                return Ok(self.placed(place, faults));
            }
        };
        if place == self.root {
            if !icb.direct() {
                faults.push(at_entry(Cause::FeatureUnsupported(Feature::UnknownFlag)));
            }
            for stream in self.root_streams(medium, &icb, &mut faults)? {
                if sink(stream).is_break() {
                    return Ok(self.placed(place, faults));
                }
            }
        }
        let mut listing = self.describer(medium).identifiers(&icb, &mut faults)?;
        let flow = self.entries(medium, &mut listing, sink)?;
        if listing.corrupt && flow.is_continue() {
            faults.push(at_entry(Cause::Corrupt(Corruption::Directory)));
        }
        self.account.count_read(listing.read);
        faults.append(&mut listing.faults);
        Ok(self.placed(place, faults))
    }

    fn finish(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let Self { space, account, faults, metadata, .. } = self;
        // The blocks in use are those that are claimed now; later, free ones are claimed too.
        let used: Vec<Vec<Range<u32>>> = metadata.iter().map(|file| used_blocks(account, file)).collect();
        let mut search = Search { medium, space, account, faults };
        search.anchors(&self.anchor)?;
        for (file, used) in metadata.iter().zip(&used) {
            search.mirror(file, used)?;
        }
        if !self.grows {
            search.entries(metadata)?;
        }
        Ok(())
    }

    fn area(&self) -> VolumeArea {
        self.account.area(&self.space)
    }
}

/// The blocks of a metadata partition that were read.
fn used_blocks(account: &Account, file: &MetadataFile) -> Vec<Range<u32>> {
    let Some(set) = account.inner.get(&file.map).filter(|_| !file.mirror.is_empty()) else { return Vec::new() };
    let mut runs = Vec::new();
    let mut from = 0u32;
    while let Some(run) = set.run(from, true) {
        from = run.end;
        runs.push(run);
    }
    runs
}
