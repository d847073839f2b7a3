//! Copying the files of a medium to a medium of the station: what was checked, and nothing else.
//!
//! ```text
//! source ──► reader, again ──► same list? same digests? ──► copier: format, fill, read back, show ──► output medium
//!                                                                                                        │
//!                                           seal ◄── same files? clean? ◄── scan, as of any medium ◄─────┘
//! ```
//!
//! All or nothing: whatever goes wrong after the output medium was erased leaves it formatted and empty, or, when it does
//! not even take that, says so. No file is visible on it before every file was read back.

mod checking;
mod naming;
mod output;
mod selection;
pub(crate) mod writing;

use crate::seal::turn;
use blanche_keys::SignerError;
use blanche_sandbox::wire::{CopyFailure, CopyFilesystem, CopyKind, CopyOrder, CopyPart, VolumeId, WriteObstacle};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Cancel, Progress};
use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport, Report, Seal, SealingObstacle, TargetKind};
use blanche_scan::settings::{CopyMode, Settings};
use blanche_scan::{EngineRoom, Inventory, Original, Part, Remainder, RereadError, reread};
use blanche_seal::format::{FAT32_MOST, Geometry, fat_records};
use blanche_tag::claims::MAX_TEXT;
use output::{line, port_allows};
use rustix::fs::FileType;
use selection::Selection;
use std::collections::HashMap;
use std::os::fd::AsFd;
use writing::{Broken, Copier, EMPTYING, PATIENCE};

pub use crate::seal::Act;
pub use output::Output;
pub(crate) use output::{is_blank, measure};

/// Largest file of FAT32, in bytes (FAT specification 1.03, DIR_FileSize).
const FAT32_LARGEST: u64 = u32::MAX as u64;
/// Most records in a folder of FAT.
const FAT_RECORDS: u64 = 64_000;
/// What the identifier of the policy in a tag ends with when only the clean files were copied of a medium that is not clean.
const OUTSIDE: &str = "+clean-files";

/// What was scanned, and may be copied.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The report of its scan.
    pub report: &'a Report,
    /// What the scan kept of a clean medium.
    pub inventory: Option<&'a Inventory>,
    /// What the scan kept of another.
    pub remainder: Option<&'a Remainder>,
}

/// What may become of what is on the output medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erase {
    /// There must be nothing.
    BlankOnly,
    /// Somebody ordered to erase it.
    Everything,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug)]
pub enum CopyStage<'p> {
    /// The output medium is being erased and formatted.
    Formatting,
    /// So many bytes of files are written, of how many.
    Writing(u64, u64),
    /// So many bytes of files were read back, of how many.
    ReadingBack(u64, u64),
    /// The output medium is being checked as any medium is.
    Checking(&'p Progress),
    /// So many bytes of the tag are written.
    Sealing(u64),
}

/// Whoever wants to know.
pub type Told<'t> = dyn FnMut(CopyStage<'_>) + 't;

/// With what it is done.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The engines that check what was written.
    pub room: &'a EngineRoom,
    /// The configuration.
    pub settings: &'a Settings,
    /// Asked before the output medium is sealed, and before its tag is written: why that must not be now, if so.
    pub permit: &'a dyn Fn(Act) -> Result<(), String>,
    /// Stops it.
    pub cancel: &'a Cancel,
}

impl std::fmt::Debug for Means<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Means").field("cancel", self.cancel).finish_non_exhaustive()
    }
}

/// Copies the files of `source` to `output` and seals it. Everything that can be known before is looked at before anything
/// is erased.
pub fn copy(source: &Source<'_>, output: &Output, erase: Erase, means: &Means<'_>, told: &mut Told<'_>) -> CopyReport {
    let mut report = CopyReport::untouched(means.settings.copy.mode, line(output));
    let Means { room, settings, permit, cancel } = *means;
    let job = Job { source, output, room, settings, permit, cancel };
    match job.run(erase, &mut report, told) {
        Ok(seal) => (report.outcome, report.seal) = (CopyOutcome::Copied, Some(seal)),
        Err(cause) => report.cause = Some(cause),
    }
    report
}

/// One copy.
struct Job<'a> {
    source: &'a Source<'a>,
    output: &'a Output,
    room: &'a EngineRoom,
    settings: &'a Settings,
    permit: &'a dyn Fn(Act) -> Result<(), String>,
    cancel: &'a Cancel,
}

