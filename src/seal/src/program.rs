//! `blanche-sealer`: the writing of one tag, in a sandbox of its own. With the argument `copy` it fills a whole medium:
//! [`crate::copier`].
//!
//! Descriptor 3 is the medium, open for reading and writing. The process confines itself before it has seen a byte, says
//! [`Born`](blanche_sandbox::wire::Born), looks at the medium when it is told to, and writes when it is told to, once.

use crate::commit::CommitError;
use crate::copier;
use crate::device::FileDevice;
use crate::draft::{StageKind, wide};
use crate::name::FileName;
use crate::plan::{Plan, Request, plan, plan_removal};
use crate::readback::{Standing, find, read_back};
use crate::refusal::Refusal;
use crate::stamp::Stamp;
use crate::uncached::UncachedFile;
use crate::unchanged;
use blanche_media::ReadAt;
use blanche_sandbox::birth::Inherited;
use blanche_sandbox::confine::{ConfineError, Profile, abort_on_panic, confine};
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{FromSealer, LocalTime, SealFailure, SealSurvey, ToSealer, WriteObstacle};
use blanche_sandbox::{Channel, ChannelError};
use blanche_tag::{Spool, TAG_NAME, TagFile};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Bytes written between two messages of progress.
const PACE: u64 = 8 << 20;

