//! NTFS by mkntfs and ntfs-3g, which works on the image file itself. Needs root and /dev/fuse.

use crate::image::{Unusual, sparse};
use crate::tools::{self, run, try_run, unmount};
use crate::tree::Tree;
use rustix::fs::{XattrFlags, setxattr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Hidden, system and archive (MS-FSCC, 2.6).
const HIDDEN: u32 = 0x02 | 0x04 | 0x20;
const COMPRESSED: u32 = 0x800;

/// Makes an NTFS filesystem in the file `part` and fills it. `start` is the first sector of its partition.
pub(crate) fn make(folder: &Path, part: &Path, start: u64, tree: &Tree) {
    let image = part.to_str().expect("a path in UTF-8");
    let start = start.to_string();
    // An image has no geometry: without one mkntfs warns that Windows could not boot from it.
    let geometry = ["-s", "512", "-p", &start, "-H", "255", "-S", "63"];
    run(folder, "mkntfs", ["-Q", "-F", "-q", "-L", "BLANCHE"].into_iter().chain(geometry).chain([image]));
    if tree.files().is_empty() {
        return;
    }
    fill(folder, part, |root| {
        tree.write(root, str::to_owned);
        for file in tree.files().iter().filter(|file| file.hidden) {
            set_attributes(&root.join(&file.path), HIDDEN);
        }
    });
}

/// Mounts the filesystem in `part` for as long as `write` runs. A name with ":" is a stream.
fn fill(folder: &Path, part: &Path, write: impl FnOnce(&Path)) {
    let mounted = Mounted::new(folder, part);
    write(&mounted.point);
}

/// ntfs-3g shows the attributes as an extended attribute of 32 bits.
fn set_attributes(path: &Path, attributes: u32) {
    let value = attributes.to_be_bytes();
    setxattr(path, "system.ntfs_attrib_be", &value, XattrFlags::empty()).expect("ntfs-3g takes attributes");
}

/// How long ntfs-3g may take to mount, and to write back what it holds: on a busy disk that takes minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A mounted filesystem; leaving the scope unmounts it, also when a test fails.
struct Mounted {
    folder: PathBuf,
    point: PathBuf,
    /// ntfs-3g in the foreground: only its end says that everything is written, umount returns before.
    driver: Child,
}

impl Mounted {
    fn new(folder: &Path, part: &Path) -> Self {
        let point = part.with_extension("mounted");
        std::fs::create_dir_all(&point).expect("a writable folder");
        let mut command = tools::command(folder, "ntfs-3g");
        command.args(["-o", "no_detach,streams_interface=windows,compression"]).arg(part).arg(&point);
        let driver = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let driver = driver.unwrap_or_else(|error| panic!("{command:?}: {error}. Install it: make deps-test"));
        let mut mounted = Self { folder: folder.to_owned(), point, driver };
        let outside = device(folder);
        let ready = mounted.within_patience(|mounted| {
            let ended = mounted.ended();
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            device(&mounted.point) != outside
        });
        assert!(ready, "{command:?} mounts nothing");
        mounted
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.driver.try_wait().expect("our child")
    }

    fn within_patience(&mut self, done: impl Fn(&mut Self) -> bool) -> bool {
        let start = Instant::now();
        while !done(self) {
            if start.elapsed() > PATIENCE {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

/// The filesystem that a folder lies on.
fn device(folder: &Path) -> u64 {
    std::fs::metadata(folder).expect("a folder").dev()
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = unmount(&self.folder, &self.point);
        let written = unmounted.status.success() && self.within_patience(|mounted| mounted.ended().is_some());
        if !written {
            let _ = self.driver.kill();
            let _ = try_run(&self.folder, "umount", ["--lazy".as_ref(), self.point.as_os_str()]);
        }
        let ended = self.driver.wait();
        // Where the test already fails, a second failure here would hide the first.
        if !std::thread::panicking() {
            assert!(written, "umount {}: {unmounted:?}", self.point.display());
            assert!(ended.as_ref().is_ok_and(ExitStatus::success), "ntfs-3g: {ended:?}");
        }
    }
}

/// A superfloppy that `write` fills.
fn unusual(folder: &Path, names: &'static [&'static str], write: impl FnOnce(&Path)) -> Unusual {
    let disk = folder.join("unusual.img");
    sparse(&disk, 8 << 20);
    make(folder, &disk, 0, &Tree::new());
    fill(folder, &disk, |root| {
        std::fs::create_dir(root.join("dossier")).expect("room");
        std::fs::write(root.join("dossier/lettre.txt"), "Bonjour.\r\n").expect("room");
        write(root);
    });
    Unusual { disk, names }
}

/// More than a file record (1 KiB) holds.
fn long(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len() + 5000, b' ');
    bytes
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(root.join(name), bytes).expect("room");
}

/// In a named stream of a file, inside its file record.
#[must_use]
pub fn stream_of_a_file(folder: &Path, bytes: &[u8]) -> Unusual {
    unusual(folder, &["dossier/lettre.txt:flux"], |root| put(root, "dossier/lettre.txt:flux", bytes))
}

/// In a named stream of a file that has clusters of its own.
#[must_use]
pub fn long_stream_of_a_file(folder: &Path, bytes: &[u8]) -> Unusual {
    unusual(folder, &["dossier/lettre.txt:flux"], |root| put(root, "dossier/lettre.txt:flux", &long(bytes)))
}

/// In a named stream of a folder, inside its file record.
#[must_use]
pub fn stream_of_a_folder(folder: &Path, bytes: &[u8]) -> Unusual {
    unusual(folder, &["dossier:flux"], |root| put(root, "dossier:flux", bytes))
}

/// In a named stream of a folder that has clusters of its own.
#[must_use]
pub fn long_stream_of_a_folder(folder: &Path, bytes: &[u8]) -> Unusual {
    unusual(folder, &["dossier:flux"], |root| put(root, "dossier:flux", &long(bytes)))
}

/// In a file that NTFS compresses (LZNT1): at its beginning, and again where earlier bytes are referred to.
#[must_use]
pub fn compressed_file(folder: &Path, bytes: &[u8]) -> Unusual {
    let text = b"Rien \xc3\xa0 signaler. ".repeat(4000);
    let content = [bytes, &text, bytes].concat();
    unusual(folder, &["dossier/serré.txt"], |root| {
        set_attributes(&root.join("dossier"), COMPRESSED);
        put(root, "dossier/serré.txt", &content);
    })
}

/// In a file with two names in two folders.
#[must_use]
pub fn hard_link(folder: &Path, bytes: &[u8]) -> Unusual {
    linked(folder, &["dossier/second.txt", "premier.txt"], bytes)
}

/// Two names of one content; the second of `names` comes first.
#[must_use]
pub fn linked(folder: &Path, names: &'static [&'static str; 2], bytes: &[u8]) -> Unusual {
    let [second, first] = names;
    unusual(folder, names, |root| {
        put(root, first, bytes);
        std::fs::hard_link(root.join(first), root.join(second)).expect("room");
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Format, Layout, image};
    use crate::samples::eicar;

    fn cat(folder: &Path, place: &Unusual, arguments: &[&str]) -> Vec<u8> {
        run(folder, "ntfscat", [&["-f"], &[place.disk.to_str().unwrap()], arguments].concat())
    }

    fn attributes(folder: &Path, disk: &Path, file: &str) -> String {
        let answer = run(folder, "ntfsinfo", ["-f".as_ref(), "-F".as_ref(), file.as_ref(), disk.as_os_str()]);
        String::from_utf8(answer).unwrap()
    }

    /// What ntfsinfo says about the stream called "flux".
    fn residence(information: &str) -> &str {
        let mut attributes = information.split("Dumping attribute");
        let stream = attributes.find(|text| text.contains("'flux'")).unwrap();
        stream.lines().find(|line| line.contains("Resident:")).unwrap().rsplit('\t').next().unwrap().trim()
    }

    #[test]
    fn ntfsls_sees_the_tree_and_ntfsinfo_the_attributes() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::new().with("été/naïve 🦠.txt", "bonjour").with_hidden("caché.sys", "caché");
        let disk = image(folder.path(), Format::Ntfs, Layout::Superfloppy, &tree);
        let listing = run(folder.path(), "ntfsls", ["-f".as_ref(), "-R".as_ref(), disk.as_os_str()]);
        let listing = String::from_utf8(listing).unwrap();
        assert!(["caché.sys", "naïve 🦠.txt", "/été:"].iter().all(|name| listing.contains(name)), "{listing}");
        let shown = attributes(folder.path(), &disk, "caché.sys");
        assert!(shown.contains("HIDDEN SYSTEM ARCHIVE"), "{shown}");
    }

    #[test]
    fn ntfscat_sees_streams_inside_and_outside_the_file_record() {
        let folder = tempfile::tempdir().unwrap();
        type Make = fn(&Path, &[u8]) -> Unusual;
        let makers: [(Make, &str, &str); 4] = [
            (stream_of_a_file, "dossier/lettre.txt", "Yes"),
            (long_stream_of_a_file, "dossier/lettre.txt", "No"),
            (stream_of_a_folder, "dossier", "Yes"),
            (long_stream_of_a_folder, "dossier", "No"),
        ];
        for (make, file, resident) in makers {
            let place = make(folder.path(), &eicar());
            assert_eq!(place.names, [format!("{file}:flux")]);
            assert!(cat(folder.path(), &place, &["-n", "flux", file]).starts_with(&eicar()), "{place:?}");
            let shown = attributes(folder.path(), &place.disk, file);
            assert_eq!(residence(&shown), resident, "{shown}");
        }
    }

    #[test]
    fn ntfsinfo_calls_the_compressed_file_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let place = compressed_file(folder.path(), &eicar());
        let content = cat(folder.path(), &place, place.names);
        assert!(content.starts_with(&eicar()) && content.ends_with(&eicar()) && content.len() > 64 << 10);
        let shown = attributes(folder.path(), &place.disk, place.names[0]);
        assert!(shown.contains("Compressed size:") && shown.contains("Attribute flags:\t 0x0001"), "{shown}");
    }

    #[test]
    fn both_names_of_a_hard_link_are_one_record() {
        let folder = tempfile::tempdir().unwrap();
        let place = hard_link(folder.path(), &eicar());
        for name in place.names {
            assert_eq!(cat(folder.path(), &place, &[name]), eicar());
            assert!(attributes(folder.path(), &place.disk, name).contains("Number of Hard Links:\t 2"));
        }
    }

    #[test]
    fn nothing_stays_mounted_when_a_test_fails() {
        let folder = tempfile::tempdir().unwrap();
        let disk = image(folder.path(), Format::Ntfs, Layout::Superfloppy, &Tree::new());
        let failing = || fill(folder.path(), &disk, |_| panic!("on purpose"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(failing)).is_err());
        assert_eq!(device(&disk.with_extension("mounted")), device(folder.path()));
    }
}
