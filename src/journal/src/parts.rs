//! Of sessions with many files: records of a length that every reader can hold.

use crate::error::JournalError;
use crate::segment::Log;
use crate::transfer::{ClosingRecord, FoundFile};
use crate::writer::Entry;
use serde::{Deserialize, Serialize};

/// Kind of a closing record.
pub const SESSION: &str = "session";
/// Kind of the record of a copy.
pub(crate) const SESSION_COPIES: &str = "session_copies";
/// Kind of the records before it.
pub(crate) const SESSION_FILES: &str = "session_files";

/// Files in one record, at most.
const FILES: usize = 256;
/// Bytes of paths in one record, but for a single longer one.
const PATHS: usize = 1 << 20;

/// Files of a session that its closing record has no room for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoreFiles {
    /// UUID of the session.
    pub session: String,
    /// From 1, without gaps.
    pub part: u64,
    /// The files.
    pub files: Vec<FoundFile>,
}

/// The records of one session: parts first, the closing record last.
pub(crate) fn split(mut closing: ClosingRecord, entries: &mut Vec<Entry>) -> Result<(), JournalError> {
    for digest in closing.files.iter().filter_map(|file| file.sha256.as_ref()) {
        if crate::chain::ChainHash::from_hex(digest).is_none() {
            return Err(JournalError::Record(format!("{digest:?} is no SHA-256 in lower-case hexadecimal")));
        }
    }
    let mut part = 0u64;
    let mut left = std::mem::take(&mut closing.files).into_iter();
    while let Some(length) = part_length(left.as_slice()) {
        part = part.saturating_add(1);
        let more = MoreFiles { session: closing.session.clone(), part, files: left.by_ref().take(length).collect() };
        entries.push(Entry::new(Log::Transfer, SESSION_FILES, &more)?);
    }
    closing.files = left.collect();
    entries.push(Entry::new(Log::Transfer, SESSION, &closing)?);
    Ok(())
}

/// How many of the files go into a record of their own; `None` when the rest fits the closing record.
fn part_length(files: &[FoundFile]) -> Option<usize> {
    let mut bytes = 0usize;
    let fits = |file: &&FoundFile| {
        bytes = bytes.saturating_add(file.path.len());
        bytes <= PATHS
    };
    let length = files.iter().take(FILES).take_while(fits).count().max(1);
    (length < files.len()).then_some(length)
}
