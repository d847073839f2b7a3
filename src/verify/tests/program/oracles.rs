//! Other people's programs.

use std::ffi::OsStr;
use std::process::Command;

/// Runs a program that must be installed and succeed; its standard output.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Vec<u8> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", format!("{path}:/usr/sbin:/sbin")).env("MTOOLS_SKIP_CHECK", "1");
    command.env("LC_ALL", "C.UTF-8");
    let answer = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}. Install what the tests need: make deps-test"));
    assert!(answer.status.success(), "{command:?}: {answer:?}");
    answer.stdout
}
