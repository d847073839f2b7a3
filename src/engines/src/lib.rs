//! The engines of Blanche and the program that runs them on hostile bytes, `blanche-matcher`.
//!
//! ```text
//! parent ──Load──► zygote (bases and rules, compiled; matches nothing) ──fork──► matcher (confined) ◄──Scan── parent
//!                                                                                  │ each piece, each layer:
//!                                                   containers · content type · YARA · ClamAV ──Scanned──► parent
//! ```
//!
//! * [`zygote`]: loads once, forks matchers; [`matcher`]: answers for one sealed object after the other.
//! * [`examine`]: one content through all engines; [`clamav`], [`rules`], [`content_type`]: the engines.
//! * [`containers`]: what holds other files, who opens it, and whether everything came out.
//! * [`severity`]: how much a hit weighs; [`selftest`]: proof that all of this works, before it is relied on.
//!
//! libclamav is GPL-2.0-only, and so is the program that is linked from this crate.

pub mod clamav;
mod clock;
pub mod containers;
pub mod content_type;
pub mod examine;
pub mod fallback;
pub mod manifest;
pub mod matcher;
mod results;
pub mod rules;
pub mod selftest;
pub mod severity;
mod warm;
pub mod zygote;
