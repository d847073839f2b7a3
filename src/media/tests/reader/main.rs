//! The reader on real images made by mkfs.vfat, mtools, mkfs.exfat, exfat-fuse and sfdisk, on damaged ones, and on
//! folders. Needs root for exFAT (a loop device) and for the folder tests that change users or mounts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::single_range_in_vec_init,
    reason = "test code: a failure is a panic with its place"
)]

mod aged;
mod damage;
mod ext;
mod folders;
mod images;
mod iso;
mod large;
mod limits;
mod noise;
mod ntfs;
mod once;
mod program;
mod reading;
mod tables;
mod trees;
mod udf;
