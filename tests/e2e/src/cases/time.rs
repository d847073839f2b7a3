//! A clock that is set, and a machine that sleeps, in the middle of a check: nothing is called clean that was not checked
//! from its beginning to its end, no session is stuck, the journal is whole, and the next key is served.

use super::Case;
use super::kills::{AFTERWARDS, afterwards, judge, medium};
use super::media::content;
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use crate::guest::First;
use crate::station::Session;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new("clock", "keys, the clock set back a day and forth a year while they are read", AFTERWARDS, clock),
    Case {
        first: First::Sleepy,
        duty: true,
        name: "sleep",
        device: "clean key, the machine sleeps while it is read, an infected one is in its place when it wakes up",
        expected: "incomplete (sleep), no tag; removed; then infected, no tag; both media unchanged; recorded: resumed",
        see: swapped,
    },
    Case {
        first: First::Sleepy,
        duty: true,
        name: "sleep-announced",
        device: "clean key, logind sends the machine to sleep while it is read",
        expected: "incomplete (sleep), no tag; recorded: suspended, resumed; never clean without reason; journal whole; \
                   next key: clean, sealed; workstation: accepted",
        see: announced,
    },
];

/// Bytes that were read when something happens.
const MIDDLE: u64 = 2 << 20;
/// Bytes per second: from the middle on, a key is read for eight seconds more, and what happens takes one or two.
const SLOW: u64 = 512 << 10;
/// From the order to a machine that sleeps, and from the button to one that does not.
const FALLS_ASLEEP: Duration = Duration::from_secs(120);
/// Longer than what a station takes for its clocks' unsteadiness.
const NAP: Duration = Duration::from_secs(3);
/// The controller starts once more after a sleep, and shows twice what is plugged in meanwhile. Three seconds were
/// enough on a machine with less to do.
const SETTLES: Duration = Duration::from_secs(12);
/// What the journal has of a sleep.
const KINDS: [&str; 2] = ["suspended", "resumed"];

/// Only its button wakes the machine up: no hand that plugs something in. The kernel says how far it is.
const SLEEPS_ON: &str =
    "for wakes in /sys/bus/usb/devices/usb*/power/wakeup /sys/bus/usb/devices/usb*/../power/wakeup; do
        echo disabled >$wakes
    done
    echo 7 >/proc/sys/kernel/printk";
/// Ends when the machine has slept (Linux, Documentation/ABI/testing/sysfs-power, `suspend_stats`).
const BY_LOGIND: &str = "slept=$(cat /sys/power/suspend_stats/success)
    systemctl suspend
    until [ $(cat /sys/power/suspend_stats/success) -gt $slept ]; do sleep 0.1; done";

/// Seconds.
const DAY: i64 = 24 * 3600;
const YEAR: i64 = 365 * DAY;

/// Plugs a key in, and waits until it is being read.
fn under_way(bench: &mut Bench, image: PathBuf) -> Result<Session> {
    let session = bench.insert(Device::key("key", "1", &Backing::Slow(image, SLOW)))?;
    bench.read_behind(&session.disk, MIDDLE)?;
    Ok(session)
}

fn clock(bench: &mut Bench) -> Result<String> {
    let mut wrong = Vec::new();
    for (infected, seconds) in [(false, -DAY), (true, DAY + YEAR)] {
        let image = medium(bench, infected);
        let session = under_way(bench, image.clone())?;
        set_clock(bench, seconds)?;
        let outcome = bench.end(&session)?;
        bench.clear()?;
        let workstation = bench.station.verify(&image, 512, None)?;
        judge(&outcome, infected, &workstation, &mut wrong)?;
    }
    set_clock(bench, -YEAR)?;
    afterwards(bench, wrong)
}

/// Sets the clock on the wall by so many seconds.
fn set_clock(bench: &mut Bench, seconds: i64) -> Result<()> {
    bench.guest.run(&format!("date --set \"@$(($(date +%s) + {seconds}))\"")).map(drop)
}

