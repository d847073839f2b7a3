//! Sealing real media: made by mkfs.vfat, mkfs.exfat, mtools and exfat-fuse, judged by fsck.vfat, fsck.exfat, mtools and
//! exfat-fuse. Needs root, /dev/loop-control and /dev/fuse for exFAT.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot make its medium has failed"
)]

mod copying;
mod cuts;
mod hostile;
mod lies;
mod media;
mod oracles;
mod recorder;
mod sealing;
mod times;
