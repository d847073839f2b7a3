//! What contents are handed over in: memory files that are sealed for another process (Linux), or plain memory for the
//! process that reads, as a verifier does.

use crate::bytes::index;
use std::io;
#[cfg(target_os = "linux")]
use {blanche_sandbox::content, std::fs::File, std::io::Write, std::os::fd::OwnedFd};

/// The bytes of one or more contents.
#[derive(Debug)]
pub enum Object {
    /// A memory file that nobody can change any more.
    #[cfg(target_os = "linux")]
    Sealed(OwnedFd),
    /// In this process.
    Memory(Vec<u8>),
}

/// Which objects a reading makes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ObjectKind {
    #[cfg(target_os = "linux")]
    Sealed,
    Memory,
}

/// An object that is being filled.
#[derive(Debug)]
pub(crate) enum Draft {
    #[cfg(target_os = "linux")]
    Sealed(File),
    Memory(Vec<u8>),
}

impl Draft {
    /// An empty one.
    pub(crate) fn new(kind: ObjectKind) -> io::Result<Self> {
        match kind {
            #[cfg(target_os = "linux")]
            ObjectKind::Sealed => Ok(Self::Sealed(content::writable()?)),
            ObjectKind::Memory => Ok(Self::Memory(Vec::new())),
        }
    }

    /// Adds bytes at the end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Sealed(file) => file.write_all(bytes),
            Self::Memory(memory) => {
                memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Takes away what is behind `length` bytes.
    pub(crate) fn cut(&mut self, length: u64) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Sealed(file) => file.set_len(length),
            Self::Memory(memory) => {
                memory.truncate(index(length));
                Ok(())
            }
        }
    }

    /// Closes it against any change.
    pub(crate) fn finish(self) -> io::Result<Object> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Sealed(file) => Ok(Object::Sealed(content::seal(file)?)),
            Self::Memory(memory) => Ok(Object::Memory(memory)),
        }
    }
}
