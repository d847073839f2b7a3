//! Devices that are no plain storage, at ports that are closed until somebody has judged what is plugged in (security rule 6).

use super::Case;
use super::media::letter;
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use blanche_tests::{Format, Layout, image};
use std::fs;
use std::path::Path;

pub(super) const CASES: &[Case] = &[
    Case::new("keyboard", "keyboard", ":030101: no driver", |bench| {
        closed(bench, "0301", |_| Device::keyboard("kbd", "1"))
    }),
    Case::new("serial", "serial adapter", ":ffffff: no driver", |bench| {
        closed(bench, "ffff", |_| Device::serial("line", "1"))
    }),
    Case::new("network", "network adapter", ":0202ff:0a0000:020600: no driver", |bench| {
        closed(bench, "02", |_| Device::network("net", "1"))
    }),
    Case::new("phone", "phone, MTP", ":060101: no driver", |bench| {
        closed(bench, "0601", |folder| Device::phone("phone", "1", folder))
    }),
    Case::new("hub", "hub with a key and a keyboard behind it", ":090000: no driver", hub),
    Case::new(
        "hub-open",
        "control: the same hub at an open port, pulled out at the end",
        ":030101: usbhid, :080650: usb-storage, :090000: hub, input; then nothing",
        hub_open,
    ),
    Case::new(
        "composite",
        "storage and keyboard in one device",
        ":080650:030101: no driver; keystrokes: none",
        |bench| composite(bench, false),
    ),
    Case::new(
        "composite-open",
        "control: the same device at an open port",
        ":080650:030101: usb-storage usbhid, input; keystrokes: some",
        |bench| composite(bench, true),
    ),
    Case::new(
        "class-change",
        "key that comes back with a keyboard while it is read",
        "incomplete (unreadable), no tag; then :080650:030101: no driver",
        class_change,
    ),
];

/// What is bound to a device that nobody has let in.
fn closed(bench: &mut Bench, class: &str, make: impl FnOnce(&Path) -> Device) -> Result<String> {
    bench.open_ports(false)?;
    let device = make(&bench.folder());
    bench.plug(device)?;
    let seen = bench.device(&format!(":{class}"));
    bench.open_ports(true)?;
    seen
}

fn plug_hub(bench: &mut Bench) -> Result<()> {
    let medium = image(&bench.folder(), Format::Fat16, Layout::MbrPrimary, &letter());
    bench.plug(Device::hub("hub", "1"))?;
    bench.plug(Device::key("key", "1.1", &Backing::Image(medium)))?;
    bench.plug(Device::keyboard("kbd", "1.2"))
}

fn hub(bench: &mut Bench) -> Result<String> {
    bench.open_ports(false)?;
    plug_hub(bench)?;
    let seen = bench.device(":0900");
    bench.open_ports(true)?;
    seen
}

fn hub_open(bench: &mut Bench) -> Result<String> {
    plug_hub(bench)?;
    bench.disk()?;
    let seen = bench.device(":080650: usb-storage")?;
    bench.clear()?;
    let after = bench.devices()?;
    Ok(format!("{seen}; then {}", if after.is_empty() { "nothing" } else { &after }))
}

/// An image that the guest's own devices can show.
fn shared_image(bench: &mut Bench) -> Result<()> {
    let tree = letter().with("grand.bin", vec![b'x'; 6 << 20]);
    let medium = image(&bench.folder(), Format::Fat16, Layout::Superfloppy, &tree);
    let shared = bench.guest.share().join("gadget.img");
    fs::copy(&medium, &shared).map_err(Failure::file(&shared))?;
    bench.guest.run("cp /run/e2e/gadget.img /run/gadget.img; /run/e2e/guest/gadget ready")?;
    Ok(())
}

fn composite(bench: &mut Bench, open: bool) -> Result<String> {
    shared_image(bench)?;
    bench.open_ports(open)?;
    bench.guest.run("/run/e2e/guest/gadget plug composite /run/gadget.img")?;
    let wanted = if open { ":080650:030101: usb-storage usbhid" } else { ":080650:030101:" };
    let seen = bench.device(wanted);
    let keystrokes = bench.guest.run("/run/e2e/guest/gadget type");
    bench.guest.run("/run/e2e/guest/gadget pull composite")?;
    bench.open_ports(true)?;
    Ok(format!("{}; keystrokes: {}", seen?, keystrokes?.trim()))
}

fn class_change(bench: &mut Bench) -> Result<String> {
    shared_image(bench)?;
    bench.guest.run("/run/e2e/guest/gadget through /run/gadget.img 100")?;
    let disk = bench.disk()?;
    // What was let in stays; what comes from now on is judged first.
    bench.open_ports(false)?;
    let session = bench.begin(&disk)?;
    bench.read_behind(&disk, 2 << 20)?;
    let changed = "/run/e2e/guest/gadget pull storage; /run/e2e/guest/gadget plug composite /run/gadget.img";
    bench.guest.run(changed)?;
    let outcome = bench.end(&session)?;
    let seen = bench.device(":080650:030101:");
    bench.guest.run("/run/e2e/guest/gadget pull composite; /run/e2e/guest/gadget discard")?;
    bench.open_ports(true)?;
    Ok(format!("{}; then {}", outcome.words(), seen?))
}
