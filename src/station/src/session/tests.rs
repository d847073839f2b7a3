//! What holds whatever happens in whatever order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::view::{Conclusion, Failure, State};
use super::{Effect, Ending, Entry, Input, Machine, Order, OrderRefused, Rules, SessionId, Work};
use crate::admit::{Decision, DeviceRefusal, Role};
use crate::detect::{DevPath, Disk, DiskKind, Event, Interface, Port, UsbDevice};
use crate::show::samples;
use blanche_sandbox::wire::SealFailure;
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Progress, Stage};
use blanche_scan::report::{NoTag, Seal};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A device in one of a few sockets; one with another class shows another digest.
fn device(place: u8, class: u8) -> UsbDevice {
    UsbDevice {
        path: DevPath(format!("/devices/usb1/1-{place}")),
        port: Port(format!("usb-0:{place}")),
        vendor: 0x0951,
        product: 0x1666,
        release: 0x0100,
        class: 0,
        manufacturer: Some("Kingston".into()),
        name: Some("DataTraveler\u{202e}".into()),
        serial: Some(format!("S{place}")),
        interfaces: Some(vec![Interface {
            configuration: 1,
            number: 0,
            alternate: 0,
            class,
            subclass: 6,
            protocol: 80,
        }]),
        descriptors: [class; 32],
    }
}

fn disk(place: u8, lun: u64, sequence: u64, capacity: u64) -> Disk {
    Disk {
        path: DevPath(format!("/devices/usb1/1-{place}/lun{lun}/block/sd{place}")),
        device: Some(device(place, 8).path),
        port: Some(device(place, 8).port),
        node: format!("/dev/sd{place}{lun}").into(),
        number: 2048 + u64::from(place) * 16 + lun,
        sequence,
        capacity,
        read_only: false,
        kind: DiskKind::Disk,
        lun,
        vendor: None,
        model: None,
    }
}

fn rules(at_once: usize) -> Rules {
    let storage = |device: &UsbDevice| device.interfaces.iter().flatten().all(|interface| interface.class == 8);
    Rules {
        decide: Box::new(move |device| {
            if storage(device) {
                Decision::Admit(Role::Input)
            } else {
                Decision::Refuse(DeviceRefusal::NotStorage(device.interfaces.clone().unwrap_or_default()))
            }
        }),
        drive: Box::new(|_| None),
        at_once,
        cores: 2,
    }
}

/// A machine whose effects are carried out at once.
struct Bench {
    machine: Machine,
    /// What the gate answers next.
    gate: Result<(), DeviceRefusal>,
    admitted: BTreeSet<DevPath>,
    protected: BTreeSet<DevPath>,
    working: BTreeMap<SessionId, Disk>,
    stopped: BTreeSet<SessionId>,
    opened: usize,
    concluded: BTreeMap<SessionId, Verdict>,
    released: usize,
}

impl Bench {
    fn new(at_once: usize) -> Self {
        let mut bench = Self {
            machine: Machine::new(rules(at_once)),
            gate: Ok(()),
            admitted: BTreeSet::new(),
            protected: BTreeSet::new(),
            working: BTreeMap::new(),
            stopped: BTreeSet::new(),
            opened: 0,
            concluded: BTreeMap::new(),
            released: 0,
        };
        bench.input(Input::Engines(Ok(())));
        bench
    }

    fn event(&mut self, event: Event) {
        self.input(Input::Event(event));
    }

    fn input(&mut self, input: Input) {
        let effects = self.machine.handle(input);
        self.carry_out(effects);
    }

