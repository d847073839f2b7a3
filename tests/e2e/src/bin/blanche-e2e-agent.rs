//! Runs in the guest: see `blanche_e2e::agent`. With a session's number it prints the report of that session instead.

#![forbid(unsafe_code)]

use blanche_e2e::{agent, document};
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1) {
        Some(session) => document::print(&session),
        None => agent::serve(),
    }
}
