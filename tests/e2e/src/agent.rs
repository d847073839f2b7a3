//! The way into the guest: a program there that runs one line of shell after the other and says what came out.
//!
//! One JSON document per line over a virtio serial port (virtio 1.2, 5.3). A request is `{"id", "run"}`, its answer
//! `{"id", "code", "output"}`; several may run side by side. The first line of the agent is `{"hello": RELEASE}`.

use crate::failure::{Failure, Result};
use crate::lines::Lines;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Name of the port, as the guest sees it.
pub(crate) const PORT: &str = "e2e.agent";

/// A command that runs in the guest.
#[derive(Debug)]
#[must_use]
pub struct Job {
    id: u64,
    command: String,
}

/// What a command gave.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Exit code; 128 + the signal that ended it.
    pub code: i64,
    /// Standard output and standard error, as they came.
    pub output: String,
}

/// The host's end.
#[derive(Debug)]
pub(crate) struct Agent {
    lines: Lines,
    next: u64,
    early: BTreeMap<u64, Answer>,
}

impl Agent {
    pub(crate) fn connect(socket: &Path, limit: Duration) -> Result<Self> {
        Ok(Self { lines: Lines::connect(socket, limit)?, next: 0, early: BTreeMap::new() })
    }

    /// The release of the guest's kernel, once its agent runs.
    pub(crate) fn hello(&mut self, limit: Duration) -> Result<String> {
        let start = Instant::now();
        loop {
            let left = limit.saturating_sub(start.elapsed());
            let line = self.lines.next(left)?.ok_or_else(|| Failure::late("the agent in the guest", limit))?;
            if let Some(release) = line["hello"].as_str() {
                return Ok(release.to_owned());
            }
        }
    }

    pub(crate) fn start(&mut self, command: &str) -> Result<Job> {
        self.next += 1;
        self.lines.send(&json!({"id": self.next, "run": command}))?;
        Ok(Job { id: self.next, command: command.to_owned() })
    }

    /// The answer, or nothing when it is not there within `limit`.
    pub(crate) fn poll(&mut self, job: &Job, limit: Duration) -> Result<Option<Answer>> {
        let start = Instant::now();
        loop {
            if let Some(answer) = self.early.remove(&job.id) {
                return Ok(Some(answer));
            }
            let Some(line) = self.lines.next(limit.saturating_sub(start.elapsed()))? else { return Ok(None) };
            if let (Some(id), Some(code)) = (line["id"].as_u64(), line["code"].as_i64()) {
                let output = line["output"].as_str().unwrap_or_default().to_owned();
                self.early.insert(id, Answer { code, output });
            }
        }
    }

    pub(crate) fn finish(&mut self, job: &Job, limit: Duration) -> Result<Answer> {
        let answer = self.poll(job, limit)?;
        answer.ok_or_else(|| Failure::late(format!("the end of `{}` in the guest", job.command), limit))
    }
}

impl Job {
    /// The answer of this command, as a failure unless it succeeded.
    pub(crate) fn succeeded(self, answer: Answer) -> Result<String> {
        match answer.code {
            0 => Ok(answer.output),
            code => Err(Failure::Guest { command: self.command, code, output: answer.output }),
        }
    }
}

/// The guest's end; returns only when the port is gone.
#[must_use]
pub fn serve() -> ExitCode {
    match port().and_then(|(input, output)| answer_all(input, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "agent: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Found by its name in sysfs: udev's link may not be there yet.
fn port() -> io::Result<(File, File)> {
    for entry in fs::read_dir("/sys/class/virtio-ports")? {
        let port = entry?.path();
        if fs::read_to_string(port.join("name")).is_ok_and(|name| name.trim() == PORT) {
            let node = PathBuf::from("/dev").join(port.file_name().unwrap_or_default());
            let file = OpenOptions::new().read(true).write(true).open(node)?;
            return Ok((file.try_clone()?, file));
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("no virtio port {PORT}")))
}

fn answer_all(input: File, output: File) -> io::Result<()> {
    let output = Arc::new(Mutex::new(output));
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    say(&output, &json!({"hello": release.trim()}))?;
    for line in BufReader::new(input).lines() {
        let Ok(request) = serde_json::from_str::<Value>(&line?) else { continue };
        let output = Arc::clone(&output);
        thread::spawn(move || {
            let answer = execute(request["run"].as_str().unwrap_or_default());
            let line = json!({"id": request["id"], "code": answer.code, "output": answer.output});
            // Nobody is left to be told when the port fails.
            let _ = say(&output, &line);
        });
    }
    Ok(())
}

fn say(output: &Mutex<File>, line: &Value) -> io::Result<()> {
    // One write: lines of several threads must not mix.
    let text = format!("{line}\n");
    output.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes())
}

fn execute(line: &str) -> Answer {
    use std::os::unix::process::ExitStatusExt;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("exec 2>&1\n{line}")]).stdin(Stdio::null());
    match command.output() {
        Ok(output) => {
            let code = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0));
            Answer { code: code.into(), output: String::from_utf8_lossy(&output.stdout).into_owned() }
        }
        Err(error) => Answer { code: 127, output: error.to_string() },
    }
}
