//! The parent's side of `blanche-sealer`: the one moment in which a medium is open for writing.

use super::Order;
use blanche_sandbox::birth::{Birth, Child, ResourceLimits, Role};
use blanche_sandbox::wire::{FromSealer, LocalTime, SealArea, SealSurvey, ToSealer, Volume, VolumeId, WriteObstacle};
use blanche_scan::Inventory;
use blanche_scan::settings::Settings;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

/// A slow medium with a million files takes minutes to survey.
const PATIENCE: Duration = Duration::from_secs(600);
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
    /// The medium is not the one that was scanned, or cannot be read any more.
    pub(super) fn start(
        inventory: &Inventory,
        order: &Order,
        settings: &Settings,
        length: u64,
    ) -> Result<Self, WriteObstacle> {
        let (medium, closed) = match open_for_writing(inventory.medium()) {
            Ok(medium) => (medium, None),
            Err(obstacle) => {
                (inventory.medium().try_clone_to_owned().map_err(|_| WriteObstacle::SealerLost)?, Some(obstacle))
            }
        };
        let offered = if closed.is_some() { Vec::new() } else { offered(inventory, order) };
        let lost = |error: &dyn std::fmt::Display| {
            tracing::error!("sealer: {error}");
            WriteObstacle::SealerLost
        };
        let program = settings.children.program("blanche-sealer");
        let birth = Birth {
            program: &program,
            arguments: &[],
            medium: Some(medium.as_fd()),
            limits: ResourceLimits { data: Some(MEMORY), ..ResourceLimits::default() },
            role: Role::Reader,
        };
        let child = Child::spawn(&birth).map_err(|error| lost(&error))?;
        let view = blanche_seal::open_uncached(&reopened(inventory)).map_err(|error| lost(&error))?;
        let survey = ToSealer::Survey(survey(inventory, &offered, length));
        child.channel().send(&survey, &[view.as_fd()]).map_err(|error| lost(&error))?;
        let answer = child.channel().receive::<FromSealer>(Some(PATIENCE)).map_err(|error| lost(&error))?.message;
        match answer {
            FromSealer::Surveyed { areas, places } if areas.len() == inventory.area().boot.len() => {
                let place = place(&offered, &places, closed);
                Ok(Self { child, areas, place })
            }
            FromSealer::Refused(obstacle) => Err(obstacle),
            _ => Err(lost(&"an answer out of order")),
        }
    }

    /// The volume on which the tag can stand, or what keeps it from the medium.
    pub(super) fn volume(&self) -> Result<VolumeId, WriteObstacle> {
        self.place.map(|(_, volume)| volume)
    }

    /// Writes the tag. `told` hears how many bytes are written.
    pub(super) fn write(&self, tag: &File, length: u64, time: LocalTime, told: &mut dyn FnMut(u64)) -> FromSealer {
        let lost = |error: &dyn std::fmt::Display| {
            // The last word is missing: only a look at the medium can tell what stands there.
            tracing::error!("sealer: {error}");
            FromSealer::Failed(blanche_sandbox::wire::SealFailure::Unknown)
        };
        let volume = match self.place {
            Ok((number, _)) => number,
            Err(obstacle) => return FromSealer::Refused(obstacle),
        };
        if let Err(error) = self.child.channel().send(&ToSealer::Write { volume, length, time }, &[tag.as_fd()]) {
            return lost(&error);
        }
        let mut written = 0;
        loop {
            match self.child.channel().receive::<FromSealer>(Some(PATIENCE)).map(|received| received.message) {
                // A sealer that was taken over must not keep the station busy for ever.
                Ok(FromSealer::Progress(bytes)) if bytes > written && bytes <= length => {
                    written = bytes;
                    told(bytes);
                }
                Ok(FromSealer::Progress(_) | FromSealer::Surveyed { .. }) => return lost(&"an answer out of order"),
                Ok(answer) => return answer,
                Err(error) => return lost(&error),
            }
        }
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

/// Opens for reading and writing; a block device exclusively, so that one that is in use is refused.
pub(crate) fn open_for_writing(medium: BorrowedFd<'_>) -> Result<OwnedFd, WriteObstacle> {
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
