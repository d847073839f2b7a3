//! The command line: what was asked, and the way through it.

mod copy;
mod destination;
mod engines;
pub mod journal;
mod scan;
mod station;
mod tag;

use crate::exit::Exit;
use crate::log;
use blanche_keys::KeysCommand;
use blanche_scan::ScanError;
use blanche_scan::settings::Settings;
use blanche_scan::words::{self, Lang};
use blanche_verify::{ShowArguments, VerifyArguments};
use clap::{Args, Parser, Subcommand};
use journal::JournalCommand;
pub use station::{SessionArguments, StationArguments, StationCommand};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Checks removable media and says what was found and what could not be checked.
#[derive(Debug, Parser)]
#[command(name = "blanche", version, propagate_version = true)]
pub struct Cli {
    /// What is asked.
    #[command(subcommand)]
    pub command: Command,
    /// Language of the sentences: fr or en [default: from LC_ALL, LC_MESSAGES, LANG; else fr]
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<Lang>,
    /// Configuration file [default: /etc/blanche/blanche.toml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check media, images of media, or folders
    #[command(after_help = EXIT_CODES)]
    Scan(ScanArguments),
    /// Check a medium and copy its files to another one, which is erased
    #[command(after_help = COPY_CODES)]
    Copy(CopyArguments),
    /// Show engines, bases and their dates, limits in force, and which containers are opened
    Engines(EngineArguments),
    /// Prove that each engine finds its test markers inside the sandbox
    Selftest(EngineArguments),
    /// Verify that a medium is still what a station checked
    #[command(after_help = VERIFY_CODES)]
    Verify(VerifyArguments),
    /// Show tags, and hand out those that the station keeps
    #[command(subcommand)]
    Tag(TagCommand),
    /// Look up, hand out and verify what the station recorded (docs/journal.md)
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Show what a running station does, and give it orders (docs/station.md)
    #[command(subcommand)]
    Station(StationCommand),
    /// Make, certify, renew and revoke the keys that sign tags (docs/keys.md)
    #[command(subcommand)]
    Keys(KeysCommand),
}

const EXIT_CODES: &str = "Exit codes: 0 clean, 6 clean but not sealed although --seal asked for it, 10 incomplete, 20 infected, 30 refused, 2 usage or configuration, \
                          3 engines unusable, 4 target unreadable, 5 station error, 130 interrupted. Of several \
                          targets, the worst decides.";

const COPY_CODES: &str = "Exit codes: 0 copied and sealed, 6 copied but not sealed, 7 clean but not copied, 10 source incomplete, 20 \
                          source infected, 30 source refused, 2 usage or configuration, 3 engines unusable, 4 source \
                          or output unreadable, 5 station error, 130 interrupted.";

const VERIFY_CODES: &str = "Exit codes: 0 accepted, 40 no tag, 41 tag refused, 42 medium differs, 43 not readable or \
                            not available, 2 usage, policy or trust, 4 target unreadable, 5 verifier failed, 130 \
                            interrupted.";

/// What can be asked about tags.
#[derive(Debug, Subcommand)]
pub enum TagCommand {
    /// Show what a tag says
    Show(ShowArguments),
    /// List the tags that the station keeps because their media cannot carry them
    List,
    /// Hand out the tag that the station keeps for a medium
    Export(ExportArguments),
}

/// Arguments of `blanche tag export`.
#[derive(Args, Debug)]
pub struct ExportArguments {
    /// Block device or image file
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// The tag file to write; must not exist
    #[arg(value_name = "FILE")]
    pub to: PathBuf,
}

/// Arguments of `blanche scan`.
#[derive(Args, Debug)]
pub struct ScanArguments {
    /// Block device, image file or folder
    #[arg(required = true, value_name = "TARGET")]
    pub targets: Vec<PathBuf>,
    // The "=" is required: "--json /dev/sdb" must never write a report over a medium.
    /// Write the report as JSON to FILE, or to standard output, and nothing else there
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub json: Option<PathBuf>,
    /// List every file with its digests
    #[arg(long)]
    pub files: bool,
    /// Leave a signed tag on a medium that is clean, or keep one for it (docs/keys.md)
    #[arg(long)]
    pub seal: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
    /// Show where the time went
    #[arg(long)]
    pub profile: bool,
}

/// Arguments of `blanche copy`.
#[derive(Args, Debug)]
pub struct CopyArguments {
    /// Block device or image file whose files are copied
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// Block device or image file that is erased and filled
    #[arg(value_name = "OUTPUT")]
    pub output: PathBuf,
    /// Write the report as JSON to FILE, or to standard output, and nothing else there
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub json: Option<PathBuf>,
    /// Erase everything on OUTPUT
    #[arg(long)]
    pub yes: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

/// Arguments of `blanche engines` and `blanche selftest`.
#[derive(Args, Debug)]
pub struct EngineArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    // clap ends the program itself on --help and --version (0) and on wrong usage (2).
    let cli = Cli::parse();
    log::to_standard_error();
    log::panics_in_one_line();
    run(&cli).into()
}

