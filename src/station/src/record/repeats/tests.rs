//! What a device that comes again and again leaves in the journal.

use super::*;
use crate::admit::Role;
use crate::detect::{Disk, DiskKind, Port};
use crate::session::view::{MediumView, SessionView};

fn device(port: &str, descriptors: u8) -> UsbDevice {
    UsbDevice {
        path: DevPath(format!("/devices/usb1/{port}")),
        port: Port(port.into()),
        vendor: 1,
        product: 2,
        release: 0,
        class: 0,
        manufacturer: None,
        name: None,
        serial: None,
        interfaces: None,
        descriptors: [descriptors; 32],
    }
}

fn session(port: &str, state: State) -> SessionView {
    SessionView::new(state, MediumView { port: port.into(), ..MediumView::default() })
}

/// Everything that the machine says of a device that is refused and pulled out: how much of it is recorded.
fn refused(repeats: &mut Repeats, device: &UsbDevice, now: Instant) -> usize {
    refused_for(repeats, device, DeviceRefusal::Malformed, now)
}

fn refused_for(repeats: &mut Repeats, device: &UsbDevice, why: DeviceRefusal, now: Instant) -> usize {
    let view = session(&device.port.0, State::Refused);
    let entries = [
        Entry::Judged(Box::new(device.clone()), Decision::Refuse(why)),
        Entry::Opened(Box::new(view.clone())),
        Entry::Concluded(Box::new(view.clone())),
        Entry::Entered(view.id, State::Removed),
    ];
    entries.iter().filter(|entry| repeats.is_recorded(entry, now)).count()
}

fn after(start: Instant, seconds: u64) -> Instant {
    start.checked_add(Duration::from_secs(seconds)).unwrap_or(start)
}

#[test]
fn the_first_are_recorded_in_full_and_of_the_rest_the_number() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    let device = device("1-1", 0);
    let recorded: Vec<usize> = (0..1000).map(|_| refused(&mut repeats, &device, start)).collect();
    assert!(recorded[..FIRST as usize].iter().all(|count| *count == 4), "nothing of the first is lost");
    assert!(recorded[FIRST as usize..].iter().all(|count| *count == 0), "all or nothing of one arrival");
    assert!(repeats.due(after(start, 299), false).is_empty());
    let counts = repeats.due(after(start, 300), false);
    let [count] = counts.as_slice() else { unreachable!("{counts:?}") };
    assert_eq!((count.refusals, count.admissions, count.time.as_secs()), (1000 - u64::from(FIRST), 0, 300));
    assert!(repeats.due(after(start, 301), true).is_empty(), "told once");
}

#[test]
fn what_goes_on_for_ever_costs_one_record_each_window_and_what_stops_is_forgotten() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    let device = device("1-1", 0);
    let (mut full, mut counts) = (0, 0);
    for second in 0..24 * 3600 {
        full += refused(&mut repeats, &device, after(start, second));
        counts += repeats.due(after(start, second), false).len();
    }
    assert_eq!((full, counts), (4 * FIRST as usize, 24 * 3600 / 300 - 1));
    for minute in 0..20 {
        repeats.due(after(start, 25 * 3600 + 60 * minute), false);
    }
    assert!(repeats.0.is_empty());
    assert_eq!(refused(&mut repeats, &device, after(start, 30 * 3600)), 4);
}

#[test]
fn another_device_in_the_same_socket_and_any_device_in_another_one_are_recorded() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    for _ in 0..100 {
        refused(&mut repeats, &device("1-1", 0), start);
    }
    assert_eq!(refused(&mut repeats, &device("1-1", 1), start), 4);
    assert_eq!(refused(&mut repeats, &device("1-2", 0), start), 4);
    // But not one more with each arrival: descriptors cost an attacker nothing.
    let full = (0..=255).filter(|number| refused(&mut repeats, &device("1-1", *number), start) > 0).count();
    assert!(full < DEVICES, "{full}");
}

#[test]
fn sessions_of_media_that_were_admitted_are_always_recorded() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    let (device, mut recorded) = (device("1-1", 0), 0);
    for _ in 0..100 {
        repeats.is_recorded(&Entry::Judged(Box::new(device.clone()), Decision::Admit(Role::Input)), start);
        let view = session("1-1", State::Queued);
        let entries = [
            Entry::Opened(Box::new(view.clone())),
            Entry::Concluded(Box::new(view.clone())),
            Entry::Entered(view.id, State::Removed),
        ];
        recorded += entries.iter().filter(|entry| repeats.is_recorded(entry, start)).count();
    }
    assert_eq!(recorded, 300);
    let [count] = &repeats.due(start, true)[..] else { unreachable!("one socket") };
    assert_eq!((count.refusals, count.admissions), (0, 100 - u64::from(FIRST)));
}

#[test]
fn made_up_sockets_cost_a_bounded_amount_of_memory() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    for number in 0..3 * SOCKETS {
        assert_eq!(refused(&mut repeats, &device(&format!("p{number}"), 0), start), 4);
    }
    assert_eq!(repeats.0.len(), SOCKETS);
}

fn stray(device: &UsbDevice) -> Entry {
    Entry::Stray(Box::new(Disk {
        path: DevPath(format!("{}/block/sda", device.path)),
        device: Some(device.path.clone()),
        port: Some(device.port.clone()),
        node: "/dev/sda".into(),
        number: 2048,
        sequence: 1,
        capacity: 1 << 20,
        read_only: false,
        kind: DiskKind::Disk,
        lun: 0,
        vendor: None,
        model: None,
    }))
}

#[test]
fn an_alarm_is_recorded_whatever_came_before_it_and_alarms_have_a_limit_of_their_own() {
    let (mut repeats, start) = (Repeats::default(), Instant::now());
    for number in 0..=255 {
        refused(&mut repeats, &device("1-1", number), start);
    }
    let last = device("1-1", 255);
    assert_eq!(refused(&mut repeats, &last, start), 0, "everything else is only counted");
    assert_eq!(refused_for(&mut repeats, &last, DeviceRefusal::Changed, start), 4, "all of one arrival");
    assert_eq!(refused(&mut repeats, &last, start), 0);
    assert!(repeats.is_recorded(&stray(&last), start));
    let more = (0..100).filter(|_| refused_for(&mut repeats, &last, DeviceRefusal::Changed, start) == 4).count();
    assert_eq!(more, ALARMS as usize - 2);
    assert!(!repeats.is_recorded(&stray(&last), start));
    repeats.due(after(start, 300), false);
    assert!(repeats.is_recorded(&stray(&last), after(start, 300)), "and again later");
}
