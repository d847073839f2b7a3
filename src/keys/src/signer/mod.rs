//! The signer: a process of its own that holds a station's keys and signs tags, after it has decoded and checked them
//! itself (security rule 7).
//!
//! It trusts nobody who asks. A parent that hostile content had taken over could still not get a signature under a bad
//! verdict, an old base, a foreign name, a used counter or a far future.

pub(crate) mod counter;
pub(crate) mod rules;
pub(crate) mod run;
pub mod settings;
pub(crate) mod station;

pub use run::{SignerFailed, run};
pub use settings::{PassphrasePlace, Settings, SigningPolicy};
