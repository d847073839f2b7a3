//! The parent's side of `blanche-sealer`: the one moment in which a medium is open for writing.

use super::{LOOK, Order};
use crate::detect::Disk;
use blanche_sandbox::ChannelError;
use blanche_sandbox::birth::{Birth, Child, ResourceLimits, Role};
use blanche_sandbox::wire::{FromSealer, LocalTime, SealArea, SealSurvey, ToSealer, Volume, VolumeId, WriteObstacle};
use blanche_scan::Inventory;
use blanche_scan::progress::Cancel;
use blanche_scan::report::NoTag;
use blanche_scan::settings::Settings;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A slow medium with a million files takes minutes to survey.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a sealer may go on after somebody cancelled: it stops at once, or writes the few blocks that make a tag of what is
/// there already.
pub(super) const FINISHING: Duration = Duration::from_secs(30);
/// The removal of a tag that there was no time to verify: a few blocks.
pub(super) const TAKING_BACK: Duration = Duration::from_secs(15);
/// The sealer's own memory.
const MEMORY: u64 = 1 << 30;

/// A sealer that has looked at the medium.
pub(super) struct Sealer {
    child: Child,
    /// SHA-256 of the boot areas in normal form.
    pub(super) areas: Vec<[u8; 32]>,
    /// Where the tag can stand: position in what the sealer was offered, and the volume's number.
    place: Result<(u16, VolumeId), WriteObstacle>,
}

impl Sealer {
    /// Starts a sealer and lets it look. `length`: bytes that the tag will have, about.
    ///
    /// # Errors
    /// The medium is not the one that was scanned, or cannot be read any more; or somebody cancelled.
    pub(super) fn start(
        inventory: &Inventory,
        disk: Option<&Disk>,
        order: &Order,
        settings: &Settings,
        length: u64,
        cancel: &Cancel,
    ) -> Result<Self, NoTag> {
        let (medium, closed) = match open_for_writing(inventory.medium(), disk) {
            Ok(medium) => (medium, None),
            Err(WriteObstacle::Removed) => return Err(NoTag::Medium(WriteObstacle::Removed)),
            Err(obstacle) => {
                let medium = inventory.medium().try_clone_to_owned();
                (medium.map_err(|_| NoTag::Medium(WriteObstacle::SealerLost))?, Some(obstacle))
            }
        };
        let offered = if closed.is_some() { Vec::new() } else { offered(inventory, order) };
        let child = born(settings, &medium).map_err(NoTag::Medium)?;
        // Nothing is written yet: who cancels need not wait, and the sealer ends with this.
        let mut stop = || if cancel.is_cancelled() { Err(NoTag::Cancelled) } else { Ok(()) };
        match look(&child, inventory, survey(inventory, &offered, length), PATIENCE, &mut stop)? {
            FromSealer::Surveyed { areas, places } if areas.len() == inventory.area().boot.len() => {
                let place = place(&offered, &places, closed);
                Ok(Self { child, areas, place })
            }
            FromSealer::Refused(obstacle) => Err(NoTag::Medium(obstacle)),
            _ => Err(NoTag::Medium(lost(&"an answer out of order"))),
        }
    }

    /// The volume on which the tag can stand, or what keeps it from the medium.
    pub(super) fn volume(&self) -> Result<VolumeId, WriteObstacle> {
        self.place.map(|(_, volume)| volume)
    }

    /// Writes the tag. `told` hears how many bytes are written. After `cancel` the sealer stops if it can leave the medium as it
    /// was; what it says then counts.
    pub(super) fn write(
        &self,
        tag: &File,
        length: u64,
        time: LocalTime,
        told: &mut dyn FnMut(u64),
        cancel: &Cancel,
    ) -> FromSealer {
        let lost = |error: &dyn std::fmt::Display| {
            // The last word is missing: only a look at the medium can tell what stands there.
            tracing::error!("sealer: {error}");
            FromSealer::Failed(blanche_sandbox::wire::SealFailure::Unknown)
        };
        let volume = match self.place {
            Ok((number, _)) => number,
            Err(obstacle) => return FromSealer::Refused(obstacle),
        };
        let channel = self.child.channel();
        if let Err(error) = channel.send(&ToSealer::Write { volume, length, time }, &[tag.as_fd()]) {
            return lost(&error);
        }
        let (mut written, mut stopped) = (0, None);
        let mut stop = || {
            if cancel.is_cancelled() && stopped.is_none() {
                stopped = Some(Instant::now());
                // One that has ended meanwhile has said its last word.
                let _ = channel.send(&ToSealer::Stop, &[]);
            }
            match stopped {
                Some(at) if at.elapsed() >= FINISHING => Err(Lost("it does not stop".to_owned())),
                _ => Ok(()),
            }
        };
        loop {
            match heard(&self.child, PATIENCE, &mut stop) {
                // A sealer that was taken over must not keep the station busy for ever.
                Ok(FromSealer::Progress(bytes)) if bytes > written && bytes <= length => {
                    written = bytes;
                    told(bytes);
                }
                Ok(FromSealer::Progress(_) | FromSealer::Surveyed { .. } | FromSealer::Removed) => {
                    return lost(&"an answer out of order");
                }
                Ok(answer) => return answer,
                Err(error) => return lost(&error),
            }
        }
    }
}

