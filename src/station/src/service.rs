//! Service: the station on D-Bus, as docs/station.md describes it.
//!
//! One thread looks at the [`Board`] and tells the bus what changed; zbus answers calls beside it. The daemon knows nothing of
//! either: a bus that is not there, breaks, starts again or reads nothing costs the station its visibility and nothing
//! else. Whoever may call what is decided by the bus (debian/org.blanche.Station1.conf), how often by [`flood`].

mod clerk;
mod copying;
mod documents;
mod door;
mod error;
mod flood;
mod line;
mod publish;
mod session;
mod simulation;
mod station;
#[cfg(test)]
mod tests;

pub use blanche_bus::{Bus, NAME, ROOT};

use crate::board::Board;
use crate::daemon::Orders;
use crate::training::Training;
use blanche_scan::settings::Settings;
use clerk::Clerk;
use documents::Documents;
use door::{Answering, Door};
use publish::Publisher;
use simulation::SimulationObject;
use station::{Shown, StationObject};
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use zbus::Connection;
use zbus::connection::Builder;
use zbus::fdo::ObjectManager;
use zruntime::SharedRuntime;

/// Within this time a bus takes what it is told, or it counts as broken.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the connection is looked at when nothing happens.
const LOOK: Duration = Duration::from_millis(500);
/// Changes within this time are told together.
const TOGETHER: Duration = Duration::from_millis(10);
/// Between two attempts to reach a bus: at first, and at most.
const AGAIN: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

/// What objects on the bus need.
#[derive(Clone, Debug)]
struct Context {
    board: Arc<Board>,
    orders: Orders,
    settings: Arc<Settings>,
    clerk: Clerk,
    documents: Documents,
    /// Only of a simulated station.
    training: Option<Arc<Training>>,
}

impl Context {
    fn new(board: Arc<Board>, orders: Orders, settings: Arc<Settings>, training: Option<Arc<Training>>) -> Self {
        Self { board, orders, settings, clerk: Clerk::default(), documents: Documents::default(), training }
    }
}

/// Whether the station can be seen on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The first attempt is not over.
    Unknown,
    /// It is there.
    Present,
    /// The bus is not there, or does not give us our name: it is tried again and again.
    Absent,
}

/// The thread that serves the bus. It ends with the daemon.
#[derive(Debug)]
pub struct Service {
    presence: Arc<(Mutex<Presence>, Condvar)>,
    thread: JoinHandle<()>,
}

impl Service {
    /// Starts it; whether the bus is there is another question.
    ///
    /// # Errors
    /// The kernel's, when it gives no thread.
    pub fn start(board: Arc<Board>, orders: Orders, settings: Arc<Settings>, bus: Bus) -> io::Result<Self> {
        Self::serve(Context::new(board, orders, settings, None), bus)
    }

    /// The same of a simulated station, with the hand that plugs.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub fn simulated(
        board: Arc<Board>,
        orders: Orders,
        settings: Arc<Settings>,
        bus: Bus,
        training: Arc<Training>,
    ) -> io::Result<Self> {
        Self::serve(Context::new(board, orders, settings, Some(training)), bus)
    }

    fn serve(context: Context, bus: Bus) -> io::Result<Self> {
        let presence = Arc::new((Mutex::new(Presence::Unknown), Condvar::new()));
        let server = Server { context, bus, presence: Arc::clone(&presence) };
        let thread = std::thread::Builder::new().name("bus".to_owned()).spawn(move || server.run())?;
        Ok(Self { presence, thread })
    }

    /// Whether it can be seen, as soon as that is known, or after `limit`.
    #[must_use]
    pub fn presence(&self, limit: Duration) -> Presence {
        let (presence, changed) = &*self.presence;
        let now = presence.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(now, limit, |now| *now == Presence::Unknown);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until it has ended after the daemon, but not for a bus that does not answer.
    pub fn join(self) {
        let start = Instant::now();
        while !self.thread.is_finished() && start.elapsed() < PATIENCE {
            std::thread::sleep(TOGETHER);
        }
    }
}

/// Why a connection came to its end.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("{0}")]
    Unreachable(#[from] io::Error),
    #[error("{0}")]
    Bus(#[from] zbus::Error),
    #[error("the bus took nothing for {} s", PATIENCE.as_secs())]
    Silent,
    #[error("the bus closed the connection")]
    Closed,
}

struct Server {
    context: Context,
    bus: Bus,
    presence: Arc<(Mutex<Presence>, Condvar)>,
}

impl Server {
    /// Serves one connection after the other until the daemon has ended.
    fn run(&self) {
        let [first, longest] = AGAIN;
        let (mut pause, mut said) = (first, String::new());
        while !self.is_over() {
            let answering = Answering::default();
            let ended = self.connect(&answering).and_then(|(connection, shown)| {
                self.now(Presence::Present);
                (pause, said) = (first, String::new());
                self.serve(connection, shown)
            });
            answering.set(None);
            self.now(Presence::Absent);
            let Err(lost) = ended else { return };
            // Once for each reason: a bus may be away for days.
            let why = lost.to_string();
            if why != said {
                tracing::warn!("bus: {why}; trying again");
                said = why;
            }
            self.wait(pause);
            pause = pause.saturating_mul(2).min(longest);
        }
    }

    fn connect(&self, answering: &Answering) -> Result<(Connection, Shown), Lost> {
        zbus::block_on(async {
            let address = self.bus.address()?;
            let shown = Shown::default();
            // Whoever asks before anything was told gets what is so: a simulated station is never shown as a real one.
            shown.set(self.context.board.snapshot().station, Vec::new());
            let station = StationObject::new(shown.clone(), self.context.clone());
            let mut builder = Builder::socket(Door::open(&address, answering.clone())?)
                .serve_at(ROOT, station)
                .serve_at(ROOT, ObjectManager);
            if let Some(training) = &self.context.training {
                let hand = SimulationObject::new(Arc::clone(training), self.context.clerk.clone());
                builder = builder.serve_at(ROOT, hand);
            }
            let connection = patient(builder.name(NAME).method_timeout(PATIENCE).build()).await?;
            answering.set(Some(connection.clone()));
            Ok((connection, shown))
        })
    }

    /// Tells what changes, until the daemon has ended or the connection is lost.
    fn serve(&self, connection: Connection, shown: Shown) -> Result<(), Lost> {
        let mut publisher = Publisher::new(connection.clone(), self.context.clone(), shown);
        let mut snapshot = self.context.board.snapshot();
        loop {
            let again = zbus::block_on(patient(publisher.tell(&snapshot)))?;
            if snapshot.closed {
                return Ok(());
            }
            if connection.is_closed() {
                return Err(Lost::Closed);
            }
            std::thread::sleep(TOGETHER);
            let left = again.map_or(LOOK, |at| at.saturating_duration_since(Instant::now()));
            snapshot = self.context.board.newer(snapshot.revision, left.min(LOOK));
        }
    }

    fn is_over(&self) -> bool {
        self.context.board.snapshot().closed
    }

    fn wait(&self, pause: Duration) {
        let start = Instant::now();
        while start.elapsed() < pause && !self.is_over() {
            std::thread::sleep(AGAIN[0]);
        }
    }

    fn now(&self, presence: Presence) {
        *self.presence.0.lock().unwrap_or_else(PoisonError::into_inner) = presence;
        self.presence.1.notify_all();
    }
}

/// Waits for the bus, but not for ever.
async fn patient<T>(work: impl Future<Output = zbus::Result<T>>) -> Result<T, Lost> {
    let runtime = SharedRuntime::current()?;
    match runtime.timeout(PATIENCE, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Lost::Silent),
    }
}
