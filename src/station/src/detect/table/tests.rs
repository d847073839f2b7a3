#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::detect::simulated::descriptors_of;
use crate::detect::sysfs::of_descriptors;
use crate::detect::{DiskKind, Port};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A hub, two places behind it, another place whose name begins alike.
const PLACES: [&str; 4] = ["/d/usb1/1-1", "/d/usb1/1-1/1-1.2", "/d/usb1/1-1/1-1.3", "/d/usb1/1-11"];

fn device(place: &str, product: u16) -> UsbDevice {
    of_descriptors(DevPath(place.into()), Port(place.into()), &descriptors_of(0x0951, product, &[(8, 6, 0x50)]))
}

fn disk(place: &str, unit: u64, capacity: u64) -> Disk {
    Disk {
        path: DevPath(format!("{place}/host/block/sd{unit}")),
        device: Some(DevPath(place.into())),
        port: Some(Port(place.into())),
        node: "/dev/sdx".into(),
        number: 1,
        sequence: 1,
        capacity,
        read_only: false,
        kind: DiskKind::Disk,
        lun: unit,
        vendor: None,
        model: None,
    }
}

fn events(act: impl FnOnce(&mut Table, &mut VecDeque<Event>), table: &mut Table) -> Vec<Event> {
    let mut events = VecDeque::new();
    act(table, &mut events);
    events.into()
}

#[test]
fn a_hub_that_is_pulled_takes_disks_first_then_devices_from_the_outside_in() {
    let mut table = Table::default();
    let _ = events(
        |table, events| {
            for place in PLACES {
                table.device(1, device(place, 1), events);
            }
            table.disk(1, disk(PLACES[1], 0, 512), events);
            table.disk(1, disk(PLACES[3], 0, 512), events);
        },
        &mut table,
    );
    let gone = events(|table, events| table.gone(&DevPath(PLACES[0].into()), events), &mut table);
    assert_eq!(
        gone,
        [
            Event::DiskGone(disk(PLACES[1], 0, 0).path),
            Event::DeviceGone(DevPath(PLACES[2].into())),
            Event::DeviceGone(DevPath(PLACES[1].into())),
            Event::DeviceGone(DevPath(PLACES[0].into())),
        ]
    );
    assert!(table.knows(&DevPath(PLACES[3].into())), "1-11 is not below 1-1");
}

#[test]
fn an_identical_device_at_the_same_place_is_another_one() {
    let mut table = Table::default();
    let _ = events(|table, events| table.device(1, device(PLACES[0], 1), events), &mut table);
    let _ = events(|table, events| table.disk(1, disk(PLACES[0], 0, 512), events), &mut table);
    let seen = events(|table, events| table.device(2, device(PLACES[0], 1), events), &mut table);
    assert!(matches!(seen.as_slice(), [Event::DiskGone(_), Event::DeviceGone(_), Event::DeviceArrived(_)]), "{seen:?}");
}

#[test]
fn the_protection_that_the_station_sets_itself_is_no_news() {
    let mut table = Table::default();
    let _ = events(|table, events| table.device(1, device(PLACES[0], 1), events), &mut table);
    let _ = events(|table, events| table.disk(1, disk(PLACES[0], 0, 512), events), &mut table);
    let protected = Disk { read_only: true, ..disk(PLACES[0], 0, 512) };
    assert_eq!(events(|table, events| table.disk(1, protected, events), &mut table), []);
}

#[test]
fn a_card_is_not_called_locked_because_the_one_before_it_was() {
    for locked in [false, true] {
        let mut table = Table::default();
        let _ = events(|table, events| table.device(1, device(PLACES[0], 1), events), &mut table);
        let first = Disk { read_only: locked, ..disk(PLACES[0], 0, 512) };
        let seen = events(|table, events| table.disk(1, first.clone(), events), &mut table);
        assert_eq!(seen, [Event::DiskArrived(first)], "the lock of a card, or of a key, is told");
        // No card, and then another: the kernel goes on saying what the station set.
        for (sequence, capacity) in [(2, 0), (3, 1024)] {
            let next = Disk { sequence, ..disk(PLACES[0], 0, capacity) };
            let told = Disk { read_only: true, ..next.clone() };
            let seen = events(|table, events| table.disk(1, told, events), &mut table);
            assert_eq!(seen, [Event::DiskChanged(next)]);
        }
    }
}

