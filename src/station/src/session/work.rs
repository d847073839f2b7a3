//! The thread of one session: opens the medium, has it scanned, and has it sealed when it is clean.

use super::SessionId;
use super::messages::{Ending, Work};
use super::view::Failure;
use crate::admit::{GateError, SharedGate};
use crate::detect::Disk;
use crate::seal::{Step, seal};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Cancel, Progress};
use blanche_scan::report::{NoTag, Report, Seal};
use blanche_scan::settings::Settings;
use blanche_scan::{EngineRoom, Inventory, ScanError, ScanOptions, ScanOutcome, scan_opened};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Shortest time between two words about the tag: a sealer that was taken over could say many.
const PACE: Duration = Duration::from_millis(100);

/// What a session needs.
pub(crate) struct Job {
    pub(crate) id: SessionId,
    pub(crate) disk: Disk,
    pub(crate) settings: Arc<Settings>,
    pub(crate) room: Arc<EngineRoom>,
    pub(crate) cancel: Cancel,
    /// Records that the medium is being sealed; says why that must not be, if so.
    pub(crate) permit: Box<dyn Fn() -> Result<(), String> + Send>,
    pub(crate) gate: SharedGate,
}

impl Job {
    /// Does everything; `say` hears how far it is.
    pub(crate) fn run(&self, say: &mut dyn FnMut(Work)) {
        let ending = self.scan(say).unwrap_or_else(|error| Ending::Failed(failure(&error)));
        say(Work::Ended(ending));
    }

    fn scan(&self, say: &mut dyn FnMut(Work)) -> Result<Ending, ScanError> {
        let medium = self.open()?;
        let options = ScanOptions { files: false, inventory: true, remainder: false, session: Some(self.id) };
        let mut told = |progress: &Progress| say(Work::Progress(*progress));
        let outcome =
            scan_opened(medium, &self.disk.node, &self.room, &self.settings, &options, &mut told, &self.cancel)?;
        let ScanOutcome { mut report, inventory, .. } = outcome;
        if !self.disk.is_there().is_ok_and(|same| same) {
            return Ok(Ending::Failed(Failure { kind: "removed", detail: "the medium is another one now".to_owned() }));
        }
        if report.verdict == Verdict::Clean {
            let sealed = self.seal(&report, inventory.as_ref(), say);
            if let Seal::NoTag { reason } = &sealed
                && reason.medium_differs()
            {
                return Ok(Ending::Failed(Failure { kind: "changed", detail: format!("{reason:?}") }));
            }
            report.seal = Some(sealed);
        }
        Ok(Ending::Report(Box::new(report)))
    }

    /// The one moment in which somebody may write to the medium.
    fn seal(&self, report: &Report, inventory: Option<&Inventory>, say: &mut dyn FnMut(Work)) -> Seal {
        if self.cancel.is_cancelled() {
            return Seal::NoTag { reason: NoTag::Station("cancelled".to_owned()) };
        }
        if let Err(reason) = (self.permit)() {
            return Seal::NoTag { reason: NoTag::Station(reason) };
        }
        let unprotected = self.protect(false);
        if let Err(error) = &unprotected {
            self.protect_again();
            return Seal::NoTag { reason: NoTag::Station(error.to_string()) };
        }
        let mut last = Instant::now();
        let mut told = |step| match step {
            Step::Written(bytes) if last.elapsed() >= PACE => {
                last = Instant::now();
                say(Work::Sealing(bytes));
            }
            Step::Waiting | Step::Written(_) => {}
        };
        let sealed = seal(inventory, report, &self.settings, &mut told);
        self.protect_again();
        sealed
    }

    fn protect_again(&self) {
        if let Err(error) = self.protect(true) {
            tracing::warn!("{} stays writable: {error}", self.disk.node.display());
        }
    }

    fn protect(&self, read_only: bool) -> Result<(), GateError> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).protect(&self.disk, read_only)
    }

    /// Opens the medium, and looks whether it is the one that was detected: its name may be another's by now.
    fn open(&self) -> Result<File, ScanError> {
        let path = &self.disk.node;
        let failed = |source: io::Error| ScanError::TargetUnreadable { path: path.clone(), source };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let medium = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| failed(errno.into()))?;
        let number = rustix::fs::fstat(&medium).map_err(|errno| failed(errno.into()))?.st_rdev;
        if self.disk.number != number || !self.disk.is_there().map_err(failed)? {
            return Err(failed(io::Error::other("another device has its name now")));
        }
        Ok(File::from(medium))
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
    Failure { kind, detail: error.to_string() }
}
