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
mod selection;
mod writing;

use crate::admit::Role;
use crate::detect::Disk;
use blanche_keys::SignerClient;
use blanche_sandbox::wire::{CopyFailure, CopyFilesystem, CopyKind, CopyOrder, CopyPart, WriteObstacle};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Cancel, Progress};
use blanche_scan::report::{
    CopyCause, CopyOutcome, CopyReport, NotCarried, Report, Seal, SealingObstacle, TargetKind, TargetLine,
};
use blanche_scan::settings::{CopyMode, Settings};
use blanche_scan::{EngineRoom, Inventory, Original, Part, Remainder, RereadError, reread, words};
use blanche_seal::format::{FAT32_MOST, Geometry, fat_records};
use rustix::fs::{FileType, SeekFrom};
use selection::Selection;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use writing::{Broken, Copier};

/// Largest file of FAT32, in bytes (FAT specification 1.03, DIR_FileSize).
const FAT32_LARGEST: u64 = u32::MAX as u64;
/// Most records in a folder of FAT.
const FAT_RECORDS: u64 = 64_000;
/// What the identifier of the policy in a tag ends with when only the clean files were copied of a medium that is not clean.
const OUTSIDE: &str = "+clean-files";
/// Where tables and boot sectors of any kind stand: so many bytes from the start and to the end of a medium.
const EDGE: u64 = 1 << 20;
/// Bytes of the longest identifier of a policy.
const MAX_POLICY: usize = 255;

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

/// The medium that is written.
#[derive(Debug)]
pub struct Output {
    /// A block device or image, opened for reading. It is opened again, for writing and exclusively, by this descriptor.
    pub medium: File,
    /// Its name, for reports.
    pub path: PathBuf,
    /// Where it was plugged in, and what that port is for; absent where there is no port, as for images.
    pub port: Option<(Disk, Role)>,
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

/// Copies the files of `source` to `output` and seals it. Everything that can be known before is looked at before anything
/// is erased.
pub fn copy(
    source: &Source<'_>,
    output: &Output,
    erase: Erase,
    room: &EngineRoom,
    settings: &Settings,
    told: &mut Told<'_>,
    cancel: &Cancel,
) -> CopyReport {
    let mut report = CopyReport {
        outcome: CopyOutcome::Untouched,
        cause: None,
        mode: settings.copy.mode,
        outside_profile: false,
        output: line(output),
        filesystem: None,
        files: 0,
        folders: 0,
        bytes: 0,
        renamed: Vec::new(),
        left_out: Vec::new(),
        not_carried: NotCarried::ALL,
        seal: None,
    };
    let job = Job { source, output, room, settings, cancel };
    match job.run(erase, &mut report, told) {
        Ok(seal) => (report.outcome, report.seal) = (CopyOutcome::Copied, Some(seal)),
        Err(cause) => report.cause = Some(cause),
    }
    report
}

/// The output medium, for people.
fn line(output: &Output) -> TargetLine {
    let device = rustix::fs::fstat(&output.medium)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice);
    let size = measure(&output.medium).ok();
    TargetLine {
        path: words::visible(output.path.as_os_str().as_bytes()),
        kind: if device { TargetKind::Device } else { TargetKind::Image },
        capacity: size.map(|(capacity, _)| capacity),
        logical_block: size.map(|(_, block)| block),
    }
}

/// Bytes of a device or image, and of its logical blocks.
pub(crate) fn measure(medium: &File) -> io::Result<(u64, u32)> {
    let kind = FileType::from_raw_mode(rustix::fs::fstat(medium)?.st_mode);
    let block = match kind {
        FileType::BlockDevice => rustix::fs::ioctl_blksszget(medium)?,
        FileType::RegularFile => 512,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a block device nor an image file")),
    };
    Ok((rustix::fs::seek(medium, SeekFrom::End(0))?, block))
}

