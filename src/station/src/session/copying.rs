//! The threads that copy the files of a session to a medium in an output port, and that look at such a medium before.

use super::messages::{CopyOrdered, Work};
use super::view::{Contents, CopyProgress, CopyStep};
use super::work::{Kept, NOT_OURS_ALONE, Writable, open};
use crate::admit::Role;
use crate::admit::lanes::Lanes;
use crate::copy::{self, CopyStage, Erase, Means, Output, Source, copy};
use crate::detect::Disk;
use crate::seal::Act;
use blanche_sandbox::wire::WriteObstacle;
use blanche_scan::progress::Cancel;
use blanche_scan::report::{CopyCause, CopyReport, TargetKind, TargetLine};
use blanche_scan::settings::Settings;
use blanche_scan::{EngineRoom, look};
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shortest time between two words about the same step.
const PACE: Duration = Duration::from_millis(100);

/// What a copy needs.
pub(crate) struct CopyJob {
    pub(crate) ordered: CopyOrdered,
    /// What the scan of the source left.
    pub(crate) kept: Arc<Kept>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) room: Arc<EngineRoom>,
    pub(crate) cancel: Cancel,
    pub(crate) gate: Lanes,
    /// Records what is about to be done; says why that must not be, if so.
    pub(crate) permit: Box<dyn Fn(Act) -> Result<(), String> + Send>,
}

impl CopyJob {
    /// Does everything; `say` hears how far it is.
    pub(crate) fn run(&self, say: &mut dyn FnMut(Work)) {
        let report = self.copy(say).unwrap_or_else(|cause| untouched(&self.settings, &self.ordered, cause));
        if let Some(detail) = report.cause.as_ref().and_then(CopyCause::detail) {
            tracing::error!("copy of session {}: {detail}", self.ordered.session);
        }
        say(Work::Copied(Box::new(report)));
    }

    fn copy(&self, say: &mut dyn FnMut(Work)) -> Result<CopyReport, CopyCause> {
        let CopyOrdered { source, report, output, erase, .. } = &self.ordered;
        let medium = ready(source, output)?;
        // For as long as it is written, read back and sealed.
        let opened = Writable::open(&self.gate, output).map_err(|error| CopyCause::Station(error.to_string()))?;
        let port = Some((output.clone(), Role::Output));
        let output = Output { medium, path: output.node.clone(), port };
        let Kept { inventory, remainder } = &*self.kept;
        let source = Source { report, inventory: inventory.as_ref(), remainder: remainder.as_ref() };
        let erase = if *erase { Erase::Everything } else { Erase::BlankOnly };
        let means = Means { room: &self.room, settings: &self.settings, permit: &*self.permit, cancel: &self.cancel };
        let mut pace = Pace::default();
        let mut told = |stage: CopyStage<'_>| {
            let progress = progress(stage);
            if pace.is_due(progress.step) {
                say(Work::Copying(progress));
            }
        };
        let report = copy(&source, &output, erase, &means, &mut told);
        drop(opened);
        Ok(report)
    }
}

/// The output medium, opened: both media are those of the order, and nobody else writes the one that will be written.
fn ready(source: &Disk, output: &Disk) -> Result<File, CopyCause> {
    if !source.is_there().is_ok_and(|same| same) {
        return Err(CopyCause::SourceRemoved);
    }
    if !output.is_ours_alone() {
        return Err(CopyCause::Station(NOT_OURS_ALONE.to_owned()));
    }
    open(output).map_err(|error| {
        tracing::warn!("{error}");
        CopyCause::Output(WriteObstacle::Removed)
    })
}

/// A report of a copy that did nothing.
pub(crate) fn untouched(settings: &Settings, ordered: &CopyOrdered, cause: CopyCause) -> CopyReport {
    let output = TargetLine {
        path: blanche_scan::words::visible(ordered.output.node.as_os_str().as_encoded_bytes()),
        kind: TargetKind::Device,
        capacity: Some(ordered.output.capacity),
        logical_block: None,
    };
    CopyReport { cause: Some(cause), ..CopyReport::untouched(settings.copy.mode, output) }
}

