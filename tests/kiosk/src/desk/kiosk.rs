//! The kiosk of a desk: the program as it is shipped, or the one that can be measured.

use super::{Desk, SOON, at_noon, eventually};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Parts of a second in which the kernel counts for programs, on every architecture of Debian (time(7)).
const USER_HZ: u64 = 100;

/// See the module. It ends when it is dropped.
#[derive(Debug)]
pub struct Kiosk {
    child: Child,
    questions: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Kiosk {
    /// The program as it is shipped.
    pub(super) fn start(desk: &Desk, arguments: &[&str], variables: &[(&str, String)]) -> Self {
        Self::run(desk, "blanche-kiosk", arguments, variables)
    }

    /// The program `kiosk-measured`.
    #[must_use]
    pub fn measured(desk: &Desk, arguments: &[&str]) -> Self {
        Self::measured_with(desk, arguments, &[])
    }

    /// The same with more in its environment.
    #[must_use]
    pub fn measured_with(desk: &Desk, arguments: &[&str], variables: &[(&str, String)]) -> Self {
        Self::run(desk, "kiosk-measured", arguments, variables)
    }

    fn run(desk: &Desk, program: &str, arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let mut command = desk.command(&desk.copy_of(program));
        at_noon(&mut command);
        command.arg("--bus").arg(desk.bus()).args(arguments);
        for (name, value) in variables {
            command.env(name, value);
        }
        let log = desk.surroundings().log("kiosk");
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = started.expect("the program was built");
        let (questions, out) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut kiosk = Self { child, questions, answers };
        eventually("the kiosk has a window", || {
            assert!(kiosk.is_alive(), "the kiosk ended: {}", desk.log("kiosk"));
            (!desk.windows().is_empty()).then_some(())
        });
        kiosk
    }

    /// Every visible widget of a measured kiosk, from the outside in.
    ///
    /// # Panics
    /// When it is not one, or does not answer.
    #[must_use]
    pub fn widgets(&mut self) -> Vec<Value> {
        self.ask("widgets")
    }

    /// Every text that any widget of a measured kiosk holds, visible or not.
    ///
    /// # Panics
    /// When it is not one, or does not answer.
    #[must_use]
    pub fn texts(&mut self) -> Vec<String> {
        self.ask("texts")
    }

    /// Processor time of each frame of a measured kiosk since this was last called; the first call begins to measure.
    ///
    /// # Panics
    /// When it is not one, or does not answer.
    #[must_use]
    pub fn frames(&mut self) -> Vec<Duration> {
        self.ask::<Vec<u64>>("frames").into_iter().map(Duration::from_micros).collect()
    }

    fn ask<T: DeserializeOwned>(&mut self, question: &str) -> T {
        writeln!(self.questions.as_ref().expect("a pipe"), "{question}").expect("a running kiosk");
        let line = self.answers.recv_timeout(SOON).expect("an answer of a measured kiosk");
        serde_json::from_str(&line).expect("a list")
    }

    /// Bytes of memory that it has and that no other process shares with it, at this moment (proc(5), `/proc/pid/smaps_rollup`).
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid())).expect("a running kiosk");
        let private = text.lines().filter(|line| line.starts_with("Private_"));
        let kibibytes = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kibibytes.sum::<u64>() * 1024
    }

    /// The screen that a keeper (`--keep`) has started last, while there is one (proc(5), `/proc/pid/task/tid/children`).
    #[must_use]
    pub fn screen(&self) -> Option<Screen> {
        let keeper = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok().and_then(Pid::from_raw).map(Screen)
    }

    /// Whether it waits for an answer of the station: each order has a thread of that name (ui/src/link.rs), which ends
    /// when it has told what came of it.
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("a running kiosk").flatten();
        let mut names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
        names.any(|name| name.trim_end() == "order")
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Processor time that it has used (proc(5), `/proc/pid/stat`).
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("a running kiosk");
        let (_, after) = stat.rsplit_once(") ").expect("proc(5)");
        // utime and stime are the fields 14 and 15; the first after the name is the third.
        let ticks: u64 = after.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().expect("proc(5)")).sum();
        Duration::from_millis(ticks * 1000 / USER_HZ)
    }
}

/// A process that shows the screen, and is no child of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen(Pid);

impl Screen {
    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn strike(&self, signal: Signal) {
        kill_process(self.0, signal).expect("a running screen");
    }

    /// How long it was ready to go on while others had the processors; nothing where the kernel does not count that
    /// (Documentation/scheduler/sched-stats.rst).
    #[must_use]
    pub fn waited(&self) -> Duration {
        let counted = std::fs::read_to_string(format!("/proc/{}/schedstat", self.0)).unwrap_or_default();
        Duration::from_nanos(counted.split(' ').nth(1).and_then(|field| field.parse().ok()).unwrap_or_default())
    }

    /// Whether there is such a process.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        test_kill_process(self.0).is_ok()
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
