//! Writes one tag onto one medium inside a sandbox; see [`blanche_seal::run`].

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match blanche_seal::run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            use std::io::Write as _;
            // Nobody may listen; there is nothing else to do about that.
            let _ = writeln!(std::io::stderr(), "blanche-sealer: {failed}");
            ExitCode::FAILURE
        }
    }
}
