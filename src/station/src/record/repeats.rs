//! Devices that come again and again: a stick with a loose contact, or one that enumerates for ever to fill the journal.
//!
//! Of each socket the first arrivals are recorded in full, and each device that was not there before; what is only more of the
//! same is counted, and the count is recorded from time to time. Alarms have a limit of their own. Sessions of media that were admitted are always recorded: each
//! of them has a closing record.

use crate::admit::{Decision, DeviceRefusal};
use crate::detect::{DevPath, UsbDevice};
use crate::session::view::State;
use crate::session::{Entry, SessionId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Arrivals in one socket that are recorded in full, within [`WINDOW`].
const FIRST: u32 = 30;
/// Different devices in one socket, each of which is recorded once, within [`WINDOW`].
const DEVICES: usize = 64;
/// Devices in one socket that became another one, and disks that nobody admitted, which are recorded in full within [`WINDOW`]
/// whatever else was only counted: an attack must not be drowned by what came before it.
const ALARMS: u32 = 16;
/// How often a count is recorded; a socket in which nothing came for so long begins anew.
const WINDOW: Duration = Duration::from_secs(300);
/// Sockets that are followed. More are only made up; what comes there is recorded in full.
const SOCKETS: usize = 1024;
/// Sessions of one socket whose end is still to come.
const SESSIONS: usize = 1024;

/// What was counted in one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// The last device.
    pub(super) device: UsbDevice,
    /// Times that a device was refused, or could not be admitted.
    pub(super) refusals: u64,
    /// Times that one was admitted.
    pub(super) admissions: u64,
    /// Since the count began.
    pub(super) time: Duration,
}

#[derive(Debug)]
struct Socket {
    /// The device that was there last, and whether its arrival was only counted.
    device: UsbDevice,
    muted: bool,
    recorded: u32,
    known: BTreeSet<[u8; 32]>,
    /// Since when is counted.
    since: Instant,
    last: Instant,
    refusals: u64,
    admissions: u64,
    /// Alarms that were recorded although its device was only counted.
    alarms: u32,
    /// It was still going on when the last count was recorded: no arrival of a known device is recorded in full.
    goes_on: bool,
    /// Refused sessions that were not recorded.
    sessions: BTreeSet<SessionId>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<String, Socket>);

impl Repeats {
    /// Whether an entry is to be recorded; otherwise it was counted.
    pub(super) fn is_recorded(&mut self, entry: &Entry, now: Instant) -> bool {
        match entry {
            Entry::Judged(device, decision) => self.judged(device, decision, now),
            Entry::Withdrawn(path, _) => match self.muted(path) {
                Some(socket) => {
                    socket.refusals = socket.refusals.saturating_add(1);
                    socket.admissions = socket.admissions.saturating_sub(1);
                    false
                }
                None => true,
            },
            Entry::Stray(disk) => disk.device.as_ref().and_then(|path| self.muted(path)).is_none_or(Socket::may_alarm),
            Entry::Opened(view) if view.state == State::Refused => {
                let Some(socket) = self.0.get_mut(&view.medium.port).filter(|socket| socket.muted) else { return true };
                socket.sessions.len() >= SESSIONS || !socket.sessions.insert(view.id)
            }
            Entry::Concluded(view) => !self.0.values().any(|socket| socket.sessions.contains(&view.id)),
            Entry::Entered(id, State::Removed) => !self.0.values_mut().any(|socket| socket.sessions.remove(id)),
            Entry::Entered(id, _) => !self.0.values().any(|socket| socket.sessions.contains(id)),
            _ => true,
        }
    }

    /// Counts whose time has come, or all of them.
    pub(super) fn due(&mut self, now: Instant, all: bool) -> Vec<Count> {
        let mut due = Vec::new();
        for socket in self.0.values_mut() {
            let time = now.saturating_duration_since(socket.since);
            if !all && time < WINDOW {
                continue;
            }
            let counted = socket.refusals.saturating_add(socket.admissions) > 0;
            if counted {
                let (refusals, admissions) = (socket.refusals, socket.admissions);
                due.push(Count { device: socket.device.clone(), refusals, admissions, time });
            }
            (socket.refusals, socket.admissions, socket.since, socket.goes_on) = (0, 0, now, counted);
            socket.alarms = 0;
        }
        let quiet = |socket: &Socket| {
            now.saturating_duration_since(socket.last) >= WINDOW && !socket.goes_on && socket.sessions.is_empty()
        };
        self.0.retain(|_, socket| !quiet(socket));
        due
    }

    fn judged(&mut self, device: &UsbDevice, decision: &Decision, now: Instant) -> bool {
        let port = blanche_scan::words::harmless(&device.port.0);
        if !self.0.contains_key(&port) {
            if self.0.len() < SOCKETS {
                self.0.insert(port, Socket::new(device, now));
            }
            return true;
        }
        let Some(socket) = self.0.get_mut(&port) else { return true };
        socket.last = now;
        socket.device.clone_from(device);
        let is_new = socket.known.len() < DEVICES && socket.known.insert(device.descriptors);
        socket.muted = !is_new && (socket.goes_on || socket.recorded >= FIRST);
        if !socket.muted {
            socket.recorded = socket.recorded.saturating_add(1);
            return true;
        }
        if *decision == Decision::Refuse(DeviceRefusal::Changed) && socket.may_alarm() {
            socket.muted = false;
            return true;
        }
        match decision {
            Decision::Refuse(_) => socket.refusals = socket.refusals.saturating_add(1),
            Decision::Admit(_) | Decision::Hub | Decision::Own => {
                socket.admissions = socket.admissions.saturating_add(1);
            }
        }
        false
    }

    /// The socket of a device whose arrival was only counted.
    fn muted(&mut self, path: &DevPath) -> Option<&mut Socket> {
        self.0.values_mut().find(|socket| socket.muted && socket.device.path == *path)
    }
}

impl Socket {
    fn new(device: &UsbDevice, now: Instant) -> Self {
        Self {
            device: device.clone(),
            muted: false,
            recorded: 1,
            known: BTreeSet::from([device.descriptors]),
            since: now,
            last: now,
            refusals: 0,
            admissions: 0,
            alarms: 0,
            goes_on: false,
            sessions: BTreeSet::new(),
        }
    }

    /// Whether one more alarm is recorded.
    fn may_alarm(&mut self) -> bool {
        let may = self.alarms < ALARMS;
        self.alarms = self.alarms.saturating_add(u32::from(may));
        may
    }
}

#[cfg(test)]
mod tests;
