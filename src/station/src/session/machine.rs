//! The state machine of the station: what happened in, what is to be done out.
//!
//! It is a pure function of its inputs, so that every order of events can be tried without a device. Whoever drives it
//! carries the effects out in their order, and gives the results back as inputs.

mod copies;
mod devices;
mod doubt;

use super::SessionId;
use super::messages::{Effect, Ending, Entry, Input, Order, OrderRefused, Ticket, Work};
use super::rules::Rules;
use super::view::{Conclusion, Failure, SessionView, State};
use crate::admit::Role;
use crate::detect::{DevPath, Disk, Event, UsbDevice};
use blanche_scan::progress::Stage;
use copies::{Copies, output_removed};
use doubt::{doubt, is_believed, standing};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Bytes per second and core that a station is believed to check before it has seen a session: below what the slowest
/// kiosks do, so that nobody is told to come back too early.
const FIRST_RATE: u64 = 20_000_000;
/// A medium with less content says more about start-up than about the rate, in bytes.
pub(crate) const TELLING: u64 = 32 << 20;

#[derive(Debug)]
struct Device {
    device: UsbDevice,
    /// What it brings media for, if it was admitted for that.
    role: Option<Role>,
    /// Refused devices have a session of their own, so that people learn why.
    refused: Option<SessionId>,
    /// It became another one after it was judged: whatever it shows now, it stays out until it is pulled out.
    suspect: bool,
    /// The gate is being asked.
    asked: Option<Ticket>,
}

#[derive(Debug)]
struct Session {
    view: SessionView,
    disk: Option<Disk>,
    /// The gate is being asked to protect the disk: nobody reads it before.
    protecting: Option<Ticket>,
    /// Why it is being stopped: of several reasons, the one that leaves most in doubt.
    stopping: Option<Failure>,
    /// The tag that was signed for it, and may stand on it.
    signed: Option<String>,
}

