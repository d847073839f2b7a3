//! The parent's side of `blanche-sealer copy`: the only process that writes an output medium. Every answer is compared with
//! what was asked.

use crate::seal::writing::{open_for_writing, path_of};
use blanche_sandbox::birth::{Birth, Child, ResourceLimits, Role};
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{
    CopyEntry, CopyFailure, CopyObstacle, CopyOrder, CopyPart, FromCopier, ToCopier, WriteObstacle,
};
use blanche_scan::report::CopyCause;
use blanche_scan::settings::Settings;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// A slow medium takes minutes to flush what it was given.
const PATIENCE: Duration = Duration::from_secs(1800);
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
}

/// A copier that has planned and waits for the order to format.
pub(super) struct Copier {
    child: Child,
    /// The first and last MiB of the medium are zeros.
    pub(super) blank: bool,
    bytes: u64,
    taken: u64,
}

impl Copier {
    /// Starts a copier and lets it plan; `entries` hold `bytes` bytes of files.
    ///
    /// # Errors
    /// Nothing was written.
    pub(super) fn start(
        output: BorrowedFd<'_>,
        order: CopyOrder,
        entries: &[CopyEntry],
        bytes: u64,
        settings: &Settings,
    ) -> Result<Self, CopyCause> {
        let medium = open_for_writing(output).map_err(CopyCause::Output)?;
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
        let view = blanche_seal::open_uncached(&path_of(output)).map_err(|error| station(&error))?;
        child.channel().send(&ToCopier::Begin(order), &[view.as_fd()]).map_err(|error| station(&error))?;
        for batch in entries.chunks(BATCH) {
            let message = ToCopier::Entries(batch.to_vec());
            child.channel().send(&message, &[]).map_err(|error| station(&error))?;
        }
        child.channel().send(&ToCopier::Plan, &[]).map_err(|error| station(&error))?;
        match child.channel().receive::<FromCopier>(Some(PATIENCE)).map_err(|error| station(&error))?.message {
            FromCopier::Planned { blank } => Ok(Self { child, blank, bytes, taken: 0 }),
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

    /// Leaves the medium formatted and empty; whether that was done.
    pub(super) fn abandon(&self) -> bool {
        matches!(self.ask(&ToCopier::Abandon, &[]), Ok(FromCopier::Emptied))
    }

    fn ask(&self, message: &ToCopier, fds: &[BorrowedFd<'_>]) -> Result<FromCopier, Broken> {
        let sent = self.child.channel().send(message, fds);
        sent.map_err(|error| lost(&error))?;
        self.receive()
    }

    fn receive(&self) -> Result<FromCopier, Broken> {
        let received = self.child.channel().receive::<FromCopier>(Some(PATIENCE));
        received.map(|received| received.message).map_err(|error| lost(&error))
    }
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
