//! `blanche journal list|show|export|verify`: what the station recorded (docs/journal.md).

mod list;
mod verify;

use super::{delivered, print};
use crate::exit::Exit;
use blanche_journal::{Filter, JournalError, Log, Moment, Order, Reader, SESSION, Verdict, export};
use blanche_scan::ScanError;
use blanche_scan::settings::Settings;
use blanche_scan::words::{Lang, harmless};
use clap::{Args, Subcommand, ValueEnum};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Records that are read at once.
const AT_ONCE: usize = 1000;

/// What can be asked about the journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// List sessions or events, the newest first
    List(ListArguments),
    /// Show everything about a session, or one record
    Show(ShowRecordArguments),
    /// Hand records out, the oldest first, or the newest signed checkpoint
    Export(ExportRecordsArguments),
    /// Verify that nothing was altered, deleted, inserted or cut off
    #[command(after_help = CODES)]
    Verify(VerifyJournalArguments),
}

const CODES: &str = "Exit codes: 0 whole, and proved by a signed checkpoint, 50 altered, 51 whole but not proved by any \
                     signature, 2 usage or trust, 4 no journal or checkpoint file, 5 station error.";

/// Which journal.
#[derive(Args, Debug)]
pub struct Place {
    /// Folder of the journal [default: that of the configuration]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Which records.
#[derive(Args, Debug)]
pub struct FilterArguments {
    /// Which log [default: list shows sessions, export both logs]
    #[arg(long, value_enum)]
    pub log: Option<LogName>,
    /// Records of this kind only
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Sessions with this verdict
    #[arg(long, value_enum)]
    pub verdict: Option<VerdictName>,
    /// About the medium with this USB serial number
    #[arg(long, value_name = "SERIAL")]
    pub serial: Option<String>,
    /// Sessions in which the file with this SHA-256 was found
    #[arg(long, value_name = "SHA-256")]
    pub digest: Option<String>,
    /// Of this session
    #[arg(long, value_name = "UUID")]
    pub session: Option<String>,
    /// Recorded at this time or later (RFC 3339, or a day)
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<Moment>,
    /// Recorded before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Moment>,
}

/// A log, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogName {
    /// What was checked.
    Transfer,
    /// What happened.
    Event,
    /// Both.
    All,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the words of the verdicts")]
pub enum VerdictName {
    Clean,
    Infected,
    Incomplete,
    Refused,
}

/// Arguments of `blanche journal list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filter: FilterArguments,
    /// Records on the page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub limit: u32,
    /// Go on before this record: as the page before says
    #[arg(long, value_name = "N")]
    pub before: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `blanche journal show`.
#[derive(Args, Debug)]
pub struct ShowRecordArguments {
    #[command(flatten)]
    place: Place,
    /// Identifier of a session, or number of a record
    #[arg(value_name = "SESSION|NUMBER")]
    pub what: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `blanche journal export`.
#[derive(Args, Debug)]
pub struct ExportRecordsArguments {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    filter: FilterArguments,
    /// In which form
    #[arg(long, value_enum, required_unless_present = "checkpoint")]
    pub format: Option<FormatName>,
    /// The file to write; must not exist [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write the newest signed checkpoint to this file, which must not exist, and nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "out"])]
    pub checkpoint: Option<PathBuf>,
}

/// A form of export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// JSON lines
    Jsonl,
    /// CSV (RFC 4180)
    Csv,
    /// Syslog (RFC 5424)
    Syslog,
    /// ArcSight Common Event Format
    Cef,
}

/// Arguments of `blanche journal verify`.
#[derive(Args, Debug)]
pub struct VerifyJournalArguments {
    #[command(flatten)]
    place: Place,
    /// A checkpoint that was exported earlier: what was cut off since is found
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Folder with the authorities and CRLs that count [default: that of the configuration]
    #[arg(long, value_name = "DIR")]
    pub trust: Option<PathBuf>,
    /// Verify every signature, not only that of the newest checkpoint
    #[arg(long)]
    pub every_signature: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A time as people write it: RFC 3339, or a day, which begins at midnight UTC.
fn time(text: &str) -> Result<Moment, String> {
    let midnight = |day: jiff::civil::Date| day.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    let found = text.parse::<jiff::Timestamp>().or_else(|_| text.parse().and_then(midnight));
    found
        .map(|at| Moment::from_millisecond(at.as_millisecond()))
        .map_err(|_| "write a time such as 2026-11-28T09:30:00Z, or a day such as 2026-11-28".to_owned())
}

impl FilterArguments {
    /// What was asked; closing records alone if `sessions` and nothing else says which.
    fn filter(&self, sessions: bool) -> Filter {
        let verdict = self.verdict.map(|verdict| match verdict {
            VerdictName::Clean => Verdict::Clean,
            VerdictName::Infected => Verdict::Infected,
            VerdictName::Incomplete => Verdict::Incomplete,
            VerdictName::Refused => Verdict::Refused,
        });
        let log = match self.log {
            Some(LogName::All) => None,
            Some(LogName::Event) => Some(Log::Event),
            Some(LogName::Transfer) => Some(Log::Transfer),
            None => sessions.then_some(Log::Transfer),
        };
        // A file may stand in a part of a session.
        let closing = sessions && log == Some(Log::Transfer) && self.digest.is_none();
        Filter {
            log,
            kind: self.kind.clone().or_else(|| closing.then(|| SESSION.to_owned())),
            session: self.session.as_ref().map(|session| session.to_ascii_lowercase()),
            serial: self.serial.clone(),
            verdict,
            digest: self.digest.as_ref().map(|digest| digest.to_ascii_lowercase()),
            from: self.from,
            until: self.until,
        }
    }
}

/// Why there is no answer.
enum Failed {
    Settings(ScanError),
    Journal(JournalError),
    /// A file that was named: to be read, or written.
    File(PathBuf, io::Error, Exit),
    /// What was asked for is not there.
    Absent(&'static str, &'static str, u8),
    /// The trust folder, in a sentence.
    Trust(String),
    Output(io::Error),
}

impl From<JournalError> for Failed {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// Does what was asked; the exit code.
pub(super) fn run(command: &JournalCommand, settings: Result<Settings, ScanError>, lang: Lang) -> u8 {
    let done = settings.map_err(Failed::Settings).and_then(|settings| match command {
        JournalCommand::List(arguments) => list(arguments, &settings, lang),
        JournalCommand::Show(arguments) => show(arguments, &settings, lang),
        JournalCommand::Export(arguments) => export(arguments, &settings, lang),
        JournalCommand::Verify(arguments) => verify::run(arguments, &settings, lang),
    });
    done.unwrap_or_else(|failed| complain(failed, lang))
}

fn complain(failed: Failed, lang: Lang) -> u8 {
    let (sentence, code) = match failed {
        Failed::Settings(error) => {
            super::complain(&error, lang);
            return Exit::from(&error).code();
        }
        Failed::Output(error) => return delivered(Err(error), Exit::Clean, lang).code(),
        Failed::Journal(error) => {
            let code = match &error {
                JournalError::Missing { .. } => Exit::Target.code(),
                JournalError::Damaged { .. } => verify::ALTERED,
                _ => Exit::Station.code(),
            };
            (error.sentence(lang == Lang::Fr), code)
        }
        Failed::File(path, error, exit) => (format!("{}: {error}", path.display()), exit.code()),
        Failed::Absent(french, english, code) => (lang.pick(french, english).to_owned(), code),
        Failed::Trust(sentence) => (sentence, Exit::Usage.code()),
    };
    // Nobody listens on standard error: there is nobody to tell that either.
    let _ = writeln!(io::stderr(), "blanche: {}", harmless(&sentence));
    code
}

fn folder<'a>(place: &'a Place, settings: &'a Settings) -> &'a Path {
    place.folder.as_deref().unwrap_or(&settings.journal.folder)
}

/// What was written, unless the reader of the output went away.
fn written(result: io::Result<()>) -> Result<u8, Failed> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failed::Output(error)),
        _ => Ok(Exit::Clean.code()),
    }
}