/// All media of a station.
pub struct Machine {
    rules: Rules,
    devices: BTreeMap<DevPath, Device>,
    disks: BTreeMap<DevPath, Disk>,
    /// In the order of their arrival: UUIDv7 sort by time.
    sessions: BTreeMap<SessionId, Session>,
    copies: Copies,
    /// Bytes per second of earlier sessions.
    rate: u64,
    /// Nothing while they are being loaded.
    engines: Option<Result<(), String>>,
    /// The station is being stopped.
    ending: bool,
    /// The machine is about to sleep: nothing is begun.
    asleep: bool,
    /// Of the last question to the gate.
    ticket: Ticket,
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
            copies: Copies::default(),
            rate,
            engines: None,
            ending: false,
            asleep: false,
            ticket: Ticket::default(),
            effects: Vec::new(),
        }
    }

    /// Takes the rate of earlier sessions, in bytes per second, from before the station was started.
    pub fn learn(&mut self, rate: u64) {
        self.rate = rate.max(1);
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

    /// Disks that wait for this answer of the gate.
    pub fn disks_behind(&self, ticket: Ticket) -> impl Iterator<Item = &Disk> {
        let device = self.devices.iter().find(|(_, device)| device.asked == Some(ticket)).map(|(path, _)| path);
        self.disks.values().filter(move |disk| device.is_some() && disk.device.as_ref() == device)
    }

    /// Takes what happened; says what to do.
    #[must_use]
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Event(_) | Input::Admitted(..) if self.ending => {}
            Input::Event(event) => self.event(event),
            Input::Admitted(ticket, result) => self.admitted(ticket, result),
            Input::Protected(ticket, result) => self.protected(ticket, result),
            Input::Work(id, work) => self.work(id, work),
            Input::Sleeping => self.about_to_sleep(),
            Input::Woke => self.woke(),
            Input::Slept(time) => self.slept(time),
            Input::Engines(state) => self.engines(state),
            Input::Looked(id, contents) => self.looked(id, contents),
            Input::MaySeal(may) => self.may_seal(may),
            Input::Ending => self.end(),
        }
        self.start_waiting();
        self.look_and_tell();
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
                    State::Queued | State::Checking | State::Sealing | State::Copying => {
                        self.effects.push(Effect::Record(Entry::Cancelled(id)));
                        self.stop(id, Failure::new("cancelled", "somebody cancelled"));
                    }
                    _ => return Err(OrderRefused::NothingToCancel),
                }
            }
            Order::Eject(id) => {
                let session = self.sessions.get(&id).ok_or(OrderRefused::NoSuchSession)?;
                match (session.view.state, session.disk.clone()) {
                    // The thread of the card before still holds it.
                    (State::Verdict, Some(disk)) if self.is_held(&disk) => return Err(OrderRefused::InUse),
                    (State::Verdict, Some(disk)) => {
                        self.effects.push(Effect::Record(Entry::Ejected(id)));
                        self.drop_kept(id);
                        let ticket = self.next_ticket();
                        self.effects.push(Effect::Release(ticket, disk));
                    }
                    (State::Refused | State::Removed, _) | (_, None) => return Err(OrderRefused::NoSuchSession),
                    _ => return Err(OrderRefused::InUse),
                }
            }
            Order::Copy { session, output, erase } => self.order_copy(session, output, erase)?,
        }
        self.start_waiting();
        self.look_and_tell();
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

    /// The living session of a disk.
    fn session_of(&self, path: &DevPath) -> Option<SessionId> {
        let of_it = |session: &Session| {
            session.view.state != State::Removed
                && !session.view.pulled
                && session.disk.as_ref().is_some_and(|disk| disk.path == *path)
        };
        self.sessions.values().find(|session| of_it(session)).map(|session| session.view.id)
    }

    /// Whether a thread works on a disk, be it on a medium that is not in it any more.
    fn is_held(&self, disk: &Disk) -> bool {
        let working = self.sessions.values().filter(|session| session.view.state.is_working());
        working.filter_map(|session| session.disk.as_ref()).any(|busy| busy.path == disk.path)
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
            if state == State::Removed {
                self.drop_kept(id);
            }
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
            self.stop(id, Failure::new("removed", "the medium was pulled out"));
        } else {
            self.enter(id, State::Removed);
        }
    }

    /// Ends a session before its verdict, or the copying of its files. What a thread still says afterwards is not believed to be clean.
    fn stop(&mut self, id: SessionId, why: Failure) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.view.state.is_working() {
            if session.stopping.as_ref().is_none_or(|before| doubt(before) < doubt(&why)) {
                session.stopping = Some(why);
            }
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
            // Of a copy, its own progress tells this.
            Work::Sealing(_) if session.is_copying() => {}
            Work::Sealing(bytes) => {
                session.view.tag_bytes = bytes;
                if session.view.state == State::Checking {
                    self.enter(id, State::Sealing);
                }
            }
            Work::Signed(tag) => {
                if !session.is_copying() {
                    session.signed = Some(tag.clone());
                }
                self.effects.push(Effect::Record(Entry::Signed(id, tag)));
            }
            Work::Kept => self.keep(id),
            Work::Copying(progress) => self.copy_progress(id, progress),
            Work::Copied(report) => self.copied(id, *report),
            Work::Ended(Ending::Failed(why)) if session.is_copying() => self.copy_failed(id, &why),
            Work::Ended(ending) => self.ended(id, ending),
        }
    }

    fn ended(&mut self, id: SessionId, ending: Ending) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if !session.view.state.is_working() || session.is_copying() {
            return;
        }
        let signed = session.signed.take();
        let conclusion = match (ending, session.stopping.take()) {
            (Ending::Report(report), None) => Conclusion::Report(Arc::from(report)),
            (Ending::Report(report), Some(why)) if is_believed(&report, &why) => Conclusion::Report(Arc::from(report)),
            (Ending::Report(report), Some(why)) => {
                Conclusion::Failed(Failure { tag: standing(&report, signed), ..why })
            }
            (Ending::Failed(_), Some(why)) | (Ending::Failed(why), None) => {
                Conclusion::Failed(Failure { tag: signed, ..why })
            }
        };
        if let Conclusion::Report(report) = &conclusion
            && report.content.bytes >= TELLING
            && report.content.bytes == report.content.checked
        {
            // Half of the last session, half of those before.
            self.rate = self.rate.midpoint(report.profile.bytes_per_second.max(1));
        }
        session.view.conclusion = Some(conclusion);
        self.keep_or_drop(id);
        self.conclude(id);
    }

    /// What engines say that miss something is worth nothing: whatever they are at work on ends with them.
    fn engines(&mut self, state: Result<(), String>) {
        if let Err(why) = &state {
            self.stop_working(&Failure::new("engines", why));
        }
        self.engines = Some(state);
    }

    /// What is stopped now need not be stopped after the sleep, when it would go on for a moment with another medium.
    fn about_to_sleep(&mut self) {
        self.asleep = true;
        self.effects.push(Effect::Record(Entry::Sleeping));
        self.stop_working(&Failure::new("sleep", "the station is about to sleep"));
    }

    /// It may have been too short for a clock to tell, or nothing came of it.
    fn woke(&mut self) {
        if self.asleep {
            self.asleep = false;
            self.effects.push(Effect::Record(Entry::Slept(Duration::ZERO)));
        }
    }

    /// After a sleep nobody knows whether a medium is still the one that was being read.
    fn slept(&mut self, time: Duration) {
        self.asleep = false;
        self.effects.push(Effect::Record(Entry::Slept(time)));
        self.stop_working(&Failure::new("sleep", "the station slept during the session"));
    }

    fn stop_working(&mut self, why: &Failure) {
        let working: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| session.view.state.is_working())
            .map(|session| session.view.id)
            .collect();
        for id in working {
            self.stop(id, why.clone());
        }
    }

    /// Stops everything, and begins nothing any more.
    fn end(&mut self) {
        self.ending = true;
        self.stop_looking();
        let open = |session: &&Session| session.view.conclusion.is_none() || session.is_copying();
        let all: Vec<SessionId> = self.sessions.values().filter(open).map(|session| session.view.id).collect();
        for id in all {
            self.stop(id, Failure::new("restart", "the station was stopped during the session"));
        }
    }

    /// Starts those whose turn it is and whose disk is protected; without engines everybody waits, and the board says for what. A
    /// disk with another card in it waits until the thread of the first card has ended: its descriptor leads to the second by now.
    fn start_waiting(&mut self) {
        if self.ending || self.asleep {
            return;
        }
        let queued = |session: &&Session| session.view.state == State::Queued;
        let waiting: Vec<SessionId> = self.sessions.values().filter(queued).map(|session| session.view.id).collect();
        for id in waiting {
            let working = self.sessions.values().filter(|session| session.view.state.is_working()).count();
            let Some(disk) = self.sessions.get(&id).and_then(|session| session.disk.clone()) else { continue };
            match &self.engines {
                None | Some(Err(_)) => break,
                Some(Ok(())) if working >= self.rules.at_once => break,
                Some(Ok(())) if self.sessions.get(&id).is_some_and(|session| session.protecting.is_some()) => {}
                Some(Ok(())) if self.is_held(&disk) => {}
                Some(Ok(())) => {
                    self.enter(id, State::Checking);
                    self.effects.push(Effect::Start(id, disk));
                }
            }
        }
    }
}
