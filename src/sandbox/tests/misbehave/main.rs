//! Children that misbehave on request, and the kernel's answer: a promise of the sandbox stands here as a test, and
//! each forbidden act is really tried.
//!
//! The children are this program, started again (`child …`); so is the parent that gets killed (`parent …`). As root,
//! the same tests run again as the user nobody, and again where user namespaces are forbidden.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test program: what goes wrong ends it and says where"
)]

mod acts;
mod child;
mod parent;
mod trials;
mod work;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((mode, rest)) if mode == "child" => child::run(rest),
        Some((mode, _)) if mode == "parent" => parent::run(),
        _ => {}
    }
    let nested = std::env::var(parent::NESTED).unwrap_or_default();
    if nested.contains("without user namespaces") {
        child::forbid_user_namespaces();
    }
    let mut trials = trials::all();
    if nested.is_empty() {
        trials.extend(parent::again());
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
