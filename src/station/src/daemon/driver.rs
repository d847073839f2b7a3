//! The thread that decides: takes one message after the other, asks the machine, carries out what it says.

use super::clock::{Clock, Jump};
use super::{LOOK, Message, Parts, threads};
use crate::admit::{DeviceRefusal, Gate, GateError, SharedGate};
use crate::board::{Board, Problem, ProblemKind};
use crate::detect::{Disk, UsbDevice};
use crate::record::Recorder;
use crate::session::view::{Failure, State};
use crate::session::work::Job;
use crate::session::{Effect, Ending, Entry, Input, Machine, SessionId, Work};
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use blanche_scan::{EngineRoom, EngineRoomDescription};
use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a session stays on the board after its medium is gone.
const LINGER: Duration = Duration::from_secs(60);
/// How often the ages of the bases are looked at.
const AGES: Duration = Duration::from_secs(60);

/// A session's thread.
struct Worker {
    cancel: Cancel,
    thread: JoinHandle<()>,
}

pub(super) struct Driver {
    machine: Machine,
    settings: Arc<Settings>,
    gate: SharedGate,
    recorder: Recorder,
    sender: Sender<Message>,
    board: Arc<Board>,
    room: Option<Arc<EngineRoom>>,
    workers: BTreeMap<SessionId, Worker>,
    gone: VecDeque<(Instant, SessionId)>,
    problems: Vec<Problem>,
    clock: Clock,
    /// When the ages of the bases were looked at.
    aged: Option<Instant>,
    stop: Cancel,
    simulated: bool,
}

