//! What was found on a target, sorted like a manifest, and how the comparison asks for contents.

use blanche_tag::manifest::Digests;
use blanche_tag::{Contents, Observed, Unlisted, Unreadable, Walk};
use std::collections::{BTreeMap, BTreeSet};

/// One entry with what is known of its content.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) observed: Observed,
    pub(crate) content: Known,
}

/// What is known of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It was not read.
    NotRead,
    /// It was read to its end.
    Digests(Digests),
    /// It was read, but not all of it.
    Unreadable(String),
}

/// Everything that a reading of a medium found.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// Positions of the claims' volumes that were walked to their end.
    pub(crate) volumes: BTreeSet<u32>,
    /// Sorted by [`Observed::key`].
    pub(crate) found: Vec<Found>,
    pub(crate) unlisted: Vec<Unlisted>,
    /// Contents of what may be host artefacts, by position in `found`.
    pub(crate) kept: BTreeMap<usize, Vec<u8>>,
}

impl Inventory {
    /// For the comparison; entries are copied one at a time.
    pub(crate) fn walk(&self) -> Walk<impl Iterator<Item = Observed> + '_> {
        Walk {
            volumes: self.volumes.clone(),
            entries: self.found.iter().map(|found| found.observed.clone()),
            unlisted: self.unlisted.clone(),
            shows_streams: true,
        }
    }

    fn position(&self, entry: &Observed) -> Option<usize> {
        self.found.binary_search_by(|found| found.observed.key().cmp(&entry.key())).ok()
    }
}

/// Answers from what was read in one pass over the medium.
pub(crate) struct Read<'a>(pub(crate) &'a Inventory);

impl Contents for Read<'_> {
    fn bytes(&mut self, entry: &Observed) -> Result<Vec<u8>, Unreadable> {
        let kept = self.0.position(entry).and_then(|position| self.0.kept.get(&position));
        kept.cloned().ok_or_else(|| Unreadable("not read".to_owned()))
    }

    fn digests(&mut self, entry: &Observed) -> Result<(u64, Digests), Unreadable> {
        match self.0.position(entry).and_then(|position| self.0.found.get(position)).map(|found| &found.content) {
            Some(Known::Digests(digests)) => Ok((entry.size, *digests)),
            Some(Known::Unreadable(why)) => Err(Unreadable(why.clone())),
            Some(Known::NotRead) | None => Err(Unreadable("not read".to_owned())),
        }
    }
}