fn list(arguments: &ListArguments, settings: &Settings, lang: Lang) -> Result<u8, Failed> {
    let reader = Reader::open(folder(&arguments.place, settings))?;
    let limit = usize::try_from(arguments.limit).unwrap_or(AT_ONCE);
    let page = reader.page(&arguments.filter.filter(true), Order::NewestFirst, arguments.before, limit)?;
    written(print(|out| match arguments.json {
        true => list::json(&page, out),
        false => list::page(&page, lang, out),
    }))
}

fn show(arguments: &ShowRecordArguments, settings: &Settings, lang: Lang) -> Result<u8, Failed> {
    let reader = Reader::open(folder(&arguments.place, settings))?;
    let rows = match arguments.what.parse::<u64>() {
        Ok(number) => reader.record(number)?.into_iter().collect(),
        Err(_) => {
            let filter = Filter { session: Some(arguments.what.to_ascii_lowercase()), ..Filter::default() };
            let (mut rows, mut from) = (Vec::new(), None);
            loop {
                let page = reader.page(&filter, Order::OldestFirst, from, AT_ONCE)?;
                rows.extend(page.rows);
                from = page.next;
                if from.is_none() {
                    break rows;
                }
            }
        }
    };
    if rows.is_empty() {
        let (french, english) = ("Le journal n'a pas cet enregistrement.", "The journal has no such record.");
        return Err(Failed::Absent(french, english, Exit::Target.code()));
    }
    written(print(|out| match arguments.json {
        true => list::records(&rows, out),
        false => rows.iter().try_for_each(|row| list::whole(row, lang, out)),
    }))
}

