//! A whole station in a virtual machine, with real USB devices plugged into it.
//!
//! * [`kernel`], [`initramfs`] (through [`cpio`]): what the guest starts from; its root is the host's own, so that every
//!   installed package and every program that was just built is there
//! * [`guest`]: the machine; [`qmp`] speaks with QEMU, [`agent`] with the guest,
//!   [`document`] with its station
//! * [`device`]: what is plugged in; [`firmware`]: media that lie
//! * [`station`]: Blanche in the guest, and its word on a medium; [`prompt`]: how soon it comes; [`screen`]: its kiosk, as a person
//!   sees it; [`bench`]: all of these at hand
//! * [`cases`]: what is plugged in, what should come of it; [`run`]: all of them; [`table`]: what came of it
//!
//! Media are made by `blanche-tests`, whose generators panic where a tool is missing: then there is nothing to test.

#![forbid(unsafe_code)]

pub mod agent;
pub mod bench;
pub mod cases;
pub mod cpio;
pub mod device;
pub mod document;
pub mod failure;
mod files;
pub mod firmware;
pub mod guest;
pub mod initramfs;
pub mod kernel;
mod lines;
pub mod pace;
mod passphrase;
pub mod program;
pub mod prompt;
pub mod qmp;
pub mod run;
pub mod screen;
pub mod station;
pub mod table;
mod watch;

pub use failure::{Failure, Result};
