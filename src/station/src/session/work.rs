//! The thread of one session: opens the medium, has it scanned, and has it sealed when it is clean.

use super::SessionId;
use super::messages::{Ending, Work};
use super::view::Failure;
use crate::admit::GateError;
use crate::admit::lanes::Lanes;
use crate::detect::Disk;
use crate::seal::{Act, Step, permitted, seal};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Cancel, Progress};
use blanche_scan::report::{NoTag, Report, Seal};
use blanche_scan::settings::{CopyMode, Settings};
use blanche_scan::{EngineRoom, Inventory, Remainder, ScanError, ScanOptions, ScanOutcome, scan_opened};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shortest time between two words about the tag: a sealer that was taken over could say many.
const PACE: Duration = Duration::from_millis(100);

/// How long the gate may take to lift the protection of a medium, and to put it back.
const OPENING: Duration = Duration::from_secs(10);

/// Why a medium is not written that other programs may write, for staff.
pub(super) const NOT_OURS_ALONE: &str =
    "no udev rule keeps other programs away from this slot; see docs/configuration.md, \"Ports\"";

/// What a session needs.
pub(crate) struct Job {
    pub(crate) id: SessionId,
    pub(crate) disk: Disk,
    pub(crate) settings: Arc<Settings>,
    pub(crate) room: Arc<EngineRoom>,
    pub(crate) cancel: Cancel,
    /// Records what is about to be done; says why that must not be, if so.
    pub(crate) permit: Box<dyn Fn(Act) -> Result<(), String> + Send>,
    /// Takes what copying needs of the scan; nothing where nobody copies.
    pub(crate) keep: Option<Box<dyn Fn(Kept) + Send>>,
    pub(crate) gate: Lanes,
}

/// What copying needs of a scan. It holds the medium open, and every entry in memory.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Of a clean medium.
    pub(crate) inventory: Option<Inventory>,
    /// Of another, where the configuration lets its clean files be copied.
    pub(crate) remainder: Option<Remainder>,
}

impl Job {
    /// Does everything; `say` hears how far it is.
    pub(crate) fn run(&self, say: &mut dyn FnMut(Work)) {
        let ending = self.scan(say).unwrap_or_else(|error| Ending::Failed(failure(&error)));
        say(Work::Ended(ending));
    }

    fn scan(&self, say: &mut dyn FnMut(Work)) -> Result<Ending, ScanError> {
        let medium = open(&self.disk)?;
        let pace = self.gate.pace(&self.disk);
        let remainder = self.keep.is_some() && self.settings.copy.mode == CopyMode::CleanFiles;
        let options = ScanOptions { files: false, inventory: true, remainder, session: Some(self.id), pace };
        let mut told = |progress: &Progress| say(Work::Progress(*progress));
        let outcome =
            scan_opened(medium, &self.disk.node, &self.room, &self.settings, &options, &mut told, &self.cancel)?;
        let ScanOutcome { mut report, inventory, remainder } = outcome;
        // What was found stays found: it was on the medium that was opened, wherever that is now.
        if report.verdict != Verdict::Infected && !self.disk.is_there().is_ok_and(|same| same) {
            return Ok(Ending::Failed(Failure::new("removed", "the medium is another one now")));
        }
        if report.verdict == Verdict::Clean {
            let sealed = self.seal(&report, inventory.as_ref(), say);
            if let Seal::NoTag { reason } = &sealed
                && reason.medium_differs()
            {
                return Ok(Ending::Failed(Failure::new("changed", format!("{reason:?}"))));
            }
            report.seal = Some(sealed);
        }
        let had_tag = inventory.as_ref().is_some_and(Inventory::has_tag);
        let useful = (inventory.is_some() || remainder.is_some()) && is_as_scanned(report.seal.as_ref(), had_tag);
        if let Some(keep) = self.keep.as_ref().filter(|_| useful) {
            keep(Kept { inventory, remainder });
        }
        Ok(Ending::Report(Box::new(report)))
    }

    /// The one moment in which somebody may write to the medium.
    fn seal(&self, report: &Report, inventory: Option<&Inventory>, say: &mut dyn FnMut(Work)) -> Seal {
        if self.cancel.is_cancelled() {
            return Seal::NoTag { reason: NoTag::Cancelled };
        }
        if !self.disk.is_ours_alone() {
            return Seal::NoTag { reason: NoTag::Station(NOT_OURS_ALONE.to_owned()) };
        }
        if let Err(reason) = permitted(Act::Seal, &*self.permit, &self.cancel) {
            return Seal::NoTag { reason };
        }
        let opened = match Writable::open(&self.gate, &self.disk) {
            Ok(opened) => opened,
            Err(error) => return Seal::NoTag { reason: closed(&error) },
        };
        let mut last = Instant::now();
        let mut told = |step| match step {
            Step::Written(bytes) if last.elapsed() >= PACE => {
                last = Instant::now();
                say(Work::Sealing(bytes));
            }
            Step::Waiting | Step::Written(_) => {}
        };
        let permit = &*self.permit;
        let sealed = seal(inventory, Some(&self.disk), report, &self.settings, permit, &mut told, &self.cancel);
        drop(opened);
        sealed
    }
}