#[test]
fn ten_thousand_devices_are_bounded_and_those_without_room_come_when_there_is_some() {
    let mut table = Table::default();
    let place = |number: usize| format!("/d/usb1/1-{number}");
    let seen = events(
        |table, events| (1..=10_000).for_each(|number| table.device(1, device(&place(number), 1), events)),
        &mut table,
    );
    assert_eq!(seen.len(), MOST);
    assert!(!table.has_room_again());
    let none = events(|table, events| table.disk(1, disk(&place(9_999), 0, 512), events), &mut table);
    assert_eq!(none, []);
    let _ = events(|table, events| table.gone(&DevPath(place(1)), events), &mut table);
    assert!(table.has_room_again());
    let seen = events(|table, events| table.device(1, device(&place(9_999), 1), events), &mut table);
    assert!(matches!(seen.as_slice(), [Event::DeviceArrived(_)]));
}

/// What may happen at a place.
#[derive(Clone, Debug)]
enum Act {
    Device(usize, Generation, u16),
    Disk(usize, u64, u64),
    Gone(usize),
    Sweep(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let place = 0..PLACES.len();
    prop_oneof![
        (place.clone(), 0..3_u64, 0..3_u16)
            .prop_map(|(place, generation, product)| Act::Device(place, generation, product)),
        (place.clone(), 0..3_u64, 0..3_u64).prop_map(|(place, unit, capacity)| Act::Disk(place, unit, capacity)),
        place.clone().prop_map(Act::Gone),
        place.prop_map(Act::Sweep),
    ]
}

/// Follows events as a session would, and stops at one that makes no sense.
#[derive(Default)]
struct Witness {
    devices: BTreeSet<DevPath>,
    disks: BTreeSet<DevPath>,
}

impl Witness {
    fn see(&mut self, event: &Event) {
        match event {
            Event::DeviceArrived(device) => assert!(self.devices.insert(device.path.clone()), "twice: {event:?}"),
            Event::DeviceChanged(device) => assert!(self.devices.contains(&device.path), "unknown: {event:?}"),
            Event::DeviceGone(path) => {
                assert!(self.devices.remove(path), "unknown: {event:?}");
                let below = |other: &&DevPath| other.0.starts_with(&format!("{path}/"));
                assert!(!self.disks.iter().any(|disk| below(&disk)), "its disks are still there: {event:?}");
                assert!(!self.devices.iter().any(|device| below(&device)), "devices behind it are there: {event:?}");
            }
            Event::DiskArrived(disk) => {
                assert!(self.disks.insert(disk.path.clone()), "twice: {event:?}");
                assert!(
                    disk.device.as_ref().is_none_or(|device| self.devices.contains(device)),
                    "no device: {event:?}"
                );
            }
            Event::DiskChanged(disk) => assert!(self.disks.contains(&disk.path), "unknown: {event:?}"),
            Event::DiskGone(path) => assert!(self.disks.remove(path), "unknown: {event:?}"),
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_seen_in_whatever_order_the_events_tell_one_story(acts in proptest::collection::vec(act(), 0..60)) {
        let (mut table, mut witness) = (Table::default(), Witness::default());
        for act in acts {
            let mut events = VecDeque::new();
            match act {
                Act::Device(place, generation, product) => {
                    table.device(generation, device(PLACES[place], product), &mut events);
                }
                Act::Disk(place, unit, capacity) => table.disk(1, disk(PLACES[place], unit, capacity), &mut events),
                Act::Gone(place) => table.gone(&DevPath(PLACES[place].into()), &mut events),
                Act::Sweep(place) => table.sweep(|path, _| path.0 != PLACES[place], &mut events),
            }
            events.iter().for_each(|event| witness.see(event));
        }
    }
}
