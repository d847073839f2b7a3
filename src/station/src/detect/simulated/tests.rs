#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;

const SOON: Duration = Duration::from_millis(10);
const STORAGE: (u8, u8, u8) = (8, 6, 0x50);
const KEYBOARD: (u8, u8, u8) = (3, 1, 1);

fn image(bytes: u64) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(bytes).unwrap();
    file
}

fn unit(image: Option<&Path>) -> Unit {
    Unit { image: image.map(Path::to_owned), read_only: false, kind: DiskKind::Disk }
}

fn key(units: Vec<Unit>) -> Plug {
    Plug {
        descriptors: descriptors_of(0x0951, 0x1666, &[STORAGE]),
        serial: Some("S1".into()),
        units,
        ..Plug::default()
    }
}

fn all(source: &mut Simulated) -> Vec<Event> {
    std::iter::from_fn(|| source.next(SOON).unwrap()).collect()
}

#[test]
fn a_key_comes_with_its_disk_and_goes_with_it() {
    let (mut source, sockets) = machine();
    let medium = image(1 << 20);
    let path = sockets.insert("front-left", &key(vec![unit(Some(medium.path()))])).unwrap();
    let events = all(&mut source);
    let [Event::DeviceArrived(device), Event::DiskArrived(disk)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((device.vendor, device.product, device.serial.as_deref()), (0x0951, 0x1666, Some("S1")));
    assert_eq!((disk.capacity, disk.node.as_path()), (1 << 20, medium.path()));
    sockets.remove(&path);
    assert_eq!(all(&mut source), [Event::DiskGone(disk.path.clone()), Event::DeviceGone(path.clone())]);
    sockets.remove(&path);
    assert_eq!(all(&mut source), []);
}

#[test]
fn cards_come_and_go_in_a_reader_of_several_units() {
    let (mut source, sockets) = machine();
    let path = sockets.insert("reader", &key(vec![unit(None), unit(None)])).unwrap();
    assert_eq!(all(&mut source).len(), 3);
    let card = image(4096);
    for (lun, image, capacity) in [(1, Some(card.path()), 4096), (1, Some(card.path()), 4096), (1, None, 0)] {
        sockets.card(&path, lun, image).unwrap();
        let events = all(&mut source);
        let [Event::DiskChanged(disk)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((disk.lun, disk.capacity), (lun, capacity));
    }
}

#[test]
fn a_key_that_turns_into_a_keyboard_is_told() {
    let (mut source, sockets) = machine();
    let path = sockets.insert("front", &key(vec![])).unwrap();
    let before = all(&mut source);
    sockets.change(&path, &descriptors_of(0x0951, 0x1666, &[STORAGE, KEYBOARD]));
    let events = all(&mut source);
    let ([Event::DeviceArrived(before)], [Event::DeviceChanged(after)]) = (before.as_slice(), events.as_slice()) else {
        panic!("{events:?}")
    };
    assert_ne!(before.descriptors, after.descriptors);
    assert_eq!(after.interfaces.as_ref().unwrap().len(), 2);
    sockets.change(&path, &[1, 2, 3]);
    assert!(matches!(all(&mut source).as_slice(), [Event::DeviceChanged(device)] if device.interfaces.is_none()));
}

#[test]
fn a_source_whose_machine_is_off_ends_after_what_waits() {
    let (mut source, sockets) = machine();
    sockets.insert("front", &key(vec![])).unwrap();
    sockets.close();
    assert!(matches!(source.next(SOON), Ok(Some(Event::DeviceArrived(_)))));
    assert!(matches!(source.next(SOON), Err(DetectError::Ended(_))));
}

#[test]
fn an_event_wakes_who_waits_for_it() {
    let (mut source, sockets) = machine();
    let waiting = std::thread::spawn(move || source.next(Duration::from_secs(60)).unwrap());
    sockets.insert("front", &key(vec![])).unwrap();
    assert!(matches!(waiting.join().unwrap(), Some(Event::DeviceArrived(_))));
}
