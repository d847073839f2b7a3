//! A whole station in a virtual machine, with real USB devices plugged into it.
//!
//! * [`kernel`], [`initramfs`] (through [`cpio`]): what the guest starts from; its root is the host's own, so that every
//!   installed package and every program that was just built is there
//! * [`guest`]: the machine; [`qmp`] speaks with QEMU, [`agent`] with the guest

#![forbid(unsafe_code)]

pub mod agent;
pub mod cpio;
pub mod failure;
pub mod guest;
pub mod initramfs;
pub mod kernel;
mod lines;
pub mod program;
pub mod qmp;

pub use failure::{Failure, Result};
pub use guest::Guest;
