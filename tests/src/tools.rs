//! Running other people's programs: one way, with a clear message when one is missing or fails.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs `program` in `folder` and returns its standard output.
///
/// # Panics
/// When the program is not installed or fails; the message holds the whole command and what it said.
pub fn run<I, S>(folder: &Path, program: &str, arguments: I) -> Vec<u8>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    run_with_input(folder, program, arguments, &[])
}

/// As [`run`], with bytes on standard input.
///
/// # Panics
/// As [`run`].
pub fn run_with_input<I, S>(folder: &Path, program: &str, arguments: I, input: &[u8]) -> Vec<u8>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = command(folder, program);
    command.args(arguments);
    let output = finish(&mut command, input);
    assert!(
        output.status.success(),
        "{command:?} failed with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// As [`run`], whatever the exit status: for tools whose status is part of the answer.
///
/// # Panics
/// When the program is not installed.
pub fn try_run<I, S>(folder: &Path, program: &str, arguments: I) -> Output
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = command(folder, program);
    command.args(arguments);
    finish(&mut command, &[])
}

/// How long a FUSE driver may take to let go of the files that were closed last: on a busy disk that takes minutes.
const LET_GO: Duration = Duration::from_secs(600);

/// Unmounts `point`. A busy machine hands the last closings to the driver late: until then the point is "busy".
///
/// # Panics
/// When umount is not installed.
pub(crate) fn unmount(folder: &Path, point: &Path) -> Output {
    let start = Instant::now();
    loop {
        let answer = try_run(folder, "umount", [point]);
        let busy = String::from_utf8_lossy(&answer.stderr).contains("busy");
        if answer.status.success() || !busy || start.elapsed() > LET_GO {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Names with accents only survive in a UTF-8 locale, times on FAT only in a zone that is known, and Debian's formatting tools
/// live outside a user's path.
pub(crate) fn command(folder: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .current_dir(folder)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC0")
        .env("MTOOLS_SKIP_CHECK", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn finish(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}. Install what the tests need: make deps-test"));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    std::thread::scope(|scope| {
        // A program that does not read its input closes the pipe: not our failure.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("the program was started")
    })
}
