//! How a child that parses hostile bytes is born, confined and spoken to.
//!
//! * [`birth`]: the parent's side: limits, namespaces, descriptors, `exec`.
//! * [`confine`]: the child's first act: Landlock and seccomp; without them it does not live.
//! * [`Channel`]: length-limited typed messages with descriptors on a Unix socket.
//! * [`content`]: sealed read-only objects, and the check that refuses any other.
//! * [`block`]: two calls on block devices.
//! * [`wire`]: the messages; the only part that is there on other systems than Linux.
//!
//! `unsafe` stands in [`birth`], [`confine`] and [`block`] only.

#[cfg(target_os = "linux")]
pub mod birth;
#[cfg(target_os = "linux")]
pub mod block;
#[cfg(target_os = "linux")]
mod channel;
#[cfg(target_os = "linux")]
pub mod confine;
#[cfg(target_os = "linux")]
pub mod content;
pub mod wire;

#[cfg(target_os = "linux")]
pub use channel::{Channel, ChannelError, Received};
