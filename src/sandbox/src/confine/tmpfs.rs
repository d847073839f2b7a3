//! A matcher's temporary files: a tmpfs of its own, with a size, that ends with the process.

use rustix::mount::{MountFlags, MountPropagationFlags};
use rustix::thread::UnshareFlags;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where the private tmpfs is mounted: a folder that exists everywhere, hidden in the private mount namespace only.
const PLACE: &str = "/tmp";

/// Set once the tmpfs is mounted in this process.
static MOUNTED: OnceLock<PathBuf> = OnceLock::new();

/// Why there is no private tmpfs. The caller uses a folder that it was handed, and `Born` says so.
#[derive(Debug, thiserror::Error)]
#[error("private tmpfs, {step}: {source}; user namespaces are switched off here")]
pub struct TmpfsError {
    /// What was refused.
    pub step: &'static str,
    /// The kernel's answer.
    pub source: std::io::Error,
}

/// Mounts a tmpfs that only this process sees, of `bytes` at most, and returns its folder. Nothing is created on the
/// host. To be called by a single-threaded process before [`super::confine`].
///
/// # Errors
/// When this process may not mount, hence without a user namespace of its own.
pub fn private_tmpfs(bytes: u64) -> Result<PathBuf, TmpfsError> {
    let failed = |step| move |source: rustix::io::Errno| TmpfsError { step, source: source.into() };
    // SAFETY: this process has one thread, and none of its descriptors or folders is shared by threads.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }.map_err(failed("making a mount namespace"))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).map_err(failed("making mounts private"))?;
    let options = format!("size={bytes},mode=0700,nr_inodes=65536");
    let options = CString::new(options).map_err(|_| failed("naming its size")(rustix::io::Errno::INVAL))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("blanche", PLACE, "tmpfs", flags, options.as_c_str()).map_err(failed("mounting"))?;
    Ok(MOUNTED.get_or_init(|| PathBuf::from(PLACE)).clone())
}

/// Whether `folder` is what [`private_tmpfs`] mounted in this process.
pub(super) fn is_private(folder: &Path) -> bool {
    MOUNTED.get().is_some_and(|mounted| mounted == folder)
}
