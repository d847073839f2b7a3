//! Runs in the guest: see `blanche_e2e::agent`.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    blanche_e2e::agent::serve()
}
