//! The kiosk under test, on a display, a bus and a station of its own.
//!
//! * [`scene`]: what a station can show, made up · [`show`]: a real station's service that plays it (program `show-station`)
//! * [`desk`]: bus, display, station and kiosk of one test, as an ordinary user; nothing of it is left afterwards
//! * [`picture`]: what a person sees · [`access`]: what assistive technology sees · [`speech`]: what is spoken
//!
//! The library panics instead of returning errors: only tests call it.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "only tests call this library: a display that fails is a failed test"
)]

pub mod access;
mod account;
pub mod colour;
pub mod desk;
pub mod scene;
pub mod show;
pub mod speech;
pub mod tour;

pub use blanche_tests::picture;
