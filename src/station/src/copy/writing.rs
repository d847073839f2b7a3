//! The parent's side of `blanche-sealer copy`: the only process that writes an output medium. Every answer is compared with
//! what was asked.

use super::Output;
use crate::seal::writing::{open_for_writing, path_of};
use blanche_sandbox::ChannelError;
use blanche_sandbox::birth::{Birth, Child, ResourceLimits, Role};
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{
    CopyEntry, CopyFailure, CopyObstacle, CopyOrder, CopyPart, FromCopier, ToCopier, WriteObstacle,
};
use blanche_scan::progress::Cancel;
use blanche_scan::report::CopyCause;
use blanche_scan::settings::Settings;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// A slow medium takes minutes to flush what it was given.
pub(super) const PATIENCE: Duration = Duration::from_secs(1800);
/// How long a copier may take to leave its medium empty: what the medium still owes, the empty filesystem, and the seconds in which
/// it overwrites what came.
pub(crate) const ABANDONING: Duration = Duration::from_secs(20);
/// Each of the two answers of a copier that does nothing but format. Whoever stops a station waits for this too.
pub(crate) const EMPTYING: Duration = Duration::from_secs(20);
/// How often somebody may stop it while an answer is waited for.
const LOOK: Duration = Duration::from_millis(100);
/// A message that has begun is short.
const MESSAGE: Duration = Duration::from_secs(10);
/// The copier's own memory: the tree, and one piece at a time.
const MEMORY: u64 = 2 << 30;
/// Entries and parts in one message: with the longest names far below its limit.
const BATCH: usize = 512;

/// Why the copier did not do what was asked, and what is on the medium.
#[derive(Debug)]
pub(super) enum Broken {
    /// It said so; the medium is empty or not.
    Failed { failure: CopyFailure, emptied: bool },
    /// It died or broke the rules.
    Lost,
    /// Somebody stopped the copy while it was working.
    Cancelled,
}

/// A copier that has planned and waits for the order to format.
pub(super) struct Copier {
    child: Child,
    /// The first and last MiB of the medium are zeros.
    pub(super) blank: bool,
    bytes: u64,
    taken: u64,
    cancel: Cancel,
    patience: Duration,
}

impl Copier {
    /// Starts a copier and lets it plan; `entries` hold `bytes` bytes of files. What it then waits for is to be sent only to the
    /// medium that was detected: look at that once more, planning takes a while. `patience`: for each answer.
    ///
    /// # Errors
    /// Nothing was written.
    pub(super) fn start(
        output: &Output,
        order: CopyOrder,
        entries: &[CopyEntry],
        bytes: u64,
        settings: &Settings,
        cancel: &Cancel,
        patience: Duration,
    ) -> Result<Self, CopyCause> {
        let medium = open_for_writing(output.medium.as_fd(), output.disk()).map_err(CopyCause::Output)?;
        let station = |error: &dyn std::fmt::Display| CopyCause::Station(format!("blanche-sealer: {error}"));
        let program = settings.children.program("blanche-sealer");
        let birth = Birth {
            program: &program,
            arguments: &["copy"],
            medium: Some(medium.as_fd()),
            limits: ResourceLimits { data: Some(MEMORY), ..ResourceLimits::default() },
            role: Role::Reader,
        };
        let child = Child::spawn(&birth).map_err(|error| station(&error))?;
        let view = blanche_seal::open_uncached(&path_of(output.medium.as_fd())).map_err(|error| station(&error))?;
        child.channel().send(&ToCopier::Begin(order), &[view.as_fd()]).map_err(|error| station(&error))?;
        for batch in entries.chunks(BATCH) {
            let message = ToCopier::Entries(batch.to_vec());
            child.channel().send(&message, &[]).map_err(|error| station(&error))?;
        }
        child.channel().send(&ToCopier::Plan, &[]).map_err(|error| station(&error))?;
        match answer(&child, cancel, patience)
            .map_err(|error| error.map_or(CopyCause::Cancelled, |error| station(&error)))?
        {
            FromCopier::Planned { blank } => {
                Ok(Self { child, blank, bytes, taken: 0, cancel: cancel.clone(), patience })
            }
            FromCopier::Refused(obstacle) => Err(refused(obstacle)),
            _ => Err(station(&"an answer out of order")),
        }
    }

