//! Who runs what a test starts, and how all of it is ended.
//!
//! A compositor refuses to work for root, so that root starts everything as `nobody`. The bus starts programs that nobody here
//! knows by number: every process of a desk carries a mark in its environment, and whatever carries it is ended in the end.

use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// `nobody` and `nogroup` of Debian.
const NOBODY: (u32, u32) = (65_534, 65_534);
/// The variable that marks the processes of a desk.
pub(crate) const MARK: &str = "BLANCHE_DESK";
/// Time for a process that was asked to end.
const GRACE: Duration = Duration::from_secs(3);

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// Lets a command run as an ordinary user.
pub(crate) fn as_person(command: &mut Command) -> &mut Command {
    if is_root() {
        // Also gives up every other group (std::os::unix::process::CommandExt::uid).
        command.uid(NOBODY.0).gid(NOBODY.1);
    }
    command
}

/// Gives a folder or file to that user.
pub(crate) fn give(path: &Path) {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY.0), Some(NOBODY.1)).expect("root may");
    }
}

/// Ends every process with that mark: asks first.
pub(crate) fn end_all(mark: &str) {
    for signal in [Signal::TERM, Signal::KILL] {
        let start = Instant::now();
        let mut asked = Vec::new();
        loop {
            let left = marked(mark);
            if left.is_empty() {
                return;
            }
            // What was started meanwhile is asked too, but everything only once.
            for &pid in left.iter().filter(|pid| !asked.contains(*pid)).collect::<Vec<_>>() {
                let _ = kill_process(pid, signal);
                asked.push(pid);
            }
            if start.elapsed() > GRACE {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Living processes with that mark.
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}");
    let processes = std::fs::read_dir("/proc").expect("procfs").flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let carries = |pid: &i32| {
        // A process that ended or belongs to somebody else cannot be read; one that waits to be reaped has no environment.
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|text| text.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes()))
    };
    numbers.filter(carries).filter_map(Pid::from_raw).collect()
}
