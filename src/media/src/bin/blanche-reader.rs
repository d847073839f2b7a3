//! Reads one medium or folder inside a sandbox; see [`blanche_media::run`].

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match blanche_media::run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            use std::io::Write as _;
            // Nobody may listen; there is nothing else to do about that.
            let _ = writeln!(std::io::stderr(), "blanche-reader: {failed}");
            ExitCode::from(failed.exit_code())
        }
    }
}
