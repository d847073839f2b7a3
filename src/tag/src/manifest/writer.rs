//! Writing a manifest, entry by entry, to whatever takes bytes.

use super::order::Order;
use super::{Counts, Entry, root, subtrees};
use crate::cbor;
use crate::claims::Sha256;
use crate::file::MAX_MANIFEST;
use sha2::{Digest, Sha256 as Hash};
use std::io;
use thiserror::Error;

/// Why an entry was not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// It breaks a rule of the format, so no tag can be made for this medium.
    #[error("an entry cannot stand in a manifest: {0}")]
    Rule(&'static str),
    /// The manifest would be too long.
    #[error("the manifest would be longer than {MAX_MANIFEST} bytes")]
    TooLong,
    /// Its destination.
    #[error("writing the manifest: {0}")]
    Write(#[from] io::Error),
}

/// What goes into the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Bytes.
    pub length: u64,
    /// Of the whole manifest.
    pub sha256: Sha256,
    /// What it holds.
    pub counts: Counts,
}

/// Writes a manifest. Entries must come in order.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    hash: Hash,
    length: u64,
    order: Order,
}

impl<W: io::Write> Writer<W> {
    /// Begins a manifest.
    pub fn new(out: W) -> Self {
        Self { out, hash: Hash::new(), length: 0, order: Order::default() }
    }

    /// Writes one entry; `values` are its chaining values, 32 bytes each, if its content is longer than one MiB.
    ///
    /// # Errors
    /// [`WriteError`]; after one, the manifest is of no use.
    pub fn entry(&mut self, entry: &Entry, values: &[[u8; 32]]) -> Result<(), WriteError> {
        self.order.take(entry).map_err(WriteError::Rule)?;
        let needed = if entry.kind.has_content() { subtrees::count(entry.size) } else { 0 };
        if u64::try_from(values.len()) != Ok(needed) {
            return Err(WriteError::Rule("not one chaining value for each MiB"));
        }
        if needed > 0 && root(values.iter().copied()) != entry.digests.map(|digests| digests.blake3) {
            return Err(WriteError::Rule("chaining values do not join to the BLAKE3"));
        }
        let mut writer = cbor::Writer::default();
        entry.put_head(&mut writer);
        if values.is_empty() {
            writer.null()
        } else {
            writer.bytes(values.as_flattened())
        };
        entry.put_tail(&mut writer);
        let bytes = writer.into_bytes();
        let length = u64::try_from(bytes.len()).ok().and_then(|length| self.length.checked_add(length));
        self.length = length.filter(|length| *length <= MAX_MANIFEST).ok_or(WriteError::TooLong)?;
        self.hash.update(&bytes);
        self.out.write_all(&bytes)?;
        Ok(())
    }

    /// Ends the manifest.
    pub fn finish(self) -> (W, Finished) {
        let sha256 = self.hash.finalize().into();
        (self.out, Finished { length: self.length, sha256, counts: self.order.counts })
    }
}
