//! Temporary files without a private tmpfs: where a process may not mount, each matcher gets a folder of its own below
//! `TMPDIR`. A matcher that is killed leaves it behind, so the next one removes folders whose process is gone.

use rustix::process::{Resource, Rlimit};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// What the names of the folders begin with; the number of the process follows.
const PREFIX: &str = "blanche-matcher-";

/// Why there is no folder.
#[derive(Debug, thiserror::Error)]
#[error("temporary folder below {place}: {source}; set TMPDIR to a folder that can be written")]
pub struct FallbackError {
    place: String,
    source: io::Error,
}

/// A new folder for this process alone, after the removal of those that dead processes left. `bytes` bounds each file
/// in it (RLIMIT_FSIZE), not their sum.
///
/// # Errors
/// When `TMPDIR` cannot be written.
pub(crate) fn folder(bytes: u64) -> Result<PathBuf, FallbackError> {
    let place = std::env::temp_dir();
    folder_in(&place, bytes).map_err(|source| FallbackError { place: place.display().to_string(), source })
}

fn folder_in(place: &Path, bytes: u64) -> io::Result<PathBuf> {
    sweep(place)?;
    let folder = place.join(format!("{PREFIX}{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&folder)?;
    if bytes > 0 {
        rustix::process::setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum: Some(bytes) })?;
    }
    Ok(folder)
}

/// Removes what dead processes left; other people's folders stay, because they cannot be removed.
fn sweep(place: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(place)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|text| text.parse::<u32>().ok());
        if let Some(number) = number
            && (number == std::process::id() || !Path::new(&format!("/proc/{number}")).exists())
        {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a folder that cannot be made stops the test")]
    use super::*;

    #[test]
    fn folders_of_dead_processes_go_and_those_of_living_ones_stay() {
        let place = tempfile::tempdir().unwrap();
        // Above the kernel's largest process number (proc(5), pid_max); and the first process of every system.
        let dead = place.path().join(format!("{PREFIX}4294967"));
        let alive = place.path().join(format!("{PREFIX}1"));
        for folder in [&dead, &alive] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("file"), b"left over").unwrap();
        }
        let own = folder_in(place.path(), 0).unwrap();
        assert!(own.exists() && alive.exists() && !dead.exists());
    }
}