fn progress(stage: CopyStage<'_>) -> CopyProgress {
    match stage {
        CopyStage::Formatting => CopyProgress { step: CopyStep::Formatting, done: 0, all: 0 },
        CopyStage::Writing(done, all) => CopyProgress { step: CopyStep::Writing, done, all },
        CopyStage::ReadingBack(done, all) => CopyProgress { step: CopyStep::ReadingBack, done, all },
        CopyStage::Checking(now) => CopyProgress { step: CopyStep::Checking, done: now.bytes_done, all: now.bytes },
        CopyStage::Sealing(done) => CopyProgress { step: CopyStep::Sealing, done, all: 0 },
    }
}

/// Lets through each new step, and of one step what comes [`PACE`] apart: a copier that was taken over could say much.
#[derive(Debug, Default)]
struct Pace(Option<(CopyStep, Instant)>);

impl Pace {
    fn is_due(&mut self, step: CopyStep) -> bool {
        let due = self.0.is_none_or(|(last, at)| last != step || at.elapsed() >= PACE);
        if due {
            self.0 = Some((step, Instant::now()));
        }
        due
    }
}

/// Looks at what is on a medium in an output port: a reader in its sandbox, and whether its edges are nothing but zeros.
pub(crate) fn look_at(disk: &Disk, settings: &Settings, cancel: &Cancel) -> Contents {
    contents(disk, settings, cancel).unwrap_or_else(|error| {
        tracing::warn!("{}: {error}", disk.node.display());
        Contents::Unknown
    })
}

fn contents(disk: &Disk, settings: &Settings, cancel: &Cancel) -> Result<Contents, Box<dyn std::error::Error>> {
    let medium = open(disk)?;
    if copy::is_blank(&medium)? {
        return Ok(Contents::Blank);
    }
    let (capacity, block) = copy::measure(&medium)?;
    let found = look(medium.as_fd(), capacity, block, settings, cancel)?;
    Ok(Contents::Filled { files: found.files, bytes: found.bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{DevPath, DiskKind};
    use std::path::PathBuf;

    /// In a slot of the machine, where nothing of the package keeps other programs away.
    fn in_a_slot(number: u64) -> Disk {
        Disk {
            path: DevPath("/devices/platform/mmc0/block/mmcblk0".to_owned()),
            device: None,
            port: None,
            node: PathBuf::from("/dev/null"),
            number,
            sequence: 1,
            capacity: 1,
            read_only: false,
            kind: DiskKind::Disk,
            lun: 0,
            vendor: None,
            model: None,
        }
    }

    #[test]
    fn nothing_is_written_in_a_slot_that_other_programs_may_write() {
        let number = rustix::fs::makedev(4095, 1);
        let (source, output) = (in_a_slot(0), in_a_slot(number));
        assert_eq!(ready(&source, &output).err(), Some(CopyCause::Station(NOT_OURS_ALONE.to_owned())));
        let on_usb = Disk { device: Some(DevPath("/devices/usb1/1-1".to_owned())), ..output.clone() };
        assert_eq!(ready(&source, &on_usb).err(), Some(CopyCause::Output(WriteObstacle::Removed)), "no such disk");
        assert_eq!(ready(&in_a_slot(number), &on_usb).err(), Some(CopyCause::SourceRemoved));
    }

    #[test]
    fn each_step_is_told_at_once_and_its_progress_not_too_often() {
        let mut pace = Pace::default();
        assert!(pace.is_due(CopyStep::Writing));
        assert!(!pace.is_due(CopyStep::Writing));
        assert!(pace.is_due(CopyStep::ReadingBack));
        pace.0 = Instant::now().checked_sub(PACE).map(|at| (CopyStep::ReadingBack, at));
        assert!(pace.is_due(CopyStep::ReadingBack));
    }
}
