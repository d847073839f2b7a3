//! The daemon on a simulated machine with real engines, real images, real keys and a real journal: what people see of it,
//! and what hostile hands and dying processes can do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]
#![allow(clippy::print_stdout, reason = "a run that failed is repeated with the seed it printed")]

mod cancelling;
mod copies;
mod distrust;
mod faults;
mod gate;
mod kiosk;
mod sessions;
mod silence;
mod sleep;
