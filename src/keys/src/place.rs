//! Where keys live: owners, modes, locks, and files that are whole or absent after a power cut.
//!
//! A secret that others can read is no secret, and a certificate that others can replace is nobody's: both are refused
//! before a byte of them is used (security rule 11).

use crate::KeysError;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Nobody needs a longer key, certificate or list.
const LARGEST: u64 = 8 << 20;

/// What others must not be able to do with a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Read or write it: keys and passphrases.
    Secret,
    /// Write it: certificates, settings, lists.
    Authentic,
}

impl Guard {
    /// Permission bits that must be clear (inode(7)).
    const fn forbidden(self) -> u32 {
        match self {
            Self::Secret => 0o077,
            Self::Authentic => 0o022,
        }
    }
}

fn reading(path: &Path) -> impl Fn(rustix::io::Errno) -> KeysError + '_ {
    move |source| KeysError::Read { path: path.to_owned(), source: source.into() }
}

fn writing(path: &Path) -> impl Fn(rustix::io::Errno) -> KeysError + '_ {
    move |source| KeysError::Write { path: path.to_owned(), source: source.into() }
}

/// Refuses what belongs to others or is open to them. `file` is an open descriptor, so nobody can swap it afterwards.
fn guard(file: &OwnedFd, path: &Path, kind: FileType, guard: Guard, owner: u32) -> Result<(), KeysError> {
    let status = rustix::fs::fstat(file).map_err(reading(path))?;
    if FileType::from_raw_mode(status.st_mode) != kind || status.st_uid != owner {
        return Err(KeysError::Owner { path: path.to_owned() });
    }
    let mode = status.st_mode & 0o7777;
    if mode & guard.forbidden() != 0 {
        let wanted = if kind == FileType::Directory { 0o700 } else { 0o600 };
        return Err(KeysError::Mode { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens a folder that only its user may change.
pub(crate) fn folder(path: &Path) -> Result<OwnedFd, KeysError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(reading(path))?;
    guard(&folder, path, FileType::Directory, Guard::Authentic, me())?;
    Ok(folder)
}

/// Opens a folder for one process only (flock(2)); the lock ends with the descriptor.
pub(crate) fn lock(path: &Path) -> Result<OwnedFd, KeysError> {
    let folder = folder(path)?;
    match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(folder),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(KeysError::Locked { path: path.to_owned() }),
        Err(error) => Err(reading(path)(error)),
    }
}

/// How often is looked whether a lock is free.
const LOOK: Duration = Duration::from_millis(20);

/// As [`lock`], but waits for whoever has it, up to `patience`.
pub(crate) fn lock_within(path: &Path, patience: Duration) -> Result<OwnedFd, KeysError> {
    let start = Instant::now();
    loop {
        match lock(path) {
            Err(KeysError::Locked { .. }) if start.elapsed() < patience => std::thread::sleep(LOOK),
            other => return other,
        }
    }
}

/// Whether somebody holds a folder alone just now. Asking keeps nobody waiting: it is for words, not for a decision.
pub(crate) fn is_locked(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Whoever may not open it hears why from the signer.
    let Ok(folder) = rustix::fs::open(path, flags, Mode::empty()) else { return false };
    rustix::fs::flock(&folder, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
}

/// Makes a folder for its user only; one that is there already has to be empty.
pub(crate) fn new_folder(path: &Path) -> Result<(), KeysError> {
    match rustix::fs::mkdir(path, Mode::from_raw_mode(0o700)) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::EXIST) => {
            folder(path)?;
            match std::fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
                Ok(true) => Ok(()),
                Ok(false) => Err(KeysError::Exists { path: path.to_owned() }),
                Err(source) => Err(KeysError::Read { path: path.to_owned(), source }),
            }
        }
        Err(error) => Err(writing(path)(error)),
    }
}

/// Reads a whole file of this user; symbolic links are not followed.
pub(crate) fn read(path: &Path, wanted: Guard) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    read_of(path, wanted, me())
}

