//! Reading a medium a second time, to copy what was checked: another reader in its own sandbox, the same descriptor. Its
//! list of entries must be the one of the first reading, entry by entry, and the digest of each content the one that was
//! judged. What is handed over is compared once more by whoever writes it.

use crate::alike::Alike;
use crate::error::ScanError;
use crate::intake::{Accepted, Intake};
use crate::progress::Cancel;
use crate::reading::{self, LOOK, SILENCE};
use crate::remainder::Original;
use crate::settings::Settings;
use blanche_sandbox::birth::Child;
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{Digests, EntryId, FromReader, MediumLayout, ReadJob, Source, Subject, VolumeId};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

/// A part of one content in a sealed object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which content.
    pub content: EntryId,
    /// First byte in the object.
    pub offset: u64,
    /// First byte in the content.
    pub at: u64,
    /// Bytes.
    pub length: u64,
}

/// Why a second reading was not finished.
#[derive(Debug)]
pub enum RereadError<E> {
    /// No reader could be started.
    Children(ScanError),
    /// The reader died, was silent, or broke the rules.
    Lost,
    /// Somebody stopped it.
    Cancelled,
    /// Tables or the list of entries are not those that were checked.
    Changed,
    /// A content is not the one that was checked.
    Differs(EntryId),
    /// A content, or a part of it, cannot be read any more.
    NotRead(EntryId),
    /// Whoever takes the contents has had enough.
    Taking(E),
}

/// Takes parts of contents out of a sealed object.
pub type Taker<'t, E> = dyn FnMut(&[Part], &SealedContent) -> Result<(), E> + 't;

/// Why a reader is not listened to any more.
enum Stop {
    Lost,
    Cancelled,
}

impl<E> From<Stop> for RereadError<E> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Lost => Self::Lost,
            Stop::Cancelled => Self::Cancelled,
        }
    }
}

/// A reader at work.
struct Listening<'a> {
    child: Child,
    intake: Intake,
    cancel: &'a Cancel,
}

impl<'a> Listening<'a> {
    fn start(
        medium: BorrowedFd<'_>,
        source: Source,
        settings: &Settings,
        cancel: &'a Cancel,
    ) -> Result<Self, ScanError> {
        let child = reading::start(medium, source, &settings.reader, settings)?;
        let job = ReadJob { source, limits: settings.reader };
        let failed = |error: blanche_sandbox::ChannelError| ScanError::Children {
            program: "blanche-reader".to_owned(),
            reason: error.to_string(),
        };
        child.channel().send(&job, &[]).map_err(failed)?;
        Ok(Self { child, intake: Intake::new(source, settings.reader), cancel })
    }

    /// The next message, checked.
    fn next(&mut self) -> Result<Accepted, Stop> {
        self.wait()?;
        let lost = |error: &dyn std::fmt::Display| {
            tracing::error!("reader: {error}");
            Stop::Lost
        };
        let received = self.child.channel().receive::<FromReader>(Some(SILENCE)).map_err(|error| lost(&error))?;
        self.intake.accept(received.message, received.fds).map_err(|error| lost(&error))
    }

    fn wait(&self) -> Result<(), Stop> {
        let begun = Instant::now();
        loop {
            if self.cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            match self.child.channel().is_readable(LOOK) {
                Ok(true) => return Ok(()),
                Ok(false) if begun.elapsed() < SILENCE => {}
                Ok(false) | Err(_) => return Err(Stop::Lost),
            }
        }
    }
}

/// Reads every content of `original` that is `wanted` again, and hands it to `take` as soon as it is there, in sealed
/// objects, the parts of one content in their order. `sealed`: the volume on which this station wrote a tag after the first
/// reading; the tag itself is nobody's content.
///
/// # Errors
/// [`RereadError`]: at the first content that is not what was checked.
pub fn reread<E>(
    original: Original<'_>,
    sealed: Option<VolumeId>,
    wanted: &dyn Fn(EntryId) -> bool,
    settings: &Settings,
    take: &mut Taker<'_, E>,
    cancel: &Cancel,
) -> Result<(), RereadError<E>> {
    let inventory = original.inventory();
    let mut listening =
        Listening::start(inventory.medium(), inventory.source(), settings, cancel).map_err(RereadError::Children)?;
    let mut alike = Alike::new(inventory.catalogue(), sealed);
    let same = |content: EntryId, length: u64, digests: &Digests| {
        let size = inventory.catalogue().get(content).map(|record| record.size);
        if size == Some(length) && inventory.digests(content).as_ref() == Some(digests) {
            Ok(())
        } else {
            Err(RereadError::Differs(content))
        }
    };
    while !listening.intake.is_done() {
        match listening.next()? {
            Accepted::Noted | Accepted::Planned { .. } => {
                let intake = &listening.intake;
                if !alike.goes_on(&intake.catalogue) || intake.layout.as_ref() != Some(inventory.layout()) {
                    return Err(RereadError::Changed);
                }
            }
            Accepted::NotRead(what) => {
                if let Subject::Entry(entry) = what.subject
                    && let Some(entry) = alike.before(entry).filter(|entry| wanted(*entry))
                {
                    return Err(RereadError::NotRead(entry));
                }
            }
            Accepted::Object { object, pieces } => {
                let mut parts = Vec::with_capacity(pieces.len());
                for piece in &pieces {
                    let Some(content) = alike.before(piece.entry).filter(|entry| wanted(*entry)) else { continue };
                    same(content, piece.length, &piece.digests)?;
                    parts.push(Part { content, offset: piece.offset, at: 0, length: piece.length });
                }
                take(&parts, &object).map_err(RereadError::Taking)?;
            }
            Accepted::Part { entry, part, total, last, .. } => {
                let Some(content) = alike.before(entry).filter(|entry| wanted(*entry)) else { continue };
                if let Some(digests) = &last {
                    same(content, total, digests)?;
                }
                let (at, length) = (total.saturating_sub(part.length()), part.length());
                take(&[Part { content, offset: 0, at, length }], &part).map_err(RereadError::Taking)?;
            }
            Accepted::Done => {}
        }
    }
    if alike.is_whole() { Ok(()) } else { Err(RereadError::Changed) }
}

/// What is on a medium, at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Tables and volumes.
    pub layout: MediumLayout,
    /// Files, streams and links.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Looks at what is on a block device or image, without reading a file.
///
/// # Errors
/// [`ScanError::Children`] when no reader could be started or it did not come to its end, [`ScanError::Cancelled`].
pub fn look(
    medium: BorrowedFd<'_>,
    capacity: u64,
    logical_block: u32,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Look, ScanError> {
    let source = Source::Medium { capacity, logical_block };
    let mut listening = Listening::start(medium.as_fd(), source, settings, cancel)?;
    let lost = || ScanError::Children {
        program: "blanche-reader".to_owned(),
        reason: "it did not come to its end".to_owned(),
    };
    loop {
        match listening.next() {
            Ok(Accepted::Planned { files, bytes }) => {
                let layout = listening.intake.layout.take().ok_or_else(lost)?;
                return Ok(Look { layout, files, bytes });
            }
            Ok(Accepted::Done) | Err(Stop::Lost) => return Err(lost()),
            Ok(_) => {}
            Err(Stop::Cancelled) => return Err(ScanError::Cancelled),
        }
    }
}
