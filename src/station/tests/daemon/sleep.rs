//! Machines that sleep during a session, and clocks that are set: what was in a socket meanwhile may be another medium, and nothing
//! good is said of it.

use crate::distrust::{OneSlow, tree};
use crate::kiosk::{Ground, Kiosk, Others};
use blanche_scan::judge::Verdict;
use blanche_scan::report::Seal;
use blanche_station::daemon::{Clocks, Reading};
use blanche_station::service::Bus;
use blanche_station::session::view::{Conclusion, SessionView, State};
use blanche_tests::bus::PrivateBus;
use blanche_tests::{Format, samples};
use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zbus::connection::Builder;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, interface};

/// The verifier's exit code for a medium without a tag (docs/exit-codes.md).
const NO_TAG: i32 = 40;
/// Longest wait on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clocks of a machine that sleeps when a test says so, and on which somebody sets the time. Clones are the same.
#[derive(Clone)]
struct SetClocks {
    start: Instant,
    /// Seconds that were slept, and by which the clock on the wall is wrong.
    told: Arc<Mutex<[f64; 2]>>,
}

impl SetClocks {
    fn new() -> Self {
        Self { start: Instant::now(), told: Arc::default() }
    }

    fn sleep(&self, seconds: f64) {
        self.told.lock().unwrap()[0] += seconds;
    }

    fn set(&self, seconds: f64) {
        self.told.lock().unwrap()[1] += seconds;
    }
}

impl Clocks for SetClocks {
    fn read(&mut self) -> Reading {
        let [slept, set] = *self.told.lock().unwrap();
        let awake = self.start.elapsed().as_secs_f64();
        Reading::new(awake, awake + slept, 1e9 + awake + slept + set)
    }
}

/// Puts another medium behind the same name: what is open still leads to the first one, and nothing tells of it.
fn swap(medium: &Path, other: &Path) {
    let beside = medium.with_extension("other");
    std::fs::copy(other, &beside).unwrap();
    std::fs::rename(beside, medium).unwrap();
}

/// Plugs in a key that takes a minute, and waits until it is being read.
fn under_way(kiosk: &Kiosk, image: &Path) -> Arc<SessionView> {
    kiosk.plug("slow", image);
    let read = |session: &SessionView| session.progress.is_some_and(|progress| progress.bytes_read > 0);
    kiosk.wait("slow", "checking", read)
}

fn failure(session: &SessionView) -> Option<&str> {
    match &session.conclusion {
        Some(Conclusion::Failed(why)) => Some(why.kind),
        _ => None,
    }
}

fn is_sealed(session: &SessionView) -> bool {
    matches!(session.report().and_then(|report| report.seal.as_ref()), Some(Seal::OnMedium { .. }))
}

/// The next key, in another socket, is checked and sealed.
fn assert_serves_the_next(kiosk: &Kiosk) {
    let next = kiosk.image("next", Format::Fat32, &tree());
    kiosk.plug("p2", &next);
    let (verdict, session) = kiosk.verdict("p2");
    assert!(verdict == Verdict::Clean && is_sealed(&session), "{session:?}");
    assert_eq!(kiosk.verify(&next), 0);
    kiosk.assert_journal_whole();
}

#[test]
fn a_key_that_was_swapped_while_the_machine_slept_is_not_clean_not_sealed_and_has_to_be_plugged_in_again() {
    let clocks = SetClocks::new();
    let ground = Ground { clocks: Box::new(clocks.clone()), ..Ground::of(OneSlow) };
    let kiosk = Kiosk::on(Others::welcome(), ground);
    let image = kiosk.image("slow", Format::Fat32, &tree());
    let infected = kiosk.image("infected", Format::Fat32, &tree().with("virus.com", samples::eicar()));
    let session = under_way(&kiosk, &image);
    clocks.sleep(3600.0);
    swap(&image, &infected);
    let (verdict, ended) = kiosk.verdict("slow");
    assert_eq!((ended.id, verdict, failure(&ended)), (session.id, Verdict::Incomplete, Some("sleep")));
    assert_eq!(kiosk.verify(&image), NO_TAG);
    let device = blanche_station::detect::DevPath("/devices/simulated/slow".to_owned());
    kiosk.unplug("slow", &device);
    kiosk.plug("p1", &image);
    assert_eq!(kiosk.verdict("p1").0, Verdict::Infected, "what is there now");
    assert_serves_the_next(&kiosk);
    let woke = kiosk.records("resumed");
    assert_eq!(woke.len(), 1, "{woke:?}");
    assert_eq!(woke[0]["detail"]["seconds"], "3600");
    assert!(kiosk.records("suspended").is_empty(), "nobody announced it");
}

#[test]
fn a_clock_that_is_set_back_and_forth_during_a_check_changes_no_verdict_and_stands_in_the_journal() {
    let clocks = SetClocks::new();
    let kiosk = Kiosk::on(
        Others::welcome(),
        Ground { clocks: Box::new(clocks.clone()), ..Ground::of(blanche_station::admit::SimulatedGate) },
    );
    let infected = kiosk.image("infected", Format::Fat32, &tree().with("virus.com", samples::eicar()));
    kiosk.plug("p1", &infected);
    kiosk.wait("p1", "a session", |_| true);
    for seconds in [-86_400.0, 31_536_000.0, -31_449_600.0] {
        let before = kiosk.records("clock_changed").len();
        clocks.set(seconds);
        kiosk.wait_until("the clock was looked at", |_| kiosk.records("clock_changed").len() > before);
    }
    assert_eq!(kiosk.verdict("p1").0, Verdict::Infected);
    assert_serves_the_next(&kiosk);
    let told: Vec<_> = kiosk.records("clock_changed").iter().map(|body| body["detail"]["seconds"].clone()).collect();
    assert_eq!(told, ["-86400", "+31536000", "-31449600"]);
}

