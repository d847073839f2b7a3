//! One session: from an opened target to its report.

use crate::brake::Brake;
use crate::budget::Budget;
use crate::error::ScanError;
use crate::intake::Intake;
use crate::inventory::Inventory;
use crate::judge::Verdict;
use crate::known::KnownResults;
use crate::ledger::{ClosedLedger, Ledger};
use crate::matching::{Feeder, Outcome, is_alarming};
use crate::progress::{Cancel, Counters, Pace, Progress};
use crate::queue::Queue;
use crate::reading::{self, Read, Reading};
use crate::remainder::Remainder;
use crate::report::{KnownUse, Profile, Report, StageRates};
use crate::room::{EngineRoom, Engines};
use crate::settings::Settings;
use crate::target::Target;
use blanche_sandbox::birth::Child;
use blanche_sandbox::wire::{Born, Cause, EngineCpu, ReadJob, Source, Subject};
use jiff::Timestamp;
use std::fs::File;
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of whole contents in flight between the reader and the matchers, at least.
const FLIGHT: u64 = 96 << 20;
/// How often answers are waited for before progress is told.
const LOOK: Duration = Duration::from_millis(100);

/// What a report shall hold beside the verdict.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScanOptions {
    /// List every file with its digests.
    pub files: bool,
    /// Keep what a tag needs: see [`ScanOutcome::inventory`].
    pub inventory: bool,
    /// Of a medium that is not clean, keep which files are: see [`ScanOutcome::remainder`].
    pub remainder: bool,
    /// Number of the session; a new one when there is none yet.
    pub session: Option<uuid::Uuid>,
    /// Bytes of content that are taken from the medium in a second, at most; `None` = as many as it gives. A medium that was
    /// made for training is as slow as a person has to see it.
    pub pace: Option<NonZeroU64>,
}

/// What a session gave.
#[derive(Debug)]
pub struct ScanOutcome {
    /// The report.
    pub report: Report,
    /// What a tag can be made from; only of a medium that is *Clean*, and only if it was asked for.
    pub inventory: Option<Inventory>,
    /// Which files are clean by themselves; only of a medium that was read and is not *Clean*, and only if it was asked for.
    pub remainder: Option<Remainder>,
}

/// Everything that a finished session knows.
pub(crate) struct Finished {
    pub(crate) target: Target,
    pub(crate) intake: Intake,
    pub(crate) ledger: ClosedLedger,
    pub(crate) reader: Option<Born>,
    pub(crate) matcher: Option<Born>,
    pub(crate) profile: Profile,
    pub(crate) started: Timestamp,
    pub(crate) duration: Duration,
}

/// Scans a block device, an image file or a folder.
///
/// Bases that changed since the last session are taken up first. `progress` is called on this thread. Whatever goes
/// wrong with the medium, the children or the engines during the session stands in the report as *not checked*.
///
/// # Errors
/// [`ScanError`] when there is nothing to report about: the target cannot be opened, or no child can be started.
pub fn scan(
    target: &Path,
    room: &EngineRoom,
    settings: &Settings,
    options: &ScanOptions,
    progress: &mut dyn FnMut(&Progress),
    cancel: &Cancel,
) -> Result<ScanOutcome, ScanError> {
    let target = Target::open(target, settings.admit.max_capacity)?;
    scan_target(target, room, settings, options, progress, cancel)
}

/// As [`scan`], of a block device or image that is open for reading already: `path` is its name in the report.
///
/// # Errors
/// As [`scan`].
pub fn scan_opened(
    medium: File,
    path: &Path,
    room: &EngineRoom,
    settings: &Settings,
    options: &ScanOptions,
    progress: &mut dyn FnMut(&Progress),
    cancel: &Cancel,
) -> Result<ScanOutcome, ScanError> {
    let target = Target::of(medium, path, settings.admit.max_capacity)?;
    scan_target(target, room, settings, options, progress, cancel)
}

