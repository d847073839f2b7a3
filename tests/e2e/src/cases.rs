//! What is plugged in, and what should come of it.

mod faults;
mod foreign;
mod identity;
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
        Self { first: First::Matrix, name, device, expected, see }
    }
}

/// All of them, in the order of running.
#[must_use]
pub fn all() -> Vec<Case> {
    [media::CASES, faults::CASES, identity::CASES, foreign::CASES, units::CASES].concat()
}
