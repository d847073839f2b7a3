//! The thread that decides: takes one message after the other, asks the machine, carries out what it says.

use super::asked::Asked;
use super::bases::Seen;
use super::clock::{Clock, Jumps};
use super::copies::Copies;
use super::selftest::Asker;
use super::workers::Worker;
use super::{LOOK, Message, Parts, sleep, threads};
use crate::admit::lanes::{self, Lanes};
use crate::board::{Board, Problem, ProblemKind};
use crate::record::Recorder;
use crate::seal::Act;
use crate::session::view::{Contents, State};
use crate::session::{Effect, Entry, Input, Machine, SessionId, Work};
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use blanche_scan::{EngineRoom, EngineRoomDescription};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How long a session stays on the board after its medium is gone.
const LINGER: Duration = Duration::from_secs(60);
/// Sessions that stay on the board so long, at most: a device may come and go for ever, and the bus shows no more.
const LINGERING: usize = 64;
/// How long the end waits for what the gate was asked, such as the protection of a medium that was being sealed.
const GATE_AT_THE_END: Duration = Duration::from_secs(5);
/// How often the ages of the bases are looked at.
const AGES: Duration = Duration::from_secs(60);

pub(super) struct Driver {
    pub(super) machine: Machine,
    pub(super) settings: Arc<Settings>,
    pub(super) gate: Lanes,
    pub(super) asked: Asked,
    recorder: Recorder,
    pub(super) sender: Sender<Message>,
    pub(super) board: Arc<Board>,
    pub(super) room: Option<Arc<EngineRoom>>,
    pub(super) workers: BTreeMap<SessionId, Worker>,
    pub(super) copies: Copies,
    gone: VecDeque<(Instant, SessionId)>,
    problems: Vec<Problem>,
    clock: Clock,
    /// Who waits with the machine's sleep until nobody works.
    held_up: Vec<Sender<()>>,
    /// What was seen of the bases.
    bases: Seen,
    /// When they were looked at, and how often they had been loaded.
    aged: Option<(Instant, u64)>,
    pub(super) stop: Cancel,
    /// Who waits for a self-test.
    pub(super) tested_for: Option<Asker>,
    simulated: bool,
    /// Whether files of media are copied here at all.
    pub(super) copying: bool,
    ending: bool,
}

impl Driver {
    pub(super) fn new(parts: Parts, sender: Sender<Message>, board: Arc<Board>) -> std::io::Result<Self> {
        let Parts { settings, source, mut gate, rules, signer, clocks, logind, simulated } = parts;
        let closed = gate.close();
        let open_before = gate.open_at_start();
        let stop = Cancel::default();
        threads::detect(source, sender.clone(), stop.clone())?;
        threads::open_engines(None, Arc::clone(&settings), sender.clone(), stop.clone())?;
        if let Some(signer) = signer {
            threads::ask_signer(signer, sender.clone(), stop.clone())?;
        }
        if let Some(logind) = logind {
            sleep::listen(logind, sender.clone(), stop.clone())?;
        }
        let copying = rules.copies.is_some();
        let mut driver = Self {
            machine: Machine::new(rules),
            recorder: Recorder::new(Arc::clone(&settings)),
            settings,
            gate: Lanes::new(gate),
            asked: Asked::default(),
            sender,
            board,
            room: None,
            workers: BTreeMap::new(),
            copies: Copies::default(),
            gone: VecDeque::new(),
            problems: Vec::new(),
            clock: Clock::new(clocks),
            held_up: Vec::new(),
            bases: Seen::default(),
            aged: None,
            stop,
            tested_for: None,
            simulated,
            copying,
            ending: false,
        };
        if let Err(error) = closed {
            driver.problem(ProblemKind::UsbOpen, error.to_string());
        }
        driver.keep_record(&Entry::Started { simulated });
        if let Some(rate) = driver.recorder.rate() {
            driver.machine.learn(rate);
        }
        if !open_before.is_empty() {
            driver.keep_record(&Entry::PortsWereOpen(open_before));
        }
        driver.show();
        Ok(driver)
    }