fn scan_target(
    target: Target,
    room: &EngineRoom,
    settings: &Settings,
    options: &ScanOptions,
    progress: &mut dyn FnMut(&Progress),
    cancel: &Cancel,
) -> Result<ScanOutcome, ScanError> {
    let (started, clock) = (Timestamp::now(), Instant::now());
    let (engines, rejected) = room.engines(cancel)?;
    let described = engines.describe(rejected);
    if target.refusal.is_some() {
        let finished = Finished::unread(target, settings, started, clock.elapsed());
        let report = crate::compose::report(&finished, described, settings, *options);
        return Ok(ScanOutcome { report, inventory: None, remainder: None });
    }
    let reader = reading::start(target.file.as_fd(), target.source, &settings.reader, settings)?;
    let born = reader.born().cloned();
    let mut session = Session {
        engines: &engines,
        spool: room.spool(),
        settings,
        cancel,
        ledger: Mutex::new(if options.inventory { Ledger::new(0).keeping_subtrees() } else { Ledger::new(0) }),
        counters: Counters::default(),
        known: engines.known_results(&settings.known_results),
        matcher: None,
        tally: Tally::default(),
        brake: options.pace,
    };
    let Read { intake, failure, cpu: reading } = session.run(reader, target.source, progress);
    let unexplained = match failure {
        Some(Cause::Cancelled) => Cause::Cancelled,
        _ => Cause::NeverRead,
    };
    let Session { ledger, matcher, known, tally, .. } = session;
    if failure.is_none() && !tally.failed {
        room.keep(known, cancel.clone());
    }
    let ledger = ledger.into_inner().unwrap_or_else(PoisonError::into_inner).close(&intake.catalogue, &unexplained);
    let duration = clock.elapsed();
    let profile = profile(settings, &tally, reading, ledger.content.bytes, duration);
    let finished = Finished { target, intake, ledger, reader: born, matcher, profile, started, duration };
    let report = crate::compose::report(&finished, described, settings, *options);
    let (inventory, remainder) = match report.verdict {
        Verdict::Clean if options.inventory => (Inventory::of(finished), None),
        Verdict::Infected | Verdict::Incomplete if options.remainder => {
            (None, Remainder::of(finished, settings.verdict.suspicious))
        }
        _ => (None, None),
    };
    Ok(ScanOutcome { report, inventory, remainder })
}

impl Finished {
    /// Of a medium that was not read.
    fn unread(target: Target, settings: &Settings, started: Timestamp, duration: Duration) -> Self {
        let intake = Intake::new(target.source, settings.reader);
        let ledger = Ledger::new(0).close(&intake.catalogue, &Cause::NeverRead);
        Self { target, intake, ledger, reader: None, matcher: None, profile: Profile::default(), started, duration }
    }
}

/// The threads of a session share this.
struct Session<'a> {
    engines: &'a Engines,
    spool: &'a Arc<Budget>,
    settings: &'a Settings,
    cancel: &'a Cancel,
    ledger: Mutex<Ledger>,
    counters: Counters,
    known: KnownResults,
    matcher: Option<Born>,
    tally: Tally,
    brake: Option<NonZeroU64>,
}

/// What is added up over the answers.
#[derive(Default)]
struct Tally {
    cpu: EngineCpu,
    known: KnownUse,
    /// Some content got no answer: a matcher died, hung or lied.
    failed: bool,
}

