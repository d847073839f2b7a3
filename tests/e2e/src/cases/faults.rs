//! Media that fail, lie, stall or vanish.

use super::Case;
use super::media::{content, letter, unchanged, unsealed};
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use crate::firmware::{Firmware, Medium};
use blanche_tests::samples::eicar;
use blanche_tests::{Format, Layout, Tree, image};
use std::fs;
use std::path::{Path, PathBuf};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "bad-sector",
        "key, FAT32, one sector unreadable in the middle of a file",
        "incomplete (unreadable), no tag; 4096 bytes of grand.bin around the broken place; medium unchanged",
        bad_sector,
    ),
    Case::new("yank", "key pulled out while it is read", "incomplete (removed), no tag; medium unchanged", yank),
    Case::new("slow-drip", "key that gives 64 KiB in a second", "clean, sealed; workstation: accepted", slow_drip),
    Case::new("hang", "key that stops answering", "incomplete (unreadable or removed), no tag", hang),
    Case::new(
        "switched-file",
        "firmware that shows another file when it is read again",
        "clean, sealed; workstation: refused (E-CHANGED)",
        switched_file,
    ),
    Case::new(
        "switched-folder",
        "firmware that shows another folder when it is read again",
        "incomplete (changed), no tag",
        switched_folder,
    ),
    Case::new("liar", "key of 32 MiB that says 64 MiB, FAT32", "clean, sealed; workstation: refused (E-CHANGED)", liar),
    Case::new(
        "loop",
        "key, FAT32 with a folder that holds itself",
        "incomplete (corrupt: directory), no tag; medium unchanged",
        |bench| {
            let medium = looping(&bench.folder())?;
            unsealed(bench, medium)
        },
    ),
];

const SECTOR: usize = 512;
pub(super) const MIB: usize = 1 << 20;

/// Bytes that no tool stores twice.
pub(super) fn noise(bytes: usize) -> Vec<u8> {
    let words = (0_u64..).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).to_le_bytes());
    words.flatten().take(bytes).collect()
}

/// Where `part` stands in an image.
fn place(image: &[u8], part: &[u8]) -> Result<usize> {
    let found = image.windows(part.len()).position(|window| window == part);
    found.ok_or_else(|| Failure::format("what was written is not on the medium"))
}

fn bad_sector(bench: &mut Bench) -> Result<String> {
    let file = noise(MIB);
    let medium = image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &letter().with("grand.bin", &*file));
    let before = content(&medium)?;
    let broken = file.len() / 2;
    let sector = (place(&before, &file)? + broken) / SECTOR;
    let outcome = bench.check(Device::key("key", "1", &Backing::BadSector(medium.clone(), sector as u64)))?;
    bench.pull()?;
    // The kernel reads pages: what stands beside the sector in one of them is lost with it.
    let around = |gap: &serde_json::Value| {
        let (offset, length) = (gap["offset"].as_u64().unwrap_or(0), gap["length"].as_u64().unwrap_or(0));
        let inside = (offset..offset + length).contains(&(broken as u64));
        let path = gap["path"].as_str().unwrap_or("the medium").trim_start_matches('/').to_owned();
        format!("{length} bytes of {path} {}", if inside { "around the broken place" } else { "ELSEWHERE" })
    };
    let gaps = outcome.report["not_checked"].as_array().into_iter().flatten().map(around);
    let gaps: Vec<String> = gaps.collect();
    Ok(format!("{}; {}; {}", outcome.words(), gaps.join(", "), unchanged(&medium, &before)?))
}

fn yank(bench: &mut Bench) -> Result<String> {
    let tree = letter().with("grand.bin", noise(16 * MIB));
    let medium = image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &tree);
    let before = content(&medium)?;
    let session = bench.insert(Device::key("key", "1", &Backing::Slow(medium.clone(), MIB as u64)))?;
    // In the middle of the contents.
    bench.read_behind(&session.disk, 3 << 20)?;
    bench.pull()?;
    let outcome = bench.end(&session)?;
    Ok(format!("{}; {}", outcome.words(), unchanged(&medium, &before)?))
}

fn slow_drip(bench: &mut Bench) -> Result<String> {
    let medium = image(&bench.folder(), Format::Fat12, Layout::Superfloppy, &letter());
    let outcome = bench.check(Device::key("key", "1", &Backing::Slow(medium.clone(), 64 * 1024)))?;
    bench.pull()?;
    Ok(format!("{}; workstation: {}", outcome.words(), bench.station.verify(&medium, 512, None)?))
}

