//! A station that plays scenes: `show-station BUS`, with commands on standard input (see [`blanche_kiosk_tests::show`]).

use std::process::ExitCode;

fn main() -> ExitCode {
    blanche_kiosk_tests::show::main(std::env::args().nth(1))
}
