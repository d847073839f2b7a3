//! A folder of a mounted filesystem as source.

use crate::images::{tree, write_tree};
use crate::reading::{Reading, run};
use blanche_media::Input;
use blanche_sandbox::wire::{Cause, EntryKind, ReadJob, ReadLimit, ReadLimits, Source};
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::Path;

fn read(folder: &Path, limits: ReadLimits) -> Reading {
    let open = fs::File::open(folder).unwrap();
    run(&ReadJob { source: Source::Folder, limits }, &Input::Folder(open.as_fd()), 0)
}

#[test]
fn a_tree_comes_out_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), &tree());
    let reading = read(folder.path(), ReadLimits::default());
    assert!(reading.files(0) == tree());
    assert!(reading.not_read.is_empty());
    let names: Vec<_> =
        reading.entries.iter().take_while(|entry| entry.parent.is_none()).map(|e| e.name.clone()).collect();
    assert!(names.is_sorted());
}

#[test]
fn targets_of_links_are_read_and_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inside")).unwrap();
    fs::write(folder.path().join("inside/file"), b"x").unwrap();
    symlink("/etc/passwd", folder.path().join("outside")).unwrap();
    symlink("inside", folder.path().join("folder")).unwrap();
    symlink(".", folder.path().join("loop")).unwrap();
    let reading = read(folder.path(), ReadLimits::default());
    assert_eq!(reading.not_read, []);
    let targets = [("folder", "inside"), ("loop", "."), ("outside", "/etc/passwd")];
    assert_eq!(reading.links(0), targets.map(|(name, target)| (name.to_owned(), target.into())).into());
    assert_eq!(reading.contents.len(), 4, "and one file");
}

#[test]
fn the_longest_target_comes_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let target = "né/".repeat(1024)[..4095].trim_end_matches('/').to_owned();
    symlink(&target, folder.path().join("long")).unwrap();
    fs::hard_link(folder.path().join("long"), folder.path().join("second")).unwrap();
    let reading = read(folder.path(), ReadLimits::default());
    assert_eq!(reading.not_read, []);
    let expected = ["long", "second"].map(|name| (name.to_owned(), target.clone().into_bytes()));
    assert_eq!(reading.links(0), expected.into());
}

#[test]
fn pipes_and_sockets_are_named_and_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    crate::images::run("mkfifo", &[folder.path().join("pipe").to_str().unwrap()], "");
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let reading = read(folder.path(), ReadLimits::default());
    for name in ["pipe", "socket"] {
        assert_eq!(reading.notes(name), [(0, 0, Cause::NotRegularFile)]);
        assert_eq!(reading.entries[reading.find(name) as usize].kind, EntryKind::Other);
    }
}

#[test]
fn another_filesystem_below_is_named_and_not_entered() {
    let folder = tempfile::tempdir().unwrap();
    let mount = folder.path().join("mount");
    fs::create_dir(&mount).unwrap();
    crate::images::run("mount", &["-t", "tmpfs", "none", mount.to_str().unwrap()], "");
    fs::write(mount.join("file"), b"x").unwrap();
    let reading = read(folder.path(), ReadLimits::default());
    crate::images::run("umount", &[mount.to_str().unwrap()], "");
    assert_eq!(reading.notes("mount"), [(0, 0, Cause::OtherFilesystem)]);
    assert_eq!(reading.contents.len(), 0);
}

#[test]
fn depth_entries_and_bytes_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
    fs::write(folder.path().join("a/big"), vec![1; 5000]).unwrap();
    fs::write(folder.path().join("a/small"), vec![1; 50]).unwrap();
    let reading = read(folder.path(), ReadLimits { max_depth: 1, max_bytes: 100, ..Default::default() });
    assert_eq!(reading.notes("a/b"), [(0, 0, Cause::ReadLimit(ReadLimit::Depth))]);
    assert_eq!(reading.notes("a/big"), [(0, 5000, Cause::ReadLimit(ReadLimit::Bytes))]);
    assert_eq!(reading.files(0)["a/small"], vec![1; 50]);
    let reading = read(folder.path(), ReadLimits { max_entries: 2, ..Default::default() });
    assert!(reading.says(&Cause::ReadLimit(ReadLimit::Entries)));
}

#[test]
fn a_very_deep_folder_is_read_to_its_bottom() {
    let folder = tempfile::tempdir().unwrap();
    let name = "n".repeat(200);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut open = rustix::fs::open(folder.path(), flags, Mode::empty()).unwrap();
    for _ in 0..60 {
        rustix::fs::mkdirat(&open, &name, Mode::RWXU).unwrap();
        open = rustix::fs::openat(&open, &name, flags, Mode::empty()).unwrap();
    }
    let file = rustix::fs::openat(&open, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
    rustix::io::write(&file, b"end").unwrap();
    let reading = read(folder.path(), ReadLimits::default());
    assert_eq!(reading.files(0).into_values().collect::<Vec<_>>(), [b"end"]);
    assert!(reading.not_read.is_empty());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, size) in [("grows", 1000), ("shrinks", 1000), ("vanishes", 1000)] {
        fs::write(folder.path().join(name), vec![1; size]).unwrap();
    }
    let open = fs::File::open(folder.path()).unwrap();
    let job = ReadJob { source: Source::Folder, limits: ReadLimits::default() };
    let mut notes = Vec::new();
    blanche_media::read(&job, &Input::Folder(open.as_fd()), &mut |message, _| {
        use blanche_sandbox::wire::FromReader::{NotRead, Planned};
        match message {
            Planned { .. } => {
                fs::write(folder.path().join("grows"), vec![1; 1500]).unwrap();
                fs::write(folder.path().join("shrinks"), vec![1; 400]).unwrap();
                fs::remove_file(folder.path().join("vanishes")).unwrap();
            }
            NotRead(note) => notes.push((note.offset, note.length, note.cause)),
            _ => {}
        }
        Ok(())
    })
    .unwrap();
    let changed = |offset, length| (offset, length, Cause::ChangedWhileRead);
    assert_eq!(notes, [changed(1000, 500), changed(400, 600), changed(0, 1000)]);
}
