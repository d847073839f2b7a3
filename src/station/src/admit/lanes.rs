//! Lanes: what the gate is asked to do, in threads of its own.
//!
//! A write to sysfs takes as long as the device likes to be silent. So what concerns one device is done in its order, in the
//! lane of that device, and no lane waits for another: who waits for an answer waits in a lane or for a time that he chose.
//!
//! | rule | why |
//! |---|---|
//! | refusing goes before everything that waits, and takes back what would let the device in | a refusal that waits is an open gate |
//! | protecting takes back a lifting of the protection that still waits | one that comes late must not be the last word |
//! | each question is answered once, or never, if the kernel never answers | who asked counts the time |
//! | at most [`AT_ONCE`] threads, at most [`LONGEST`] questions wait in a lane | a hub full of hostile devices |

use super::{Gate, GateError};
use crate::detect::{DevPath, Disk, UsbDevice};
use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Devices that the gate works on at the same time.
const AT_ONCE: usize = 32;
/// Questions that wait in one lane. A device has one admission and a few disks; more is asked only of one that hangs.
const LONGEST: usize = 64;

/// What the gate is asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// See [`Gate::admit`].
    Admit(Box<UsbDevice>),
    /// See [`Gate::refuse`].
    Refuse(DevPath),
    /// See [`Gate::protect`].
    Protect(Disk),
    /// Lifts that, for the sealer.
    Unprotect(Disk),
    /// See [`Gate::release`].
    Release(Disk),
}

impl Work {
    /// The device whose lane it is: a disk that belongs to none has its own.
    fn lane(&self) -> &DevPath {
        match self {
            Self::Admit(device) => &device.path,
            Self::Refuse(path) => path,
            Self::Protect(disk) | Self::Unprotect(disk) | Self::Release(disk) => {
                disk.device.as_ref().unwrap_or(&disk.path)
            }
        }
    }

    /// Whether it makes no sense any more before `later` is done.
    fn is_taken_back_by(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Admit(_) | Self::Unprotect(_), Self::Refuse(_))
            | (Self::Admit(_), Self::Admit(_))
            | (Self::Refuse(_), Self::Refuse(_)) => true,
            (Self::Unprotect(open), Self::Protect(closed)) => same_medium(open, closed),
            _ => false,
        }
    }

    fn carry_out(&self, gate: &dyn Gate) -> Result<(), GateError> {
        match self {
            Self::Admit(device) => gate.admit(device),
            Self::Refuse(path) => gate.refuse(path),
            Self::Protect(disk) => gate.protect(disk, true),
            Self::Unprotect(disk) => gate.protect(disk, false),
            Self::Release(disk) => gate.release(disk),
        }
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Admit(device) => write!(formatter, "admitting {}", device.path),
            Self::Refuse(path) => write!(formatter, "refusing {path}"),
            Self::Protect(disk) => write!(formatter, "protecting {}", disk.node.display()),
            Self::Unprotect(disk) => write!(formatter, "opening {}", disk.node.display()),
            Self::Release(disk) => write!(formatter, "releasing {}", disk.node.display()),
        }
    }
}

fn same_medium(one: &Disk, other: &Disk) -> bool {
    one.path == other.path && one.sequence == other.sequence
}

/// Hears what came of a question.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), GateError>) + Send>;

/// The lanes of a station. Clones are the same lanes.
#[derive(Clone)]
pub(crate) struct Lanes(Arc<Shared>);

struct Shared {
    gate: Box<dyn Gate>,
    state: Mutex<State>,
    /// Something was done.
    done: Condvar,
}

#[derive(Default)]
struct State {
    lanes: BTreeMap<DevPath, Lane>,
    /// Lanes in which something waits and nothing is done, in the order of their turns.
    ready: VecDeque<DevPath>,
    threads: usize,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<(Work, Answer)>,
    busy: bool,
}

impl Lanes {
    pub(crate) fn new(gate: Box<dyn Gate>) -> Self {
        Self(Arc::new(Shared { gate, state: Mutex::default(), done: Condvar::new() }))
    }

    /// Asks for something; `answer` hears what came of it, from another thread or at once.
    pub(crate) fn ask(&self, work: Work, answer: Answer) {
        self.queue(work, answer, LONGEST);
    }

    /// Lifts the protection of a disk, and waits for that.
    ///
    /// # Errors
    /// [`GateError::Late`] after `limit`. Whatever comes then, [`Lanes::protect`] is done after it.
    pub(crate) fn unprotect(&self, disk: &Disk, limit: Duration) -> Result<(), GateError> {
        self.wait(Work::Unprotect(disk.clone()), limit)
    }

