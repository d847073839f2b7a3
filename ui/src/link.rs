//! The link to the station: one thread follows it, orders are carried out on threads of their own. Nothing here waits on the thread of
//! the screen.

use crate::model::screen::ReportState;
use crate::model::{Event, Order, SelfTest, Training};
use crate::report::{self, MOST_ROWS, Row, Rows, Summary};
use async_channel::Sender;
use blanche_bus::{Bus, Change, Client, LONG_PATIENCE, Seen, SimulationProxy};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What comes from the station.
#[derive(Clone, Debug)]
pub enum Heard {
    /// Something for the model.
    Event(Box<Event>),
    /// Rows of the report of the session at a path.
    Rows(String, Vec<Row>),
}

impl Heard {
    /// Something for the model.
    #[must_use]
    pub fn event(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

/// Nobody listens any more: the kiosk ends.
struct Unheard;

/// Rows that are handed over together, and how long they may wait for each other.
const TOGETHER: (usize, Duration) = (2000, Duration::from_millis(200));

/// Languages that the station speaks (`Session1.Words`).
const SPOKEN: [&str; 2] = ["fr", "en"];

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
enum Undone {
    #[error("the station is not on the bus")]
    Absent,
    #[error(transparent)]
    Bus(#[from] zbus::Error),
    #[error("the report: {0}")]
    Report(#[from] serde_json::Error),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Link {
    bus: Bus,
    client: Arc<Mutex<Option<Client>>>,
    tell: Sender<Heard>,
}

impl Link {
    /// For others who have something to tell on the thread of the screen.
    #[must_use]
    pub fn teller(&self) -> Sender<Heard> {
        self.tell.clone()
    }

    /// Begins to follow the station on a bus.
    ///
    /// # Errors
    /// The kernel's, when it gives no thread.
    pub fn start(bus: Bus, tell: Sender<Heard>) -> io::Result<Self> {
        let link = Self { bus: bus.clone(), client: Arc::default(), tell };
        let following = link.clone();
        let follow = move || blanche_bus::follow(&bus, |seen| following.seen(seen));
        std::thread::Builder::new().name("station".to_owned()).spawn(follow)?;
        Ok(link)
    }

    fn seen(&self, seen: &Seen<'_>) -> ControlFlow<()> {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = seen.client.cloned();
        let Some(event) = event(seen) else { return ControlFlow::Continue(()) };
        self.send(Heard::event(event)).map_or(ControlFlow::Break(()), ControlFlow::Continue)
    }

    fn send(&self, heard: Heard) -> Result<(), Unheard> {
        self.tell.send_blocking(heard).map_err(|_| Unheard)
    }

    fn client(&self) -> Result<Client, Undone> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Undone::Absent)
    }

    /// Carries out an order on a thread of its own; what comes of it is heard.
    pub fn give(&self, order: Order) {
        let link = self.clone();
        let failing = order.clone();
        let carry = move || {
            if let Err(undone) = link.carry_out(&order) {
                link.undone(&order, &undone);
            }
        };
        if let Err(error) = std::thread::Builder::new().name("order".to_owned()).spawn(carry) {
            self.undone(&failing, &zbus::Error::from(error).into());
        }
    }

    fn carry_out(&self, order: &Order) -> Result<(), Undone> {
        match order {
            Order::Cancel(path) => zbus::block_on(async { Ok(self.client()?.session(path).await?.cancel().await?) }),
            Order::Eject(path) => self.eject(path),
            Order::Copy(path, output, erase) => {
                zbus::block_on(async { Ok(self.client()?.session(path).await?.copy(output, *erase).await?) })
            }
            Order::Words(path) => self.words(path),
            Order::Training => self.training(),
            Order::Insert(kind) => self.hand(|hand| zbus::block_on(hand.insert(kind, ""))),
            Order::PullOut(port) => self.hand(|hand| zbus::block_on(hand.remove(port))),
            Order::SelfTest => self.self_test(),
            Order::Report(path) => self.report(path),
            // Those are for the screen, the voice and the printer.
            Order::Receipt(_) | Order::Repeat | Order::Remind | Order::Hush | Order::Forget(_) => Ok(()),
        }
    }

    /// Lets a medium go: with the answer, it may be taken out.
    fn eject(&self, path: &str) -> Result<(), Undone> {
        zbus::block_on(async { Ok::<_, Undone>(self.client()?.session(path).await?.eject().await?) })?;
        let _ = self.send(Heard::event(Event::Released(path.to_owned())));
        Ok(())
    }

    fn words(&self, path: &str) -> Result<(), Undone> {
        let said = zbus::block_on(async {
            let session = self.client()?.session(path).await?;
            let mut said = BTreeMap::new();
            for language in SPOKEN {
                let (_, sentence, _) = session.words(language).await?;
                said.insert(language.to_owned(), sentence);
            }
            Ok::<_, Undone>(said)
        })?;
        let _ = self.send(Heard::event(Event::Said(path.to_owned(), said)));
        Ok(())
    }

    /// On a connection of its own: the answer takes its time.
    fn self_test(&self) -> Result<(), Undone> {
        let (_, results) = zbus::block_on(async {
            let client = Client::patient(&self.bus, LONG_PATIENCE).await?;
            Ok::<_, Undone>(client.station().run_self_test().await?)
        })?;
        let _ = self.send(Heard::event(Event::SelfTest(SelfTest::Done(results))));
        Ok(())
    }

    /// What there is at a training station.
    fn training(&self) -> Result<(), Undone> {
        let training = zbus::block_on(async {
            let hand = self.client()?.simulation().await?;
            let mut training = Training::default();
            for language in SPOKEN {
                let media = hand.media(language).await?.into_iter().map(|(kind, name, _)| (kind, name));
                training.media.insert(language.to_owned(), media.collect());
            }
            let taken = hand.ports().await?.into_iter().filter(|(.., kind)| !kind.is_empty());
            training.plugged = taken.map(|(port, _, kind)| (port, kind)).collect();
            Ok::<_, Undone>(training)
        })?;
        let _ = self.send(Heard::event(Event::Training(training)));
        Ok(())
    }

    /// Plugs a made-up medium in or out; making one takes seconds.
    fn hand(&self, order: impl FnOnce(SimulationProxy<'_>) -> zbus::Result<String>) -> Result<(), Undone> {
        let hand = zbus::block_on(async {
            Ok::<_, Undone>(Client::patient(&self.bus, LONG_PATIENCE).await?.simulation().await?)
        })?;
        order(hand)?;
        Ok(())
    }

    fn report(&self, path: &str) -> Result<(), Undone> {
        let document = zbus::block_on(async { Ok::<_, Undone>(self.client()?.session(path).await?.report().await?) })?;
        let file = BufReader::new(File::from(OwnedFd::from(document)));
        let mut batch = Batch { link: self, path, rows: Vec::new(), kept: 0, since: Instant::now() };
        let summary = report::read(file, &mut batch)?;
        batch.hand_over();
        let _ = self.send(Heard::event(Event::Report(path.to_owned(), ReportState::Read(summary))));
        Ok(())
    }

    fn undone(&self, order: &Order, undone: &Undone) {
        let event = match (order, undone) {
            (Order::Report(path), _) => Event::Report(path.clone(), ReportState::Failed),
            // No engine missed anything: nothing was tested.
            (Order::SelfTest, Undone::Bus(zbus::Error::MethodError(name, ..))) if untested(name.as_str()) => {
                let _ = self.send(Heard::event(Event::SelfTest(SelfTest::Unasked)));
                Event::Failed(None)
            }
            (Order::SelfTest, _) => Event::SelfTest(SelfTest::Failed),
            // Without them the kiosk uses its own words, or has nothing to offer.
            (Order::Words(_) | Order::Training, _) => return,
            // It was too late: the medium is gone, or its result is there, and the screen says so already.
            (_, Undone::Bus(zbus::Error::MethodError(name, ..))) if late(name.as_str()) => {
                return;
            }
            (Order::Cancel(path) | Order::Eject(path) | Order::Copy(path, ..), _) => Event::Failed(Some(path.clone())),
            _ => Event::Failed(None),
        };
        let _ = self.send(Heard::event(event));
    }
}

/// Whether an order came too late to mean anything.
fn late(error: &str) -> bool {
    matches!(error, "org.blanche.Error.NothingToCancel" | "org.blanche.Error.NoSuchSession")
}

/// Whether a self-test did not begin: somebody else's is running, or there is nothing to be tested at the moment.
fn untested(error: &str) -> bool {
    matches!(error, "org.blanche.Error.Running" | "org.blanche.Error.NotReady" | "org.blanche.Error.TooMany")
}

/// What a change means for the model.
fn event(seen: &Seen<'_>) -> Option<Event> {
    let session = |path: &String| seen.mirror.session(path);
    Some(match seen.change {
        Change::Station => Event::Station(seen.mirror.station()?),
        Change::Absent => Event::Absent,
        Change::Present(path) => Event::Present(session(path)?),
        Change::Arrived(path) => Event::Arrived(session(path)?),
        Change::Changed(path) | Change::Removed(path) => Event::Changed(session(path)?),
        Change::Copied(path) => Event::Copied(session(path)?),
        Change::Concluded(path) => Event::Concluded(session(path)?),
        Change::Forgotten(session) => Event::Forgotten(session.path.clone()),
    })
}

/// Hands rows over in heaps: the screen has more to do than to take one row after the other.
struct Batch<'a> {
    link: &'a Link,
    path: &'a str,
    rows: Vec<Row>,
    kept: usize,
    since: Instant,
}

impl Batch<'_> {
    fn hand_over(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        self.since = Instant::now();
        if !rows.is_empty() {
            let _ = self.link.send(Heard::Rows(self.path.to_owned(), rows));
        }
    }
}

impl Rows for Batch<'_> {
    fn row(&mut self, row: Row, summary: &Summary) {
        if self.kept < MOST_ROWS {
            self.kept = self.kept.saturating_add(1);
            self.rows.push(row);
        }
        let (most, longest) = TOGETHER;
        if self.rows.len() >= most || self.since.elapsed() >= longest {
            self.hand_over();
            let reading = ReportState::Reading(summary.clone());
            let _ = self.link.send(Heard::event(Event::Report(self.path.to_owned(), reading)));
        }
    }
}
