//! What the gate was asked and has not answered. It may never do: then the machine is told so, and what comes later is not
//! believed.

use super::driver::Driver;
use super::{Message, OrderError, Reply};
use crate::admit::lanes::Work;
use crate::admit::{DeviceRefusal, GateError};
use crate::detect::{DevPath, Disk, Event};
use crate::session::{Effect, Input, Order, Ticket};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a device may take to be admitted: its drivers have 3 s for each interface (`admit::usb`), and the kernel itself
/// gives up on a silent device after 5 s for each question.
const ADMITTING: Duration = Duration::from_secs(20);
/// How long a disk may take to be made read-only: two calls for it and each of its partitions, none of which asks the disk.
const PROTECTING: Duration = Duration::from_secs(10);
/// How long a disk may take to be let go: it writes what its own cache holds. Clients of the bus wait 25 s.
const RELEASING: Duration = Duration::from_secs(20);

/// What was asked.
#[derive(Debug)]
enum Question {
    Admit,
    Protect,
    /// Who waits for it.
    Release(Option<Reply>),
}

/// Questions without an answer, and until when one is waited for.
#[derive(Debug, Default)]
pub(super) struct Asked(BTreeMap<Ticket, (Instant, Question)>);

impl Driver {
    /// Asks the gate, which answers with a message.
    pub(super) fn ask(&mut self, ticket: Ticket, work: Work) {
        let (question, patience) = match &work {
            Work::Admit(_) => (Question::Admit, ADMITTING),
            Work::Release(_) => (Question::Release(None), RELEASING),
            _ => (Question::Protect, PROTECTING),
        };
        let now = Instant::now();
        self.asked.0.insert(ticket, (now.checked_add(patience).unwrap_or(now), question));
        let sender = self.sender.clone();
        // A daemon that has ended wants to hear nothing more.
        self.gate.ask(work, Box::new(move |result| drop(sender.send(Message::Gate(ticket, result)))));
    }

    /// Carries an order out. Who gave it hears at once what came of it, or when the gate has let the medium go.
    pub(super) fn order(&mut self, order: Order, reply: Reply) {
        let effects = match self.machine.order(order) {
            Ok(effects) => effects,
            Err(refused) => return drop(reply.send(Err(refused.into()))),
        };
        let released = effects.iter().find_map(|effect| match effect {
            Effect::Release(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.carry_out(effects);
        match released.and_then(|ticket| self.asked.0.get_mut(&ticket)) {
            Some((_, question)) => *question = Question::Release(Some(reply)),
            // Who asked may have gone away.
            None => drop(reply.send(Ok(()))),
        }
    }

    /// Tells the gate something that needs no answer.
    pub(super) fn tell(&self, work: Work) {
        let what = format!("{work}");
        let answer = move |result: Result<(), GateError>| {
            if let Err(error) = result {
                // Mostly because the device is gone already.
                tracing::warn!("{what}: {error}");
            }
        };
        self.gate.ask(work, Box::new(answer));
    }

    /// The gate has answered, in time or not.
    pub(super) fn answered(&mut self, ticket: Ticket, result: Result<(), GateError>) {
        let Some((_, question)) = self.asked.0.remove(&ticket) else { return };
        if let Err(error) = &result {
            tracing::warn!("gate: {error}");
        }
        match question {
            Question::Admit => {
                self.look_whether_disks_are_there(ticket);
                self.input(Input::Admitted(ticket, result.map_err(|error| refusal(&error))));
            }
            Question::Protect => self.input(Input::Protected(ticket, result.map_err(|error| error.to_string()))),
            Question::Release(reply) => {
                let answer = result.map_err(|error| OrderError::Failed(error.to_string()));
                // Who asked may have gone away.
                reply.map(|reply| drop(reply.send(answer))).unwrap_or_default();
            }
        }
    }

    /// What was plugged in before the station started loses its driver when it is admitted, and its disks with it: udev tells that
    /// later than the gate answers, and a session would begin with a disk that is gone.
    fn look_whether_disks_are_there(&mut self, ticket: Ticket) {
        let gone = |disk: &&Disk| !disk.is_there().unwrap_or(false);
        let gone: Vec<DevPath> = self.machine.disks_behind(ticket).filter(gone).map(|disk| disk.path.clone()).collect();
        for path in gone {
            self.input(Input::Event(Event::DiskGone(path)));
        }
    }

    /// Answers what the gate did not answer in time.
    pub(super) fn look_at_the_asked(&mut self) {
        let now = Instant::now();
        let late: Vec<Ticket> =
            self.asked.0.iter().filter(|(_, (until, _))| *until <= now).map(|(ticket, _)| *ticket).collect();
        for ticket in late {
            self.answered(ticket, Err(GateError::Late));
        }
    }
}

/// What a person is told of a device that the gate could not admit.
fn refusal(error: &GateError) -> DeviceRefusal {
    match error {
        GateError::Changed => DeviceRefusal::Changed,
        GateError::Kernel { .. } | GateError::Late | GateError::TakenBack | GateError::TooMany | GateError::Open(_) => {
            DeviceRefusal::Unusable
        }
    }
}
