//! Media and files that somebody made to be called clean although a workstation finds EICAR in them.
//!
//! * [`disks`]: two tables, two filesystems or two readings of one medium
//! * [`tables`]: partitions that only one reading of a medium has
//! * [`copies`]: FAT volumes whose two allocation tables say different things
//! * [`files`]: archives, mails and documents that unpackers and libclamav read differently

pub mod copies;
pub mod disks;
pub mod files;
pub mod tables;
