//! What is plugged in, and what should come of it.

mod copies;
mod faults;
mod foreign;
mod hosts;
mod identity;
mod kills;
mod kiosk;
mod media;
mod time;
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

/// The machines in the order in which they start, each with its cases in the order of running. The device matrix is on two machines:
/// no lane is idle for long.
#[must_use]
pub fn machines() -> Vec<Vec<Case>> {
    let of = |first, cases: &[&[Case]]| -> Vec<Case> {
        let mut cases = cases.concat();
        cases.retain(|case| case.first == first);
        // The station starts once.
        cases.sort_by_key(|case| case.duty);
        cases
    };
    vec![
        // Last what ends without the station.
        of(First::Matrix, &[media::CASES, copies::CASES, faults::CASES, foreign::CASES, hosts::CASES]),
        of(First::Systemd, &[units::CASES, kiosk::CASES]),
        of(First::Matrix, &[kills::CASES, identity::CASES, time::CASES]),
        of(First::Sleepy, &[time::CASES]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_case_is_left_out_and_each_has_its_own_name() {
        let machines = machines();
        let of_all =
            [media::CASES, copies::CASES, faults::CASES, kills::CASES, identity::CASES, foreign::CASES, units::CASES];
        let all = [&of_all[..], &[time::CASES, kiosk::CASES, hosts::CASES]].concat().concat();
        assert_eq!(machines.iter().map(Vec::len).sum::<usize>(), all.len());
        let names: BTreeSet<_> = machines.iter().flatten().map(|case| case.name).collect();
        assert_eq!(names.len(), all.len());
        assert!(machines.iter().all(|cases| cases.windows(2).all(|pair| pair[0].first == pair[1].first)));
    }
}
