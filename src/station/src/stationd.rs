//! The daemon as a program: what `blanche-stationd` does between its start and its end.
//!
//! systemd is told when everything stands (`READY`), that the thread which decides still turns (`WATCHDOG`), what is going
//! on (`STATUS`) and that the end is near (`STOPPING`): sd_notify(3).

mod parts;

use crate::board::{Board, Snapshot};
use crate::daemon::{Daemon, Parts};
use crate::exit::Exit;
use crate::log;
use crate::service::{Bus, Presence, Service};
use crate::training::{self, Prepared, Wishes};
use blanche_scan::settings::Settings;
use blanche_scan::words::harmless;
use clap::Parser;
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the start waits for the bus; without it the station works, and is not seen.
const BUS_AT_START: Duration = Duration::from_secs(15);
/// How often signals are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// The daemon of a Blanche station: sees media arrive, has them checked and sealed, and shows that on D-Bus.
#[derive(Debug, Parser)]
#[command(name = "blanche-stationd", version)]
struct Arguments {
    /// Configuration file [default: /etc/blanche/blanche.toml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Bus on which the station is shown: system, session or an address
    #[arg(long, value_name = "BUS", default_value = "system")]
    bus: Bus,
    /// Training: no hardware, no keys and no journal of a real station; media are made up and plugged in by orders on the bus.
    /// FOLDER holds more of them, as image files (*.img)
    #[arg(long, value_name = "FOLDER", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "clap's form of an option whose value may be left out")]
    simulate: Option<Option<PathBuf>>,
    /// Training: folder with "clamav" and "rules" in place of the bases of the configuration
    #[arg(long, value_name = "FOLDER", requires = "simulate")]
    bases: Option<PathBuf>,
    /// Training: keep journal, keys, trust and images of this run in a new folder [default: one that goes with the end]
    #[arg(long, value_name = "FOLDER", requires = "simulate")]
    state: Option<PathBuf>,
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log::to_standard_error();
    log::panics_in_one_line();
    let settings = match Settings::discover(arguments.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return failed(&error.to_string(), Exit::Usage),
    };
    let ended = match arguments.simulate {
        None => run(settings, arguments.bus),
        Some(images) => {
            train(settings, &Wishes { images, bases: arguments.bases, state: arguments.state }, arguments.bus)
        }
    };
    match ended {
        Ok(()) => Exit::Clean.into(),
        Err(error) => failed(&error.to_string(), Exit::Station),
    }
}

fn failed(text: &str, exit: Exit) -> ExitCode {
    // Nobody listens on standard error: there is nobody to tell that either.
    let _ = writeln!(io::stderr(), "blanche-stationd: {}", harmless(text));
    exit.into()
}

/// A real station, from the start to the end.
fn run(settings: Settings, bus: Bus) -> io::Result<()> {
    let settings = Arc::new(settings);
    let parts = parts::parts(&settings);
    work(parts, |daemon| Service::start(Arc::clone(&daemon.board), daemon.orders.clone(), settings, bus))
}

/// A training station, from the start to the end.
fn train(settings: Settings, wishes: &Wishes, bus: Bus) -> io::Result<()> {
    let prepared = training::prepare(settings, wishes, parts::signer).map_err(io::Error::other)?;
    let Prepared { settings, parts, training, home } = prepared;
    tracing::warn!("training: media are made up, tags are worth nothing; everything is in {}", home.path().display());
    work(parts, |daemon| Service::simulated(Arc::clone(&daemon.board), daemon.orders.clone(), settings, bus, training))
}

/// From the start to the end.
fn work(parts: Parts, serve: impl FnOnce(&Daemon) -> io::Result<Service>) -> io::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    // A terminal that closes does not end a station, and there is nothing to be read again.
    signal_hook::flag::register(SIGHUP, Arc::default())?;
    let daemon = Daemon::start(parts)?;
    let service = serve(&daemon)?;
    let presence = service.presence(BUS_AT_START);
    if presence != Presence::Present {
        tracing::warn!("the bus is not there: the station works, but nobody sees it");
    }
    let mut systemd = Systemd::new();
    systemd.say(&[NotifyState::Ready]);
    while !stop.load(Ordering::SeqCst) && !daemon.has_ended() {
        let snapshot = systemd.watch(&daemon.board);
        systemd.status(&snapshot, &service);
    }
    let asked = stop.load(Ordering::SeqCst);
    systemd.say(&[NotifyState::Stopping]);
    drop(daemon);
    service.join();
    if asked { Ok(()) } else { Err(io::Error::other("the daemon ended without being asked")) }
}

