//! The state machine of the station: what happened in, what is to be done out.
//!
//! It is a pure function of its inputs, so that every order of events can be tried without a device. Whoever drives it
//! carries the effects out in their order, and gives the results back as inputs.

use super::SessionId;
use super::view::{Conclusion, Failure, MediumView, SessionView, State};
use crate::admit::{Decision, DeviceRefusal, Policy, Role, decide};
use crate::detect::{DevPath, Disk, Event, UsbDevice};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Progress, Stage};
use blanche_scan::report::Report;
use blanche_scan::settings::Settings;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Sessions that work at the same time: with more, everybody waits longer, and matchers share the memory of the machine.
const AT_ONCE: usize = 2;
/// Bytes per second and core that a station is believed to check before it has seen a session: below what the slowest
/// kiosks do, so that nobody is told to come back too early.
const FIRST_RATE: u64 = 20_000_000;
/// A medium with less content says more about start-up than about the rate, in bytes.
const TELLING: u64 = 32 << 20;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A device came, changed or went.
    Event(Event),
    /// The gate was asked to admit a device: what came of it.
    Admitted(DevPath, Result<(), DeviceRefusal>),
    /// A session's thread has something to say.
    Work(SessionId, Work),
    /// The machine slept: what was plugged in may be another medium now.
    Slept(Duration),
    /// The engines are ready, or cannot be used: why.
    Engines(Result<(), String>),
}

/// What a session's thread says.
#[derive(Debug)]
pub enum Work {
    /// A snapshot.
    Progress(Progress),
    /// The medium is clean and gets its tag: bytes that are written.
    Sealing(u64),
    /// The thread has ended and every child with it.
    Ended(Ending),
}

/// How a session's thread ended.
#[derive(Debug)]
pub enum Ending {
    /// With a report.
    Report(Box<Report>),
    /// Without.
    Failed(Failure),
}

/// What a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Stop checking.
    Cancel(SessionId),
    /// Let the medium go: afterwards the kernel knows it no more.
    Eject(SessionId),
}

/// Why an order is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefused {
    /// The session is over or never was.
    #[error("no such session; it may have ended")]
    NoSuchSession,
    /// There is nothing left to cancel.
    #[error("nothing is being checked in this session any more")]
    NothingToCancel,
    /// It is being read or written.
    #[error("the medium is in use; cancel first")]
    InUse,
}

/// What is to be done, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Authorise a device; answer with [`Input::Admitted`].
    Admit(UsbDevice),
    /// Take every driver away from a device.
    Refuse(DevPath),
    /// Make a disk and its partitions read-only for everybody.
    Protect(Disk),
    /// Start the thread of a session.
    Start(SessionId, Disk),
    /// Ask that thread to stop.
    Stop(SessionId),
    /// Make the kernel forget a disk.
    Release(Disk),
    /// Write into the journal.
    Record(Entry),
}

/// What the journal gets to know.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A device was judged: what it is, and what was decided.
    Judged(Box<UsbDevice>, Decision),
    /// The gate could not or would not carry it out.
    Withdrawn(DevPath, DeviceRefusal),
    /// A disk that nobody admitted.
    Stray(Box<Disk>),
    /// A session went into another state.
    Entered(SessionId, State),
    /// A session began.
    Opened(Box<SessionView>),
    /// A session has its result.
    Concluded(Box<SessionView>),
    /// Somebody gave an order.
    Ordered(Order),
    /// The machine slept for so long.
    Slept(Duration),
    /// The clock on the wall was set, by so many seconds.
    ClockSet(f64),
    /// The station begins.
    Started,
    /// The station ends.
    Stopped,
}

#[derive(Debug)]
struct Device {
    device: UsbDevice,
    /// `None` while the gate is asked.
    role: Option<Role>,
    /// Refused devices have a session of their own, so that people learn why.
    refused: Option<SessionId>,
}

#[derive(Debug)]
struct Session {
    view: SessionView,
    disk: Option<Disk>,
    /// Why it is being stopped.
    stopping: Option<Failure>,
}

/// Says what becomes of a device.
pub type Decide = Box<dyn Fn(&UsbDevice) -> Decision + Send>;
/// Says what a port is for that has a drive without USB: nothing when it is not declared.
pub type RoleOfDrive = Box<dyn Fn(&Disk) -> Option<Role> + Send>;

/// What the machine needs to know of the world.
pub struct Rules {
    /// The decision on a device.
    pub decide: Decide,
    /// What a port is for that has a drive without USB: nothing when it is not declared.
    pub drive: RoleOfDrive,
    /// Sessions that work at the same time.
    pub at_once: usize,
    /// Cores that check.
    pub cores: u64,
}

