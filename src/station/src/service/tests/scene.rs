//! A service, its bus and its board, and what is put on it.

use super::super::publish::path_of;
use super::super::*;
use crate::admit::{DeviceRefusal, SimulatedGate};
use crate::board::Snapshot;
use crate::daemon::{Daemon, Parts};
use crate::detect::{DetectError, Event, Source};
use crate::session::view::{Conclusion, Failure, MediumView, SessionView, State};
use crate::session::{Rules, SessionId};
use blanche_scan::progress::{Progress, Stage};
use blanche_tests::bus::PrivateBus;
use futures_lite::StreamExt;
use zbus::message::Type;
use zbus::{MatchRule, Message, MessageStream};

/// Long for everything that happens at once, on a busy machine too.
pub(super) const SOON: Duration = Duration::from_secs(60);

/// Parts of a daemon that only takes orders: nothing ever arrives.
struct Nothing;

impl Source for Nothing {
    fn next(&mut self, limit: Duration) -> Result<Option<Event>, DetectError> {
        std::thread::sleep(limit);
        Ok(None)
    }
}

/// A service whose board is written by the test; a daemon beside it takes the orders.
pub(super) struct Scene {
    pub(super) bus: PrivateBus,
    pub(super) board: Arc<Board>,
    pub(super) daemon: Option<Daemon>,
    pub(super) service: Option<Service>,
}

impl Scene {
    pub(super) fn new() -> Self {
        let scene = Self::on(PrivateBus::start());
        assert_eq!(scene.service.as_ref().expect("running").presence(SOON), Presence::Present);
        scene
    }

    pub(super) fn on(bus: PrivateBus) -> Self {
        let mut settings = Settings::default();
        // No journal, and no base: the engines are never loaded.
        settings.journal.folder = "/nonexistent/journal".into();
        settings.bases.clamav = Vec::new();
        settings.bases.rules = Vec::new();
        let settings = Arc::new(settings);
        let rules = Rules {
            decide: Box::new(|_| crate::admit::Decision::Refuse(DeviceRefusal::Port)),
            drive: Box::new(|_| None),
            at_once: 1,
            cores: 1,
            copies: None,
        };
        let daemon = Daemon::start(Parts {
            settings: Arc::clone(&settings),
            source: Box::new(Nothing),
            gate: Box::new(SimulatedGate),
            rules,
            signer: None,
            clocks: Box::new(crate::daemon::MachineClocks),
            logind: None,
            simulated: false,
        })
        .expect("threads");
        let board = Arc::new(Board::default());
        let to = Bus::Address(bus.address());
        let service = Service::start(Arc::clone(&board), daemon.orders.clone(), settings, to).expect("a thread");
        Self { bus, board, daemon: Some(daemon), service: Some(service) }
    }

    /// Puts sessions on the board.
    pub(super) fn show(&self, sessions: &[&SessionView]) {
        let sessions = sessions.iter().map(|view| Arc::new((*view).clone())).collect();
        self.board.update(|now: &mut Snapshot| now.sessions = sessions);
    }

    pub(super) fn client(&self) -> Connection {
        let address = self.bus.address();
        zbus::block_on(Builder::address(address.as_str()).method_timeout(SOON).build()).expect("our bus")
    }

    pub(super) fn call(&self, path: &str, interface: &str, member: &str) -> zbus::Result<Message> {
        let client = self.client();
        zbus::block_on(client.call_method(Some(NAME), path, Some(interface), member, &()))
    }

    /// A property of a session, as busctl prints it.
    pub(super) fn property(&self, id: SessionId, name: &str) -> String {
        let path = path_of(id).expect("a path");
        let output = self.bus.busctl(&["get-property", NAME, path.as_str(), "org.blanche.Session1", name]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.board.update(|now| now.closed = true);
        if let Some(daemon) = self.daemon.take() {
            drop(daemon);
        }
        if let Some(service) = self.service.take() {
            service.join();
        }
    }
}

/// Waits until something is so.
pub(super) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(super) fn session(state: State) -> SessionView {
    let name = "Key \u{202E}fdp.exe".to_owned();
    SessionView::new(state, MediumView { name, capacity: 1 << 30, ..MediumView::default() })
}

pub(super) fn at(bytes_done: u64) -> Progress {
    Progress {
        stage: Stage::Checking,
        files: 10,
        bytes: 1_000_000,
        bytes_read: bytes_done,
        files_done: 1,
        bytes_done,
        files_found: 0,
        rate: 1000,
        remaining: None,
    }
}

pub(super) fn cancelled() -> Conclusion {
    Conclusion::Failed(Failure::new("cancelled", "somebody cancelled"))
}

/// Collects the signals of the station until one is called `last`.
pub(super) fn signals(stream: &mut MessageStream, last: &str) -> Vec<(Instant, String, Message)> {
    zbus::block_on(async {
        let runtime = SharedRuntime::current().expect("a runtime");
        let mut seen = Vec::new();
        loop {
            let message = runtime.timeout(SOON, stream.next()).await;
            let message = message.unwrap_or_else(|_| panic!("no {last} within {SOON:?}: {seen:?}"));
            let message = message.expect("the bus lives").expect("a message");
            let member = message.header().member().expect("a signal").to_string();
            seen.push((Instant::now(), member.clone(), message));
            if member == last {
                return seen;
            }
        }
    })
}

pub(super) fn listen(client: &Connection) -> MessageStream {
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(NAME).path_namespace(ROOT).build().expect("a rule");
    zbus::block_on(MessageStream::for_match_rule(rule, client, std::num::NonZeroUsize::new(4096))).expect("a match")
}