/// What systemd knows of us. Without systemd, nothing is said to nobody.
struct Systemd {
    /// How often the watchdog wants to hear from us; nothing without one.
    watchdog: Option<Duration>,
    revision: u64,
    told: Instant,
    status: String,
}

impl Systemd {
    fn new() -> Self {
        // Half of the time that is allowed, as sd_watchdog_enabled(3) recommends; here a quarter, because the board is looked
        // at in steps.
        let watchdog = sd_notify::watchdog_enabled().and_then(|limit| limit.checked_div(4));
        Self { watchdog, revision: 0, told: Instant::now(), status: String::new() }
    }

    fn say(&self, what: &[NotifyState<'_>]) {
        // systemd that does not listen cannot be told that either.
        let _ = sd_notify::notify(what);
    }

    /// Waits for the board to change, which it does with every turn of the daemon's thread, and only that keeps the
    /// watchdog quiet: a thread that hangs writes nothing.
    fn watch(&mut self, board: &Board) -> Snapshot {
        let snapshot = board.newer(self.revision, LOOK);
        let turned = snapshot.revision != self.revision;
        self.revision = snapshot.revision;
        if turned && self.watchdog.is_some_and(|pause| self.told.elapsed() >= pause) {
            self.told = Instant::now();
            self.say(&[NotifyState::Watchdog]);
        }
        snapshot
    }

    /// One line for `systemctl status`.
    fn status(&mut self, snapshot: &Snapshot, service: &Service) {
        let status = line(snapshot, service.presence(Duration::ZERO));
        if status != self.status {
            self.say(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }
}

/// "ready, 2 sessions, bus absent; problems: signer, usb-open".
fn line(snapshot: &Snapshot, presence: Presence) -> String {
    let engines = if snapshot.station.engines.is_some() { "ready" } else { "loading engines" };
    let bus = if presence == Presence::Present { "" } else { ", bus absent" };
    let problems: Vec<_> = snapshot.station.problems.iter().map(|problem| problem.kind.word()).collect();
    let problems = if problems.is_empty() { String::new() } else { format!("; problems: {}", problems.join(", ")) };
    format!("{engines}, {} sessions{bus}{problems}", snapshot.sessions.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::board::{Problem, ProblemKind, StationView};

    #[test]
    fn the_arguments_are_well_formed_and_the_system_bus_is_the_standard() {
        let arguments = Arguments::try_parse_from(["blanche-stationd"]).expect("no argument is needed");
        assert_eq!(arguments.bus, Bus::System);
        let arguments = Arguments::try_parse_from(["blanche-stationd", "--bus", "unix:path=/x"]).expect("an address");
        assert_eq!(arguments.bus, Bus::Address("unix:path=/x".to_owned()));
    }

    #[test]
    fn a_thread_that_hangs_keeps_no_watchdog_quiet() {
        let board = Board::default();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).expect("the machine runs for a minute");
        let mut systemd =
            Systemd { watchdog: Some(Duration::from_secs(1)), revision: 0, told: long_ago, status: String::new() };
        systemd.watch(&board);
        assert_eq!(systemd.told, long_ago, "nothing turned, nothing is told");
        board.update(|_| {});
        systemd.watch(&board);
        assert!(systemd.told > long_ago, "it turned");
    }

    #[test]
    fn the_status_names_what_is_wrong() {
        let problem = Problem { kind: ProblemKind::Signer, detail: String::new() };
        let station = Arc::new(StationView { problems: vec![problem], ..StationView::default() });
        let snapshot = Snapshot { station, ..Snapshot::default() };
        assert_eq!(line(&snapshot, Presence::Absent), "loading engines, 0 sessions, bus absent; problems: signer");
    }
}
