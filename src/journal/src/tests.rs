//! What the journal promises its station.

mod format;
mod recording;
mod tampering;
