//! How a zygote forks a matcher.

use super::BirthError;
use rustix::process::{Pid, PidfdFlags};
use std::io;
use std::os::fd::OwnedFd;

/// Which of the two processes returned from [`fork_confinable`].
#[derive(Debug)]
pub enum Forked {
    /// The new process. It must confine itself before it looks at anything.
    Child,
    /// The process that forked.
    Parent {
        /// The new process.
        pid: i32,
        /// Its descriptor, for [`super::Child::adopt`].
        pidfd: OwnedFd,
    },
}

/// Forks a single-threaded process. The new one dies with this one, and does not run before its process descriptor is
/// held, so the descriptor is certainly its own.
///
/// The kernel collects ended children by itself from then on (`SIGCHLD` ignored, wait(2)): no zombie is left, and the
/// zygote does not learn how its matchers ended.
///
/// # Errors
/// When this process has more than one thread, or the kernel refuses.
pub fn fork_confinable() -> Result<Forked, BirthError> {
    let prepare = |what| move |source: io::Error| BirthError::Prepare { what, source };
    let threads = crate::confine::threads().map_err(prepare("counting threads in /proc/self/task"))?;
    if threads != 1 {
        return Err(prepare("forking")(io::Error::other(format!("this process has {threads} threads instead of one"))));
    }
    let (wait, go) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|error| prepare("making a pipe")(error.into()))?;
    let parent = std::process::id();
    // SAFETY: SIG_IGN is a valid disposition; no handler of ours is replaced, since a zygote installs none for SIGCHLD.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    // SAFETY: the process has one thread (checked above), so the new one finds every lock free.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(prepare("forking")(io::Error::last_os_error())),
        0 => {
            drop(go);
            // Returns at the byte, or at the end of the parent, after which the next step ends this process too.
            let _ = rustix::io::read(&wait, &mut [0u8; 1]);
            if die_with(parent).is_err() {
                // SAFETY: ends this process at once; an error would come back to code that believes to be the parent.
                unsafe { libc::_exit(1) }
            }
            Ok(Forked::Child)
        }
        pid => {
            let process =
                Pid::from_raw(pid).ok_or_else(|| prepare("forking")(io::Error::other("no process number")))?;
            let pidfd = rustix::process::pidfd_open(process, PidfdFlags::empty())
                .map_err(|error| prepare("opening the process descriptor")(error.into()))?;
            let _ = rustix::io::write(&go, &[1]);
            Ok(Forked::Parent { pid, pidfd })
        }
    }
}

/// Makes the kernel kill this process when the thread that forked it ends.
fn die_with(parent: u32) -> Result<(), BirthError> {
    let failed = |source| BirthError::Step { step: "asking to die with the parent", source };
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| failed(error.into()))?;
    let now = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == parent { Ok(()) } else { Err(failed(io::Error::other("the parent is gone"))) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test that fails says where")]
    use super::*;

    /// A test never runs on the only thread of its process.
    #[test]
    fn a_process_with_threads_does_not_fork() {
        match fork_confinable() {
            Err(BirthError::Prepare { what: "forking", source }) => assert!(source.to_string().contains("threads")),
            other => panic!("{other:?}"),
        }
    }
}
