//! `blanche station` as a program.

use blanche_tests::bus::PrivateBus;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};

/// Runs `blanche station …` in English.
pub(crate) fn blanche(bus: &PrivateBus, arguments: &[&str]) -> Output {
    command(bus, arguments).output().expect("the program was built")
}

fn command(bus: &PrivateBus, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blanche"));
    command.args(["--lang", "en", "station"]).args(arguments).args(["--bus", &bus.address()]);
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// `blanche station watch --json`, line by line.
pub(crate) struct Watch {
    program: Child,
    lines: Receiver<Value>,
}

impl Watch {
    pub(crate) fn start(bus: &PrivateBus) -> Self {
        let mut program = command(bus, &["watch", "--json"]).stdout(Stdio::piped()).spawn().expect("built");
        let out = BufReader::new(program.stdout.take().expect("a pipe"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let parsed = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(parsed).is_err() {
                    return;
                }
            }
        });
        Self { program, lines }
    }

    /// All lines up to the first with this event.
    pub(crate) fn until(&self, event: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let line = self.lines.recv_timeout(crate::SOON);
            let line = line.unwrap_or_else(|_| panic!("no line {event}: {seen:#?}"));
            let found = line["event"] == event;
            seen.push(line);
            if found {
                return seen;
            }
        }
    }

    /// Interrupts it as Ctrl-C does; its exit code.
    pub(crate) fn interrupt(mut self) -> Option<i32> {
        let pid = i32::try_from(self.program.id()).expect("a pid");
        let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("our child");
        self.program.wait().expect("our child").code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn without_a_station_or_a_bus_the_client_says_which_of_them_is_missing() {
    let mut bus = PrivateBus::start();
    let output = blanche(&bus, &["status"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stderr).contains("The station is not running."), "{output:?}");
    let watch = Watch::start(&bus);
    assert_eq!(watch.until("absent").len(), 1, "it waits for the station");
    assert_eq!(watch.interrupt(), Some(130));
    bus.stop();
    let output = blanche(&bus, &["status", "--json"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 0));
    assert!(text(&output.stderr).contains("bus does not answer"), "{output:?}");
}

#[test]
fn wrong_usage_has_its_code() {
    let bus = PrivateBus::start();
    assert_eq!(blanche(&bus, &["explode"]).status.code(), Some(2));
    assert_eq!(blanche(&bus, &["cancel", "a", "b"]).status.code(), Some(2));
}
