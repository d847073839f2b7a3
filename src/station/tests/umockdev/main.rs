//! The source of udev's events on a machine that umockdev pretends: no root, no udevd, no hardware.
//!
//! umockdev stands between this process and its C library, so it has to be loaded first: the program starts itself again
//! by `umockdev-wrapper`. There is one pretended machine at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod machine;
mod testbed;

use blanche_station::detect::simulated::descriptors_of;
use blanche_station::detect::{DiskKind, Event, Port, Source, Udev};
use libtest_mimic::{Arguments, Trial};
use machine::{Machine, all, story};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

const STORAGE: (u8, u8, u8) = (8, 6, 0x50);
const KEYBOARD: (u8, u8, u8) = (3, 1, 1);
const HUB: (u8, u8, u8) = (9, 0, 0);

macro_rules! trial {
    ($name:ident) => {
        Trial::test(stringify!($name), || {
            $name();
            Ok(())
        })
    };
}
fn main() -> ExitCode {
    let loaded = std::env::var("LD_PRELOAD").is_ok_and(|libraries| libraries.contains("umockdev"));
    if !loaded {
        let program = std::env::current_exe().expect("this program");
        let error = Command::new("umockdev-wrapper").arg(program).args(std::env::args_os().skip(1)).exec();
        panic!("umockdev-wrapper: {error}; install the package umockdev");
    }
    let trials = [
        trial!(what_is_there_at_the_start_and_what_comes_meanwhile_is_told_once),
        trial!(a_key_is_told_with_its_port_descriptors_and_disk),
        trial!(repeated_events_tell_nothing),
        trial!(a_key_that_is_pulled_takes_its_disks_first),
        trial!(a_hub_that_is_pulled_takes_everything_behind_it),
        trial!(cards_are_told_when_they_come_and_go),
        trial!(a_drive_is_empty_until_a_disc_is_in_it),
        trial!(every_unit_of_a_reader_is_a_disk),
        trial!(an_interface_that_the_descriptors_do_not_show_is_told),
        trial!(other_descriptors_at_the_same_place_are_told),
        trial!(broken_descriptors_make_a_device_without_interfaces),
        trial!(disks_of_the_machine_itself_are_no_media),
        trial!(what_vanishes_without_an_event_is_told_when_it_is_quiet),
        trial!(a_thousand_changes_that_change_nothing_tell_nothing),
        trial!(more_devices_than_are_followed_come_when_there_is_room),
    ];
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// A key with one disk, ready.
fn key(machine: &Machine, parent: &str, name: &str, disk: &str) -> (String, String) {
    let device = machine.device(parent, name, &descriptors_of(0x0951, 0x1666, &[STORAGE]));
    let interface = machine.interface(&device, 0, STORAGE);
    // A SCSI host of its own for each.
    let host = disk.bytes().map(u32::from).sum::<u32>();
    let disk = machine.disk(&interface, &format!("{host}:0:0:0"), disk, 2048);
    (device, disk)
}

fn what_is_there_at_the_start_and_what_comes_meanwhile_is_told_once() {
    let machine = Machine::new();
    key(&machine, &machine.bus, "1-1", "sda");
    let mut source = Udev::listen().unwrap();
    // This one is announced by events that wait while the first is told.
    key(&machine, &machine.bus, "1-2", "sdb");
    assert_eq!(story(&all(&mut source)), "AaAa");
}

fn a_key_is_told_with_its_port_descriptors_and_disk() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    assert_eq!(all(&mut source), [], "a root hub is no device that was plugged in");
    let (device_place, disk_place) = key(&machine, &machine.bus, "1-4.2", "sdb");
    let events = all(&mut source);
    let [Event::DeviceArrived(device), Event::DiskArrived(disk)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(format!("/sys{}", device.path), device_place);
    assert_eq!(device.port, Port("pci-0000:00:14.0-usb-0:4.2".into()));
    assert_eq!((device.vendor, device.product, device.serial.as_deref()), (0x0951, 0x1666, Some("S1")));
    assert_eq!(device.interfaces.as_ref().map(Vec::len), Some(1));
    assert_eq!(format!("/sys{}", disk.path), disk_place);
    assert_eq!((disk.device.as_ref(), disk.port.as_ref()), (Some(&device.path), Some(&device.port)));
    assert_eq!((disk.capacity, disk.sequence, disk.lun, disk.kind), (2048 * 512, 7, 0, DiskKind::Disk));
    assert_eq!((disk.node.to_str(), disk.number), (Some("/dev/sdb"), rustix::fs::makedev(8, 16)));
    assert_eq!((disk.vendor.as_deref(), disk.model.as_deref()), (Some("Kingston"), Some("DT 3.0")));
}

fn repeated_events_tell_nothing() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let (device, disk) = key(&machine, &machine.bus, "1-1", "sdb");
    for (place, action) in [(&disk, "change"), (&disk, "add"), (&device, "bind"), (&device, "change"), (&device, "add")]
    {
        machine.bed.event(place, action);
    }
    assert_eq!(story(&all(&mut source)), "Aa");
}

