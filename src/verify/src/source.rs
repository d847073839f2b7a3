//! Devices and images as sources of bytes.

use blanche_media::ReadAt;
use std::fs::File;

/// A device or image, open for reading.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: File,
    /// Bytes.
    pub(crate) capacity: u64,
    /// Logical block size in bytes.
    pub(crate) block: u32,
    /// It reads whole blocks only (Windows).
    #[cfg(windows)]
    pub(crate) whole_blocks: bool,
}

impl Source {
    /// How our readers read it.
    #[cfg(unix)]
    pub(crate) fn reader(&self) -> Box<dyn ReadAt + '_> {
        Box::new(blanche_media::FileSource::new(&self.file, self.capacity))
    }

    /// How our readers read it.
    #[cfg(windows)]
    pub(crate) fn reader(&self) -> Box<dyn ReadAt + '_> {
        let device = windows::Device { file: &self.file, capacity: self.capacity };
        match u16::try_from(self.block) {
            Ok(sector) if self.whole_blocks => Box::new(crate::aligned::Aligned::new(device, sector)),
            _ => Box::new(device),
        }
    }
}

#[cfg(windows)]
pub(crate) mod windows {
    //! Reading at an offset. Tested under Wine with images only: Wine has no disks.

    use blanche_media::{ReadAt, ReadError};
    use std::fs::File;
    use std::io;
    use std::os::windows::fs::FileExt;

    /// winerror.h: NOT_READY, DEV_NOT_EXIST, NO_SUCH_DEVICE, DEVICE_NOT_CONNECTED, DEVICE_REMOVED.
    const GONE: [i32; 5] = [21, 55, 433, 1167, 1617];

    pub(crate) struct Device<'a> {
        pub(crate) file: &'a File,
        pub(crate) capacity: u64,
    }

    impl ReadAt for Device<'_> {
        fn read_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> Result<(), ReadError> {
            while !buffer.is_empty() {
                match self.file.seek_read(buffer, offset) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.raw_os_error().is_some_and(|code| GONE.contains(&code)) => {
                        return Err(ReadError::Removed);
                    }
                    Err(_) | Ok(0) => return Err(ReadError::Unreadable { offset }),
                    Ok(count) => {
                        offset = offset.saturating_add(u64::try_from(count).unwrap_or(0));
                        buffer = buffer.get_mut(count..).unwrap_or_default();
                    }
                }
            }
            Ok(())
        }

        fn capacity(&self) -> u64 {
            self.capacity
        }
    }
}
