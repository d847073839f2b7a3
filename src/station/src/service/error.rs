//! What a client of the bus is told when it cannot have what it asks for: names that stay.

use crate::daemon::{OrderError, SelfTestError};
use crate::session::OrderRefused;
use crate::training::PlugError;
use zbus::DBusError;

/// An error with its name on the bus, `org.blanche.Error.NAME`.
#[derive(Debug, DBusError)]
#[zbus(prefix = "org.blanche.Error")]
pub(super) enum Error {
    /// The client, or all of them together, ask for more than is answered.
    TooMany(String),
    /// The engines are not loaded.
    NotReady(String),
    /// The session has no report: it is not over, or ended without one.
    NoReport(String),
    /// Neither `fr` nor `en`.
    UnknownLanguage(String),
    /// The session is over.
    NoSuchSession(String),
    /// There is nothing left to cancel.
    NothingToCancel(String),
    /// The medium is being read or written.
    InUse(String),
    /// It is being done already; one at a time.
    Running(String),
    /// Simulation: there is no such kind of medium.
    NoSuchMedium(String),
    /// Simulation: there is no such port, or none is free.
    NoSuchPort(String),
    /// Simulation: something is plugged in there.
    PortTaken(String),
    /// Simulation: nothing is plugged in there.
    NothingThere(String),
    /// The files of this session cannot be copied now: the text is the word of CannotCopy.
    CannotCopy(String),
    /// No medium in an output port has this number.
    NoSuchOutput(String),
    /// The output medium is being looked at or written.
    OutputInUse(String),
    /// The output medium cannot be written.
    OutputReadOnly(String),
    /// There is something on the output medium, and it was not said that it may be erased.
    NotBlank(String),
    /// The station is being stopped.
    Stopping(String),
    /// The station could not do it.
    Failed(String),
}

impl From<OrderError> for Error {
    fn from(error: OrderError) -> Self {
        let text = error.to_string();
        match error {
            OrderError::Refused(OrderRefused::NoSuchSession) => Self::NoSuchSession(text),
            OrderError::Refused(OrderRefused::NothingToCancel) => Self::NothingToCancel(text),
            OrderError::Refused(OrderRefused::InUse) => Self::InUse(text),
            OrderError::Failed(_) => Self::Failed(text),
            OrderError::Refused(OrderRefused::CannotCopy(_)) => Self::CannotCopy(text),
            OrderError::Refused(OrderRefused::NoSuchOutput) => Self::NoSuchOutput(text),
            OrderError::Refused(OrderRefused::OutputInUse) => Self::OutputInUse(text),
            OrderError::Refused(OrderRefused::OutputReadOnly) => Self::OutputReadOnly(text),
            OrderError::Refused(OrderRefused::NotBlank) => Self::NotBlank(text),
            OrderError::Stopped => Self::Stopping(text),
        }
    }
}

impl From<SelfTestError> for Error {
    fn from(error: SelfTestError) -> Self {
        let text = error.to_string();
        match error {
            SelfTestError::NotReady => Self::NotReady(text),
            SelfTestError::Running => Self::Running(text),
            SelfTestError::Failed(_) => Self::Failed(text),
            SelfTestError::Stopped => Self::Stopping(text),
        }
    }
}

impl From<PlugError> for Error {
    fn from(error: PlugError) -> Self {
        let text = error.to_string();
        match error {
            PlugError::NoSuchMedium => Self::NoSuchMedium(text),
            PlugError::NoSuchPort => Self::NoSuchPort(text),
            PlugError::PortTaken => Self::PortTaken(text),
            PlugError::NothingThere => Self::NothingThere(text),
            PlugError::Images(_) | PlugError::Image(_) => Self::Failed(text),
        }
    }
}
