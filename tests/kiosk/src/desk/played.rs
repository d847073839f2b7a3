//! The station of a desk: the program `show-station`, told what to play.

use super::{Desk, at_noon, eventually};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// See the module. It leaves the bus when it is dropped.
#[derive(Debug)]
pub struct Played {
    child: Child,
    commands: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Played {
    pub(super) fn start(desk: &Desk, bus: &str) -> Self {
        let mut command = desk.command(&desk.copy_of("show-station"));
        at_noon(&mut command);
        let started = command.arg(bus).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = started.stderr(desk.surroundings().log("station")).spawn().expect("the program was built");
        let (commands, out) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { child, commands, said }
    }

    /// Gives a command (see [`crate::show`]), and waits until it is done.
    ///
    /// # Panics
    /// When the station has ended or does not know the command.
    pub fn play(&mut self, command: &str) {
        let before = self.said().len();
        let mut commands = self.commands.as_ref().expect("a pipe");
        writeln!(commands, "{command}").expect("a station that plays");
        let answer = eventually(command, || {
            let said = self.said();
            said.iter().skip(before).find(|line| !line.starts_with("order ")).cloned()
        });
        assert_eq!(answer, command, "the station does not know it");
    }

    /// Puts a scene on the board.
    pub fn scene(&mut self, name: &str) {
        self.play(&format!("scene {name}"));
    }

    /// Gives a command without waiting for its end.
    ///
    /// # Panics
    /// When the station has ended.
    pub fn begin(&mut self, command: &str) {
        writeln!(self.commands.as_ref().expect("a pipe"), "{command}").expect("a station that plays");
    }

    /// Orders that arrived, such as `cancel UUID`.
    #[must_use]
    pub fn orders(&self) -> Vec<String> {
        self.said().iter().filter_map(|line| line.strip_prefix("order ")).map(str::to_owned).collect()
    }

    /// Ends it as a station that crashes.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(mut self) {
        self.child.kill().expect("our child");
    }

    /// Ends it in good order: it leaves the bus.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn leave(&mut self) {
        drop(self.commands.take());
        self.child.wait().expect("our child");
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.child.wait();
    }
}
