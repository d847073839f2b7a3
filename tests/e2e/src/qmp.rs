//! QEMU's own language (docs/interop/qmp-spec.rst): commands in, answers and events out.

use crate::failure::{Failure, Result};
use crate::lines::Lines;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// QEMU answers at once; an emulated processor beside others may keep it waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to QEMU.
#[derive(Debug)]
pub struct Qmp {
    lines: Lines,
    next: u64,
    events: Vec<Value>,
}

impl Qmp {
    pub(crate) fn connect(socket: &Path, limit: Duration) -> Result<Self> {
        let mut qmp = Self { lines: Lines::connect(socket, limit)?, next: 0, events: Vec::new() };
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Runs `command`; returns what it returns.
    ///
    /// # Errors
    /// [`Failure::Qemu`] when QEMU refuses it.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        self.next += 1;
        let id = self.next;
        self.lines.send(&json!({"execute": command, "arguments": arguments, "id": id}))?;
        let start = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let line = self.lines.next(left)?;
            let mut line = line.ok_or_else(|| Failure::late(format!("QEMU's answer to {command}"), PATIENCE))?;
            if line["event"].is_string() {
                self.events.push(line);
            } else if line["id"] == id {
                if line["error"].is_object() {
                    let command = format!("{command} {arguments}");
                    return Err(Failure::Qemu { command, answer: line["error"]["desc"].to_string() });
                }
                return Ok(line["return"].take());
            }
        }
    }

    /// Waits for an event of this name that has `value` under `key`; it may have come already.
    ///
    /// # Errors
    /// [`Failure::Late`] when it does not come within `limit`.
    pub fn event(&mut self, name: &str, key: &str, value: &str, limit: Duration) -> Result<Value> {
        let start = Instant::now();
        loop {
            let wanted = |event: &Value| event["event"] == name && event["data"][key] == value;
            if let Some(at) = self.events.iter().position(wanted) {
                return Ok(self.events.remove(at));
            }
            let left = limit.saturating_sub(start.elapsed());
            let line = self.lines.next(left)?;
            self.events.push(line.ok_or_else(|| Failure::late(format!("QEMU's event {name} of {value}"), limit))?);
        }
    }

    /// The newest events that nobody waited for.
    #[must_use]
    pub fn events(&self) -> &[Value] {
        &self.events
    }
}
