//! `blanche-stationd` as systemd runs it, but as a user who may change nothing: as root it would close the USB ports of the
//! machine that runs the tests.

use crate::client::{blanche, text};
use crate::{SOON, eventually};
use blanche_tests::bus::PrivateBus;
use blanche_tests::{Station, signatures};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What sd_notify(3) sends, one message each.
struct Systemd {
    socket: UnixDatagram,
    heard: String,
}

impl Systemd {
    fn hears(&mut self, what: &str) {
        let start = Instant::now();
        while !self.heard.contains(what) {
            assert!(start.elapsed() < SOON, "no {what} in {:?}", self.heard);
            let mut buffer = [0; 4096];
            if let Ok(length) = self.socket.recv(&mut buffer) {
                self.heard.push_str(&text(&buffer[..length]));
                self.heard.push('\n');
            }
        }
    }
}

struct Daemon {
    child: Child,
    systemd: Systemd,
    _folder: tempfile::TempDir,
}

impl Daemon {
    fn start(bus: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open =
            |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("our folder");
        open(folder.path(), 0o755);
        let place = folder.path().join("notify");
        let socket = UnixDatagram::bind(&place).expect("our folder");
        open(&place, 0o777);
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a socket");
        // Where the tests were built, another user may have no way in: program and bases are taken along.
        let program = folder.path().join("blanche-stationd");
        let bases = folder.path().join("signatures");
        // By another program: what this process writes is open for writing in whatever it starts meanwhile, and the
        // kernel starts no program that is (ETXTBSY).
        let (built, shared) = (Path::new(env!("CARGO_BIN_EXE_blanche-stationd")), signatures());
        for (source, copy) in [(built, &program), (shared.as_path(), &bases)] {
            let copied = Command::new("cp").arg("-r").arg(source).arg(copy).status().expect("cp");
            assert!(copied.success());
        }
        let mut station = Station::new(folder.path());
        let clamav = [bases.join("clamav"), station.own_base()];
        station.set("bases", "clamav", &format!("{clamav:?}")).set(
            "bases",
            "rules",
            &format!("{:?}", [bases.join("rules")]),
        );
        let mut command = Command::new("setpriv");
        if rustix::process::geteuid().is_root() {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command.arg(program).arg("--config").arg(station.configuration()).args(["--bus", bus]);
        command.env("NOTIFY_SOCKET", &place).env("WATCHDOG_USEC", "2000000").env_remove("WATCHDOG_PID");
        let child = command.spawn().expect("built");
        Self { child, systemd: Systemd { socket, heard: String::new() }, _folder: folder }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")).expect("a pid");
        kill_process(pid, signal).expect("our child");
    }

    fn ends(mut self) -> Option<i32> {
        self.systemd.hears("STOPPING=1");
        eventually("it ends", || self.child.try_wait().expect("our child")).code()
    }
}

#[test]
fn the_daemon_tells_systemd_that_it_is_ready_that_it_lives_and_that_it_ends() {
    // A bus of a session serves one user only, and the daemon here is another one.
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.conf");
    let everything = r#"<allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>"#;
    let rules = format!("<busconfig><policy context=\"default\">{everything}</policy></busconfig>");
    std::fs::write(&policy, rules).expect("our folder");
    let bus = PrivateBus::with_policy(&policy);
    let mut daemon = Daemon::start(&bus.address());
    daemon.systemd.hears("READY=1");
    daemon.systemd.hears("STATUS=");
    daemon.systemd.hears("WATCHDOG=1");
    daemon.signal(Signal::HUP);
    daemon.systemd.heard.clear();
    daemon.systemd.hears("WATCHDOG=1");
    let status = blanche(&bus, &["status", "--json"]);
    assert!(text(&status.stdout).contains("\"schema\":\"blanche-station/1\""), "{status:?}");
    has_nothing_made_up(&bus);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ends(), Some(0));
}

/// Nobody plugs made-up media into a real station.
fn has_nothing_made_up(bus: &PrivateBus) {
    let path = "/org/blanche/Station1";
    let shown = bus.busctl(&["introspect", "--xml-interface", "org.blanche.Station1", path]);
    let shown = text(&shown.stdout);
    assert!(shown.contains("org.blanche.Station1\"") && !shown.contains("Simulation"), "{shown}");
    for arguments in [&["insert", "clean"][..], &["insert"], &["remove"]] {
        let output = blanche(bus, arguments);
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        assert!(text(&output.stderr).contains("a real one"), "{output:?}");
    }
    let called = bus.busctl(&["call", "org.blanche.Station1", path, "org.blanche.Simulation1", "Ports"]);
    assert!(!called.status.success(), "{called:?}");
}

#[test]
fn without_a_bus_the_daemon_is_ready_all_the_same() {
    let mut daemon = Daemon::start("unix:path=/nonexistent/bus");
    daemon.systemd.hears("READY=1");
    daemon.systemd.hears("bus absent");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ends(), Some(0));
}

#[test]
fn a_wrong_configuration_is_told_and_has_its_code() {
    let output = Command::new(env!("CARGO_BIN_EXE_blanche-stationd"))
        .args(["--config", "/nonexistent/blanche.toml"])
        .output()
        .expect("built");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/nonexistent"), "{output:?}");
}
