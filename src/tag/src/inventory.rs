//! Steps 19 and 20: what is on the medium against the manifest of a verified tag.

use crate::artefacts;
use crate::claims::Filesystem;
use crate::manifest::{Digests, Entry, EntryKind};
use crate::policy::Level;
use crate::refusal::{Code, Refusal};
use crate::verify::{TAG_NAME, Tag, Verified};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// An entry that a walk of the medium found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Position of its volume in the claims.
    pub volume: u32,
    /// Components joined by a zero byte.
    pub path: Vec<u8>,
    /// Name of a stream.
    pub stream: Option<Vec<u8>>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of content.
    pub size: u64,
    /// The filesystem keeps a short name beside this one, the host shows it, and it is none that is made of this one
    /// (section 11).
    pub strange_short_name: bool,
}

/// A content that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// Reads contents on demand.
pub trait Contents {
    /// The whole content of an artefact, of `entry.size` bytes (64 KiB at most).
    ///
    /// # Errors
    /// [`Unreadable`]
    fn bytes(&mut self, entry: &Observed) -> Result<Vec<u8>, Unreadable>;

    /// Reads to the end: length and digests.
    ///
    /// # Errors
    /// [`Unreadable`]
    fn digests(&mut self, entry: &Observed) -> Result<(u64, Digests), Unreadable>;
}

/// What a walk of the medium showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk<I> {
    /// Positions of the volumes that were walked to their end.
    pub volumes: BTreeSet<u32>,
    /// Everything in them, sorted like a manifest, `blanche.tag` included.
    pub entries: I,
    /// Folders that could not be listed to their end; the empty path is the root.
    pub unlisted: Vec<Unlisted>,
    /// Whether the host shows named streams. Where it does not, those of the manifest are not looked for.
    pub shows_streams: bool,
}

/// A folder that could not be listed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Position of its volume in the claims.
    pub volume: u32,
    /// Components joined by a zero byte.
    pub path: Vec<u8>,
    /// In the words of the host.
    pub why: String,
}

/// How an entry differs; the first kind in this order names the refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Not in the manifest.
    Added,
    /// Not on the medium.
    Removed,
    /// Another kind or size.
    Changed,
    /// Another content.
    Altered,
    /// Not readable to its end, in the words of the host.
    Unreadable(String),
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Position of its volume.
    pub volume: u32,
    /// Components joined by a zero byte.
    pub path: Vec<u8>,
    /// Name of a stream.
    pub stream: Option<Vec<u8>>,
    /// What is different.
    pub kind: DifferenceKind,
}

/// What came out of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Comparison {
    /// In the order of the manifest; the first 10 000 of them.
    pub differences: Vec<Difference>,
    /// All of them.
    pub count: u64,
    /// Paths of tolerated host artefacts, with their volumes.
    pub tolerated: Vec<(u32, Vec<u8>)>,
    worst: Option<DifferenceKind>,
    /// Folders were not listed: nothing else was compared.
    unlisted: bool,
}

/// Differences and artefacts that are kept by name.
const MAX_KEPT: usize = 10_000;

impl Comparison {
    /// The refusal that the differences amount to.
    ///
    /// # Errors
    /// [`Code::Added`], [`Code::Removed`], [`Code::Changed`], [`Code::Unreadable`]
    pub fn verdict(&self) -> Result<(), Refusal> {
        let (code, step) = match &self.worst {
            None => return Ok(()),
            Some(DifferenceKind::Added) => (Code::Added, 19),
            Some(DifferenceKind::Removed) => (Code::Removed, 19),
            Some(DifferenceKind::Changed) => (Code::Changed, 19),
            Some(DifferenceKind::Altered) => (Code::Changed, 20),
            Some(DifferenceKind::Unreadable(_)) => (Code::Unreadable, if self.unlisted { 19 } else { 20 }),
        };
        Err(Refusal::new(code, step, format!("{} differences", self.count)))
    }

    fn differ(&mut self, (volume, path, stream): Key<'_>, kind: DifferenceKind) {
        self.count = self.count.saturating_add(1);
        if self.worst.as_ref().is_none_or(|worst| kind < *worst) {
            self.worst = Some(kind.clone());
        }
        if self.differences.len() < MAX_KEPT {
            let (path, stream) = (path.to_vec(), stream.map(<[u8]>::to_vec));
            self.differences.push(Difference { volume, path, stream, kind });
        }
    }

    fn tolerate(&mut self, (volume, path, _): Key<'_>) {
        if self.tolerated.len() < MAX_KEPT {
            self.tolerated.push((volume, path.to_vec()));
        }
    }
}

type Key<'a> = (u32, &'a [u8], Option<&'a [u8]>);

impl Observed {
    /// What entries are sorted by.
    #[must_use]
    pub fn key(&self) -> Key<'_> {
        (self.volume, &self.path, self.stream.as_deref())
    }
}

