//! Session: from a medium's arrival to its removal.
//!
//! ```text
//!            ┌────────► Refused ─────────────────────────────────────────────┐
//! arrival ───┤                                                               ├──► Removed ──► forgotten
//!            └► Queued ──► Checking ──► Sealing ──► Verdict ─────────────────┤
//!                 └───────────┴─── cancel, removal ──► Stopping ──► Verdict ─┘
//!
//! Verdict ──► Copying ──► Verdict         Copying ──► cancel, removal of either medium ──► Stopping ──► Verdict
//! ```
//!
//! [`Machine`] decides, and does nothing: it takes what happened and answers with [`Effect`]s. `work` is the thread of one
//! session, `copying` the one that copies its files; [`view`] is what people may know of it.

pub(crate) mod copying;
mod machine;
mod messages;
mod rules;
#[cfg(test)]
mod tests;
pub mod view;
pub(crate) mod work;

pub use machine::Machine;
pub(crate) use machine::TELLING;
pub use messages::{CopyEnded, CopyOrdered, Effect, Ending, Entry, Input, Order, OrderRefused, Ticket, Work};
pub use rules::{Decide, RoleOfDrive, Rules};
pub use uuid::Uuid as SessionId;
