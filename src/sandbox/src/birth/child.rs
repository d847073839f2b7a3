//! A living child: its channel, its end.

use super::{Birth, BirthError, Role, steps, verify};
use crate::wire::Born;
use crate::{Channel, ChannelError};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Longest wait for a child's [`Born`]. The signer derives a key from its passphrase before it is born, on a machine that may be busy.
const BIRTH_LIMIT: Duration = Duration::from_secs(30);
/// Longest wait for a killed child to end. One that hangs in the kernel (a device that does not answer) is left behind.
const END_LIMIT: Duration = Duration::from_secs(5);

/// A process that was born by [`Child::spawn`] or adopted from a zygote. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    channel: Channel,
    killer: Killer,
    pid: i32,
    born: Option<Born>,
    /// Whether the kernel tells us how it ended: only for processes that we forked.
    own: bool,
    ended: OnceLock<Ending>,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Exited(i32),
    /// It was killed by this signal.
    Signalled(i32),
    /// It is gone; how is known only to the zygote that forked it.
    Gone,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(formatter, "exit code {code}"),
            Self::Signalled(libc::SIGSYS) => formatter.write_str("killed for a forbidden system call"),
            Self::Signalled(signal) => write!(formatter, "killed by signal {signal}"),
            Self::Gone => formatter.write_str("gone"),
        }
    }
}

impl Child {
    /// Starts a child. For a reader or signer, waits (10 s at most) until it has said that it is confined, and verifies it.
    ///
    /// The child dies with the calling *thread*.
    ///
    /// # Errors
    /// See [`BirthError`]; no process is left behind.
    pub fn spawn(birth: &Birth<'_>) -> Result<Self, BirthError> {
        let (channel, pid, pidfd) = steps::spawn(birth)?;
        let child = Self::new(channel, pid, pidfd, true);
        match birth.role {
            Role::Reader | Role::Signer { .. } => child.confined(),
            Role::Zygote => Ok(child),
        }
    }

    /// Takes over a matcher that a zygote forked: `pidfd` must be that of `pid`, `channel` the matcher's. Waits (10 s
    /// at most) until it has said that it is confined, and verifies it.
    ///
    /// # Errors
    /// See [`BirthError`]; the process behind `pidfd` is killed.
    pub fn adopt(channel: Channel, pid: i32, pidfd: OwnedFd) -> Result<Self, BirthError> {
        let named = verify::pid_of(pidfd.as_fd());
        let child = Self::new(channel, pid, pidfd, false);
        if named != Some(pid) {
            return Err(BirthError::Layer("the process descriptor is not that of the process named"));
        }
        child.confined()
    }

    fn new(channel: Channel, pid: i32, pidfd: OwnedFd, own: bool) -> Self {
        Self { channel, killer: Killer { pidfd: Arc::new(pidfd) }, pid, born: None, own, ended: OnceLock::new() }
    }

    /// Waits for [`Born`] and verifies it.
    fn confined(mut self) -> Result<Self, BirthError> {
        let mut born = match self.channel.receive::<Born>(Some(BIRTH_LIMIT)) {
            Ok(received) => received.message,
            Err(ChannelError::Closed) => {
                let ending = self.wait_end(Duration::from_secs(1));
                return Err(ending.map_or(BirthError::Silent(ChannelError::Closed), BirthError::NotBorn));
            }
            Err(error) => return Err(BirthError::Silent(error)),
        };
        let checked = verify::confinement(self.pid, &mut born);
        // Only now is it certain that /proc spoke of this process and not of a later one with the same number.
        if let Some(ending) = self.wait_end(Duration::ZERO) {
            return Err(BirthError::NotBorn(ending));
        }
        checked?;
        self.born = Some(born);
        Ok(self)
    }

    /// The channel to the child.
    #[must_use]
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// What the child said about its confinement, verified; absent for a zygote.
    #[must_use]
    pub fn born(&self) -> Option<&Born> {
        self.born.as_ref()
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// CPU time that it has used so far, in hundredths of a second: proc(5), `/proc/PID/stat`, fields 14 and 15. `None`
    /// once nobody can tell any more.
    #[must_use]
    pub fn cpu(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        // The name in field 2 may hold anything; the fields behind it are numbers.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let used = ticks()?.checked_add(ticks()?)?;
        // USER_HZ is 100 on every architecture that Linux has today.
        used.checked_mul(10).map(Duration::from_millis)
    }

    /// Kills it. May be called again, and after its end.
    pub fn kill(&self) {
        self.killer.kill();
    }

    /// A handle by which another thread may kill the child.
    ///
    /// # Errors
    /// None today; a `Result` so that callers are ready for a kernel that refuses.
    pub fn killer(&self) -> Result<Killer, BirthError> {
        Ok(self.killer.clone())
    }

    /// Waits until the child has ended, `limit` at most; `None` while it lives.
    pub fn wait_end(&self, limit: Duration) -> Option<Ending> {
        if let Some(ending) = self.ended.get() {
            return Some(*ending);
        }
        if !ended_within(self.killer.pidfd.as_fd(), limit) {
            return None;
        }
        let ending = if self.own { reap(self.killer.pidfd.as_fd()) } else { Ending::Gone };
        Some(*self.ended.get_or_init(|| ending))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        let _ = self.wait_end(END_LIMIT);
    }
}

/// Kills one child, from any thread, at any time. Never hits another process: it holds a process descriptor.
#[derive(Clone, Debug)]
pub struct Killer {
    pidfd: Arc<OwnedFd>,
}

impl Killer {
    /// Kills the child. May be called again, and after its end.
    pub fn kill(&self) {
        // The only answers are success and "no such process": it ended already.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }
}

/// Waits until the process behind `pidfd` has ended: pidfd_open(2), "poll".
fn ended_within(pidfd: BorrowedFd<'_>, limit: Duration) -> bool {
    let deadline = Instant::now().checked_add(limit);
    loop {
        let left = deadline.map_or(limit, |deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = Timespec::try_from(left).ok();
        match rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], timeout.as_ref()) {
            Err(Errno::INTR) => {}
            Err(_) | Ok(0) => return false,
            Ok(_) => return true,
        }
    }
}

/// Collects an ended child of ours.
fn reap(pidfd: BorrowedFd<'_>) -> Ending {
    match rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED) {
        Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Ending::Exited(code),
            (None, Some(signal)) => Ending::Signalled(signal),
            (None, None) => Ending::Gone,
        },
        _ => Ending::Gone,
    }
}