    fn order(&mut self, order: Order) -> Result<(), OrderRefused> {
        let effects = self.machine.order(order)?;
        self.carry_out(effects);
        Ok(())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Admit(device) => {
                    if self.gate.is_ok() {
                        self.admitted.insert(device.path.clone());
                    }
                    let answer = self.gate.clone();
                    self.input(Input::Admitted(device.path, answer));
                }
                Effect::Refuse(path) => {
                    self.admitted.remove(&path);
                }
                Effect::Protect(disk) => {
                    self.protected.insert(disk.path);
                }
                Effect::Start(id, disk) => {
                    let device = disk.device.clone().expect("a USB disk");
                    assert!(self.admitted.contains(&device), "a session on a device that nobody admitted");
                    assert!(self.protected.contains(&disk.path), "a session on a disk that is not protected");
                    assert!(self.working.values().all(|other| other.path != disk.path), "two threads on one disk");
                    assert!(self.working.insert(id, disk).is_none(), "started twice");
                }
                Effect::Stop(id) => {
                    self.stopped.insert(id);
                }
                Effect::Release(_) => self.released += 1,
                Effect::Record(Entry::Opened(_)) => self.opened += 1,
                Effect::Record(Entry::Concluded(view)) => {
                    let verdict = view.conclusion.as_ref().expect("a conclusion").verdict();
                    assert!(self.concluded.insert(view.id, verdict).is_none(), "concluded twice");
                }
                Effect::Record(_) => {}
            }
        }
    }

    fn insert(&mut self, place: u8) -> SessionId {
        self.event(Event::DeviceArrived(device(place, 8)));
        self.event(Event::DiskArrived(disk(place, 0, 1, 1 << 30)));
        self.only(place)
    }

    fn only(&self, place: u8) -> SessionId {
        let port = device(place, 8).port.0;
        let of_it = |view: &&super::view::SessionView| view.medium.port == port && view.state != State::Removed;
        self.machine.sessions().find(of_it).expect("a session").id
    }

    fn state(&self, id: SessionId) -> State {
        self.machine.session(id).expect("known").state
    }

    fn verdict(&self, id: SessionId) -> Option<Verdict> {
        self.machine.session(id)?.conclusion.as_ref().map(Conclusion::verdict)
    }

    fn end(&mut self, id: SessionId, verdict: Verdict) {
        self.working.remove(&id);
        self.input(Input::Work(id, Work::Ended(report(verdict, false))));
    }
}

fn report(verdict: Verdict, sealed: bool) -> Ending {
    let mut report = samples::clean();
    report.verdict = verdict;
    report.seal = Some(if sealed {
        Seal::OnMedium { tag: samples::tag(), volume: 0 }
    } else {
        Seal::NoTag { reason: NoTag::Writing(SealFailure::Unknown) }
    });
    Ending::Report(Box::new(report))
}

#[test]
fn a_key_is_checked_without_anybody_asking() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    assert_eq!(bench.state(id), State::Checking);
    assert!(bench.working.contains_key(&id));
    bench.end(id, Verdict::Clean);
    assert_eq!((bench.state(id), bench.verdict(id)), (State::Verdict, Some(Verdict::Clean)));
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.event(Event::DeviceGone(device(1, 8).path));
    assert_eq!(bench.state(id), State::Removed);
    bench.machine.forget(id);
    assert_eq!(bench.machine.sessions().count(), 0);
}

#[test]
fn nothing_starts_before_the_engines_are_ready_and_without_engines_everybody_waits() {
    let mut bench = Bench::new(2);
    bench.machine = Machine::new(rules(2));
    let id = bench.insert(1);
    assert_eq!(bench.state(id), State::Queued);
    bench.input(Input::Engines(Err("no base".into())));
    let other = bench.insert(2);
    assert_eq!((bench.state(id), bench.state(other)), (State::Queued, State::Queued));
    bench.input(Input::Engines(Ok(())));
    assert_eq!((bench.state(id), bench.state(other)), (State::Checking, State::Checking));
}

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
fn a_seal_that_was_not_finished_is_no_reason_to_believe_a_medium_that_was_pulled_out() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.input(Input::Work(id, Work::Sealing(0)));
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.end(id, Verdict::Clean);
    assert_eq!(bench.verdict(id), Some(Verdict::Incomplete));
}