impl Driver {
    pub(super) fn new(parts: Parts, sender: Sender<Message>, board: Arc<Board>) -> std::io::Result<Self> {
        let Parts { settings, source, mut gate, rules, signer, simulated } = parts;
        let closed = gate.close();
        let open_before = gate.open_at_start();
        let stop = Cancel::default();
        threads::detect(source, sender.clone(), stop.clone())?;
        threads::open_engines(Arc::clone(&settings), sender.clone(), stop.clone())?;
        if let Some(signer) = signer {
            threads::ask_signer(signer, sender.clone(), stop.clone())?;
        }
        let mut driver = Self {
            machine: Machine::new(rules),
            recorder: Recorder::new(Arc::clone(&settings)),
            settings,
            gate: Arc::new(Mutex::new(gate)),
            sender,
            board,
            room: None,
            workers: BTreeMap::new(),
            gone: VecDeque::new(),
            problems: Vec::new(),
            clock: Clock::new(),
            aged: None,
            stop,
            simulated,
        };
        if let Err(error) = closed {
            driver.problem(ProblemKind::UsbOpen, error.to_string());
        }
        driver.keep_record(&Entry::Started);
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
            Message::Order(order, reply) => {
                let effects = self.machine.order(order);
                let answer = effects.map(|effects| self.carry_out(effects));
                // Who asked may have gone away.
                let _ = reply.send(answer);
            }
            Message::Engines(Ok(room)) => {
                self.solved(ProblemKind::Engines);
                self.room = Some(room);
                self.input(Input::Engines(Ok(())));
            }
            Message::Engines(Err(reason)) => {
                self.problem(ProblemKind::Engines, reason.clone());
                self.input(Input::Engines(Err(reason)));
            }
            Message::Detection(Err(error)) => self.problem(ProblemKind::Detection, error.to_string()),
            Message::Detection(Ok(())) => self.solved(ProblemKind::Detection),
            Message::Signer(Err(reason)) => self.problem(ProblemKind::Signer, reason),
            Message::Signer(Ok(())) => self.solved(ProblemKind::Signer),
            Message::Permit(id, reply) => {
                // It is recorded first: a tag without a record must not be.
                self.input(Input::Work(id, Work::Sealing(0)));
                let sealing = self.machine.session(id).is_some_and(|session| session.state == State::Sealing);
                let answer = match self.problems.iter().find(|problem| problem.kind.forbids_sealing()) {
                    Some(problem) => Err(format!("{}: {}", problem.kind.word(), problem.detail)),
                    None if !sealing => Err("the session is being stopped".to_owned()),
                    None => Ok(()),
                };
                // A session that was killed waits for nothing.
                let _ = reply.send(answer);
            }
            Message::Quit => {}
        }
    }

    fn input(&mut self, input: Input) {
        let effects = self.machine.handle(input);
        self.carry_out(effects);
    }

    /// Carries effects out in their order, and those that follow from their results.
    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            let result = match effect {
                Effect::Record(entry) => {
                    self.keep_record(&entry);
                    Ok(())
                }
                Effect::Start(id, disk) => {
                    self.start(id, disk);
                    Ok(())
                }
                Effect::Stop(id) => {
                    self.workers.get(&id).inspect(|worker| worker.cancel.cancel());
                    Ok(())
                }
                Effect::Admit(device) => {
                    let admitted = self.admit(&device);
                    waiting.extend(self.machine.handle(Input::Admitted(device.path, admitted)));
                    Ok(())
                }
                Effect::Protect(disk) => {
                    let protected = self.gate().protect(&disk, true);
                    if protected.is_err() {
                        waiting.extend(self.machine.handle(Input::Unprotected(disk.path)));
                    }
                    protected
                }
                Effect::Refuse(path) => self.gate().refuse(&path),
                Effect::Release(disk) => self.gate().release(&disk),
            };
            if let Err(error) = result {
                // Mostly because the device is gone already.
                tracing::warn!("{error}");
            }
        }
    }

    fn admit(&self, device: &UsbDevice) -> Result<(), DeviceRefusal> {
        self.gate().admit(device).map_err(|error| {
            tracing::warn!("{}: {error}", device.path);
            match error {
                GateError::Changed => DeviceRefusal::Changed,
                GateError::Kernel { .. } | GateError::Open(_) => DeviceRefusal::Unusable,
            }
        })
    }

    fn gate(&self) -> std::sync::MutexGuard<'_, Box<dyn Gate>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_record(&mut self, entry: &Entry) {
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

    fn start(&mut self, id: SessionId, disk: Disk) {
        let Some(room) = self.room.clone() else { return };
        let cancel = Cancel::default();
        let job = Job {
            id,
            disk,
            settings: Arc::clone(&self.settings),
            room,
            cancel: cancel.clone(),
            permit: self.permit(id),
            gate: Arc::clone(&self.gate),
        };
        let sender = self.sender.clone();
        let work = move || {
            job.run(&mut |work| {
                // A daemon that has ended wants to hear nothing more.
                let _ = sender.send(Message::Input(Input::Work(id, work)));
            });
        };
        match std::thread::Builder::new().name("session".to_owned()).spawn(work) {
            Ok(thread) => {
                self.workers.insert(id, Worker { cancel, thread });
            }
            Err(error) => {
                let failure = Failure { kind: "station", detail: format!("no thread: {error}") };
                let ended = Work::Ended(Ending::Failed(failure));
                self.input(Input::Work(id, ended));
            }
        }
    }

    /// Asks this thread whether a session may seal.
    fn permit(&self, id: SessionId) -> Box<dyn Fn() -> Result<(), String> + Send> {
        let sender = self.sender.clone();
        Box::new(move || {
            let stopped = || "the station is being stopped".to_owned();
            let (reply, answer) = mpsc::channel();
            sender.send(Message::Permit(id, reply)).map_err(|_| stopped())?;
            answer.recv().map_err(|_| stopped())?
        })
    }

    /// What is looked at again and again: threads, clocks, bases, sessions that nobody needs any more.
    fn look(&mut self) {
        self.reap();
        let written = self.recorder.flush();
        self.journal_is(written);
        self.look_at_clocks();
        if self.aged.is_none_or(|at| at.elapsed() >= AGES) {
            self.look_at_bases();
        }
        while self.gone.front().is_some_and(|(at, _)| at.elapsed() >= LINGER) {
            if let Some((_, id)) = self.gone.pop_front() {
                self.machine.forget(id);
            }
        }
    }

    fn look_at_clocks(&mut self) {
        match self.clock.look() {
            Some(Jump::Slept(time)) => self.input(Input::Slept(time)),
            Some(Jump::Set(by)) => self.keep_record(&Entry::ClockSet(by)),
            None => {}
        }
    }

    /// Threads that have ended: one that ended without its last word panicked.
    fn reap(&mut self) {
        let ended: Vec<SessionId> =
            self.workers.iter().filter(|(_, worker)| worker.thread.is_finished()).map(|(id, _)| *id).collect();
        for id in ended {
            let panicked = self.workers.remove(&id).is_some_and(|worker| worker.thread.join().is_err());
            if panicked {
                let detail = "the thread of the session ended by a panic".to_owned();
                let failure = Failure { kind: "station", detail };
                let ended = Work::Ended(Ending::Failed(failure));
                self.input(Input::Work(id, ended));
            }
        }
    }

    fn look_at_bases(&mut self) {
        let Some(described) = self.describe() else { return };
        self.aged = Some(Instant::now());
        let obstacles = described.obstacles(&self.settings);
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

    fn problem(&mut self, kind: ProblemKind, detail: String) {
        if kind != ProblemKind::Journal && self.problems.iter().all(|problem| problem.kind != kind) {
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
        if self.problems.len() < before && kind != ProblemKind::Journal {
            self.keep_record(&Entry::Problem(kind.word(), None));
        }
    }

    /// Writes on the board what changed.
    fn show(&self) {
        let sessions: Vec<_> = self.machine.sessions().map(|session| Arc::new(session.clone())).collect();
        self.board.update(|now| {
            now.sessions = sessions;
            let station = Arc::make_mut(&mut now.station);
            station.problems.clone_from(&self.problems);
            station.simulated = self.simulated;
        });
    }

    /// Ends every session in good order.
    fn end(mut self, inbox: &Receiver<Message>) {
        self.stop.cancel();
        self.input(Input::Ending);
        while !self.workers.is_empty() {
            // Who asks for a permit now gets none.
            if let Ok(message @ (Message::Input(_) | Message::Permit(..))) = inbox.recv_timeout(LOOK) {
                self.take(message);
            }
            self.reap();
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