/// The guest plays this device for itself: QEMU could not go on while one of its own does not answer. What it reads from is
/// suspended under it.
fn hang(bench: &mut Bench) -> Result<String> {
    // Read for longer than it takes to suspend it.
    let tree = letter().with("grand.bin", noise(16 * MIB));
    let medium = image(&bench.folder(), Format::Fat16, Layout::Superfloppy, &tree);
    let shared = bench.guest.share().join("hang.img");
    fs::copy(&medium, &shared).map_err(Failure::file(&shared))?;
    let through = "/run/e2e/guest/gadget through /run/e2e/hang.img 100";
    let session = bench.arrival(|bench| bench.guest.run(through).map(drop))?;
    // A station need not wait for half a minute, which is the kernel's default, five times.
    let disk = &session.disk;
    bench.guest.run(&format!("echo 2 >/sys/block/{disk}/device/timeout; /run/e2e/guest/gadget suspend"))?;
    let outcome = bench.end(&session);
    bench.guest.run("/run/e2e/guest/gadget resume; /run/e2e/guest/gadget discard")?;
    // The kernel gives such a device up; the reader may hear of it before the station does, or after.
    Ok(match outcome?.words().as_str() {
        "incomplete (unreadable), no tag" | "incomplete (removed), no tag" => {
            "incomplete (unreadable or removed), no tag".to_owned()
        }
        other => other.to_owned(),
    })
}

/// In the middle of a file: far from everything that sealing writes.
fn switched_file(bench: &mut Bench) -> Result<String> {
    let file = noise(MIB);
    let tree = letter().with("grand.bin", &*file);
    switched(bench, "switched-file", &tree, &file[MIB / 2..MIB / 2 + 64], &eicar())
}

/// A file gets another name there.
fn switched_folder(bench: &mut Bench) -> Result<String> {
    let tree = letter().with("AUTRE/ANCIEN.TXT", "Bonsoir\r\n");
    switched(bench, "switched-folder", &tree, b"ANCIEN  TXT", b"VIRUS   COM")
}

/// From the second reading on, `evil` stands where `honest` was.
fn switched(bench: &mut Bench, name: &str, tree: &Tree, honest: &[u8], evil: &[u8]) -> Result<String> {
    let shown = content(&image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, tree))?;
    let mut later = shown.clone();
    let at = place(&shown, honest)?;
    later[at..at + evil.len()].copy_from_slice(evil);
    let medium = Medium::insert(&bench.folder().join(name), Firmware::switcher(shown, later))?;
    scanned_and_taken_home(bench, &medium)
}

/// What the station says of a medium that lies, and, if it is sealed, what a workstation says that reads every byte of it.
fn scanned_and_taken_home(bench: &mut Bench, medium: &Medium) -> Result<String> {
    let outcome = bench.check(Device::key("key", "1", &Backing::Program(medium.socket().to_owned())))?;
    bench.pull()?;
    if outcome.report["seal"]["outcome"] != "on_medium" {
        return Ok(outcome.words());
    }
    let taken_home = bench.folder().join("home.img");
    fs::write(&taken_home, medium.image()).map_err(Failure::file(&taken_home))?;
    Ok(format!("{}; workstation: {}", outcome.words(), bench.station.verify(&taken_home, 512, None)?))
}

/// Its true room is full, so that the tag lands on a file: whoever reads that file finds it changed.
fn liar(bench: &mut Bench) -> Result<String> {
    let tree = letter().with("grand.bin", noise(33 * MIB));
    let medium = image(&bench.folder(), Format::Fat32, Layout::Superfloppy, &tree);
    let mut real = content(&medium)?;
    let claimed = real.len();
    real.truncate(32 * MIB);
    let medium = Medium::insert(&bench.folder().join("liar"), Firmware::Liar { real, claimed })?;
    scanned_and_taken_home(bench, &medium)
}

/// The entry of the inner folder names the cluster of the outer one.
fn looping(folder: &Path) -> Result<PathBuf> {
    let tree = Tree::new().with("BOUCLE/ENCORE/NOTE.TXT", "Bonjour\r\n");
    let medium = image(folder, Format::Fat32, Layout::Superfloppy, &tree);
    let mut bytes = content(&medium)?;
    let (outer, inner) = (place(&bytes, b"BOUCLE     \x10")?, place(&bytes, b"ENCORE     \x10")?);
    // First cluster: high half at 20, low half at 26 (Microsoft FAT specification, 6).
    for at in [20, 26] {
        bytes.copy_within(outer + at..outer + at + 2, inner + at);
    }
    fs::write(&medium, bytes).map_err(Failure::file(&medium))?;
    Ok(medium)
}
