//! The command line of Blanche. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    blanche_station::command::main()
}