/// logind as far as sleep goes. Whoever holds a lock has the writing end of a pipe.
struct Logind(Sender<PipeReader>);

#[interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    fn inhibit(&self, what: &str, _who: &str, _why: &str, mode: &str) -> zbus::OwnedFd {
        assert_eq!((what, mode), ("sleep", "delay"));
        let (reader, writer): (PipeReader, PipeWriter) = pipe().unwrap();
        self.0.send(reader).unwrap();
        OwnedFd::from(writer).into()
    }

    #[zbus(signal)]
    async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;
}

/// A bus with a logind on it, and the locks that it gave. It is a process of this one: for those who are welcome only.
fn logind() -> (PrivateBus, Connection, Receiver<PipeReader>) {
    let bus = PrivateBus::start();
    let (given, locks) = mpsc::channel();
    let address = bus.address();
    let serve = async {
        let path = "/org/freedesktop/login1";
        let builder = Builder::address(address.as_str()).serve_at(path, Logind(given));
        builder.name("org.freedesktop.login1").build().await
    };
    let connection = zbus::block_on(serve).unwrap();
    (bus, connection, locks)
}

fn announce(connection: &Connection, start: bool) {
    let emitter = SignalEmitter::new(connection, "/org/freedesktop/login1").unwrap();
    zbus::block_on(Logind::prepare_for_sleep(&emitter, start)).unwrap();
}

#[test]
fn a_sleep_that_is_announced_waits_until_everything_was_stopped_and_nothing_begins_before_it_is_over() {
    let others = Others::welcome();
    let (bus, connection, locks) = logind();
    let kiosk = Kiosk::on(others, Ground { logind: Some(Bus::Address(bus.address())), ..Ground::of(OneSlow) });
    let mut lock = locks.recv_timeout(PATIENCE).unwrap();
    let image = kiosk.image("slow", Format::Fat32, &tree());
    under_way(&kiosk, &image);
    announce(&connection, true);
    lock.read_to_end(&mut Vec::new()).unwrap();
    let (verdict, session) = kiosk.verdict("slow");
    assert_eq!((verdict, failure(&session)), (Verdict::Incomplete, Some("sleep")), "before it was let go");
    assert_eq!(kiosk.records("suspended").len(), 1);
    let next = kiosk.image("next", Format::Fat32, &tree());
    kiosk.plug("p2", &next);
    kiosk.wait("p2", "a session", |session| session.state == State::Queued);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(kiosk.wait("p2", "a session", |_| true).state, State::Queued, "the machine is about to sleep");
    announce(&connection, false);
    let (verdict, session) = kiosk.verdict("p2");
    assert!(verdict == Verdict::Clean && is_sealed(&session), "{session:?}");
    assert_eq!(kiosk.records("resumed").len(), 1);
    locks.recv_timeout(PATIENCE).expect("the next sleep is held up as well");
}

#[test]
fn a_sleep_that_somebody_else_announces_stops_nothing() {
    let others = Others::welcome();
    let (bus, connection, locks) = logind();
    let ground =
        Ground { logind: Some(Bus::Address(bus.address())), ..Ground::of(blanche_station::admit::SimulatedGate) };
    let kiosk = Kiosk::on(others, ground);
    locks.recv_timeout(PATIENCE).unwrap();
    let (the_bus, manager) = ("org.freedesktop.DBus", "org.freedesktop.login1.Manager");
    let names = bus.busctl(&["call", the_bus, "/org/freedesktop/DBus", the_bus, "ListNames"]);
    let names = String::from_utf8(names.stdout).unwrap();
    let mut told = 0;
    for client in names.split('"').filter(|name| name.starts_with(':')) {
        let to = format!("--destination={client}");
        for body in [["b", "true"], ["s", "true"]] {
            let path = "/org/freedesktop/login1";
            let sent = bus.busctl(&[&[to.as_str(), "emit", path, manager, "PrepareForSleep"][..], &body].concat());
            told += usize::from(sent.status.success());
        }
    }
    assert!(told >= 4, "logind and the station at least: {names}");
    assert_serves_the_next(&kiosk);
    assert!(kiosk.records("suspended").is_empty());
    // Whoever may say it is still heard.
    announce(&connection, true);
    kiosk.wait_until("it is about to sleep", |_| kiosk.records("suspended").len() == 1);
}

#[test]
fn when_the_bus_on_which_sleep_is_announced_goes_away_the_station_does_not_stay_asleep() {
    let others = Others::welcome();
    let (mut bus, connection, locks) = logind();
    let kiosk = Kiosk::on(
        others,
        Ground { logind: Some(Bus::Address(bus.address())), ..Ground::of(blanche_station::admit::SimulatedGate) },
    );
    locks.recv_timeout(PATIENCE).unwrap();
    announce(&connection, true);
    kiosk.wait_until("it is about to sleep", |_| kiosk.records("suspended").len() == 1);
    bus.stop();
    kiosk.wait_until("nobody would wake it", |_| kiosk.records("resumed").len() == 1);
    assert_serves_the_next(&kiosk);
}
