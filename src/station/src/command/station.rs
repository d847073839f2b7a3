//! `blanche station`: what the daemon shows on the bus, and the orders that it takes.

mod copy;
mod selftest;
mod show;
mod training;
mod watch;

use super::print;
use crate::exit::Exit;
use blanche_bus::{Bus, Client, Session, SessionProxy, StationLine};
use blanche_scan::words::{Advice, Lang, harmless};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::io::{self, Write};
use training::{InsertArguments, RemoveArguments};

/// Exit codes for `--help`; docs/exit-codes.md has the table.
pub(super) const CODES: &str = "Exit codes: 0 done, or ready to check and to seal; 2 usage; 3 the station's engines are unusable; 4 no such \
                     session, port or medium, or nothing to be done there; 5 the station or the bus does not answer, or refuses; 6 the \
                     station checks but seals nothing; 130 interrupted.";

/// What can be asked of a running station.
#[derive(Debug, Subcommand)]
pub enum StationCommand {
    /// Show whether the station can check and seal, and its media
    #[command(after_help = CODES)]
    Status(StationArguments),
    /// Show what happens, until Ctrl-C
    #[command(after_help = CODES)]
    Watch(StationArguments),
    /// Stop checking a medium
    #[command(after_help = CODES)]
    Cancel(SessionArguments),
    /// Copy the files of a checked medium to a key of the station
    #[command(after_help = CODES)]
    Copy(CopyOrderArguments),
    /// Let a medium go: afterwards it may be unplugged, and must be plugged in again to be seen
    #[command(after_help = CODES)]
    Eject(SessionArguments),
    /// Have the engines of the running station find what they must find, now
    #[command(after_help = CODES)]
    Selftest(StationArguments),
    /// Training: plug a made-up medium into a simulated station; without KIND, list what there is
    #[command(after_help = CODES)]
    Insert(InsertArguments),
    /// Training: pull a made-up medium out of a simulated station
    #[command(after_help = CODES)]
    Remove(RemoveArguments),
}

/// Where the station is, and how it is shown.
#[derive(Args, Debug)]
pub struct StationArguments {
    /// Print JSON: one document, or one line for each change (docs/station.md)
    #[arg(long)]
    pub json: bool,
    /// Bus of the station: system, session or an address
    #[arg(long, value_name = "BUS", default_value = "system")]
    pub bus: Bus,
}

/// Which session.
#[derive(Args, Debug)]
pub struct SessionArguments {
    /// Session number, or block device [default: the only one]
    #[arg(value_name = "SESSION")]
    pub session: Option<String>,
    /// How the station is reached.
    #[command(flatten)]
    pub station: StationArguments,
}

