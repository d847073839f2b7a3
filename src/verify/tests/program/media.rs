//! Real media in an MBR partition, with files of which every byte is known.

use crate::oracles::run;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where the partition begins.
pub(crate) const START: u64 = 1 << 20;

/// How long exfat-fuse may take to write back what it holds: on a busy disk that takes minutes.
const WRITE_BACK: Duration = Duration::from_secs(600);

/// Path (with "/") and content of every file.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
}

/// A partition in a file of its own, and the medium around it.
pub(crate) struct Made {
    pub(crate) kind: Kind,
    folder: TempDir,
}

pub(crate) fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..length).map(|_| random.u8(..)).collect()
}

/// Files in the root and in a folder, one of them with chaining values, one empty, one with a name beyond ASCII.
pub(crate) fn files() -> Files {
    [
        ("notes.txt", content(1, 1700)),
        ("Rapport annuel 2026.odt", content(2, 9000)),
        ("Dossier/pièce jointe.pdf", content(3, 5000)),
        ("Dossier/vide", Vec::new()),
        ("long.bin", content(4, (2 << 20) + 77)),
    ]
    .into_iter()
    .map(|(path, content)| (path.to_owned(), content))
    .collect()
}

pub(crate) fn write_tree(folder: &Path, files: &Files) {
    fs::create_dir_all(folder).unwrap();
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl Made {
    pub(crate) fn new(kind: Kind, files: &Files) -> Self {
        let made = Self { kind, folder: tempfile::tempdir().unwrap() };
        let megabytes = if kind == Kind::Fat32 { 40 } else { 8 };
        let file = fs::File::create(made.partition()).unwrap();
        file.set_len(megabytes << 20).unwrap();
        let path = made.partition();
        let path = path.to_str().unwrap();
        let bits = match kind {
            Kind::Fat12 => "12",
            Kind::Fat16 => "16",
            Kind::Fat32 => "32",
            Kind::ExFat => {
                run("mkfs.exfat", &[path]);
                made.mounted(|point| write_tree(point, files));
                return made;
            }
        };
        let sectors = if kind == Kind::Fat12 { "8" } else { "1" };
        run("mkfs.vfat", &["--invariant", "-i", "b1a2c3d4", "-F", bits, "-s", sectors, path]);
        let source = made.folder.path().join("source");
        write_tree(&source, files);
        for entry in fs::read_dir(&source).unwrap() {
            made.put(&entry.unwrap().path(), "");
        }
        made
    }

    pub(crate) fn partition(&self) -> PathBuf {
        self.folder.path().join("partition.img")
    }

    /// Copies a file or folder of the host into a folder of the medium, over what is there.
    pub(crate) fn put(&self, source: &Path, into: &str) {
        if self.kind == Kind::ExFat {
            let name = source.file_name().unwrap();
            return self.mounted(|point| {
                fs::copy(source, point.join(into).join(name)).unwrap();
            });
        }
        let (image, source) = (self.partition(), source.to_str().unwrap());
        run("mcopy", &["-s", "-Q", "-m", "-D", "o", "-i", image.to_str().unwrap(), source, &format!("::/{into}")]);
    }

    /// Writes a file on the medium.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let (into, name) = path.rsplit_once('/').unwrap_or(("", path));
        let file = self.folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        self.put(&file, into);
        fs::remove_file(file).unwrap();
    }

    /// One of mtools on the medium.
    pub(crate) fn mtools(&self, program: &str, arguments: &[&str]) {
        let image = self.partition();
        let image = image.to_str().unwrap();
        run(program, &[&["-i", image], arguments].concat());
    }

    /// Boot record, gap, and the partition, as one image.
    pub(crate) fn image(&self) -> PathBuf {
        let path = self.folder.path().join("medium.img");
        fs::write(&path, [head(self.kind, self.sectors()), fs::read(self.partition()).unwrap()].concat()).unwrap();
        path
    }

    fn sectors(&self) -> u32 {
        u32::try_from(fs::metadata(self.partition()).unwrap().len() / 512).unwrap()
    }

    /// Mounts an exFAT volume by exfat-fuse for as long as `work` runs.
    fn mounted(&self, work: impl FnOnce(&Path)) {
        let partition = self.partition();
        let device = run("losetup", &["--find".as_ref(), "--show".as_ref(), partition.as_os_str()]);
        let device = String::from_utf8(device).unwrap().trim().to_owned();
        let point = tempfile::tempdir().unwrap();
        run("mount.exfat-fuse", &[device.as_ref(), point.path().as_os_str()]);
        work(point.path());
        let start = Instant::now();
        // A busy machine hands the last closings to the driver late: until then the point is "busy".
        while !std::process::Command::new("umount").arg(point.path()).status().is_ok_and(|status| status.success()) {
            assert!(start.elapsed() < WRITE_BACK, "{} is still in use", point.path().display());
            std::thread::sleep(Duration::from_millis(50));
        }
        // umount returns while exfat-fuse still writes: the device goes when that has closed it, and may be another
        // test's then.
        run("losetup", &["--detach", &device]);
        while !run("losetup", &["--associated".as_ref(), partition.as_os_str()]).is_empty() {
            assert!(start.elapsed() < WRITE_BACK, "{device} is still in use");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The first MiB: a boot record with one partition, and a gap.
pub(crate) fn head(kind: Kind, sectors: u32) -> Vec<u8> {
    let mut head = vec![0; 1 << 20];
    head[450] = match kind {
        Kind::Fat12 => 0x01,
        Kind::Fat16 => 0x0e,
        Kind::Fat32 => 0x0c,
        Kind::ExFat => 0x07,
    };
    head[454..458].copy_from_slice(&2048u32.to_le_bytes());
    head[458..462].copy_from_slice(&sectors.to_le_bytes());
    head[510..512].copy_from_slice(&[0x55, 0xaa]);
    head
}
