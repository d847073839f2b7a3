//! The highest counter that was ever signed, durable before a signature leaves.
//!
//! A crash between writing and signing loses a number, never repeats one. A lost file is not a new beginning: it must be
//! restored by hand, above every tag that is known.

use crate::KeysError;
use crate::place;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The counter file, held by this process alone.
#[derive(Debug)]
pub(crate) struct Counter {
    /// Open and locked for as long as the signer lives.
    folder: OwnedFd,
    path: PathBuf,
    highest: u64,
}

impl Counter {
    /// Locks the folder of the file and reads it. Another signer that has it just now is waited for, up to `patience`.
    pub(crate) fn open(path: &Path, patience: Duration) -> Result<Self, KeysError> {
        let folder = place::lock_within(path.parent().unwrap_or(Path::new(".")), patience)?;
        let text = place::read_text(path)?;
        let wrong = || KeysError::Content {
            path: path.to_owned(),
            what: "not one decimal number; write a number above the counter of every tag of this station".to_owned(),
        };
        let digits = text.strip_suffix('\n').unwrap_or(&text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let highest = digits.parse().map_err(|_| wrong())?;
        Ok(Self { folder, path: path.to_owned(), highest })
    }

    pub(crate) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Raises it; when this returns, a power cut cannot lower it any more.
    pub(crate) fn raise(&mut self, to: u64) -> Result<(), KeysError> {
        // First in memory: whatever becomes of the file, this process never signs that number again.
        self.highest = self.highest.max(to);
        place::replace(&self.folder, &self.path, format!("{}\n", self.highest).as_bytes(), 0o600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A program that another test starts at this moment holds the locks of this one until it runs.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        folder
    }

    fn write(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn a_missing_or_damaged_counter_is_never_zero() {
        let folder = folder();
        let path = folder.path().join("highest");
        assert!(matches!(Counter::open(&path, PATIENCE), Err(KeysError::Read { .. })));
        for text in ["", "\n", "-1\n", "+1\n", " 1\n", "1 \n", "1\n1\n", "18446744073709551616\n", "0x1\n"] {
            write(&path, text);
            assert!(matches!(Counter::open(&path, PATIENCE), Err(KeysError::Content { .. })), "{text:?}");
        }
        write(&path, "41\n");
        assert_eq!(Counter::open(&path, PATIENCE).unwrap().highest(), 41);
    }

    #[test]
    fn the_counter_is_on_the_disk_when_raise_returns_and_never_falls() {
        let folder = folder();
        let path = folder.path().join("highest");
        write(&path, "41\n");
        let mut counter = Counter::open(&path, PATIENCE).unwrap();
        counter.raise(100).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "100\n");
        counter.raise(50).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "100\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_second_signer_does_not_get_the_counter() {
        let folder = folder();
        let path = folder.path().join("highest");
        write(&path, "1\n");
        let first = Counter::open(&path, PATIENCE).unwrap();
        assert!(matches!(Counter::open(&path, Duration::from_millis(100)), Err(KeysError::Locked { .. })));
        drop(first);
        assert!(Counter::open(&path, PATIENCE).is_ok());
    }

    #[test]
    fn a_second_signer_waits_for_the_first_and_finds_its_number() {
        let folder = folder();
        let path = folder.path().join("highest");
        write(&path, "1\n");
        let mut first = Counter::open(&path, PATIENCE).unwrap();
        assert!(place::is_locked(folder.path()));
        let second = std::thread::spawn({
            let path = path.clone();
            move || Counter::open(&path, PATIENCE).unwrap().highest()
        });
        std::thread::sleep(Duration::from_millis(100));
        first.raise(7).unwrap();
        drop(first);
        assert_eq!(second.join().unwrap(), 7);
        let start = std::time::Instant::now();
        while place::is_locked(folder.path()) {
            assert!(start.elapsed() < PATIENCE, "nobody has it any more");
        }
    }

    #[test]
    fn a_disk_that_refuses_keeps_the_number_used_up() {
        let folder = folder();
        let path = folder.path().join("highest");
        write(&path, "1\n");
        let mut counter = Counter::open(&path, PATIENCE).unwrap();
        // Something that cannot be replaced by a file stands in the way.
        std::fs::create_dir(folder.path().join(".highest.new")).unwrap();
        assert!(matches!(counter.raise(9), Err(KeysError::Write { .. })));
        assert_eq!(counter.highest(), 9);
    }
}
