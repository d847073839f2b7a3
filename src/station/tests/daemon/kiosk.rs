//! A station in a folder of its own, with sockets into which images are plugged.

use blanche_journal::{Filter, Log, Order, Reader, Row};
use blanche_scan::judge::Verdict;
use blanche_scan::settings::Settings;
use blanche_station::admit::{Gate, SimulatedGate};
use blanche_station::board::Snapshot;
use blanche_station::daemon::{Clocks, Daemon, MachineClocks, Parts};
use blanche_station::detect::simulated::{Plug, Sockets, Unit, descriptors_of, machine};
use blanche_station::detect::{DevPath, DiskKind};
use blanche_station::service::Bus;
use blanche_station::session::Rules;
use blanche_station::session::view::{SessionView, State};
use blanche_tests::tools::try_run;
use blanche_tests::{Ceremony, Format, Layout, Station, Tree, image, program};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Longest wait for anything on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Interfaces of an ordinary key (USB Mass Storage Class, Bulk-Only Transport).
pub(crate) const STORAGE: (u8, u8, u8) = (8, 6, 80);
/// Those of a boot keyboard (HID 1.11, section 4.2).
pub(crate) const KEYBOARD: (u8, u8, u8) = (3, 1, 1);

pub(crate) struct Kiosk {
    pub(crate) daemon: Daemon,
    pub(crate) sockets: Sockets,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) journal: PathBuf,
    settings: Arc<Settings>,
    _others: Others,
}

/// What a station stands on.
pub(crate) struct Ground {
    pub(crate) gate: Box<dyn Gate>,
    pub(crate) clocks: Box<dyn Clocks>,
    /// Where sleep is announced.
    pub(crate) logind: Option<Bus>,
}

impl Ground {
    /// A machine with this gate.
    pub(crate) fn of(gate: impl Gate + 'static) -> Self {
        Self { gate: Box::new(gate), clocks: Box::new(MachineClocks), logind: None }
    }
}

/// All stations of this test program start their processes side by side: who kills some must be alone.
static STATIONS: RwLock<()> = RwLock::new(());