/// Does what was asked; returns the exit code (docs/exit-codes.md).
#[must_use]
pub fn run(cli: &Cli) -> u8 {
    let lang = cli.lang.unwrap_or_else(Lang::from_environment);
    let settings = || Settings::discover(cli.config.as_deref()).map_err(ScanError::from);
    match &cli.command {
        Command::Scan(arguments) => scan::run(arguments, settings(), lang).code(),
        Command::Copy(arguments) => copy::run(arguments, settings(), lang).code(),
        Command::Engines(arguments) => engines::show(settings(), arguments.json, lang).code(),
        Command::Selftest(arguments) => engines::self_test(settings(), arguments.json, lang).code(),
        Command::Verify(arguments) => blanche_verify::run(arguments, verifiers(lang)).code(),
        Command::Tag(TagCommand::Show(arguments)) => blanche_verify::show(arguments, verifiers(lang)).code(),
        Command::Tag(TagCommand::List) => tag::list(settings(), lang).code(),
        Command::Tag(TagCommand::Export(arguments)) => tag::export(arguments, settings(), lang),
        Command::Journal(command) => journal::run(command, settings(), lang),
        Command::Station(command) => station::run(command, lang).code(),
        Command::Keys(command) => keys(command, lang),
    }
}

/// The language in the verifier's own words: it knows nothing of a station.
fn verifiers(lang: Lang) -> blanche_verify::Lang {
    lang.pick(blanche_verify::Lang::Fr, blanche_verify::Lang::En)
}

/// The ceremony needs no configuration of a station: an authority has none.
fn keys(command: &KeysCommand, lang: Lang) -> u8 {
    match blanche_keys::run(command, lang == Lang::Fr) {
        Ok(()) => Exit::Clean.code(),
        Err(error) => {
            // Nobody listens on standard error: there is nobody to tell that either.
            let _ = writeln!(io::stderr(), "blanche: {}", words::harmless(&error.sentence(lang == Lang::Fr)));
            error.exit_code()
        }
    }
}

/// Tells a person on standard error why there is no result.
fn complain(error: &ScanError, lang: Lang) {
    let advice = words::scan_error(error, lang);
    // Nobody listens on standard error: there is nobody to tell that either.
    let _ = writeln!(io::stderr(), "blanche: {}\n         {}", advice.what, advice.next);
}

/// What an error of the output means for the exit code: a reader that went away, as `head` does, is no failure.
fn delivered(written: io::Result<()>, exit: Exit, lang: Lang) -> Exit {
    match written {
        Ok(()) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            complain(&ScanError::Station(error.to_string()), lang);
            exit.worst(Exit::Station)
        }
    }
}

/// Writes to standard output through a buffer, and flushes it.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

    use super::*;
    use clap::CommandFactory;

    fn scan(arguments: &[&str]) -> Result<(ScanArguments, Option<Lang>), clap::Error> {
        let cli = Cli::try_parse_from(["blanche", "scan"].iter().chain(arguments))?;
        match cli.command {
            Command::Scan(scan) => Ok((scan, cli.lang)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_target_after_json_is_scanned_and_never_overwritten() {
        let (arguments, _) = scan(&["--json", "/dev/sdb"]).expect("valid");
        assert_eq!(arguments.json, Some(PathBuf::from("-")));
        assert_eq!(arguments.targets, [PathBuf::from("/dev/sdb")]);
        let (arguments, _) = scan(&["--json=report.json", "a.img", "b.img"]).expect("valid");
        assert_eq!(arguments.json, Some(PathBuf::from("report.json")));
        assert_eq!(arguments.targets.len(), 2);
    }

    #[test]
    fn wrong_usage_has_code_2_and_help_has_code_0() {
        for wrong in [&[][..], &["--lang", "de", "x"], &["--unknown", "x"]] {
            assert_eq!(scan(wrong).expect_err("wrong usage").exit_code(), i32::from(Exit::Usage.code()), "{wrong:?}");
        }
        assert_eq!(scan(&["--help"]).expect_err("help").exit_code(), 0);
        assert_eq!(Cli::try_parse_from(["blanche", "--version"]).expect_err("version").exit_code(), 0);
    }

    #[test]
    fn the_language_can_stand_anywhere() {
        assert_eq!(scan(&["x", "--lang", "en"]).expect("valid").1, Some(Lang::En));
        let cli = Cli::try_parse_from(["blanche", "--lang", "fr", "engines", "--json"]).expect("valid");
        assert_eq!(cli.lang, Some(Lang::Fr));
    }

    #[test]
    fn a_reader_that_goes_away_changes_nothing() {
        let gone = || Err(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(delivered(gone(), Exit::Infected, Lang::En), Exit::Infected);
        assert_eq!(delivered(gone(), Exit::Clean, Lang::En), Exit::Clean);
        let full = Err(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(delivered(full, Exit::Clean, Lang::En), Exit::Station);
    }

    #[test]
    fn a_wrong_configuration_is_wrong_usage() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("blanche.toml");
        std::fs::write(&file, "[engines]\nmax_scan_time = 5\n").expect("written");
        let file = file.to_str().expect("UTF-8");
        for command in [&["scan", "x"][..], &["engines"], &["selftest"]] {
            let arguments = [&["blanche", "--config", file], command].concat();
            assert_eq!(run(&Cli::try_parse_from(arguments).expect("valid")), Exit::Usage.code());
        }
    }
}
