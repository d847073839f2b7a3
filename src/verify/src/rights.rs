//! Files that must be an administrator's own (security rule 11): read once, through one descriptor whose rights were
//! checked.

use crate::failure::Failure;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Whether the rights of files are looked at on this system.
pub(crate) const CHECKED: bool = cfg!(unix);

/// Refuses what group or others may write, and what belongs to somebody else than root or the caller. Whoever calls this
/// program by sudo(8) is a caller too: that person has the rights of root already.
#[cfg(unix)]
pub(crate) fn check(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let effective = rustix::process::geteuid();
    let sudo = std::env::var("SUDO_UID").ok().filter(|_| effective.is_root()).and_then(|uid| uid.parse().ok());
    let own = [0, effective.as_raw(), sudo.unwrap_or(0)].contains(&metadata.uid());
    if metadata.mode() & 0o022 == 0 && own { Ok(()) } else { Err(Failure::Rights { path: path.to_owned() }) }
}

/// The same for a folder that holds a file of ours; in a sticky one nobody but its owner removes a file (chmod(2)).
#[cfg(unix)]
pub(crate) fn check_folder(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    if metadata.mode() & 0o1000 == 0 { check(path, metadata) } else { Ok(()) }
}

/// As for files.
#[cfg(not(unix))]
pub(crate) fn check_folder(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    check(path, metadata)
}

/// Windows has access lists instead: installers set them, and [`CHECKED`] says that nobody looks here.
#[cfg(not(unix))]
pub(crate) fn check(_: &Path, _: &Metadata) -> Result<(), Failure> {
    Ok(())
}

/// Opens a file for reading. A pipe in its place is not waited for.
///
/// # Errors
/// The host's.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    options.open(path)
}

/// The content of a file of at most `most` bytes.
///
/// # Errors
/// [`Failure::Rights`], [`Failure::BadFile`]
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let bad = |why: String| Failure::BadFile { path: path.to_owned(), why };
    let file = open(path).map_err(|error| bad(error.to_string()))?;
    let metadata = file.metadata().map_err(|error| bad(error.to_string()))?;
    check(path, &metadata)?;
    if !metadata.is_file() {
        return Err(bad("not a regular file".to_owned()));
    }
    match bounded(file, most) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(bad(format!("longer than {most} bytes"))),
        Err(error) => Err(bad(error.to_string())),
    }
}

/// Everything, or nothing if it is longer than `most` bytes.
pub(crate) fn bounded(file: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let length = file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(u64::try_from(length).is_ok_and(|length| length <= most).then_some(bytes))
}
