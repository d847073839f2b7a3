//! Whether the entries of a second reading are those of the first: the same, in the same order. A medium that got its tag in
//! between shows one file more, or another one instead of its old tag: exactly that is expected, at the root of the volume on
//! which the tag was written, and nothing else.

use crate::catalogue::{Catalogue, ROOT, Record};
use blanche_sandbox::wire::{EntryId, EntryKind, VolumeId};
use blanche_tag::TAG_NAME;

/// Whether something is, or could be, the tag at the root of `volume`.
pub(crate) fn is_tag(catalogue: &Catalogue, record: &Record, volume: VolumeId) -> bool {
    record.volume == Some(volume)
        && record.parent == ROOT
        && record.kind == EntryKind::File
        && catalogue.name(record) == TAG_NAME.as_bytes()
}

/// A comparison that goes on as entries come in.
#[derive(Debug)]
pub(crate) struct Alike<'a> {
    first: &'a Catalogue,
    /// The volume on which a tag was written between the two readings.
    sealed: Option<VolumeId>,
    /// Entries of the first reading and of the second that were compared.
    compared: [EntryId; 2],
    /// Where each reading has the tag.
    tag: [Option<EntryId>; 2],
}

impl<'a> Alike<'a> {
    pub(crate) fn new(first: &'a Catalogue, sealed: Option<VolumeId>) -> Self {
        Self { first, sealed, compared: [0; 2], tag: [None; 2] }
    }

    /// Compares what came since the last call; false when something differs.
    pub(crate) fn goes_on(&mut self, second: &Catalogue) -> bool {
        while let Some(record) = second.get(self.compared[1]) {
            if self.is_new_tag(second, record) {
                self.tag[1] = Some(self.compared[1]);
            } else {
                self.skip_old_tag();
                let Some(before) = self.first.get(self.compared[0]) else { return false };
                if !self.is_same(second, record, before) {
                    return false;
                }
                self.compared[0] = self.compared[0].saturating_add(1);
            }
            self.compared[1] = self.compared[1].saturating_add(1);
        }
        true
    }

    /// Whether everything of the first reading came again.
    pub(crate) fn is_whole(&mut self) -> bool {
        self.skip_old_tag();
        self.first.get(self.compared[0]).is_none()
    }

    /// The number in the first reading of an entry of the second; nothing for a tag.
    pub(crate) fn before(&self, entry: EntryId) -> Option<EntryId> {
        let [old, new] = self.tag;
        if new == Some(entry) {
            return None;
        }
        let among_others = entry.saturating_sub(u32::from(new.is_some_and(|tag| tag < entry)));
        Some(among_others.saturating_add(u32::from(old.is_some_and(|tag| tag <= among_others))))
    }

    fn is_new_tag(&self, second: &Catalogue, record: &Record) -> bool {
        self.tag[1].is_none() && self.sealed.is_some_and(|volume| is_tag(second, record, volume))
    }

    /// The tag that was there before is gone: its place is another one's.
    fn skip_old_tag(&mut self) {
        if let (Some(volume), None, Some(record)) = (self.sealed, self.tag[0], self.first.get(self.compared[0]))
            && is_tag(self.first, record, volume)
        {
            self.tag[0] = Some(self.compared[0]);
            self.compared[0] = self.compared[0].saturating_add(1);
        }
    }

