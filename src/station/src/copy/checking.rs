//! What was copied is checked like any medium, compared with what was to be copied, and sealed.

use super::selection::{PathDigest, Selection, below};
use super::{CopyStage, Job, Told};
use crate::seal::{Act, Step, permitted, seal};
use blanche_sandbox::wire::EntryKind;
use blanche_scan::progress::Progress;
use blanche_scan::report::{CopyCause, NoTag, Seal};
use blanche_scan::settings::Settings;
use blanche_scan::{Inventory, Listed, ScanError, ScanOptions, ScanOutcome, scan_opened};
use rustix::fs::Advice;

impl Job<'_> {
    /// Scans the output medium as any other, compares it with what was to be copied, and seals it.
    pub(super) fn check_and_seal(
        &self,
        selection: &Selection,
        settings: &Settings,
        told: &mut Told<'_>,
    ) -> Result<Seal, CopyCause> {
        let ScanOutcome { report, inventory, .. } = self.scan_output(settings, told).map_err(|error| match error {
            ScanError::Cancelled => CopyCause::Cancelled,
            error => CopyCause::Station(error.to_string()),
        })?;
        if self.cancel.is_cancelled() {
            return Err(CopyCause::Cancelled);
        }
        let same = inventory.filter(|inventory| is_same(inventory, selection));
        let Some(inventory) = same else { return Err(CopyCause::OutputNotClean) };
        // The files are there, whole and checked: only the tag is missing. A station that ends permits nothing, and stops the copy.
        if let Err(reason) = permitted(Act::Seal, self.permit, self.cancel) {
            return settled(Seal::NoTag { reason }, self.cancel.is_cancelled());
        }
        told(CopyStage::Sealing(0));
        let mut step = |step| match step {
            Step::Waiting => {}
            Step::Written(bytes) => told(CopyStage::Sealing(bytes)),
        };
        let disk = self.output.disk();
        let sealed = seal(Some(&inventory), disk, &report, settings, self.permit, &mut step, self.cancel);
        settled(sealed, self.cancel.is_cancelled())
    }

    fn scan_output(&self, settings: &Settings, told: &mut Told<'_>) -> Result<ScanOutcome, ScanError> {
        let failed = |error: std::io::Error| ScanError::Station(error.to_string());
        // What the kernel remembers of the medium is not what is on it. Everything was flushed, so all of it can go.
        rustix::fs::fadvise(&self.output.medium, 0, None, Advice::DontNeed).map_err(|errno| failed(errno.into()))?;
        let medium = self.output.medium.try_clone().map_err(failed)?;
        let options = ScanOptions { inventory: true, ..ScanOptions::default() };
        let mut progress = |now: &Progress| told(CopyStage::Checking(now));
        scan_opened(medium, &self.output.path, self.room, settings, &options, &mut progress, self.cancel)
    }
}

/// A copy with its tag, or one of which it is known that it has none. Where a tag may stand that nobody has accepted, the copy does
/// not stay: nobody could say that it has none.
fn settled(seal: Seal, cancelled: bool) -> Result<Seal, CopyCause> {
    let Seal::NoTag { reason } = seal else { return Ok(seal) };
    match reason {
        NoTag::Cancelled => Err(CopyCause::Cancelled),
        reason if differs(&reason) => Err(CopyCause::OutputDiffers(None)),
        reason if reason.tag_may_stand() && cancelled => Err(CopyCause::Cancelled),
        NoTag::Verifier(why) => Err(CopyCause::Station(format!("the tag of the copy was not accepted: {why}"))),
        reason if reason.tag_may_stand() => Err(CopyCause::OutputFailed),
        reason => Ok(Seal::NoTag { reason }),
    }
}

/// Whether what was written is not what stands there, or cannot be looked at any more.
fn differs(reason: &NoTag) -> bool {
    matches!(reason, NoTag::Medium(_)) || reason.medium_differs()
}

/// Whether a medium holds what was selected, and nothing else.
fn is_same(inventory: &Inventory, selection: &Selection) -> bool {
    let mut expected = selection.paths();
    let volumes: Vec<_> = (0..).take(inventory.layout().volumes.len()).collect();
    let visited = inventory.visit(&volumes, &mut |listed: &Listed<'_>| {
        let names = listed.path.iter().map(|name| String::from_utf8_lossy(name));
        let path = names.fold(PathDigest::default(), |folder, name| below(folder, &name));
        let digest = match listed.kind {
            EntryKind::Directory => None,
            _ => Some(listed.digests.map(|digests| digests.sha256)),
        };
        match expected.remove(&path) {
            Some(wanted) if digest == wanted.map(Some) => Ok(()),
            _ => Err(()),
        }
    });
    visited.is_ok() && expected.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::{SealFailure, WriteObstacle};

    #[test]
    fn a_copy_stays_without_its_tag_only_where_it_is_known_that_it_has_none() {
        let after = |reason, cancelled| settled(Seal::NoTag { reason }, cancelled).map(|_| ());
        for failure in [SealFailure::Unknown, SealFailure::After] {
            assert_eq!(after(NoTag::Writing(failure), false), Err(CopyCause::OutputFailed), "{failure:?}");
            assert_eq!(after(NoTag::Writing(failure), true), Err(CopyCause::Cancelled), "{failure:?}");
        }
        let refused = after(NoTag::Verifier("E-EXPIRED".to_owned()), false);
        assert!(matches!(refused, Err(CopyCause::Station(_))), "{refused:?}");
        assert_eq!(after(NoTag::Verifier("E-ADDED".to_owned()), false), Err(CopyCause::OutputDiffers(None)));
        assert_eq!(after(NoTag::Medium(WriteObstacle::Changed), false), Err(CopyCause::OutputDiffers(None)));
        assert_eq!(after(NoTag::Cancelled, false), Err(CopyCause::Cancelled));
        for reason in [NoTag::Writing(SealFailure::Before), NoTag::Station("why".to_owned()), NoTag::Obstacles] {
            assert_eq!(after(reason, false), Ok(()));
        }
    }
}
