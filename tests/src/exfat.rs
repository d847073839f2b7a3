//! exFAT by mkfs.exfat and exfat-fuse on a loop device. Needs root, /dev/loop-control and /dev/fuse.

use crate::tools::run;
use crate::tree::Tree;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Makes an exFAT filesystem in the file `part` and fills it.
pub(crate) fn make(folder: &Path, part: &Path, tree: &Tree) {
    run(folder, "mkfs.exfat", [part]);
    if tree.files().is_empty() {
        return;
    }
    fill(folder, part, |root| tree.write(root, str::to_owned));
    for file in tree.files().iter().filter(|file| file.hidden) {
        hide(part, file.path.rsplit('/').next().expect("a name"));
    }
}

/// Shows the exFAT filesystem in `part` to `look`, as exfat-fuse shows it. Mounting one for writing marks it.
///
/// # Panics
/// When exfat-fuse is missing or fails.
pub fn with_mounted<T>(folder: &Path, part: &Path, look: impl FnOnce(&Path) -> T) -> T {
    let mounted = Mounted::new(folder, part);
    look(&mounted.point)
}

/// Mounts the exFAT filesystem in `part` for as long as `write` runs.
fn fill(folder: &Path, part: &Path, write: impl FnOnce(&Path)) {
    let mounted = Mounted::new(folder, part);
    write(&mounted.point);
}

/// How long exfat-fuse may take to write back what it holds: on a busy disk that takes minutes.
const WRITE_BACK: Duration = Duration::from_secs(600);

/// A mounted filesystem; leaving the scope unmounts it, also when a test fails.
struct Mounted {
    folder: PathBuf,
    part: PathBuf,
    device: String,
    point: PathBuf,
}

impl Mounted {
    fn new(folder: &Path, part: &Path) -> Self {
        let answer = run(folder, "losetup", ["--find".as_ref(), "--show".as_ref(), part.as_os_str()]);
        let device = String::from_utf8(answer).expect("a device name").trim().to_owned();
        let point = part.with_extension("mounted");
        std::fs::create_dir_all(&point).expect("a writable folder");
        let mounted = Self { folder: folder.to_owned(), part: part.to_owned(), device, point };
        run(folder, "mount.exfat-fuse", [mounted.device.as_ref(), mounted.point.as_os_str()]);
        mounted
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Where the test already fails, a second failure here would hide the first.
        let unmounted = crate::tools::unmount(&self.folder, &self.point);
        let detached = crate::tools::try_run(&self.folder, "losetup", ["--detach", &self.device]);
        if !std::thread::panicking() {
            assert!(unmounted.status.success(), "umount {}: {unmounted:?}", self.point.display());
            assert!(detached.status.success(), "losetup --detach {}: {detached:?}", self.device);
            self.wait_for_write_back();
        }
    }
}

impl Mounted {
    /// umount returns while exfat-fuse still writes: the loop device goes only when that has closed it.
    fn wait_for_write_back(&self) {
        let start = Instant::now();
        while !run(&self.folder, "losetup", ["--associated".as_ref(), self.part.as_os_str()]).is_empty() {
            assert!(start.elapsed() < WRITE_BACK, "{} is still in use", self.device);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Sets the hidden and system attributes of the file called `name`, which exfat-fuse cannot, in its directory entry set
/// (exFAT specification 1.00, 7.4 to 7.7): 0x85 file, 0xc0 stream extension, 0xc1 file names of 15 units each.
fn hide(part: &Path, name: &str) {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut bytes = std::fs::read(part).expect("just made");
    let is_it = |set: &[u8]| {
        let names = set.chunks_exact(32).filter(|entry| entry[0] == 0xc1);
        let stored: Vec<u8> = names.flat_map(|entry| &entry[2..]).copied().collect();
        stored.starts_with(&units) && stored[units.len()..].iter().all(|byte| *byte == 0)
    };
    let starts = (0..bytes.len()).step_by(32).filter(|at| bytes[*at] == 0x85 && bytes[*at + 32] == 0xc0);
    let sets: Vec<_> = starts.map(|at| at..at + 32 * (1 + usize::from(bytes[at + 1]))).collect();
    let set = sets.into_iter().find(|set| is_it(&bytes[set.clone()])).expect("the file was just written");
    let set = &mut bytes[set];
    set[4] |= 0x02 | 0x04;
    let sum = set_checksum(set);
    set[2..4].copy_from_slice(&sum.to_le_bytes());
    std::fs::write(part, bytes).expect("a writable folder");
}

/// exFAT specification 1.00, 6.3.3, figure 2: its own two bytes do not count.
fn set_checksum(set: &[u8]) -> u16 {
    set.iter()
        .enumerate()
        .filter(|(at, _)| *at != 2 && *at != 3)
        .fold(0_u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)))
}
