//! Generators of real media, containers and bombs, and a station to scan them with.
//!
//! Everything is made anew in a temporary folder by Debian's own tools, or byte by byte from the published format where
//! no free tool writes it: what other people's programs wrote is the best judge of our readers.
//!
//! * [`tree`]: which files a medium holds · [`image`]: the medium itself, filesystem × partition table · [`iso`] and
//!   [`udf`]: optical discs
//! * [`ntfs`] and [`ext`]: content in places that other filesystems do not have
//! * [`samples`]: EICAR and what it is wrapped in · [`containers`]: one carrier for every container that Blanche knows
//! * [`bombs`]: what is small on the medium and huge when opened
//! * [`bus`]: a D-Bus of a test's own, and other people's client · [`picture`]: what stands on a screen
//! * [`station`]: the programs under test, a configuration, a scan and its report · [`ceremony`]: keys, so that it seals
//!
//! The library panics instead of returning errors: only tests call it, and a generator that fails is a failed test.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "only tests call this library: a generator that fails is a failed test"
)]

pub mod bombs;
pub mod bus;
mod bytes;
pub mod ceremony;
pub mod containers;
pub mod evil;
pub mod exfat;
pub mod ext;
mod fat;
pub mod image;
pub mod iso;
pub mod ntfs;
pub mod picture;
pub mod rules;
pub mod samples;
pub mod station;
pub mod tools;
pub mod tree;
pub mod udf;
pub mod zip;

pub use ceremony::Ceremony;
pub use image::{Format, Layout, Unusual, image};
pub use iso::{Disc, disc};
pub use station::{Scan, Station, program, signatures};
pub use tree::Tree;
