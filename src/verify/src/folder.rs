//! A mounted folder: names, sizes and contents as the host shows them. Links are looked at and never followed; devices
//! and pipes are never opened.

use crate::copy::{Copy, TAG_NAME};
use crate::interrupt::Interrupt;
use crate::names;
use crate::progress::Progress;
use blanche_tag::manifest::{Digests, EntryKind, MAX_ENTRIES, MAX_PATH, is_folder_path};
use blanche_tag::{Contents, Level, Observed, Unlisted, Unreadable, Walk};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes read and hashed at once.
const STEP: usize = 1 << 20;
/// Longest artefact (section 11).
const MAX_ARTEFACT: u64 = 65_536;

/// A mounted folder, as one volume of the claims.
pub(crate) struct Folder<'a> {
    root: &'a Path,
    volume: u32,
    interrupt: &'a Interrupt,
}

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
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        /// CreateFileW: a reparse point itself is opened.
        const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
        options.custom_flags(OPEN_REPARSE_POINT);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

impl<'a> Folder<'a> {
    pub(crate) fn new(root: &'a Path, volume: u32, interrupt: &'a Interrupt) -> Self {
        Self { root, volume, interrupt }
    }

    /// Lists everything, without reading a content.
    pub(crate) fn walk(&self) -> Walk<Vec<Observed>> {
        let mut walk = Walk {
            volumes: BTreeSet::from([self.volume]),
            entries: Vec::new(),
            unlisted: Vec::new(),
            shows_streams: false,
        };
        let device = fs::symlink_metadata(self.root).map_or(0, |metadata| device_of(&metadata));
        let mut folders = vec![Vec::new()];
        while let Some(folder) = folders.pop() {
            if self.interrupt.is_raised() {
                break;
            }
            if let Err(error) = self.list(&folder, device, &mut walk, &mut folders) {
                walk.unlisted.push(Unlisted { volume: self.volume, path: folder, why: error.to_string() });
            }
        }
        walk.entries.sort_by(|one, other| one.key().cmp(&other.key()));
        walk
    }

    fn list(
        &self,
        folder: &[u8],
        device: u64,
        walk: &mut Walk<Vec<Observed>>,
        folders: &mut Vec<Vec<u8>>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(names::below(self.root, folder))? {
            let entry = entry?;
            let path = names::join(folder, &names::from_host(&entry.file_name()));
            // One more than any manifest has: the comparison refuses anyway.
            if u64::try_from(walk.entries.len()).is_ok_and(|count| count > MAX_ENTRIES) {
                return Err(io::Error::other("more entries than any tag lists"));
            }
            if path.len() > MAX_PATH || !is_folder_path(&path) {
                return Err(io::Error::other("a path that no tag can list"));
            }
            let metadata = entry.metadata()?;
            if device_of(&metadata) != device {
                return Err(io::Error::other("another filesystem is mounted in it"));
            }
            let (kind, size) = kind_of(&metadata);
            if kind == EntryKind::Folder {
                folders.push(path.clone());
            }
            walk.entries.push(Observed { volume: self.volume, path, stream: None, kind, size });
        }
        Ok(())
    }

    /// How the comparison reads; `entries` are those of the walk, for the progress.
    pub(crate) fn contents<'p>(
        &'p self,
        level: Level,
        entries: &[Observed],
        progress: &'p mut Progress,
    ) -> Reading<'p> {
        if level == Level::Full {
            progress.expect(entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add));
        }
        Reading { root: self.root, interrupt: self.interrupt, progress, buffer: vec![0; STEP] }
    }
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
        let read = crate::rights::bounded(file, MAX_ARTEFACT).map_err(unreadable)?;
        read.ok_or_else(|| Unreadable("longer than it said".to_owned()))
    }

    fn digests(&mut self, entry: &Observed) -> Result<(u64, Digests), Unreadable> {
        let path = self.path(entry);
        if entry.kind == EntryKind::Link {
            let target = fs::read_link(path).map_err(unreadable)?;
            return self.hash(names::from_host(target.as_os_str()).as_slice()).map_err(unreadable);
        }
        let file = open(&path).map_err(unreadable)?;
        self.hash(file).map_err(unreadable)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "takes the place of a closure in map_err")]
fn unreadable(error: io::Error) -> Unreadable {
    Unreadable(error.to_string())
}

fn kind_of(metadata: &Metadata) -> (EntryKind, u64) {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        (EntryKind::Link, metadata.len())
    } else if kind.is_dir() {
        (EntryKind::Folder, 0)
    } else if kind.is_file() {
        (EntryKind::File, metadata.len())
    } else {
        (EntryKind::Other, 0)
    }
}

#[cfg(unix)]
fn device_of(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.dev()
}

/// Windows mounts other volumes by reparse points, which are not followed.
#[cfg(not(unix))]
fn device_of(_: &Metadata) -> u64 {
    0
}
