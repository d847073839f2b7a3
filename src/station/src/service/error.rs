//! What a client of the bus is told when it cannot have what it asks for: names that stay.

use crate::daemon::OrderError;
use crate::session::OrderRefused;
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
            OrderError::Stopped => Self::Stopping(text),
        }
    }
}
