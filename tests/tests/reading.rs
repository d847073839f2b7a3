//! How a medium is read: once, without a trace, and with its bad sectors named (security rules 1 and 2).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::{Format, Layout, Station, Tree, ext, image, program};
use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

/// Bytes of which no two sectors are alike, here or in another file.
fn unique(file: u64, length: usize) -> Vec<u8> {
    let mut state = file.wrapping_mul(0xD134_2543_DE82_EF95) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        bytes.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Small files, an empty one, and one that is handed over in chunks.
fn tree() -> Tree {
    let mut tree = Tree::new();
    for index in 0..20usize {
        tree = tree.with(format!("d{}/fichier {index}.dat", index % 3), unique(index as u64, index * 3001 + 17));
    }
    tree.with("empty.txt", Vec::new()).with("long.bin", unique(99, 1_300_000))
}

fn digest(path: &Path) -> Vec<u8> {
    blake3::hash(&std::fs::read(path).expect("image")).as_bytes().to_vec()
}

/// Every read of the medium in an strace log with descriptor names: (offset, bytes).
fn reads(log: &str, medium: &Path) -> Vec<(u64, u64)> {
    let mut reads = Vec::new();
    let named = format!("<{}>", medium.display());
    for line in log.lines().filter(|line| line.contains(&named)) {
        let Some(call) = line.find("pread64(").map(|at| &line[at..]) else {
            panic!("the medium was touched by something else than pread64: {line}");
        };
        let (Some(offset), Some(result)) = (call.rsplit_once(") = "), call.rsplit(" = ").next()) else { continue };
        let offset = offset.0.rsplit(", ").next().and_then(|text| text.trim().parse().ok());
        let length = result.split(' ').next().and_then(|text| text.parse().ok());
        if let (Some(offset), Some(length)) = (offset, length) {
            reads.push((offset, length));
        }
    }
    reads
}

#[test]
fn the_medium_is_unchanged_and_no_byte_of_a_file_is_read_twice() {
    for format in Format::ALL {
        let folder = tempfile::tempdir().expect("folder");
        let mut station = Station::new(folder.path());
        station.set("reader", "max_memory_object", "\"1 MiB\"").set("reader", "chunk_bytes", "\"256 KiB\"").set(
            "reader",
            "batch_bytes",
            "\"1 MiB\"",
        );
        let medium = image(folder.path(), format, Layout::MbrPrimary, &tree());
        let (before, log) = (digest(&medium), folder.path().join("strace"));
        let output = Command::new("strace")
            .args([
                "-ff",
                "-y",
                "--seccomp-bpf",
                "-e",
                "trace=read,readv,pread64,preadv,mmap,sendfile",
                "-s",
                "0",
                "-o",
            ])
            .arg(&log)
            .arg(program("blanche"))
            .arg("--config")
            .arg(station.configuration())
            .args(["scan", "--json", "--files"])
            .arg(&medium)
            .output()
            .expect("strace");
        assert_eq!(output.status.code(), Some(0), "{format:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(digest(&medium), before, "{format:?}: the medium was changed");

        let image = std::fs::read(&medium).expect("image");
        let mut times = vec![0u8; image.len()];
        // One file for each process, so that no call is torn apart by another one's.
        let logs = std::fs::read_dir(folder.path()).expect("folder").flatten().map(|entry| entry.path());
        let logs = logs.filter(|path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"strace.")));
        let text: String = logs.map(|log| std::fs::read_to_string(log).expect("log")).collect();
        let reads = reads(&text, &medium);
        assert!(reads.iter().map(|(_, length)| length).sum::<u64>() > 1_300_000, "{format:?}: strace saw the reader");
        for (offset, length) in reads {
            times[offset as usize..(offset + length) as usize].iter_mut().for_each(|count| *count += 1);
        }
        let mut places: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (sector, bytes) in image.chunks_exact(512).enumerate() {
            places.entry(bytes).or_default().push(sector * 512);
        }
        let mut seen = 0;
        for file in tree().files() {
            for (index, sector) in file.bytes.chunks_exact(512).enumerate() {
                let place = places.get(sector).unwrap_or_else(|| panic!("{format:?}: {} is not on it", file.path));
                assert_eq!(place.len(), 1, "sectors are unique");
                let read = &times[place[0]..place[0] + 512];
                assert!(read.iter().all(|count| *count == 1), "{format:?}: sector {index} of {}: {read:?}", file.path);
                seen += 1;
            }
        }
        assert!(seen > 3000, "{format:?}: only {seen} sectors were looked at");
    }
}