/// Whether the first and last MiB of a medium hold nothing but zeros. Nothing is made of these bytes.
pub(crate) fn is_blank(medium: &File) -> io::Result<bool> {
    let (capacity, _) = measure(medium)?;
    for start in [0, capacity.saturating_sub(EDGE)] {
        let mut bytes = vec![0u8; usize::try_from(capacity.min(EDGE)).unwrap_or(0)];
        medium.read_exact_at(&mut bytes, start)?;
        if bytes.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One copy.
struct Job<'a> {
    source: &'a Source<'a>,
    output: &'a Output,
    room: &'a EngineRoom,
    settings: &'a Settings,
    cancel: &'a Cancel,
}

impl<'a> Job<'a> {
    fn run(&self, erase: Erase, report: &mut CopyReport, told: &mut Told<'_>) -> Result<Seal, CopyCause> {
        let original = self.original()?;
        report.outside_profile = matches!(original, Original::Part(_));
        let settings = self.labelled(report.outside_profile)?;
        self.admissible(original)?;
        let mut selection = Selection::of(original)?;
        (report.files, report.folders, report.bytes) = (selection.files, selection.folders(), selection.bytes);
        report.renamed = std::mem::take(&mut selection.renamed);
        report.left_out = std::mem::take(&mut selection.left_out);
        let order = self.order(&selection)?;
        report.filesystem = Some(order.filesystem);
        self.signer()?;
        let copier =
            Copier::start(self.output.medium.as_fd(), order, &selection.entries, selection.bytes, self.settings)?;
        if erase == Erase::BlankOnly && !copier.blank {
            return Err(CopyCause::NotBlank);
        }
        if self.cancel.is_cancelled() {
            return Err(CopyCause::Cancelled);
        }
        // From here on nothing of what was on the medium is left.
        let filled = self.fill(copier, original, &selection, told);
        let checked = |()| self.check_and_seal(&selection, &settings, told).map_err(|cause| (cause, None));
        filled.and_then(checked).map_err(|(cause, empty)| {
            let empty = empty.unwrap_or_else(|| self.empty(order));
            report.outcome = if empty { CopyOutcome::Empty } else { CopyOutcome::Unknown };
            cause
        })
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
        if settings.seal.policy.len() > MAX_POLICY {
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

    /// A copy that could not be sealed afterwards would erase a medium for nothing.
    fn signer(&self) -> Result<(), CopyCause> {
        let program = self.settings.children.program("blanche-signer");
        let signer = SignerClient::spawn(&program, &self.settings.seal.keys);
        let described = signer.and_then(|signer| signer.describe().map(|_| ()));
        described.map_err(|error| CopyCause::Signer(error.to_string()))
    }

    /// Formats and fills. With the cause comes what is known of the medium: empty, not empty, or nothing.
    fn fill(
        &self,
        mut copier: Copier,
        original: Original<'_>,
        selection: &Selection,
        told: &mut Told<'_>,
    ) -> Result<(), (CopyCause, Option<bool>)> {
        let broken = |broken| self.broken(broken, original, selection);
        told(CopyStage::Formatting);
        copier.format().map_err(broken)?;
        let wanted = |content| selection.targets.contains_key(&content);
        let mut take = |parts: &[Part], object: &_| {
            let parts: Vec<CopyPart> = parts.iter().flat_map(|part| spread(part, selection)).collect();
            let written = copier.content(&parts, object)?;
            told(CopyStage::Writing(written, selection.bytes));
            Ok(())
        };
        let read = reread(original, &wanted, self.settings, &mut take, self.cancel);
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
            return Err((cause, copier.abandon().then_some(true)));
        }
        copier.finish(&mut |bytes| told(CopyStage::ReadingBack(bytes, selection.bytes))).map_err(broken)
    }

    /// What a failure of the copier means.
    fn broken(&self, broken: Broken, original: Original<'_>, selection: &Selection) -> (CopyCause, Option<bool>) {
        let path = |file: u32| {
            let origin = usize::try_from(file).ok().and_then(|file| selection.origins.get(file).copied());
            origin.flatten().map(|entry| original.inventory().shown(entry).0)
        };
        match broken {
            Broken::Lost => (CopyCause::Station("the copier was lost".to_owned()), None),
            Broken::Failed { failure, emptied } => {
                let cause = match failure {
                    CopyFailure::Device => CopyCause::OutputFailed,
                    CopyFailure::Differs(file) => CopyCause::SourceChanged(path(file)),
                    CopyFailure::Missing(file) => CopyCause::SourceUnreadable(path(file).unwrap_or_default()),
                    CopyFailure::ReadBack(file) => CopyCause::OutputDiffers(file.and_then(path)),
                };
                (cause, emptied.then_some(true))
            }
        }
    }

    /// Formats the medium once more, and leaves it empty; whether that was done.
    fn empty(&self, order: CopyOrder) -> bool {
        match Copier::start(self.output.medium.as_fd(), order, &[], 0, self.settings) {
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

/// Whether a medium in this port may be written; `number`: the device that is open.
fn port_allows(port: Option<&(Disk, Role)>, number: u64) -> Result<(), CopyCause> {
    match port {
        Some((_, Role::Input)) => Err(CopyCause::NotOutput),
        Some((disk, Role::Output)) if disk.number != 0 && disk.number != number => Err(removed()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{DevPath, DiskKind};

    #[test]
    fn only_the_very_disk_in_an_output_port_is_written() {
        let disk = |number| Disk {
            path: DevPath(String::new()),
            device: None,
            port: None,
            node: PathBuf::from("/dev/sdz"),
            number,
            sequence: 0,
            capacity: 1,
            read_only: false,
            kind: DiskKind::Disk,
            lun: 0,
            vendor: None,
            model: None,
        };
        assert_eq!(port_allows(Some(&(disk(7), Role::Output)), 7), Ok(()));
        assert_eq!(port_allows(Some(&(disk(7), Role::Output)), 8), Err(removed()));
        assert_eq!(port_allows(Some(&(disk(7), Role::Input)), 7), Err(CopyCause::NotOutput));
        assert_eq!(port_allows(None, 7), Ok(()), "an image has no port");
    }
}