/// A disk that may be written, until this is dropped.
pub(super) struct Writable<'a> {
    gate: &'a Lanes,
    disk: &'a Disk,
    /// How long its protection may take.
    patience: Duration,
}

impl<'a> Writable<'a> {
    /// Lifts the protection of a disk.
    ///
    /// # Errors
    /// The gate's. The disk is protected then.
    pub(super) fn open(gate: &'a Lanes, disk: &'a Disk) -> Result<Self, GateError> {
        let mut opened = Self { gate, disk, patience: OPENING };
        gate.unprotect(disk, OPENING).inspect_err(|error| {
            // It must not stay writable after all, and nobody waits once more.
            if matches!(error, GateError::Late) {
                opened.patience = Duration::ZERO;
            }
        })?;
        Ok(opened)
    }
}

impl Drop for Writable<'_> {
    /// The last word on the medium. It is given also when nobody waits for it any more.
    fn drop(&mut self) {
        match self.gate.protect(self.disk, self.patience) {
            Ok(()) => {}
            Err(GateError::Late) => {
                tracing::warn!("{} does not answer: it is made read-only as soon as it does", self.disk.node.display());
            }
            Err(error) => tracing::warn!("{} stays writable: {error}", self.disk.node.display()),
        }
    }
}

/// Opens the medium, and looks whether it is the one that was detected: its name may be another's by now.
pub(super) fn open(disk: &Disk) -> Result<File, ScanError> {
    let path = &disk.node;
    let failed = |source: io::Error| ScanError::TargetUnreadable { path: path.clone(), source };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let medium = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| failed(errno.into()))?;
    let number = rustix::fs::fstat(&medium).map_err(|errno| failed(errno.into()))?.st_rdev;
    if disk.number != number || !disk.is_there().map_err(failed)? {
        return Err(failed(io::Error::other("another device has its name now")));
    }
    Ok(File::from(medium))
}

/// Whether the medium shows what was scanned, but for the tag that the report names. A copy of any other would find that it does
/// not, after an output medium was erased for it: a tag may be there of which the report says nothing, or the one from before
/// (`had_tag`) is gone together with the new one, which there was no time to verify.
fn is_as_scanned(seal: Option<&Seal>, had_tag: bool) -> bool {
    match seal {
        Some(Seal::NoTag { reason: NoTag::Cancelled }) => !had_tag,
        Some(Seal::NoTag { reason }) => !reason.tag_may_stand(),
        Some(Seal::OnMedium { .. } | Seal::Detached { .. }) | None => true,
    }
}

/// Why a medium that could not be opened for writing has no tag.
fn closed(error: &GateError) -> NoTag {
    match error {
        GateError::Late => NoTag::NoAnswer,
        other => NoTag::Station(other.to_string()),
    }
}

fn failure(error: &ScanError) -> Failure {
    let kind = match error {
        ScanError::TargetMissing { .. } | ScanError::TargetUnreadable { .. } | ScanError::TargetUnsupported { .. } => {
            "unreadable"
        }
        ScanError::Engines(_) => "engines",
        ScanError::Cancelled => "cancelled",
        ScanError::Children { .. } | ScanError::Settings(_) | ScanError::Station(_) => "station",
    };
    Failure::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::{SealFailure, WriteObstacle};

    #[test]
    fn nothing_is_kept_for_copies_of_a_medium_that_sealing_may_have_changed_unseen() {
        let kept = |reason, had_tag| is_as_scanned(Some(&Seal::NoTag { reason }), had_tag);
        for failure in [SealFailure::Unknown, SealFailure::After] {
            assert!(!kept(NoTag::Writing(failure), false), "{failure:?}");
        }
        assert!(!kept(NoTag::Verifier("E-EXPIRED".to_owned()), false));
        assert!(!kept(NoTag::Cancelled, true), "the old tag may be gone with the new one");
        assert!(kept(NoTag::Cancelled, false));
        assert!(kept(NoTag::Writing(SealFailure::Before), true));
        assert!(kept(NoTag::Medium(WriteObstacle::Dirty), true));
        assert!(is_as_scanned(None, true));
    }
}