impl<'a> Job<'a> {
    fn run(&self, erase: Erase, report: &mut CopyReport, told: &mut Told<'_>) -> Result<Seal, CopyCause> {
        let original = self.original()?;
        report.outside_profile = matches!(original, Original::Part(_));
        let settings = self.labelled(report.outside_profile)?;
        self.admissible(original)?;
        let mut selection = Selection::of(original, self.sealed(), self.cancel)?;
        (report.files, report.folders, report.bytes) = (selection.files, selection.folders(), selection.bytes);
        (report.renamed, report.renamed_more) = std::mem::take(&mut selection.renamed).finish();
        (report.left_out, report.left_out_more) = std::mem::take(&mut selection.left_out).finish();
        let order = self.order(&selection)?;
        report.filesystem = Some(order.filesystem);
        self.signer()?;
        let Selection { entries, bytes, .. } = &selection;
        let copier = Copier::start(self.output, order, entries, *bytes, self.settings, self.cancel, PATIENCE)?;
        if erase == Erase::BlankOnly && !copier.blank {
            return Err(CopyCause::NotBlank);
        }
        if self.cancel.is_cancelled() {
            return Err(CopyCause::Cancelled);
        }
        told(CopyStage::Formatting);
        self.output.is_there()?;
        // From here on nothing of what was on the medium is left.
        let filled = self.fill(copier, original, &selection, told);
        let checked = |()| self.check_and_seal(&selection, &settings, told).map_err(|cause| (cause, false));
        filled.and_then(checked).map_err(|(cause, emptied)| {
            let empty = emptied || self.empty(order);
            report.outcome = if empty { CopyOutcome::Empty } else { CopyOutcome::Unknown };
            cause
        })
    }

    /// The volume of the source on which this station has written a tag since it was checked.
    fn sealed(&self) -> Option<VolumeId> {
        match self.source.report.seal {
            Some(Seal::OnMedium { volume, .. }) => Some(volume),
            _ => None,
        }
    }

