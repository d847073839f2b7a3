//! Session: from a medium's arrival to its removal.
//!
//! ```text
//!            ┌────────► Refused ─────────────────────────────────────────────┐
//! arrival ───┤                                                               ├──► Removed ──► forgotten
//!            └► Queued ──► Checking ──► Sealing ──► Verdict ─────────────────┤
//!                 └───────────┴─── cancel, removal ──► Stopping ──► Verdict ─┘
//! ```
//!
//! [`Machine`] decides, and does nothing: it takes what happened and answers with [`Effect`]s. `work` is the thread of one
//! session; [`view`] is what people may know of it.

mod machine;
mod messages;
mod rules;
#[cfg(test)]
mod tests;
pub mod view;
pub(crate) mod work;

pub use machine::Machine;
pub use messages::{Effect, Ending, Entry, Input, Order, OrderRefused, Work};
pub use rules::{Decide, RoleOfDrive, Rules};
pub use uuid::Uuid as SessionId;