impl Rules {
    /// What the administrator declared.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let policy = Policy::from(settings);
        let slots = policy.clone();
        Self {
            decide: Box::new(move |device| decide(device, &policy)),
            drive: Box::new(move |disk| slots.role_of_slot(disk).ok()),
            at_once: AT_ONCE,
            cores: u64::from(settings.matchers.resolved()),
        }
    }
}

/// All media of a station.
pub struct Machine {
    rules: Rules,
    devices: BTreeMap<DevPath, Device>,
    disks: BTreeMap<DevPath, Disk>,
    /// In the order of their arrival: UUIDv7 sort by time.
    sessions: BTreeMap<SessionId, Session>,
    /// Bytes per second of earlier sessions.
    rate: u64,
    /// Nothing while they are being loaded.
    engines: Option<Result<(), String>>,
    effects: Vec<Effect>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Machine").field("devices", &self.devices).field("sessions", &self.sessions).finish()
    }
}

impl Machine {
    /// A station without media.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let rate = FIRST_RATE.saturating_mul(rules.cores.max(1));
        Self {
            rules,
            devices: BTreeMap::new(),
            disks: BTreeMap::new(),
            sessions: BTreeMap::new(),
            rate,
            engines: None,
            effects: Vec::new(),
        }
    }

    /// Sessions, in the order of their arrival.
    pub fn sessions(&self) -> impl Iterator<Item = &SessionView> {
        self.sessions.values().map(|session| &session.view)
    }

    /// One session.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&SessionView> {
        self.sessions.get(&id).map(|session| &session.view)
    }

    /// Takes what happened; says what to do.
    #[must_use]
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Event(event) => self.event(event),
            Input::Admitted(path, result) => self.admitted(&path, result),
            Input::Work(id, work) => self.work(id, work),
            Input::Slept(time) => self.slept(time),
            Input::Engines(state) => self.engines = Some(state),
        }
        self.start_waiting();
        std::mem::take(&mut self.effects)
    }

    /// Takes an order; says what to do.
    ///
    /// # Errors
    /// [`OrderRefused`] when there is nothing to be ordered.
    pub fn order(&mut self, order: Order) -> Result<Vec<Effect>, OrderRefused> {
        match order {
            Order::Cancel(id) => {
                let session = self.sessions.get(&id).ok_or(OrderRefused::NoSuchSession)?;
                match session.view.state {
                    State::Queued | State::Checking | State::Sealing => {
                        self.effects.push(Effect::Record(Entry::Ordered(order)));
                        self.stop(id, failure("cancelled", "somebody cancelled"));
                    }
                    _ => return Err(OrderRefused::NothingToCancel),
                }
            }
            Order::Eject(id) => {
                let session = self.sessions.get(&id).ok_or(OrderRefused::NoSuchSession)?;
                match (session.view.state, session.disk.clone()) {
                    (State::Verdict, Some(disk)) => {
                        self.effects.push(Effect::Record(Entry::Ordered(order)));
                        self.effects.push(Effect::Release(disk));
                    }
                    (State::Refused | State::Removed, _) | (_, None) => return Err(OrderRefused::NoSuchSession),
                    _ => return Err(OrderRefused::InUse),
                }
            }
        }
        self.start_waiting();
        Ok(std::mem::take(&mut self.effects))
    }

    /// Forgets sessions whose medium is gone and whose thread has ended.
    pub fn forget(&mut self, id: SessionId) {
        if self.sessions.get(&id).is_some_and(|session| session.view.state == State::Removed) {
            self.sessions.remove(&id);
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::DeviceArrived(device) | Event::DeviceChanged(device) => self.device(device),
            Event::DeviceGone(path) => self.device_gone(&path),
            Event::DiskArrived(disk) | Event::DiskChanged(disk) => self.disk(disk),
            Event::DiskGone(path) => self.disk_gone(&path),
        }
    }

    /// A device is there, or shows other descriptors than before.
    fn device(&mut self, device: UsbDevice) {
        let path = device.path.clone();
        let known = self.devices.remove(&path);
        let decision = match &known {
            Some(before) if before.device.descriptors == device.descriptors => {
                self.devices.extend(known.map(|before| (path, before)));
                return;
            }
            Some(before) if before.role.is_some() => Decision::Refuse(DeviceRefusal::Changed),
            _ => (self.rules.decide)(&device),
        };
        if let Some(id) = known.and_then(|before| before.refused) {
            self.remove(id);
        }
        self.effects.push(Effect::Record(Entry::Judged(Box::new(device.clone()), decision.clone())));
        let entry = Device { device: device.clone(), role: None, refused: None };
        self.devices.insert(path, entry);
        match decision {
            Decision::Admit(_) | Decision::Hub | Decision::Own => self.effects.push(Effect::Admit(device)),
            Decision::Refuse(why) => self.refuse(&device.path, why),
        }
    }

    /// Takes a device out of service, and every session of its disks with it.
    fn refuse(&mut self, path: &DevPath, why: DeviceRefusal) {
        self.effects.push(Effect::Refuse(path.clone()));
        let changed = failure("changed", "the device became another one during the session");
        let disks = self.disks.values().filter(|disk| disk.device.as_ref() == Some(path)).map(|disk| disk.path.clone());
        for session in disks.filter_map(|disk| self.session_of(&disk)).collect::<Vec<_>>() {
            self.stop(session, changed.clone());
        }
        let Some(device) = self.devices.get_mut(path) else { return };
        device.role = None;
        let medium = MediumView::of(Some(&device.device), None);
        let id = SessionId::now_v7();
        device.refused = Some(id);
        self.open(Session {
            view: SessionView {
                id,
                state: State::Refused,
                medium,
                role: Role::Input,
                progress: None,
                estimate: None,
                tag_bytes: 0,
                conclusion: Some(Conclusion::Refused(why)),
                pulled: false,
            },
            disk: None,
            stopping: None,
        });
        self.concluded(id);
    }

    /// The gate has answered.
    fn admitted(&mut self, path: &DevPath, result: Result<(), DeviceRefusal>) {
        let Some(device) = self.devices.get_mut(path) else { return };
        match result {
            Ok(()) => {
                if let Decision::Admit(role) = (self.rules.decide)(&device.device) {
                    device.role = Some(role);
                }
            }
            Err(why) => {
                self.effects.push(Effect::Record(Entry::Withdrawn(path.clone(), why.clone())));
                self.refuse(path, why);
            }
        }
        // A disk may be told before the answer of the gate that made it possible.
        let waiting: Vec<Disk> =
            self.disks.values().filter(|disk| disk.device.as_ref() == Some(path)).cloned().collect();
        for disk in waiting {
            if self.session_of(&disk.path).is_none() {
                self.begin(disk);
            }
        }
    }

    fn device_gone(&mut self, path: &DevPath) {
        let disks: Vec<DevPath> = self
            .disks
            .values()
            .filter(|disk| disk.device.as_ref() == Some(path))
            .map(|disk| disk.path.clone())
            .collect();
        for disk in disks {
            self.disk_gone(&disk);
        }
        if let Some(id) = self.devices.remove(path).and_then(|device| device.refused) {
            self.remove(id);
        }
    }

    /// A disk is there, or has another medium in it.
    fn disk(&mut self, disk: Disk) {
        let before = self.disks.insert(disk.path.clone(), disk.clone());
        let same = |before: &Disk| before.sequence == disk.sequence && before.capacity == disk.capacity;
        if before.as_ref().is_some_and(same) && self.session_of(&disk.path).is_some() {
            return;
        }
        if let Some(session) = self.session_of(&disk.path) {
            self.remove(session);
        }
        self.begin(disk);
    }

    /// Begins a session if there is a medium in the disk and somebody admitted it.
    fn begin(&mut self, disk: Disk) {
        let device = disk.device.as_ref().and_then(|path| self.devices.get(path));
        let role = match (&disk.device, device) {
            (None, _) => (self.rules.drive)(&disk),
            // The gate is being asked: see `admitted`.
            (Some(_), Some(device)) if device.role.is_none() && device.refused.is_none() => return,
            (Some(_), device) => device.and_then(|device| device.role),
        };
        let Some(role) = role else {
            if disk.device.is_some() {
                self.effects.push(Effect::Protect(disk.clone()));
                self.effects.push(Effect::Record(Entry::Stray(Box::new(disk))));
            }
            return;
        };
        self.effects.push(Effect::Protect(disk.clone()));
        if disk.capacity == 0 || role == Role::Output {
            return;
        }
        let view = SessionView {
            id: SessionId::now_v7(),
            state: State::Queued,
            medium: MediumView::of(device.map(|device| &device.device), Some(&disk)),
            role,
            progress: None,
            estimate: None,
            tag_bytes: 0,
            conclusion: None,
            pulled: false,
        };
        self.open(Session { view, disk: Some(disk), stopping: None });
    }

    fn disk_gone(&mut self, path: &DevPath) {
        self.disks.remove(path);
        if let Some(session) = self.session_of(path) {
            self.remove(session);
        }
    }

    /// The living session of a disk.
    fn session_of(&self, path: &DevPath) -> Option<SessionId> {
        let of_it = |session: &Session| {
            session.view.state != State::Removed
                && !session.view.pulled
                && session.disk.as_ref().is_some_and(|disk| disk.path == *path)
        };
        self.sessions.values().find(|session| of_it(session)).map(|session| session.view.id)
    }

    fn open(&mut self, session: Session) {
        self.effects.push(Effect::Record(Entry::Opened(Box::new(session.view.clone()))));
        self.sessions.insert(session.view.id, session);
    }

    fn enter(&mut self, id: SessionId, state: State) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.view.state != state {
            session.view.state = state;
            self.effects.push(Effect::Record(Entry::Entered(id, state)));
        }
    }

    fn concluded(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get(&id) {
            self.effects.push(Effect::Record(Entry::Concluded(Box::new(session.view.clone()))));
        }
    }

    /// The medium of a session is gone.
    fn remove(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let state = session.view.state;
        if state.is_working() || state == State::Queued {
            session.view.pulled = true;
            self.stop(id, failure("removed", "the medium was pulled out"));
        } else {
            self.enter(id, State::Removed);
        }
    }

    /// Ends a session before its verdict. What a thread still says afterwards is not believed to be clean.
    fn stop(&mut self, id: SessionId, why: Failure) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.view.state.is_working() {
            session.stopping.get_or_insert(why);
            self.enter(id, State::Stopping);
            self.effects.push(Effect::Stop(id));
        } else if session.view.conclusion.is_none() {
            session.view.conclusion = Some(Conclusion::Failed(why));
            self.conclude(id);
        }
    }

    /// A session has its result.
    fn conclude(&mut self, id: SessionId) {
        self.enter(id, State::Verdict);
        self.concluded(id);
        if self.sessions.get(&id).is_some_and(|session| session.view.pulled) {
            self.enter(id, State::Removed);
        }
    }

    fn work(&mut self, id: SessionId, work: Work) {
        let rate = self.rate;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match work {
            Work::Progress(progress) => {
                if progress.stage == Stage::Checking && session.view.estimate.is_none() {
                    session.view.estimate = progress.bytes.checked_div(rate).map(Duration::from_secs);
                }
                session.view.progress = Some(progress);
            }
            Work::Sealing(bytes) => {
                session.view.tag_bytes = bytes;
                if session.view.state == State::Checking {
                    self.enter(id, State::Sealing);
                }
            }
            Work::Ended(ending) => self.ended(id, ending),
        }
    }

    fn ended(&mut self, id: SessionId, ending: Ending) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if !session.view.state.is_working() {
            return;
        }
        let conclusion = match (ending, session.stopping.take()) {
            (Ending::Report(report), None) => Conclusion::Report(Arc::from(report)),
            (Ending::Report(report), Some(why)) if is_believed(&report, &why) => Conclusion::Report(Arc::from(report)),
            (_, Some(why)) => Conclusion::Failed(why),
            (Ending::Failed(why), None) => Conclusion::Failed(why),
        };
        if let Conclusion::Report(report) = &conclusion
            && report.content.bytes >= TELLING
            && report.content.bytes == report.content.checked
        {
            // Half of the last session, half of those before.
            self.rate = self.rate.midpoint(report.profile.bytes_per_second.max(1));
        }
        session.view.conclusion = Some(conclusion);
        self.conclude(id);
    }

    /// After a sleep nobody knows whether a medium is still the one that was being read.
    fn slept(&mut self, time: Duration) {
        self.effects.push(Effect::Record(Entry::Slept(time)));
        let working: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| session.view.state.is_working())
            .map(|session| session.view.id)
            .collect();
        for id in working {
            self.stop(id, failure("sleep", "the station slept during the session"));
        }
    }

    /// Starts those whose turn it is; without engines, nobody's turn ever comes. A disk with another card in it waits until
    /// the thread of the first card has ended: its descriptor leads to the second by now.
    fn start_waiting(&mut self) {
        let queued = |session: &&Session| session.view.state == State::Queued;
        let waiting: Vec<SessionId> = self.sessions.values().filter(queued).map(|session| session.view.id).collect();
        for id in waiting {
            let working = self.sessions.values().filter(|session| session.view.state.is_working());
            let Some(disk) = self.sessions.get(&id).and_then(|session| session.disk.clone()) else { continue };
            match &self.engines {
                None => break,
                Some(Err(reason)) => {
                    let why = failure("engines", reason);
                    self.stop(id, why);
                }
                Some(Ok(())) if working.clone().count() >= self.rules.at_once => break,
                Some(Ok(())) => {
                    let mut disks = working.filter_map(|session| session.disk.as_ref());
                    if disks.all(|busy| busy.path != disk.path) {
                        self.enter(id, State::Checking);
                        self.effects.push(Effect::Start(id, disk));
                    }
                }
            }
        }
    }
}

/// Whether a report counts although its session was stopped. What was found stays found; who cancelled too late, or pulled
/// the medium out when its tag was there already, stopped nothing. After a sleep or a change nothing good is believed.
fn is_believed(report: &Report, why: &Failure) -> bool {
    match why.kind {
        "cancelled" => true,
        "removed" => report.verdict == Verdict::Infected || report.seal.is_some(),
        _ => report.verdict == Verdict::Infected,
    }
}

fn failure(kind: &'static str, detail: &str) -> Failure {
    Failure { kind, detail: detail.to_owned() }
}