    pub(super) fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            match inbox.recv_timeout(LOOK) {
                Ok(Message::Quit) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => {
                    // Before a result is believed: the machine may have slept since it was sent.
                    self.look_at_clocks();
                    self.take(message);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look();
            self.show();
        }
        self.end(inbox);
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Input(Input::Event(event)) if event.is_outdated() => {}
            Message::Input(input) => self.input(input),
            Message::Gate(ticket, result) => self.answered(ticket, result),
            Message::Order(order, reply) => self.order(order, reply),
            Message::Engines(Ok(room)) => {
                self.solved(ProblemKind::Engines);
                self.room = Some(room);
                self.aged = None;
                self.input(Input::Engines(Ok(())));
            }
            Message::Engines(Err(reason)) => {
                self.problem(ProblemKind::Engines, reason.clone());
                self.input(Input::Engines(Err(reason)));
            }
            Message::Kept(id, kept) => {
                self.copies.keep(id, kept);
                self.input(Input::Work(id, Work::Kept));
            }
            Message::Detection(Err(error)) => self.problem(ProblemKind::Detection, error.to_string()),
            Message::Detection(Ok(())) => self.solved(ProblemKind::Detection),
            Message::Signer(Err(reason)) => self.problem(ProblemKind::Signer, reason),
            Message::Signer(Ok(())) => self.solved(ProblemKind::Signer),
            // A thread that was killed does not wait for the answer.
            Message::Permit(id, act, reply) => drop(reply.send(self.permit(id, act))),
            Message::Sleeping(ready) => {
                self.held_up.push(ready);
                self.input(Input::Sleeping);
            }
            Message::Woke => self.input(Input::Woke),
            Message::SelfTest(asker) => self.test_for(asker),
            Message::SelfTested(result) => self.tested(result),
            Message::Quit => {}
        }
    }

    /// Whether the thread of a session may do this: not when it is being stopped. It is recorded first: a tag without a record
    /// must not be.
    fn permit(&mut self, id: SessionId, act: Act) -> Result<(), String> {
        let work = match act {
            Act::Seal => Work::Sealing(0),
            Act::Write(tag) => Work::Signed(tag.tag),
        };
        self.input(Input::Work(id, work));
        self.may_write(id)
    }

    /// Whether the thread of a session may write a medium now: everything that was recorded before is in the journal.
    pub(super) fn may_write(&self, id: SessionId) -> Result<(), String> {
        let state = self.machine.session(id).map(|session| session.state);
        match (self.forbids_sealing(), state) {
            (Some(reason), _) => Err(reason),
            (None, Some(State::Sealing | State::Copying)) => Ok(()),
            (None, _) => Err("the session is being stopped".to_owned()),
        }
    }

    /// Why nothing is sealed at the moment.
    fn forbids_sealing(&self) -> Option<String> {
        if self.ending {
            return Some("the station is being stopped".to_owned());
        }
        let problem = self.problems.iter().find(|problem| problem.kind.forbids_sealing())?;
        Some(format!("{}: {}", problem.kind.word(), problem.detail))
    }

    pub(super) fn input(&mut self, input: Input) {
        let effects = self.machine.handle(input);
        self.carry_out(effects);
    }

    /// Carries effects out in their order. The gate only takes them down: its answers come as messages.
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Record(entry) => self.keep_record(&entry),
                Effect::Start(id, disk) => self.start(id, disk),
                Effect::Stop(id) => {
                    self.workers.get(&id).inspect(|worker| worker.cancel.cancel());
                }
                Effect::Admit(ticket, device) => self.ask(ticket, lanes::Work::Admit(Box::new(device))),
                Effect::Protect(ticket, disk) => self.ask(ticket, lanes::Work::Protect(disk)),
                Effect::Refuse(path) => self.tell(lanes::Work::Refuse(path)),
                Effect::Release(ticket, disk) => self.ask(ticket, lanes::Work::Release(disk)),
                Effect::Drop(id) => self.copies.forget(id),
                Effect::Look(id, disk) => self.copies.look(id, disk, &self.settings, &self.sender),
                Effect::StopLooking(id) => self.copies.stop_looking(id),
                Effect::Copy(ordered) => self.copy(*ordered),
            }
        }
    }

    pub(super) fn keep_record(&mut self, entry: &Entry) {
        if let Entry::Entered(id, State::Removed) = entry {
            self.gone.push_back((Instant::now(), *id));
        }
        let written = self.recorder.write(entry);
        self.journal_is(written);
    }

    fn journal_is(&mut self, written: Result<(), String>) {
        match written {
            Ok(()) => self.solved(ProblemKind::Journal),
            Err(reason) => self.problem(ProblemKind::Journal, reason),
        }
    }

    /// What is looked at again and again: threads, clocks, bases, sessions that nobody needs any more.
    fn look(&mut self) {
        self.reap();
        self.gate.tend();
        self.look_at_the_asked();
        let written = self.recorder.flush();
        self.journal_is(written);
        self.look_at_clocks();
        self.let_it_sleep();
        for silent in self.copies.look_no_longer(Instant::now()) {
            self.input(Input::Looked(silent, Contents::Unknown));
        }
        let may = self.forbids_sealing().is_none();
        self.input(Input::MaySeal(may));
        self.look_at_bases();
        while self.gone.front().is_some_and(|(at, _)| at.elapsed() >= LINGER || self.gone.len() > LINGERING) {
            if let Some((_, id)) = self.gone.pop_front() {
                self.machine.forget(id);
            }
        }
    }

    fn look_at_clocks(&mut self) {
        let Jumps { slept, set } = self.clock.look();
        if let Some(time) = slept {
            self.input(Input::Slept(time));
        }
        if let Some(by) = set {
            self.keep_record(&Entry::ClockSet(by));
            // Each of them has another age now.
            self.aged = None;
        }
    }

    /// Lets the machine sleep when nothing works any more.
    fn let_it_sleep(&mut self) {
        if self.machine.sessions().all(|session| !session.state.is_working()) {
            // Who waited may have gone away.
            self.held_up.drain(..).for_each(|ready| _ = ready.send(()));
        }
    }

    fn look_at_bases(&mut self) {
        let Some(loads) = self.room.as_ref().map(|room| room.loads()) else { return };
        if self.aged.is_some_and(|(at, before)| before == loads && at.elapsed() < AGES) {
            return;
        }
        let Some(described) = self.describe() else { return };
        self.aged = Some((Instant::now(), loads));
        let obstacles = described.obstacles(&self.settings);
        for entry in self.bases.news(&described, &obstacles) {
            self.keep_record(&entry);
        }
        if obstacles.is_empty() {
            self.solved(ProblemKind::Bases);
        } else {
            self.problem(ProblemKind::Bases, format!("{obstacles:?}"));
        }
        self.board.update(|now| Arc::make_mut(&mut now.station).engines = Some(Arc::new(described)));
    }

    fn describe(&self) -> Option<EngineRoomDescription> {
        self.room.as_ref()?.describe_now()
    }

    pub(super) fn problem(&mut self, kind: ProblemKind, detail: String) {
        if is_recorded(kind) && self.problems.iter().all(|problem| problem.kind != kind) {
            self.keep_record(&Entry::Problem(kind.word(), Some(detail.clone())));
        }
        let problem = Problem { kind, detail };
        if self.problems.contains(&problem) {
            return;
        }
        self.problems.retain(|other| other.kind != kind);
        let Problem { kind, detail } = &problem;
        tracing::warn!("{}: {detail}", kind.word());
        self.problems.push(problem);
        self.problems.sort_by_key(|problem| problem.kind);
    }

    fn solved(&mut self, kind: ProblemKind) {
        let before = self.problems.len();
        self.problems.retain(|problem| problem.kind != kind);
        if self.problems.len() < before && is_recorded(kind) {
            self.keep_record(&Entry::Problem(kind.word(), None));
        }
    }

    /// Writes on the board what changed.
    fn show(&self) {
        let sessions: Vec<_> = self.machine.sessions().map(|session| Arc::new(session.clone())).collect();
        let outputs: Vec<_> = self.machine.outputs().into_iter().cloned().collect();
        self.board.update(|now| {
            now.sessions = sessions;
            let station = Arc::make_mut(&mut now.station);
            station.problems.clone_from(&self.problems);
            station.simulated = self.simulated;
            station.outputs = outputs;
        });
    }

    /// Ends every session in good order.
    fn end(mut self, inbox: &Receiver<Message>) {
        self.stop.cancel();
        self.ending = true;
        self.input(Input::Ending);
        while !self.workers.is_empty() || self.copies.is_looking() {
            // Who asks for a permit now gets none.
            if let Ok(message @ (Message::Input(_) | Message::Permit(..))) = inbox.recv_timeout(LOOK) {
                self.take(message);
            }
            self.reap();
            // Those that ended by a panic, or do not answer, have nothing more to say either.
            let _ = self.copies.look_no_longer(Instant::now());
        }
        if !self.gate.settle(GATE_AT_THE_END) {
            tracing::warn!("a device did not answer the gate: it stays as it is");
        }
        while let Ok(message) = inbox.try_recv() {
            if let Message::Input(input @ Input::Work(..)) = message {
                self.input(input);
            }
        }
        self.keep_record(&Entry::Stopped);
        self.show();
        self.board.update(|now| now.closed = true);
    }
}

/// Whether the beginning and the end of such a problem are recorded as they come: a journal that cannot be written cannot say so, and
/// of bases there is more to be said (`bases`).
const fn is_recorded(kind: ProblemKind) -> bool {
    !matches!(kind, ProblemKind::Journal | ProblemKind::Bases)
}

#[cfg(test)]
mod tests;
