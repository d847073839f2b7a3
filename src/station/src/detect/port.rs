//! The name of a socket, from the place of what is plugged into it.
//!
//! udev's `path_id` (ID_PATH) computes the same from the same place. It is computed here for the buses that stations have,
//! so that a port has its name also when no rule has run yet; for any other bus ID_PATH is taken, else the place itself.

use super::{DevPath, Port};

/// The socket of a USB device; `id_path` is what udev says, if anything.
pub(super) fn of_device(path: &DevPath, id_path: Option<String>) -> Port {
    Port(computed(&path.0).or(id_path).unwrap_or_else(|| path.0.clone()))
}

/// See `path_id` in systemd, `handle_usb` and its callers: `pci-0000:00:14.0-usb-0:1.2`, `platform-dummy_hcd.0-usb-0:1`.
fn computed(path: &str) -> Option<String> {
    let mut parts = path.strip_prefix("/devices/")?.split('/');
    let root = parts.next()?;
    let (controller, bus) = parts.clone().zip(parts.clone().skip(1)).find(|(_, next)| is_bus(next))?;
    let device = parts.next_back()?;
    let (number, chain) = device.split_once('-')?;
    if bus.strip_prefix("usb") != Some(number) || !is_chain(chain) {
        return None;
    }
    match root {
        "platform" if !path.contains("/pci") => Some(format!("platform-{controller}-usb-0:{chain}")),
        _ if root.starts_with("pci") && is_function(controller) => Some(format!("pci-{controller}-usb-0:{chain}")),
        _ => None,
    }
}

/// `usb3`: the root hub of a bus.
pub(crate) fn is_bus(name: &str) -> bool {
    name.strip_prefix("usb").is_some_and(is_number)
}

/// `1-4.2`, below a root hub: a device (kernel: Documentation/driver-api/usb/usb.rst). `1-4.2:1.0` is an interface.
pub(super) fn is_device(name: &str) -> bool {
    name.split_once('-').is_some_and(|(bus, chain)| is_number(bus) && is_chain(chain))
}

fn is_chain(text: &str) -> bool {
    text.split('.').all(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `0000:00:14.0`: domain, bus, device, function.
fn is_function(name: &str) -> bool {
    name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.')
}

/// The USB device that something belongs to: the last device below a root hub on the way to it.
pub(super) fn usb_ancestor(path: &DevPath) -> Option<DevPath> {
    let mut below_bus = false;
    let mut found = None;
    let mut end = 0_usize;
    for part in path.0.split('/') {
        end = end.saturating_add(part.len());
        below_bus |= is_bus(part);
        if below_bus && is_device(part) {
            found = path.0.get(..end).map(|place| DevPath(place.to_owned()));
        }
        end = end.saturating_add(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEHIND_HUB: &str = "/devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2";

    #[test]
    fn a_port_is_named_as_udev_names_it() {
        for (path, id_path) in [
            ("/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/usb3/3-1", "pci-0000:02:00.0-usb-0:1"),
            (BEHIND_HUB, "pci-0000:00:14.0-usb-0:4.2"),
            ("/devices/platform/dummy_hcd.0/usb3/3-1", "platform-dummy_hcd.0-usb-0:1"),
            ("/devices/platform/soc/3f980000.usb/usb1/1-1/1-1.3", "platform-3f980000.usb-usb-0:1.3"),
        ] {
            assert_eq!(of_device(&DevPath(path.into()), None), Port(id_path.into()));
        }
    }

    #[test]
    fn a_port_on_another_bus_has_the_name_that_udev_gives() {
        let path = DevPath("/devices/platform/scb/fd500000.pcie/pci0000:00/0000:01:00.0/usb1/1-1".into());
        let udev = "platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1";
        assert_eq!(of_device(&path, Some(udev.into())), Port(udev.into()));
        assert_eq!(of_device(&path, None), Port(path.0));
    }

    #[test]
    fn the_device_of_a_disk_is_the_nearest_one() {
        let disk = format!("{BEHIND_HUB}/1-4.2:1.0/host6/target6:0:0/6:0:0:1/block/sdb");
        assert_eq!(usb_ancestor(&DevPath(disk)), Some(DevPath(BEHIND_HUB.into())));
        for other in
            ["/devices/virtual/block/loop0", "/devices/pci0000:00/i2c-0/0-0050/block/x", "", "/", "usb1", "1-1"]
        {
            assert_eq!(usb_ancestor(&DevPath(other.into())), None);
        }
    }
}
