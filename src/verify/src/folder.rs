//! The contents of a mounted folder, as the host shows them. Links are looked at and never followed; devices and pipes are
//! never opened.

use crate::copy::{Copy, TAG_NAME};
use crate::interrupt::Interrupt;
use crate::names;
use crate::progress::Progress;
use crate::reparse;
use blanche_tag::artefacts::MAX_CONTENT;
use blanche_tag::manifest::{Digests, EntryKind};
use blanche_tag::{Contents, Level, Observed, Unreadable};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes read and hashed at once.
const STEP: usize = 1 << 20;

/// The tag at the root of a folder, if there is one.
pub(crate) fn tag(root: &Path) -> Option<Copy> {
    let path = names::below(root, TAG_NAME);
    match open(&path) {
        Ok(file) => Some(Copy::of(&file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(Copy::Broken(0, error.to_string())),
    }
}

/// Opens a file that is no link, without waiting for anything.
#[cfg(not(windows))]
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    regular(options.open(path)?)
}

/// Opens a file that is no link, and reads it as every program does: opened as a reparse point it would be read past the driver
/// of one that Windows hides.
#[cfg(windows)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    /// CreateFileW: a reparse point itself is opened.
    const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    /// FILE_SHARE_READ and FILE_SHARE_WRITE without FILE_SHARE_DELETE: nobody puts a link in its place meanwhile.
    const STAYS: u32 = 0x3;
    let mut options = OpenOptions::new();
    let _stays = regular(options.read(true).share_mode(STAYS).custom_flags(OPEN_REPARSE_POINT).open(path)?)?;
    regular(File::open(path)?)
}

fn regular(file: File) -> io::Result<File> {
    let metadata = file.metadata()?;
    reparse::admit(&metadata)?;
    if metadata.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

/// How the comparison reads what is below `root`; `bytes` are those of all contents, for the progress.
pub(crate) fn contents<'a>(
    root: &'a Path,
    interrupt: &'a Interrupt,
    level: Level,
    bytes: u64,
    progress: &'a mut Progress,
) -> Reading<'a> {
    if level == Level::Full {
        progress.expect(bytes);
    }
    Reading { root, interrupt, progress, buffer: vec![0; STEP] }
}

/// Reads contents one after the other.
pub(crate) struct Reading<'a> {
    root: &'a Path,
    interrupt: &'a Interrupt,
    progress: &'a mut Progress,
    buffer: Vec<u8>,
}

impl Reading<'_> {
    fn path(&self, entry: &Observed) -> PathBuf {
        names::below(self.root, &entry.path)
    }

    fn hash(&mut self, mut content: impl Read) -> io::Result<(u64, Digests)> {
        let (mut sha256, mut blake3, mut length) = (Sha256::new(), blake3::Hasher::new(), 0u64);
        loop {
            if self.interrupt.is_raised() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let read = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let part = self.buffer.get(..read).unwrap_or_default();
            sha256.update(part);
            blake3.update(part);
            let read = u64::try_from(read).unwrap_or(0);
            length = length.saturating_add(read);
            self.progress.add(read);
        }
        let digests = Digests { sha256: sha256.finalize().into(), blake3: *blake3.finalize().as_bytes() };
        Ok((length, digests))
    }
}

impl Contents for Reading<'_> {
    fn bytes(&mut self, entry: &Observed) -> Result<Vec<u8>, Unreadable> {
        let file = open(&self.path(entry)).map_err(unreadable)?;
        let read = crate::rights::bounded(file, MAX_CONTENT).map_err(unreadable)?;
        read.ok_or_else(|| Unreadable("longer than it said".to_owned()))
    }

    fn digests(&mut self, entry: &Observed) -> Result<(u64, Digests), Unreadable> {
        let path = self.path(entry);
        if entry.kind == EntryKind::Link {
            let target = fs::read_link(path).map_err(unreadable)?;
            return self.hash(&*names::from_host(target.as_os_str())).map_err(unreadable);
        }
        let file = open(&path).map_err(unreadable)?;
        self.hash(file).map_err(unreadable)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "takes the place of a closure in map_err")]
fn unreadable(error: io::Error) -> Unreadable {
    Unreadable(error.to_string())
}
