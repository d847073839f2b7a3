//! A medium made anew: partition table, filesystem, folders and files, in user space.
//!
//! The order of writing is what makes it all or nothing. [`Copying::format`] takes the old tables away first, writes an
//! empty filesystem, and its partition table last. The contents of files go into clusters that nothing points to. Only when
//! every file was read again and is the right one, [`Copying::finish`] writes allocation and folders, reads these again too,
//! and then the **one entry of the allocation table** that leads from the first cluster of the root folder to the rest of it:
//! a medium that is pulled out at any moment shows no file at all or every file.
//!
//! | module | what |
//! |---|---|
//! | `names` | which names FAT, exFAT and the hosts that read them can hold |
//! | `tree` | folders and files as announced, validated |
//! | `geometry` | where partition, tables and clusters stand |
//! | `layout` | which clusters everything gets, and the bytes of tables and folders |
//! | `fat32`, `short`, `exfat` | the two filesystems |
//! | `copying` | the steps |

mod copying;
mod exfat;
mod fat32;
mod geometry;
mod layout;
pub mod names;
mod short;
mod tree;

pub use copying::{CopyError, Copying};
pub use geometry::{FAT32_MOST, Geometry};
pub use tree::{Tree, TreeError, fat_records};

/// Writes `value` at `at`; what does not fit is left out.
fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes.iter_mut().skip(at).zip(value).for_each(|(to, from)| *to = *from);
}

/// `value` to the next multiple of `unit`.
fn round_up(value: u64, unit: u64) -> u64 {
    value.checked_next_multiple_of(unit.max(1)).unwrap_or(u64::MAX)
}

/// `value` to the last multiple of `unit`.
fn round_down(value: u64, unit: u64) -> u64 {
    value.saturating_sub(value.checked_rem(unit.max(1)).unwrap_or(0))
}
