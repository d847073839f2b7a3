//! What the journal promises its station.

mod format;
mod full_disk;
mod looking_up;
mod properties;
mod recording;
mod retention;
mod tampering;
