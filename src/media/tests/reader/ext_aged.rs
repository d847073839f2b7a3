//! Volumes that were worked on for a while, against what the kernel, or debugfs, sees in them.

use super::{Mount, debugfs, ext_from, notes, plain_files, text};
use crate::images::{Numbers, run};
use crate::reading::{Reading, read_image};
use blanche_sandbox::wire::EntryKind;
use rustix::fs::{XattrFlags, getxattr, listxattr, lsetxattr, setxattr};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;

const MIB: u64 = 1 << 20;
const FILES: usize = 5000;

/// Everything that a volume shows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    folders: BTreeSet<String>,
    files: BTreeMap<String, Vec<u8>>,
    links: BTreeMap<String, Vec<u8>>,
    attributes: BTreeMap<String, Vec<u8>>,
}

/// What a host sees in a folder.
fn shown(root: &Path) -> Shown {
    let mut shown = Shown::default();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = text(path.strip_prefix(root).unwrap()).to_owned();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                shown.links.insert(name, target.into_os_string().into_encoded_bytes());
                continue;
            }
            let mut list = vec![0; 1 << 16];
            let length = listxattr(&path, &mut list[..]).unwrap();
            for attribute in list[..length].split(|byte| *byte == 0).filter(|name| name.starts_with(b"user.")) {
                let attribute = std::str::from_utf8(attribute).unwrap();
                let mut value = vec![0; 1 << 16];
                let length = getxattr(&path, attribute, &mut value[..]).unwrap();
                value.truncate(length);
                shown.attributes.insert(format!("{name}:{attribute}"), value);
            }
            if kind.is_dir() {
                shown.folders.insert(name);
                folders.push(path);
            } else if kind.is_file() {
                shown.files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    shown
}

/// What the reader handed over.
fn handed_over(reading: &Reading) -> Shown {
    let mut shown = Shown { files: plain_files(reading), ..Shown::default() };
    shown.links = reading.links(0);
    let others = reading.files(0).into_iter();
    shown.attributes =
        others.filter(|(path, _)| !shown.files.contains_key(path) && !shown.links.contains_key(path)).collect();
    let folders = reading.entries.iter().enumerate().filter(|(_, entry)| entry.kind == EntryKind::Directory);
    shown.folders = folders.map(|(id, _)| reading.path(id as u32)).collect();
    shown
}

fn compare(name: &str, reading: &Reading, expected: &Shown) {
    assert_eq!(notes(reading), [""; 0], "{name}");
    let found = handed_over(reading);
    assert_eq!(found.folders, expected.folders, "{name}");
    assert_eq!(found.links, expected.links, "{name}");
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found.files), names(&expected.files), "{name}");
    for (path, content) in &expected.files {
        let at = found.files[path].iter().zip(content).position(|(found, expected)| found != expected);
        let sizes = (found.files[path].len(), content.len());
        assert!(found.files[path] == *content, "{name}: {path} differs at {at:?} of {sizes:?}");
    }
    assert_eq!(names(&found.attributes), names(&expected.attributes), "{name}");
    assert!(found.attributes == expected.attributes, "{name}: attributes differ");
}

/// Mounts an image for as long as `work` takes.
fn mounted<T>(image: &Path, options: &str, work: impl FnOnce(&Path) -> T) -> T {
    let mount = Mount::new(image, options);
    work(mount.path())
}

/// Years of use: files come, grow in pieces between each other, shrink, move and go.
struct Life {
    numbers: Numbers,
    files: Vec<String>,
    /// Space can be asked for before it is used.
    preallocates: bool,
}

impl Life {
    fn name(&mut self) -> String {
        let length = 1 + self.numbers.below(40);
        let word = "naïveté-élan-Straße-データ-abcdefghijklmnopqrstuvwxyz-0123456789";
        let text: String = word.chars().cycle().skip(self.numbers.below(60)).take(length).collect();
        let folder = match self.numbers.below(10) {
            0 => String::new(),
            1..=5 => format!("many {}/", self.numbers.below(2)),
            _ => format!("a{}/b{}/", self.numbers.below(12), self.numbers.below(5)),
        };
        format!("{folder}{text} {}", self.files.len())
    }

