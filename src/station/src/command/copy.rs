//! `blanche copy`.

use super::destination::Destination;
use super::scan::{Failure, failed};
use super::{CopyArguments, complain, delivered, print};
use crate::copy::{CopyStage, Erase, Means, Output, Source, copy, is_blank, measure};
use crate::exit::Exit;
use crate::interrupt;
use crate::show::{self, Detail, Waiting};
use blanche_scan::progress::Cancel;
use blanche_scan::report::Report;
use blanche_scan::settings::{CopyMode, Settings};
use blanche_scan::words::{self, Consent, Lang};
use blanche_scan::{EngineRoom, ScanError, ScanOptions, ScanOutcome, look};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Copies the files of one medium to another.
pub(crate) fn run(arguments: &CopyArguments, settings: Result<Settings, ScanError>, lang: Lang) -> Exit {
    let targets = [arguments.source.clone(), arguments.output.clone()];
    let destination = match arguments.json.as_ref().map(|file| Destination::check(file, &targets)).transpose() {
        Ok(destination) => destination,
        Err(unsuitable) => {
            let _ = writeln!(io::stderr(), "blanche: {}", unsuitable.sentence(lang));
            return Exit::Usage;
        }
    };
    let cancel = Cancel::default();
    let ready = settings.and_then(|settings| match interrupt::watch(&cancel) {
        Ok(()) => Ok(settings),
        Err(error) => Err(ScanError::Station(format!("signals: {error}"))),
    });
    let outcome = ready.and_then(|settings| Copying { arguments, settings, lang, cancel }.run());
    match outcome {
        Ok(Some(report)) => {
            let exit = Exit::from(&*report);
            match destination {
                Some(destination) => delivered(destination.write(&report), exit, lang),
                None => delivered(print(|out| show::report(&report, lang, detail(), out)), exit, lang),
            }
        }
        Ok(None) => {
            let advice = words::not_blank(Consent::Switch("--yes"), lang);
            let _ = writeln!(io::stderr(), "blanche: {}\n         {}", advice.what, advice.next);
            let message = "the output medium is not empty; --yes erases it".to_owned();
            let failure = Failure::new("not_blank", message, Exit::NotCopied, Some(&arguments.output));
            written(destination, &failure, Exit::NotCopied, lang)
        }
        Err(error) => {
            complain(&error, lang);
            let exit = Exit::from(&error);
            let failure = Failure::new(failed(&error), error.to_string(), exit, error.target());
            written(destination, &failure, exit, lang)
        }
    }
}

fn written(destination: Option<Destination>, failure: &Failure, exit: Exit, lang: Lang) -> Exit {
    destination.map_or(exit, |destination| delivered(destination.write(failure), exit, lang))
}

fn detail() -> Detail {
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Detail { files: false, profile: false, colour }
}

/// One call of the program.
struct Copying<'a> {
    arguments: &'a CopyArguments,
    settings: Settings,
    lang: Lang,
    cancel: Cancel,
}

impl Copying<'_> {
    /// The report; nothing when the output medium is not empty and may not be erased.
    fn run(&self) -> Result<Option<Box<Report>>, ScanError> {
        // A spelling mistake, or a medium that holds something, is told before the source is scanned.
        let source = open(&self.arguments.source)?;
        let medium = open(&self.arguments.output)?;
        let output = Output { medium, path: self.arguments.output.clone(), port: None };
        let blank = is_blank(&output.medium).map_err(|source| unreadable(&self.arguments.output, source))?;
        if !blank {
            self.say_what_is_lost(&output)?;
            if !self.arguments.yes {
                return Ok(None);
            }
        }
        let mut waiting = Waiting::new(self.lang, self.arguments.quiet);
        waiting.engines();
        let room = EngineRoom::open(&self.settings, &self.cancel)?;
        waiting.target(&self.arguments.source);
        let remainder = self.settings.copy.mode == CopyMode::CleanFiles;
        let options = ScanOptions { inventory: true, remainder, ..ScanOptions::default() };
        let mut progress = |now: &_| waiting.update(now);
        let path = &self.arguments.source;
        let scanned =
            blanche_scan::scan_opened(source, path, &room, &self.settings, &options, &mut progress, &self.cancel)?;
        let ScanOutcome { mut report, inventory, remainder } = scanned;
        let source = Source { report: &report, inventory: inventory.as_ref(), remainder: remainder.as_ref() };
        let erase = if self.arguments.yes { Erase::Everything } else { Erase::BlankOnly };
        let mut told = |stage: CopyStage<'_>| waiting.copying(stage);
        let means = Means { room: &room, settings: &self.settings, permit: &|_| Ok(()), cancel: &self.cancel };
        let copied = copy(&source, &output, erase, &means, &mut told);
        report.copy = Some(copied);
        waiting.finish();
        Ok(Some(Box::new(report)))
    }

    /// What is on the output medium, before it is erased.
    fn say_what_is_lost(&self, output: &Output) -> Result<(), ScanError> {
        let unreadable = |source| unreadable(&output.path, source);
        let (capacity, block) = measure(&output.medium).map_err(unreadable)?;
        let found = look(output.medium.as_fd(), capacity, block, &self.settings, &self.cancel)?;
        let path = words::visible(output.path.as_os_str().as_bytes());
        let mut lines = vec![words::erased(&path, found.files, found.bytes, self.lang)];
        for volume in &found.layout.volumes {
            let label = volume.label.as_deref().map(words::visible).filter(|label| !label.is_empty());
            let label = label.map(|label| format!(" {}", words::harmless(&label))).unwrap_or_default();
            let size = words::size(volume.length, self.lang);
            lines.push(format!("  {}{label}, {size}", words::filesystem(volume.filesystem, self.lang)));
        }
        if !self.arguments.quiet || !self.arguments.yes {
            // Nobody listens on standard error: there is nobody to warn.
            let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
        }
        Ok(())
    }
}

fn unreadable(path: &Path, source: io::Error) -> ScanError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => ScanError::TargetMissing { path, source },
        io::ErrorKind::InvalidInput => ScanError::TargetUnsupported { path },
        _ => ScanError::TargetUnreadable { path, source },
    }
}

/// Opens for reading. Without NONBLOCK a named pipe would block for ever.
fn open(path: &Path) -> Result<File, ScanError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    opened.map(File::from).map_err(|errno| unreadable(path, errno.into()))
}
