//! What an ordinary computer does to a medium by using it: it must be accepted afterwards.

use super::Case;
use super::media::letter;
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use crate::run::say;
use blanche_tests::{Format, Layout, image};
use std::fs;

pub(super) const CASES: &[Case] = &[Case::new(
    "linux",
    "keys with FAT12, FAT16, FAT32, exFAT, NTFS, ext4, sealed, then mounted for writing and read by Linux",
    "each sealed; workstation: each accepted; each mount noticed",
    linux,
)];

/// Filesystems, and the drivers of Linux for them.
const KINDS: [(Format, &str); 6] = [
    (Format::Fat12, "vfat"),
    (Format::Fat16, "vfat"),
    (Format::Fat32, "vfat"),
    (Format::ExFat, "exfat"),
    (Format::Ntfs, "ntfs-3g"),
    (Format::Ext4, "ext4"),
];

fn linux(bench: &mut Bench) -> Result<String> {
    let (mut media, mut wrong) = (Vec::new(), Vec::new());
    for (format, driver) in KINDS {
        let medium = image(&bench.folder(), format, Layout::Superfloppy, &letter());
        let outcome = bench.check(Device::key("key", "1", &Backing::Image(medium.clone())))?;
        let tag = match outcome.report["seal"]["outcome"].as_str() {
            Some("on_medium") => None,
            Some("detached") => {
                let own = medium.with_extension("tag");
                fs::copy(bench.station.detached(&mut bench.guest, &outcome)?, &own).map_err(Failure::file(&own))?;
                Some(own)
            }
            _ => {
                wrong.push(format!("{format:?}: {}", outcome.words()));
                bench.clear()?;
                continue;
            }
        };
        bench.clear()?;
        media.push((format, driver, medium, tag));
    }
    // An ordinary computer, without a station and without its rules.
    bench.duty(false)?;
    bench.open_ports(true)?;
    bench.traces()?;
    bench.guest.run("modprobe fuse")?;
    let mut mounts = 0;
    for (format, driver, medium, tag) in media {
        bench.plug(Device::key("key", "1", &Backing::Image(medium.clone())))?;
        let disk = bench.disk()?;
        let before = fs::read(&medium).map_err(Failure::file(&medium))?;
        bench.guest.run(&format!(
            "set -e; mkdir -p /run/key; mount -t {driver} -o rw /dev/{disk} /run/key
            find /run/key -type f -exec cat {{}} + >/dev/null; umount /run/key
            while pgrep -x ntfs-3g >/dev/null; do sleep 0.1; done"
        ))?;
        bench.clear()?;
        let after = fs::read(&medium).map_err(Failure::file(&medium))?;
        let changed = before.iter().zip(&after).filter(|(one, other)| one != other).count();
        let workstation = bench.station.verify(&medium, 512, tag.as_deref())?;
        say(&format!("  {format:?}: {driver} changed {changed} bytes; workstation: {workstation}"))?;
        if workstation != "accepted" {
            wrong.push(format!("{format:?}: {workstation}"));
        }
        mounts += usize::from(bench.traces()?.contains(&format!("mounted: /dev/{disk}")));
    }
    let noticed =
        if mounts == KINDS.len() { "each mount noticed".to_owned() } else { format!("{mounts} mounts noticed") };
    let accepted =
        if wrong.is_empty() { "each sealed; workstation: each accepted".to_owned() } else { wrong.join(", ") };
    Ok(format!("{accepted}; {noticed}"))
}