    fn is_same(&self, second: &Catalogue, record: &Record, before: &Record) -> bool {
        let at = |id: EntryId| if id == ROOT { Some(ROOT) } else { self.before(id) };
        record.volume == before.volume
            && record.kind == before.kind
            && record.size == before.size
            && record.modified() == before.modified()
            && at(record.parent) == Some(before.parent)
            && record.same_as().map(at) == before.same_as().map(Some)
            && second.name(record) == self.first.name(before)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use blanche_sandbox::wire::{Attributes, Clock, Entry, Modified};

    /// Name, parent, size: a size of 0 is a folder.
    type Line = (&'static str, Option<EntryId>, u64);

    fn catalogue(lines: &[Line]) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (name, parent, size) in lines {
            let kind = if *size == 0 { EntryKind::Directory } else { EntryKind::File };
            let entry = Entry {
                volume: Some(0),
                parent: *parent,
                name: name.as_bytes().to_vec(),
                kind,
                size: *size,
                attributes: Attributes::default(),
                same_as: None,
                modified: None,
            };
            catalogue.push(&entry, 9, 999).expect("a good entry");
        }
        catalogue
    }

    /// Whether it is the same, and the numbers before of all entries.
    fn compare(first: &[Line], second: &[Line], sealed: Option<VolumeId>) -> Option<Vec<Option<EntryId>>> {
        let (first, second) = (catalogue(first), catalogue(second));
        let mut alike = Alike::new(&first, sealed);
        let same = alike.goes_on(&second) && alike.is_whole();
        same.then(|| second.iter().map(|(id, _)| alike.before(id)).collect())
    }

    const PLAIN: [Line; 4] = [("a", None, 1), ("folder", None, 0), ("b", Some(1), 2), ("c", None, 3)];

    #[test]
    fn the_same_entries_are_alike_and_any_difference_is_one() {
        assert_eq!(compare(&PLAIN, &PLAIN, None), Some(vec![Some(0), Some(1), Some(2), Some(3)]));
        assert_eq!(compare(&PLAIN, &PLAIN[..3], None), None);
        assert_eq!(compare(&PLAIN[..3], &PLAIN, None), None);
        for (at, other) in [(0, ("A", None, 1)), (2, ("b", Some(1), 9)), (2, ("b", None, 2)), (3, ("c", Some(1), 3))] {
            let mut changed = PLAIN;
            changed[at] = other;
            for sealed in [None, Some(0)] {
                assert_eq!(compare(&PLAIN, &changed, sealed), None, "{other:?}");
            }
        }
    }

    #[test]
    fn another_time_is_a_difference() {
        let of = |modified| {
            let mut catalogue = catalogue(&PLAIN[..2]);
            let entry = Entry {
                volume: Some(0),
                parent: None,
                name: b"late".to_vec(),
                kind: EntryKind::File,
                size: 1,
                attributes: Attributes::default(),
                same_as: None,
                modified,
            };
            catalogue.push(&entry, 9, 999).expect("a good entry");
            catalogue
        };
        let at = |seconds, clock| Some(Modified { seconds, clock });
        let first = of(at(1, Clock::Utc));
        assert!(Alike::new(&first, None).goes_on(&of(at(1, Clock::Utc))));
        for other in [at(2, Clock::Utc), at(1, Clock::Local), None] {
            assert!(!Alike::new(&first, None).goes_on(&of(other)), "{other:?}");
        }
    }

    #[test]
    fn the_tag_of_a_medium_that_was_sealed_is_expected_wherever_it_stands() {
        let tag = ("blanche.tag", None, 9);
        for at in 0..=PLAIN.len() {
            // What stands behind the tag has a number more, and so has what it refers to.
            let moved = |(name, parent, size): Line| {
                (name, parent.map(|parent| parent + u32::from(usize::try_from(parent).expect("small") >= at)), size)
            };
            let mut sealed: Vec<Line> = PLAIN.into_iter().map(moved).collect();
            sealed.insert(at, tag);
            let mut numbers: Vec<_> = (0..4).map(Some).collect();
            numbers.insert(at, None);
            assert_eq!(compare(&PLAIN, &sealed, Some(0)), Some(numbers), "{at}");
            assert_eq!(compare(&PLAIN, &sealed, None), None, "nobody sealed it");
            assert_eq!(compare(&PLAIN, &sealed, Some(1)), None, "another volume was sealed");
            let mut twice = sealed.clone();
            twice.push(tag);
            assert_eq!(compare(&PLAIN, &twice, Some(0)), None, "one tag and not two");
        }
    }

    #[test]
    fn a_new_tag_may_stand_elsewhere_than_the_old_one_and_has_no_number_before() {
        let old = [("blanche.tag", None, 5), ("a", None, 1), ("folder", None, 0), ("b", Some(2), 2)];
        let new = [("a", None, 1), ("folder", None, 0), ("blanche.tag", None, 9), ("b", Some(1), 2)];
        assert_eq!(compare(&old, &new, Some(0)), Some(vec![Some(1), Some(2), None, Some(3)]));
        assert_eq!(compare(&new, &old, Some(0)), Some(vec![None, Some(0), Some(1), Some(3)]));
        assert_eq!(compare(&old, &new, None), None);
        let in_a_folder = [("a", None, 1), ("folder", None, 0), ("b", Some(1), 2), ("blanche.tag", Some(1), 9)];
        assert_eq!(compare(&PLAIN[..3], &in_a_folder, Some(0)), None, "a tag stands at the root");
    }
}
