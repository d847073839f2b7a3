//! A training station as people start it: every medium shows what it promises, and nothing that comes out of it is worth
//! anything at a real workstation.

use crate::client::{blanche, text};
use crate::eventually;
use blanche_tests::bus::PrivateBus;
use blanche_tests::station::signatures;
use blanche_tests::tools::try_run;
use blanche_tests::{Ceremony, Format, Layout, Tree, image, program};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const STATION: &str = "org.blanche.Station1";
const ROOT: &str = "/org/blanche/Station1";

/// `blanche-stationd --simulate`.
struct Training {
    bus: PrivateBus,
    folder: tempfile::TempDir,
    child: Child,
}

impl Training {
    fn start() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "only root's children are confined enough to seal: run it as root"
        );
        let (bus, folder) = (PrivateBus::start(), tempfile::tempdir().expect("a folder"));
        let images = folder.path().join("images");
        std::fs::create_dir(&images).expect("our folder");
        let made = image(folder.path(), Format::ExFat, Layout::MbrPrimary, &Tree::new().with("own.txt", "own"));
        std::fs::rename(made, images.join("own.img")).expect("our folder");
        std::fs::write(images.join("notes.txt"), "no image").expect("our folder");
        let child = Command::new(env!("CARGO_BIN_EXE_blanche-stationd"))
            .args(["--bus", &bus.address(), "--simulate"])
            .arg(&images)
            .arg("--bases")
            .arg(signatures())
            .arg("--state")
            .arg(folder.path().join("state"))
            .spawn()
            .expect("built");
        let training = Self { bus, folder, child };
        eventually("the engines are loaded", || {
            let document = training.status()?;
            assert_eq!(document["station"]["simulated"], true);
            document["station"]["can_seal"].as_bool().filter(|ready| *ready)
        });
        training
    }

    fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join("state").join(name)
    }

    fn status(&self) -> Option<Value> {
        serde_json::from_slice(&blanche(&self.bus, &["status", "--json"]).stdout).ok()
    }

    /// What a client prints about what it plugged in or pulled out.
    fn plugs(&self, arguments: &[&str]) -> Value {
        let output = blanche(&self.bus, &[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// The newest session of a port, as soon as `wanted` is true of it.
    fn session(&self, port: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || {
            let document = self.status()?;
            let sessions = document["sessions"].as_array()?.clone();
            sessions.into_iter().rfind(|session| session["medium"]["port"] == port).filter(&wanted)
        })
    }

    fn call(&self, interface: &str, member: &str, arguments: &[&str]) -> String {
        let output = self.bus.busctl(&[&["call", STATION, ROOT, interface, member], arguments].concat());
        assert!(output.status.success(), "{member}: {output:?}");
        text(&output.stdout)
    }

    /// Events of a kind in the station's journal.
    fn events(&self, kind: &str) -> Vec<Value> {
        let journal = self.state("journal");
        let journal = journal.to_str().expect("UTF-8");
        let arguments = ["journal", "list", "--folder", journal, "--log", "event", "--kind", kind, "--json"];
        let output = try_run(self.folder.path(), env!("CARGO_BIN_EXE_blanche"), arguments);
        assert!(output.status.success(), "{output:?}");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        document["records"].as_array().expect("records").clone()
    }

    /// Ends it in good order.
    fn end(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")).expect("a pid");
        kill_process(pid, Signal::TERM).expect("our child");
        let code = eventually("it ends", || self.child.try_wait().expect("our child")).code();
        assert_eq!(code, Some(0));
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exit code and words of the workstation's verifier.
fn verify(folder: &Path, trust: &Path, image: &str) -> (Option<i32>, String) {
    let trust = trust.to_str().expect("UTF-8");
    let arguments = ["--no-memory", "--lang", "en", "--json", "--trust", trust, image];
    let output = try_run(folder, program("blanche-verify").to_str().expect("UTF-8"), arguments);
    (output.status.code(), text(&output.stdout))
}

/// What every kind shows: verdict, refusal of the device, tag.
const SHOWN: [(&str, &str, &str, &str); 10] = [
    ("clean", "clean", "", "on-medium"),
    ("infected", "infected", "", ""),
    ("incomplete", "incomplete", "", ""),
    ("unreadable", "incomplete", "", ""),
    ("empty", "clean", "", "on-medium"),
    ("many-files", "clean", "", "on-medium"),
    ("keyboard", "refused", "not-storage", ""),
    ("storage-keyboard", "refused", "composite", ""),
    ("phone", "refused", "not-storage", ""),
    ("own.img", "clean", "", "on-medium"),
];

#[test]
fn every_medium_shows_what_it_promises_and_no_workstation_accepts_its_tag() {
    let mut training = Training::start();
    let real = Ceremony::new(&training.folder.path().join("real")).trust("trust");
    let mut tags = 0;
    for (kind, verdict, refusal, seal) in SHOWN {
        let plugged = training.plugs(&["insert", kind]);
        let port = plugged["port"].as_str().expect("a port");
        assert_eq!((&plugged["kind"], port), (&kind.into(), "front-1"));
        let there = |session: &Value| session["verdict"] != "" && session["state"] != "removed";
        let session = training.session(port, kind, there);
        let shown = ["verdict", "refusal", "seal"].map(|name| session[name].as_str().expect("a word"));
        assert_eq!(shown, [verdict, refusal, seal], "{kind}: {session:#}");
        if seal == "on-medium" {
            tags += 1;
            let node = session["medium"]["node"].as_str().expect("an image");
            assert_eq!((&session["tag"]["station"], &session["tag"]["site"]), (&"training".into(), &"training".into()));
            let (code, said) = verify(training.folder.path(), &training.state("trust"), node);
            assert_eq!(code, Some(0), "{kind}: {said}");
            assert!(said.contains("\"training\""), "the tag says what it is: {said}");
            let (code, said) = verify(training.folder.path(), &real, node);
            assert_eq!(code, Some(41), "{kind}: {said}");
            assert!(said.contains("E-CHAIN"), "{kind}: {said}");
        }
        assert_eq!(training.plugs(&["remove"])["port"], port);
        training.session(port, "removed", |session| session["state"] == "removed");
    }
    assert_eq!(tags, 4);
    assert_eq!(training.plugs(&["insert", "output"])["port"], "output-1");
    training.end();
    let begun = training.events("station_started");
    assert!(begun.iter().any(|event| event.to_string().contains("\"simulated\":\"true\"")), "{begun:?}");
    let (journal, trust) = (training.state("journal"), training.state("trust"));
    let arguments = ["journal", "verify", "--folder", journal.to_str().unwrap(), "--trust", trust.to_str().unwrap()];
    let verified = try_run(training.folder.path(), env!("CARGO_BIN_EXE_blanche"), arguments);
    assert!(verified.status.success(), "{verified:?}");
    assert!(!training.state("authority").exists() && !training.state("issued").exists(), "nobody certifies any more");
    assert!(training.folder.path().join("images/own.img").metadata().unwrap().len() > 0, "the trainer's image stays");
}

#[test]
fn a_slow_medium_moves_and_one_that_is_pulled_out_meanwhile_is_told_at_once() {
    let training = Training::start();
    let plugged = Instant::now();
    let port = training.plugs(&["insert", "slow", "front-2"])["port"].as_str().unwrap().to_owned();
    let done = |session: &Value| session["progress"]["bytes_done"].as_u64().unwrap_or(0);
    let early = training.session(&port, "it moves", |session| done(session) > 0);
    let later = training.session(&port, "it goes on", |session| done(session) >= done(&early) + (6 << 20));
    // Since it is there: a busy machine makes up for what it missed. Less than 1 MiB is read ahead.
    let took = plugged.elapsed();
    let least = Duration::from_millis(((done(&later) - (1 << 20)) * 1000) >> 20);
    assert!(took > least, "{} bytes at 1 MiB per second, not in {took:?}", done(&later));
    assert_eq!(later["state"], "checking", "{later:#}");
    assert!(later["progress"]["remaining"].as_u64().unwrap() > 10, "{later:#}");
    let image = PathBuf::from(later["medium"]["node"].as_str().unwrap());
    training.plugs(&["remove", &port]);
    let pulled = Instant::now();
    let session = training.session(&port, "it is told", |session| session["state"] == "removed");
    assert!(pulled.elapsed().as_secs() < 10, "long before its end: {:?}", pulled.elapsed());
    assert_eq!((&session["pulled"], &session["verdict"]), (&true.into(), &"incomplete".into()), "{session:#}");
    assert_eq!(session["failure"]["kind"], "removed");
    assert!(!image.exists(), "its image went with it");
    training.plugs(&["insert", "clean", &port]);
    training.session(&port, "the next one works", |session| session["seal"] == "on-medium");
}

#[test]
fn the_files_of_a_checked_key_go_to_a_blank_key_of_the_station() {
    let training = Training::start();
    training.plugs(&["insert", "clean"]);
    training.session("front-1", "it is sealed", |session| session["seal"] == "on-medium");
    assert_eq!(training.plugs(&["insert", "output"])["port"], "output-1");
    let output = eventually("the output medium is shown", || {
        let outputs = training.status()?["station"]["outputs"].clone();
        let there = |output: &&Value| output["port"] == "output-1" && output["contents"] == "blank";
        outputs.as_array()?.iter().find(there).cloned()
    });
    let ordered = blanche(&training.bus, &["copy", "--json"]);
    assert_eq!(ordered.status.code(), Some(0), "{ordered:?} {output:#}");
    let session = training.session("front-1", "it is copied", |session| session["copy"]["outcome"] != "");
    assert_eq!(session["copy"]["outcome"], "copied", "{session:#}");
}

#[test]
fn the_engines_of_a_running_station_prove_themselves_when_somebody_asks() {
    let training = Training::start();
    let tested = || training.bus.busctl(&["get-property", STATION, ROOT, STATION, "SelfTested"]);
    assert_eq!(text(&tested().stdout).trim(), "(tb) 0 false");
    let first = blanche(&training.bus, &["selftest", "--json"]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let document: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!((&document["schema"], &document["passed"]), (&"blanche-station-selftest/1".into(), &true.into()));
    let results = document["results"].as_array().unwrap();
    assert!(results.iter().any(|line| line["marker"] == "EICAR" && line["engine"] == "yara-x"), "{document}");
    assert!(results.iter().all(|line| line["found"] == true), "{document}");
    // Properties are told ten times a second.
    eventually("the result is shown", || text(&tested().stdout).trim().ends_with(" true").then_some(()));
    // Those who ask at the same time: one gets a result, the others are told that one is running.
    let all: Vec<_> = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..3).map(|_| scope.spawn(|| blanche(&training.bus, &["selftest"]))).collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    assert!(all.iter().any(|output| text(&output.stdout).contains("Each engine finds its markers.")), "{all:?}");
    let refused: Vec<_> = all.iter().filter(|output| output.status.code() == Some(5)).collect();
    assert!(refused.iter().all(|output| text(&output.stderr).contains("running already")), "{all:?}");
    let passed = training.events("self_test_passed");
    let asked = passed.iter().filter(|event| event.to_string().contains("\"occasion\":\"asked\"")).count();
    assert_eq!(asked, 4 - refused.len(), "{passed:?}");
}

#[test]
fn what_cannot_be_plugged_in_or_pulled_out_is_told() {
    let training = Training::start();
    let shown = training.bus.busctl(&["introspect", "--xml-interface", STATION, ROOT]);
    is_golden(&text(&shown.stdout));
    let media = training.call("org.blanche.Simulation1", "Media", &["s", "fr"]);
    // busctl writes what is not ASCII in octal.
    assert!(media.contains(r#""infected" "Cl\303\251 infect\303\251e""#) && media.contains("\"own.img\""), "{media}");
    assert!(!media.contains("notes.txt"), "{media}");
    let refused = |arguments: &[&str]| {
        let output = blanche(&training.bus, arguments);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {output:?}");
        text(&output.stderr)
    };
    for kind in ["nonsense", "../own.img", "/etc/passwd", "notes.txt", ""] {
        assert!(refused(&["insert", kind]).contains("no such medium"), "{kind}");
    }
    for port in ["a/b", "a b", "é", &"x".repeat(200)] {
        assert!(refused(&["insert", "phone", port]).contains("no such port"), "{port}");
    }
    assert!(refused(&["remove"]).contains("nothing is plugged in"));
    for port in ["front-1", "front-2"] {
        assert_eq!(training.plugs(&["insert", "phone"])["port"], port);
    }
    assert!(refused(&["insert", "phone"]).contains("none is free"));
    assert!(refused(&["insert", "phone", "front-1"]).contains("already"));
    assert!(refused(&["remove"]).contains("say which port"));
    // A port that nobody declared takes no media.
    training.plugs(&["insert", "clean", "back"]);
    let session = training.session("back", "a verdict", |session| session["verdict"] != "");
    assert_eq!((&session["verdict"], &session["refusal"]), (&"refused".into(), &"port".into()));
    for port in ["back", "front-1", "front-2"] {
        training.plugs(&["remove", port]);
    }
    // A trainer's image is one medium: it cannot be in two ports.
    training.plugs(&["insert", "own.img", "front-1"]);
    assert!(refused(&["insert", "own.img", "front-2"]).contains("already"));
    training.plugs(&["insert", "clean", "back"]);
    let listed = blanche(&training.bus, &["insert"]);
    assert!(text(&listed.stdout).contains("port back (): clean"), "{listed:?}");
}

#[test]
fn a_folder_with_the_state_of_an_earlier_run_is_not_taken_and_the_program_holds_nothing_that_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("journal"), "").expect("our folder");
    let output = Command::new(env!("CARGO_BIN_EXE_blanche-stationd"))
        .args(["--simulate", "--bus", "unix:path=/nonexistent/bus", "--state"])
        .arg(folder.path())
        .output()
        .expect("built");
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(text(&output.stderr).contains("is not empty"), "{output:?}");
    let program = std::fs::read(env!("CARGO_BIN_EXE_blanche-stationd")).expect("built");
    let marker = ["EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE"].concat();
    assert!(!program.windows(marker.len()).any(|window| window == marker.as_bytes()));
}

/// The interface is what tests/golden promises.
fn is_golden(xml: &str) {
    let name = "org.blanche.Simulation1";
    let (_, rest) = xml.split_once(&format!("<interface name=\"{name}\">")).expect("the interface");
    let (body, _) = rest.split_once("</interface>").expect("its end");
    let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = format!("<node>\n<interface name=\"{name}\">\n{}\n</interface>\n</node>\n", lines.join("\n"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(format!("{name}.xml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &said).expect("the repository");
    }
    let golden = std::fs::read_to_string(&file).expect("the golden file");
    assert!(golden == said, "{} differs:\n{said}", file.display());
}