#[test]
fn a_station_that_is_stopped_ends_every_session_and_begins_none() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.insert(1), bench.insert(2));
    bench.input(Input::Ending);
    assert!(bench.stopped.contains(&first));
    assert_eq!(bench.verdict(second), Some(Verdict::Incomplete));
    bench.event(Event::DeviceArrived(device(3, 8)));
    bench.end(first, Verdict::Clean);
    assert!(bench.working.is_empty() && !bench.admitted.contains(&device(3, 8).path));
    assert_eq!(bench.verdict(first), Some(Verdict::Incomplete));
}

#[test]
fn a_disk_that_cannot_be_protected_is_not_sealed() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.input(Input::Unprotected(disk(1, 0, 1, 0).path));
    bench.end(id, Verdict::Clean);
    assert_eq!(bench.verdict(id), Some(Verdict::Incomplete));
}

#[test]
fn a_medium_that_is_pulled_out_is_told_at_once_and_ends_incomplete() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.event(Event::DeviceGone(device(1, 8).path));
    let view = bench.machine.session(id).unwrap();
    assert!(view.pulled && view.state == State::Stopping);
    bench.end(id, Verdict::Clean);
    assert_eq!((bench.state(id), bench.verdict(id)), (State::Removed, Some(Verdict::Incomplete)));
    // The next key in the same socket has a session of its own.
    let next = bench.insert(1);
    assert_ne!(next, id);
    assert_eq!(bench.state(next), State::Checking);
}

#[test]
fn the_next_card_waits_until_nobody_holds_the_first_one_any_more() {
    let mut bench = Bench::new(2);
    let first = bench.insert(1);
    bench.event(Event::DiskChanged(disk(1, 0, 2, 1 << 30)));
    assert_eq!(bench.state(first), State::Stopping);
    let second = bench.machine.sessions().find(|view| !view.pulled).unwrap().id;
    assert_eq!(bench.state(second), State::Queued);
    // Another disk does not wait.
    let other = bench.insert(2);
    assert_eq!(bench.state(other), State::Checking);
    bench.end(other, Verdict::Clean);
    bench.end(first, Verdict::Clean);
    assert_eq!((bench.state(second), bench.verdict(first)), (State::Checking, Some(Verdict::Incomplete)));
}

#[test]
fn what_was_found_stays_found_when_the_key_is_pulled_out() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.end(id, Verdict::Infected);
    assert_eq!(bench.verdict(id), Some(Verdict::Infected));
}

#[test]
fn a_key_that_was_sealed_when_it_was_pulled_out_is_what_its_report_says() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.input(Input::Work(id, Work::Sealing(0)));
    assert_eq!(bench.state(id), State::Sealing);
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.working.remove(&id);
    bench.input(Input::Work(id, Work::Ended(report(Verdict::Clean, true))));
    assert_eq!(bench.verdict(id), Some(Verdict::Clean));
}

#[test]
fn after_a_sleep_no_session_is_clean() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.input(Input::Slept(Duration::from_secs(60)));
    bench.working.remove(&id);
    bench.input(Input::Work(id, Work::Ended(report(Verdict::Clean, true))));
    assert_eq!(bench.verdict(id), Some(Verdict::Incomplete));
}

#[test]
fn orders_are_carried_out_where_they_mean_something() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.insert(1), bench.insert(2));
    assert_eq!((bench.state(first), bench.state(second)), (State::Checking, State::Queued));
    assert_eq!(bench.order(Order::Eject(first)), Err(OrderRefused::InUse));
    assert_eq!(bench.order(Order::Cancel(second)), Ok(()));
    assert_eq!(bench.verdict(second), Some(Verdict::Incomplete));
    assert_eq!(bench.order(Order::Cancel(second)), Err(OrderRefused::NothingToCancel));
    assert_eq!(bench.order(Order::Cancel(first)), Ok(()));
    bench.end(first, Verdict::Incomplete);
    assert_eq!(bench.order(Order::Eject(first)), Ok(()));
    assert_eq!(bench.released, 1);
    assert_eq!(bench.order(Order::Cancel(SessionId::now_v7())), Err(OrderRefused::NoSuchSession));
}

