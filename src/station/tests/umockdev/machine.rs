//! Devices as the kernel and udev show them, on a pretended machine.

use super::testbed::Testbed;
use blanche_station::detect::{DetectError, Event, Source, Udev};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::Duration;

/// Where the machine's sockets are.
const CONTROLLER: &str = "pci0000:00/0000:00:14.0";

/// How long a quiet source is waited for.
const QUIET: Duration = Duration::from_millis(50);

pub(crate) struct Machine {
    pub(crate) bed: Testbed,
    pub(crate) bus: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let bed = Testbed::new();
        let controller = bed.add("pci", CONTROLLER, None, &[], &[]);
        let bus = bed.add("usb", "usb1", Some(&controller), &[("idVendor", "1d6b")], &[("DEVTYPE", "usb_device")]);
        Self { bed, bus }
    }

    /// A device with these descriptors, without interfaces, as it is before it is authorised.
    pub(crate) fn device(&self, parent: &str, name: &str, descriptors: &[u8]) -> String {
        let attributes =
            [("idVendor", "0951"), ("idProduct", "1666"), ("serial", "S1\n"), ("product", "DataTraveler\n")];
        let place = self.bed.add("usb", name, Some(parent), &attributes, &[("DEVTYPE", "usb_device")]);
        self.bed.set_bytes(&place, "descriptors", descriptors);
        self.bed.set(&place, "bConfigurationValue", "1\n");
        place
    }

    /// One of its interfaces.
    pub(crate) fn interface(&self, device: &str, number: u8, (class, subclass, protocol): (u8, u8, u8)) -> String {
        let name = format!("{}:1.{number}", device.rsplit('/').next().unwrap());
        let [number, class, subclass, protocol] =
            [number, class, subclass, protocol].map(|byte| format!("{byte:02x}\n"));
        let attributes = [
            ("bInterfaceNumber", number.as_str()),
            ("bAlternateSetting", " 0\n"),
            ("bInterfaceClass", &class),
            ("bInterfaceSubClass", &subclass),
            ("bInterfaceProtocol", &protocol),
        ];
        self.bed.add("usb", &name, Some(device), &attributes, &[("DEVTYPE", "usb_interface")])
    }

    /// A disk of this many sectors on one of its interfaces.
    pub(crate) fn disk(&self, interface: &str, address: &str, name: &str, sectors: u64) -> String {
        let target =
            self.bed.add("scsi", address, Some(interface), &[("vendor", "Kingston\n"), ("model", "DT 3.0 \n")], &[]);
        let node = format!("/dev/{name}");
        let (size, properties) =
            (format!("{sectors}\n"), [("DEVTYPE", "disk"), ("DEVNAME", &*node), ("MAJOR", "8"), ("MINOR", "16")]);
        let attributes = [("size", size.as_str()), ("ro", "0\n"), ("removable", "1\n"), ("diskseq", "7\n")];
        let place = self.bed.add("block", name, Some(&target), &attributes, &properties);
        self.bed.set(&target, "type", if name.starts_with("sr") { "5\n" } else { "0\n" });
        self.bed.set_link(&place, "device", "..");
        place
    }
}

/// Everything that comes until it is quiet.
pub(crate) fn all(source: &mut Udev) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        match source.next(QUIET) {
            Ok(Some(event)) => events.push(event),
            // Whoever was kept from listening for so long has not heard everything yet.
            Ok(None) if is_heard_of(source) => {}
            Ok(None) => return events,
            Err(DetectError::Udev(error)) => panic!("{error}"),
            Err(DetectError::Ended(why)) => panic!("{why}"),
        }
    }
}

/// Whether something waits to be heard.
fn is_heard_of(source: &Udev) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(source, PollFlags::IN)], Some(&now)).unwrap() > 0
}

/// One letter for each event: A(rrived), C(hanged), G(one); small for disks.
pub(crate) fn story(events: &[Event]) -> String {
    let letter = |event: &Event| match event {
        Event::DeviceArrived(_) => 'A',
        Event::DeviceChanged(_) => 'C',
        Event::DeviceGone(_) => 'G',
        Event::DiskArrived(_) => 'a',
        Event::DiskChanged(_) => 'c',
        Event::DiskGone(_) => 'g',
    };
    events.iter().map(letter).collect()
}
