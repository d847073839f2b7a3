//! Devices that are no plain storage, at ports that are closed until somebody has judged what is plugged in (security rule 6).

use super::Case;
use super::media::letter;
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use crate::station::Session;
use blanche_tests::{Format, Layout, image};
use std::fs;
use std::path::Path;

pub(super) const CASES: &[Case] = &[
    Case::new("keyboard", "keyboard", "refused (not-storage); :030101: no driver", |bench| {
        closed(bench, |_| Device::keyboard("kbd", "1"))
    }),
    Case::new("serial", "serial adapter", "refused (not-storage); :ffffff: no driver", |bench| {
        closed(bench, |_| Device::serial("line", "1"))
    }),
    Case::new("network", "network adapter", "refused (not-storage); :0202ff:0a0000:020600: no driver", |bench| {
        closed(bench, |_| Device::network("net", "1"))
    }),
    Case::new("phone", "phone, MTP", "refused (not-storage); :060101: no driver", |bench| {
        closed(bench, |folder| Device::phone("phone", "1", folder))
    }),
    Case::new("hub", "hub with a key and a keyboard behind it", "refused (hub); :090000: no driver", hub),
    Case::control(
        "hub-open",
        "control: the same hub at an open port, pulled out at the end",
        ":030101: usbhid, :080650: usb-storage, :090000: hub, input; then nothing",
        hub_open,
    ),
    Case::new(
        "composite",
        "storage and keyboard in one device",
        "refused (composite); :080650:030101: no driver; keystrokes: none",
        composite,
    ),
    Case::control(
        "composite-open",
        "control: the same device at an open port",
        ":080650:030101: usb-storage usbhid, input; keystrokes: some",
        composite_open,
    ),
    Case::new(
        "class-change",
        "key that comes back with a keyboard while it is read",
        "incomplete (removed), no tag; then refused (composite); :080650:030101: no driver; keystrokes: none",
        class_change,
    ),
];

/// What the station says of a device, and what is bound to it.
fn closed(bench: &mut Bench, make: impl FnOnce(&Path) -> Device) -> Result<String> {
    let device = make(&bench.folder());
    let outcome = bench.check(device)?;
    Ok(format!("{}; {}", outcome.words(), bench.devices()?))
}

fn plug_hub(bench: &mut Bench) -> Result<()> {
    let medium = image(&bench.folder(), Format::Fat16, Layout::MbrPrimary, &letter());
    bench.plug(Device::hub("hub", "1"))?;
    bench.plug(Device::key("key", "1.1", &Backing::Image(medium)))?;
    bench.plug(Device::keyboard("kbd", "1.2"))
}

fn hub(bench: &mut Bench) -> Result<String> {
    let session = bench.arrival(plug_hub)?;
    let outcome = bench.end(&session)?;
    Ok(format!("{}; {}", outcome.words(), bench.devices()?))
}

fn hub_open(bench: &mut Bench) -> Result<String> {
    plug_hub(bench)?;
    bench.disk()?;
    let seen = bench.with_devices(&[":080650: usb-storage", ":030101: usbhid", "input"])?;
    bench.clear()?;
    let after = bench.devices()?;
    Ok(format!("{seen}; then {}", if after.is_empty() { "nothing" } else { &after }))
}

/// An image that the guest's own devices can show; slowly, it is read for longer than anything takes that is done
/// meanwhile.
fn shared_image(bench: &mut Bench) -> Result<()> {
    let tree = letter().with("grand.bin", vec![b'x'; 16 << 20]);
    let medium = image(&bench.folder(), Format::Fat16, Layout::Superfloppy, &tree);
    let shared = bench.guest.share().join("gadget.img");
    fs::copy(&medium, &shared).map_err(Failure::file(&shared))?;
    bench.guest.run("cp /run/e2e/gadget.img /run/gadget.img; /run/e2e/guest/gadget ready")?;
    Ok(())
}

const PLUG: &str = "/run/e2e/guest/gadget plug composite /run/gadget.img";
const PULL: &str = "/run/e2e/guest/gadget pull composite";

fn composite(bench: &mut Bench) -> Result<String> {
    shared_image(bench)?;
    let session = bench.arrival(|bench| bench.guest.run(PLUG).map(drop))?;
    refused(bench, &session)
}

/// What came of the guest's own composite device, with what its keyboard could do.
fn refused(bench: &mut Bench, session: &Session) -> Result<String> {
    let outcome = bench.end(session)?;
    let seen = bench.devices()?;
    let keystrokes = bench.guest.run("/run/e2e/guest/gadget type")?;
    bench.guest.run(PULL)?;
    Ok(format!("{}; {seen}; keystrokes: {}", outcome.words(), keystrokes.trim()))
}

fn composite_open(bench: &mut Bench) -> Result<String> {
    shared_image(bench)?;
    // Its controller came after the others were opened.
    bench.open_ports(true)?;
    bench.guest.run(PLUG)?;
    let seen = bench.with_devices(&[":080650:030101: usb-storage usbhid", "input"])?;
    let keystrokes = bench.guest.run("/run/e2e/guest/gadget type")?;
    bench.guest.run(PULL)?;
    Ok(format!("{seen}; keystrokes: {}", keystrokes.trim()))
}

fn class_change(bench: &mut Bench) -> Result<String> {
    shared_image(bench)?;
    let through = "/run/e2e/guest/gadget through /run/gadget.img 100";
    let session = bench.arrival(|bench| bench.guest.run(through).map(drop))?;
    bench.read_behind(&session.disk, 2 << 20)?;
    let changed = format!("/run/e2e/guest/gadget pull storage; {PLUG}");
    let second = bench.arrival(|bench| bench.guest.run(&changed).map(drop))?;
    let outcome = bench.end(&session)?;
    let then = refused(bench, &second)?;
    bench.guest.run("/run/e2e/guest/gadget discard")?;
    Ok(format!("{}; then {then}", outcome.words()))
}
