//! The child's side of its birth: the descriptors that the parent placed.

use super::{CHANNEL_FD, MEDIUM_FD};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// A descriptor that a child is born with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherited {
    /// The medium or the folder of a reader, the credential of a signer: [`MEDIUM_FD`].
    Medium,
    /// The channel to the parent, [`CHANNEL_FD`].
    Channel,
}

impl Inherited {
    /// Its number, which is what the seccomp filter looks at.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Medium => MEDIUM_FD,
            Self::Channel => CHANNEL_FD,
        }
    }

    /// Takes the descriptor over. It is to be called before the program opens anything: only then is what stands at
    /// this number certainly what the parent placed there.
    ///
    /// Absent when it was taken before, or when nothing is open at its number.
    #[must_use]
    pub fn take(self) -> Option<OwnedFd> {
        static TAKEN: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];
        let taken = match self {
            Self::Medium => &TAKEN[0],
            Self::Channel => &TAKEN[1],
        };
        // SAFETY: fcntl(2) with a plain number; it only asks.
        let open = unsafe { libc::fcntl(self.number(), libc::F_GETFD) } != -1;
        if !open || taken.swap(true, Ordering::SeqCst) {
            return None;
        }
        // SAFETY: the number is open, and nobody in this process can have taken it before: the flag above is set once,
        // and the parent places nothing else there.
        Some(unsafe { OwnedFd::from_raw_fd(self.number()) })
    }
}
