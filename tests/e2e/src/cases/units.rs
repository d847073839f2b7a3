//! The machine that a station is: systemd as its first process.

use super::Case;
use super::media::seal;
use crate::bench::Bench;
use crate::failure::Result;
use crate::guest::First;
use crate::run::say;
use blanche_tests::{Format, Layout, image};

pub(super) const CASES: &[Case] = &[
    Case {
        first: First::Systemd,
        duty: true,
        name: "systemd",
        device: "nothing, systemd as first process",
        expected: "running; no failed unit",
        see: running,
    },
    Case {
        first: First::Systemd,
        duty: true,
        name: "systemd-fat32",
        device: "key, FAT32 in an MBR, the same machine",
        expected: "clean, sealed; workstation: accepted",
        see: |bench| {
            let medium = image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &super::media::letter());
            seal(bench, medium)
        },
    },
    Case {
        first: First::Systemd,
        duty: true,
        name: "unit",
        device: "the same machine afterwards",
        expected: "active, never restarted; nothing forbidden by its unit; exposure 3.4 or less",
        see: unit,
    },
];

/// What the log says when confinement forbids something that is needed.
const FORBIDDEN: &str = "SIGSYS|seccomp|[Dd]enied|not permitted|Read-only file system|station alarm";

/// Says whether a unit is exposed no more than `most`, of 10.0: each directive that a job does not allow is justified in the unit.
pub(super) fn exposure(bench: &mut Bench, unit: &str, most: f64) -> Result<String> {
    let said = bench.guest.run(&format!("systemd-analyze security --no-pager {unit} | tail -n 1"))?;
    say(&format!("  {}", said.trim()))?;
    let level = said.rsplit(": ").next().and_then(|level| level.split_whitespace().next()?.parse::<f64>().ok());
    Ok(if level.is_some_and(|level| level <= most) {
        format!("exposure {most} or less")
    } else {
        said.trim().to_owned()
    })
}

fn unit(bench: &mut Bench) -> Result<String> {
    let exposure = exposure(bench, "blanche-stationd.service", 3.4)?;
    let state = bench.guest.run(
        "systemctl is-active blanche-stationd
        [ $(systemctl show --value --property NRestarts blanche-stationd) = 0 ] && echo never restarted",
    )?;
    let forbidden = bench.guest.run(&format!(
        "journalctl --no-pager --output cat --unit blanche-stationd | grep -E '{FORBIDDEN}'
        journalctl --no-pager --output cat --dmesg | grep -E 'SIGSYS|type=1326'; true"
    ))?;
    let forbidden = if forbidden.is_empty() { "nothing forbidden by its unit" } else { forbidden.trim() };
    Ok(format!("{}; {forbidden}; {exposure}", state.trim().replace('\n', ", ")))
}

fn running(bench: &mut Bench) -> Result<String> {
    // It has an exit code of its own for every state.
    let state = bench.guest.run("systemctl is-system-running --wait || true")?;
    let failed = bench.guest.run("systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1")?;
    let failed = failed.split_whitespace().collect::<Vec<_>>().join(", ");
    Ok(format!("{}; {}", state.trim(), if failed.is_empty() { "no failed unit" } else { &failed }))
}