    fn size(&mut self) -> usize {
        match self.numbers.below(40) {
            0 => 0,
            1..=12 => self.numbers.below(200),
            13..=35 => self.numbers.below(6000),
            36..=38 => self.numbers.below(40_000),
            _ => self.numbers.below(300_000),
        }
    }

    fn create(&mut self, root: &Path) {
        let name = self.name();
        let path = root.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let size = self.size();
        fs::write(&path, self.numbers.bytes(size)).unwrap();
        self.files.push(name);
    }

    fn pick(&mut self, root: &Path) -> std::path::PathBuf {
        let place = self.numbers.below(self.files.len());
        root.join(&self.files[place])
    }

    fn step(&mut self, root: &Path) {
        let path = self.pick(root);
        match self.numbers.below(16) {
            0..=2 => {
                fs::remove_file(&path).unwrap();
                self.files.retain(|file| root.join(file) != path);
                self.create(root);
            }
            3 | 4 => {
                let name = self.name();
                fs::create_dir_all(root.join(&name).parent().unwrap()).unwrap();
                fs::rename(&path, root.join(&name)).unwrap();
                self.files.retain(|file| root.join(file) != path);
                self.files.push(name);
            }
            5 => {
                let length = self.numbers.below(5000) as u64;
                OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
            }
            6..=11 => {
                // Two files that grow in turn have their blocks in turn.
                let other = self.pick(root);
                for _ in 0..3 {
                    for path in [&path, &other] {
                        let piece = 1 + self.numbers.below(3000);
                        let mut file = OpenOptions::new().append(true).open(path).unwrap();
                        file.write_all(&self.numbers.bytes(piece)).unwrap();
                        file.sync_data().unwrap();
                    }
                }
            }
            12 | 13 => {
                let offset = self.numbers.below(3 << 20) as u64;
                let file = OpenOptions::new().write(true).open(&path).unwrap();
                file.write_all_at(&self.numbers.bytes(700), offset).unwrap();
            }
            14 if self.preallocates => {
                run("fallocate", &["-n", "-o", "8192", "-l", "100000", text(&path)], "");
                run("fallocate", &["-o", "4096", "-l", "20000", text(&path)], "");
            }
            _ => {
                let name = format!("user.note {}", self.numbers.below(3));
                let size = self.numbers.below(700);
                let value = self.numbers.bytes(size);
                // A block of 1 KiB has no room for three of them.
                let _ = setxattr(&path, name.as_str(), &value, XattrFlags::empty());
            }
        }
    }

    fn special(&mut self, root: &Path) {
        for number in 0..60 {
            let path = self.pick(root);
            if self.files.len() > number {
                let _ = fs::hard_link(&path, root.join(format!("second name {number}")));
            }
            let target = "x/".repeat(number * 4) + "target";
            symlink(&target, root.join(format!("link {number}"))).unwrap();
        }
        // One inode of a link with an attribute, and folders that became empty.
        let mark = XattrFlags::empty();
        lsetxattr(root.join("link 3"), "trusted.note", b"of a link", mark).unwrap();
        for number in 0..5 {
            let folder = root.join(format!("emptied {number}"));
            fs::create_dir(&folder).unwrap();
            (0..300).for_each(|file| fs::write(folder.join(format!("{file}")), b"").unwrap());
            (0..300).for_each(|file| fs::remove_file(folder.join(format!("{file}"))).unwrap());
            setxattr(&folder, "user.folder", b"value", mark).unwrap();
        }
    }
}

