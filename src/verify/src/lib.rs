//! The workstation's verifier: whether a medium is still what a station checked.
//!
//! [`blanche_tag`] knows every step of docs/tag-format.md; this crate brings what they need from the world: a device or
//! image through the station's own readers, or a mounted folder; what an administrator trusts and demands; what earlier
//! verifications learned. `blanche-verify` is this library alone, for machines without the rest; `blanche verify` and
//! `blanche tag show` mount the same commands.
//!
//! | module | what |
//! |---|---|
//! | `arguments`, `command` | what was asked, and the way through it |
//! | `workstation` | trust, policy, memory, clock: what is believed and demanded |
//! | `trust`, `policy`, `memory`, `rights` | their files |
//! | `keeper` | the process that writes the memory |
//! | `target`, `source`, `aligned`, `usb` | what is verified, opened once, and how it shows its identity |
//! | `copy` | the one copy of a tag file |
//! | `inspect`, `inventory`, `tree`, `folder`, `reparse`, `names` | what is on the medium |
//! | `verification` | the steps in their order, and what came out |
//! | `confine` | nothing is parsed before every other door is closed (Linux) |
//! | `words`, `text`, `report`, `show` | what people and programs are told |

#![forbid(unsafe_code)]
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests know what they hold"
    )
)]

#[cfg(any(windows, test))]
mod aligned;
mod arguments;
mod command;
mod confine;
mod copy;
mod exit;
mod failure;
mod folder;
mod inspect;
mod interrupt;
mod inventory;
mod keeper;
mod lang;
mod memory;
mod names;
mod policy;
mod progress;
mod reparse;
mod report;
mod rights;
mod show;
mod source;
mod target;
mod text;
mod tree;
mod trust;
mod usb;
mod verification;
mod words;
mod workstation;

pub use arguments::{Demands, LevelName, ShowArguments, VerifyArguments};
pub use command::{main, run, show};
pub use exit::Exit;
pub use lang::Lang;
pub use trust::{demanded, installed};
#[cfg(target_os = "linux")]
pub use usb::usb_device;
