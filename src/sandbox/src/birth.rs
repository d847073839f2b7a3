//! The parent's side of a child's birth: limits, namespaces, descriptors, `exec`.
//!
//! The parent prepares everything that needs memory, forks, and the newborn walks through [`steps`], which make system
//! calls only. A pipe that closes on `exec` tells the parent which step failed. Then the parent waits for [`Born`] and
//! checks it against `/proc`: what a child says about itself is never enough.
//!
//! A child dies with the *thread* that gave birth to it (`PR_SET_PDEATHSIG`, prctl(2)): give birth on a thread that
//! outlives the child.

mod child;
mod fork;
mod inherited;
mod steps;
mod verify;

pub use child::{Child, Ending, Killer};
pub use fork::{Forked, fork_confinable};
pub use inherited::Inherited;
pub(crate) use steps::service_user;

use crate::ChannelError;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

/// Descriptor on which the reader finds the medium or the folder.
pub const MEDIUM_FD: i32 = 3;
/// Descriptor on which a child finds its channel.
pub const CHANNEL_FD: i32 = 4;

/// What is needed to bring a child into the world.
#[derive(Debug)]
pub struct Birth<'a> {
    /// The executable. It is opened by the parent and executed by descriptor, so the service user need not be able to
    /// traverse its path; it must only be executable for that user.
    pub program: &'a Path,
    /// Arguments after the program's name.
    pub arguments: &'a [&'a str],
    /// What becomes descriptor [`MEDIUM_FD`]: the medium of a reader, the credential of a signer.
    pub medium: Option<BorrowedFd<'a>>,
    /// Resource limits, set before `exec`.
    pub limits: ResourceLimits,
    /// What the child is.
    pub role: Role,
}

/// What a child is, hence what it has to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds a medium, to read it or, as the sealer does, to write it. Confines itself and says [`crate::wire::Born`]
    /// before it looks at the medium; the parent waits for that.
    Reader,
    /// Loads bases and rules, sees nothing of any medium, and keeps the capabilities of its own user namespace so that
    /// the matchers that it forks can mount their private tmpfs. Its matchers prove themselves in [`Child::adopt`].
    Zygote,
    /// Reads its keys, then confines itself and says [`crate::wire::Born`]; the parent waits for that. Under a root parent
    /// it runs as the owner of its keys and not as `nobody`, who could not read them.
    Signer {
        /// Who owns the keys.
        uid: u32,
        /// That user's group.
        gid: u32,
    },
}

/// Resource limits of a child: getrlimit(2). Core dumps are always off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Bytes of address space, `RLIMIT_AS`.
    pub address_space: Option<u64>,
    /// Bytes of private writable memory, `RLIMIT_DATA`.
    pub data: Option<u64>,
    /// Open descriptors, `RLIMIT_NOFILE`.
    pub open_files: u64,
    /// Processes and threads of the child's user, `RLIMIT_NPROC`. Counted within the child's user namespace; where it
    /// has none, with everything else that runs under that user.
    pub processes: Option<u64>,
    /// Bytes of the largest file that may be written, `RLIMIT_FSIZE`. It bounds memory files too.
    pub file_size: Option<u64>,
    /// Seconds of processor time, `RLIMIT_CPU`.
    pub cpu_seconds: Option<u64>,
}

impl Default for ResourceLimits {
    fn default() -> Self {
        Self { address_space: None, data: None, open_files: 256, processes: None, file_size: None, cpu_seconds: None }
    }
}

/// Why a child was not born.
#[derive(Debug, thiserror::Error)]
pub enum BirthError {
    /// The executable cannot be opened.
    #[error("{program}: {source}; is the package complete?")]
    Program {
        /// Its path.
        program: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The program's path or an argument holds a NUL byte.
    #[error("an argument of the child holds a NUL byte")]
    Argument,
    /// `/etc/passwd` knows no user `nobody`, under which the children of a root process live.
    #[error("no user 'nobody' in /etc/passwd; children of root run as that user: create it")]
    NoServiceUser,
    /// The parent could not prepare the birth.
    #[error("{what}: {source}")]
    Prepare {
        /// What it tried.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The child could not take a step before `exec`.
    #[error("child, {step}: {source}")]
    Step {
        /// What it tried.
        step: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The child ended before it said that it is confined; its own words are on standard error.
    #[error("child ended before it was confined ({0}); its reason is on standard error")]
    NotBorn(Ending),
    /// The child said something else, or nothing, where it had to say that it is confined.
    #[error("child did not say that it is confined: {0}")]
    Silent(ChannelError),
    /// The child runs, but a mandatory layer of its confinement is missing. It was killed.
    #[error("child killed, confinement incomplete: {0}")]
    Layer(&'static str),
}
