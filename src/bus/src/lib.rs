//! A station as its clients see it on D-Bus (docs/station.md): questions, orders, and a mirror that signals keep up to date.
//!
//! `blanche station` and the kiosk are such clients. This crate knows nothing of ours: what the bus says is what it says.

#![forbid(unsafe_code)]

mod address;
mod client;
mod follow;
mod lines;
mod mirror;
mod watch;

pub use address::{Bus, NAME, ROOT};
pub use client::{Client, LONG_PATIENCE, SessionProxy, SimulationProxy, StationProxy};
pub use follow::{Seen, follow};
pub use lines::{BaseLine, CopyLine, EngineLine, FailureLine, Medium, OutputLine, ProblemLine, Session, StationLine};
pub use mirror::{Change, Mirror};
pub use watch::Watch;
