//! A disk without room. Needs root, and mount(8), for a disk of its own.

use crate::testing::{Signing, open, session};
use crate::{Event, EventKind, Evidence, Filter, JournalError, Order, verify};
use std::path::Path;
use std::process::Command;

/// A small file system in memory, unmounted at the end.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let options = ["-t", "tmpfs", "-o", "size=1200k,mode=700", "tmpfs", path];
        let mounted = Command::new("mount").args(options).status().unwrap();
        assert!(mounted.success(), "this test needs the right to mount a tmpfs");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_said_loses_nothing_and_is_over_when_there_is_room_again() {
    let disk = Disk::new();
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![0; 300_000]).unwrap();
    let journal = open(disk.path());
    let mut signing = Signing::new();
    let mut recorded = 0u64;
    let error = loop {
        match journal.transfer(session(recorded)) {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
        if recorded.is_multiple_of(16) && journal.checkpoint(&mut |request| signing.sign(request)).is_err() {
            break journal.event(Event::new(EventKind::Alarm)).unwrap_err();
        }
    };
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert!(recorded > 20, "{recorded}");
    // Again and again: nothing is half there. Those that are infected have the longest records: a shorter one might still fit.
    for _ in 0..5 {
        assert!(matches!(journal.transfer(session(recorded | 3)), Err(JournalError::Full { .. })));
    }
    let count = || {
        let filter = Filter { kind: Some("session".to_owned()), ..Filter::default() };
        u64::try_from(journal.reader().unwrap().page(&filter, Order::OldestFirst, None, 10_000).unwrap().rows.len())
    };
    assert_eq!(count(), Ok(recorded));
    std::fs::remove_file(&filler).unwrap();
    journal.transfer(session(recorded)).unwrap();
    assert_eq!(count(), Ok(recorded + 1));
    drop(journal);
    let (trust, crls) = signing.trust();
    let evidence = Evidence { trust: Some((&trust, &crls)), ..Evidence::default() };
    let verification = verify(&disk.path().join("journal"), &evidence).unwrap();
    assert_eq!(verification.faults, []);
    open(disk.path());
}

#[test]
fn a_journal_cannot_begin_on_a_full_disk_and_leaves_nothing_half_made() {
    let disk = Disk::new();
    let filler = disk.path().join("filler");
    // All but a few pages.
    let _ = std::fs::write(&filler, vec![0; 1_180_000]);
    let settings = crate::testing::settings(disk.path());
    assert!(matches!(crate::Journal::open(&settings), Err(JournalError::Full { .. })));
    std::fs::remove_file(&filler).unwrap();
    open(disk.path()).transfer(session(1)).unwrap();
}