    /// What may be copied of the source, by what the administrator allows.
    fn original(&self) -> Result<Original<'a>, CopyCause> {
        let Source { report, inventory, remainder } = *self.source;
        match (report.verdict, inventory, remainder) {
            _ if report.target.kind == TargetKind::Folder => Err(CopyCause::Folder),
            (Verdict::Clean, Some(inventory), _) => Ok(Original::Clean(inventory)),
            (Verdict::Infected | Verdict::Incomplete, _, Some(remainder))
                if self.settings.copy.mode == CopyMode::CleanFiles =>
            {
                Ok(Original::Part(remainder))
            }
            _ => Err(CopyCause::NotClean),
        }
    }

    /// The settings for the seal: a tag on a copy outside the profile says so in the identifier of its policy.
    fn labelled(&self, outside: bool) -> Result<Settings, CopyCause> {
        let mut settings = self.settings.clone();
        if outside {
            settings.seal.policy.push_str(OUTSIDE);
        }
        if settings.seal.policy.len() > MAX_TEXT {
            return Err(CopyCause::Station("seal.policy is too long for a copy of clean files".to_owned()));
        }
        Ok(settings)
    }

    /// What speaks against this pair of media.
    fn admissible(&self, original: Original<'_>) -> Result<(), CopyCause> {
        let obstacles = self.source.report.sealing.obstacles.iter();
        let obstacles: Vec<_> = obstacles.filter(|obstacle| **obstacle != SealingObstacle::NotClean).cloned().collect();
        if !obstacles.is_empty() {
            return Err(CopyCause::Obstacles(obstacles));
        }
        let stat = |fd: &dyn AsFd| rustix::fs::fstat(fd.as_fd()).map_err(|_| removed());
        let (from, to) = (stat(&original.inventory().medium())?, stat(&self.output.medium)?);
        let device = |mode| FileType::from_raw_mode(mode) == FileType::BlockDevice;
        let same_device = device(from.st_mode) && device(to.st_mode) && from.st_rdev == to.st_rdev;
        if same_device || (from.st_dev, from.st_ino) == (to.st_dev, to.st_ino) {
            return Err(CopyCause::SameMedium);
        }
        port_allows(self.output.port.as_ref(), to.st_rdev)
    }

    /// Which filesystem, with which number, at which time.
    fn order(&self, selection: &Selection) -> Result<CopyOrder, CopyCause> {
        let (capacity, logical_block) = measure(&self.output.medium).map_err(|_| removed())?;
        let mut records: HashMap<Option<u32>, u64> = HashMap::new();
        let mut fits = capacity <= FAT32_MOST;
        for entry in &selection.entries {
            let count = records.entry(entry.parent).or_default();
            *count = count.saturating_add(fat_records(&entry.name));
            fits &= *count <= FAT_RECORDS;
            fits &= !matches!(entry.kind, CopyKind::File { size, .. } if size > FAT32_LARGEST);
        }
        // A medium of a few MiB is too small for FAT32.
        fits &= Geometry::new(CopyFilesystem::Fat32, capacity, logical_block).is_some();
        let filesystem = if fits { CopyFilesystem::Fat32 } else { CopyFilesystem::ExFat };
        let [.., a, b, c, d] = *uuid::Uuid::now_v7().as_bytes();
        let (serial, time) = (u32::from_le_bytes([a, b, c, d]), crate::seal::now_here());
        let reserve = selection.tag_bytes();
        Ok(CopyOrder { logical_block, filesystem, serial, time, reserve })
    }

    /// A copy that could not be sealed afterwards would erase a medium for nothing: the signer is asked, and the bases are
    /// judged as it will.
    fn signer(&self) -> Result<(), CopyCause> {
        let failed = |error: SignerError| CopyCause::Signer(error.to_string());
        let signer = turn::signer(self.settings, self.cancel, &mut || {}).map_err(failed)?;
        let signer = signer.ok_or(CopyCause::Cancelled)?.describe().map_err(failed)?;
        crate::seal::bases_suffice(self.source.report, &signer, self.settings).map_err(CopyCause::Signer)
    }

    /// Formats and fills. With the cause comes whether the medium is known to be empty.
    fn fill(
        &self,
        mut copier: Copier,
        original: Original<'_>,
        selection: &Selection,
        told: &mut Told<'_>,
    ) -> Result<(), (CopyCause, bool)> {
        let broken = |broken| self.broken(broken, original, selection);
        copier.format().map_err(broken)?;
        let wanted = |content| selection.targets.contains_key(&content);
        let mut take = |parts: &[Part], object: &_| {
            let parts: Vec<CopyPart> = parts.iter().flat_map(|part| spread(part, selection)).collect();
            let written = copier.content(&parts, object)?;
            told(CopyStage::Writing(written, selection.bytes));
            Ok(())
        };
        let read = reread(original, self.sealed(), &wanted, self.settings, &mut take, self.cancel);
        if let Err(error) = read {
            let cause = match error {
                RereadError::Taking(error) => return Err(broken(error)),
                RereadError::Children(error) => CopyCause::Station(error.to_string()),
                RereadError::Lost => CopyCause::Station("the reader was lost".to_owned()),
                RereadError::Cancelled => CopyCause::Cancelled,
                RereadError::Changed => CopyCause::SourceChanged(None),
                RereadError::Differs(entry) => CopyCause::SourceChanged(Some(original.inventory().shown(entry).0)),
                RereadError::NotRead(entry) => CopyCause::SourceUnreadable(original.inventory().shown(entry).0),
            };
            return Err((cause, copier.abandon()));
        }
        copier.finish(&mut |bytes| told(CopyStage::ReadingBack(bytes, selection.bytes))).map_err(broken)
    }

    /// What a failure of the copier means.
    fn broken(&self, broken: Broken, original: Original<'_>, selection: &Selection) -> (CopyCause, bool) {
        let path = |file: u32| {
            let origin = usize::try_from(file).ok().and_then(|file| selection.origins.get(file).copied());
            origin.flatten().map(|entry| original.inventory().shown(entry).0)
        };
        match broken {
            Broken::Cancelled => (CopyCause::Cancelled, false),
            Broken::Lost => (CopyCause::Station("the copier was lost".to_owned()), false),
            Broken::Failed { failure, emptied } => {
                let cause = match failure {
                    CopyFailure::Device => CopyCause::OutputFailed,
                    CopyFailure::Differs(file) => CopyCause::SourceChanged(path(file)),
                    CopyFailure::Missing(file) => CopyCause::SourceUnreadable(path(file).unwrap_or_default()),
                    CopyFailure::ReadBack(file) => CopyCause::OutputDiffers(file.and_then(path)),
                };
                (cause, emptied)
            }
        }
    }

    /// Formats the medium once more, and leaves it empty; whether that was done.
    fn empty(&self, order: CopyOrder) -> bool {
        // Whoever stopped the copy wants just this.
        let copier = Copier::start(self.output, order, &[], 0, self.settings, &Cancel::default(), EMPTYING);
        match copier.and_then(|copier| self.output.is_there().map(|()| copier)) {
            Ok(copier) => copier.format().is_ok(),
            Err(cause) => {
                tracing::error!("the output medium could not be emptied: {cause:?}");
                false
            }
        }
    }
}

fn removed() -> CopyCause {
    CopyCause::Output(WriteObstacle::Removed)
}

/// A part of a content as parts of the files that it becomes.
fn spread<'s>(part: &Part, selection: &'s Selection) -> impl Iterator<Item = CopyPart> + use<'s> {
    let Part { content, offset, at, length } = *part;
    let files = selection.targets.get(&content).filter(|_| length > 0).into_iter().flatten();
    files.map(move |file| CopyPart { file: *file, offset, at, length })
}
