//! Media to seal, with files of which every byte is known.

use crate::oracles::{output, run};
use crate::recorder::Recorder;
use blanche_media::{Medium, Object, Receiver, Stop, inspect};
use blanche_sandbox::wire::{EntryId, EntryKind, FromReader, ReadLimits};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Path and content of every file of a volume.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A volume in a file of its own, before it is sealed.
pub(crate) struct Volume {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) exfat: bool,
    pub(crate) block: u32,
    pub(crate) files: Files,
}

/// Content that is the same in every run.
pub(crate) fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| random.u8(..)).collect()
}

/// Files in the root and in folders, with long names.
pub(crate) fn files() -> Files {
    [("notes.txt", 3, 1_700), ("Rapport annuel 2026.odt", 4, 9_000), ("dossier/pièce jointe.pdf", 5, 5_000)]
        .into_iter()
        .map(|(path, seed, length)| (path.to_owned(), content(seed, length)))
        .collect()
}

impl Volume {
    /// FAT by mkfs.vfat with these options; `size` in KiB.
    pub(crate) fn fat(size: u64, options: &[&str], files: Files) -> Self {
        let (folder, path) = sparse(size);
        let mut arguments = vec!["--invariant", "-i", "b1a2c3d4"];
        arguments.extend(options);
        arguments.push(path.to_str().unwrap());
        run("mkfs.vfat", &arguments);
        let block = if options.windows(2).any(|pair| pair == ["-S", "4096"]) { 4096 } else { 512 };
        let volume = Self { folder, path, exfat: false, block, files };
        let source = volume.folder.path().join("source");
        write_tree(&source, &volume.files);
        for entry in std::fs::read_dir(&source).unwrap() {
            let entry = entry.unwrap().path();
            run("mcopy", &["-s", "-Q", "-m", "-i", volume.path.to_str().unwrap(), entry.to_str().unwrap(), "::/"]);
        }
        std::fs::remove_dir_all(source).unwrap();
        volume
    }

    /// exFAT by mkfs.exfat with these options, filled by exfat-fuse; `size` in KiB. `first` come before `files` and are
    /// deleted again, so that what is free is in pieces.
    pub(crate) fn exfat(size: u64, options: &[&str], first: &Files, files: Files) -> Self {
        let (folder, path) = sparse(size);
        let mut arguments = options.to_vec();
        arguments.push(path.to_str().unwrap());
        run("mkfs.exfat", &arguments);
        let volume = Self { folder, path, exfat: true, block: 512, files };
        let mut all = volume.files.clone();
        all.extend(first.clone());
        if !all.is_empty() {
            mounted(&volume.path, |point| {
                write_tree(point, &all);
                first.keys().for_each(|name| std::fs::remove_file(point.join(name)).unwrap());
            });
        }
        volume
    }

    /// The volume as a device that remembers.
    pub(crate) fn device(&self) -> Recorder {
        Recorder::new(std::fs::read(&self.path).unwrap(), self.block)
    }

    pub(crate) fn range(&self) -> Range<u64> {
        0..std::fs::metadata(&self.path).unwrap().len()
    }
}

fn sparse(size: u64) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("volume.img");
    std::fs::File::create(&path).unwrap().set_len(size * 1024).unwrap();
    (folder, path)
}

