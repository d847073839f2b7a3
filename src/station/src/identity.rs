//! What a medium is recognised by: capacity, block size, and the USB device if that is the medium (docs/tag-format.md,
//! sections 9 and 14). Nothing of its content is read.

use blanche_tag::Usb;
use blanche_tag::claims::Medium;
use rustix::fs::{FileType, Mode, OFlags, SeekFrom};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// The USB device that is the medium; nothing for images, card readers, drives and other buses.
pub(crate) fn usb(medium: BorrowedFd<'_>) -> Option<Usb> {
    let stat = rustix::fs::fstat(medium).ok()?;
    let device = FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice;
    device.then(|| blanche_verify::usb_device(stat.st_rdev)).flatten()
}

/// The claims about a medium by which its tags are found.
///
/// # Errors
/// What the kernel says.
pub(crate) fn of(path: &Path) -> io::Result<Medium> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let medium = rustix::fs::open(path, flags, Mode::empty())?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&medium)?.st_mode);
    let block = match kind {
        FileType::BlockDevice => rustix::fs::ioctl_blksszget(&medium)?,
        FileType::RegularFile => 512,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a block device nor an image file")),
    };
    let capacity = rustix::fs::seek(&medium, SeekFrom::End(0))?;
    Ok(Medium { capacity, block, usb: usb(medium.as_fd()), areas: Vec::new(), tag_volume: None })
}
