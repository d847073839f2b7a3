//! What is to be scanned: opened once, read-only, and admitted or refused before anything is read from it.

use crate::error::ScanError;
use crate::report::{Refusal, TargetKind, TargetLine};
use crate::words::visible;
use blanche_sandbox::wire::Source;
use rustix::fs::{FileType, Mode, OFlags};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// An opened target.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) file: File,
    pub(crate) source: Source,
    pub(crate) line: TargetLine,
    pub(crate) refusal: Option<Refusal>,
}

impl Target {
    /// Opens a block device, an image file or a folder.
    ///
    /// # Errors
    /// [`ScanError`] when it is missing, may not be read, or is none of the three.
    pub(crate) fn open(path: &Path, max_capacity: Option<u64>) -> Result<Self, ScanError> {
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ScanError::TargetMissing { path: path.to_owned(), source },
            _ => ScanError::TargetUnreadable { path: path.to_owned(), source },
        };
        // Without NONBLOCK a named pipe would block for ever; it has no effect on files and block devices.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| unreadable(error.into()))?;
        Self::of(File::from(fd), path, max_capacity)
    }

    /// The same of what is open already.
    ///
    /// # Errors
    /// As [`Target::open`].
    pub(crate) fn of(mut file: File, path: &Path, max_capacity: Option<u64>) -> Result<Self, ScanError> {
        let unreadable = |source: io::Error| ScanError::TargetUnreadable { path: path.to_owned(), source };
        let stat = rustix::fs::fstat(&file).map_err(|error| unreadable(error.into()))?;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::BlockDevice => TargetKind::Device,
            FileType::RegularFile => TargetKind::Image,
            FileType::Directory => TargetKind::Folder,
            _ => return Err(ScanError::TargetUnsupported { path: path.to_owned() }),
        };
        let mut line =
            TargetLine { path: visible(path.as_os_str().as_bytes()), kind, capacity: None, logical_block: None };
        if kind == TargetKind::Folder {
            return Ok(Self { file, source: Source::Folder, line, refusal: None });
        }
        let capacity = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let logical_block = match kind {
            TargetKind::Device => rustix::fs::ioctl_blksszget(&file).map_err(|error| unreadable(error.into()))?,
            _ => 512,
        };
        line.capacity = Some(capacity);
        line.logical_block = Some(logical_block);
        let mounted = (kind == TargetKind::Device).then(|| mounted_at(stat.st_rdev)).flatten();
        let refusal = match (capacity, max_capacity, mounted) {
            (0, ..) => Some(Refusal::Empty),
            (_, Some(limit), _) if capacity > limit => Some(Refusal::TooLarge(limit)),
            (_, _, Some(place)) => Some(Refusal::Mounted(place)),
            _ => None,
        };
        Ok(Self { file, source: Source::Medium { capacity, logical_block }, line, refusal })
    }
}

/// Where the kernel has this device, or a partition of it, mounted: proc_pid_mountinfo(5), field 3.
fn mounted_at(device: u64) -> Option<String> {
    let name = |device: u64| format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let mut numbers = BTreeSet::from([name(device)]);
    let folder = format!("/sys/dev/block/{}", name(device));
    for partition in std::fs::read_dir(folder).ok()?.flatten() {
        if let Ok(number) = std::fs::read_to_string(partition.path().join("dev")) {
            numbers.insert(number.trim().to_owned());
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().find_map(|mount| {
        let mut fields = mount.split(' ').skip(2);
        let (number, place) = (fields.next()?, fields.nth(1)?);
        numbers.contains(number).then(|| place.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_image_and_one_beyond_the_policy_are_refused() {
        let image = tempfile::NamedTempFile::new().expect("file");
        let open = |limit| Target::open(image.path(), limit).expect("target").refusal;
        assert_eq!(open(None), Some(Refusal::Empty));
        image.as_file().set_len(1024).expect("length");
        assert_eq!(open(Some(1023)), Some(Refusal::TooLarge(1023)));
        assert_eq!(open(Some(1024)), None);
    }

    #[test]
    fn what_is_no_medium_is_an_error_and_a_pipe_does_not_block() {
        let folder = tempfile::tempdir().expect("folder");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).expect("pipe");
        assert!(matches!(Target::open(&pipe, None), Err(ScanError::TargetUnsupported { .. })));
        assert!(matches!(Target::open(Path::new("/dev/null"), None), Err(ScanError::TargetUnsupported { .. })));
        let missing = folder.path().join("missing");
        assert!(matches!(Target::open(&missing, None), Err(ScanError::TargetMissing { .. })));
    }

    #[test]
    fn a_mounted_device_is_recognised_by_its_number() {
        let root = rustix::fs::stat("/proc/self").expect("stat").st_dev;
        assert_eq!(mounted_at(root), None, "procfs has no block device folder");
    }
}
