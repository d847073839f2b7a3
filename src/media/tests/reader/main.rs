//! The reader on real images of every filesystem, made by other people's programs, on damaged ones, and on folders. Needs
//! root: exFAT a loop device, NTFS FUSE, the ageing of ext a mount by the kernel, folder tests other users and mounts.

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
mod many;
mod noise;
mod ntfs;
mod once;
mod program;
mod reading;
mod signatures;
mod tables;
mod times;
mod trees;
mod udf;
