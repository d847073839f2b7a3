//! What is written to: a device that takes whole logical blocks and can be flushed.

use blanche_media::{ReadAt, ReadError};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A medium that can be written. A logical block is the unit that a device writes whole or not at all.
pub trait Device: ReadAt {
    /// Bytes of a logical block: a power of two of at least 512.
    fn block(&self) -> u32;

    /// Writes whole blocks at `offset` (bytes).
    ///
    /// # Errors
    /// What the device answered; any part may have been written.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything that was written is on the medium, also behind the device's own cache.
    ///
    /// # Errors
    /// What the device answered; what was written since the last flush may be lost in any part.
    fn flush(&mut self) -> io::Result<()>;
}

/// Why a device or an image was not opened.
pub(crate) fn refused(what: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// A block device or an image file.
#[derive(Debug)]
pub struct FileDevice {
    file: File,
    block: u32,
    capacity: u64,
}

impl FileDevice {
    /// Opens for reading and writing; a block device exclusively, so that one that is mounted or in use is refused.
    ///
    /// # Errors
    /// Write-protected, in use, not there: what the kernel answered, with the path.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
        // Without O_CREAT, O_EXCL means "not used by anybody else" on a block device and nothing on a file (open(2)).
        let file = rustix::fs::open(path, flags | OFlags::EXCL, Mode::empty())
            .map_err(|errno| refused(&path.display().to_string(), errno.into()))?;
        Self::new(file.into())
    }

    /// From a descriptor that was handed in, open for reading and writing.
    ///
    /// # Errors
    /// When it is neither a block device nor a file, or does not say its size.
    pub fn new(file: File) -> io::Result<Self> {
        let (block, capacity) = geometry(&file)?;
        Ok(Self { file, block, capacity })
    }

    /// With another logical block: an image of a medium with larger ones.
    #[must_use]
    pub fn with_block(self, block: u32) -> Self {
        Self { block, ..self }
    }
}

/// Logical block and capacity in bytes.
pub(crate) fn geometry(file: &File) -> io::Result<(u32, u64)> {
    let kind = FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode);
    let block = match kind {
        FileType::BlockDevice => rustix::fs::ioctl_blksszget(file)?,
        FileType::RegularFile => 512,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a block device nor an image file")),
    };
    let capacity = rustix::fs::seek(file, rustix::fs::SeekFrom::End(0))?;
    Ok((block, capacity))
}

impl ReadAt for FileDevice {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        blanche_media::FileSource::new(&self.file, self.capacity).read_at(offset, buffer)
    }

    fn capacity(&self) -> u64 {
        self.capacity
    }
}

impl Device for FileDevice {
    fn block(&self) -> u32 {
        self.block
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn flush(&mut self) -> io::Result<()> {
        // fdatasync(2) of a block device also empties the device's write cache.
        self.file.sync_data()
    }
}
