//! What was copied is checked like any medium, compared with what was to be copied, and sealed.

use super::selection::Selection;
use super::{CopyStage, Job, Told};
use crate::seal::{Step, seal};
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
        match seal(Some(&inventory), &report, settings, &mut |step| match step {
            Step::Waiting => {}
            Step::Written(bytes) => told(CopyStage::Sealing(bytes)),
        }) {
            Seal::NoTag { reason } if differs(&reason) => Err(CopyCause::OutputDiffers(None)),
            sealed => Ok(sealed),
        }
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

/// Whether what was written is not what stands there, or cannot be looked at any more.
fn differs(reason: &NoTag) -> bool {
    matches!(reason, NoTag::Medium(_)) || reason.medium_differs()
}

/// Whether a medium holds what was selected, and nothing else.
fn is_same(inventory: &Inventory, selection: &Selection) -> bool {
    let mut expected = selection.paths();
    let volumes: Vec<_> = (0..).take(inventory.layout().volumes.len()).collect();
    let visited = inventory.visit(&volumes, &mut |listed: &Listed<'_>| {
        let path = listed.path.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join("/");
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