/// Whose files, and to where.
#[derive(Args, Debug)]
pub struct CopyOrderArguments {
    /// Session number, or block device [default: the only one whose files can be copied]
    #[arg(value_name = "SESSION")]
    pub session: Option<String>,
    /// Number of a medium in an output port, or its block device [default: the only one]
    #[arg(value_name = "OUTPUT")]
    pub output: Option<String>,
    /// Lose whatever is on the output medium; without this, it must hold nothing
    #[arg(long)]
    pub erase: bool,
    /// How the station is reached.
    #[command(flatten)]
    pub station: StationArguments,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    /// The bus, the station, or the rights on the bus.
    #[error(transparent)]
    Bus(#[from] zbus::Error),
    /// No session fits, or more than one: how many.
    #[error("{0} sessions fit")]
    Which(usize),
    /// The station is a real one: nothing is made up there.
    #[error("the station is not simulated")]
    NotSimulated,
    /// No output medium fits, or more than one: how many.
    #[error("{0} output media fit")]
    WhichOutput(usize),
    /// Standard output.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Does what was asked.
pub(super) fn run(command: &StationCommand, lang: Lang) -> Exit {
    let done = match command {
        StationCommand::Status(arguments) => zbus::block_on(status(arguments, lang)),
        StationCommand::Watch(arguments) => watch::end_with_signals()
            .map_err(NoAnswer::from)
            .and_then(|()| zbus::block_on(watch::watch(arguments, lang))),
        StationCommand::Cancel(arguments) => zbus::block_on(order(arguments, Kind::Cancel, lang)),
        StationCommand::Copy(arguments) => zbus::block_on(copy::order(arguments, lang)),
        StationCommand::Eject(arguments) => zbus::block_on(order(arguments, Kind::Eject, lang)),
        StationCommand::Selftest(arguments) => zbus::block_on(selftest::run(arguments, lang)),
        StationCommand::Insert(arguments) => zbus::block_on(training::insert(arguments, lang)),
        StationCommand::Remove(arguments) => zbus::block_on(training::remove(arguments, lang)),
    };
    done.unwrap_or_else(|error| complain(&error, lang))
}

async fn status(arguments: &StationArguments, lang: Lang) -> Result<Exit, NoAnswer> {
    let client = Client::connect(&arguments.bus).await?;
    let (station, sessions) = client.everything().await?;
    let exit = readiness(&station);
    if arguments.json {
        print(|out| json(out, &Document { schema: "blanche-station/1", station: &station, sessions: &sessions }))?;
        return Ok(exit);
    }
    let sayings = client.station().words(code(lang)).await?;
    print(|out| show::status(&station, &sayings, &sessions, lang, out))?;
    Ok(exit)
}

/// What `status --json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    station: &'a StationLine,
    sessions: &'a [Session],
}

fn readiness(station: &StationLine) -> Exit {
    let engines = station.problems.iter().any(|problem| problem.kind == "engines");
    match (engines, station.can_seal) {
        (true, _) => Exit::Engines,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Unsealed,
    }
}

/// What is ordered.
#[derive(Clone, Copy)]
enum Kind {
    Cancel,
    Eject,
}

impl Kind {
    /// Whether it can be ordered of a session.
    fn makes_sense(self, session: &Session) -> bool {
        match self {
            Self::Cancel => matches!(session.state.as_str(), "queued" | "checking" | "sealing" | "copying"),
            Self::Eject => session.state == "verdict",
        }
    }
}

async fn order(arguments: &SessionArguments, kind: Kind, lang: Lang) -> Result<Exit, NoAnswer> {
    let client = Client::connect(&arguments.station.bus).await?;
    let (_, sessions) = client.everything().await?;
    let session = which(&sessions, arguments.session.as_deref(), |session| kind.makes_sense(session))?;
    let proxy: SessionProxy<'_> = client.session(&session.path).await?;
    match kind {
        Kind::Cancel => proxy.cancel().await?,
        Kind::Eject => proxy.eject().await?,
    }
    if arguments.station.json {
        print(|out| json(out, session))?;
    } else {
        let name = show::name(&session.medium, lang);
        let done = match kind {
            Kind::Cancel => {
                lang.pick(format!("{name} : la vérification s'arrête."), format!("{name}: the check is being stopped."))
            }
            Kind::Eject => {
                lang.pick(format!("{name} : vous pouvez le retirer."), format!("{name}: you may take it out."))
            }
        };
        print(|out| writeln!(out, "{done}"))?;
    }
    Ok(Exit::Clean)
}

/// The session that is meant: named by number or block device, or the only one for which the order makes sense.
fn which<'a>(
    sessions: &'a [Session],
    named: Option<&str>,
    makes_sense: impl Fn(&Session) -> bool,
) -> Result<&'a Session, NoAnswer> {
    let fits = |session: &&Session| match named {
        Some(name) => session.session == name || (session.medium.node == name && session.state != "removed"),
        None => makes_sense(session),
    };
    let mut fitting = sessions.iter().filter(fits);
    match (fitting.next(), fitting.count()) {
        (Some(only), 0) => Ok(only),
        (found, more) => Err(NoAnswer::Which(usize::from(found.is_some()).saturating_add(more))),
    }
}

/// Tells a person why there is no answer.
fn complain(error: &NoAnswer, lang: Lang) -> Exit {
    let (exit, advice) = match error {
        NoAnswer::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Clean,
        NoAnswer::Output(error) => (Exit::Station, show::failed(&error.to_string(), lang)),
        NoAnswer::WhichOutput(number) => (Exit::Target, show::which_output(*number, lang)),
        NoAnswer::Which(number) => (Exit::Target, show::which(*number, lang)),
        NoAnswer::NotSimulated => (Exit::Target, show::not_simulated(lang)),
        NoAnswer::Bus(error) => bus_error(error, lang),
    };
    let Advice { what, next } = advice;
    // Nobody listens on standard error: there is nobody to tell that either.
    let _ = writeln!(io::stderr(), "blanche: {what}\n         {next}");
    exit
}