/// Compares what a walk shows with the manifest, as deep as the policy wants: at level identity not at all.
///
/// # Errors
/// A volume that was not walked, entries out of order or twice, a manifest copy that can no longer be read.
pub fn compare(
    tag: &Verified<Tag<'_>>,
    walk: Walk<impl IntoIterator<Item = Observed>>,
    contents: &mut dyn Contents,
) -> Result<Comparison, Refusal> {
    let mut run = Run { tag, contents, shows_streams: walk.shows_streams, result: Comparison::default() };
    if tag.level == Level::Identity {
        return Ok(run.result);
    }
    check_shown(tag, &walk)?;
    if !walk.unlisted.is_empty() {
        run.result.unlisted = true;
        for folder in walk.unlisted {
            run.result.differ((folder.volume, &folder.path, None), DifferenceKind::Unreadable(folder.why));
        }
        return Ok(run.result);
    }
    let broken = |detail: String| Refusal::new(Code::Manifest, 19, detail);
    let mut listed = tag.manifest();
    let mut next = || listed.next().transpose().map_err(|error| broken(error.to_string()));
    let mut expected = next()?;
    let mut last: Option<Observed> = None;
    for seen in walk.entries {
        if last.as_ref().is_some_and(|last| last.key() >= seen.key()) {
            return Err(Refusal::new(Code::Added, 19, "an entry of the medium occurs twice or out of order"));
        }
        loop {
            let order = expected.as_ref().map_or(Ordering::Greater, |(entry, _)| entry.key().cmp(&seen.key()));
            match (order, &expected) {
                (Ordering::Less, Some((entry, _))) => run.removed(entry),
                (Ordering::Equal, Some((entry, _))) => run.both(entry, &seen),
                _ => {
                    run.added(&seen);
                    break;
                }
            }
            expected = next()?;
            if order == Ordering::Equal {
                break;
            }
        }
        last = Some(seen);
    }
    while let Some((entry, _)) = expected {
        run.removed(&entry);
        expected = next()?;
    }
    Ok(run.result)
}

/// Every volume is there to compare; a blank one has nothing to show.
fn check_shown<I>(tag: &Verified<Tag<'_>>, walk: &Walk<I>) -> Result<(), Refusal> {
    let shown = |number| walk.volumes.contains(&number) || walk.unlisted.iter().any(|folder| folder.volume == number);
    for (volume, number) in tag.claims.volumes.iter().zip(0u32..) {
        if volume.filesystem != Filesystem::Blank && !shown(number) {
            return Err(Refusal::new(Code::NotAvailable, 19, format!("the files of volume {number}")));
        }
    }
    Ok(())
}

struct Run<'a, 'b> {
    tag: &'a Verified<Tag<'b>>,
    contents: &'a mut dyn Contents,
    shows_streams: bool,
    result: Comparison,
}

impl Run<'_, '_> {
    fn filesystem(&self, volume: u32) -> Option<Filesystem> {
        let volume = usize::try_from(volume).ok()?;
        self.tag.claims.volumes.get(volume).map(|volume| volume.filesystem)
    }

    /// Whether it is a host artefact in every respect.
    fn is_artefact(&mut self, seen: &Observed) -> bool {
        let Some(filesystem) = self.filesystem(seen.volume).filter(|_| seen.stream.is_none()) else { return false };
        if seen.strange_short_name || !artefacts::may_be(filesystem, &seen.path, seen.kind, seen.size) {
            return false;
        }
        let exact = |bytes: &Vec<u8>| u64::try_from(bytes.len()) == Ok(seen.size) && artefacts::fits(&seen.path, bytes);
        seen.kind == EntryKind::Folder || self.contents.bytes(seen).is_ok_and(|bytes| exact(&bytes))
    }

    /// Whether `blanche.tag` on the medium is the tag that was verified, and not a hiding place.
    fn is_the_copy(&mut self, seen: &Observed) -> bool {
        let Ok((length, sha256)) = self.tag.copy() else { return false };
        let same = |(read, digests): (u64, Digests)| (read, digests.sha256) == (length, sha256);
        seen.size == length && self.contents.digests(seen).is_ok_and(same)
    }

    fn added(&mut self, seen: &Observed) {
        let is_tag = Some(seen.volume) == self.tag.claims.medium.tag_volume
            && seen.path == TAG_NAME.as_bytes()
            && seen.stream.is_none()
            && seen.kind == EntryKind::File;
        if is_tag {
            if seen.strange_short_name {
                self.result.differ(seen.key(), DifferenceKind::Added);
            } else if !self.is_the_copy(seen) {
                self.result.differ(seen.key(), DifferenceKind::Changed);
            }
        } else if self.is_artefact(seen) {
            self.result.tolerate(seen.key());
        } else {
            self.result.differ(seen.key(), DifferenceKind::Added);
        }
    }

    fn removed(&mut self, entry: &Entry) {
        if entry.stream.is_some() && !self.shows_streams {
            return;
        }
        let filesystem = self.filesystem(entry.volume).filter(|_| entry.stream.is_none());
        // Its content is gone: kind and size must do, or a user's file of such a name could vanish unseen.
        let fits = |filesystem| artefacts::may_be(filesystem, &entry.path, entry.kind, entry.size);
        if filesystem.is_some_and(fits) {
            self.result.tolerate(entry.key());
        } else {
            self.result.differ(entry.key(), DifferenceKind::Removed);
        }
    }

    fn both(&mut self, entry: &Entry, seen: &Observed) {
        let difference = if (entry.kind, entry.size) != (seen.kind, seen.size) {
            Some(DifferenceKind::Changed)
        } else if let (Level::Full, Some(digests)) = (self.tag.level, entry.digests) {
            match self.contents.digests(seen) {
                Ok(read) if read == (entry.size, digests) => None,
                Ok(_) => Some(DifferenceKind::Altered),
                Err(Unreadable(why)) => Some(DifferenceKind::Unreadable(why)),
            }
        } else {
            None
        };
        match difference {
            None => {}
            Some(DifferenceKind::Changed | DifferenceKind::Altered) if self.is_artefact(seen) => {
                self.result.tolerate(seen.key())
            }
            Some(kind) => self.result.differ(seen.key(), kind),
        }
    }
}