/// What keeps other stations away, or tells who would be alone that there is one.
#[allow(dead_code, reason = "held, and dropped with its station")]
pub(crate) enum Others {
    Welcome(RwLockReadGuard<'static, ()>),
    Away(RwLockWriteGuard<'static, ()>),
}

impl Others {
    pub(crate) fn welcome() -> Self {
        Self::Welcome(STATIONS.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn away() -> Self {
        Self::Away(STATIONS.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kiosk {
    /// A station that seals.
    pub(crate) fn new() -> Self {
        Self::among(Others::welcome())
    }

    pub(crate) fn among(others: Others) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        Self::with_journal(others, folder, journal)
    }

    /// A station whose gate is this one.
    pub(crate) fn with_gate(others: Others, gate: impl Gate + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        Self::build(others, folder, journal, Ground::of(gate), &programs(), "")
    }

    /// A station in other surroundings.
    pub(crate) fn on(others: Others, ground: Ground) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        Self::build(others, folder, journal, ground, &programs(), "")
    }

    /// The same, and what its engines said about a content stays known between sessions.
    pub(crate) fn that_remembers(others: Others, gate: impl Gate + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        let mut station = Station::new(folder.path());
        station.set("known_results", "file", &format!("{:?}", folder.path().join("known.sqlite")));
        Self::equip(others, station, folder, journal, Ground::of(gate), &programs(), "")
    }

    /// A station with other programs.
    pub(crate) fn with_programs(others: Others, programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        Self::build(others, folder, journal, Ground::of(SimulatedGate), programs, "")
    }

    pub(crate) fn with_journal(others: Others, folder: tempfile::TempDir, journal: PathBuf) -> Self {
        Self::build(others, folder, journal, Ground::of(SimulatedGate), &programs(), "")
    }

    /// A station that copies from `in1`, `in2` and `in3` to `out1` and `out2`.
    pub(crate) fn copying(others: Others, mode: &str) -> Self {
        Self::copying_through(others, mode, SimulatedGate)
    }

    /// The same through this gate.
    pub(crate) fn copying_through(others: Others, mode: &str, gate: impl Gate + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        let port = |(port, role): (&str, &str)| format!("{{ port = \"{port}\", role = \"{role}\" }}");
        let ports = [("in1", "input"), ("in2", "input"), ("in3", "input"), ("out1", "output"), ("out2", "output")];
        let more = format!("copy.mode = \"{mode}\"\nports = [{}]\n", ports.map(port).join(", "));
        Self::build(others, folder, journal, Ground::of(gate), &programs(), &more)
    }

    fn build(
        others: Others,
        folder: tempfile::TempDir,
        journal: PathBuf,
        ground: Ground,
        programs: &Path,
        more: &str,
    ) -> Self {
        let station = Station::new(folder.path());
        Self::equip(others, station, folder, journal, ground, programs, more)
    }

    fn equip(
        others: Others,
        mut station: Station,
        folder: tempfile::TempDir,
        journal: PathBuf,
        ground: Ground,
        programs: &Path,
        more: &str,
    ) -> Self {
        Ceremony::new(&folder.path().join("keys")).equip(&mut station, "accueil-1", "paris");
        station.set("children", "directory", &format!("{programs:?}"));
        station.set("journal", "folder", &format!("{journal:?}"));
        let configuration = station.configuration();
        let lines = std::fs::read_to_string(&configuration).unwrap() + more;
        std::fs::write(&configuration, lines).unwrap();
        let settings = Arc::new(Settings::load(&configuration).unwrap());
        let (daemon, sockets) = start(&settings, ground);
        Self { daemon, sockets, folder, journal, settings, _others: others }
    }

    /// Ends the daemon, and starts another one on the same journal.
    pub(crate) fn restart(self) -> Self {
        let Self { daemon, folder, journal, settings, _others: others, .. } = self;
        drop(daemon);
        let (daemon, sockets) = start(&settings, Ground::of(SimulatedGate));
        Self { daemon, sockets, folder, journal, settings, _others: others }
    }

    pub(crate) fn image(&self, name: &str, format: Format, tree: &Tree) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        image(&folder, format, Layout::Superfloppy, tree)
    }

    /// Plugs an image in as an ordinary key.
    pub(crate) fn plug(&self, port: &str, image: &Path) -> DevPath {
        self.plug_as(port, &[STORAGE], &[image])
    }

    pub(crate) fn plug_as(&self, port: &str, interfaces: &[(u8, u8, u8)], images: &[&Path]) -> DevPath {
        let unit = |image: &&Path| Unit { image: Some(image.to_path_buf()), read_only: false, kind: DiskKind::Disk };
        let plug = Plug {
            descriptors: descriptors_of(0x0951, 0x1666, interfaces),
            manufacturer: Some("Kingston".into()),
            name: Some("DataTraveler".into()),
            serial: Some(format!("S-{port}")),
            units: images.iter().map(unit).collect(),
        };
        self.sockets.insert(port, &plug).unwrap()
    }

    /// The newest session of a socket as soon as `wanted` is true of it.
    pub(crate) fn wait(&self, port: &str, what: &str, wanted: impl Fn(&SessionView) -> bool) -> Arc<SessionView> {
        let until = Instant::now() + PATIENCE;
        let mut revision = 0;
        loop {
            let now = self.daemon.board.newer(revision, Duration::from_millis(200));
            revision = now.revision;
            let newest = now.sessions.iter().rev().find(|session| session.medium.port == port);
            if let Some(session) = newest.filter(|session| wanted(session)) {
                return Arc::clone(session);
            }
            assert!(Instant::now() < until, "{what}: {newest:?} {:?}", now.station.problems);
        }
    }

    pub(crate) fn verdict(&self, port: &str) -> (Verdict, Arc<SessionView>) {
        let ended = |session: &SessionView| session.conclusion.is_some();
        let session = self.wait(port, "a verdict", ended);
        (session.conclusion.as_ref().unwrap().verdict(), session)
    }

    /// Waits until `wanted` is true of the board.
    pub(crate) fn wait_until(&self, what: &str, mut wanted: impl FnMut(&Snapshot) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = self.daemon.board.snapshot();
            if wanted(&now) {
                return;
            }
            assert!(Instant::now() < until, "{what}: {:?}", now.station);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sessions that ended because their device became another one.
    pub(crate) fn changed(&self) -> usize {
        let filter = Filter { kind: Some("changed".into()), ..Filter::default() };
        let page = Reader::open(&self.journal).unwrap().page(&filter, Order::OldestFirst, None, 10_000).unwrap();
        page.rows.iter().filter(|row| row.body["session"].is_null()).count()
    }

    /// Pulls something out, and waits until the station has noticed.
    pub(crate) fn unplug(&self, port: &str, device: &DevPath) {
        self.sockets.remove(device);
        self.wait(port, "removed", |session| session.state == State::Removed);
    }

    /// Exit code of the workstation's verifier.
    pub(crate) fn verify(&self, image: &Path) -> i32 {
        let trust = self.folder.path().join("keys/trust");
        let arguments = ["--no-memory", "--level", "full", "--trust"].map(std::ffi::OsStr::new);
        let all = arguments.into_iter().chain([trust.as_os_str(), image.as_os_str()]);
        let output = try_run(self.folder.path(), program("blanche-verify").to_str().unwrap(), all);
        output.status.code().unwrap()
    }

    /// The journal is what was recorded, whether or not its last checkpoint was signed yet (docs/exit-codes.md: 51).
    pub(crate) fn assert_journal_whole(&self) {
        let folder = self.journal.as_os_str();
        let arguments = ["journal", "verify", "--folder"].map(std::ffi::OsStr::new).into_iter().chain([folder]);
        let verified = try_run(self.folder.path(), program("blanche").to_str().unwrap(), arguments);
        assert!(matches!(verified.status.code(), Some(0 | 51)), "{verified:?}");
    }

    /// Bodies of the records of one kind.
    pub(crate) fn records(&self, kind: &str) -> Vec<serde_json::Value> {
        let filter = Filter { kind: Some(kind.into()), ..Filter::default() };
        let page = Reader::open(&self.journal).unwrap().page(&filter, Order::OldestFirst, None, 10_000).unwrap();
        page.rows.into_iter().map(|row| row.body).collect()
    }

    /// Closing records of the journal: session and verdict.
    pub(crate) fn closed(&self) -> Vec<(String, String)> {
        let reader = Reader::open(&self.journal).unwrap();
        let filter = Filter { log: Some(Log::Transfer), kind: Some("session".into()), ..Filter::default() };
        let (mut from, mut all) = (None, Vec::new());
        loop {
            let page = reader.page(&filter, Order::OldestFirst, from, 500).unwrap();
            let text = |row: &Row, name: &str| row.body[name].as_str().unwrap().to_owned();
            all.extend(page.rows.iter().map(|row| (text(row, "session"), text(row, "verdict"))));
            from = page.next;
            if from.is_none() {
                return all;
            }
        }
    }
}

fn programs() -> PathBuf {
    program("blanche").parent().unwrap().to_owned()
}

fn start(settings: &Arc<Settings>, ground: Ground) -> (Daemon, Sockets) {
    let (source, sockets) = machine();
    let parts = Parts {
        settings: Arc::clone(settings),
        source: Box::new(source),
        gate: ground.gate,
        rules: Rules::of(settings),
        signer: None,
        clocks: ground.clocks,
        logind: ground.logind,
        simulated: true,
    };
    (Daemon::start(parts).unwrap(), sockets)
}