/// Why the program ended without a last message.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// It was started with other arguments than Blanche gives.
    #[error("blanche-sealer is started by Blanche, to seal without arguments, to fill a medium with the argument copy")]
    Usage,
    /// Descriptor 3 or 4 is missing.
    #[error("descriptor {} was not handed in", .0.number())]
    Descriptor(Inherited),
    /// The sandbox could not be closed.
    #[error(transparent)]
    Confine(#[from] ConfineError),
    /// The parent is gone or speaks another language.
    #[error("channel: {0}")]
    Channel(#[from] ChannelError),
    /// A message came out of order, or without its descriptor.
    #[error("the parent broke the order of messages")]
    Order,
    /// What was handed in is no medium.
    #[error("medium: {0}")]
    Medium(#[from] io::Error),
}

/// The program.
///
/// # Errors
/// [`Failed`].
pub fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Failed> {
    abort_on_panic();
    let copies = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => false,
        (Some("copy"), None) => true,
        _ => return Err(Failed::Usage),
    };
    let inherited = |which: Inherited| which.take().ok_or(Failed::Descriptor(which));
    let medium = inherited(Inherited::Medium)?;
    let channel = Channel::from_fd(inherited(Inherited::Channel)?);
    let born = confine(Profile::Sealer)?;
    channel.send(&born, &[])?;
    if copies { copier::run(medium, &channel) } else { seal(medium, &channel) }
}

/// The dialogue of sealing.
fn seal(medium: OwnedFd, channel: &Channel) -> Result<(), Failed> {
    let (survey, view) = match receive(channel)? {
        (ToSealer::Survey(survey), Some(view)) => (survey, view),
        _ => return Err(Failed::Order),
    };
    let device = FileDevice::new(medium.into())?.with_block(survey.logical_block);
    let view = UncachedFile::new(view.into())?;
    let mut sealer = Sealer { device, view, survey };
    let answer = sealer.look();
    let ready = matches!(answer, FromSealer::Surveyed { .. });
    channel.send(&answer, &[])?;
    if !ready {
        return Ok(());
    }
    // A parent that does not want to write closes its end.
    let (volume, tag, time) = match receive(channel) {
        Ok((ToSealer::Remove { volume }, None)) => return Ok(channel.send(&sealer.remove(volume), &[])?),
        Ok((ToSealer::Write { volume, length, time }, Some(tag))) => {
            (volume, SealedContent::accept(tag, length).map_err(|_| Failed::Order)?, time)
        }
        Ok(_) => return Err(Failed::Order),
        Err(Failed::Channel(ChannelError::Closed)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let answer = sealer.write(volume, tag, time, channel)?;
    Ok(channel.send(&answer, &[])?)
}

fn receive(channel: &Channel) -> Result<(ToSealer, Option<OwnedFd>), Failed> {
    let received = channel.receive::<ToSealer>(None)?;
    Ok((received.message, received.fds.into_iter().next()))
}

/// A medium that may be sealed.
struct Sealer {
    device: FileDevice,
    /// The same, read past the page cache.
    view: UncachedFile,
    survey: SealSurvey,
}

impl Sealer {
    /// Whether it is the medium that was scanned, and where the tag can stand.
    fn look(&self) -> FromSealer {
        let areas = match unchanged::areas(&self.view, &self.survey) {
            Ok(areas) => areas,
            Err(obstacle) => return FromSealer::Refused(obstacle),
        };
        let mut places = Vec::new();
        for number in 0..self.survey.volumes.len() {
            let place = self.plan(number, self.survey.length, Stamp::local(LocalTime { seconds: 0, offset: 0 })).err();
            places.push(place);
            if place.is_none() {
                break;
            }
        }
        FromSealer::Surveyed { areas, places }
    }

    fn range(&self, number: usize) -> Option<Range<u64>> {
        let (start, length) = self.survey.volumes.get(number)?;
        Some(*start..start.checked_add(*length)?)
    }

    /// Everything that would be written; an older tag is replaced, and nothing else. Under another case of the name it is a
    /// file like any other: the manifest lists it, and no verifier takes it for a tag.
    fn plan(&self, number: usize, length: u64, stamp: Stamp) -> Result<Plan, WriteObstacle> {
        let range = self.range(number).ok_or(WriteObstacle::NoVolume)?;
        let name = FileName::new(TAG_NAME).map_err(|_| WriteObstacle::Unsupported)?;
        let standing = find(&self.device, self.survey.logical_block, range.clone(), &name).map_err(obstacle)?;
        if standing.is_some_and(|standing| !self.is_tag(standing)) {
            return Err(WriteObstacle::NameTaken);
        }
        plan(&self.device, range, &Request { name, length, stamp, replace: true }).map_err(obstacle)
    }

    /// Removes the tag, and nothing else that may have its name.
    fn remove(&mut self, volume: u16) -> FromSealer {
        let (Some(range), Ok(name)) = (self.range(usize::from(volume)), FileName::new(TAG_NAME)) else {
            return FromSealer::Refused(WriteObstacle::NoVolume);
        };
        match find(&self.device, self.survey.logical_block, range.clone(), &name) {
            Ok(Some(standing)) if self.is_tag(standing.clone()) => {}
            Ok(None) => return FromSealer::Removed,
            Ok(Some(_)) => return FromSealer::Refused(WriteObstacle::NameTaken),
            Err(refusal) => return FromSealer::Refused(obstacle(refusal)),
        }
        let plan = match plan_removal(&self.device, range, &name) {
            Ok(plan) => plan,
            Err(refusal) => return FromSealer::Refused(obstacle(refusal)),
        };
        match plan.commit(&mut self.device, &mut io::empty()) {
            Ok(()) => FromSealer::Removed,
            Err(error) => FromSealer::Failed(failure(&error)),
        }
    }

    /// Whether what has the name of the tag is one.
    fn is_tag(&self, standing: Standing) -> bool {
        standing.exact && TagFile::open(&OnMedium { medium: &self.device, standing }).is_ok()
    }

    fn write(
        &mut self,
        volume: u16,
        tag: SealedContent,
        time: LocalTime,
        channel: &Channel,
    ) -> Result<FromSealer, Failed> {
        let number = usize::from(volume);
        let (Some(range), Ok(name)) = (self.range(number), FileName::new(TAG_NAME)) else { return Err(Failed::Order) };
        let length = tag.length();
        let plan = match self.plan(number, length, Stamp::local(time)) {
            Ok(plan) => plan,
            Err(obstacle) => return Ok(FromSealer::Refused(obstacle)),
        };
        let mut content = tag.into_file();
        // The position is that of whoever filled it.
        content.rewind()?;
        let mut paced = Paced { content: &content, channel, done: 0, said: 0 };
        if let Err(error) = plan.commit(&mut self.device, &mut paced) {
            return Ok(FromSealer::Failed(failure(&error)));
        }
        content.rewind()?;
        let block = self.survey.logical_block;
        Ok(match read_back(&self.view, block, range, &name, length, &mut content) {
            Ok(()) => FromSealer::Written,
            Err(error) => {
                report(&error);
                FromSealer::Failed(SealFailure::Differs)
            }
        })
    }
}

/// Whether the parent wants no more to be written. One that is gone does not stop the writing half-way.
fn is_stopped(channel: &Channel) -> bool {
    channel.is_readable(Duration::ZERO).is_ok_and(|ready| ready)
        && channel.receive::<ToSealer>(Some(Duration::ZERO)).is_ok_and(|received| received.message == ToSealer::Stop)
}

/// A reason in words on standard error, for the station's log.
pub(crate) fn report(error: &dyn std::error::Error) {
    use std::io::Write as _;
    // Nobody may listen; there is nothing else to do about that.
    let _ = writeln!(io::stderr(), "blanche-sealer: {error}");
}

fn failure(error: &CommitError) -> SealFailure {
    report(error);
    match error.stage {
        StageKind::Content | StageKind::Allocation | StageKind::Growth | StageKind::Opening => SealFailure::Before,
        StageKind::Entry => SealFailure::Unknown,
        StageKind::Release | StageKind::Account => SealFailure::After,
    }
}

fn obstacle(refusal: Refusal) -> WriteObstacle {
    use blanche_media::{ReadError, SurveyFailure};
    use blanche_sandbox::wire::Cause;
    report(&refusal);
    match refusal {
        Refusal::Survey(SurveyFailure::UnknownLayout) | Refusal::Unsupported(_) => WriteObstacle::Unsupported,
        Refusal::Survey(SurveyFailure::Removed) | Refusal::Read(ReadError::Removed) => WriteObstacle::Removed,
        Refusal::Survey(SurveyFailure::Fault { cause: Cause::Unreadable, .. }) | Refusal::Read(_) => {
            WriteObstacle::Unreadable
        }
        Refusal::Survey(SurveyFailure::Fault { .. }) | Refusal::Damaged { .. } | Refusal::Absent { .. } => {
            WriteObstacle::Damaged
        }
        Refusal::Dirty { .. } => WriteObstacle::Dirty,
        Refusal::NoSpace { needed, free } => WriteObstacle::NoSpace { needed, free },
        Refusal::RootFull { .. } => WriteObstacle::RootFull,
        Refusal::NameTaken { .. } | Refusal::Exists { .. } | Refusal::Name(_) => WriteObstacle::NameTaken,
        Refusal::Length { .. } => WriteObstacle::TooLong,
    }
}

/// The content of a tag, which tells how far its writing is.
struct Paced<'p> {
    content: &'p File,
    channel: &'p Channel,
    done: u64,
    said: u64,
}

impl Read for Paced<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if is_stopped(self.channel) {
            return Err(io::Error::other("somebody cancelled"));
        }
        let count = self.content.read(buffer)?;
        self.done = self.done.saturating_add(wide(count));
        if self.done.saturating_sub(self.said) >= PACE {
            self.said = self.done;
            // A parent that is gone does not stop the writing half-way.
            let _ = self.channel.send(&FromSealer::Progress(self.done), &[]);
        }
        Ok(count)
    }
}

/// A file on the medium that may be an older tag.
struct OnMedium<'m> {
    medium: &'m dyn ReadAt,
    standing: Standing,
}

impl Spool for OnMedium<'_> {
    fn length(&self) -> u64 {
        self.standing.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let (mut skip, mut rest) = (offset, buffer);
        for extent in &self.standing.extents {
            let length = extent.end.saturating_sub(extent.start);
            if skip >= length {
                skip = skip.saturating_sub(length);
                continue;
            }
            let inside = usize::try_from(length.saturating_sub(skip)).unwrap_or(usize::MAX).min(rest.len());
            let (part, behind) = rest.split_at_mut(inside);
            self.medium.read_at(extent.start.saturating_add(skip), part).map_err(io::Error::other)?;
            (skip, rest) = (0, behind);
        }
        if rest.is_empty() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
