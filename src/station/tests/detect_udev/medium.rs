//! udevd, the rules, and a loop device that stands for a key.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Rules of the running system; lower names come first.
const RULES: &str = "/run/udev/rules.d";

/// One test at a time: udevd and its rules are the machine's.
static ONE: Mutex<()> = Mutex::new(());

/// A number that no loop device of the machine has, and no other run of this test.
fn number() -> u32 {
    10_000 + std::process::id() % 90_000
}

/// Runs a program and gives what it says; it has to succeed.
fn run(program: &str, arguments: &[&str]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new(program).args(arguments).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; make deps-test installs it"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until udevd has done with every event: a busy one works off a flood of them for minutes.
pub(crate) fn settle() {
    run("udevadm", &["settle", "--timeout=600"]);
}

fn answers() -> bool {
    Command::new("udevadm")
        .args(["control", "--ping", "--timeout=5"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A machine with udevd and the rules of the test.
pub(crate) struct Station {
    started: bool,
    images: TempDir,
    _one: MutexGuard<'static, ()>,
}

impl Station {
    /// With the rules of the package, and a rule that puts the medium on USB.
    pub(crate) fn new() -> Self {
        let station = Self::without_rules();
        station.install_rules();
        station
    }

    /// With the medium on USB, as if Blanche were not installed.
    pub(crate) fn without_rules() -> Self {
        let station = Self::bare();
        let rule = format!("KERNEL==\"loop{}*\", ENV{{ID_BUS}}=\"usb\", ENV{{ID_PATH}}=\"blanche-test\"\n", number());
        station.install("55-blanche-test.rules", &rule);
        station
    }

    /// With the rules of the package, and the medium somewhere else than on USB.
    pub(crate) fn without_usb() -> Self {
        let station = Self::bare();
        station.install_rules();
        station
    }

    /// The rule by which an administrator makes a slot of the machine one for media.
    pub(crate) fn declare_slot(&self) {
        let rule = format!("SUBSYSTEM==\"block\", KERNEL==\"loop{}*\", ENV{{BLANCHE_MEDIUM}}=\"1\"\n", number());
        self.install("59-blanche-slots.rules", &rule);
    }

    pub(crate) fn install_rules(&self) {
        self.install("60-blanche-station.rules", include_str!("../../../../debian/blanche-station.udev"));
    }

    fn install(&self, name: &str, rules: &str) {
        fs::create_dir_all(RULES).unwrap();
        fs::write(Path::new(RULES).join(name), rules).unwrap();
        run("udevadm", &["control", "--reload"]);
    }

    fn bare() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(rustix::process::geteuid().is_root(), "udevd and loop devices need root");
        let started = !answers();
        if started {
            run("/lib/systemd/systemd-udevd", &["--daemon"]);
            let until = Instant::now() + Duration::from_secs(60);
            while !answers() {
                assert!(Instant::now() < until, "systemd-udevd does not answer");
            }
        }
        Self { started, images: images(), _one: one }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        for rules in ["55-blanche-test.rules", "59-blanche-slots.rules", "60-blanche-station.rules"] {
            let _ = fs::remove_file(Path::new(RULES).join(rules));
        }
        let last = if self.started { "--exit" } else { "--reload" };
        let _ = Command::new("udevadm").args(["control", last]).status();
        // One that is ending still answers for a moment: the next test would take it for one that stays.
        let until = Instant::now() + Duration::from_secs(60);
        while self.started && answers() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A disk with a table of two partitions: FAT, and what LVM would activate.
fn images() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("disk.img");
    File::create(&image).unwrap().set_len(8 << 20).unwrap();
    let name = image.to_str().unwrap();
    let script = folder.path().join("table");
    fs::write(&script, "label: gpt\nstart=2048, size=4096\nstart=8192, size=4096\n").unwrap();
    run("sh", &["-c", &format!("sfdisk --quiet {name} < {}", script.display())]);
    run("mkfs.vfat", &["--invariant", "--offset=2048", name, "2048"]);
    let mut disk = OpenOptions::new().write(true).open(&image).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&disk, &physical_volume(), 8192 * 512 + 512).unwrap();
    disk.flush().unwrap();
    folder
}

/// The label of an LVM2 physical volume (lib/format_text/layout.h, struct label_header), in its second sector.
fn physical_volume() -> Vec<u8> {
    let mut label = vec![0_u8; 512];
    label[..8].copy_from_slice(b"LABELONE");
    label[8..16].copy_from_slice(&1_u64.to_le_bytes());
    label[20..24].copy_from_slice(&32_u32.to_le_bytes());
    label[24..32].copy_from_slice(b"LVM2 001");
    label[32..64].copy_from_slice(b"0123456789abcdefghijklmnopqrstuv");
    label[64..72].copy_from_slice(&(4096_u64 * 512).to_le_bytes());
    let sum = label[20..].iter().fold(0xf597_a6cf_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    });
    label[16..20].copy_from_slice(&sum.to_le_bytes());
    label
}

/// A loop device that nobody else uses.
pub(crate) struct Medium<'a> {
    station: &'a Station,
    node: PathBuf,
}

/// `LOOP_CTL_ADD` and `LOOP_CTL_REMOVE` (linux/loop.h).
const ADD: u32 = 0x4C80;
const REMOVE: u32 = 0x4C81;

fn control<const CALL: u32>(number: u32) -> rustix::io::Result<()> {
    let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control").unwrap();
    let number = usize::try_from(number).unwrap();
    // SAFETY: both calls take a number in place of a pointer (loop_control_ioctl) and touch no memory of ours.
    unsafe { rustix::ioctl::ioctl(&control, rustix::ioctl::IntegerSetter::<CALL>::new_usize(number)) }
}

impl<'a> Medium<'a> {
    /// The drive appears, empty.
    pub(crate) fn insert(station: &'a Station) -> Self {
        control::<ADD>(number()).unwrap();
        Self { station, node: format!("/dev/loop{}", number()).into() }
    }

    /// A medium is put into the drive.
    pub(crate) fn attach(&self, image: &str) {
        let image = self.station.images.path().join(image);
        run("losetup", &[self.node.to_str().unwrap(), image.to_str().unwrap()]);
    }

    pub(crate) fn detach(&self) {
        let node = self.node.to_str().unwrap();
        let _ = Command::new("partx").args(["-d", node]).env("PATH", "/usr/bin:/usr/sbin:/sbin").output();
        run("losetup", &["-d", node]);
    }

    /// The kernel learns of both partitions, as by reading the table itself.
    pub(crate) fn add_partitions(&self) {
        run("partx", &["-a", self.node.to_str().unwrap()]);
    }

    pub(crate) fn settle(&self) {
        settle();
    }

    pub(crate) fn node(&self) -> &Path {
        &self.node
    }

    /// A partition's node; `""` = the disk's.
    pub(crate) fn part(&self, part: &str) -> PathBuf {
        PathBuf::from(format!("{}{part}", self.node.display()))
    }

    pub(crate) fn bytes(&self, image: &str) -> u64 {
        fs::metadata(self.station.images.path().join(image)).unwrap().len()
    }

    /// What udev knows of the medium or a partition.
    pub(crate) fn properties(&self, part: &str) -> String {
        run("udevadm", &["info", "--query=property", &format!("--path=/sys/class/block/loop{}{part}", number())])
    }

    /// Whether udevd asked to be told of each writer.
    pub(crate) fn is_watched(&self, part: &str) -> bool {
        let numbers = fs::read_to_string(format!("/sys/class/block/loop{}{part}/dev", number())).unwrap();
        Path::new("/run/udev/watch").join(format!("b{}", numbers.trim())).symlink_metadata().is_ok()
    }
}

impl Drop for Medium<'_> {
    fn drop(&mut self) {
        let _ = Command::new("partx")
            .args(["-d", self.node.to_str().unwrap()])
            .env("PATH", "/usr/bin:/usr/sbin:/sbin")
            .output();
        let _ = Command::new("losetup").arg("-d").arg(&self.node).env("PATH", "/usr/bin:/usr/sbin:/sbin").output();
        // The kernel lets go of a device that was just closed a moment later.
        let until = Instant::now() + Duration::from_secs(60);
        while control::<REMOVE>(number()).is_err() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
