//! The program `blanche-stationd`: see [`blanche_station::stationd`].

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    blanche_station::stationd::main()
}
