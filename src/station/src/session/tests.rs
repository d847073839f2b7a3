//! What holds whatever happens in whatever order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod admitting;
mod anything;
mod checking;
mod copies;
mod stopping;

use super::view::{Conclusion, Contents, Failure, OutputId, State};
use super::{CopyOrdered, Effect, Ending, Entry, Input, Machine, Order, OrderRefused, Rules, SessionId, Ticket, Work};
use crate::admit::{Decision, DeviceRefusal, Role};
use crate::detect::{DevPath, Disk, DiskKind, Event, Interface, Port, UsbDevice};
use crate::show::samples;
use blanche_sandbox::wire::SealFailure;
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Progress, Stage};
use blanche_scan::report::{NoTag, Seal};
use blanche_scan::settings::CopyMode;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Sockets for media that are written.
const OUTPUTS: [u8; 2] = [7, 8];

fn path(place: u8) -> DevPath {
    DevPath(format!("/devices/usb1/1-{place}"))
}

/// A device in one of a few sockets; one with another class shows another digest.
fn device(place: u8, class: u8) -> UsbDevice {
    UsbDevice {
        path: path(place),
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
                Decision::Admit(if OUTPUTS.iter().any(|place| device.path == path(*place)) {
                    Role::Output
                } else {
                    Role::Input
                })
            } else {
                Decision::Refuse(DeviceRefusal::NotStorage(device.interfaces.clone().unwrap_or_default()))
            }
        }),
        drive: Box::new(|_| None),
        at_once,
        cores: 2,
        copies: Some(CopyMode::AllOrNothing),
    }
}

/// What the gate was asked: the device, or the disk and its medium.
#[derive(Clone, Debug)]
enum Question {
    Admit(DevPath),
    Protect(DevPath, u64),
}

/// A machine whose effects are carried out at once; only the gate may be slow.
struct Bench {
    machine: Machine,
    /// What the gate answers next.
    gate: Result<(), DeviceRefusal>,
    /// It answers only when it is told to.
    slow: bool,
    questions: Vec<(Ticket, Question)>,
    /// The last question about each device that was neither refused nor pulled out since.
    asked: BTreeMap<DevPath, Ticket>,
    admitted: BTreeSet<DevPath>,
    protected: BTreeSet<(DevPath, u64)>,
    working: BTreeMap<SessionId, Disk>,
    looking: BTreeMap<OutputId, Disk>,
    /// What copying needs, of these sessions.
    kept: BTreeSet<SessionId>,
    copying: BTreeMap<SessionId, CopyOrdered>,
    /// Ends of copies that were recorded.
    copied: usize,
    ordered: usize,
    /// Tags that were recorded before they were written.
    signed: Vec<(SessionId, String)>,
    stopped: BTreeSet<SessionId>,
    /// Nothing good may be said of them: whatever else happened, the machine slept, the device became another one, or the
    /// engines turned out to miss something.
    doubted: BTreeSet<SessionId>,
    /// The same of what is being copied.
    doubted_copies: BTreeSet<SessionId>,
    /// Descriptors of what is plugged in.
    shown: BTreeMap<DevPath, [u8; 32]>,
    opened: usize,
    concluded: BTreeMap<SessionId, Verdict>,
    released: usize,
}

impl Bench {
    fn new(at_once: usize) -> Self {
        let mut bench = Self {
            machine: Machine::new(rules(at_once)),
            gate: Ok(()),
            slow: false,
            questions: Vec::new(),
            asked: BTreeMap::new(),
            admitted: BTreeSet::new(),
            protected: BTreeSet::new(),
            working: BTreeMap::new(),
            looking: BTreeMap::new(),
            kept: BTreeSet::new(),
            copying: BTreeMap::new(),
            copied: 0,
            ordered: 0,
            signed: Vec::new(),
            stopped: BTreeSet::new(),
            doubted: BTreeSet::new(),
            doubted_copies: BTreeSet::new(),
            shown: BTreeMap::new(),
            opened: 0,
            concluded: BTreeMap::new(),
            released: 0,
        };
        bench.input(Input::Engines(Ok(())));
        bench
    }

    fn event(&mut self, event: Event) {
        if let Event::DeviceGone(path) = &event {
            self.asked.remove(path);
            self.admitted.remove(path);
        }
        self.input(Input::Event(event));
    }

    fn input(&mut self, input: Input) {
        self.doubt(&input);
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
                Effect::Admit(ticket, device) => {
                    self.asked.insert(device.path.clone(), ticket);
                    self.question(ticket, Question::Admit(device.path));
                }
                Effect::Refuse(path) => {
                    self.asked.remove(&path);
                    self.admitted.remove(&path);
                }
                Effect::Protect(ticket, disk) => self.question(ticket, Question::Protect(disk.path, disk.sequence)),
                Effect::Start(id, disk) => {
                    let device = disk.device.clone().expect("a USB disk");
                    assert!(self.admitted.contains(&device), "a session on a device that nobody admitted");
                    assert!(
                        self.protected.contains(&(disk.path.clone(), disk.sequence)),
                        "a session on a disk that is not protected"
                    );
                    assert!(self.working.values().all(|other| other.path != disk.path), "two threads on one disk");
                    assert!(self.working.insert(id, disk).is_none(), "started twice");
                }
                Effect::Stop(id) => {
                    self.stopped.insert(id);
                }
                Effect::Release(_, disk) => {
                    let held = |id: &SessionId| {
                        self.machine.session(*id).unwrap().medium.node == disk.node.display().to_string()
                    };
                    assert!(!self.kept.iter().any(held), "a disk is let go while its medium is held open");
                    self.released += 1;
                }
                Effect::Drop(id) => assert!(self.kept.remove(&id), "dropped twice"),
                Effect::Look(id, disk) => {
                    assert!(self.looking.insert(id, disk).is_none(), "looked at twice");
                }
                Effect::StopLooking(id) => assert!(self.looking.contains_key(&id), "nobody looks"),
                Effect::Copy(ordered) => self.start_copy(*ordered),
                Effect::Record(Entry::CopyOrdered(..)) => self.ordered += 1,
                Effect::Record(Entry::Copied(_)) => self.copied += 1,
                Effect::Record(Entry::Signed(id, tag)) => self.signed.push((id, tag)),
                Effect::Record(Entry::Opened(_)) => self.opened += 1,
                Effect::Record(Entry::Concluded(view)) => {
                    let verdict = view.conclusion.as_ref().expect("a conclusion").verdict();
                    assert!(self.concluded.insert(view.id, verdict).is_none(), "concluded twice");
                }
                Effect::Record(_) => {}
            }
        }
    }

    fn question(&mut self, ticket: Ticket, question: Question) {
        self.questions.push((ticket, question));
        if !self.slow {
            self.answer(self.questions.len() - 1, true);
        }
    }

    /// The gate answers one of its questions, perhaps not for the last time.
    fn answer(&mut self, number: usize, last: bool) {
        let (ticket, question) = self.questions[number].clone();
        if last {
            self.questions.remove(number);
        }
        let answer = self.gate.clone();
        match question {
            Question::Admit(path) => {
                if answer.is_ok() && self.asked.get(&path) == Some(&ticket) {
                    self.admitted.insert(path);
                }
                self.input(Input::Admitted(ticket, answer));
            }
            Question::Protect(path, sequence) => {
                if answer.is_ok() {
                    self.protected.insert((path, sequence));
                }
                self.input(Input::Protected(ticket, answer.map_err(|why| why.word().to_owned())));
            }
        }
    }

    /// The gate answers everything.
    fn answer_all(&mut self) {
        while !self.questions.is_empty() {
            self.answer(0, true);
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