/// Removes the tag that was just written on a volume: there was no time to verify it.
///
/// # Errors
/// Why it may still be there.
pub(super) fn take_back(
    inventory: &Inventory,
    disk: Option<&Disk>,
    settings: &Settings,
    volume: VolumeId,
) -> Result<(), String> {
    let medium = open_for_writing(inventory.medium(), disk).map_err(|obstacle| format!("{obstacle:?}"))?;
    let child = born(settings, &medium).map_err(|obstacle| format!("{obstacle:?}"))?;
    let found = inventory.layout().volumes.get(usize::from(volume)).ok_or("no such volume")?;
    let survey = SealSurvey {
        logical_block: inventory.layout().logical_block,
        unchanged: Vec::new(),
        areas: Vec::new(),
        volumes: vec![(found.start, found.length)],
        length: 1,
    };
    let begun = Instant::now();
    let mut go_on = || Ok::<(), String>(());
    let answer = look(&child, inventory, survey, TAKING_BACK, &mut go_on)?;
    if !matches!(answer, FromSealer::Surveyed { .. }) {
        return Err(format!("{answer:?}"));
    }
    child.channel().send(&ToSealer::Remove { volume: 0 }, &[]).map_err(|error| error.to_string())?;
    let left = TAKING_BACK.saturating_sub(begun.elapsed());
    match child.channel().receive::<FromSealer>(Some(left)).map(|received| received.message) {
        Ok(FromSealer::Removed) => Ok(()),
        Ok(answer) => Err(format!("{answer:?}")),
        Err(error) => Err(error.to_string()),
    }
}

fn lost(error: &dyn std::fmt::Display) -> WriteObstacle {
    tracing::error!("sealer: {error}");
    WriteObstacle::SealerLost
}

/// A sealer with the medium.
fn born(settings: &Settings, medium: &OwnedFd) -> Result<Child, WriteObstacle> {
    let program = settings.children.program("blanche-sealer");
    let birth = Birth {
        program: &program,
        arguments: &[],
        medium: Some(medium.as_fd()),
        limits: ResourceLimits { data: Some(MEMORY), ..ResourceLimits::default() },
        role: Role::Reader,
    };
    Child::spawn(&birth).map_err(|error| lost(&error))
}

/// What a sealer says when it has looked at the medium.
fn look<E: From<Lost>>(
    child: &Child,
    inventory: &Inventory,
    survey: SealSurvey,
    patience: Duration,
    stop: &mut dyn FnMut() -> Result<(), E>,
) -> Result<FromSealer, E> {
    let view = blanche_seal::open_uncached(&reopened(inventory)).map_err(|error| Lost(error.to_string()))?;
    let sent = child.channel().send(&ToSealer::Survey(survey), &[view.as_fd()]);
    sent.map_err(|error| Lost(error.to_string()))?;
    heard(child, patience, stop)
}

/// The next word of a sealer. `stop` is asked again and again whether it is still waited for.
fn heard<E: From<Lost>>(
    child: &Child,
    patience: Duration,
    stop: &mut dyn FnMut() -> Result<(), E>,
) -> Result<FromSealer, E> {
    let start = Instant::now();
    let failed = |error: ChannelError| E::from(Lost(error.to_string()));
    while !child.channel().is_readable(LOOK).map_err(failed)? {
        stop()?;
        if start.elapsed() >= patience {
            return Err(failed(ChannelError::TimedOut));
        }
    }
    let left = patience.saturating_sub(start.elapsed());
    Ok(child.channel().receive::<FromSealer>(Some(left)).map_err(failed)?.message)
}

/// A sealer that cannot be heard any more: why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Lost(String);

impl From<Lost> for NoTag {
    fn from(error: Lost) -> Self {
        Self::Medium(lost(&error))
    }
}

