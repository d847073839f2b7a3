//! Hostile media, read in user space and read-only: partition tables, filesystems, and the two ledgers.
//!
//! [`read`] turns a medium (a block device or an image) or a folder into the messages of
//! [`blanche_sandbox::wire::FromReader`]. It parses whatever bytes the medium sends, so it never panics on them, never
//! goes in circles, and never takes more memory or time than the [`ReadLimits`](blanche_sandbox::wire::ReadLimits)
//! allow. `blanche-reader` is this library in a sandbox.
//!
//! | module | what |
//! |---|---|
//! | `source` | reading with exact error offsets |
//! | `partition` | MBR, EBR, GPT: the union of all views |
//! | `recognise`, `signatures` | filesystem by signature |
//! | `filesystem` | the trait that every filesystem implements |
//! | `clusters`, `fat`, `exfat` | FAT12, FAT16, FAT32, exFAT |
//! | `ntfs`, `ext`, `iso`, `udf` | NTFS; ext2, ext3, ext4; ISO 9660 with its namespaces; UDF |
//! | `calendar` | dates of filesystems as moments |
//! | `walk`, `plan` | folders, loops, budgets; what will be read |
//! | `deliver`, `units`, `packer`, `hasher` | contents in medium order, decompressed, sealed and hashed |
//! | `area`, `boot_areas` | the area ledger; the boot areas that a tag binds |
//! | `survey`, `layout` | what the sealer needs: which clusters of FAT and exFAT are taken, and their structures |
//! | `folder` | a folder of a mounted filesystem |
//! | `reading`, `program` | the reader: messages with sealed objects for another process |
//! | [`inspect`] | the same messages with plain memory, within one process, on every system |

#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests know what they hold"
    )
)]

mod area;
mod boot_areas;
mod bytes;
mod calendar;
mod clusters;
mod deliver;
mod exfat;
mod ext;
mod fat;
mod filesystem;
#[cfg(target_os = "linux")]
mod folder;
mod hasher;
mod iso;
pub mod layout;
mod medium;
mod names;
mod ntfs;
mod object;
mod outbox;
mod packer;
mod partition;
mod plan;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod reading;
mod recognise;
mod signatures;
mod source;
mod survey;
mod udf;
mod units;
mod walk;

pub use medium::is_read;
pub use names::wtf8;
pub use object::Object;
pub use outbox::{ReadFailure, Receiver, Stop};
#[cfg(target_os = "linux")]
pub use program::{Failed, run};
#[cfg(target_os = "linux")]
pub use reading::{Input, Out, read};
#[cfg(target_os = "linux")]
pub use source::FileSource;
pub use source::{Medium, MemorySource, ReadAt, ReadError};
pub use survey::{Layout, Survey, SurveyFailure, survey};

use blanche_sandbox::wire::{FromReader, ReadLimits, ReadTotals};
use object::ObjectKind;
use outbox::{Halt, Outbox};

/// Reads what `receiver` wants of a medium, and says everything to it in the order of the contract, up to
/// [`FromReader::Done`], as the reader does; contents come as [`Object::Memory`].
///
/// # Errors
/// [`ReadFailure`]; what is wrong with the medium is no error but a [`FromReader::NotRead`].
pub fn inspect(
    medium: &Medium<'_>,
    limits: &ReadLimits,
    receiver: &mut dyn Receiver,
) -> Result<ReadTotals, ReadFailure> {
    let mut outbox = Outbox::new(receiver, ObjectKind::Memory);
    let outcome = medium::read_medium(medium, limits, &mut outbox);
    finish(outcome, outbox)
}

/// The last message.
fn finish(outcome: Result<(), Halt>, mut outbox: Outbox<'_>) -> Result<ReadTotals, ReadFailure> {
    match outcome {
        Ok(()) | Err(Halt::Removed) => {}
        Err(Halt::Failed(failure)) => return Err(failure),
    }
    let totals = outbox.totals;
    outbox.send(FromReader::Done(totals), None)?;
    Ok(totals)
}
