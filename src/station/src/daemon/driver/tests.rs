//! What is written on a medium stands in the journal before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::admit::SimulatedGate;
use crate::daemon::MachineClocks;
use crate::detect::DiskKind;
use crate::detect::simulated::{Plug, Sockets, Unit, descriptors_of, machine};
use crate::session::view::{OutputView, SessionView};
use crate::session::work::Kept;
use crate::session::{Ending, Order, Rules};
use crate::show::samples;
use blanche_journal::{Filter, Order as Turn, Reader};
use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport};
use blanche_scan::settings::{PortRole, PortSettings};
use std::sync::mpsc;

/// A driver whose turns a test makes, with sockets `in` and `out`. Its engines are said to be there, and are not.
struct Station {
    driver: Driver,
    inbox: Receiver<Message>,
    sockets: Sockets,
    folder: tempfile::TempDir,
}

impl Station {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        (settings.bases.clamav, settings.bases.rules) = (Vec::new(), Vec::new());
        settings.journal.folder = folder.path().join("journal");
        settings.seal.keys = folder.path().join("no keys");
        let port = |(name, role): (&str, _)| PortSettings {
            port: name.to_owned(),
            role,
            name: String::new(),
            vendor: None,
            product: None,
        };
        settings.ports = [("in", PortRole::Input), ("out", PortRole::Output)].map(port).into();
        let settings = Arc::new(settings);
        let ((source, sockets), (sender, inbox)) = (machine(), mpsc::channel());
        let (source, gate, rules) = (Box::new(source), Box::new(SimulatedGate), Rules::of(&settings));
        let clocks = Box::new(MachineClocks);
        let parts = Parts { settings, source, gate, rules, signer: None, clocks, logind: None, simulated: true };
        let mut driver = Driver::new(parts, sender, Arc::default()).unwrap();
        driver.input(Input::Engines(Ok(())));
        Self { driver, inbox, sockets, folder }
    }

    /// Plugs a blank medium in.
    fn plug(&self, port: &str) {
        let image = self.folder.path().join(port);
        std::fs::write(&image, vec![0; 4096]).unwrap();
        let unit = Unit { image: Some(image), read_only: false, kind: DiskKind::Disk };
        let descriptors = descriptors_of(0x0951, 0x1666, &[(8, 6, 80)]);
        let plug = Plug { descriptors, manufacturer: None, name: None, serial: None, units: vec![unit] };
        self.sockets.insert(port, &plug).unwrap();
    }

    /// Turns until there is what is looked for.
    fn turn_until<T>(&mut self, what: &str, found: impl Fn(&Machine) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = found(&self.driver.machine) {
                return found;
            }
            assert!(Instant::now() < until, "{what}");
            match self.inbox.recv_timeout(LOOK) {
                // There are no bases.
                Ok(Message::Engines(_)) | Err(_) => {}
                Ok(message) => self.driver.take(message),
            }
        }
    }

    /// A session that is being checked.
    fn checking(&mut self) -> SessionId {
        self.plug("in");
        let checking = |session: &&SessionView| session.state == State::Checking;
        self.turn_until("a session", |machine| machine.sessions().find(checking).map(|session| session.id))
    }

    /// What the thread of a session is answered.
    fn ask(&mut self, id: SessionId, act: Act) -> Result<(), String> {
        let (reply, answer) = mpsc::channel();
        self.driver.take(Message::Permit(id, act, reply));
        answer.recv().unwrap()
    }

    /// What comes of an order to copy a clean medium to a blank one.
    fn copy(&mut self, journal_fails: bool) -> Arc<CopyReport> {
        let session = self.checking();
        self.driver.take(Message::Kept(session, Box::new(Kept { inventory: None, remainder: None })));
        let mut report = samples::clean();
        report.sealing.obstacles.clear();
        let ended = Work::Ended(Ending::Report(Box::new(report)));
        self.driver.take(Message::Input(Input::Work(session, ended)));
        self.plug("out");
        let blank = |output: &&OutputView| output.contents == Contents::Blank;
        let looked = |machine: &Machine| machine.outputs().into_iter().find(blank).map(|output| output.id);
        let output = self.turn_until("a blank medium", looked);
        if journal_fails {
            self.lose_the_journal();
        }
        let (reply, answer) = mpsc::channel();
        self.driver.take(Message::Order(Order::Copy { session, output, erase: true }, reply));
        assert_eq!(answer.recv().unwrap(), Ok(()));
        self.driver.machine.session(session).unwrap().copy.report.clone().unwrap()
    }

    /// From now on the journal cannot be written, and nobody has noticed yet.
    fn lose_the_journal(&mut self) {
        let mut settings = (*self.driver.settings).clone();
        settings.journal.folder = self.folder.path().join("missing/journal");
        self.driver.recorder = Recorder::new(Arc::new(settings));
    }

    /// Values of one member of the details of all records of a kind.
    fn recorded(&self, kind: &str, member: &str) -> Vec<String> {
        let reader = Reader::open(&self.folder.path().join("journal")).unwrap();
        let filter = Filter { kind: Some(kind.to_owned()), ..Filter::default() };
        let rows = reader.page(&filter, Turn::OldestFirst, None, 100).unwrap().rows;
        rows.iter().filter_map(|row| row.body["detail"][member].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.driver.stop.cancel();
    }
}

#[test]
fn no_tag_is_written_whose_number_is_not_in_the_journal() {
    let mut station = Station::new();
    let (id, tag) = (station.checking(), samples::tag());
    assert_eq!(station.ask(id, Act::Seal), Ok(()));
    assert_eq!(station.ask(id, Act::Write(tag.clone())), Ok(()));
    assert_eq!(station.recorded("signed", "tag"), std::slice::from_ref(&tag.tag), "before anybody writes it");
    station.lose_the_journal();
    let refused = station.ask(id, Act::Write(tag)).unwrap_err();
    assert!(refused.starts_with("journal: "), "{refused}");
}

#[test]
fn no_tag_is_written_of_a_session_that_is_being_stopped_and_its_number_is_known_all_the_same() {
    let mut station = Station::new();
    let (id, tag) = (station.checking(), samples::tag());
    assert_eq!(station.ask(id, Act::Seal), Ok(()));
    station.driver.input(Input::Slept(Duration::from_secs(60)));
    assert!(station.ask(id, Act::Write(tag.clone())).is_err());
    assert_eq!(station.recorded("signed", "tag"), [tag.tag]);
}

#[test]
fn nothing_is_erased_by_an_order_that_is_not_in_the_journal() {
    for journal_fails in [false, true] {
        let mut station = Station::new();
        let report = station.copy(journal_fails);
        assert_eq!(report.outcome, CopyOutcome::Untouched);
        let Some(CopyCause::Station(why)) = &report.cause else { panic!("{report:?}") };
        // With the journal it goes on, as far as it can without engines.
        assert_eq!(why.starts_with("journal: "), journal_fails, "{why}");
        let orders = station.recorded("entered", "state").iter().filter(|state| *state == "copy-ordered").count();
        assert_eq!(orders, usize::from(!journal_fails));
    }
}