fn write_tree(folder: &Path, files: &Files) {
    std::fs::create_dir_all(folder).unwrap();
    for (path, bytes) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn read_tree(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read_tree(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Every file of a volume as mtools or exfat-fuse reads it.
pub(crate) fn read_files(path: &Path, exfat: bool) -> Files {
    let mut files = Files::new();
    if exfat {
        mounted(path, |point| read_tree(point, "", &mut files));
        return files;
    }
    let target = tempfile::tempdir().unwrap();
    // mcopy fails on a root folder without files.
    output("mcopy", &["-s", "-Q", "-n", "-i", path.to_str().unwrap(), "::/*", target.path().to_str().unwrap()]);
    read_tree(target.path(), "", &mut files);
    files
}

/// Every file of a volume as our own reader finds it.
pub(crate) fn inspected(device: &Recorder) -> Files {
    let mut inspected = Inspected::default();
    inspect(&Medium::new(device, device.block), &ReadLimits::default(), &mut inspected).unwrap();
    inspected.files
}

#[derive(Default)]
struct Inspected {
    /// Of each entry, by its number.
    paths: Vec<String>,
    files: Files,
}

impl Receiver for Inspected {
    fn take(&mut self, message: FromReader, object: Option<Object>) -> Result<(), Stop> {
        match (message, object) {
            (FromReader::Entries(entries), _) => {
                for entry in entries {
                    let name = String::from_utf8(entry.name).unwrap();
                    let path = entry.parent.map_or(name.clone(), |of| format!("{}/{name}", self.paths[of as usize]));
                    if entry.kind == EntryKind::File {
                        self.files.insert(path.clone(), Vec::new());
                    }
                    self.paths.push(path);
                }
            }
            (FromReader::Content(content), Some(Object::Memory(bytes))) => {
                for piece in content.pieces {
                    // Boot code and tables come in the same way, and are no files.
                    if let Some(file) = self.files.get_mut(&self.paths[piece.entry as usize]) {
                        let start = piece.offset as usize;
                        file.extend(&bytes[start..start + piece.length as usize]);
                    }
                }
            }
            (FromReader::Chunk(_), _) => panic!("no file here is so long"),
            (FromReader::NotRead(gap), _) => panic!("{gap:?}"),
            _ => {}
        }
        Ok(())
    }

    fn wants(&mut self, _: EntryId) -> bool {
        true
    }
}

/// A loop device over a file, for as long as `work` runs.
pub(crate) fn looped(path: &Path, sector: &str, work: impl FnOnce(&Path)) {
    let arguments = ["--sector-size", sector, "--find", "--show", path.to_str().unwrap()];
    let device = String::from_utf8(run("losetup", &arguments)).unwrap().trim().to_owned();
    let looped = Looped(device);
    work(Path::new(&looped.0));
}

struct Looped(String);

impl Drop for Looped {
    fn drop(&mut self) {
        output("losetup", &["--detach", &self.0]);
    }
}

/// How long exfat-fuse may take to write back what it holds: on a busy disk that takes minutes.
const WRITE_BACK: Duration = Duration::from_secs(600);

/// Mounts an exFAT volume by exfat-fuse on a loop device for as long as `work` runs; always released again.
pub(crate) fn mounted(path: &Path, work: impl FnOnce(&Path)) {
    let device = run("losetup", &["--find".as_ref(), "--show".as_ref(), path.as_os_str()]);
    let device = String::from_utf8(device).unwrap().trim().to_owned();
    let point = tempfile::tempdir().unwrap();
    let mounted = Mounted { device, point };
    run("mount.exfat-fuse", &[mounted.device.as_ref(), mounted.point.path().as_os_str()]);
    work(mounted.point.path());
    drop(mounted);
    let start = Instant::now();
    // umount returns while exfat-fuse still writes.
    while !run("losetup", &["--associated".as_ref(), path.as_os_str()]).is_empty() {
        assert!(start.elapsed() < WRITE_BACK, "{} is still in use", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

struct Mounted {
    device: String,
    point: TempDir,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A loaded machine may hold the mount or the device for a while.
        let start = Instant::now();
        let patiently = |program: &str, arguments: &[&str]| loop {
            let done = output(program, arguments).status.success();
            if done || start.elapsed() > WRITE_BACK {
                return done;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let unmounted = patiently("umount", &[self.point.path().to_str().unwrap()]);
        let detached = patiently("losetup", &["--detach", &self.device]);
        assert!((unmounted && detached) || std::thread::panicking(), "{} could not be released", self.device);
    }
}
