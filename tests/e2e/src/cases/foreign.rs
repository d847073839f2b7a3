//! Media that other programs would assemble by themselves: nobody but Blanche may look at them (security rule 3).

use super::Case;
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::Result;
use std::path::PathBuf;
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "md",
        "half of a Linux software RAID",
        "incomplete (filesystem_unsupported: linux_raid), no tag",
        |bench| looked_at(bench, RAID),
    ),
    Case::new(
        "lvm",
        "physical volume of LVM with a logical one",
        "incomplete (filesystem_unsupported: lvm), no tag",
        |bench| looked_at(bench, LVM),
    ),
    Case::new("btrfs", "Btrfs", "incomplete (filesystem_unsupported: btrfs), no tag", |bench| looked_at(bench, BTRFS)),
    Case::control(
        "md-open",
        "control: the RAID on a machine without the station's udev rule",
        "active: md127, blkid: ID_FS_TYPE=linux_raid_member, ran: mdadm",
        control,
    ),
];

/// How a medium gets its content: a line of shell in the guest, where `$d` is the disk. Nothing of it is Blanche's.
type Recipe = &'static str;

const RAID: Recipe = "modprobe -a md_mod raid1; m=/usr/lib/foreign/mdadm
    yes | $m --create /dev/md/half --run --metadata=1.2 --level=1 --raid-devices=2 $d missing
    $m --stop /dev/md/half";
const LVM: Recipe = "l=/usr/lib/foreign/lvm
    o='--config devices{obtain_device_list_from_udev=0}'
    $l pvcreate $o -ff -y $d
    $l vgcreate $o e2e $d
    $l lvcreate $o -an -Zn -Wn -y -n v -L 8M e2e";
const BTRFS: Recipe = "mkfs.btrfs --quiet $d";

/// A medium of 128 MiB, made in the guest on a loop device.
fn made(bench: &mut Bench, recipe: Recipe) -> Result<PathBuf> {
    bench.guest.run(&format!(
        "set -e; modprobe loop; truncate -s 128M /run/foreign.img; d=$(losetup --find --show /run/foreign.img)
        {recipe}
        udevadm settle; losetup -d $d; udevadm settle
        cp --sparse=always /run/foreign.img /run/e2e/foreign.img; rm /run/foreign.img"
    ))?;
    bench.traces()?;
    Ok(bench.guest.share().join("foreign.img"))
}

fn looked_at(bench: &mut Bench, recipe: Recipe) -> Result<String> {
    let medium = made(bench, recipe)?;
    Ok(bench.check(Device::key("foreign", "1", &Backing::Image(medium)))?.words())
}

/// Whether no RAID is left; while its disk is there, udev would put it together again.
const STOPPED: &str = "/usr/lib/foreign/mdadm --stop --scan; udevadm settle; ! ls -d /sys/block/md* >/dev/null 2>&1";
/// How long that may take.
const STOPS: Duration = Duration::from_secs(60);

/// That the traces would be there shows that looking for them means something.
fn control(bench: &mut Bench) -> Result<String> {
    let medium = made(bench, RAID)?;
    bench.guest.run("mv /run/udev/rules.d/60-blanche-station.rules /run/away; udevadm control --reload")?;
    bench.plug(Device::key("foreign", "1", &Backing::Image(medium)))?;
    bench.disk()?;
    let seen = bench.traces();
    bench.guest.run("mv /run/away /run/udev/rules.d/60-blanche-station.rules; udevadm control --reload")?;
    let programs = |trace: String| trace.split(" --").next().unwrap_or_default().trim().to_owned();
    let mut seen: Vec<String> = seen?.into_iter().map(programs).collect();
    seen.dedup();
    bench.clear()?;
    bench.guest.until(STOPPED, STOPS)?;
    bench.traces()?;
    Ok(seen.join(", "))
}