impl Session<'_> {
    /// One thread listens to the reader, one feeds each matcher, this one collects answers and tells progress.
    fn run(&mut self, child: Child, source: Source, progress: &mut dyn FnMut(&Progress)) -> Read {
        let limits = self.settings.reader;
        let object = limits.max_memory_object.max(limits.batch_bytes);
        let queue = Queue::default();
        let cancel = self.cancel;
        let stop = move || cancel.is_cancelled();
        let (outcomes, answers) = mpsc::channel();
        let (ledger, counters, known) = (&self.ledger, &self.counters, &self.known);
        let reading = Reading {
            child,
            job: ReadJob { source, limits },
            ledger,
            queue: &queue,
            counters,
            known,
            flight: Budget::new(FLIGHT.max(object.saturating_mul(3))),
            spool: self.spool,
            stop: &stop,
            brake: Brake::new(self.brake),
        };
        let (mut matcher, mut tally) = (None, Tally::default());
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(move || reading.run());
            let mut feeders = Vec::new();
            for _ in 0..self.settings.matchers.resolved() {
                let feeder = Feeder {
                    engines: self.engines,
                    queue: &queue,
                    settings: self.settings,
                    known,
                    stop: &stop,
                    outcomes: outcomes.clone(),
                };
                feeders.push(scope.spawn(move || feeder.run()));
            }
            drop(outcomes);
            let mut pace = Pace::new();
            loop {
                match answers.recv_timeout(LOOK) {
                    Ok(Outcome::Born(born)) => weakest(&mut matcher, born),
                    Ok(outcome) => settle(outcome, ledger, counters, &mut tally),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if let Some(snapshot) = pace.snapshot(counters, false, Instant::now()) {
                    progress(&snapshot);
                }
            }
            if let Some(snapshot) = pace.snapshot(counters, true, Instant::now()) {
                progress(&snapshot);
            }
            for feeder in feeders {
                // What a broken feeder left without an answer becomes a gap when the ledger is closed.
                if feeder.join().is_err() {
                    tally.failed = true;
                    tracing::error!("station alarm: a thread that feeds a matcher ended by a panic");
                }
            }
            reader.join()
        });
        (self.matcher, self.tally) = (matcher, tally);
        read.unwrap_or_else(|_| {
            // The listening thread broke: what it knew is lost, and that is what the ledger must say.
            tracing::error!("station alarm: the thread that listens to the reader ended by a panic");
            let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
            ledger.gap(Subject::Medium, 0, 0, Cause::ReaderLost);
            Read { intake: Intake::new(source, limits), failure: Some(Cause::ReaderLost), cpu: Duration::ZERO }
        })
    }
}

/// Writes what became of one content into the ledger.
fn settle(outcome: Outcome, ledger: &Mutex<Ledger>, counters: &Counters, tally: &mut Tally) {
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    match outcome {
        Outcome::Matched { scanned, known } => {
            counters.done(scanned.bytes, is_alarming(&scanned));
            tally.cpu.add(scanned.cpu);
            if known {
                tally.known.contents = tally.known.contents.saturating_add(1);
                tally.known.bytes = tally.known.bytes.saturating_add(scanned.bytes);
            }
            ledger.matched(*scanned);
        }
        Outcome::Failed { entry, length, cause } => {
            counters.done(length, false);
            tally.failed = true;
            ledger.gap(Subject::Entry(entry), 0, length, cause);
        }
        Outcome::MatcherLost => tally.failed = true,
        Outcome::Born(_) => {}
    }
}

/// Keeps the weakest confinement of all matchers.
fn weakest(known: &mut Option<Born>, born: Born) {
    match known {
        None => *known = Some(born),
        Some(known) => {
            known.no_new_privileges &= born.no_new_privileges;
            known.landlock_abi = known.landlock_abi.min(born.landlock_abi);
            known.allowed_system_calls = known.allowed_system_calls.max(born.allowed_system_calls);
            known.network_namespace &= born.network_namespace;
            known.private_tmpfs &= born.private_tmpfs;
        }
    }
}

fn profile(settings: &Settings, tally: &Tally, reading: Duration, bytes: u64, duration: Duration) -> Profile {
    let seconds = Duration::from_micros;
    let (read, hash) = (reading, seconds(tally.cpu.hash));
    let inspection = seconds(tally.cpu.inspection);
    let (clamav, rules) = (seconds(tally.cpu.clamav), seconds(tally.cpu.rules));
    let matched = bytes.saturating_sub(tally.known.bytes);
    Profile {
        matchers: settings.matchers.resolved(),
        read: read.as_secs_f64(),
        hash: hash.as_secs_f64(),
        inspection: inspection.as_secs_f64(),
        clamav: clamav.as_secs_f64(),
        rules: rules.as_secs_f64(),
        known: tally.known,
        bytes_per_second: rate(bytes, duration),
        rates: StageRates {
            read: rate(bytes, read),
            hash: rate(bytes, hash),
            inspection: rate(matched, inspection),
            clamav: rate(matched, clamav),
            rules: rate(matched, rules),
        },
    }
}

/// Bytes per second; 0 when the time is too short to say.
fn rate(bytes: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    bytes.saturating_mul(1000).checked_div(millis).unwrap_or(0)
}