/// Sends the machine to sleep by `order`, does something, and presses its button: the kernel is then awake, and nothing else.
fn nap(bench: &mut Bench, order: &str, meanwhile: impl FnOnce(&mut Bench) -> Result<()>) -> Result<()> {
    bench.guest.run(SLEEPS_ON)?;
    let before = bench.guest.said().len();
    let sleeping = bench.guest.start(order)?;
    // The last word before devices are suspended (Linux, kernel/power/process.c).
    bench.guest.console(before, "Freezing remaining freezable tasks completed", FALLS_ASLEEP)?;
    thread::sleep(NAP);
    meanwhile(bench)?;
    bench.guest.qmp().execute("system_powerdown", &serde_json::json!({}))?;
    bench.guest.finish(&sleeping, FALLS_ASLEEP)?;
    bench.guest.run("echo 4 >/proc/sys/kernel/printk")?;
    Ok(())
}

/// How often the journal has each of [`KINDS`], of the newest events.
fn counted(bench: &mut Bench) -> Result<[usize; 2]> {
    let list = bench.guest.run("blanche journal list --log event --limit 200 --json")?;
    Ok(KINDS.map(|kind| list.matches(&format!("\"{kind}\"")).count()))
}

/// Which of [`KINDS`] the journal has more often than `before`.
fn recorded(bench: &mut Bench, before: [usize; 2]) -> Result<String> {
    let now = counted(bench)?;
    let counts = before.into_iter().zip(now);
    let kinds = KINDS.into_iter().zip(counts).filter(|(_, (before, now))| now > before).map(|(kind, _)| kind);
    Ok(format!("recorded: {}", kinds.collect::<Vec<_>>().join(", ")))
}

/// What comes of a key that is plugged in now, and pulled out afterwards.
fn checked(bench: &mut Bench, image: &Path) -> Result<String> {
    let outcome = bench.check(Device::key("key", "1", &Backing::Image(image.to_owned())))?;
    bench.clear()?;
    Ok(outcome.words())
}

fn swapped(bench: &mut Bench) -> Result<String> {
    // Of the same size, behind devices that say the same of themselves.
    let clean = bench.folder().join("clean.img");
    fs::rename(medium(bench, false), &clean).map_err(Failure::file(&clean))?;
    let infected = medium(bench, true);
    let before = [content(&clean)?, content(&infected)?];
    let records = counted(bench)?;
    let session = under_way(bench, clean.clone())?;
    nap(bench, "echo freeze >/sys/power/state", |bench| {
        bench.pull()?;
        bench.plug(Device::key("key", "1", &Backing::Image(infected.clone())))
    })?;
    let outcome = bench.end(&session)?;
    // To the kernel, too, it is another one. Its controller starts once more then, and shows it twice: it is looked at afterwards.
    bench.station.gone(&session)?;
    bench.clear()?;
    thread::sleep(SETTLES);
    bench.clear()?;
    let mut then = checked(bench, &infected)?;
    for _ in 0..2 {
        // It may start once more in the middle of a check as well: that is told as what it looks like.
        if then == "incomplete (removed), no tag" {
            then = checked(bench, &infected)?;
        }
    }
    let same = [content(&clean)?, content(&infected)?] == before;
    let media = if same { "both media unchanged" } else { "a medium CHANGED" };
    Ok(format!("{}; removed; then {then}; {media}; {}", outcome.words(), recorded(bench, records)?))
}

fn announced(bench: &mut Bench) -> Result<String> {
    let image = medium(bench, false);
    let records = counted(bench)?;
    let session = under_way(bench, image)?;
    nap(bench, BY_LOGIND, |_| Ok(()))?;
    let outcome = bench.end(&session)?;
    bench.clear()?;
    thread::sleep(SETTLES);
    let seen = format!("{}; {}", outcome.words(), recorded(bench, records)?);
    Ok(format!("{seen}; {}", afterwards(bench, Vec::new())?))
}
