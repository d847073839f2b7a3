//! `blanche-sealer copy`: formats a medium and fills it, in the same sandbox as the sealer.
//!
//! Descriptor 3 is the output medium, open for reading and writing. Nothing is written before the order to format, and
//! whatever goes wrong afterwards leaves the medium formatted and empty, if it still takes writes at all.

use crate::device::FileDevice;
use crate::format::{CopyError, Copying, Tree};
use crate::program::{Failed, report};
use crate::stamp::Stamp;
use crate::uncached::UncachedFile;
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{CopyOrder, CopyPart, FromCopier, ToCopier};
use blanche_sandbox::{Channel, ChannelError};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Bytes read again between two messages of progress.
const PACE: u64 = 8 << 20;

/// How long what was begun is overwritten when a copy is given up; the medium is empty before that.
const WIPING: Duration = Duration::from_secs(5);

type Copier = Copying<FileDevice, UncachedFile>;

/// The dialogue, from the first message to the last.
///
/// # Errors
/// [`Failed`]; a medium that was formatted is then left empty.
pub(crate) fn run(medium: OwnedFd, channel: &Channel) -> Result<(), Failed> {
    let Some(mut copying) = planned(medium, channel)? else { return Ok(()) };
    // A parent that does not want to write closes its end.
    match receive(channel) {
        Ok((ToCopier::Format, None)) => {}
        Ok(_) => return Err(Failed::Order),
        Err(Failed::Channel(ChannelError::Closed)) => return Ok(()),
        Err(error) => return Err(error),
    }
    if let Err(error) = copying.format() {
        return failed(&error, false, channel);
    }
    channel.send(&FromCopier::Formatted, &[])?;
    let ended = filled(&mut copying, channel);
    if let Err(error) = &ended {
        report(error);
        // Whoever is at fault, what was begun does not stay.
        if let Err(second) = copying.abandon(WIPING) {
            report(&second);
        }
    }
    ended
}

/// Everything up to the answer to [`ToCopier::Plan`]; nothing when that is a refusal.
fn planned(medium: OwnedFd, channel: &Channel) -> Result<Option<Copier>, Failed> {
    let (order, view) = match receive(channel)? {
        (ToCopier::Begin(order), Some(view)) => (order, UncachedFile::new(view.into())?),
        _ => return Err(Failed::Order),
    };
    let device = FileDevice::new(medium.into())?.with_block(order.logical_block);
    let tree = announced(channel)?;
    let CopyOrder { time, .. } = order;
    let copying = match Copying::plan(device, view, order, Stamp::local(time), tree) {
        Ok(copying) => copying,
        Err(obstacle) => {
            channel.send(&FromCopier::Refused(obstacle), &[])?;
            return Ok(None);
        }
    };
    match copying.is_blank() {
        Ok(blank) => {
            channel.send(&FromCopier::Planned { blank }, &[])?;
            Ok(Some(copying))
        }
        Err(obstacle) => {
            channel.send(&FromCopier::Refused(obstacle), &[])?;
            Ok(None)
        }
    }
}

fn announced(channel: &Channel) -> Result<Tree, Failed> {
    let mut tree = Tree::default();
    loop {
        match receive(channel)? {
            (ToCopier::Entries(entries), None) => {
                for entry in entries {
                    if let Err(error) = tree.push(entry) {
                        report(&error);
                        return Err(Failed::Order);
                    }
                }
            }
            (ToCopier::Plan, None) => return Ok(tree),
            _ => return Err(Failed::Order),
        }
    }
}

/// Contents, and the end.
fn filled(copying: &mut Copier, channel: &Channel) -> Result<(), Failed> {
    loop {
        match receive(channel)? {
            (ToCopier::Content(parts), Some(object)) => match taken(copying, &parts, object) {
                Ok(bytes) => channel.send(&FromCopier::Taken(bytes), &[])?,
                Err(error) => return emptied(copying, &error, channel),
            },
            (ToCopier::Finish, None) => {
                let mut said = 0u64;
                let mut told = |bytes: u64| {
                    if bytes.saturating_sub(said) >= PACE {
                        said = bytes;
                        // A parent that is gone does not stop what is nearly done.
                        let _ = channel.send(&FromCopier::Checked(bytes), &[]);
                    }
                };
                return match copying.finish(&mut told) {
                    Ok(()) => Ok(channel.send(&FromCopier::Copied, &[])?),
                    Err(error) => emptied(copying, &error, channel),
                };
            }
            (ToCopier::Abandon, None) => {
                return match copying.abandon(WIPING) {
                    Ok(()) => Ok(channel.send(&FromCopier::Emptied, &[])?),
                    Err(error) => failed(&error, false, channel),
                };
            }
            _ => return Err(Failed::Order),
        }
    }
}

fn taken(copying: &mut Copier, parts: &[CopyPart], object: OwnedFd) -> Result<u64, CopyError> {
    let length = parts.last().map_or(0, |part| part.offset.saturating_add(part.length));
    // The object may end behind its last part: the reader's padding, or files that are left out.
    let found = rustix::fs::fstat(&object).ok().and_then(|stat| u64::try_from(stat.st_size).ok()).unwrap_or(0);
    let object =
        SealedContent::accept(object, found.max(length)).map_err(|_| CopyError::Order("an unsealed object"))?;
    let length = object.length();
    copying.take(parts, &object.into_file(), length)
}

/// Empties the medium, and says why.
fn emptied(copying: &mut Copier, error: &CopyError, channel: &Channel) -> Result<(), Failed> {
    let emptied = copying.abandon(WIPING);
    if let Err(second) = &emptied {
        report(second);
    }
    failed(error, emptied.is_ok(), channel)
}

fn failed(error: &CopyError, emptied: bool, channel: &Channel) -> Result<(), Failed> {
    report(error);
    let failure = error.failure().ok_or(Failed::Order)?;
    Ok(channel.send(&FromCopier::Failed { failure, emptied }, &[])?)
}

fn receive(channel: &Channel) -> Result<(ToCopier, Option<OwnedFd>), Failed> {
    let received = channel.receive::<ToCopier>(None)?;
    Ok((received.message, received.fds.into_iter().next()))
}
