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
//! | `walk`, `plan` | folders, loops, budgets; what will be read |
//! | `deliver`, `units`, `packer`, `hasher` | contents in medium order, decompressed, sealed and hashed |
//! | `area`, `boot_areas` | the area ledger; the boot areas that a tag binds |
//! | `survey`, `layout` | what the sealer needs: which clusters of FAT and exFAT are taken, and their structures |
//! | `folder` | a folder of a mounted filesystem |

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
mod clusters;
mod deliver;
mod exfat;
mod ext;
mod fat;
mod filesystem;
mod folder;
mod hasher;
mod iso;
pub mod layout;
mod medium;
mod names;
mod ntfs;
mod outbox;
mod packer;
mod partition;
mod plan;
mod program;
mod recognise;
mod signatures;
mod source;
mod survey;
mod udf;
mod units;
mod walk;

pub use medium::is_read;
pub use outbox::{Out, ReadFailure, Stop};
pub use program::{Failed, run};
pub use source::{FileSource, Medium, MemorySource, ReadAt, ReadError};
pub use survey::{Layout, Survey, SurveyFailure, survey};

use blanche_sandbox::wire::{FromReader, ReadJob, ReadTotals, Source};
use outbox::{Halt, Outbox};
use std::os::fd::BorrowedFd;

/// What a reading reads from.
pub enum Input<'a> {
    /// A block device, an image, or a simulated medium.
    Medium(&'a dyn ReadAt),
    /// A folder, opened with `O_DIRECTORY`.
    Folder(BorrowedFd<'a>),
}

/// Reads everything and says it to `out`, in the order of the contract, up to [`FromReader::Done`].
///
/// # Errors
/// [`ReadFailure`]; what is wrong with the medium is no error but a [`FromReader::NotRead`].
pub fn read(job: &ReadJob, input: &Input<'_>, out: Out<'_>) -> Result<ReadTotals, ReadFailure> {
    let mut outbox = Outbox::new(out);
    let outcome = match (job.source, input) {
        (Source::Medium { logical_block, .. }, Input::Medium(source)) => {
            medium::read_medium(&Medium::new(*source, logical_block), &job.limits, &mut outbox)
        }
        (Source::Folder, Input::Folder(folder)) => folder::read_folder(*folder, &job.limits, &mut outbox),
        (Source::Medium { .. }, Input::Folder(_)) => return Err(ReadFailure::WrongSource("a medium")),
        (Source::Folder, Input::Medium(_)) => return Err(ReadFailure::WrongSource("a folder")),
    };
    match outcome {
        Ok(()) | Err(Halt::Removed) => {}
        Err(Halt::Failed(failure)) => return Err(failure),
    }
    let totals = outbox.totals;
    outbox.send(FromReader::Done(totals), None)?;
    Ok(totals)
}
