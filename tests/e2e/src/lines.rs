//! JSON documents, one per line, over a Unix socket: how both QEMU and the agent speak.

use crate::failure::{Failure, Result};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(20);
/// A limit of zero would mean "for ever" to the system.
const SHORTEST: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Lines {
    stream: UnixStream,
    received: Vec<u8>,
}

impl Lines {
    /// Connects as soon as somebody listens on `socket`.
    pub(crate) fn connect(socket: &Path, limit: Duration) -> Result<Self> {
        let start = Instant::now();
        loop {
            match UnixStream::connect(socket) {
                Ok(stream) => return Ok(Self { stream, received: Vec::new() }),
                Err(source) if start.elapsed() >= limit => return Err(Failure::file(socket)(source)),
                Err(_) => sleep(PAUSE),
            }
        }
    }

    pub(crate) fn send(&mut self, document: &Value) -> Result<()> {
        let text = format!("{document}\n");
        self.stream.write_all(text.as_bytes()).map_err(Failure::host("writing to the virtual machine"))
    }

    /// The next document; nothing when none is complete within `limit`. What is no JSON is passed over: the guest's side of
    /// a port may hold the rest of a line from before.
    pub(crate) fn next(&mut self, limit: Duration) -> Result<Option<Value>> {
        let start = Instant::now();
        loop {
            while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                if let Ok(document) = serde_json::from_slice(&line) {
                    return Ok(Some(document));
                }
            }
            let left = limit.saturating_sub(start.elapsed());
            let told = self.stream.set_read_timeout(Some(left.max(SHORTEST)));
            told.map_err(Failure::host("the socket of the virtual machine"))?;
            let mut block = [0; 65_536];
            match self.stream.read(&mut block) {
                Ok(0) => return Err(Failure::format("the virtual machine ended")),
                Ok(read) => self.received.extend(&block[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(Failure::host("reading from the virtual machine")(source)),
            }
        }
    }
}
