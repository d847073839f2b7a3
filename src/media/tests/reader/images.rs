//! Images made by the programs that people use, from a folder of files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Bytes of a sector.
pub(crate) const SECTOR: usize = 512;

/// Where programs are, those of administrators first.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Runs a program to its end; it must succeed.
pub(crate) fn run(program: &str, arguments: &[&str], input: &str) -> String {
    run_in("UTC0", program, arguments, input)
}

/// As [`run`], in a time zone as POSIX writes it (XBD 8.3): what is west of Greenwich is positive.
pub(crate) fn run_in(zone: &str, program: &str, arguments: &[&str], input: &str) -> String {
    // By its path: the standard library spawns without a fork then, and forking a process that holds images of gigabytes
    // takes longer than most of these programs.
    let found = FOLDERS.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file());
    let found = found.unwrap_or_else(|| panic!("{program} is missing; install it"));
    let mut child = Command::new(found)
        .args(arguments)
        .env("PATH", FOLDERS.join(":"))
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", zone)
        .env("MTOOLS_SKIP_CHECK", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; install it"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Numbers that are the same in every run (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Paths and contents: nested folders, accents, emoji, long names, sizes around sector and cluster borders.
pub(crate) fn tree() -> BTreeMap<String, Vec<u8>> {
    let mut numbers = Numbers(1);
    let mut files = BTreeMap::new();
    let mut add = |path: &str, size: usize| {
        files.insert(path.to_owned(), numbers.bytes(size));
    };
    add("README.TXT", 700);
    add("empty.bin", 0);
    add("un fichier accentué à l'été.txt", 1500);
    add("😀 emoji 🔑.bin", 5000);
    add("A name that is much longer than eight plus three, and still goes on.document", 33_000);
    add("sub/one.bin", 1);
    add("sub/sector.bin", 512);
    add("sub/cluster.bin", 4096);
    add("sub/cluster and one.bin", 4097);
    add("Œuvres/Été 2026/naïve.txt", 12_345);
    add("large.bin", 300_000);
    let deep = (0..30).map(|level| format!("d{level}")).collect::<Vec<_>>().join("/");
    add(&format!("{deep}/bottom.txt"), 321);
    for number in 0..40 {
        add(&format!("many/file number {number}.dat"), number * 97);
    }
    files
}

/// Writes a tree into a folder.
pub(crate) fn write_tree(folder: &Path, tree: &BTreeMap<String, Vec<u8>>) {
    for (path, content) in tree {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An empty FAT volume of this width (12, 16, 32) and size.
pub(crate) fn empty_fat(width: u8, bytes: u64, more: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    fs::File::create(&image).unwrap().set_len(bytes).unwrap();
    let width = width.to_string();
    let mut arguments = vec!["--invariant", "-F", &width, "-n", "BLANCHE", "-i", "1234ABCD"];
    arguments.extend_from_slice(more);
    arguments.push(text(&image));
    run("mkfs.vfat", &arguments, "");
    fs::read(&image).unwrap()
}

/// A FAT volume that holds a tree.
pub(crate) fn fat(width: u8, bytes: u64, more: &[&str], tree: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    fill_fat(empty_fat(width, bytes, more), tree)
}

/// Copies a tree into a FAT volume with mtools.
///
/// mtools cuts characters beyond 16 bits in half, so each of their two units travels as a private-use character and
/// gets its value back in the image.
pub(crate) fn fill_fat(volume: Vec<u8>, tree: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    let shifted = |path: &String| {
        let units: Vec<u16> =
            path.encode_utf16().map(|unit| if unit & 0xf800 == 0xd800 { unit + 0x800 } else { unit }).collect();
        String::from_utf16(&units).unwrap()
    };
    write_tree(&files, &tree.iter().map(|(path, content)| (shifted(path), content.clone())).collect());
    let mut volume = with_mtools(volume, |image| {
        let mut names: Vec<_> = fs::read_dir(&files).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let mut arguments = vec!["-s", "-Q", "-i", image];
        arguments.extend(names.iter().map(|name| text(name)));
        arguments.push("::/");
        run("mcopy", &arguments, "");
    });
    for record in volume.chunks_mut(32) {
        // A piece of a long name: attribute 0Fh, type 0, cluster 0.
        if record.len() == 32 && record[11..13] == [0x0f, 0] && record[26..28] == [0, 0] {
            for offset in (1..11).step_by(2).chain((14..26).step_by(2)).chain([28, 30]) {
                if record[offset + 1] & 0xf8 == 0xe0 {
                    record[offset + 1] -= 8;
                }
            }
        }
    }
    volume
}

/// Lets mtools work on a volume.
pub(crate) fn with_mtools(volume: Vec<u8>, work: impl FnOnce(&str)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    fs::write(&image, volume).unwrap();
    work(text(&image));
    fs::read(&image).unwrap()
}

/// An exFAT volume that holds a tree, filled by exfat-fuse on a loop device.
pub(crate) fn exfat(bytes: u64, tree: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    exfat_filled(bytes, |mount| write_tree(mount, tree))
}

/// An exFAT volume that `fill` fills while it is mounted.
pub(crate) fn exfat_filled(bytes: u64, fill: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("volume.img");
    empty_exfat(&image, bytes);
    with_exfat(&image, &[], fill);
    fs::read(&image).unwrap()
}

/// Makes an empty exFAT volume of this size.
pub(crate) fn empty_exfat(image: &Path, bytes: u64) {
    empty_exfat_with(image, bytes, &[]);
}

/// The same, with more options.
pub(crate) fn empty_exfat_with(image: &Path, bytes: u64, more: &[&str]) {
    fs::File::create(image).unwrap().set_len(bytes).unwrap();
    run("mkfs.exfat", &[&["-L", "BLANCHE"], more, &[text(image)]].concat(), "");
}

/// Mounts an exFAT volume with exfat-fuse on a loop device while `work` works in it.
pub(crate) fn with_exfat(image: &Path, options: &[&str], work: impl FnOnce(&Path)) {
    with_exfat_in("UTC0", image, options, work);
}

/// The same, in a time zone.
pub(crate) fn with_exfat_in(zone: &str, image: &Path, options: &[&str], work: impl FnOnce(&Path)) {
    let mount = tempfile::tempdir().unwrap();
    let device = run("losetup", &["-f", "--show", text(image)], "");
    run_in(zone, "mount.exfat-fuse", &[options, &[device.trim(), text(mount.path())]].concat(), "");
    work(mount.path());
    unmount(mount.path());
    // The daemon writes its last blocks after umount has returned; it is done when no loop device has the image any more.
    run("losetup", &["-d", device.trim()], "");
    wait_for_free(image);
}

/// A busy machine hands the last closings to the driver late: until then the point is "busy".
fn unmount(point: &Path) {
    for _ in 0..600 {
        if Command::new("/usr/bin/umount").arg(point).status().is_ok_and(|status| status.success()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{} is still in use", point.display());
}

/// Asks for the image: the device may long be another test's. On a busy disk the last blocks take minutes.
fn wait_for_free(image: &Path) {
    for _ in 0..6000 {
        if run("losetup", &["-j", text(image)], "").is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{} is still in use", image.display());
}

/// A disk with this sfdisk script; each volume is copied to its start (in sectors).
pub(crate) fn disk(bytes: u64, script: &str, volumes: &[(u64, &[u8])]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("disk.img");
    fs::File::create(&image).unwrap().set_len(bytes).unwrap();
    // Without --no-tell-kernel it calls sync(2), and waits for every filesystem of the machine.
    run("sfdisk", &["-q", "--no-tell-kernel", text(&image)], script);
    let mut disk = fs::read(&image).unwrap();
    for (start, volume) in volumes {
        let start = *start as usize * SECTOR;
        disk[start..start + volume.len()].copy_from_slice(volume);
    }
    disk
}
