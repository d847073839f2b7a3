//! The board: what people may know of the station at this moment. The daemon writes it, the bus reads it.

use crate::session::view::{OutputView, SessionView};
use blanche_scan::EngineRoomDescription;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What keeps a station from doing all of its work. The words are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// No engine can be used: nothing is checked or sealed.
    Engines,
    /// A base is too old, missing or rejected: nothing is sealed.
    Bases,
    /// Devices are authorised by themselves: nothing is sealed.
    UsbOpen,
    /// The journal cannot be written: nothing is sealed.
    Journal,
    /// There are no keys, or the signer does not answer: nothing is sealed.
    Signer,
    /// Devices are not seen any more.
    Detection,
}

impl ProblemKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Engines, Self::Bases, Self::UsbOpen, Self::Journal, Self::Signer, Self::Detection];

    /// Whether no medium gets a tag while it lasts, a copy included. Bases are judged with each session.
    #[must_use]
    pub const fn forbids_sealing(self) -> bool {
        matches!(self, Self::Engines | Self::UsbOpen | Self::Journal | Self::Signer)
    }

    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Engines => "engines",
            Self::Bases => "bases",
            Self::UsbOpen => "usb-open",
            Self::Journal => "journal",
            Self::Signer => "signer",
            Self::Detection => "detection",
        }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub kind: ProblemKind,
    /// For staff.
    pub detail: String,
}

/// The station itself.
#[derive(Clone, Debug, Default)]
pub struct StationView {
    /// The engines, once they are loaded.
    pub engines: Option<Arc<EngineRoomDescription>>,
    /// What is wrong, in the order of [`ProblemKind`].
    pub problems: Vec<Problem>,
    /// Media are made up: training or demonstration.
    pub simulated: bool,
    /// The last self-test that somebody asked for.
    pub tested: Option<Tested>,
    /// Media in output ports, in the order of their arrival.
    pub outputs: Vec<OutputView>,
}

/// A self-test that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tested {
    /// When it ended, in seconds since 1970.
    pub at: u64,
    /// Everything was found.
    pub passed: bool,
}

/// Everything at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every change.
    pub revision: u64,
    /// The station.
    pub station: Arc<StationView>,
    /// Sessions in the order of arrival, until they are forgotten.
    pub sessions: Vec<Arc<SessionView>>,
    /// The daemon has ended.
    pub closed: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Board {
    now: Mutex<Snapshot>,
    changed: Condvar,
}

impl Board {
    /// What stands on it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.now().clone()
    }

    /// What stands on it as soon as that is newer than `revision`; what stands on it anyway after `limit`.
    #[must_use]
    pub fn newer(&self, revision: u64, limit: Duration) -> Snapshot {
        let waiting = |now: &mut Snapshot| now.revision == revision && !now.closed;
        let waited = self.changed.wait_timeout_while(self.now(), limit, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Changes what stands on it: the daemon does, or whoever plays one.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut now = self.now();
        change(&mut now);
        now.revision = now.revision.saturating_add(1);
        drop(now);
        self.changed.notify_all();
    }

    fn now(&self) -> MutexGuard<'_, Snapshot> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
