//! An aged volume against ntfs-3g: 5000 files that were made, changed, moved and removed in a fixed random order.

use super::volume::{MIB, make, mounted, set};
use crate::images::{Numbers, run};
use crate::reading::read_image;
use blanche_sandbox::wire::EntryKind;
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

type Digests = BTreeMap<String, (u64, [u8; 32])>;

/// Text that compresses, noise that does not, or zeros.
fn content(numbers: &mut Numbers) -> Vec<u8> {
    let size = match numbers.below(10) {
        0 => 0,
        1..=5 => numbers.below(900),
        6..=8 => numbers.below(20_000),
        _ => numbers.below(200_000),
    };
    match numbers.below(3) {
        0 => numbers.bytes(size),
        1 => vec![0; size],
        _ => (0..size / 8).flat_map(|_| format!("word {:02} ", numbers.below(100)).into_bytes()).take(size).collect(),
    }
}

fn new_name(numbers: &mut Numbers, folders: &[PathBuf], serial: usize) -> PathBuf {
    let folder = &folders[numbers.below(folders.len())];
    let name = match numbers.below(4) {
        0 => format!("f{serial}"),
        1 => format!("Ein längerer Name № {serial}.txt"),
        2 => format!("😀 {serial} {}", "x".repeat(numbers.below(180))),
        _ => format!("{serial}.dat"),
    };
    folder.join(name)
}

/// One random change to the files.
fn change(numbers: &mut Numbers, files: &mut Vec<PathBuf>, folders: &[PathBuf], serial: usize) {
    let chosen = numbers.below(files.len());
    let path = files[chosen].clone();
    match numbers.below(10) {
        0 | 1 => {
            fs::remove_file(&path).unwrap();
            files.swap_remove(chosen);
        }
        2 => {
            let name = new_name(numbers, folders, serial);
            fs::rename(&path, &name).unwrap();
            files[chosen] = name;
        }
        3 => fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(numbers.below(60_000) as u64).unwrap(),
        4 | 5 => {
            let more = content(numbers);
            fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&more).unwrap();
        }
        6 => {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.write_all_at(&content(numbers), numbers.below(300_000) as u64).unwrap();
        }
        7 => {
            let name = new_name(numbers, folders, serial);
            fs::hard_link(&path, &name).unwrap();
            files.push(name);
        }
        8 => {
            let stream = format!("{}:stream {}", path.to_str().unwrap(), numbers.below(4));
            fs::write(stream, content(numbers)).unwrap();
        }
        _ => {
            let name = new_name(numbers, folders, serial);
            fs::write(&name, content(numbers)).unwrap();
            files.push(name);
        }
    }
}

fn age(mount: &Path, count: usize) {
    let mut numbers = Numbers(2026);
    let mut folders = vec![mount.to_owned()];
    for number in 0..40 {
        let folder = folders[numbers.below(folders.len())].join(format!("Folder {number}"));
        fs::create_dir(&folder).unwrap();
        if number % 5 == 0 {
            set(&folder, "system.ntfs_attrib", "0x00080000");
        }
        folders.push(folder);
    }
    let mut files = Vec::new();
    let mut serial = 0;
    while files.len() < count {
        let name = new_name(&mut numbers, &folders, serial);
        fs::write(&name, content(&mut numbers)).unwrap();
        files.push(name);
        for _ in 0..numbers.below(2) {
            serial += 1;
            change(&mut numbers, &mut files, &folders, serial);
        }
        serial += 1;
    }
    for (number, folder) in folders.iter().enumerate().take(20) {
        symlink(format!("f{number}"), folder.join(format!("link {number}"))).unwrap();
    }
    let sparse = fs::File::create(mount.join("sparse")).unwrap();
    sparse.set_len(5_000_000).unwrap();
    sparse.write_all_at(b"far out", 4_000_000).unwrap();
}

fn digest(path: &Path) -> (u64, [u8; 32]) {
    let (mut file, mut hasher, mut size) = (fs::File::open(path).unwrap(), sha2::Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    file.seek(SeekFrom::Start(0)).unwrap();
    loop {
        let count = file.read(&mut buffer).unwrap();
        if count == 0 {
            return (size, hasher.finalize().into());
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
}

/// What ntfs-3g shows: files, their streams, symbolic links by name.
fn shown(root: &Path) -> (Digests, Vec<String>) {
    let (mut files, mut links, mut todo) = (Digests::new(), Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if kind.is_dir() {
                todo.push(path);
            } else if kind.is_symlink() {
                links.push(name);
            } else {
                files.insert(name.clone(), digest(&path));
                let streams = run(
                    "getfattr",
                    &["--absolute-names", "-n", "ntfs.streams.list", "--only-values", path.to_str().unwrap()],
                    "",
                );
                for stream in streams.split('\0').filter(|stream| !stream.is_empty()) {
                    let full = PathBuf::from(format!("{}:{stream}", path.to_str().unwrap()));
                    files.insert(format!("{name}:{stream}"), digest(&full));
                }
            }
        }
    }
    links.sort();
    (files, links)
}

fn compare(cluster: &str, bytes: u64, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    make(&image, bytes, &["-c", cluster]);
    mounted(&image, "rw,big_writes", |mount| age(mount, count));
    let (files, links) = mounted(&image, "ro", shown);
    assert!(files.len() >= count);
    let reading = read_image(fs::read(&image).unwrap());
    assert_eq!(reading.not_read, [], "{cluster}");
    let mut found: Digests = Digests::new();
    for (path, content) in reading.files(0) {
        found.insert(path, (content.len() as u64, sha2::Sha256::digest(&content).into()));
    }
    for link in &links {
        assert!(found.remove(link).is_some(), "{link} is a file that says where it leads");
    }
    let paths = |files: &Digests| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&found), paths(&files), "{cluster}");
    assert!(found == files, "{cluster}: contents differ");
    let again = reading.entries.iter().filter(|entry| entry.same_as.is_some()).count();
    let folders = reading.entries.iter().filter(|entry| entry.kind == EntryKind::Directory).count();
    assert!(again > count / 50 && folders == 40, "{again} further names");
}

#[test]
fn five_thousand_files_in_4_kib_clusters() {
    compare("4096", 512 * MIB, 5000);
}

#[test]
fn small_clusters() {
    compare("512", 192 * MIB, 1500);
}

#[test]
fn large_clusters() {
    compare("65536", 256 * MIB, 600);
}
