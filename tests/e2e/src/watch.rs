//! What `blanche station watch --json` writes (docs/station.md), or journalctl, read as it comes: one JSON document per line.

use crate::failure::{Failure, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at the file.
const LOOK: Duration = Duration::from_millis(100);

/// The lines of one program.
#[derive(Debug)]
pub(crate) struct Watch {
    file: PathBuf,
    read: u64,
    /// What follows the last end of a line.
    rest: Vec<u8>,
    lines: Vec<Value>,
}

impl Watch {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, read: 0, rest: Vec::new(), lines: Vec::new() }
    }

    /// A place behind everything that was said.
    pub(crate) fn now(&mut self) -> Result<usize> {
        self.read()?;
        Ok(self.lines.len())
    }

    /// The first line after `place` that is `wanted`.
    pub(crate) fn wait(
        &mut self,
        place: usize,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let start = Instant::now();
        let mut looked = place;
        loop {
            self.read()?;
            if let Some(line) = self.lines[looked.min(self.lines.len())..].iter().find(|line| wanted(line)) {
                return Ok(line.clone());
            }
            looked = self.lines.len();
            if start.elapsed() >= limit {
                let last = self.lines.last().map(Value::to_string).unwrap_or_default();
                return Err(Failure::late(format!("{what} (last word of the station: {last})"), limit));
            }
            thread::sleep(LOOK);
        }
    }

    /// Every line of one session.
    pub(crate) fn of<'a>(&'a self, session: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["session"] == session)
    }

    /// Sessions since the station was last there, each with its last line.
    pub(crate) fn sessions(&mut self) -> Result<BTreeMap<String, Value>> {
        self.read()?;
        let mut sessions = BTreeMap::new();
        for line in &self.lines {
            if line["event"] == "absent" {
                sessions.clear();
            } else if let Some(session) = line["session"].as_str() {
                sessions.insert(session.to_owned(), line.clone());
            }
        }
        Ok(sessions)
    }

    fn read(&mut self) -> Result<()> {
        // Nobody wrote anything yet.
        let Ok(mut file) = File::open(&self.file) else { return Ok(()) };
        let news = file.seek(SeekFrom::Start(self.read)).and_then(|_| file.read_to_end(&mut self.rest));
        self.read += news.map_err(Failure::file(&self.file))? as u64;
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
        let rest = self.rest.split_off(end + 1);
        for line in std::mem::replace(&mut self.rest, rest).split(|byte| *byte == b'\n') {
            if let Ok(line) = serde_json::from_slice(line) {
                self.lines.push(line);
            }
        }
        Ok(())
    }
}
