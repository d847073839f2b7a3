//! The daemon: drives the [`Machine`], carries its effects out, and keeps the [`Board`] up to date.
//!
//! | thread | does |
//! |---|---|
//! | daemon | everything that decides, one message after the other |
//! | detection | waits for devices |
//! | engines | opens the engine room, again and again until it can be opened |
//! | signer | asks from time to time whether the signer answers |
//! | one per session | scans and seals |

mod clock;
mod driver;
mod threads;

use crate::admit::Gate;
use crate::board::Board;
use crate::detect::{DetectError, Source};
use crate::session::{Input, Order, OrderRefused, Rules, SessionId};
use blanche_scan::EngineRoom;
use blanche_scan::settings::Settings;
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
    Order(Order, Sender<Result<(), OrderRefused>>),
    /// May this session's medium be sealed now?
    Permit(SessionId, Sender<Result<(), String>>),
    Engines(Result<Arc<EngineRoom>, String>),
    Detection(Result<(), DetectError>),
    Signer(Result<(), String>),
    Quit,
}

/// Gives orders to a running daemon.
#[derive(Clone, Debug)]
pub struct Orders(Sender<Message>);

/// Why an order was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// See [`OrderRefused`].
    #[error(transparent)]
    Refused(#[from] OrderRefused),
    /// The daemon is ending.
    #[error("the station is being stopped")]
    Stopped,
}

impl Orders {
    /// Gives one order, and waits until it is understood.
    ///
    /// # Errors
    /// [`OrderError`].
    pub fn give(&self, order: Order) -> Result<(), OrderError> {
        let (reply, answer) = mpsc::channel();
        self.0.send(Message::Order(order, reply)).map_err(|_| OrderError::Stopped)?;
        Ok(answer.recv().map_err(|_| OrderError::Stopped)??)
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