impl From<Lost> for String {
    fn from(error: Lost) -> Self {
        error.0
    }
}

/// The medium as it was scanned, by its open descriptor: nobody can put another one under its name.
pub(super) fn reopened(inventory: &Inventory) -> PathBuf {
    path_of(inventory.medium())
}

/// What is open, by its descriptor.
pub(crate) fn path_of(medium: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", medium.as_raw_fd()))
}

/// What the kernel says of a device: root may open a protected one for writing all the same, and every write fails.
fn is_write_protected(device: u64) -> bool {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/ro")).is_ok_and(|text| text.trim() != "0")
}

/// Opens for reading and writing; a block device exclusively, so that one that is in use is refused. `disk`: what was detected.
/// A card reader shows another card under the same device number, and opening it anew is what makes the kernel look: only a
/// medium that is the detected one after that is written.
pub(crate) fn open_for_writing(medium: BorrowedFd<'_>, disk: Option<&Disk>) -> Result<OwnedFd, WriteObstacle> {
    let stat = rustix::fs::fstat(medium).map_err(|_| WriteObstacle::Removed)?;
    let device = FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice;
    if device && is_write_protected(stat.st_rdev) {
        return Err(WriteObstacle::WriteProtected);
    }
    let exclusive = if device { OFlags::EXCL } else { OFlags::empty() };
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY | exclusive;
    let opened = rustix::fs::open(path_of(medium), flags, Mode::empty()).map_err(|errno| match errno {
        Errno::BUSY | Errno::TXTBSY => WriteObstacle::InUse,
        Errno::NODEV | Errno::NXIO | Errno::NOMEDIUM => WriteObstacle::Removed,
        _ => WriteObstacle::WriteProtected,
    })?;
    if disk.is_some_and(|disk| !disk.is_there().unwrap_or(false)) {
        return Err(WriteObstacle::Removed);
    }
    // O_EXCL says nothing about image files: two sealers would plan with the same free clusters. The lock goes with the
    // descriptor to the sealer and ends with it. Some network filesystems have no locks; there it stays as it was.
    match rustix::fs::flock(&opened, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(WriteObstacle::InUse),
        _ => Ok(opened),
    }
}

/// Where the tag may stand (docs/tag-format.md, section 13): not on what is hidden, starts computers, or is one of several
/// views.
fn offered(inventory: &Inventory, order: &Order) -> Vec<(VolumeId, u64, u64)> {
    use blanche_sandbox::wire::FilesystemKind::{ExFat, Fat12, Fat16, Fat32};
    let volumes = &inventory.layout().volumes;
    let writable = |volume: &&Volume| {
        matches!(volume.filesystem, Fat12 | Fat16 | Fat32 | ExFat)
            && !volume.hidden
            && !volume.efi
            && volume.view.is_none()
            && volumes.iter().filter(|other| other.start == volume.start).count() == 1
    };
    let found = |number: &VolumeId| volumes.get(usize::from(*number)).filter(writable).map(|volume| (*number, volume));
    order.volumes().iter().filter_map(found).map(|(number, volume)| (number, volume.start, volume.length)).collect()
}

fn survey(inventory: &Inventory, offered: &[(VolumeId, u64, u64)], length: u64) -> SealSurvey {
    let layout = inventory.layout();
    let filesystem = |volume: VolumeId| layout.volumes.get(usize::from(volume)).map(|volume| volume.filesystem);
    let area = |area: &blanche_sandbox::wire::BootArea| SealArea {
        kind: area.kind,
        filesystem: area.volume.and_then(filesystem),
        start: area.start,
        length: area.length,
    };
    SealSurvey {
        logical_block: layout.logical_block,
        unchanged: inventory.area().digests.clone(),
        areas: inventory.area().boot.iter().map(area).collect(),
        volumes: offered.iter().map(|(_, start, length)| (*start, *length)).collect(),
        length,
    }
}

/// The first place against which nothing speaks, or what speaks against the best one.
fn place(
    offered: &[(VolumeId, u64, u64)],
    places: &[Option<WriteObstacle>],
    closed: Option<WriteObstacle>,
) -> Result<(u16, VolumeId), WriteObstacle> {
    if let Some(obstacle) = closed {
        return Err(obstacle);
    }
    let ready = offered.iter().zip(places).position(|(_, obstacle)| obstacle.is_none());
    let found = ready.and_then(|number| Some((u16::try_from(number).ok()?, offered.get(number)?.0)));
    found.ok_or_else(|| places.first().copied().flatten().unwrap_or(WriteObstacle::NoVolume))
}