    /// Erases and formats.
    pub(super) fn format(&self) -> Result<(), Broken> {
        match self.ask(&ToCopier::Format, &[])? {
            FromCopier::Formatted => Ok(()),
            other => Err(broken(&other)),
        }
    }

    /// Hands over parts of files; returns how many bytes were taken so far.
    pub(super) fn content(&mut self, parts: &[CopyPart], object: &SealedContent) -> Result<u64, Broken> {
        for parts in parts.chunks(BATCH) {
            let length = parts.iter().map(|part| part.length).fold(0, u64::saturating_add);
            let expected = self.taken.saturating_add(length);
            match self.ask(&ToCopier::Content(parts.to_vec()), &[object.as_fd()])? {
                FromCopier::Taken(bytes) if bytes == expected && bytes <= self.bytes => self.taken = bytes,
                other => return Err(broken(&other)),
            }
        }
        Ok(self.taken)
    }

    /// Has everything read again and made visible. `told` hears how many bytes were the right ones.
    pub(super) fn finish(&self, told: &mut dyn FnMut(u64)) -> Result<(), Broken> {
        let mut checked = 0;
        let mut answer = self.ask(&ToCopier::Finish, &[])?;
        loop {
            match answer {
                // A copier that was taken over must not keep the station busy for ever.
                FromCopier::Checked(bytes) if bytes > checked && bytes <= self.bytes => {
                    checked = bytes;
                    told(bytes);
                }
                FromCopier::Copied => return Ok(()),
                other => return Err(broken(&other)),
            }
            answer = self.receive()?;
        }
    }

    /// Leaves the medium formatted and empty, also for somebody who stopped the copy; whether that was done.
    pub(super) fn abandon(&self) -> bool {
        let sent = self.child.channel().send(&ToCopier::Abandon, &[]);
        sent.is_ok() && matches!(answer(&self.child, &Cancel::default(), ABANDONING), Ok(FromCopier::Emptied))
    }

    fn ask(&self, message: &ToCopier, fds: &[BorrowedFd<'_>]) -> Result<FromCopier, Broken> {
        let sent = self.child.channel().send(message, fds);
        sent.map_err(|error| lost(&error))?;
        self.receive()
    }

    fn receive(&self) -> Result<FromCopier, Broken> {
        answer(&self.child, &self.cancel, self.patience)
            .map_err(|error| error.map_or(Broken::Cancelled, |error| lost(&error)))
    }
}

/// What the copier says next. Without an error in it, an error means that somebody stopped the copy: the copier is in the middle
/// of something then, ends with its channel, and another one has to empty the medium.
fn answer(copier: &Child, cancel: &Cancel, patience: Duration) -> Result<FromCopier, Option<ChannelError>> {
    let begun = Instant::now();
    while !copier.channel().is_readable(LOOK).map_err(Some)? && begun.elapsed() < patience {
        if cancel.is_cancelled() {
            return Err(None);
        }
    }
    let left = patience.saturating_sub(begun.elapsed()).min(MESSAGE);
    copier.channel().receive::<FromCopier>(Some(left)).map(|received| received.message).map_err(Some)
}

fn lost(error: &dyn std::fmt::Display) -> Broken {
    tracing::error!("copier: {error}");
    Broken::Lost
}

/// What an answer means that is not the one that was hoped for.
fn broken(answer: &FromCopier) -> Broken {
    match answer {
        FromCopier::Failed { failure, emptied } => Broken::Failed { failure: *failure, emptied: *emptied },
        _ => lost(&"an answer out of order"),
    }
}

fn refused(obstacle: CopyObstacle) -> CopyCause {
    match obstacle {
        CopyObstacle::NoRoom { needed, room } => CopyCause::NoRoom { needed, room },
        CopyObstacle::Unfit => CopyCause::Unfit,
        CopyObstacle::FolderFull => CopyCause::TooMany,
        CopyObstacle::Unreadable => CopyCause::Output(WriteObstacle::Unreadable),
    }
}
