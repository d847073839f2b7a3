//! NTFS, read-only. Why our own reader: see [`crate::fat`].
//!
//! There is no public specification of the volume as a whole. What is read follows [MS-FSCC] for attributes, reparse
//! points and extended attributes, [MS-XCA] for compression, and the public descriptions of the on-disk structures by
//! the linux-ntfs project and libfsntfs; where hosts differ, the union of what they show is read.

mod boot;
mod content;
mod entry;
mod extended;
mod file;
mod fixup;
mod index;
mod journal;
mod listing;
pub(crate) mod lznt1;
mod mft;
mod open;
mod record;
mod reparse;
mod runs;
mod space;
mod system;
mod upcase;
mod value;

use crate::filesystem::{Fault, Filesystem, FolderRef, Found, Identity, Sink, VolumeArea};
use crate::recognise::Recognised;
use crate::source::{Medium, Removed};
use blanche_sandbox::wire::Cause;
use boot::Boot;
use file::{File, Gather};
use mft::Mft;
use space::Space;
use std::collections::BTreeMap;
use std::ops::Range;
use system::Known;
use upcase::Upcase;

/// Bytes from the start of a volume before which no content of files lies:
/// the boot file ($Boot) takes the first 16 sectors of 512 bytes.
pub(crate) const CONTENT_START: u64 = 8192;

/// Opens the volume in `range` (bytes on the medium): one result for each view of it.
pub(crate) fn open(medium: &Medium<'_>, range: &Range<u64>) -> Result<Vec<Recognised>, Removed> {
    Ok(vec![open::volume(medium, range)?])
}

/// An open NTFS volume.
#[derive(Debug)]
struct NtfsVolume {
    boot: Boot,
    range: Range<u64>,
    identity: Identity,
    mft: Mft,
    space: Space,
    upcase: Upcase,
    /// Pieces of metadata outside of base records that may still be read.
    budget: u64,
    /// Folders of the filesystem in which something is stored that does not belong there: they are listed, without
    /// what does.
    special: BTreeMap<u64, &'static [Known]>,
    /// Contents that stand in the root because they belong to a system file.
    extras: Vec<Found>,
    faults: Vec<Fault>,
}

impl NtfsVolume {
    fn gather(&mut self) -> Gather<'_> {
        Gather { mft: &mut self.mft, space: &mut self.space, budget: &mut self.budget }
    }

    /// The file of a record, or why there is none.
    fn file(&mut self, medium: &Medium<'_>, number: u64) -> Result<Result<File, Cause>, Removed> {
        let claim = !self.mft.is_reached(number);
        self.gather().file(medium, number, claim)
    }

    fn fault(&mut self, offset: u64, length: u64, cause: Cause) {
        let fault = Fault { offset, length, cause };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

impl Filesystem for NtfsVolume {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn root(&self) -> FolderRef {
        FolderRef { id: system::ROOT, length: None, contiguous: false }
    }

    fn allocation(&self) -> (u64, u64) {
        (self.boot.cluster, self.range.start)
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.space.overflow());
        faults
    }

    fn list(&mut self, medium: &Medium<'_>, folder: FolderRef, sink: Sink<'_>) -> Result<Vec<Fault>, Removed> {
        listing::list(self, medium, folder.id, sink)
    }

    fn finish(&mut self, medium: &Medium<'_>) -> Result<(), Removed> {
        let faults = self.mft.unreachable(medium)?;
        self.faults.extend(faults);
        Ok(())
    }

    fn area(&self) -> VolumeArea {
        let start = self.range.start;
        let first = start..start.saturating_add(CONTENT_START).min(self.range.end);
        let boot = std::iter::once(first).chain(self.boot.backup(&self.range)).collect();
        self.space.area(&self.range, boot, self.mft.bytes_read())
    }
}