fn export(arguments: &ExportRecordsArguments, settings: &Settings, lang: Lang) -> Result<u8, Failed> {
    let reader = Reader::open(folder(&arguments.place, settings))?;
    if let Some(path) = &arguments.checkpoint {
        return checkpoint(&reader, path, lang);
    }
    let format = match arguments.format {
        Some(FormatName::Csv) => export::Format::Csv,
        Some(FormatName::Syslog) => export::Format::Syslog,
        Some(FormatName::Cef) => export::Format::Cef,
        Some(FormatName::Jsonl) | None => export::Format::JsonLines,
    };
    let filter = arguments.filter.filter(false);
    let Some(path) = &arguments.out else {
        let mut failure = None;
        let result = print(|out| hand_out(&reader, &filter, format, out).or_else(|failed| kept(failed, &mut failure)));
        return failure.map_or_else(|| written(result), |error| Err(error.into()));
    };
    let not_written = |error| Failed::File(path.clone(), error, Exit::Station);
    let mut out = io::BufWriter::new(File::create_new(path).map_err(not_written)?);
    let mut failure = None;
    let result = hand_out(&reader, &filter, format, &mut out)
        .or_else(|failed| kept(failed, &mut failure))
        .and_then(|()| out.flush())
        .and_then(|()| out.get_ref().sync_all());
    if failure.is_some() || result.is_err() {
        // Half an export is not left.
        let _ = std::fs::remove_file(path);
    }
    failure.map_or_else(|| result.map(|()| Exit::Clean.code()).map_err(not_written), |error| Err(error.into()))
}

/// Of the journal, or of the output.
enum HandOut {
    Journal(JournalError),
    Output(io::Error),
}

fn kept(failed: HandOut, failure: &mut Option<JournalError>) -> io::Result<()> {
    match failed {
        HandOut::Journal(error) => {
            *failure = Some(error);
            Ok(())
        }
        HandOut::Output(error) => Err(error),
    }
}

fn hand_out(reader: &Reader, filter: &Filter, format: export::Format, out: &mut dyn Write) -> Result<(), HandOut> {
    // proc(5): what gethostname(2) says. Without it the exporter says "-".
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut exporter = export::Exporter::begin(format, host.trim(), out).map_err(HandOut::Output)?;
    let mut from = None;
    loop {
        let page = reader.page(filter, Order::OldestFirst, from, AT_ONCE).map_err(HandOut::Journal)?;
        page.rows.iter().try_for_each(|row| exporter.record(row)).map_err(HandOut::Output)?;
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

fn checkpoint(reader: &Reader, path: &Path, lang: Lang) -> Result<u8, Failed> {
    let Some((covers, envelope)) = reader.newest_checkpoint()? else {
        return Err(Failed::Absent(
            "Le journal n'a aucun point de contrôle signé. Installez les clés de la station (docs/keys.md).",
            "The journal has no signed checkpoint. Install the station's keys (docs/keys.md).",
            verify::UNSIGNED,
        ));
    };
    let write = || {
        let mut file = File::create_new(path)?;
        let filled = file.write_all(&envelope).and_then(|()| file.sync_all());
        filled.inspect_err(|_| drop(std::fs::remove_file(path)))
    };
    write().map_err(|error| Failed::File(path.to_owned(), error, Exit::Station))?;
    let name = harmless(&path.display().to_string());
    let line = lang.pick(
        format!("Point de contrôle jusqu'à l'enregistrement {covers} écrit dans {name}"),
        format!("Checkpoint up to record {covers} written to {name}"),
    );
    written(print(|out| writeln!(out, "{line}")))
}
