//! `blanche-reader`: a reading in a sandbox of its own.
//!
//! The one argument is `medium` or `folder`: what descriptor 3 is, hence how the process confines itself. It does so
//! before it has seen a byte, says [`Born`](blanche_sandbox::wire::Born), receives one [`ReadJob`], reads, and ends.

use crate::outbox::{ReadFailure, Stop};
use crate::reading::{Input, read};
use crate::source::FileSource;
use blanche_sandbox::birth::Inherited;
use blanche_sandbox::confine::{ConfineError, Profile, abort_on_panic, confine};
use blanche_sandbox::wire::{FromReader, ReadJob, Source};
use blanche_sandbox::{Channel, ChannelError};
use std::os::fd::{AsFd, OwnedFd};

/// Why the program ended without a last message.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Neither `medium` nor `folder`.
    #[error("blanche-reader is started by Blanche, with `medium` or `folder` as its only argument")]
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
    /// The reading failed.
    #[error(transparent)]
    Read(ReadFailure),
}

impl Failed {
    /// Exit code: 1 the reading failed, 2 not started as it must be or not confined, 3 the channel failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read(_) => 1,
            Self::Usage | Self::Descriptor(_) | Self::Confine(_) => 2,
            Self::Channel(_) => 3,
        }
    }
}

/// The program.
///
/// # Errors
/// [`Failed`], with its exit code.
pub fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Failed> {
    abort_on_panic();
    let profile = match (arguments.next().as_deref(), arguments.next()) {
        (Some("medium"), None) => Profile::MediumReader,
        (Some("folder"), None) => Profile::FolderReader,
        _ => return Err(Failed::Usage),
    };
    let inherited = |which: Inherited| which.take().ok_or(Failed::Descriptor(which));
    let medium = inherited(Inherited::Medium)?;
    let channel = Channel::from_fd(inherited(Inherited::Channel)?);
    // No budget counts what waits in the channel.
    channel.narrow()?;
    let born = confine(profile)?;
    channel.send(&born, &[])?;
    let job = channel.receive::<ReadJob>(None)?.message;
    speak(&channel, &job, &medium)
}

/// Reads, and says everything on `channel`.
fn speak(channel: &Channel, job: &ReadJob, medium: &OwnedFd) -> Result<(), Failed> {
    let mut broken = None;
    let mut out = |message: FromReader, object: Option<OwnedFd>| {
        let objects: Vec<_> = object.iter().map(AsFd::as_fd).collect();
        channel.send(&message, &objects).map_err(|error| {
            broken = Some(error);
            Stop
        })
    };
    let outcome = match job.source {
        Source::Medium { capacity, .. } => read(job, &Input::Medium(&FileSource::new(medium, capacity)), &mut out),
        Source::Folder => read(job, &Input::Folder(medium.as_fd()), &mut out),
    };
    match (outcome, broken) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(error)) => Err(Failed::Channel(error)),
        (Err(failure), None) => Err(Failed::Read(failure)),
    }
}
