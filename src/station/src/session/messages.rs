//! What the machine of states is told, and what it answers.

use super::SessionId;
use super::view::{Failure, SessionView, State};
use crate::admit::{Decision, DeviceRefusal};
use crate::detect::{DevPath, Disk, Event, UsbDevice};
use blanche_scan::progress::Progress;
use blanche_scan::report::Report;
use std::time::Duration;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A device came, changed or went.
    Event(Event),
    /// The gate was asked to admit a device: what came of it.
    Admitted(DevPath, Result<(), DeviceRefusal>),
    /// A session's thread has something to say.
    Work(SessionId, Work),
    /// The machine slept: what was plugged in may be another medium now.
    Slept(Duration),
    /// The engines are ready, or cannot be used: why.
    Engines(Result<(), String>),
    /// A disk could not be made read-only.
    Unprotected(DevPath),
    /// The station is being stopped.
    Ending,
}

/// What a session's thread says.
#[derive(Debug)]
pub enum Work {
    /// A snapshot.
    Progress(Progress),
    /// The medium is clean and gets its tag: bytes that are written.
    Sealing(u64),
    /// The thread has ended and every child with it.
    Ended(Ending),
}

/// How a session's thread ended.
#[derive(Debug)]
pub enum Ending {
    /// With a report.
    Report(Box<Report>),
    /// Without.
    Failed(Failure),
}

/// What a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Stop checking.
    Cancel(SessionId),
    /// Let the medium go: afterwards the kernel knows it no more.
    Eject(SessionId),
}

/// Why an order is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefused {
    /// The session is over or never was.
    #[error("no such session; it may have ended")]
    NoSuchSession,
    /// There is nothing left to cancel.
    #[error("nothing is being checked in this session any more")]
    NothingToCancel,
    /// It is being read or written.
    #[error("the medium is in use; cancel first")]
    InUse,
}

/// What is to be done, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Authorise a device; answer with [`Input::Admitted`].
    Admit(UsbDevice),
    /// Take every driver away from a device.
    Refuse(DevPath),
    /// Make a disk and its partitions read-only for everybody.
    Protect(Disk),
    /// Start the thread of a session.
    Start(SessionId, Disk),
    /// Ask that thread to stop.
    Stop(SessionId),
    /// Make the kernel forget a disk.
    Release(Disk),
    /// Write into the journal.
    Record(Entry),
}

/// What the journal gets to know.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A device was judged: what it is, and what was decided.
    Judged(Box<UsbDevice>, Decision),
    /// The gate could not or would not carry it out.
    Withdrawn(DevPath, DeviceRefusal),
    /// A disk that nobody admitted.
    Stray(Box<Disk>),
    /// A session went into another state.
    Entered(SessionId, State),
    /// A session began.
    Opened(Box<SessionView>),
    /// A session has its result.
    Concluded(Box<SessionView>),
    /// Somebody gave an order.
    Ordered(Order),
    /// The machine slept for so long.
    Slept(Duration),
    /// The clock on the wall was set, by so many seconds.
    ClockSet(f64),
    /// Controllers whose ports were open before the station closed them: what was plugged in had a driver.
    PortsWereOpen(Vec<String>),
    /// Something keeps the station from doing all of its work, or does not any more: the word of its kind, and why.
    Problem(&'static str, Option<String>),
    /// The station begins.
    Started,
    /// The station ends.
    Stopped,
}
