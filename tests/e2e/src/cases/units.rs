//! The machine that a station is: systemd as its first process.

use super::Case;
use super::media::seal;
use crate::bench::Bench;
use crate::failure::Result;
use crate::guest::First;
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
];

fn running(bench: &mut Bench) -> Result<String> {
    // It has an exit code of its own for every state.
    let state = bench.guest.run("systemctl is-system-running --wait || true")?;
    let failed = bench.guest.run("systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1")?;
    let failed = failed.split_whitespace().collect::<Vec<_>>().join(", ");
    Ok(format!("{}; {}", state.trim(), if failed.is_empty() { "no failed unit" } else { &failed }))
}
