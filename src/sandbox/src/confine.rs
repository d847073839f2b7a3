//! The child's first act: it closes every door behind itself, before it has seen a byte of the medium.
//!
//! Layers, in this order: `no_new_privs`, no capabilities, Landlock (ABI 2 at least), seccomp (whatever is not listed
//! in [`calls`] kills the process). Each is mandatory: a missing one is an error, and the program ends.

mod calls;
mod filesystem;
mod filter;
mod tmpfs;
mod user;

pub(crate) use filter::FILTERS;
pub use tmpfs::{TmpfsError, private_tmpfs};
pub use user::leave_root;

use crate::wire::Born;
use std::io;
use std::path::{Path, PathBuf};

/// What a child may do once it is confined.
#[derive(Clone, Copy, Debug)]
pub enum Profile<'a> {
    /// Reads descriptor 3 and makes memory files; opens nothing. It must not have another writable descriptor to the
    /// medium: the filter looks at descriptor numbers, and forbids copying them.
    MediumReader,
    /// Descriptor 3 is a folder; may open and list what is below it, read-only.
    FolderReader,
    /// The engines: files below `tmpfs` and nowhere else, threads, no new program.
    Matcher {
        /// Folder for temporary files, from [`private_tmpfs`] or handed in.
        tmpfs: &'a Path,
    },
    /// Reads and writes descriptor 3, the medium; opens nothing and makes no other object.
    Sealer,
    /// Holds keys: files in `folder`, where its counter is, and nowhere else.
    Signer {
        /// Folder of the counter.
        folder: &'a Path,
        /// Folders that a PKCS#11 module needs, if there is one: it is foreign code, so more system calls are allowed
        /// then (docs/sandbox.md).
        token: Option<&'a [PathBuf]>,
    },
    /// A workstation's verifier, and the keeper of its memory. Each has opened everything but what is below these folders.
    Verifier {
        /// The mounted folder that it verifies, read-only.
        folder: Option<&'a Path>,
        /// The folder of what it remembers: files in it are read, written and replaced.
        memory: Option<&'a Path>,
    },
}

/// Why a child could not be confined. It must end.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The layers hold for one thread and those that it starts later.
    #[error("confinement must come before any other thread, but there are {0} threads")]
    Threads(usize),
    /// `/proc` cannot be read.
    #[error("/proc/self/task: {0}; is /proc mounted?")]
    Proc(io::Error),
    /// `no_new_privs`, the dump flag or capabilities.
    #[error("{layer}: {source}; Blanche does not run without it")]
    Privileges {
        /// What was refused.
        layer: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel has no Landlock, an older one than ABI 2, or refuses it.
    #[error("Landlock ABI 2 or newer: {0}; boot with Landlock enabled (lsm=landlock,…), Linux 5.19 or newer")]
    Landlock(String),
    /// The kernel refuses the filter.
    #[error("seccomp: {0}; Blanche does not run without it")]
    Seccomp(String),
}

/// Confines this process for the rest of its life.
///
/// # Errors
/// [`ConfineError`] names the layer that is missing; the caller must end then, without a look at any data.
pub fn confine(profile: Profile<'_>) -> Result<Born, ConfineError> {
    match threads().map_err(ConfineError::Proc)? {
        1 => {}
        more => return Err(ConfineError::Threads(more)),
    }
    no_privileges()?;
    let landlock_abi = filesystem::restrict(profile)?;
    let network_namespace = std::env::var_os("BLANCHE_OWN_NETWORK").is_some();
    let private_tmpfs = matches!(profile, Profile::Matcher { tmpfs } if tmpfs::is_private(tmpfs));
    let allowed_system_calls = filter::install(profile)?;
    Ok(Born { no_new_privileges: true, landlock_abi, allowed_system_calls, network_namespace, private_tmpfs })
}

/// Makes a panic one line on standard error and the end of the process, without unwinding and without a backtrace: a
/// panic in a parser is a crash, and the parent treats it as one.
pub fn abort_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write as _;
        let text = format!("panic: {panic}").replace(['\n', '\r'], " ");
        let _ = writeln!(io::stderr(), "{text}");
        std::process::abort();
    }));
}

/// Threads of this process: proc(5), "/proc/pid/task".
pub(crate) fn threads() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Highest capability number that is tried; capabilities(7) knows 41 today.
const LAST_CAPABILITY: libc::c_ulong = 63;

/// Sets `no_new_privs`, forbids being traced, and drops every capability, those of its own user namespace too.
fn no_privileges() -> Result<(), ConfineError> {
    /// capset(2): `_LINUX_CAPABILITY_VERSION_3`.
    const VERSION_3: u32 = 0x2008_0522;
    let checked = |layer, result: i64| match result {
        0 => Ok(()),
        _ => Err(ConfineError::Privileges { layer, source: io::Error::last_os_error() }),
    };
    let header = [VERSION_3, 0];
    let none = [0u32; 6];
    // SAFETY: prctl(2) with plain numbers; capset(2) with a header of two words and two sets of three words.
    unsafe {
        checked("no_new_privs", libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
        checked("dump flag", libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0).into())?;
        for capability in 0..=LAST_CAPABILITY {
            // Refused where there is none to drop or the kernel knows no such one; the empty sets below are what counts.
            if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 {
                break;
            }
        }
        checked("capabilities", libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()))
    }
}
