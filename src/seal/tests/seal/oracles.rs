//! Other people's programs: run, and understood.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

/// Runs a program that must be installed.
pub(crate) fn output<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Output {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", format!("{path}:/usr/sbin:/sbin")).env("MTOOLS_SKIP_CHECK", "1");
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC0");
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}. Install what the tests need: make deps-test"))
}

/// Runs a program that must succeed; its standard output.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Vec<u8> {
    let answer = output(program, arguments);
    let shown: Vec<_> = arguments.iter().map(|one| one.as_ref().to_string_lossy().into_owned()).collect();
    assert!(answer.status.success(), "{program} {shown:?}: {answer:?}");
    answer.stdout
}

/// What the checker of the filesystem finds, line by line, without what is no finding.
pub(crate) fn findings(volume: &Path, exfat: bool) -> Vec<String> {
    let (program, options) = if exfat { ("fsck.exfat", "-n") } else { ("fsck.vfat", "-n") };
    let answer = output(program, &[options.as_ref(), volume.as_os_str()]);
    let text = String::from_utf8_lossy(&answer.stdout).into_owned() + &String::from_utf8_lossy(&answer.stderr);
    let name = volume.to_string_lossy().into_owned();
    let said = |line: &&str| {
        let line = line.trim();
        let banner = line.starts_with("fsck.fat ") || line.starts_with("exfatprogs version");
        // "x.img: 2 files, 3/4 clusters" and "x.img: clean. directories 1, files 2".
        let summary = line.starts_with(&name) && (line.ends_with("clusters") || line.contains(": clean."));
        !line.is_empty() && !banner && !summary
    };
    let lines: Vec<String> = text.lines().filter(said).map(|line| line.trim().to_owned()).collect();
    assert!(answer.status.success() || !lines.is_empty(), "{program} failed without a word: {answer:?}");
    lines
}

/// Whether a finding is one that a power cut may leave behind: lost clusters, copies of the FAT that differ, counts; and
/// what fsck.vfat says about these. fsck.exfat may say nothing: it does not report lost clusters or the dirty flag.
pub(crate) fn may_stay(finding: &str, exfat: bool) -> bool {
    let fat = [
        "FATs differ but appear to be intact.",
        "Using first FAT.",
        "Reclaimed ",
        "Free cluster summary wrong",
        "Auto-correcting.",
        "Leaving filesystem unchanged.",
    ];
    !exfat && fat.iter().any(|one| finding.starts_with(one))
}
