//! The daemon: drives the [`Machine`], carries its effects out, and keeps the [`Board`] up to date.
//!
//! | thread | does |
//! |---|---|
//! | daemon | everything that decides, one message after the other |
//! | detection | waits for devices |
//! | engines | opens the engine room, again and again until it can be opened |
//! | signer | asks from time to time whether the signer answers |
//! | sleep | hears from logind that the machine is about to sleep |
//! | self-test | has the engines find what they must, when somebody asks |
//! | one per session | scans and seals; another one copies |
//! | at most two, and those whose medium does not answer (`copies`) | look at media in output ports |
//! | one per device, while the gate is asked something about it | writes to sysfs, which may hang (`admit::lanes`) |

mod asked;
mod bases;
mod clock;
mod copies;
mod driver;
mod selftest;
mod sleep;
mod threads;
mod workers;

pub use clock::{Clocks, MachineClocks, Reading};
pub use selftest::SelfTestError;

use crate::admit::{Gate, GateError};
use crate::board::Board;
use crate::detect::{DetectError, Source};
use crate::seal::Act;
use crate::session::work::Kept;
use crate::session::{Input, Order, OrderRefused, Rules, SessionId, Ticket};
use blanche_bus::Bus;
use blanche_scan::settings::Settings;
use blanche_scan::{EngineRoom, SelfTest};
use driver::Driver;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the daemon looks at its clocks, and tells systemd that it lives.
const LOOK: Duration = Duration::from_millis(500);

/// Why the signer does not answer, if it does not.
pub type AskSigner = Box<dyn Fn() -> Result<(), String> + Send>;

/// What a station is made of.
pub struct Parts {
    /// The configuration.
    pub settings: Arc<Settings>,
    /// Where devices come from.
    pub source: Box<dyn Source>,
    /// Who lets them in.
    pub gate: Box<dyn Gate>,
    /// What is decided.
    pub rules: Rules,
    /// Asks whether there is a signer that answers; nothing where nobody needs one.
    pub signer: Option<AskSigner>,
    /// By which the station knows that the machine slept, and that its clock was set.
    pub clocks: Box<dyn Clocks>,
    /// Where sleep is announced; nothing where nobody does that.
    pub logind: Option<Bus>,
    /// Media are made up.
    pub simulated: bool,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Parts").field("simulated", &self.simulated).finish_non_exhaustive()
    }
}

/// What the threads tell the daemon.
enum Message {
    Input(Input),
    Order(Order, Reply),
    /// What the gate did.
    Gate(Ticket, Result<(), GateError>),
    /// May this be done now, with the medium of this session, or with that to which its files are copied?
    Permit(SessionId, Act, Sender<Result<(), String>>),
    /// What copying needs of a session's scan.
    Kept(SessionId, Box<Kept>),
    Engines(Result<Arc<EngineRoom>, String>),
    Detection(Result<(), DetectError>),
    Signer(Result<(), String>),
    /// The machine is about to sleep; who says so waits until everything was stopped.
    Sleeping(Sender<()>),
    /// It is awake again, or nobody is left who would say so.
    Woke,
    SelfTest(selftest::Asker),
    SelfTested(Result<SelfTest, SelfTestError>),
    Quit,
}

/// Who gave an order hears what came of it.
type Reply = Sender<Result<(), OrderError>>;

/// Gives orders to a running daemon.
#[derive(Clone, Debug)]
pub struct Orders(Sender<Message>);

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// See [`OrderRefused`].
    #[error(transparent)]
    Refused(#[from] OrderRefused),
    /// It was understood, and could not be carried out.
    #[error("{0}; leave the medium where it is and try again, or call the staff")]
    Failed(String),
    /// The daemon is ending.
    #[error("the station is being stopped")]
    Stopped,
}

impl Orders {
    /// Orders that are carried out by `answer`, and self-tests whose result is that of `test`, on a thread of its own instead of
    /// by a daemon, until somebody says [`Orders::quit`] or nobody is left who could give one: for whoever plays a station.
    ///
    /// # Errors
    /// The kernel's, when it gives no thread.
    pub fn answered_by(
        mut answer: impl FnMut(Order) -> Result<(), OrderRefused> + Send + 'static,
        mut test: impl FnMut() -> Result<SelfTest, SelfTestError> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, inbox) = mpsc::channel();
        let answering = move || {
            for message in inbox {
                match message {
                    // Who asked may have gone away.
                    Message::Order(order, reply) => _ = reply.send(answer(order).map_err(OrderError::from)),
                    Message::SelfTest(asker) => _ = asker.send(test()),
                    Message::Quit => return,
                    _ => {}
                }
            }
        };
        std::thread::Builder::new().name("orders".to_owned()).spawn(answering)?;
        Ok(Self(sender))
    }

    /// Gives one order, and waits until it is understood; one that lets a medium go, until that is done, 20 s at most.
    ///
    /// # Errors
    /// [`OrderError`].
    pub fn give(&self, order: Order) -> Result<(), OrderError> {
        let (reply, answer) = mpsc::channel();
        self.0.send(Message::Order(order, reply)).map_err(|_| OrderError::Stopped)?;
        answer.recv().map_err(|_| OrderError::Stopped)?
    }

    /// Has the engines in use find everything that they must find, now, and waits for the result.
    ///
    /// # Errors
    /// [`SelfTestError`].
    pub fn self_test(&self) -> Result<SelfTest, SelfTestError> {
        let (asker, answer) = mpsc::channel();
        self.0.send(Message::SelfTest(asker)).map_err(|_| SelfTestError::Stopped)?;
        answer.recv().map_err(|_| SelfTestError::Stopped)?
    }

    /// Ends the daemon: every session is cancelled first.
    pub fn quit(&self) {
        // A daemon that has ended has nothing left to end.
        let _ = self.0.send(Message::Quit);
    }
}

/// A running daemon. Dropping it ends it, in good order.
#[derive(Debug)]
pub struct Daemon {
    /// What people may know.
    pub board: Arc<Board>,
    /// What people may ask for.
    pub orders: Orders,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts one.
    ///
    /// # Errors
    /// The kernel's, when it gives no threads.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let (sender, inbox) = mpsc::channel();
        let board = Arc::new(Board::default());
        let driver = Driver::new(parts, sender.clone(), Arc::clone(&board))?;
        let thread = std::thread::Builder::new().name("daemon".to_owned()).spawn(move || driver.run(&inbox))?;
        Ok(Self { board, orders: Orders(sender), thread: Some(thread) })
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) {
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("station alarm: the daemon ended by a panic");
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.orders.quit();
        self.wait();
    }
}
