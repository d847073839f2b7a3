//! What is verified: opened once, read-only, before anything is parsed.

use crate::failure::Failure;
use crate::source::Source;
use crate::usb::UsbBus;
use blanche_media::Medium;
use blanche_tag::{MediumView, Seen, Usb};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Device,
    Image,
    Folder,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Image => "image",
            Self::Folder => "folder",
        }
    }
}

/// An opened target.
#[derive(Debug)]
pub(crate) struct Target {
    /// As given.
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) input: Input,
    /// Asked for before the doors close.
    usb: Seen<Option<Usb>>,
}

/// Where its bytes come from.
#[derive(Debug)]
pub(crate) enum Input {
    Medium(Source),
    /// A folder, by its whole path.
    Folder(PathBuf),
}

/// Logical block of an image, which has none of its own.
const IMAGE_BLOCK: u32 = 512;

impl Target {
    /// Opens a block device, an image or a folder; `block` is the logical block size of the device that an image is of.
    ///
    /// # Errors
    /// [`Failure`]: missing, no right to read it, none of the three, or a partition of a device.
    pub(crate) fn open(path: &Path, block: Option<u32>) -> Result<Self, Failure> {
        let unreadable = |source| Failure::Target { path: path.to_owned(), source };
        #[cfg(windows)]
        if let Some(target) = open_raw(path)? {
            return Ok(target);
        }
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        let new = |kind, input, usb| Self { path: path.to_owned(), kind, input, usb };
        if metadata.is_dir() {
            let whole = std::fs::canonicalize(path).map_err(unreadable)?;
            std::fs::read_dir(&whole).map_err(unreadable)?;
            return Ok(new(Kind::Folder, Input::Folder(whole), Seen::NotAvailable));
        }
        if metadata.is_file() {
            let file = File::open(path).map_err(unreadable)?;
            let capacity = file.metadata().map_err(unreadable)?.len();
            let block = block.unwrap_or(IMAGE_BLOCK);
            let source = Source {
                file,
                capacity,
                block,
                #[cfg(windows)]
                whole_blocks: false,
            };
            return Ok(new(Kind::Image, Input::Medium(source), Seen::NotAvailable));
        }
        let (source, usb) = open_device(path, &metadata)?;
        Ok(new(Kind::Device, Input::Medium(source), usb))
    }
}

#[cfg(target_os = "linux")]
fn open_device(path: &Path, metadata: &std::fs::Metadata) -> Result<(Source, Seen<Option<Usb>>), Failure> {
    use crate::usb::Sysfs;
    use std::io::{Seek, SeekFrom};
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let unreadable = |source: io::Error| Failure::Target { path: path.to_owned(), source };
    if !metadata.file_type().is_block_device() {
        return Err(Failure::Unsupported { path: path.to_owned() });
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let capacity = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    let block = rustix::fs::ioctl_blksszget(&file).map_err(|error| unreadable(error.into()))?;
    // The device that was opened, whatever the name leads to by now.
    let number = file.metadata().map_err(unreadable)?.rdev();
    let sysfs = Sysfs::new();
    if let Some(whole) = sysfs.partition_of(number) {
        return Err(Failure::Partition { path: path.to_owned(), whole });
    }
    Ok((Source { file, capacity, block }, sysfs.identity(number)))
}

#[cfg(not(target_os = "linux"))]
fn open_device(path: &Path, _: &std::fs::Metadata) -> Result<(Source, Seen<Option<Usb>>), Failure> {
    Err(Failure::Unsupported { path: path.to_owned() })
}

/// `\\.\PhysicalDriveN`: a name of Windows for a device, about which `metadata` says nothing.
#[cfg(windows)]
fn open_raw(path: &Path) -> Result<Option<Target>, Failure> {
    use crate::aligned::probe;
    use crate::usb::NoBus;
    use std::os::windows::fs::FileExt;
    if !path.as_os_str().to_string_lossy().starts_with(r"\\.\") {
        return Ok(None);
    }
    let unreadable = |source| Failure::Target { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut buffer = [0u8; 4096];
    let mut reads = |offset, length: u16| {
        let length = usize::from(length);
        let part = buffer.get_mut(..length).unwrap_or_default();
        file.seek_read(part, offset).is_ok_and(|read| read == length)
    };
    let (sector, capacity) = probe(&mut reads).ok_or_else(|| unreadable(io::ErrorKind::InvalidInput.into()))?;
    let source = Source { file, capacity, block: u32::from(sector), whole_blocks: true };
    let usb = NoBus.identity(0);
    Ok(Some(Target { path: path.to_owned(), kind: Kind::Device, input: Input::Medium(source), usb }))
}

/// A device or image as the steps 17 and 18 see it.
pub(crate) struct SeenMedium<'a> {
    pub(crate) medium: &'a Medium<'a>,
    pub(crate) usb: Seen<Option<Usb>>,
}

impl<'a> SeenMedium<'a> {
    pub(crate) fn new(medium: &'a Medium<'a>, target: &Target) -> Self {
        Self { medium, usb: target.usb.clone() }
    }
}

impl MediumView for SeenMedium<'_> {
    fn capacity(&self) -> Seen<u64> {
        Seen::As(self.medium.capacity())
    }

    fn block(&self) -> Seen<u32> {
        u32::try_from(self.medium.block()).map_or(Seen::NotAvailable, Seen::As)
    }

    fn usb(&self) -> Seen<Option<Usb>> {
        self.usb.clone()
    }

    fn read(&self, start: u64, length: u64) -> Result<Seen<Vec<u8>>, String> {
        self.medium.read_vec(start, length).map(Seen::As).map_err(|error| error.to_string())
    }
}

/// What shows nothing of the medium but perhaps its files: a mounted folder, or a tag file alone.
pub(crate) struct Unseen;

impl MediumView for Unseen {
    fn capacity(&self) -> Seen<u64> {
        Seen::NotAvailable
    }

    fn block(&self) -> Seen<u32> {
        Seen::NotAvailable
    }

    fn usb(&self) -> Seen<Option<Usb>> {
        Seen::NotAvailable
    }

    fn read(&self, _: u64, _: u64) -> Result<Seen<Vec<u8>>, String> {
        Ok(Seen::NotAvailable)
    }
}
