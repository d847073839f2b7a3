//! How a child that parses hostile bytes is born, confined and spoken to.
//!
//! * [`birth`]: the parent's side: limits, namespaces, descriptors, `exec`.
//! * [`confine`]: the child's first act: Landlock and seccomp; without them it does not live.
//! * [`Channel`]: length-limited typed messages with descriptors on a Unix socket.
//! * [`content`]: sealed read-only objects, and the check that refuses any other.
//! * [`wire`]: the messages.
//!
//! `unsafe` stands in [`birth`] and [`confine`] only.

pub mod birth;
mod channel;
pub mod confine;
pub mod content;
pub mod wire;

pub use channel::{Channel, ChannelError, Received};
