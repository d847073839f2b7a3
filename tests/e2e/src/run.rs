//! The run: machines in lanes, the cases of each, a row for every case.

use crate::bench::Bench;
use crate::cases::Case;
use crate::failure::{Failure, Result};
use crate::guest::{First, Guest};
use crate::kernel::Kernel;
use crate::pace::{self, limit, slowness};
use crate::prompt::Promptness;
use crate::table::{self, Row};
use blanche_tests::program;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Machines that run at the same time. One for each core of two would leave them idle while its cases wait for a clock; on a machine that
/// is so many times slower than usual, a third one would make all of them too slow for programs that watch each other.
const LANES: usize = 3;
const FEWER: usize = 2;
const SLOW: f64 = 1.5;

/// Seconds from the kernel's event within which a station should say that a medium is there; what takes longer is told.
const LATE: f64 = 1.0;

/// Runs the cases of all machines and prints their rows and the result; whether all came as expected.
///
/// # Errors
/// [`Failure`] when the table cannot be printed, or there is no kernel.
pub fn run(machines: Vec<Vec<Case>>) -> Result<bool> {
    let begin = Instant::now();
    let kernel = Kernel::fetch(&cache()?)?;
    say(&format!("guest: Debian's kernel {}", kernel.release))?;
    say("name | device | expected | seen | ok | time")?;
    let waiting = Mutex::new(VecDeque::from(machines));
    let rows = thread::scope(|scope| {
        let start = |number| {
            // The others start when it is known whether there is time for them.
            if number >= FEWER && slowness() >= SLOW { Ok(Vec::new()) } else { lane(&kernel, &waiting) }
        };
        let lanes: Vec<_> = (0..LANES).map(|number| scope.spawn(move || start(number))).collect();
        let done = lanes.into_iter().map(|lane| lane.join().unwrap_or_else(|_| Err(Failure::format("a lane broke"))));
        done.collect::<Result<Vec<_>>>()
    })?;
    let rows = rows.concat();
    say(&format!("{} cases in {:.0} s", rows.len(), begin.elapsed().as_secs_f64()))?;
    // Whoever sees only the end of a long output sees what went wrong.
    rows.iter().filter(|row| !row.ok()).try_for_each(|row| say(&row.to_string()))?;
    say(&table::result(&rows))?;
    Ok(!rows.is_empty() && rows.iter().all(Row::ok))
}

/// One machine after the other, until none waits.
fn lane(kernel: &Kernel, waiting: &Mutex<VecDeque<Vec<Case>>>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(cases) = next else { return Ok(rows) };
        rows.extend(machine(kernel, &cases)?);
    }
}

/// All cases of one machine, which is started anew after one that failed.
fn machine(kernel: &Kernel, cases: &[Case]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut bench = None;
    for case in cases {
        // What is said of a case stands together, before its row.
        hold_back();
        let row = match bench.take().map_or_else(|| start(kernel, case.first), Ok) {
            Ok(ready) => {
                let (row, still) = one(case, ready)?;
                bench = still;
                row
            }
            Err(failure) => row(case, format!("{failure}"), Instant::now()),
        };
        say(&row.to_string())?;
        let_go()?;
        rows.push(row);
    }
    if let Some(bench) = &bench {
        say(&promptness(bench.station.times()))?;
    }
    Ok(rows)
}

/// The row of one case, and the bench if it can still be used: after a failure nobody knows what is left on it.
fn one(case: &Case, mut bench: Bench) -> Result<(Row, Option<Bench>)> {
    let begin = Instant::now();
    let media = bench.station.times().len();
    let ready = bench.duty(case.duty).and_then(|()| if case.duty { Ok(()) } else { bench.open_ports(true) });
    let seen = ready.and_then(|()| (case.see)(&mut bench)).and_then(|seen| {
        let traces = bench.traces()?;
        bench.clear()?;
        Ok(if traces.is_empty() { seen } else { format!("{seen}; BUT {}", traces.join(", ")) })
    });
    for late in bench.station.times().iter().skip(media).filter(|time| time.arrived >= limit(LATE)) {
        say(&format!("  late: the disk {:.2} s after its device, Arrived after {:.2} s", late.disk, late.arrived))?;
    }
    Ok(match seen {
        Ok(seen) => (row(case, seen, begin), Some(bench)),
        Err(failure) => {
            say(&bench.guest.logs())?;
            bench.screen.keep(&mut bench.guest, &format!("failed-{}", case.name));
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
    let guest = Guest::boot(kernel, first, &program("blanche-e2e-agent"));
    pace::booted(guest.as_ref().ok().map(Guest::boot_time));
    let guest = guest?;
    let begin = Instant::now();
    let booted = guest.boot_time();
    let bench = Bench::new(guest)?;
    let (boot, install) = (booted.as_secs_f64(), begin.elapsed().as_secs_f64());
    say(&format!("{first:?}: booted in {boot:.1} s, station with new keys installed in {install:.1} s"))?;
    say(&format!("  limits of time are {:.1} times as long as usual", slowness()))?;
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

thread_local! {
    /// Lines of this lane that are held back.
    static HELD: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Holds back what this thread says, until [`let_go`].
fn hold_back() {
    HELD.set(Some(String::new()));
}

/// Prints what was held back.
fn let_go() -> Result<()> {
    write!(io::stdout(), "{}", HELD.take().unwrap_or_default()).map_err(Failure::host("standard output"))
}

/// Prints a line, or holds it back.
///
/// # Errors
/// [`Failure`] when standard output is gone.
pub fn say(line: &str) -> Result<()> {
    let is_held = HELD.with_borrow_mut(|held| held.as_mut().map(|held| *held += &format!("{line}\n")).is_some());
    if is_held { Ok(()) } else { writeln!(io::stdout(), "{line}").map_err(Failure::host("standard output")) }
}
