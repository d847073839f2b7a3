//! The chain: each record's hash covers the one before it (docs/journal.md, section 3).

use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// Set in front of the journal's identifier.
const START: &[u8] = b"blanche-journal-start-1\n";
/// Set in front of each record.
const RECORD: &[u8] = b"blanche-journal-record-1\n";

/// A hash of the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What the first record of a journal follows.
    pub(crate) fn start(journal: Uuid) -> Self {
        Self(Sha256::new().chain_update(START).chain_update(journal.as_bytes()).finalize().into())
    }

    /// The hash of a record that follows this one.
    pub(crate) fn then(self, record: &str) -> Self {
        Self(Sha256::new().chain_update(RECORD).chain_update(self.0).chain_update(record).finalize().into())
    }

    /// From 64 lower-case hexadecimal digits.
    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        let mut hash = [0; 32];
        let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if digits.len() != 64 || !digits.bytes().all(is_digit) {
            return None;
        }
        for (byte, at) in hash.iter_mut().zip((0usize..64).step_by(2)) {
            *byte = u8::from_str_radix(digits.get(at..at.saturating_add(2))?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    ChainHash(Sha256::digest(bytes).into()).to_string()
}
