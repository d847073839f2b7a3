//! What is plugged in, and what should come of it.

mod faults;
mod foreign;
mod identity;
mod kills;
mod media;
mod units;

use crate::bench::Bench;
use crate::failure::Result;
use crate::guest::First;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The machine that it needs.
    pub first: First,
    /// Whether the station works; else the ports are open to everything.
    pub duty: bool,
    /// For `--only`.
    pub name: &'static str,
    /// What is plugged in, for people.
    pub device: &'static str,
    /// What [`Case::see`] should say.
    pub expected: &'static str,
    /// Plugs in and says what came of it. What is still plugged in afterwards is pulled out by the caller.
    pub see: fn(&mut Bench) -> Result<String>,
}

impl Case {
    /// One for the device matrix.
    const fn new(
        name: &'static str,
        device: &'static str,
        expected: &'static str,
        see: fn(&mut Bench) -> Result<String>,
    ) -> Self {
        Self { first: First::Matrix, duty: true, name, device, expected, see }
    }

    /// A control, without the station.
    const fn control(
        name: &'static str,
        device: &'static str,
        expected: &'static str,
        see: fn(&mut Bench) -> Result<String>,
    ) -> Self {
        Self { first: First::Matrix, duty: false, name, device, expected, see }
    }
}

/// All of them, in the order of running.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases = [media::CASES, faults::CASES, kills::CASES, identity::CASES, foreign::CASES, units::CASES].concat();
    // The station starts once.
    cases.sort_by_key(|case| case.duty);
    cases
}
