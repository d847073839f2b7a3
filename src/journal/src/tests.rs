//! What the journal promises its station.

mod recording;
