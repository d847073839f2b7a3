//! Real kernel events, real udevd, a loop device instead of a key, and Blanche's own udev rules.
//!
//! A rule for this test says that its loop device is on USB, and nothing else of the machine is touched. Root is needed, as
//! for every test with real parts. All of it is the machine's one state: the tests come one after another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "detect_udev/medium.rs"]
mod medium;

use blanche_station::admit::{Gate, GateError, Usb};
use blanche_station::detect::{DevPath, Disk, Event, Port, Source, Udev, is_kept_away};
use medium::{Medium, Station, settle};
use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// The next event of the medium of the test.
fn next(source: &mut Udev) -> Event {
    source.next(SOON).unwrap().expect("an event within a minute")
}

fn disk(event: Event) -> Disk {
    match event {
        Event::DiskArrived(disk) | Event::DiskChanged(disk) => disk,
        other => panic!("{other:?}"),
    }
}

/// The next event of a disk that has this capacity: udevd may tell of steps in between.
fn with_capacity(source: &mut Udev, capacity: u64) -> Disk {
    loop {
        let disk = disk(next(source));
        if disk.capacity == capacity {
            return disk;
        }
    }
}

#[test]
fn a_medium_comes_is_filled_is_emptied_and_goes() {
    let station = Station::new();
    let mut source = Udev::open().unwrap();
    let medium = Medium::insert(&station);
    let empty = disk(next(&mut source));
    assert_eq!(
        (empty.capacity, empty.device.as_ref(), empty.port.as_ref()),
        (0, None, Some(&Port("blanche-test".into())))
    );
    medium.attach("disk.img");
    let full = with_capacity(&mut source, medium.bytes("disk.img"));
    assert_eq!((full.node.as_path(), full.number), (medium.node(), fs::metadata(medium.node()).unwrap().rdev()));
    assert_ne!(full.sequence, empty.sequence, "another medium in the same drive");
    let opened = File::open(medium.node()).unwrap();
    assert_eq!(blanche_sandbox::block::sequence(&opened).unwrap(), full.sequence);
    drop(opened);
    medium.add_partitions();
    medium.detach();
    assert_eq!(with_capacity(&mut source, 0).path, full.path);
    drop(medium);
    let mut last = next(&mut source);
    while let Event::DiskChanged(_) = last {
        last = next(&mut source);
    }
    assert_eq!(last, Event::DiskGone(full.path));
}

#[test]
fn nothing_but_blanche_looks_into_a_medium() {
    let station = Station::without_rules();
    let medium = Medium::insert(&station);
    // First without the rules of the package: the same medium is looked into, or the test would show nothing.
    medium.attach("disk.img");
    medium.add_partitions();
    medium.settle();
    let whole = medium.properties("");
    assert!(whole.contains("ID_PART_TABLE_TYPE=gpt"), "blkid did not run: {whole}");
    assert!(medium.properties("p1").contains("ID_FS_TYPE=vfat"));
    assert!(medium.properties("p2").contains("ID_FS_TYPE=LVM2_member"));
    medium.detach();
    medium.settle();
    station.install_rules();
    medium.attach("disk.img");
    medium.add_partitions();
    medium.settle();
    for part in ["", "p1", "p2"] {
        let properties = medium.properties(part);
        assert!(properties.contains("UDISKS_IGNORE=1") && properties.contains("SYSTEMD_READY=0"), "{properties}");
        for traces in ["ID_FS_", "ID_PART_", "DEVLINKS=", "LVM", "MD_", "ID_BTRFS", "SYSTEMD_WANTS"] {
            let lines: Vec<&str> = properties.lines().filter(|line| line.starts_with(traces)).collect();
            assert!(lines.is_empty(), "{part}: {lines:?}");
        }
        assert!(!medium.is_watched(part), "udevd watches {part}");
    }
}

#[test]
fn disks_that_are_not_on_usb_are_left_alone() {
    let station = Station::without_usb();
    let medium = Medium::insert(&station);
    medium.attach("disk.img");
    medium.settle();
    let properties = medium.properties("");
    assert!(properties.contains("ID_PART_TABLE_TYPE=gpt") && !properties.contains("UDISKS_IGNORE"), "{properties}");
    let mut source = Udev::open().unwrap();
    assert_eq!(source.next(Duration::from_millis(500)).unwrap(), None, "no medium either");
}

#[test]
fn a_slot_of_the_machine_is_kept_away_from_other_programs_by_a_rule_of_the_administrator_and_the_station_knows() {
    let station = Station::without_usb();
    let medium = Medium::insert(&station);
    medium.attach("disk.img");
    medium.settle();
    let number = fs::metadata(medium.node()).unwrap().rdev();
    assert!(!is_kept_away(number).unwrap(), "nothing but the rules of the package: it is a disk of the machine");
    station.declare_slot();
    medium.detach();
    medium.settle();
    medium.attach("disk.img");
    medium.add_partitions();
    medium.settle();
    assert!(is_kept_away(number).unwrap());
    for part in ["", "p1", "p2"] {
        let properties = medium.properties(part);
        assert!(properties.contains("UDISKS_IGNORE=1") && properties.contains("SYSTEMD_READY=0"), "{properties}");
        assert!(!properties.contains("ID_FS_TYPE"), "somebody looked into it: {properties}");
        assert!(!medium.is_watched(part));
    }
    assert!(is_kept_away(rustix::fs::makedev(4095, 1)).is_err(), "nobody has this number");
}

#[test]
fn a_medium_on_usb_is_marked_by_the_rules_of_the_package() {
    let station = Station::new();
    let medium = Medium::insert(&station);
    medium.settle();
    assert!(is_kept_away(fs::metadata(medium.node()).unwrap().rdev()).unwrap());
}