fn a_key_that_is_pulled_takes_its_disks_first() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let (device, disk) = key(&machine, &machine.bus, "1-1", "sdb");
    assert_eq!(story(&all(&mut source)), "Aa");
    // The kernel would tell of the disk first; even if that is lost, the disk goes first.
    machine.bed.event(&device, "remove");
    let events = all(&mut source);
    assert_eq!(story(&events), "gG");
    assert!(matches!(&events[0], Event::DiskGone(path) if format!("/sys{path}") == disk));
    // The disk's own event comes late, and finds nothing.
    machine.bed.event(&disk, "remove");
    assert_eq!(all(&mut source), []);
}

fn a_hub_that_is_pulled_takes_everything_behind_it() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let hub = machine.device(&machine.bus, "1-1", &descriptors_of(0x0951, 0x1666, &[HUB]));
    key(&machine, &hub, "1-1.1", "sdb");
    key(&machine, &hub, "1-1.2", "sdc");
    key(&machine, &machine.bus, "1-11", "sdd");
    assert_eq!(story(&all(&mut source)), "AAaAaAa");
    machine.bed.event(&hub, "remove");
    assert_eq!(story(&all(&mut source)), "ggGGG");
}

fn cards_are_told_when_they_come_and_go() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let (_, disk) = key(&machine, &machine.bus, "1-1", "sdb");
    machine.bed.set(&disk, "size", "0\n");
    let events = all(&mut source);
    assert!(matches!(&events[1], Event::DiskArrived(disk) if disk.capacity == 0), "{events:?}");
    for (size, sequence) in [("4096\n", "8\n"), ("4096\n", "9\n"), ("0\n", "10\n")] {
        machine.bed.set(&disk, "size", size);
        machine.bed.set(&disk, "diskseq", sequence);
        machine.bed.event(&disk, "change");
        let events = all(&mut source);
        let [Event::DiskChanged(disk)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(disk.capacity, size.trim().parse::<u64>().unwrap() * 512);
    }
}

fn a_drive_is_empty_until_a_disc_is_in_it() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let (_, drive) = key(&machine, &machine.bus, "1-1", "sr0");
    let events = all(&mut source);
    let is_empty = |disk: &blanche_station::detect::Disk| disk.kind == DiskKind::Optical && disk.capacity == 0;
    assert!(matches!(&events[1], Event::DiskArrived(disk) if is_empty(disk)), "{events:?}");
    machine.bed.set_property(&drive, "ID_CDROM_MEDIA", "1");
    machine.bed.event(&drive, "change");
    let events = all(&mut source);
    assert!(matches!(events.as_slice(), [Event::DiskChanged(disk)] if disk.capacity == 2048 * 512), "{events:?}");
}

fn every_unit_of_a_reader_is_a_disk() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let device = machine.device(&machine.bus, "1-1", &descriptors_of(0x0951, 0x1666, &[STORAGE]));
    let interface = machine.interface(&device, 0, STORAGE);
    for unit in 0..4 {
        machine.disk(&interface, &format!("6:0:0:{unit}"), &format!("sd{unit}"), 0);
    }
    let events = all(&mut source);
    let units: Vec<u64> = events
        .iter()
        .filter_map(|event| if let Event::DiskArrived(disk) = event { Some(disk.lun) } else { None })
        .collect();
    assert_eq!(units, [0, 1, 2, 3]);
}

fn an_interface_that_the_descriptors_do_not_show_is_told() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let (device, _) = key(&machine, &machine.bus, "1-1", "sdb");
    assert_eq!(story(&all(&mut source)), "Aa");
    machine.interface(&device, 1, KEYBOARD);
    let events = all(&mut source);
    assert!(matches!(events.as_slice(), [Event::DeviceChanged(device)] if device.interfaces.is_none()), "{events:?}");
}

