//! Running programs of the host.

use crate::failure::{Failure, Result};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs `program` in `folder`; returns its standard output.
///
/// # Errors
/// [`Failure`] when it is missing or fails, with what it said.
pub fn run<I, S>(folder: &Path, program: &str, arguments: I) -> Result<Vec<u8>>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = command(folder, program);
    command.args(arguments);
    checked(&mut command).map(|output| output.stdout)
}

/// A command that finds Debian's tools for administrators, which are outside a user's path.
pub(crate) fn command(folder: &Path, program: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.current_dir(folder).env("PATH", format!("{path}:/usr/sbin:/sbin")).env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null());
    command
}

/// Runs `command` to its end; success only.
pub(crate) fn checked(command: &mut Command) -> Result<Output> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(Failure::host(shown.clone()))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [&output.stderr[..], &output.stdout[..]].map(String::from_utf8_lossy).concat();
    Err(Failure::Program { command: shown, status: output.status.to_string(), said })
}
