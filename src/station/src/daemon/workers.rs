//! The threads of sessions: one that checks, later one that copies, each with what it may ask of the daemon's own thread.

use super::Message;
use super::driver::Driver;
use crate::detect::Disk;
use crate::seal::Act;
use crate::session::copying::{CopyJob, untouched};
use crate::session::view::Failure;
use crate::session::work::{Job, Kept};
use crate::session::{CopyOrdered, Ending, Input, SessionId, Work};
use blanche_scan::EngineRoom;
use blanche_scan::progress::Cancel;
use blanche_scan::report::CopyCause;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A session's thread.
pub(super) struct Worker {
    pub(super) cancel: Cancel,
    thread: JoinHandle<()>,
}

impl Driver {
    /// Checks a medium.
    pub(super) fn start(&mut self, id: SessionId, disk: Disk) {
        let Some(room) = self.room.clone() else { return };
        let cancel = Cancel::default();
        let job = Job {
            id,
            disk,
            settings: Arc::clone(&self.settings),
            room,
            cancel: cancel.clone(),
            permit: self.permits(id),
            keep: self.keeper(id),
            gate: self.gate.clone(),
        };
        self.spawn(id, "session", cancel, move |say| job.run(say));
    }

    /// Copies the files of a session.
    pub(super) fn copy(&mut self, ordered: CopyOrdered) {
        let id = ordered.session;
        match self.copying_needs(id) {
            Ok((room, kept)) => {
                let (settings, cancel) = (Arc::clone(&self.settings), Cancel::default());
                let (gate, permit) = (self.gate.clone(), self.permits(id));
                let job = CopyJob { ordered, kept, settings, room, cancel: cancel.clone(), gate, permit };
                self.spawn(id, "copy", cancel, move |say| job.run(say));
            }
            Err(reason) => {
                tracing::error!("copy of session {id}: {reason}");
                let report = untouched(&self.settings, &ordered, CopyCause::Station(reason));
                self.input(Input::Work(id, Work::Copied(Box::new(report))));
            }
        }
    }

    /// What a copy needs, if there may be one: an order that could not be recorded erases nothing.
    fn copying_needs(&self, id: SessionId) -> Result<(Arc<EngineRoom>, Arc<Kept>), String> {
        self.may_write(id)?;
        let needs = self.room.clone().zip(self.copies.kept(id));
        needs.ok_or_else(|| "what copying needs is not there".to_owned())
    }

    /// Starts the thread of a session. The one before it, if there was one, has said its last word.
    fn spawn(
        &mut self,
        id: SessionId,
        name: &str,
        cancel: Cancel,
        run: impl FnOnce(&mut dyn FnMut(Work)) + Send + 'static,
    ) {
        let sender = self.sender.clone();
        let work = move || {
            run(&mut |work| {
                // A daemon that has ended wants to hear nothing more.
                let _ = sender.send(Message::Input(Input::Work(id, work)));
            });
        };
        match std::thread::Builder::new().name(name.to_owned()).spawn(work) {
            Ok(thread) => {
                let before = self.workers.insert(id, Worker { cancel, thread });
                if before.is_some_and(|worker| worker.thread.join().is_err()) {
                    tracing::error!("station alarm: the thread of a session ended by a panic after its last word");
                }
            }
            Err(error) => {
                let failure = Failure::new("station", format!("no thread: {error}"));
                let ended = Work::Ended(Ending::Failed(failure));
                self.input(Input::Work(id, ended));
            }
        }
    }

    /// Takes what copying needs of a scan; nothing where nobody copies.
    fn keeper(&self, id: SessionId) -> Option<Box<dyn Fn(Kept) + Send>> {
        let sender = self.sender.clone();
        let keep = move |kept| {
            // A daemon that has ended copies nothing.
            let _ = sender.send(Message::Kept(id, Box::new(kept)));
        };
        self.copying.then(|| -> Box<dyn Fn(Kept) + Send> { Box::new(keep) })
    }

    /// Asks this thread what a session's may do.
    fn permits(&self, id: SessionId) -> Box<dyn Fn(Act) -> Result<(), String> + Send> {
        let sender = self.sender.clone();
        Box::new(move |act| {
            let stopped = || "the station is being stopped".to_owned();
            let (reply, answer) = mpsc::channel();
            sender.send(Message::Permit(id, act, reply)).map_err(|_| stopped())?;
            answer.recv().map_err(|_| stopped())?
        })
    }

    /// Threads that have ended: one that ended without its last word panicked.
    pub(super) fn reap(&mut self) {
        let ended: Vec<SessionId> =
            self.workers.iter().filter(|(_, worker)| worker.thread.is_finished()).map(|(id, _)| *id).collect();
        for id in ended {
            let panicked = self.workers.remove(&id).is_some_and(|worker| worker.thread.join().is_err());
            if panicked {
                let failure = Failure::new("station", "the thread of the session ended by a panic");
                let ended = Work::Ended(Ending::Failed(failure));
                self.input(Input::Work(id, ended));
            }
        }
    }
}
