//! Reading what is on the medium, not what the kernel remembers of it.
//!
//! `O_DIRECT` goes past the page cache. `BLKFLSBUF`, which would empty it, is an ioctl without a safe wrapper and needs
//! CAP_SYS_ADMIN. Where a filesystem has no `O_DIRECT` (images on tmpfs), the kernel is told to drop its pages.

use crate::device::{geometry, refused};
use blanche_media::{ReadAt, ReadError};
use rustix::fs::{Advice, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::Path;

/// Alignment of offsets, lengths and memory: enough for every logical block.
const ALIGNMENT: usize = 4096;
/// Bytes read at once.
const STEP: usize = 1 << 20;

/// Opens a block device or image file for reading past the page cache, to be handed to a sealer.
///
/// # Errors
/// What the kernel answered, with the path.
pub fn open_uncached(path: &Path) -> io::Result<File> {
    let refused = |errno: Errno| refused(&path.display().to_string(), errno.into());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
    match rustix::fs::open(path, flags | OFlags::DIRECT, Mode::empty()) {
        Err(Errno::INVAL) => {
            let file = rustix::fs::open(path, flags, Mode::empty()).map_err(refused)?;
            // Pages that still wait to be written stay: fsync came before.
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).map_err(refused)?;
            Ok(file.into())
        }
        file => Ok(file.map_err(refused)?.into()),
    }
}

/// A block device or image file that is read past the page cache.
#[derive(Debug)]
pub struct UncachedFile {
    file: File,
    capacity: u64,
}

impl UncachedFile {
    /// Opens for reading only.
    ///
    /// # Errors
    /// What the kernel answered, with the path.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(open_uncached(path)?)
    }

    /// From a descriptor that was handed in, open for reading, with `O_DIRECT` where that is possible.
    ///
    /// # Errors
    /// When it is neither a block device nor a file, or does not say its size.
    pub fn new(file: File) -> io::Result<Self> {
        let (_, capacity) = geometry(&file)?;
        Ok(Self { file, capacity })
    }

    /// Reads `length` bytes, a multiple of [`ALIGNMENT`], and hands out as many as there are up to the end.
    fn window(&self, start: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let mut memory = vec![0u8; length.saturating_add(ALIGNMENT)];
        let skip = memory.as_ptr().align_offset(ALIGNMENT);
        let mut filled = 0usize;
        let inside = usize::try_from(self.capacity.saturating_sub(start)).map_or(length, |inside| inside.min(length));
        while filled < inside {
            let from = skip.saturating_add(filled);
            let to = skip.saturating_add(length);
            let offset = start.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            let Some(target) = memory.get_mut(from..to) else { return Err(ReadError::Unreadable { offset }) };
            match rustix::io::pread(&self.file, target, offset) {
                Err(Errno::INTR) => {}
                Err(Errno::NODEV | Errno::NXIO | Errno::NOMEDIUM) => return Err(ReadError::Removed),
                Err(_) | Ok(0) => return Err(ReadError::Unreadable { offset }),
                Ok(count) => filled = filled.saturating_add(count),
            }
        }
        memory.drain(..skip);
        memory.truncate(inside);
        Ok(memory)
    }
}

impl ReadAt for UncachedFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let alignment = u64::try_from(ALIGNMENT).unwrap_or(4096);
        let mut at = offset;
        let mut rest = buffer;
        while !rest.is_empty() {
            let within = at.checked_rem(alignment).unwrap_or(0);
            let skip = usize::try_from(within).unwrap_or(0);
            let wanted = rest.len().saturating_add(skip).min(STEP).next_multiple_of(ALIGNMENT);
            let window = self.window(at.saturating_sub(within), wanted)?;
            let ready = window.get(skip..).unwrap_or_default();
            let count = ready.len().min(rest.len());
            if count == 0 {
                return Err(ReadError::Unreadable { offset: at });
            }
            rest.iter_mut().zip(ready).for_each(|(to, from)| *to = *from);
            rest = rest.get_mut(count..).unwrap_or_default();
            at = at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn capacity(&self) -> u64 {
        self.capacity
    }
}
