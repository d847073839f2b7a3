//! What the machine of states is told, and what it answers.

use super::SessionId;
use super::view::{Contents, CopyProgress, Failure, MediumView, NoCopy, OutputId, OutputView, SessionView, State};
use crate::admit::{Decision, DeviceRefusal};
use crate::detect::{DevPath, Disk, Event, UsbDevice};
use blanche_scan::progress::Progress;
use blanche_scan::report::{CopyReport, Report};
use std::sync::Arc;
use std::time::Duration;

/// Names one question to the gate. Its answer may come late, twice or never, and the device may be another by then: only the
/// answer to the question that was asked last is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// The next one.
    #[must_use]
    pub(super) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A device came, changed or went.
    Event(Event),
    /// The gate was asked to admit a device: what came of it.
    Admitted(Ticket, Result<(), DeviceRefusal>),
    /// The gate was asked to make a disk read-only: what came of it.
    Protected(Ticket, Result<(), String>),
    /// A session's thread has something to say.
    Work(SessionId, Work),
    /// The machine is about to sleep.
    Sleeping,
    /// It is awake again. Said after [`Input::Slept`], if at all.
    Woke,
    /// The machine slept: what was plugged in may be another medium now.
    Slept(Duration),
    /// The engines are ready, or cannot be used: why.
    Engines(Result<(), String>),
    /// Somebody looked at a medium in an output port.
    Looked(OutputId, Contents),
    /// Whether the station seals anything at the moment.
    MaySeal(bool),
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
    /// A tag is signed and about to be written, on the medium, into the store, or on that to which it is copied: which.
    Signed(String),
    /// What copying needs of the scan is kept from now on, until [`Effect::Drop`].
    Kept,
    /// How far the copy is.
    Copying(CopyProgress),
    /// The copy is over, and its thread.
    Copied(Box<CopyReport>),
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
    /// Let the medium go: afterwards it may be taken out.
    Eject(SessionId),
    /// Copy the files of a session to a medium in an output port.
    Copy {
        /// Whose files.
        session: SessionId,
        /// To which medium.
        output: OutputId,
        /// Whatever is on that medium may be erased.
        erase: bool,
    },
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
    /// Its files cannot be copied: why.
    #[error("{}", .0.word())]
    CannotCopy(NoCopy),
    /// There is no such medium in an output port: it is gone, another one is in its place, or its port is not for output.
    #[error("no such medium in an output port; see Outputs")]
    NoSuchOutput,
    /// The output medium is being looked at or written.
    #[error("the output medium is being looked at or written; try again when it is not")]
    OutputInUse,
    /// The output medium cannot be written.
    #[error("the output medium is write-protected")]
    OutputReadOnly,
    /// There is something on the output medium, and the order does not say that it may be erased.
    #[error("the output medium is not empty; order again with erase to lose what is on it")]
    NotBlank,
}

/// What is to be done, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Authorise a device; answer with [`Input::Admitted`].
    Admit(Ticket, UsbDevice),
    /// Take every driver away from a device.
    Refuse(DevPath),
    /// Make a disk and its partitions read-only for everybody; answer with [`Input::Protected`].
    Protect(Ticket, Disk),
    /// Start the thread of a session.
    Start(SessionId, Disk),
    /// Ask that thread to stop.
    Stop(SessionId),
    /// Let a disk go; who gave the order waits for what comes of it.
    Release(Ticket, Disk),
    /// Forget what was kept of a session for copying.
    Drop(SessionId),
    /// Have a reader look at a medium in an output port; answer with [`Input::Looked`], even after [`Effect::StopLooking`].
    Look(OutputId, Disk),
    /// It is gone.
    StopLooking(OutputId),
    /// Start the thread that copies.
    Copy(Box<CopyOrdered>),
    /// Write into the journal.
    Record(Entry),
}

/// A copy that begins.
#[derive(Clone, Debug)]
pub struct CopyOrdered {
    /// Whose files.
    pub session: SessionId,
    /// The disk with them.
    pub source: Disk,
    /// The report of its scan.
    pub report: Arc<Report>,
    /// The disk that is written.
    pub output: Disk,
    /// Whatever is on it may be erased.
    pub erase: bool,
}

/// A copy that is over.
#[derive(Clone, Debug)]
pub struct CopyEnded {
    /// Whose files.
    pub session: SessionId,
    /// The medium with them.
    pub medium: MediumView,
    /// The medium that was written.
    pub to: OutputView,
    /// What came of it.
    pub report: Arc<CopyReport>,
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
    /// A tag was signed and is about to be written: which.
    Signed(SessionId, String),
    /// Somebody cancelled.
    Cancelled(SessionId),
    /// Somebody let a medium go.
    Ejected(SessionId),
    /// Somebody had files copied: to which medium, and whether it may be erased.
    CopyOrdered(SessionId, Box<OutputView>, bool),
    /// That is over.
    Copied(Box<CopyEnded>),
    /// The machine is about to sleep.
    Sleeping,
    /// The machine slept for so long.
    Slept(Duration),
    /// The clock on the wall was set, by so many seconds.
    ClockSet(f64),
    /// Controllers whose ports were open before the station closed them: what was plugged in had a driver.
    PortsWereOpen(Vec<String>),
    /// Other bases are in use: which.
    BasesChanged(String),
    /// Newer bases are not used: why.
    BasesRejected(String),
    /// Something keeps the station from doing all of its work, or does not any more: the word of its kind, and why.
    Problem(&'static str, Option<String>),
    /// A self-test that somebody asked for: why it failed, if it did.
    SelfTested(Option<String>),
    /// The station begins.
    Started {
        /// Media are made up.
        simulated: bool,
    },
    /// The station ends.
    Stopped,
}
