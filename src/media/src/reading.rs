//! The reading of `blanche-reader`: everything, in sealed objects for another process.

use crate::object::{Object, ObjectKind};
use crate::outbox::{Outbox, ReadFailure, Receiver, Stop};
use crate::source::{Medium, ReadAt};
use crate::{finish, folder, medium};
use blanche_sandbox::wire::{EntryId, FromReader, ReadJob, ReadTotals, Source};
use std::os::fd::{BorrowedFd, OwnedFd};

/// What a reading reads from.
pub enum Input<'a> {
    /// A block device, an image, or a simulated medium.
    Medium(&'a dyn ReadAt),
    /// A folder, opened with `O_DIRECTORY`.
    Folder(BorrowedFd<'a>),
}

/// Where messages go: the channel in the program, a list in tests.
pub type Out<'o> = &'o mut dyn FnMut(FromReader, Option<OwnedFd>) -> Result<(), Stop>;

/// Wants everything.
struct Everything<'o>(Out<'o>);

impl Receiver for Everything<'_> {
    fn take(&mut self, message: FromReader, object: Option<Object>) -> Result<(), Stop> {
        match object {
            Some(Object::Sealed(object)) => (self.0)(message, Some(object)),
            // Only sealed objects are made here.
            None | Some(Object::Memory(_)) => (self.0)(message, None),
        }
    }

    fn wants(&mut self, _: EntryId) -> bool {
        true
    }
}

/// Reads everything and says it to `out`, in the order of the contract, up to [`FromReader::Done`].
///
/// # Errors
/// [`ReadFailure`]; what is wrong with the medium is no error but a [`FromReader::NotRead`].
pub fn read(job: &ReadJob, input: &Input<'_>, out: Out<'_>) -> Result<ReadTotals, ReadFailure> {
    let mut everything = Everything(out);
    let mut outbox = Outbox::new(&mut everything, ObjectKind::Sealed);
    let outcome = match (job.source, input) {
        (Source::Medium { logical_block, .. }, Input::Medium(source)) => {
            medium::read_medium(&Medium::new(*source, logical_block), &job.limits, &mut outbox)
        }
        (Source::Folder, Input::Folder(folder)) => folder::read_folder(*folder, &job.limits, &mut outbox),
        (Source::Medium { .. }, Input::Folder(_)) => return Err(ReadFailure::WrongSource("a medium")),
        (Source::Folder, Input::Medium(_)) => return Err(ReadFailure::WrongSource("a folder")),
    };
    finish(outcome, outbox)
}
