//! The medium that is written: what it is, whether anything is on it, and whether it may be written where it is.

use crate::admit::Role;
use crate::detect::Disk;
use blanche_sandbox::wire::WriteObstacle;
use blanche_scan::report::{CopyCause, TargetKind, TargetLine};
use blanche_scan::words;
use rustix::fs::{FileType, SeekFrom};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Where tables and boot sectors of any kind stand: so many bytes from the start and to the end of a medium.
const EDGE: u64 = 1 << 20;

/// The medium that is written.
#[derive(Debug)]
pub struct Output {
    /// A block device or image, opened for reading. It is opened again, for writing and exclusively, by this descriptor.
    pub medium: File,
    /// Its name, for reports.
    pub path: PathBuf,
    /// Where it was plugged in, and what that port is for; absent where there is no port, as for images.
    pub port: Option<(Disk, Role)>,
}

impl Output {
    /// What was detected in its port.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        self.port.as_ref().map(|(disk, _)| disk)
    }

    /// Whether it is still the medium that was detected in its port. Nobody asked for another one to be erased.
    ///
    /// # Errors
    /// [`CopyCause::Output`].
    pub(super) fn is_there(&self) -> Result<(), CopyCause> {
        match self.disk() {
            Some(disk) if !disk.is_there().unwrap_or(false) => Err(CopyCause::Output(WriteObstacle::Removed)),
            _ => Ok(()),
        }
    }
}

/// The output medium, for people.
pub(super) fn line(output: &Output) -> TargetLine {
    let device = rustix::fs::fstat(&output.medium)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice);
    let size = measure(&output.medium).ok();
    TargetLine {
        path: words::visible(output.path.as_os_str().as_bytes()),
        kind: if device { TargetKind::Device } else { TargetKind::Image },
        capacity: size.map(|(capacity, _)| capacity),
        logical_block: size.map(|(_, block)| block),
    }
}

/// Bytes of a device or image, and of its logical blocks.
pub(crate) fn measure(medium: &File) -> io::Result<(u64, u32)> {
    let kind = FileType::from_raw_mode(rustix::fs::fstat(medium)?.st_mode);
    let block = match kind {
        FileType::BlockDevice => rustix::fs::ioctl_blksszget(medium)?,
        FileType::RegularFile => 512,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a block device nor an image file")),
    };
    Ok((rustix::fs::seek(medium, SeekFrom::End(0))?, block))
}

/// Whether the first and last MiB of a medium hold nothing but zeros. Nothing is made of these bytes.
pub(crate) fn is_blank(medium: &File) -> io::Result<bool> {
    let (capacity, _) = measure(medium)?;
    for start in [0, capacity.saturating_sub(EDGE)] {
        let mut bytes = vec![0u8; usize::try_from(capacity.min(EDGE)).unwrap_or(0)];
        medium.read_exact_at(&mut bytes, start)?;
        if bytes.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a medium in this port may be written; `number`: the device that is open.
pub(super) fn port_allows(port: Option<&(Disk, Role)>, number: u64) -> Result<(), CopyCause> {
    match port {
        Some((_, Role::Input)) => Err(CopyCause::NotOutput),
        Some((disk, Role::Output)) if disk.number != 0 && disk.number != number => {
            Err(CopyCause::Output(WriteObstacle::Removed))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::super::writing::Copier;
    use super::*;
    use crate::detect::{DevPath, DiskKind};
    use crate::seal::writing::open_for_writing;
    use blanche_sandbox::wire::{CopyFilesystem, CopyOrder, LocalTime};
    use blanche_scan::progress::Cancel;
    use blanche_scan::settings::Settings;
    use std::os::fd::AsFd;
    use std::time::Duration;

    fn disk(number: u64) -> Disk {
        Disk {
            path: DevPath(String::new()),
            device: None,
            port: None,
            node: PathBuf::from("/dev/sdz"),
            number,
            sequence: 0,
            capacity: 1,
            read_only: false,
            kind: DiskKind::Disk,
            lun: 0,
            vendor: None,
            model: None,
        }
    }

    /// An image with something on it, in the place of a disk that the kernel does not have any more.
    fn swapped(image: &File) -> Output {
        let disk = Disk { number: rustix::fs::makedev(4095, 1), ..disk(7) };
        let medium = image.try_clone().unwrap();
        Output { medium, path: disk.node.clone(), port: Some((disk, Role::Output)) }
    }

    #[test]
    fn a_card_that_took_the_place_of_the_detected_one_is_never_opened_for_erasing() {
        let image = tempfile::tempfile().unwrap();
        image.write_all_at(b"somebody's files", 0).unwrap();
        let output = swapped(&image);
        let gone = Some(CopyCause::Output(WriteObstacle::Removed));
        assert_eq!(output.is_there().err(), gone);
        let order = CopyOrder {
            logical_block: 512,
            filesystem: CopyFilesystem::Fat32,
            serial: 1,
            time: LocalTime { seconds: 0, offset: 0 },
            reserve: 0,
        };
        let (settings, cancel) = (Settings::default(), Cancel::default());
        let started = |output: &Output| Copier::start(output, order, &[], 0, &settings, &cancel, Duration::ZERO).err();
        assert_eq!(started(&output), gone);
        let opened = |port: Option<&Disk>| open_for_writing(image.as_fd(), port).map(|_| ());
        assert_eq!(opened(output.disk()), Err(WriteObstacle::Removed));
        let here = Disk { number: 0, ..disk(7) };
        assert_eq!([opened(Some(&here)), opened(None)], [Ok(()), Ok(())]);
    }

    #[test]
    fn only_the_very_disk_in_an_output_port_is_written() {
        assert_eq!(port_allows(Some(&(disk(7), Role::Output)), 7), Ok(()));
        assert_eq!(port_allows(Some(&(disk(7), Role::Output)), 8), Err(CopyCause::Output(WriteObstacle::Removed)));
        assert_eq!(port_allows(Some(&(disk(7), Role::Input)), 7), Err(CopyCause::NotOutput));
        assert_eq!(port_allows(None, 7), Ok(()), "an image has no port");
    }
}