#[test]
fn a_card_reader_waits_for_its_card_and_each_card_is_a_session() {
    let mut bench = Bench::new(2);
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DiskArrived(disk(1, 0, 1, 0)));
    assert_eq!(bench.machine.sessions().count(), 0);
    bench.event(Event::DiskChanged(disk(1, 0, 2, 1 << 20)));
    let first = bench.only(1);
    // udev repeats itself.
    bench.event(Event::DiskChanged(disk(1, 0, 2, 1 << 20)));
    assert_eq!(bench.machine.sessions().count(), 1);
    bench.end(first, Verdict::Clean);
    bench.event(Event::DiskChanged(disk(1, 0, 3, 0)));
    assert_eq!(bench.state(first), State::Removed);
    bench.event(Event::DiskChanged(disk(1, 0, 4, 1 << 20)));
    assert_eq!(bench.machine.sessions().filter(|view| view.state == State::Checking).count(), 1);
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

#[test]
fn the_time_is_told_before_checking_begins_and_learns_from_each_session() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    let progress = |bytes| Progress {
        stage: Stage::Checking,
        files: 3,
        bytes,
        bytes_read: 0,
        files_done: 0,
        bytes_done: 0,
        files_found: 0,
        rate: 0,
        remaining: None,
    };
    bench.input(Input::Work(id, Work::Progress(progress(400_000_000))));
    assert_eq!(bench.machine.session(id).unwrap().estimate, Some(Duration::from_secs(10)));
    bench.end(id, Verdict::Clean);
    let next = bench.insert(2);
    bench.input(Input::Work(next, Work::Progress(progress(400_000_000))));
    // The sample checked 2.8 MB/s.
    assert_eq!(bench.machine.session(next).unwrap().estimate, Some(Duration::from_secs(18)));
}

