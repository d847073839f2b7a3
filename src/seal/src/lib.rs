//! Writes one file, the tag, into the root folder of a FAT12, FAT16, FAT32 or exFAT volume: in user space, on the raw
//! device, so that a power cut at any moment leaves either the old state or the new one.
//!
//! A plan comes first and writes nothing: [`plan`] surveys the whole volume, refuses one with any fault, chooses free
//! clusters and computes every block. [`Plan::commit`] then writes these blocks and no others, in stages with a flush
//! after each:
//!
//! 1. content, into clusters that are free and that no entry uses
//! 2. allocation: every copy of the FAT, or the bitmap (and the FAT when the clusters are not neighbours)
//! 3. where the root folder is full: one more cluster for it, zeroed in 1, linked now
//! 4. the directory entry, in **one** logical block, which a device writes whole or not at all: the switch
//! 5. release of the clusters of an older tag; then the counts that are only hints (FSInfo, PercentInUse)
//!
//! [`read_back`] finds and compares the file again through a view that does not come from the page cache
//! ([`UncachedFile`]).
//!
//! | module | what |
//! |---|---|
//! | `device` | what is written to; `uncached` what is read back from |
//! | `plan`, `commit`, `readback` | the three steps |
//! | `draft` | blocks as they will be, stage by stage |
//! | `volume`, `fat`, `exfat` | what the two families have in common, and what not |
//! | `table`, `space`, `root` | allocation table, free clusters, records of the root folder |
//! | `name`, `stamp` | name and times of the file |
//! | `unchanged` | whether the medium is the one that was scanned; its boot areas in normal form |
//! | [`format`], `copier` | a medium made anew and filled, all or nothing |
//! | `program` | `blanche-sealer` |

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

mod commit;
mod copier;
mod device;
mod draft;
mod exfat;
mod fat;
pub mod format;
mod name;
mod plan;
mod program;
mod readback;
mod refusal;
mod root;
mod space;
mod stamp;
mod table;
mod uncached;
mod unchanged;
mod volume;

pub use commit::{CommitError, Failure};
pub use device::{Device, FileDevice};
pub use draft::StageKind;
pub use name::{FileName, NameError};
pub use plan::{Plan, Request, plan, plan_removal};
pub use program::{Failed, run};
pub use readback::{ReadBackError, Standing, find, read_back};
pub use refusal::Refusal;
pub use stamp::Stamp;
pub use uncached::{UncachedFile, open_uncached};
pub use unchanged::{filesystem, kind};
