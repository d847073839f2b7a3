//! Attacks on sealing that succeeded once, or nearly: the medium, the store of detached tags, and what people ask of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::tools::{run, try_run};
use blanche_tests::{Ceremony, Format, Layout, Scan, Station, Tree, exfat, image, program};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A station that seals, in a folder that lives as long as it.
struct Sealer {
    folder: tempfile::TempDir,
    station: Station,
}

impl Sealer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ceremony = Ceremony::new(&folder.path().join("keys"));
        let mut station = Station::new(folder.path());
        ceremony.equip(&mut station, "accueil-1", "paris");
        Self { folder, station }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `blanche WORDS`; a program that waits for something is ended after a minute.
    fn blanche(&self, words: &[&OsStr]) -> Output {
        let configuration = self.station.configuration();
        let blanche = program("blanche");
        let start: [&OsStr; 4] = ["60".as_ref(), blanche.as_os_str(), "--config".as_ref(), configuration.as_os_str()];
        try_run(self.path(), "timeout", start.iter().chain(words))
    }

    /// Exit code of `blanche-verify` at level full.
    fn verify(&self, target: &Path, options: &[&OsStr]) -> i32 {
        let mut command = Command::new("timeout");
        command.arg("60").arg(program("blanche-verify")).args(["--no-memory", "--level", "full", "--trust"]);
        command.arg(self.path().join("keys/trust")).args(options).arg(target);
        command.output().unwrap().status.code().unwrap()
    }
}

fn tree() -> Tree {
    Tree::new().with("LETTRE.TXT", "Bonjour\r\n")
}

fn outcome(scan: &Scan) -> &str {
    scan.report["seal"]["outcome"].as_str().unwrap_or_else(|| panic!("{}", scan.messages))
}

/// A tag that this station signed, of another medium.
fn foreign_tag(sealer: &Sealer) -> Vec<u8> {
    let disk = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree());
    assert_eq!(outcome(&sealer.station.seal(&disk)), "on_medium");
    run(sealer.path(), "mtype", ["-i".as_ref(), disk.as_os_str(), "::/blanche.tag".as_ref()])
}

/// The file was replaced by a tag that no verifier could find, and the medium could never be sealed again.
#[test]
fn a_file_whose_name_differs_in_case_is_kept_and_is_no_tag() {
    let sealer = Sealer::new();
    let tag = foreign_tag(&sealer);
    for format in [Format::Fat16, Format::ExFat] {
        for name in ["Blanche.Tag", "BLANCHE.TAG"] {
            let disk = image(sealer.path(), format, Layout::Superfloppy, &tree().with(name, tag.clone()));
            let before = fs::read(&disk).unwrap();
            let sealed = sealer.station.seal(&disk);
            assert_eq!(outcome(&sealed), "detached", "{format:?} {name}: {:#}", sealed.report["seal"]);
            assert_eq!(sealed.report["seal"]["because"]["obstacle"], "name_taken");
            assert!(fs::read(&disk).unwrap() == before, "{format:?} {name}: nothing was written");
            let kept = sealed.report["seal"]["file"].as_str().unwrap();
            assert_eq!(sealer.verify(&disk, &["--tag".as_ref(), kept.as_ref()]), 0);
        }
    }
}

/// The same bytes under the tag's own name are an older tag.
#[test]
fn a_foreign_tag_under_the_name_of_the_tag_is_replaced() {
    let sealer = Sealer::new();
    let tag = foreign_tag(&sealer);
    let disk = image(sealer.path(), Format::ExFat, Layout::Superfloppy, &tree().with("blanche.tag", tag.clone()));
    assert_eq!(outcome(&sealer.station.seal(&disk)), "on_medium");
    assert_eq!(sealer.verify(&disk, &[]), 0);
    let now = exfat::with_mounted(sealer.path(), &disk, |point| fs::read(point.join("blanche.tag")).unwrap());
    assert!(now != tag);
}

/// A medium with a detached tag: its image, and where the tag is kept.
fn detached(sealer: &Sealer) -> (PathBuf, PathBuf) {
    let disk = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree().with("blanche.tag", "a diary"));
    let sealed = sealer.station.seal(&disk);
    assert_eq!(outcome(&sealed), "detached");
    (disk, sealed.report["seal"]["file"].as_str().unwrap().into())
}