/// The same for a file of another user: root looks at the settings of the signer's user.
fn read_of(path: &Path, wanted: Guard, owner: u32) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::LOOP) => return Err(KeysError::Owner { path: path.to_owned() }),
        other => other.map_err(reading(path))?,
    };
    guard(&file, path, FileType::RegularFile, wanted, owner)?;
    read_open(File::from(file), path)
}

/// Reads an open file to its end.
pub(crate) fn read_open(file: File, path: &Path) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    // Room for any key at once: a vector that grows would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 << 10));
    let read = file.take(LARGEST).read_to_end(&mut bytes);
    read.map_err(|source| KeysError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// As [`read`], for text.
pub(crate) fn read_text(path: &Path) -> Result<String, KeysError> {
    read_text_of(path, me())
}

/// As [`read_text`], for a file of another user.
pub(crate) fn read_text_of(path: &Path, owner: u32) -> Result<String, KeysError> {
    let bytes = read_of(path, Guard::Authentic, owner)?;
    let text = std::str::from_utf8(&bytes);
    text.map(str::to_owned).map_err(|error| KeysError::Content { path: path.to_owned(), what: error.to_string() })
}

/// Reads a file that came from elsewhere, whatever its owner: a request, a certificate to be looked at.
pub(crate) fn read_foreign(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let file = File::open(path).map_err(|source| KeysError::Read { path: path.to_owned(), source })?;
    read_open(file, path)
}

/// Puts a file in its place, whole or not at all: written beside it, flushed, renamed, and the folder flushed
/// (rename(2), fsync(2)).
pub(crate) fn replace(folder: &OwnedFd, path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeysError> {
    let failed = writing(path);
    let name = path.file_name().unwrap_or_default();
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(".new");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, &beside, flags, Mode::from_raw_mode(mode)).map_err(&failed)?;
    let mut file = File::from(file);
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|source| KeysError::Write { path: path.to_owned(), source })?;
    rustix::fs::renameat(folder, &beside, folder, name).map_err(&failed)?;
    rustix::fs::fsync(folder).map_err(&failed)
}

/// Puts a file where none is: an existing one is never overwritten.
pub(crate) fn create(folder: &OwnedFd, path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeysError> {
    let name = path.file_name().unwrap_or_default();
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(rustix::io::Errno::NOENT) => replace(folder, path, bytes, mode),
        Ok(_) => Err(KeysError::Exists { path: path.to_owned() }),
        Err(error) => Err(reading(path)(error)),
    }
}

/// A folder that is held open, with its path for messages.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    open: OwnedFd,
}

impl Folder {
    /// Holds it alone.
    pub(crate) fn lock(path: &Path) -> Result<Self, KeysError> {
        Ok(Self { path: path.to_owned(), open: lock(path)? })
    }

    /// Holds it beside others.
    pub(crate) fn open(path: &Path) -> Result<Self, KeysError> {
        Ok(Self { path: path.to_owned(), open: folder(path)? })
    }

    /// Makes it and holds it alone.
    pub(crate) fn make(path: &Path) -> Result<Self, KeysError> {
        new_folder(path)?;
        Self::lock(path)
    }

    /// Where something in it is.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// See [`create`].
    pub(crate) fn create(&self, name: &str, bytes: &[u8], mode: u32) -> Result<PathBuf, KeysError> {
        let path = self.at(name);
        create(&self.open, &path, bytes, mode).map(|()| path)
    }

    /// See [`replace`].
    pub(crate) fn replace(&self, name: &str, bytes: &[u8], mode: u32) -> Result<PathBuf, KeysError> {
        let path = self.at(name);
        replace(&self.open, &path, bytes, mode).map(|()| path)
    }

    /// Moves a file from `from`, over one of the same name.
    pub(crate) fn take(&self, from: &Self, name: &str) -> Result<(), KeysError> {
        let path = self.at(name);
        rustix::fs::renameat(&from.open, name, &self.open, name).map_err(writing(&path))?;
        rustix::fs::fsync(&self.open).map_err(writing(&path))
    }
}
