//! Read-only in the kernel: a disk and its partitions (BLKROSET), so that not even an error of ours writes to a medium
//! before it is sealed.

use super::GateError;
use super::usb::failed;
use crate::detect::sysfs::Folder;
use crate::detect::{DevPath, Disk};
use blanche_sandbox::block;
use rustix::fs::{Mode, OFlags};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Makes a disk and every partition that the kernel knows of it read-only, or lifts that.
///
/// # Errors
/// [`GateError::Changed`] when the node is now another medium; [`GateError::Kernel`].
pub(super) fn disk(sys: &Path, dev: &Path, disk: &Disk, read_only: bool) -> Result<(), GateError> {
    let whole = open(&disk.node, disk.number)?;
    if block::sequence(&whole).map_err(|source| failed(&disk.node, source))? != disk.sequence {
        return Err(GateError::Changed);
    }
    // Partitions first and the disk last when it is closed; what fails leaves more closed than it was, not less.
    for (name, number) in partitions(sys, &disk.path)? {
        let node = dev.join(name);
        let partition = open(&node, number)?;
        block::set_read_only(&partition, read_only).map_err(|source| failed(&node, source))?;
    }
    block::set_read_only(&whole, read_only).map_err(|source| failed(&disk.node, source))
}

/// Brings what the kernel has not written yet onto a disk.
///
/// # Errors
/// [`GateError::Changed`] when the node is now another disk; [`GateError::Kernel`] when the disk does not take it.
pub(super) fn flush(disk: &Disk) -> Result<(), GateError> {
    let whole = open(&disk.node, disk.number)?;
    whole.sync_all().map_err(|source| failed(&disk.node, source))
}

/// Names and numbers of the partitions that the kernel knows.
fn partitions(sys: &Path, disk: &DevPath) -> Result<Vec<(String, u64)>, GateError> {
    let folder = Folder::of(sys, disk);
    let entries = fs::read_dir(folder.path()).map_err(|source| failed(folder.path(), source))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| failed(folder.path(), source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let partition = Folder::of(sys, &DevPath(format!("{disk}/{name}")));
        // Only partitions have this attribute (kernel: Documentation/ABI/stable/sysfs-block).
        if partition.number("partition").is_some() {
            let number = partition.text("dev").and_then(|text| device_number(&text));
            let unknown = || failed(partition.path(), io::Error::new(io::ErrorKind::InvalidData, "no device number"));
            found.push((name, number.ok_or_else(unknown)?));
        }
    }
    Ok(found)
}

/// `8:17`.
fn device_number(text: &str) -> Option<u64> {
    let (major, minor) = text.split_once(':')?;
    Some(rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?))
}

/// Opens a block node, if it is the device of this number.
fn open(node: &Path, number: u64) -> Result<File, GateError> {
    // O_NONBLOCK: a drive without a disc must not keep us (kernel: Documentation/cdrom/cdrom-standard.rst).
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(node, flags, Mode::empty()).map_err(|error| failed(node, error.into()))?;
    let opened = File::from(opened);
    let found = opened.metadata().map_err(|source| failed(node, source))?;
    if found.file_type().is_block_device() && found.rdev() == number { Ok(opened) } else { Err(GateError::Changed) }
}
