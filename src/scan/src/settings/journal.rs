//! `[journal]`: where the station records, and how much of it is kept (docs/journal.md, section 8).

use super::units;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Where the station records, and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes of a segment.
    #[serde(deserialize_with = "units::size::<_, { 1 << 20 }, { 1 << 40 }>")]
    pub segment: u64,
    /// How long records are kept; `None` = for ever.
    #[serde(deserialize_with = "units::keep_time")]
    pub keep: Option<Duration>,
    /// Bytes of all segments; `None` = as many as the disk holds.
    #[serde(deserialize_with = "units::capacity_limit")]
    pub max_size: Option<u64>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { folder: "/var/lib/blanche/journal".into(), segment: 1 << 30, keep: None, max_size: None }
    }
}
