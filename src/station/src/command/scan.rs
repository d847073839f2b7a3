//! `blanche scan`.

use super::destination::Destination;
use super::{ScanArguments, complain, delivered, print};
use crate::exit::Exit;
use crate::interrupt;
use crate::seal::{Act, Step, seal};
use crate::show::{self, Detail, Waiting};
use blanche_scan::progress::Cancel;
use blanche_scan::report::{Report, Seal};
use blanche_scan::settings::Settings;
use blanche_scan::words::{self, Lang};
use blanche_scan::{EngineRoom, ScanError, ScanOptions, ScanOutcome};
use serde::Serialize;
use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What stands in the JSON document for a target without a report.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    schema: &'static str,
    /// Absent when the failure concerns all targets.
    target: Option<String>,
    error: &'static str,
    message: String,
    exit_code: u8,
}

/// What came of one target.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Report(Box<Report>),
    Failure(Failure),
}

/// Scans all targets.
pub(crate) fn run(arguments: &ScanArguments, settings: Result<Settings, ScanError>, lang: Lang) -> Exit {
    let destination = match &arguments.json {
        None => None,
        Some(file) => match Destination::check(file, &arguments.targets) {
            Ok(destination) => Some(destination),
            Err(unsuitable) => {
                let _ = writeln!(io::stderr(), "blanche: {}", unsuitable.sentence(lang));
                return Exit::Usage;
            }
        },
    };
    let cancel = Cancel::default();
    let ready = settings.and_then(|settings| match interrupt::watch(&cancel) {
        Ok(()) => Ok(settings),
        Err(error) => Err(ScanError::Station(format!("signals: {error}"))),
    });
    let mut outcomes = Vec::new();
    // Until the end: an engine room that is dropped waits until known results are kept, and people need not.
    let mut round;
    let exit = match ready {
        Ok(settings) => {
            round = Round { arguments, settings, lang, cancel, room: None, quiet_json: destination.is_some() };
            round.all(&mut outcomes)
        }
        Err(error) => {
            outcomes.push(told(&error, None, lang));
            Exit::from(&error)
        }
    };
    match destination {
        Some(destination) => delivered(write(&destination, &outcomes, arguments.targets.len()), exit, lang),
        None => exit,
    }
}

/// One document: an array only for several targets.
fn write(destination: &Destination, outcomes: &[Outcome], targets: usize) -> io::Result<()> {
    match outcomes {
        [only] if targets == 1 => destination.write(only),
        all => destination.write(&all),
    }
}

/// Tells a person, and makes the entry of the JSON document.
fn told(error: &ScanError, target: Option<&Path>, lang: Lang) -> Outcome {
    complain(error, lang);
    Outcome::Failure(Failure::new(failed(error), error.to_string(), Exit::from(error), target))
}

/// The word for an error in the JSON document.
pub(crate) fn failed(error: &ScanError) -> &'static str {
    match error {
        ScanError::TargetMissing { .. } => "target_missing",
        ScanError::TargetUnreadable { .. } => "target_unreadable",
        ScanError::TargetUnsupported { .. } => "target_unsupported",
        ScanError::Engines(_) => "engines",
        ScanError::Children { .. } => "children",
        ScanError::Settings(_) => "settings",
        ScanError::Cancelled => "interrupted",
        ScanError::Station(_) => "station",
    }
}

impl Failure {
    pub(crate) fn new(error: &'static str, message: String, exit: Exit, target: Option<&Path>) -> Self {
        let target = target.map(|target| words::visible(target.as_os_str().as_bytes()));
        Self { schema: "blanche-failure/1", target, error, message, exit_code: exit.code() }
    }
}

/// One call of the program.
struct Round<'a> {
    arguments: &'a ScanArguments,
    settings: Settings,
    lang: Lang,
    cancel: Cancel,
    /// Opened for the first target that is there: a spelling mistake is told at once.
    room: Option<EngineRoom>,
    quiet_json: bool,
}

impl Round<'_> {
    /// Scans one target after the other; the worst result is the program's.
    fn all(&mut self, outcomes: &mut Vec<Outcome>) -> Exit {
        let mut worst = Exit::Clean;
        for target in &self.arguments.targets {
            let (exit, outcome) = match self.one(target) {
                Ok(None) => {
                    let message = "interrupted before this target was checked".to_owned();
                    let exit = Exit::Interrupted;
                    (exit, Outcome::Failure(Failure::new("interrupted", message, exit, Some(target))))
                }
                Ok(Some(report)) => {
                    let exit = self.tell(&report, Exit::from(&report));
                    (exit, Outcome::Report(Box::new(report)))
                }
                Err(error) => (Exit::from(&error), told(&error, Some(target), self.lang)),
            };
            outcomes.push(outcome);
            worst = worst.worst(exit);
        }
        worst
    }

    /// The report on one target; nothing when somebody stopped the program before it was begun.
    fn one(&mut self, target: &Path) -> Result<Option<Report>, ScanError> {
        if self.cancel.is_cancelled() {
            return Ok(None);
        }
        if let Err(source) = target.symlink_metadata() {
            let path = target.to_owned();
            return Err(match source.kind() {
                io::ErrorKind::NotFound => ScanError::TargetMissing { path, source },
                _ => ScanError::TargetUnreadable { path, source },
            });
        }
        let mut waiting = Waiting::new(self.lang, self.arguments.quiet);
        let room = match self.room.take() {
            Some(room) => room,
            None => {
                waiting.engines();
                match EngineRoom::open(&self.settings, &self.cancel) {
                    Err(ScanError::Cancelled) => return Ok(None),
                    opened => opened?,
                }
            }
        };
        if self.cancel.is_cancelled() {
            return Ok(None);
        }
        waiting.target(target);
        let (files, inventory) = (self.arguments.files, self.arguments.seal);
        let options = ScanOptions { files, inventory, ..ScanOptions::default() };
        let mut progress = |now: &_| waiting.update(now);
        let outcome = blanche_scan::scan(target, &room, &self.settings, &options, &mut progress, &self.cancel);
        let sealed = outcome.map(|ScanOutcome { mut report, inventory, .. }| {
            if self.arguments.seal {
                waiting.sealing();
                let mut told = |step| match step {
                    Step::Waiting => waiting.turn(),
                    Step::Written(bytes) => waiting.sealed(bytes),
                };
                let signed = Cell::new(None);
                let permit = |act| {
                    if let Act::Write(tag) = act {
                        signed.set(Some(tag.tag));
                    }
                    Ok(())
                };
                let sealed = seal(inventory.as_ref(), None, &report, &self.settings, &permit, &mut told, &self.cancel);
                if let (Seal::NoTag { reason }, Some(tag)) = (&sealed, signed.take())
                    && reason.tag_may_stand()
                {
                    tracing::warn!("tag {tag} was signed and may stand on the medium: revoke it (docs/keys.md)");
                }
                report.seal = Some(sealed);
            }
            report
        });
        waiting.finish();
        self.room = Some(room);
        sealed.map(Some)
    }

    /// Tells a person about one target, on standard output unless that belongs to the JSON document.
    fn tell(&self, report: &Report, exit: Exit) -> Exit {
        if self.quiet_json {
            if !self.arguments.quiet {
                let words = words::verdict(report.verdict, self.lang);
                let path = words::harmless(&report.target.path);
                let _ = writeln!(io::stderr(), "{path}: {}. {}", words.word, words.sentence);
            }
            return exit;
        }
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let detail = Detail { files: self.arguments.files, profile: self.arguments.profile, colour };
        delivered(print(|out| show::report(report, self.lang, detail, out)), exit, self.lang)
    }
}
