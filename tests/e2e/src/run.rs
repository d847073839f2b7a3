//! The run: machines one after the other, the cases of each, a row for every case.

use crate::bench::Bench;
use crate::cases::Case;
use crate::failure::{Failure, Result};
use crate::guest::{First, Guest};
use crate::kernel::Kernel;
use crate::prompt::Promptness;
use crate::table::{self, Row};
use blanche_tests::program;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

/// Runs `cases` and prints their rows and the result; whether all came as expected.
///
/// # Errors
/// [`Failure`] when the table cannot be printed, or there is no kernel.
pub fn run(cases: &[Case]) -> Result<bool> {
    let begin = Instant::now();
    let kernel = Kernel::fetch(&cache()?)?;
    say(&format!("guest: Debian's kernel {}", kernel.release))?;
    say("name | device | expected | seen | ok | time")?;
    let mut rows = Vec::new();
    for first in [First::Matrix, First::Systemd] {
        let chosen: Vec<&Case> = cases.iter().filter(|case| case.first == first).collect();
        let mut bench = None;
        for case in chosen {
            let row = match bench.take().map_or_else(|| start(&kernel, first), Ok) {
                Ok(ready) => {
                    let (row, still) = one(case, ready)?;
                    bench = still;
                    row
                }
                Err(failure) => row(case, format!("{failure}"), Instant::now()),
            };
            say(&row.to_string())?;
            rows.push(row);
        }
        if let Some(bench) = &bench {
            say(&promptness(bench.station.times()))?;
        }
    }
    say(&format!("{} cases in {:.0} s", rows.len(), begin.elapsed().as_secs_f64()))?;
    say(&table::result(&rows))?;
    Ok(!rows.is_empty() && rows.iter().all(Row::ok))
}

/// The row of one case, and the bench if it can still be used: after a failure nobody knows what is left on it.
fn one(case: &Case, mut bench: Bench) -> Result<(Row, Option<Bench>)> {
    let begin = Instant::now();
    let ready = bench.duty(case.duty).and_then(|()| if case.duty { Ok(()) } else { bench.open_ports(true) });
    let seen = ready.and_then(|()| (case.see)(&mut bench)).and_then(|seen| {
        let traces = bench.traces()?;
        bench.clear()?;
        Ok(if traces.is_empty() { seen } else { format!("{seen}; BUT {}", traces.join(", ")) })
    });
    Ok(match seen {
        Ok(seen) => (row(case, seen, begin), Some(bench)),
        Err(failure) => {
            say(&bench.guest.logs())?;
            (row(case, format!("{failure}"), begin), None)
        }
    })
}

fn row(case: &Case, seen: String, begin: Instant) -> Row {
    let text = str::to_owned;
    let took = begin.elapsed();
    Row { name: text(case.name), device: text(case.device), expected: text(case.expected), seen, took }
}

fn start(kernel: &Kernel, first: First) -> Result<Bench> {
    let guest = Guest::boot(kernel, first, &program("blanche-e2e-agent"))?;
    let begin = Instant::now();
    let booted = guest.boot_time();
    let bench = Bench::new(guest)?;
    let (boot, install) = (booted.as_secs_f64(), begin.elapsed().as_secs_f64());
    say(&format!("{first:?}: booted in {boot:.1} s, station with new keys installed in {install:.1} s"))?;
    Ok(bench)
}

/// How soon the station saw and read media, in the guest's time: "median (worst)".
fn promptness(times: &[Promptness]) -> String {
    let show = |of: fn(&Promptness) -> f64| {
        let mut sorted: Vec<f64> = times.iter().map(of).collect();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        format!("{median:.2} s ({:.2} s)", sorted.last().copied().unwrap_or_default())
    };
    format!(
        "promptness of {} media, median (worst): from the kernel's event of the device to that of the disk {}, to Arrived {}",
        times.len(),
        show(|time| time.disk),
        show(|time| time.arrived),
    )
}

/// Where the kernel is kept between runs: with what else this user's programs could make again.
fn cache() -> Result<PathBuf> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = given("XDG_CACHE_HOME").or_else(|| given("HOME").map(|home| home.join(".cache")));
    let base = base.ok_or_else(|| Failure::format("neither XDG_CACHE_HOME nor HOME says where to keep the kernel"))?;
    Ok(base.join("blanche/e2e"))
}

/// Prints a line.
///
/// # Errors
/// [`Failure`] when standard output is gone.
pub fn say(line: &str) -> Result<()> {
    writeln!(io::stdout(), "{line}").map_err(Failure::host("standard output"))
}
