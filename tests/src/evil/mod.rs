//! Media and files that somebody made to be called clean although a workstation finds EICAR in them.
//!
//! * [`disks`]: two tables, two filesystems or two readings of one medium
//! * [`files`]: archives, mails and documents that unpackers and libclamav read differently

pub mod disks;
pub mod files;
