//! Content objects: what a reader read once, sealed so that nobody can change it any more.
//!
//! `F_SEAL_FUTURE_WRITE` is not enough: a mapping made before it can still write. Hence the reader never maps the
//! object, and the receiver asks for `F_SEAL_WRITE`, which the kernel refuses while a writable mapping exists.

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

/// The seals that an object must carry: memfd_create(2), fcntl(2) "File Sealing".
pub const REQUIRED_SEALS: SealFlags =
    SealFlags::SEAL.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::WRITE);

/// Why a content object was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It can still be changed, or is no memory file at all.
    #[error("content object is not sealed")]
    NotSealed,
    /// It does not hold the bytes that were announced.
    #[error("content object holds {found} bytes instead of {announced}")]
    WrongLength {
        /// Bytes it holds.
        found: u64,
        /// Bytes announced.
        announced: u64,
    },
    /// The kernel refused to answer.
    #[error("content object: {0}")]
    Kernel(#[from] Errno),
}

/// A sealed object whose length was checked: the only thing that a matcher is given.
#[derive(Debug)]
pub struct SealedContent {
    fd: OwnedFd,
    length: u64,
}

impl SealedContent {
    /// Checks what another process handed over.
    ///
    /// # Errors
    /// [`Refused`] when a seal is missing or the length differs from `announced` (bytes).
    pub fn accept(fd: OwnedFd, announced: u64) -> Result<Self, Refused> {
        let seals = rustix::fs::fcntl_get_seals(&fd).map_err(|_| Refused::NotSealed)?;
        if !seals.contains(REQUIRED_SEALS) {
            return Err(Refused::NotSealed);
        }
        let found = u64::try_from(rustix::fs::fstat(&fd)?.st_size).unwrap_or(0);
        if found != announced {
            return Err(Refused::WrongLength { found, announced });
        }
        Ok(Self { fd, length: found })
    }

    /// Bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl SealedContent {
    /// The object as a file, at its beginning unless somebody with the same descriptor moved it.
    #[must_use]
    pub fn into_file(self) -> File {
        File::from(self.fd)
    }
}

impl AsFd for SealedContent {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A new, empty, writable memory file for one object.
///
/// # Errors
/// The kernel's, when descriptors or memory run out.
pub fn writable() -> Result<File, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::NOEXEC_SEAL;
    let fd = match rustix::fs::memfd_create("blanche-content", flags) {
        // Linux before 6.3 does not know MFD_NOEXEC_SEAL.
        Err(Errno::INVAL) => {
            rustix::fs::memfd_create("blanche-content", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?
        }
        other => other?,
    };
    Ok(File::from(fd))
}

/// Closes an object against any change. The caller must hold no mapping of it.
///
/// # Errors
/// `EBUSY` while a writable mapping exists.
pub fn seal(file: File) -> Result<OwnedFd, Errno> {
    let fd = OwnedFd::from(file);
    rustix::fs::fcntl_add_seals(&fd, REQUIRED_SEALS)?;
    Ok(fd)
}

#[cfg(test)]
mod tests;