/// `blanche tag list` and `blanche tag export` waited for ever for somebody to write into the pipe.
#[test]
fn a_pipe_instead_of_a_tag_keeps_nobody_waiting() {
    let sealer = Sealer::new();
    let (disk, kept) = detached(&sealer);
    let pipe = kept.with_file_name("pipe.tag");
    run(sealer.path(), "mkfifo", [&pipe]);
    std::os::unix::fs::symlink("/dev/zero", kept.with_file_name("zero.tag")).unwrap();
    let listed = sealer.blanche(&["tag".as_ref(), "list".as_ref()]);
    let text = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.success() && text.contains(kept.to_str().unwrap()) && !text.contains("pipe"), "{text}");
    let to = sealer.path().join("exported");
    let exported = sealer.blanche(&["tag".as_ref(), "export".as_ref(), disk.as_ref(), to.as_ref()]);
    assert!(exported.status.success(), "{exported:?}");
    assert_eq!(sealer.verify(&disk, &["--tag".as_ref(), pipe.as_ref()]), 41);
    run(sealer.path(), "mkfifo", [sealer.path().join("keys/trust/crls/pipe.crl")]);
    assert_eq!(sealer.verify(&disk, &["--tag".as_ref(), kept.as_ref()]), 2);
}

/// What was cut short stayed, and then stood in the way of the next try.
#[test]
fn an_export_that_finds_no_room_leaves_nothing() {
    let sealer = Sealer::new();
    let (disk, _) = detached(&sealer);
    let small = sealer.path().join("small");
    fs::create_dir(&small).unwrap();
    run(
        sealer.path(),
        "mount",
        ["-t".as_ref(), "tmpfs".as_ref(), "-osize=8k".as_ref(), "none".as_ref(), small.as_os_str()],
    );
    let to = small.join("exported.tag");
    let exported = sealer.blanche(&["tag".as_ref(), "export".as_ref(), disk.as_ref(), to.as_ref()]);
    let left = fs::read_dir(&small).unwrap().count();
    run(sealer.path(), "umount", [&small]);
    assert_eq!((exported.status.code(), left), (Some(5), 0), "{exported:?}");
    let victim = sealer.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    let link = sealer.path().join("link");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    for place in [&victim, &link] {
        let exported = sealer.blanche(&["tag".as_ref(), "export".as_ref(), disk.as_ref(), place.as_ref()]);
        assert_eq!(exported.status.code(), Some(5));
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
    }
}

/// Two sealers that planned with the same free clusters of an image; on a block device the kernel keeps the second away.
#[test]
fn an_image_that_somebody_else_writes_to_is_not_written() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree());
    let before = fs::read(&disk).unwrap();
    let other = fs::File::open(&disk).unwrap();
    rustix::fs::flock(&other, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let sealed = sealer.station.seal(&disk);
    assert_eq!(outcome(&sealed), "detached");
    assert_eq!(sealed.report["seal"]["because"]["obstacle"], "in_use");
    assert!(fs::read(&disk).unwrap() == before, "nothing was written");
    drop(other);
    assert_eq!(outcome(&sealer.station.seal(&disk)), "on_medium");
}

/// Others could put an older counter, or none, in the place of the station's own.
#[test]
fn a_key_folder_that_others_may_write_signs_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree());
    let keys = sealer.path().join("keys/keys-accueil-1");
    let counter = fs::read(keys.join("counter/highest")).unwrap();
    for mode in [0o777, 0o770, 0o720] {
        fs::set_permissions(&keys, fs::Permissions::from_mode(mode)).unwrap();
        let sealed = sealer.station.seal(&disk);
        assert_eq!((outcome(&sealed), &sealed.report["seal"]["reason"]), ("no_tag", &"signer".into()), "{mode:o}");
        assert!(sealed.messages.contains("too open for others"), "{}", sealed.messages);
    }
    assert_eq!(fs::read(keys.join("counter/highest")).unwrap(), counter);
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(outcome(&sealer.station.seal(&disk)), "on_medium");
}

/// Root may open such a device for writing, and every write fails: a tag was signed and thrown away.
#[test]
fn a_write_protected_device_gets_a_detached_tag() {
    let sealer = Sealer::new();
    let disk = image(sealer.path(), Format::Fat12, Layout::Superfloppy, &tree());
    let losetup = ["--find".as_ref(), "--show".as_ref(), "--read-only".as_ref(), disk.as_os_str()];
    let device = PathBuf::from(String::from_utf8(run(sealer.path(), "losetup", losetup)).unwrap().trim());
    let sealed = std::panic::catch_unwind(|| sealer.station.seal(&device));
    run(sealer.path(), "losetup", ["--detach".as_ref(), device.as_os_str()]);
    let sealed = sealed.unwrap();
    assert_eq!(outcome(&sealed), "detached", "{}", sealed.messages);
    assert_eq!(sealed.report["seal"]["because"]["obstacle"], "write_protected");
}
