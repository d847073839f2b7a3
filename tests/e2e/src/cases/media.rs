//! Honest and infected media of every kind, each behind the kind of device that carries it.

use super::Case;
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use crate::pace::limit;
use crate::program::run;
use crate::prompt::Promptness;
use crate::run::say;
use blanche_tests::samples::eicar;
use blanche_tests::{Disc, Format, Layout, Tree, disc, image};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "prompt",
        "key, FAT32, engines loaded",
        "Arrived within 1 s of the kernel's event, first byte scanned within 1 s more",
        prompt,
    ),
    Case::new("fat32", "key, FAT32 in an MBR", "clean, sealed; workstation: accepted", |bench| {
        seal(bench, image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &letter()))
    }),
    Case::new("exfat", "key, exFAT without a table", "clean, sealed; workstation: accepted", |bench| {
        seal(bench, image(&bench.folder(), Format::ExFat, Layout::Superfloppy, &letter()))
    }),
    Case::new(
        "gpt-four",
        "key, GPT with FAT16, exFAT, NTFS and ext4",
        "clean, sealed; workstation: accepted",
        |bench| {
            let medium = four_partitions(&bench.folder())?;
            seal(bench, medium)
        },
    ),
    Case::new("many-files", "key, FAT32 with 2 000 files", "clean, sealed; workstation: accepted", |bench| {
        let files = (0..2_000).fold(Tree::new(), |tree, number| {
            tree.with(format!("lot {}/note {number}.txt", number / 200), format!("note {number}\r\n"))
        });
        seal(bench, image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &files))
    }),
    Case::new("ntfs", "key, NTFS in an MBR", KEPT, |bench| {
        detached(bench, image(&bench.folder(), Format::Ntfs, Layout::MbrPrimary, &letter()), Device::key)
    }),
    Case::new("ext4-uas", "disk on USB Attached SCSI, ext4 in a GPT", KEPT, |bench| {
        detached(bench, image(&bench.folder(), Format::Ext4, Layout::Gpt, &letter()), Device::uas)
    }),
    Case::new("iso-on-key", "key, ISO 9660 and UDF of a disc", KEPT, |bench| {
        detached(bench, disc(&bench.folder(), Disc::UdfBridge, &letter()), Device::key)
    }),
    Case::new("blank", "key without a byte on it", KEPT, |bench| {
        let medium = bench.folder().join("blank.img");
        File::create(&medium).and_then(|file| file.set_len(16 << 20)).map_err(Failure::file(&medium))?;
        detached(bench, medium, Device::key)
    }),
    Case::new("cd", "optical drive, ISO 9660 with Joliet and Rock Ridge", KEPT_LOCKED, |bench| {
        detached(bench, disc(&bench.folder(), Disc::JolietRockRidge, &letter()), |id, port, backing| {
            Device::optical(id, port, &read_only(backing))
        })
    }),
    Case::new("read-only", "key with a lock, FAT32", KEPT_LOCKED, |bench| {
        detached(bench, image(&bench.folder(), Format::Fat32, Layout::Superfloppy, &letter()), |id, port, backing| {
            Device::key(id, port, &read_only(backing))
        })
    }),
    Case::new("infected", "key, FAT32 with EICAR", "infected, no tag; medium unchanged", |bench| {
        let infected = letter().with("virus.com", eicar());
        unsealed(bench, image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &infected))
    }),
    Case::new("infected-hidden", "key, EICAR in a hidden NTFS", "infected, no tag; medium unchanged", |bench| {
        let infected = letter().with("virus.com", eicar());
        unsealed(bench, image(&bench.folder(), Format::Ntfs, Layout::MbrHidden, &infected))
    }),
    Case::new(
        "password",
        "key, exFAT with an encrypted archive",
        "incomplete (encrypted: zip), no tag; medium unchanged",
        |bench| {
            let closed = letter().with("secret.zip", blanche_tests::samples::password_zip());
            unsealed(bench, image(&bench.folder(), Format::ExFat, Layout::Superfloppy, &closed))
        },
    ),
    Case::new("two-terabytes", "disk of 2 TB, exFAT without a file", "clean, sealed; workstation: accepted", |bench| {
        let medium = bench.folder().join("huge.img");
        File::create(&medium).and_then(|file| file.set_len(TWO_TERABYTES)).map_err(Failure::file(&medium))?;
        run(&bench.folder(), "mkfs.exfat", ["huge.img"])?;
        seal(bench, medium)
    }),
];

/// As makers of disks count.
const TWO_TERABYTES: u64 = 2_000_000_000_000;
/// Of what cannot carry a tag.
const KEPT: &str = "clean, tag kept (no_volume); workstation: accepted; medium unchanged";
/// Of what cannot be written.
const KEPT_LOCKED: &str = "clean, tag kept (write_protected); workstation: accepted; medium unchanged";