fn other_descriptors_at_the_same_place_are_told() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let device = machine.device(&machine.bus, "1-1", &descriptors_of(0x0951, 0x1666, &[STORAGE]));
    assert_eq!(story(&all(&mut source)), "A");
    machine.bed.set_bytes(&device, "descriptors", &descriptors_of(0x0951, 0x1666, &[STORAGE, KEYBOARD]));
    machine.bed.event(&device, "change");
    let events = all(&mut source);
    let two = |device: &blanche_station::detect::UsbDevice| device.interfaces.as_ref().map(Vec::len) == Some(2);
    assert!(matches!(events.as_slice(), [Event::DeviceChanged(device)] if two(device)), "{events:?}");
}

fn broken_descriptors_make_a_device_without_interfaces() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let good = descriptors_of(0x0951, 0x1666, &[STORAGE]);
    machine.device(&machine.bus, "1-1", &good[..good.len() - 1]);
    machine.device(&machine.bus, "1-2", &descriptors_of(0x1234, 0x1666, &[STORAGE]));
    machine.device(&machine.bus, "1-3", &vec![0; 1 << 20]);
    let events = all(&mut source);
    assert_eq!(events.len(), 3);
    for event in events {
        assert!(matches!(&event, Event::DeviceArrived(device) if device.interfaces.is_none()), "{event:?}");
    }
}

fn disks_of_the_machine_itself_are_no_media() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let disk = |name: &str, parent: &str, removable: &str, bus: &str| {
        let node = format!("/dev/{name}");
        let properties = [
            ("DEVTYPE", "disk"),
            ("DEVNAME", &*node),
            ("MAJOR", "259"),
            ("MINOR", "1"),
            ("ID_BUS", bus),
            ("ID_PATH", "slot"),
        ];
        machine.bed.add("block", name, Some(parent), &[("size", "8\n"), ("removable", removable)], &properties)
    };
    let nvme = machine.bed.add("nvme", "nvme0", None, &[], &[]);
    let virtual_ = machine.bed.add("virtual", "virtual", None, &[], &[]);
    disk("nvme0n1", &nvme, "0\n", "");
    disk("loop3", &virtual_, "1\n", "");
    assert_eq!(all(&mut source), []);
    disk("sdz", &nvme, "1\n", "");
    disk("loop4", &virtual_, "0\n", "usb");
    let events = all(&mut source);
    assert_eq!(story(&events), "aa");
    let Event::DiskArrived(slot) = &events[0] else { panic!("{events:?}") };
    assert_eq!((slot.device.as_ref(), slot.port.as_ref()), (None, Some(&Port("slot".into()))));
}

fn what_vanishes_without_an_event_is_told_when_it_is_quiet() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let (device, _) = key(&machine, &machine.bus, "1-1", "sdb");
    assert_eq!(story(&all(&mut source)), "Aa");
    testbed::Testbed::vanish(&device);
    assert_eq!(story(&all(&mut source)), "gG");
}

fn a_thousand_changes_that_change_nothing_tell_nothing() {
    let machine = Machine::new();
    let mut source = Udev::listen().unwrap();
    let (device, disk) = key(&machine, &machine.bus, "1-1", "sdb");
    assert_eq!(story(&all(&mut source)), "Aa");
    for _ in 0..500 {
        machine.bed.event(&disk, "change");
        assert_eq!(source.next(Duration::ZERO).unwrap(), None);
        machine.bed.event(&device, "change");
        assert_eq!(source.next(Duration::ZERO).unwrap(), None);
    }
}

fn more_devices_than_are_followed_come_when_there_is_room() {
    let machine = Machine::new();
    let descriptors = descriptors_of(0x0951, 0x1666, &[STORAGE]);
    let places: Vec<String> =
        (1..=514).map(|number| machine.device(&machine.bus, &format!("1-{number}"), &descriptors)).collect();
    let mut source = Udev::listen().unwrap();
    assert_eq!(story(&all(&mut source)), "A".repeat(512));
    let Some(followed) = places.first() else { panic!("no place") };
    machine.bed.remove(followed);
    let events = all(&mut source);
    assert_eq!(story(&events), "GA");
    let Event::DeviceArrived(arrived) = &events[1] else { panic!("{events:?}") };
    assert!(places.contains(&format!("/sys{}", arrived.path)) && arrived.path.0 != followed[4..], "{arrived:?}");
}
