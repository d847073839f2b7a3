//! `blanche-kiosk`: the screen that a person meets at a station.

#![forbid(unsafe_code)]

use clap::Parser;

fn main() -> std::process::ExitCode {
    blanche_kiosk::app::run(blanche_kiosk::app::Arguments::parse())
}