/// What may happen at any moment.
#[derive(Clone, Copy, Debug)]
enum Step {
    Plug(u8, bool),
    Change(u8, bool),
    Unplug(u8),
    Disk(u8, u64, u64, bool),
    DiskGone(u8, u64),
    Sealing(u8),
    End(u8, u8, bool),
    Fail(u8),
    Cancel(u8),
    Eject(u8),
    Sleep,
    GateFails(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0u8..3;
    prop_oneof![
        4 => (place.clone(), any::<bool>()).prop_map(|(place, storage)| Step::Plug(place, storage)),
        1 => (place.clone(), any::<bool>()).prop_map(|(place, storage)| Step::Change(place, storage)),
        2 => place.clone().prop_map(Step::Unplug),
        6 => (place.clone(), 0u64..2, 1u64..4, any::<bool>()).prop_map(|(p, lun, seq, full)| Step::Disk(p, lun, seq, full)),
        2 => (place, 0u64..2).prop_map(|(place, lun)| Step::DiskGone(place, lun)),
        2 => any::<u8>().prop_map(Step::Sealing),
        5 => (any::<u8>(), 0u8..3, any::<bool>()).prop_map(|(n, verdict, sealed)| Step::End(n, verdict, sealed)),
        1 => any::<u8>().prop_map(Step::Fail),
        1 => any::<u8>().prop_map(Step::Cancel),
        1 => any::<u8>().prop_map(Step::Eject),
        1 => Just(Step::Sleep),
        1 => any::<bool>().prop_map(Step::GateFails),
    ]
}

/// One of those that there are.
fn pick<T: Copy>(number: u8, of: impl Iterator<Item = T>) -> Option<T> {
    let all: Vec<T> = of.collect();
    (!all.is_empty()).then(|| all[usize::from(number) % all.len()])
}

/// One step; whether its session, if it ended, may be clean.
fn take(bench: &mut Bench, step: Step) {
    let class = |storage| if storage { 8 } else { 3 };
    match step {
        Step::Plug(place, storage) => bench.event(Event::DeviceArrived(device(place, class(storage)))),
        Step::Change(place, storage) => bench.event(Event::DeviceChanged(device(place, class(storage)))),
        Step::Unplug(place) => bench.event(Event::DeviceGone(device(place, 8).path)),
        Step::Disk(place, lun, sequence, full) => {
            bench.event(Event::DiskArrived(disk(place, lun, sequence, if full { 1 << 30 } else { 0 })));
        }
        Step::DiskGone(place, lun) => bench.event(Event::DiskGone(disk(place, lun, 0, 0).path)),
        Step::Sealing(number) => {
            if let Some(id) = pick(number, bench.working.keys().copied()) {
                bench.input(Input::Work(id, Work::Sealing(1)));
            }
        }
        Step::End(number, verdict, sealed) => {
            let Some(id) = pick(number, bench.working.keys().copied()) else { return };
            let verdict = [Verdict::Clean, Verdict::Incomplete, Verdict::Infected][usize::from(verdict)];
            let stopped = bench.stopped.contains(&id);
            bench.working.remove(&id);
            bench.input(Input::Work(id, Work::Ended(report(verdict, sealed && verdict == Verdict::Clean))));
            let told = bench.concluded[&id];
            if !stopped {
                assert_eq!(told, verdict, "nobody stopped it");
            } else if verdict == Verdict::Infected {
                assert_eq!(told, Verdict::Infected, "what was found stays found");
            }
        }
        Step::Fail(number) => {
            let Some(id) = pick(number, bench.working.keys().copied()) else { return };
            bench.working.remove(&id);
            let failure = Failure { kind: "station", detail: String::new() };
            bench.input(Input::Work(id, Work::Ended(Ending::Failed(failure))));
            assert_eq!(bench.concluded[&id], Verdict::Incomplete);
        }
        Step::Cancel(number) => {
            if let Some(id) = pick(number, bench.machine.sessions().map(|view| view.id).collect::<Vec<_>>().into_iter())
            {
                // Refused when there is nothing to cancel.
                let _ = bench.order(Order::Cancel(id));
            }
        }
        Step::Eject(number) => {
            if let Some(id) = pick(number, bench.machine.sessions().map(|view| view.id).collect::<Vec<_>>().into_iter())
            {
                // Refused while it is in use.
                let _ = bench.order(Order::Eject(id));
            }
        }
        Step::Sleep => bench.input(Input::Slept(Duration::from_secs(5))),
        Step::GateFails(fails) => bench.gate = if fails { Err(DeviceRefusal::Unusable) } else { Ok(()) },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_session_ends_once_and_the_station_is_empty_when_all_is_pulled_out(
        steps in proptest::collection::vec(step(), 0..60),
        at_once in 1usize..3,
    ) {
        let mut bench = Bench::new(at_once);
        for step in steps {
            take(&mut bench, step);
            let working = bench.machine.sessions().filter(|view| view.state.is_working()).count();
            prop_assert_eq!(working, bench.working.len());
            for view in bench.machine.sessions() {
                let done = matches!(view.state, State::Verdict | State::Refused | State::Removed);
                prop_assert_eq!(done, view.conclusion.is_some(), "{:?}", view);
            }
        }
        for place in 0..3 {
            bench.event(Event::DeviceGone(device(place, 8).path));
        }
        for place in 0..3 {
            for lun in 0..2 {
                bench.event(Event::DiskGone(disk(place, lun, 0, 0).path));
            }
        }
        while let Some(id) = bench.working.keys().next().copied() {
            prop_assert!(bench.stopped.contains(&id), "nobody stops a session whose medium is gone");
            bench.end(id, Verdict::Clean);
            prop_assert_ne!(bench.concluded[&id], Verdict::Refused);
        }
        let left: Vec<_> = bench.machine.sessions().filter(|view| view.state != State::Removed).collect();
        prop_assert!(left.is_empty(), "{:?}", left);
        prop_assert_eq!(bench.opened, bench.concluded.len());
    }
}
