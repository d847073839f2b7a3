//! How a medium is read: once, without a trace, and with its bad sectors named (security rules 1 and 2).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use blanche_tests::{Format, Layout, Station, Tree, image, program};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Files whose bytes are unlike anything else on the medium.
fn tree() -> Tree {
    let mut tree = Tree::new();
    for index in 0..20u32 {
        let bytes: Vec<u8> = (0..(index * 3001 + 17)).map(|i| (i.wrapping_mul(index + 7) >> 3) as u8).collect();
        tree = tree.with(format!("d{}/fichier {index}.dat", index % 3), bytes);
    }
    tree.with("empty.txt", Vec::new()).with("long.bin", vec![0x5A; 1_300_000])
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
            .args(["-f", "-y", "--seccomp-bpf", "-e", "trace=read,readv,pread64,preadv,mmap,sendfile", "-s", "0", "-o"])
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
        let reads = reads(&std::fs::read_to_string(&log).expect("log"), &medium);
        assert!(reads.iter().map(|(_, length)| length).sum::<u64>() > 1_300_000, "{format:?}: strace saw the reader");
        for (offset, length) in reads {
            times[offset as usize..(offset + length) as usize].iter_mut().for_each(|count| *count += 1);
        }
        for file in tree().files().iter().filter(|file| file.bytes.len() > 512) {
            // The first sector of the file, wherever it lies: large enough to be found by its bytes alone.
            let head = &file.bytes[..512];
            let places: Vec<_> =
                (0..image.len() / 512).filter(|sector| &image[sector * 512..sector * 512 + 512] == head).collect();
            if let [only] = places[..] {
                assert_eq!(times[only * 512], 1, "{format:?}: {} was read {} times", file.path, times[only * 512]);
            }
        }
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