fn bus_error(error: &zbus::Error, lang: Lang) -> (Exit, Advice) {
    use zbus::fdo::Error as Standard;
    match error {
        zbus::Error::MethodError(name, text, _) => match name.as_str().strip_prefix("org.blanche.Error.") {
            Some(known @ ("NoSuchSession" | "NothingToCancel" | "InUse")) => (Exit::Target, show::refused(known, lang)),
            Some("NotReady") => (Exit::Engines, show::not_ready(lang)),
            Some("Running") => (Exit::Station, show::running(lang)),
            Some("NoSuchMedium" | "NoSuchPort" | "PortTaken" | "NothingThere") => {
                (Exit::Target, show::not_plugged(&harmless(text.as_deref().unwrap_or_default()), lang))
            }
            Some(known) if copy::is_refusal(known) => {
                (Exit::Target, copy::refused(known, text.as_deref().unwrap_or_default(), lang))
            }
            _ => (Exit::Station, show::failed(&harmless(text.as_deref().unwrap_or(name.as_str())), lang)),
        },
        zbus::Error::FDO(standard) => match &**standard {
            Standard::ServiceUnknown(_) | Standard::NameHasNoOwner(_) => (Exit::Station, show::absent(lang)),
            Standard::AccessDenied(_) => (Exit::Station, show::denied(lang)),
            Standard::UnknownObject(_) => (Exit::Target, show::refused("NoSuchSession", lang)),
            other => (Exit::Station, show::failed(&harmless(&other.to_string()), lang)),
        },
        zbus::Error::Connection(..) | zbus::Error::InputOutput(_) | zbus::Error::Address(_) => {
            (Exit::Station, show::no_bus(&harmless(&error.to_string()), lang))
        }
        other => (Exit::Station, show::failed(&harmless(&other.to_string()), lang)),
    }
}

/// A language, as the bus names it.
const fn code(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "fr",
        Lang::En => "en",
    }
}

/// One JSON document on one line.
fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn session(id: &str, state: &str, node: &str) -> Session {
        let mut session = Session { session: id.to_owned(), state: state.to_owned(), ..Session::default() };
        session.medium.node = node.to_owned();
        session
    }

    #[test]
    fn an_order_without_a_name_goes_to_the_only_session_that_it_fits() {
        let sessions = [
            session("a", "checking", "/dev/sdb"),
            session("b", "verdict", "/dev/sdc"),
            session("c", "removed", "/dev/sdb"),
        ];
        let which = |named, kind: Kind| super::which(&sessions, named, |session| kind.makes_sense(session));
        assert_eq!(which(None, Kind::Cancel).expect("one").session, "a");
        assert_eq!(which(None, Kind::Eject).expect("one").session, "b");
        assert_eq!(which(Some("/dev/sdb"), Kind::Eject).expect("the one that is there").session, "a");
        assert_eq!(which(Some("c"), Kind::Eject).expect("named").session, "c");
        assert!(matches!(which(Some("d"), Kind::Eject), Err(NoAnswer::Which(0))));
        let two = [session("a", "checking", ""), session("b", "queued", "")];
        let any = super::which(&two, None, |session| Kind::Cancel.makes_sense(session));
        assert!(matches!(any, Err(NoAnswer::Which(2))));
    }

    #[test]
    fn the_documented_codes_are_the_codes() {
        let text = include_str!("../../../../docs/exit-codes.md");
        let (_, section) = text.split_once("## `blanche station`").expect("the section");
        let section = section.split("\n## ").next().expect("its end");
        let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
        let documented: Vec<u8> = rows.filter_map(|row| row.split(' ').next()?.parse().ok()).collect();
        let codes =
            [Exit::Clean, Exit::Usage, Exit::Engines, Exit::Target, Exit::Station, Exit::Unsealed, Exit::Interrupted];
        assert_eq!(documented, codes.map(Exit::code));
        let said: Vec<u8> = CODES.split([' ', ';', ':']).filter_map(|word| word.parse().ok()).collect();
        assert_eq!(said, codes.map(Exit::code), "--help says the same");
    }

    #[test]
    fn readiness_is_what_a_monitor_wants_to_know() {
        let mut station = StationLine { can_seal: true, ..StationLine::default() };
        assert_eq!(readiness(&station), Exit::Clean);
        station.can_seal = false;
        assert_eq!(readiness(&station), Exit::Unsealed);
        station.problems = vec![blanche_bus::ProblemLine { kind: "engines".to_owned(), detail: String::new() }];
        assert_eq!(readiness(&station), Exit::Engines);
    }
}