/// What an agent carries.
pub(super) fn letter() -> Tree {
    let picture: Vec<u8> = (0..300_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    Tree::new().with("Dossier/lettre été.txt", "Bonjour\r\n").with("LISEZMOI.TXT", "Rien.\r\n").with("p.bin", picture)
}

fn read_only(backing: &Backing) -> Backing {
    match backing {
        Backing::Image(path) => Backing::ReadOnly(path.clone()),
        other => other.clone(),
    }
}

/// How soon the station sees and reads a medium. Of six times the best, and no more than are needed: the machine that
/// emulates this one has other work, which makes it later and never sooner.
fn prompt(bench: &mut Bench) -> Result<String> {
    let medium = image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &letter());
    let before = bench.station.times().len();
    let (mut arrived, mut scanned) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..6 {
        bench.check(Device::key("key", "1", &Backing::Image(medium.clone())))?;
        bench.clear()?;
        let times = &bench.station.times()[before..];
        if let Some(Promptness { disk, arrived, scanned }) = times.last() {
            say(&format!(
                "  the kernel's event of its disk {disk:.2} s, Arrived {arrived:.2} s, first byte {scanned:.2} s"
            ))?;
        }
        let best = |of: fn(&Promptness) -> f64| times.iter().map(of).fold(f64::INFINITY, f64::min);
        (arrived, scanned) = (best(|time| time.arrived), best(|time| time.scanned - time.arrived));
        if arrived < limit(1.0) && scanned < limit(1.0) {
            return Ok("Arrived within 1 s of the kernel's event, first byte scanned within 1 s more".to_owned());
        }
    }
    Ok(format!("Arrived after {arrived:.2} s, first byte {scanned:.2} s later"))
}

/// A medium that should carry its tag.
pub(super) fn seal(bench: &mut Bench, image: PathBuf) -> Result<String> {
    let outcome = bench.check(Device::key("key", "1", &Backing::Image(image.clone())))?;
    // As people do: it is at the workstation that the tag has to be there.
    bench.pull()?;
    Ok(format!("{}; workstation: {}", outcome.words(), bench.station.verify(&image, 512, None)?))
}

/// A medium that cannot carry a tag, behind the device that `plugged` makes.
fn detached(bench: &mut Bench, image: PathBuf, plugged: fn(&str, &str, &Backing) -> Device) -> Result<String> {
    let before = content(&image)?;
    let outcome = bench.check(plugged("disk", "1", &Backing::Image(image.clone())))?;
    if outcome.report["seal"]["outcome"] != "detached" {
        return Ok(outcome.words());
    }
    let block = outcome.report["target"]["logical_block"].as_u64().and_then(|block| u32::try_from(block).ok());
    let block = block.ok_or_else(|| Failure::format("the report states no logical block"))?;
    let tag = bench.station.detached(&mut bench.guest, &outcome)?;
    bench.pull()?;
    let workstation = bench.station.verify(&image, block, Some(&tag))?;
    Ok(format!("{}; workstation: {workstation}; {}", outcome.words(), unchanged(&image, &before)?))
}

/// A medium that must get no tag.
pub(super) fn unsealed(bench: &mut Bench, image: PathBuf) -> Result<String> {
    let before = content(&image)?;
    let outcome = bench.check(Device::key("key", "1", &Backing::Image(image.clone())))?;
    bench.pull()?;
    Ok(format!("{}; {}", outcome.words(), unchanged(&image, &before)?))
}

pub(super) fn content(image: &Path) -> Result<Vec<u8>> {
    fs::read(image).map_err(Failure::file(image))
}

pub(super) fn unchanged(image: &Path, before: &[u8]) -> Result<&'static str> {
    Ok(if content(image)? == before { "medium unchanged" } else { "medium CHANGED" })
}

/// The partitions' volumes are made as superfloppies and put where the table says.
fn four_partitions(folder: &Path) -> Result<PathBuf> {
    let disk = folder.join("four.img");
    let mut script = String::from("label: gpt\n");
    let (mut start, mut parts) = (2048_u64, Vec::new());
    for format in [Format::Fat16, Format::ExFat, Format::Ntfs, Format::Ext4] {
        let part = image(folder, format, Layout::Superfloppy, &letter());
        let sectors = fs::metadata(&part).map_err(Failure::file(&part))?.len() / 512;
        script.push_str(&format!("start={start}, size={sectors}, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n"));
        parts.push((part, start));
        start += sectors;
    }
    let made = File::create(&disk).and_then(|file| file.set_len((start + 2048) * 512));
    made.map_err(Failure::file(&disk))?;
    let table = folder.join("four.table");
    fs::write(&table, script).map_err(Failure::file(&table))?;
    let words = "sfdisk --quiet --no-tell-kernel four.img <four.table";
    run(folder, "sh", ["-c", words])?;
    for (part, start) in parts {
        let seek = format!("seek={start}");
        let of = format!("if={}", part.display());
        run(folder, "dd", ["of=four.img", &of, &seek, "bs=512", "conv=notrunc,sparse", "status=none"])?;
    }
    Ok(disk)
}
