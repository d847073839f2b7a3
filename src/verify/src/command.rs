//! The commands, as programs mount them.

use crate::arguments::{ShowArguments, VerifyArguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::lang::Lang;
use crate::{report, show as tag, text, verification};
use clap::Parser;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

const EXIT_CODES: &str = "Exit codes: 0 accepted, 40 no tag, 41 tag refused, 42 medium differs, 43 not readable or not \
                          available, 2 usage, policy or trust, 4 target unreadable, 5 verifier failed, 130 interrupted.";

/// Verifies that a medium is still what a station of Blanche checked.
#[derive(Debug, Parser)]
#[command(name = "blanche-verify", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    arguments: VerifyArguments,
    /// Show what the tag says, without a look at the rest of the medium; TARGET may be a tag file
    #[arg(long, conflicts_with_all = ["level", "tag"])]
    show: bool,
    /// Language of the sentences [default: from LC_ALL, LC_MESSAGES, LANG; else fr]
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

/// The program `blanche-verify`.
#[must_use]
pub fn main() -> ExitCode {
    // A panic in a parser is one line and the end, without a backtrace.
    std::panic::set_hook(Box::new(|panic| {
        let text = format!("blanche-verify: {panic}").replace(['\n', '\r'], " ");
        let _ = writeln!(io::stderr(), "{text}");
        std::process::exit(i32::from(Exit::Verifier.code()));
    }));
    // clap ends the program itself on --help and --version (0) and on wrong usage (2).
    let cli = Cli::parse();
    let lang = cli.lang.unwrap_or_else(Lang::from_environment);
    let exit = if cli.show {
        let VerifyArguments { target, demands, json, .. } = cli.arguments;
        show(&ShowArguments { target, demands, json }, lang)
    } else {
        run(&cli.arguments, lang)
    };
    exit.code().into()
}

/// `blanche verify`, with its answer on standard output. On Linux it confines the whole process for the rest of its
/// life, so it must be the last thing that the process does, and called while there is one thread.
pub fn run(arguments: &VerifyArguments, lang: Lang) -> Exit {
    let outcome = verification::run(arguments, lang);
    let (answer, exit) = match &outcome {
        Ok(found) if arguments.json => (report::document(found, lang), report::exit(&found.outcome)),
        Ok(found) => (text::answer(found, lang), report::exit(&found.outcome)),
        Err(failure) => (failed(failure, &arguments.target, arguments.json, lang), failure.exit()),
    };
    print(&answer, exit)
}

/// `blanche tag show`, with its answer on standard output; confined as [`run`].
pub fn show(arguments: &ShowArguments, lang: Lang) -> Exit {
    let outcome = tag::run(arguments);
    let (answer, exit) = match &outcome {
        Ok(shown) if arguments.json => (tag::document(shown, lang), report::exit(&shown.outcome)),
        Ok(shown) => (tag::text(shown, lang), report::exit(&shown.outcome)),
        Err(failure) => (failed(failure, &arguments.target, arguments.json, lang), failure.exit()),
    };
    print(&answer, exit)
}

/// Says on standard error why there is no answer; returns what belongs on standard output.
fn failed(failure: &Failure, target: &Path, json: bool, lang: Lang) -> String {
    let advice = failure.advice(lang);
    // Nobody may listen there: there is nobody to tell that either.
    let _ = writeln!(io::stderr(), "blanche-verify: {}\n                {}", advice.what, advice.next);
    if json { report::failure(failure, target, lang) } else { String::new() }
}

/// A reader that goes away, as `head` does, changes nothing; any other failure means that nobody got the answer.
fn print(answer: &str, exit: Exit) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(answer.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Verifier,
        _ => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_has_code_2_and_help_has_code_0() {
        let code = |arguments: &[&str]| {
            Cli::try_parse_from(["blanche-verify"].iter().chain(arguments)).map(|_| ()).unwrap_err().exit_code()
        };
        for wrong in [
            &[][..],
            &["--level", "deep", "x"],
            &["--block-size", "513", "x"],
            &["--memory", "m", "--no-memory", "x"],
            &["--lang", "de", "x"],
            &["--show", "--level", "full", "x"],
            &["x", "y"],
        ] {
            assert_eq!(code(wrong), i32::from(Exit::Usage.code()), "{wrong:?}");
        }
        assert_eq!((code(&["--help"]), code(&["--version"])), (0, 0));
    }
}
