//! Session: from a medium's arrival to its removal.
//!
//! ```text
//!            ┌────────► Refused ─────────────────────────────────────────────┐
//! arrival ───┤                                                               ├──► Removed ──► forgotten
//!            └► Queued ──► Checking ──► Sealing ──► Verdict ─────────────────┤
//!                 └───────────┴─── cancel, removal ──► Stopping ──► Verdict ─┘
//! ```
//!
//! [`Machine`] decides, and does nothing: it takes what happened and answers with [`Effect`]s. [`work`] is the thread of one
//! session; [`view`] is what people may know of it.

mod machine;
#[cfg(test)]
mod tests;
pub mod view;
pub(crate) mod work;

pub use machine::{Decide, Effect, Ending, Entry, Input, Machine, Order, OrderRefused, RoleOfDrive, Rules, Work};
pub use uuid::Uuid as SessionId;
