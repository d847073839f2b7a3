//! Reading a manifest from the copy of the tag file, through a window.

use super::order::Order;
use super::{BadManifest, Counts, Entry, MAX_ENTRIES, Subtrees, subtrees};
use crate::cbor::{self, Malformed};
use crate::claims::Sha256;
use crate::file::Spool;
use sha2::{Digest, Sha256 as Hash};

/// More than one entry without its chaining values can take.
const WINDOW: usize = 65_536;
/// Room that must be in the window before an entry is decoded: path, stream, digests and heads.
const ENTRY: usize = 36_864;

/// Where the chaining values of an entry are in the copy of the tag file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubtreesAt {
    /// First byte in the tag file.
    pub offset: u64,
    /// How many, 32 bytes each.
    pub count: u64,
}

/// Reads a manifest once, checking every rule of the format on the way. What it gives is provisional until it has come
/// to the end and [`sha256`](Self::sha256) is the signed one; a manifest of a [`Verified`](crate::Verified) tag is
/// beyond that.
pub struct Reader<'a> {
    spool: &'a dyn Spool,
    /// Next byte to fetch, and first byte after the manifest.
    next: u64,
    end: u64,
    window: Vec<u8>,
    /// Bytes of the window that are used up.
    used: usize,
    /// What the rules and the digest are checked with; absent where that was done before.
    check: Option<(Hash, Order)>,
    /// Entries so far.
    count: u64,
    failed: bool,
}

impl<'a> Reader<'a> {
    /// Reads `length` bytes from `start` of the copy.
    #[must_use]
    pub fn new(spool: &'a dyn Spool, start: u64, length: u64) -> Self {
        Self { check: Some(Default::default()), ..Self::again(spool, start, length) }
    }

    /// Reads a manifest of a [`Verified`](crate::Verified) tag again: its bytes cannot have changed since, so they are
    /// decoded only. Of such a reader there are no counts and no digest.
    pub(crate) fn again(spool: &'a dyn Spool, start: u64, length: u64) -> Self {
        let end = start.saturating_add(length);
        Self { spool, next: start, end, window: Vec::new(), used: 0, check: None, count: 0, failed: false }
    }

    /// What was read so far, and the digest of all bytes that were fetched: of the whole manifest once the end was
    /// reached. Nothing where that was checked before.
    #[must_use]
    pub fn checked(&self) -> Option<(Counts, Sha256)> {
        self.check.as_ref().map(|(hash, order)| (order.counts, hash.clone().finalize().into()))
    }

    fn left(&self) -> usize {
        self.window.len().saturating_sub(self.used)
    }

    /// Makes sure that `least` bytes are in the window, or all that there are.
    fn fill(&mut self, least: usize) -> Result<(), BadManifest> {
        if self.left() >= least || self.next == self.end {
            return Ok(());
        }
        self.window.drain(..self.used);
        self.used = 0;
        let more = u64::try_from(WINDOW.saturating_sub(self.window.len())).unwrap_or(0);
        let more = more.min(self.end.saturating_sub(self.next));
        let old = self.window.len();
        self.window.resize(old.saturating_add(usize::try_from(more).unwrap_or(0)), 0);
        let fresh = self.window.get_mut(old..).unwrap_or_default();
        self.spool.read_at(self.next, fresh)?;
        if let Some((hash, _)) = &mut self.check {
            hash.update(fresh);
        }
        self.next = self.next.saturating_add(more);
        Ok(())
    }

    /// Decodes from the window and uses up what was decoded.
    fn take<T>(&mut self, take: impl FnOnce(&mut cbor::Reader<'_>) -> Result<T, Malformed>) -> Result<T, BadManifest> {
        self.fill(ENTRY)?;
        let mut reader = cbor::Reader::new(self.window.get(self.used..).unwrap_or_default());
        let taken = take(&mut reader);
        self.used = self.used.saturating_add(reader.position());
        taken.map_err(|error| BadManifest::Malformed { entry: self.count, error })
    }

    fn rule<T>(&self, rule: &'static str) -> Result<T, BadManifest> {
        Err(BadManifest::Rule { entry: self.count, rule })
    }

    /// The next entry.
    fn entry(&mut self) -> Result<(Entry, Option<SubtreesAt>), BadManifest> {
        if self.count >= MAX_ENTRIES {
            return Err(BadManifest::TooMany);
        }
        let mut entry = self.take(Entry::take_head)?;
        let needed = if entry.kind.has_content() { subtrees::count(entry.size) } else { 0 };
        let at = if needed == 0 {
            let none = self.take(|reader| reader.nullable(cbor::Reader::item).map(|value| value.is_none()))?;
            if !none {
                return self.rule("chaining values of a content that needs none");
            }
            None
        } else {
            let (at, joined) = self.subtrees(needed)?;
            if joined != entry.digests.map(|digests| digests.blake3) {
                return self.rule("chaining values do not join to the BLAKE3");
            }
            Some(at)
        };
        entry.modified = self.take(|reader| reader.nullable(cbor::Reader::signed))?;
        if let Some(Err(rule)) = self.check.as_mut().map(|(_, order)| order.take(&entry)) {
            return self.rule(rule);
        }
        self.count = self.count.saturating_add(1);
        Ok((entry, at))
    }

    /// Passes over the chaining values, joining them.
    fn subtrees(&mut self, needed: u64) -> Result<(SubtreesAt, Option<[u8; 32]>), BadManifest> {
        let (major, length) = self.take(|reader| reader.head())?;
        if major != 2 || needed.checked_mul(32) != Some(length) {
            return self.rule("not one chaining value for each MiB");
        }
        let left = u64::try_from(self.left()).unwrap_or(0);
        let at = SubtreesAt { offset: self.next.saturating_sub(left), count: needed };
        let mut joined = Subtrees::default();
        for _ in 0..needed {
            self.fill(32)?;
            let Some(value) = self.window.get(self.used..).and_then(|rest| rest.first_chunk::<32>()) else {
                return self.rule("ends too early");
            };
            joined.push(*value);
            self.used = self.used.saturating_add(32);
        }
        Ok((at, joined.root()))
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<(Entry, Option<SubtreesAt>), BadManifest>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if let Err(error) = self.fill(1) {
            self.failed = true;
            return Some(Err(error));
        }
        if self.left() == 0 {
            return None;
        }
        let entry = self.entry();
        self.failed = entry.is_err();
        Some(entry)
    }
}