    /// Puts the protection of a disk back, and waits for that. It is done however long that takes, and whoever waits.
    ///
    /// # Errors
    /// [`GateError::Late`] after `limit`: it is still to be done.
    pub(crate) fn protect(&self, disk: &Disk, limit: Duration) -> Result<(), GateError> {
        self.wait(Work::Protect(disk.clone()), limit)
    }

    /// See [`Gate::pace`]: a question that nobody has to wait for.
    pub(crate) fn pace(&self, disk: &Disk) -> Option<NonZeroU64> {
        self.0.gate.pace(disk)
    }

    /// Waits until nothing is to be done any more, `limit` at most; whether that is so.
    pub(crate) fn settle(&self, limit: Duration) -> bool {
        let working = |state: &mut State| !state.lanes.is_empty();
        let waited = self.0.done.wait_timeout_while(self.0.lock(), limit, working);
        waited.unwrap_or_else(PoisonError::into_inner).0.lanes.is_empty()
    }

    /// Starts threads for lanes that have none. Called with each question, and again and again, for the times when the kernel
    /// gave no thread.
    pub(crate) fn tend(&self) {
        let mut state = self.0.lock();
        for _ in 0..state.ready.len() {
            if state.threads >= AT_ONCE {
                return;
            }
            let shared = Arc::clone(&self.0);
            let thread = std::thread::Builder::new().name("gate".to_owned()).spawn(move || work(&shared));
            if let Err(error) = thread {
                tracing::error!("no thread for the gate: {error}");
                return;
            }
            state.threads = state.threads.saturating_add(1);
        }
    }

    fn wait(&self, work: Work, limit: Duration) -> Result<(), GateError> {
        let (sender, answer) = mpsc::channel();
        // Who waits has one disk and asks once.
        self.queue(work, Box::new(move |result| drop(sender.send(result))), usize::MAX);
        answer.recv_timeout(limit).unwrap_or(Err(GateError::Late))
    }

    fn queue(&self, work: Work, answer: Answer, longest: usize) {
        let path = work.lane().clone();
        let mut state = self.0.lock();
        let lane = state.lanes.entry(path.clone()).or_default();
        let (gone, kept): (VecDeque<_>, _) =
            std::mem::take(&mut lane.waiting).into_iter().partition(|(earlier, _)| earlier.is_taken_back_by(&work));
        lane.waiting = kept;
        let mut too_many = None;
        match &work {
            Work::Refuse(_) => lane.waiting.push_front((work, answer)),
            _ if lane.waiting.len() < longest => lane.waiting.push_back((work, answer)),
            _ => too_many = Some(answer),
        }
        let turn = !lane.busy && !lane.waiting.is_empty();
        if turn && !state.ready.contains(&path) {
            state.ready.push_back(path);
        }
        drop(state);
        for (_, answer) in gone {
            answer(Err(GateError::TakenBack));
        }
        if let Some(answer) = too_many {
            answer(Err(GateError::TooMany));
        }
        self.tend();
    }
}

impl Shared {
    /// A panic elsewhere leaves nothing half done here: each step is complete when the lock is given back.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thread: takes one turn after the other until nothing waits.
fn work(shared: &Shared) {
    let mut thread = Thread { shared, counted: true };
    while let Some((turn, work, answer)) = thread.next_turn() {
        let result = work.carry_out(&*shared.gate);
        // The lane is free before its answer is heard: what is asked next finds it so.
        drop(turn);
        answer(result);
    }
}

/// A thread that counts. It has ended also when it ended by a panic.
struct Thread<'a> {
    shared: &'a Shared,
    counted: bool,
}

impl<'a> Thread<'a> {
    /// The lane whose turn it is. Without one the thread counts no more, before anybody can think that it would take another.
    fn next_turn(&mut self) -> Option<(Turn<'a>, Work, Answer)> {
        let shared = self.shared;
        let mut state = shared.lock();
        while let Some(path) = state.ready.pop_front() {
            if let Some(lane) = state.lanes.get_mut(&path)
                && let Some((work, answer)) = lane.waiting.pop_front()
            {
                lane.busy = true;
                return Some((Turn { shared, path }, work, answer));
            }
        }
        state.threads = state.threads.saturating_sub(1);
        self.counted = false;
        None
    }
}

impl Drop for Thread<'_> {
    fn drop(&mut self) {
        if self.counted {
            let mut state = self.shared.lock();
            state.threads = state.threads.saturating_sub(1);
        }
    }
}

/// The turn of a lane. It is over also when it ended by a panic.
struct Turn<'a> {
    shared: &'a Shared,
    path: DevPath,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        match state.lanes.get_mut(&self.path) {
            Some(lane) if !lane.waiting.is_empty() => {
                lane.busy = false;
                state.ready.push_back(self.path.clone());
            }
            _ => {
                state.lanes.remove(&self.path);
            }
        }
        self.shared.done.notify_all();
    }
}

#[cfg(test)]
mod tests;
