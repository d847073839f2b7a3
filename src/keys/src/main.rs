//! Holds a station's keys and signs tags; see [`blanche_keys::signer`].

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match blanche_keys::signer::run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            use std::io::Write as _;
            // Nobody may listen; there is nothing else to do about that.
            let _ = writeln!(std::io::stderr(), "blanche-signer: {failed}");
            ExitCode::from(failed.exit_code())
        }
    }
}