#[test]
fn digests_in_the_report_are_those_of_the_files() {
    let folder = tempfile::tempdir().expect("folder");
    let station = Station::new(folder.path());
    let medium = image(folder.path(), Format::ExFat, Layout::Gpt, &tree());
    let output = Command::new(program("blanche"))
        .arg("--config")
        .arg(station.configuration())
        .args(["scan", "--json", "--files"])
        .arg(&medium)
        .output()
        .expect("blanche");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("report");
    let files = report["files"].as_array().expect("files");
    let seen: BTreeMap<_, _> = files
        .iter()
        .map(|file| (file["path"].as_str().expect("path"), file["blake3"].as_str().expect("digest")))
        .collect();
    for file in tree().files() {
        assert_eq!(seen.get(file.path.as_str()).copied(), Some(&*blake3::hash(&file.bytes).to_hex()), "{}", file.path);
    }
    assert_eq!(seen.len(), tree().files().len());
}

/// A tag needs both digests of every link, and a clean verdict on the medium that has some.
#[test]
fn the_digest_of_a_link_is_that_of_its_target() {
    let folder = tempfile::tempdir().expect("folder");
    let station = Station::new(folder.path());
    let target = "dossier/".repeat(20);
    let place = ext::symbolic_link(folder.path(), target.as_bytes());
    let output = Command::new(program("blanche"))
        .arg("--config")
        .arg(station.configuration())
        .args(["scan", "--json", "--files"])
        .arg(&place.disk)
        .output()
        .expect("blanche");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("report");
    assert_eq!(report["verdict"], "clean", "{report:#}");
    // The letter of every such medium, and the link.
    assert_eq!((&report["content"]["files"], &report["content"]["files_checked"]), (&2.into(), &2.into()));
    let files = report["files"].as_array().expect("files");
    for name in place.names {
        let file = files.iter().find(|file| file["path"] == *name).expect(name);
        assert_eq!(file["size"], target.len());
        assert_eq!(file["blake3"], *blake3::hash(target.as_bytes()).to_hex());
        assert_eq!(file["verdict"], "clean");
    }
}

/// A loop device; detached when dropped.
struct Loop(String);

impl Loop {
    fn new(image: &Path) -> Self {
        let output =
            Command::new("losetup").args(["--find", "--show", "--read-only"]).arg(image).output().expect("losetup");
        assert!(output.status.success(), "losetup: {}", String::from_utf8_lossy(&output.stderr));
        Self(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

/// Sectors behind the end of a loop device's file answer with an I/O error, as bad sectors of a medium do.
#[test]
fn bad_sectors_are_named_and_the_rest_of_the_medium_is_still_checked() {
    let folder = tempfile::tempdir().expect("folder");
    let station = Station::new(folder.path());
    let tree = Tree::new().with("good.txt", "read me\n").with("long.bin", vec![0x33; 8 << 20]);
    let medium = image(folder.path(), Format::Fat32, Layout::Superfloppy, &tree);
    let image = std::fs::read(&medium).expect("image");
    let first = (0..image.len() / 512).find(|sector| image[sector * 512..sector * 512 + 512] == [0x33; 512]);
    let start = first.expect("the long file") as u64 * 512;
    let device = Loop::new(&medium);
    let cut = start + (3 << 20);
    std::fs::File::options().write(true).open(&medium).expect("image").set_len(cut).expect("a shorter file");

    let scan = station.scan(Path::new(&device.0));
    assert_eq!((scan.verdict(), scan.code), ("incomplete", 10), "{:#}", scan.report);
    let lines = scan.report["not_checked"].as_array().expect("lines");
    let bad: Vec<_> = lines.iter().filter(|line| line["path"] == "long.bin").collect();
    assert_eq!(bad.len(), 1, "{lines:#?}");
    assert_eq!(bad[0]["cause"], "unreadable");
    // The block layer answers per page; the first bad byte is the cut, rounded down to one.
    let offset = bad[0]["offset"].as_u64().expect("offset");
    assert!((3 << 20) - 4096 < offset && offset <= 3 << 20, "{offset}");
    assert_eq!(offset + bad[0]["length"].as_u64().expect("length"), 8 << 20);
    let content = &scan.report["content"];
    assert_eq!(content["unreadable"].as_u64(), Some((8 << 20) - offset));
    assert_eq!(content["files_checked"], 1, "{content}");
}
