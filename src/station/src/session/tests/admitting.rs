//! Devices that are not let in, or of which the gate says nothing, too late, or twice: nobody reads them.

use super::*;

#[test]
fn a_device_that_is_not_storage_is_refused_and_its_session_says_so_until_it_is_pulled_out() {
    let mut bench = Bench::new(2);
    bench.event(Event::DeviceArrived(device(1, 3)));
    let id = bench.only(1);
    assert_eq!((bench.state(id), bench.verdict(id)), (State::Refused, Some(Verdict::Refused)));
    assert!(bench.admitted.is_empty());
    // Its disk, should the kernel have bound one all the same, is not read.
    bench.event(Event::DiskArrived(disk(1, 0, 1, 1 << 20)));
    assert!(bench.working.is_empty());
    bench.event(Event::DeviceGone(device(1, 3).path));
    assert_eq!(bench.state(id), State::Removed);
}

#[test]
fn a_key_that_becomes_a_keyboard_during_its_session_is_refused_and_never_clean() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.event(Event::DeviceChanged(device(1, 3)));
    assert_eq!(bench.state(id), State::Stopping);
    assert!(bench.stopped.contains(&id) && bench.admitted.is_empty());
    bench.end(id, Verdict::Clean);
    assert_eq!(bench.verdict(id), Some(Verdict::Incomplete));
    let refusals = bench.machine.sessions().filter(|view| view.state == State::Refused).count();
    assert_eq!(refusals, 1);
    // Storage again: it stays refused, as long as it is plugged in.
    bench.event(Event::DeviceChanged(device(1, 8)));
    assert!(bench.working.is_empty() && bench.admitted.is_empty());
}

#[test]
fn a_disk_that_cannot_be_protected_is_not_sealed() {
    let mut bench = Bench::new(2);
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.gate = Err(DeviceRefusal::Unusable);
    bench.event(Event::DiskArrived(disk(1, 0, 1, 1 << 30)));
    let id = bench.only(1);
    assert_eq!((bench.state(id), bench.verdict(id)), (State::Verdict, Some(Verdict::Incomplete)));
    assert!(bench.working.is_empty(), "nobody reads it");
}

#[test]
fn nothing_is_read_before_the_gate_has_answered_and_other_devices_do_not_wait() {
    let mut bench = Bench::new(2);
    bench.slow = true;
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DiskArrived(disk(1, 0, 1, 1 << 30)));
    assert_eq!(bench.machine.sessions().count(), 0, "nobody has admitted it");
    bench.answer(0, true);
    let id = bench.only(1);
    assert_eq!(bench.state(id), State::Queued, "it is not protected");
    bench.slow = false;
    let other = bench.insert(2);
    assert_eq!(bench.state(other), State::Checking);
    bench.answer(0, true);
    assert_eq!(bench.state(id), State::Checking);
}

#[test]
fn a_disk_that_went_while_its_device_was_let_in_begins_no_session() {
    let mut bench = Bench::new(2);
    bench.slow = true;
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DiskArrived(disk(1, 0, 1, 1 << 30)));
    bench.event(Event::DeviceArrived(device(2, 8)));
    bench.event(Event::DiskArrived(disk(2, 0, 2, 1 << 30)));
    let ticket = bench.questions[0].0;
    let behind: Vec<u64> = bench.machine.disks_behind(ticket).map(|disk| disk.sequence).collect();
    assert_eq!(behind, [1], "whoever carries the answer looks whether they are there");
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.answer(0, true);
    assert_eq!(bench.machine.disks_behind(ticket).count(), 0, "nobody waits any more");
    assert_eq!(bench.machine.sessions().count(), 0);
    bench.event(Event::DiskArrived(disk(1, 0, 3, 1 << 30)));
    assert_eq!(bench.state(bench.only(1)), State::Queued, "the disk in its place is the one that is checked");
}

#[test]
fn an_answer_that_comes_late_or_twice_is_not_taken_for_that_of_the_next_key() {
    let mut bench = Bench::new(2);
    bench.slow = true;
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DeviceGone(device(1, 8).path));
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DiskArrived(disk(1, 0, 2, 1 << 30)));
    // Twice the answer to the question about the first one.
    bench.answer(0, false);
    bench.answer(0, true);
    assert_eq!(bench.machine.sessions().count(), 0, "the second was admitted by nobody");
    bench.gate = Err(DeviceRefusal::Unusable);
    bench.answer(0, true);
    assert_eq!(bench.state(bench.only(1)), State::Refused);
}

#[test]
fn a_device_that_was_refused_while_the_gate_was_asked_stays_refused_whatever_the_gate_says() {
    let mut bench = Bench::new(2);
    bench.slow = true;
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DeviceChanged(device(1, 3)));
    let id = bench.only(1);
    bench.answer_all();
    bench.event(Event::DiskArrived(disk(1, 0, 1, 1 << 30)));
    assert_eq!(bench.state(id), State::Refused);
    assert!(bench.working.is_empty() && bench.admitted.is_empty());
}

#[test]
fn a_device_that_the_gate_saw_become_another_one_stays_out_until_it_is_pulled_out() {
    let mut bench = Bench::new(2);
    bench.gate = Err(DeviceRefusal::Changed);
    bench.event(Event::DeviceArrived(device(1, 8)));
    assert_eq!(bench.state(bench.only(1)), State::Refused);
    // What the kernel says of it comes after the gate's answer, and it would be let in.
    bench.gate = Ok(());
    bench.event(Event::DeviceChanged(UsbDevice { serial: Some("another".to_owned()), ..device(1, 8) }));
    bench.event(Event::DiskArrived(disk(1, 0, 1, 1 << 30)));
    assert!(bench.working.is_empty() && bench.admitted.is_empty());
}

#[test]
fn a_device_that_the_gate_cannot_admit_is_refused() {
    let mut bench = Bench::new(2);
    bench.gate = Err(DeviceRefusal::Unusable);
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DiskArrived(disk(1, 0, 1, 1 << 20)));
    let id = bench.only(1);
    assert_eq!(bench.state(id), State::Refused);
    assert!(bench.working.is_empty());
}