#[test]
fn events_that_the_kernel_drops_are_made_up_for() {
    let station = Station::new();
    let medium = Medium::insert(&station);
    medium.settle();
    let mut source = Udev::open().unwrap();
    let path = disk(next(&mut source)).path;
    rustix::net::sockopt::set_socket_recv_buffer_size(&source, 4096).unwrap();
    // Nobody listens while udevd sends more than the socket holds, the removal last of all.
    let uevent = Path::new("/sys").join(path.0.trim_start_matches('/')).join("uevent");
    for _ in 0..200 {
        fs::write(&uevent, "change").unwrap();
    }
    medium.settle();
    drop(medium);
    settle();
    assert!(dropped(&source) > 0, "nothing was lost, so this test shows nothing");
    assert_eq!(next(&mut source), Event::DiskGone(path));
    assert_eq!(source.next(Duration::from_millis(500)).unwrap(), None);
}

#[test]
fn a_flood_of_events_does_not_keep_the_caller() {
    let station = Station::new();
    let medium = Medium::insert(&station);
    medium.settle();
    let mut source = Udev::open().unwrap();
    let path = disk(next(&mut source)).path;
    let uevent = Path::new("/sys").join(path.0.trim_start_matches('/')).join("uevent");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fs::write(&uevent, "change").unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let heard: Vec<_> = (0..5).map(|_| source.next(Duration::from_millis(100))).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(heard.iter().all(|heard| matches!(heard, Ok(None))), "{heard:?}");
    });
    medium.settle();
    drop(medium);
    assert_eq!(next(&mut source), Event::DiskGone(path));
}

/// Events that the kernel dropped for a monitor (proc(5): /proc/net/netlink, column Drops).
fn dropped(source: &Udev) -> u64 {
    let inode = fs::metadata(format!("/proc/self/fd/{}", source.as_fd().as_raw_fd())).unwrap().ino().to_string();
    let table = fs::read_to_string("/proc/net/netlink").unwrap();
    let line =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| row.get(9) == Some(&&*inode));
    line.expect("the monitor's socket")[8].parse().unwrap()
}

#[test]
fn a_protected_medium_and_its_partitions_cannot_be_written() {
    let station = Station::new();
    let mut source = Udev::open().unwrap();
    let medium = Medium::insert(&station);
    medium.attach("disk.img");
    let disk = with_capacity(&mut source, medium.bytes("disk.img"));
    medium.add_partitions();
    medium.settle();
    let gate = Usb::default();
    // The same bytes again, into the first sector.
    let writable = |part: &str| {
        let opened = OpenOptions::new().read(true).write(true).open(medium.part(part)).unwrap();
        let mut sector = [0; 512];
        opened.read_exact_at(&mut sector, 0).unwrap();
        opened.write_all_at(&sector, 0).is_ok()
    };
    gate.protect(&disk, true).unwrap();
    assert_eq!(["", "p1", "p2"].map(writable), [false; 3]);
    fs::write(Path::new("/sys").join(disk.path.0.trim_start_matches('/')).join("uevent"), "change").unwrap();
    medium.settle();
    assert_eq!(source.next(Duration::from_millis(500)).unwrap(), None, "our own protection is no change of the medium");
    gate.protect(&disk, false).unwrap();
    assert_eq!(["", "p1", "p2"].map(writable), [true; 3]);
    let other = Disk { sequence: disk.sequence + 1, ..disk.clone() };
    assert!(matches!(gate.protect(&other, true), Err(GateError::Changed)));
    let elsewhere = Disk { number: disk.number + 1, ..disk };
    assert!(matches!(gate.protect(&elsewhere, true), Err(GateError::Changed)));
    assert_eq!(["", "p1", "p2"].map(writable), [true; 3]);
}

#[test]
fn a_disk_that_is_released_is_deleted_in_the_kernel_if_it_is_still_the_same_and_is_no_slot_that_stays() {
    let station = Station::new();
    let mut source = Udev::open().unwrap();
    let medium = Medium::insert(&station);
    medium.attach("disk.img");
    let disk = with_capacity(&mut source, medium.bytes("disk.img"));
    // A loop device cannot be deleted this way, a SCSI disk can: its file stands in for it.
    let sys = tempfile::tempdir().unwrap();
    let usb = sys.path().join("devices/usb1/1-1");
    let target = usb.join("1-1:1.0/host6/target6:0:0");
    let folder = target.join("6:0:0:0/block/sdb/device");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("delete"), "").unwrap();
    fs::write(usb.join("removable"), "removable\n").unwrap();
    let path = DevPath("/devices/usb1/1-1/1-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb".into());
    let disk = Disk { path, device: Some(DevPath("/devices/usb1/1-1".into())), ..disk };
    let gate = Usb::at(sys.path(), Path::new("/dev"));
    let other = Disk { number: disk.number + 1, ..disk.clone() };
    assert!(matches!(gate.release(&other), Err(GateError::Changed)));
    let deleted = || fs::read_to_string(folder.join("delete")).unwrap() == "1";
    assert!(!deleted());
    // Slots that stay: of the machine, built in, and one of several.
    gate.release(&Disk { device: None, ..disk.clone() }).unwrap();
    fs::write(usb.join("removable"), "fixed\n").unwrap();
    gate.release(&disk).unwrap();
    fs::write(usb.join("removable"), "unknown\n").unwrap();
    fs::create_dir(target.join("6:0:0:1")).unwrap();
    gate.release(&disk).unwrap();
    assert!(!deleted(), "a slot that is dead until it is plugged in again");
    fs::remove_dir(target.join("6:0:0:1")).unwrap();
    gate.release(&disk).unwrap();
    assert!(deleted());
}