fn aged_by_the_kernel(name: &str, options: &str, steps: usize) {
    let place = tempfile::tempdir().unwrap();
    let image = place.path().join("volume.img");
    fs::File::create(&image).unwrap().set_len(160 * MIB).unwrap();
    let mut arguments = vec!["-q", "-F"];
    arguments.extend(options.split(' '));
    arguments.extend(["-N", "9000", text(&image)]);
    run("mke2fs", &arguments, "");
    let mut life = Life { numbers: Numbers(7), files: Vec::new(), preallocates: options.contains("ext4") };
    mounted(&image, "loop", |root| {
        (0..FILES).for_each(|_| life.create(root));
        (0..steps / 2).for_each(|_| life.step(root));
    });
    // What is written after a second mount takes the places that became free.
    mounted(&image, "loop", |root| {
        (0..steps / 2).for_each(|_| life.step(root));
        life.special(root);
    });
    let journal =
        if options.contains("ext2") || options.contains("^has_journal") { "loop,ro" } else { "loop,ro,noload" };
    let expected = mounted(&image, journal, shown);
    assert!(expected.files.len() >= FILES && expected.links.len() == 60, "{name}");
    let reading = read_image(fs::read(&image).unwrap());
    // The attribute of a link is no user attribute, which is all that `shown` asks for.
    let (mut expected, link) = (expected, "link 3:trusted.note".to_owned());
    expected.attributes.insert(link, b"of a link".to_vec());
    compare(name, &reading, &expected);
}

#[test]
fn ext2_with_blocks_of_1_kib() {
    aged_by_the_kernel("ext2", "-t ext2 -b 1024", 2000);
}

#[test]
fn ext3_with_blocks_of_4_kib() {
    aged_by_the_kernel("ext3", "-t ext3 -b 4096", 2000);
}

#[test]
fn ext4_as_it_is_made_today() {
    aged_by_the_kernel("ext4", "-t ext4", 2000);
}

/// Without a journal: Linux 6.18 locks up when inline content moves to a block while the journal is full (the thread
/// that commits waits for itself in ext4_do_writepages), and then every sync of the machine waits for it.
#[test]
fn ext4_with_inline_data() {
    let options = "-t ext4 -O inline_data,64bit,metadata_csum,ea_inode,^has_journal -I 512";
    aged_by_the_kernel("inline data", options, 2000);
}

#[test]
fn ext4_with_clusters() {
    aged_by_the_kernel("bigalloc", "-t ext4 -b 1024 -O bigalloc -C 8192", 2000);
}

/// The kernel of a test machine may know no casefold, so debugfs works on this volume and shows it.
#[test]
fn ext4_with_inline_data_and_casefold() {
    let folder = tempfile::tempdir().unwrap();
    let mut life = Life { numbers: Numbers(9), files: Vec::new(), preallocates: false };
    (0..FILES).for_each(|_| life.create(folder.path()));
    let options = "-t ext4 -O inline_data,64bit,metadata_csum,casefold -E encoding=utf8 -N 9000";
    let volume = ext_from(160 * MIB, options, folder.path());
    let mut commands = String::new();
    for number in 0..300 {
        let place = life.numbers.below(life.files.len());
        let gone = life.files.swap_remove(place);
        fs::remove_file(folder.path().join(&gone)).unwrap();
        let new = folder.path().join(format!("new {number}"));
        let size = life.size();
        fs::write(&new, life.numbers.bytes(size)).unwrap();
        commands += &format!("rm \"/{gone}\"\nwrite \"{}\" \"/new {number}\"\n", text(&new));
    }
    let volume = debugfs(&volume, &commands);
    let place = tempfile::tempdir().unwrap();
    let (image, dump) = (place.path().join("volume.img"), place.path().join("dump"));
    fs::write(&image, &volume).unwrap();
    fs::create_dir(&dump).unwrap();
    run("debugfs", &["-R", &format!("rdump / {}", text(&dump)), text(&image)], "");
    // debugfs writes inline content with everything that stands behind it in the inode.
    let (dumped, mut expected) = (shown(&dump), shown(folder.path()));
    expected.folders.insert("lost+found".to_owned());
    assert_eq!(dumped.folders, expected.folders);
    assert_eq!(dumped.files.keys().collect::<Vec<_>>(), expected.files.keys().collect::<Vec<_>>());
    for (path, content) in &expected.files {
        let same =
            if content.len() < 300 { dumped.files[path].starts_with(content) } else { dumped.files[path] == *content };
        assert!(same, "debugfs sees {path} otherwise");
    }
    compare("casefold", &read_image(volume), &expected);
}
