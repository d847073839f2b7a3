//! The content ledger: every byte of every file, stream and link target is checked, skipped (with its cause) or
//! unreadable (with its offset). Only this ledger and the findings decide the verdict (security rule 1).

use crate::catalogue::Catalogue;
use crate::disguise;
use crate::judge::{ContentLedgerState, Verdict};
use crate::report::ContentLedger;
use blanche_sandbox::wire::{
    Cause, Digests, EntryId, EntryKind, Finding, NotRead, ReadLimit, Scanned, Severity, Subject, Subtree, VolumeId,
};
use std::collections::HashMap;

/// Most different media types of one session; there are about two thousand registered ones. Types beyond stay unnamed.
const MAX_MEDIA_TYPES: usize = 4096;

/// A gap in what was checked, about one entry, one volume or the medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) subject: Subject,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) cause: Cause,
}

/// What is known about one content.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContentState {
    /// The reader's digests, once it handed the content over.
    pub(crate) read: Option<Digests>,
    /// Bytes that the reader handed over.
    pub(crate) delivered: u64,
    /// The matcher answered, with the same digests.
    pub(crate) matched: bool,
    /// Something about this content was not checked.
    pub(crate) gap: bool,
    /// The most severe finding.
    pub(crate) worst: Option<Severity>,
    /// Position in `Ledger::media_types`.
    media_type: u16,
}

/// Everything that is known so far about the contents of one medium.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    states: Vec<ContentState>,
    gaps: Vec<Gap>,
    findings: HashMap<EntryId, Vec<Finding>>,
    media_types: Vec<String>,
    listing_incomplete: bool,
    /// BLAKE3 chaining values of long contents; absent when nobody will seal.
    subtrees: Option<HashMap<EntryId, Vec<Subtree>>>,
}

impl Ledger {
    /// A ledger for so many entries.
    pub(crate) fn new(entries: usize) -> Self {
        Self { states: vec![ContentState::default(); entries], media_types: vec![String::new()], ..Self::default() }
    }

    /// Keeps chaining values from here on: a manifest needs them.
    pub(crate) fn keeping_subtrees(self) -> Self {
        Self { subtrees: Some(HashMap::new()), ..self }
    }

    /// The reader told the next chaining values of a content.
    pub(crate) fn subtrees(&mut self, id: EntryId, values: &[Subtree]) {
        if let Some(subtrees) = self.subtrees.as_mut().filter(|_| !values.is_empty()) {
            subtrees.entry(id).or_default().extend_from_slice(values);
        }
    }

    /// All chaining values of a content, in its order.
    pub(crate) fn subtrees_of(&self, id: EntryId) -> &[Subtree] {
        self.subtrees.as_ref().and_then(|subtrees| subtrees.get(&id)).map_or(&[], Vec::as_slice)
    }

    /// Makes room for entries that were announced since.
    pub(crate) fn expect(&mut self, entries: usize) {
        self.states.resize(entries, ContentState::default());
    }

    pub(crate) fn state(&self, id: EntryId) -> Option<&ContentState> {
        self.states.get(usize::try_from(id).ok()?)
    }

    fn state_mut(&mut self, id: EntryId) -> Option<&mut ContentState> {
        self.states.get_mut(usize::try_from(id).ok()?)
    }

    /// The reader handed over `length` bytes with these digests.
    pub(crate) fn delivered(&mut self, id: EntryId, length: u64, digests: Digests) {
        if let Some(state) = self.state_mut(id) {
            state.delivered = length;
            state.read = Some(digests);
        }
    }

    /// Something was not read.
    pub(crate) fn not_read(&mut self, what: NotRead) {
        self.gap(what.subject, what.offset, what.length, what.cause);
    }

    /// Something was not checked.
    pub(crate) fn gap(&mut self, subject: Subject, offset: u64, length: u64, cause: Cause) {
        if let Subject::Entry(id) = subject {
            if let Some(state) = self.state_mut(id) {
                state.gap = true;
            }
        } else {
            self.listing_incomplete = true;
        }
        // A reader tells of a long gap chunk by chunk; a person wants to hear of it once.
        if let Some(last) = self.gaps.last_mut() {
            let follows = length > 0 && last.length > 0 && last.offset.checked_add(last.length) == Some(offset);
            if follows && last.subject == subject && last.cause == cause {
                last.length = last.length.saturating_add(length);
                return;
            }
        }
        self.gaps.push(Gap { subject, offset, length, cause });
    }

    /// A matcher answered for one content with the digests that the reader had computed.
    pub(crate) fn matched(&mut self, answer: Scanned) {
        let (id, delivered) = (answer.entry, answer.bytes);
        for cause in answer.not_checked {
            self.gap(Subject::Entry(id), 0, delivered, cause);
        }
        let media_type = self.media_type(answer.content_type.media_type);
        if let Some(state) = self.state_mut(id) {
            state.matched = true;
            state.worst = answer.findings.iter().map(|finding| finding.severity).max().max(state.worst);
            state.media_type = media_type;
        }
        if !answer.findings.is_empty() {
            self.findings.insert(id, answer.findings);
        }
    }

    /// Position of a media type among those seen; names are few, contents many.
    fn media_type(&mut self, name: String) -> u16 {
        let name = crate::words::harmless(&name);
        let known = self.media_types.iter().position(|known| *known == name);
        let position = known.unwrap_or_else(|| {
            if self.media_types.len() >= MAX_MEDIA_TYPES {
                return 0;
            }
            self.media_types.push(name);
            self.media_types.len().saturating_sub(1)
        });
        u16::try_from(position).unwrap_or(0)
    }

    pub(crate) fn media_type_of(&self, id: EntryId) -> &str {
        let position = self.state(id).map_or(0, |state| usize::from(state.media_type));
        self.media_types.get(position).map_or("", String::as_str)
    }

    pub(crate) fn findings(&self) -> &HashMap<EntryId, Vec<Finding>> {
        &self.findings
    }

    pub(crate) fn worst(&self) -> Option<Severity> {
        self.states.iter().filter_map(|state| state.worst).max()
    }

    /// Adds what the names of files give away to what the engines found in them.
    fn disguises(&mut self, catalogue: &Catalogue) {
        for (id, record) in catalogue.iter().filter(|(_, record)| record.kind == EntryKind::File) {
            let Some(finding) = disguise::of_name(catalogue.name(record)) else { continue };
            let content = record.same_as().unwrap_or(id);
            if let Some(state) = self.state_mut(content) {
                state.worst = state.worst.max(Some(finding.severity));
                let findings = self.findings.entry(content).or_default();
                if !findings.contains(&finding) {
                    findings.push(finding);
                    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
                }
            }
        }
    }

    /// Closes the ledger: whatever was announced and has neither been matched nor explained becomes a gap with
    /// `unexplained` as its cause, so that nothing can be forgotten.
    pub(crate) fn close(mut self, catalogue: &Catalogue, unexplained: &Cause) -> ClosedLedger {
        self.disguises(catalogue);
        for id in catalogue.missed_names() {
            let size = catalogue.get(id).map_or(0, |record| record.size);
            self.gap(Subject::Entry(id), 0, size, Cause::ReadLimit(ReadLimit::Names));
        }
        let mut content = ContentLedger::default();
        let mut ranges: HashMap<EntryId, Vec<(u64, u64, bool)>> = HashMap::new();
        for gap in &self.gaps {
            if let Subject::Entry(id) = gap.subject {
                let end = gap.offset.saturating_add(gap.length);
                ranges.entry(id).or_default().push((gap.offset, end, gap.cause == Cause::Unreadable));
                if catalogue.get(id).is_some_and(|record| record.kind == EntryKind::Directory) {
                    self.listing_incomplete = true;
                }
            }
        }
        let mut forgotten = Vec::new();
        for (id, record) in catalogue.iter() {
            if record.kind == EntryKind::Directory {
                content.directories = content.directories.saturating_add(1);
                continue;
            }
            if record.same_as().is_some() && !self.state(id).is_some_and(|state| state.gap) {
                // Only a name: the content counts under its first one.
                continue;
            }
            let state = self.state(id).cloned().unwrap_or_default();
            let own = ranges.get(&id).map_or(&[][..], Vec::as_slice);
            let mut parts = split(record.size, own);
            let covered = state.delivered.saturating_add(uncovered_tail(record.size, state.delivered, own));
            let unexplained_part = if state.matched { record.size.saturating_sub(covered) } else { record.size };
            if !state.matched {
                parts.skipped = record.size.saturating_sub(parts.unreadable);
                parts.checked = 0;
            }
            if (!state.matched && !state.gap) || (state.matched && unexplained_part > 0) {
                let offset = record.size.saturating_sub(unexplained_part);
                forgotten.push(Gap {
                    subject: Subject::Entry(id),
                    offset,
                    length: unexplained_part,
                    cause: unexplained.clone(),
                });
                parts.skipped = record.size.saturating_sub(parts.unreadable);
                parts.checked = 0;
            }
            if record.kind == EntryKind::Area {
                // Not a file: the area ledger counts it. What is wrong with it stands in the gaps.
                continue;
            }
            content.files = content.files.saturating_add(1);
            content.bytes = content.bytes.saturating_add(record.size);
            content.checked = content.checked.saturating_add(parts.checked);
            content.skipped = content.skipped.saturating_add(parts.skipped);
            content.unreadable = content.unreadable.saturating_add(parts.unreadable);
            if state.matched && !state.gap && unexplained_part == 0 {
                content.files_checked = content.files_checked.saturating_add(1);
            }
        }
        for gap in forgotten {
            self.gap(gap.subject, gap.offset, gap.length, gap.cause);
        }
        content.listing_complete = !self.listing_incomplete;
        ClosedLedger { content, ledger: self }
    }
}

/// Bytes between `delivered` and `size` that some gap explains.
fn uncovered_tail(size: u64, delivered: u64, gaps: &[(u64, u64, bool)]) -> u64 {
    let (unreadable, skipped) = (measure(gaps, delivered, size, true), measure(gaps, delivered, size, false));
    unreadable.saturating_add(skipped)
}

/// How the bytes of one content divide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    checked: u64,
    skipped: u64,
    unreadable: u64,
}

/// Divides `size` bytes by their gaps `(start, end, unreadable)`; a byte that is both counts as unreadable.
fn split(size: u64, gaps: &[(u64, u64, bool)]) -> Parts {
    let unreadable = measure(gaps, 0, size, true);
    let skipped = measure(gaps, 0, size, false);
    Parts { checked: size.saturating_sub(unreadable).saturating_sub(skipped), skipped, unreadable }
}

/// Bytes between `from` and `to` that lie in a gap: unreadable ones, or those that are skipped and not unreadable.
fn measure(gaps: &[(u64, u64, bool)], from: u64, to: u64, unreadable: bool) -> u64 {
    let mut edges: Vec<(u64, i32, i32)> = Vec::with_capacity(gaps.len().saturating_mul(2));
    for &(start, end, bad) in gaps {
        let (start, end) = (start.clamp(from, to), end.clamp(from, to));
        if start < end {
            let step = if bad { (1, 0) } else { (0, 1) };
            edges.push((start, step.0, step.1));
            edges.push((end, -step.0, -step.1));
        }
    }
    edges.sort_unstable();
    let (mut sum, mut last, mut bad, mut skipped) = (0u64, from, 0i32, 0i32);
    for (at, bad_step, skipped_step) in edges {
        let inside = if unreadable { bad > 0 } else { bad == 0 && skipped > 0 };
        if inside {
            sum = sum.saturating_add(at.saturating_sub(last));
        }
        last = at;
        bad = bad.saturating_add(bad_step);
        skipped = skipped.saturating_add(skipped_step);
    }
    sum
}

/// A ledger to which nothing can be added any more.
#[derive(Debug)]
pub(crate) struct ClosedLedger {
    pub(crate) content: ContentLedger,
    ledger: Ledger,
}

impl ClosedLedger {
    /// What the verdict is built on.
    pub(crate) fn state(&self) -> ContentLedgerState {
        let all = self.content.files_checked == self.content.files
            && self.content.checked == self.content.bytes
            && self.content.listing_complete
            && self.ledger.gaps.is_empty();
        if all { ContentLedgerState::Complete } else { ContentLedgerState::Incomplete }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn into_ledger(self) -> Ledger {
        self.ledger
    }

    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.ledger.gaps
    }

    /// The volume that a gap is about.
    pub(crate) fn volume_of(&self, gap: &Gap, catalogue: &Catalogue) -> Option<VolumeId> {
        match gap.subject {
            Subject::Medium => None,
            Subject::Volume(volume) => Some(volume),
            Subject::Entry(id) => catalogue.get(id).and_then(|record| record.volume),
        }
    }

    /// The verdict on one content alone.
    pub(crate) fn verdict_of(&self, id: EntryId, suspicious: crate::judge::SuspiciousPolicy) -> Verdict {
        let state = self.ledger.state(id).cloned().unwrap_or_default();
        let content =
            if state.matched && !state.gap { ContentLedgerState::Complete } else { ContentLedgerState::Incomplete };
        crate::judge::judge(crate::judge::Admission::Admitted, content, state.worst, suspicious)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::{Attributes, ContentType, EngineCpu, Entry};

    const DIGESTS: Digests = Digests { sha256: [1; 32], blake3: [2; 32] };

    fn catalogue(sizes: &[u64]) -> Catalogue {
        catalogue_of(EntryKind::File, sizes)
    }

    fn catalogue_of(kind: EntryKind, sizes: &[u64]) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for size in sizes {
            let entry = Entry {
                volume: Some(0),
                parent: None,
                name: b"f".to_vec(),
                kind,
                size: *size,
                attributes: Attributes::default(),
                same_as: None,
                modified: None,
            };
            catalogue.push(&entry, 9, 99).expect("entry");
        }
        catalogue
    }

    fn answer(entry: EntryId, bytes: u64, not_checked: Vec<Cause>) -> Scanned {
        Scanned {
            entry,
            bytes,
            digests: DIGESTS,
            content_type: ContentType::default(),
            findings: Vec::new(),
            not_checked,
            layers: 1,
            disk_image: false,
            cpu: EngineCpu::default(),
        }
    }

    fn adds_up(ledger: &ContentLedger) {
        assert_eq!(ledger.bytes, ledger.checked + ledger.skipped + ledger.unreadable, "{ledger:?}");
    }

    #[test]
    fn everything_read_and_matched_is_complete() {
        let catalogue = catalogue(&[10, 0]);
        let mut ledger = Ledger::new(2);
        for (id, size) in [(0, 10), (1, 0)] {
            ledger.delivered(id, size, DIGESTS);
            ledger.matched(answer(id, size, Vec::new()));
        }
        let closed = ledger.close(&catalogue, &Cause::NeverRead);
        assert_eq!(closed.state(), ContentLedgerState::Complete);
        assert_eq!((closed.content.checked, closed.content.files_checked), (10, 2));
        adds_up(&closed.content);
    }

    #[test]
    fn what_never_came_is_a_gap_of_its_own_even_if_empty() {
        let catalogue = catalogue(&[10, 0]);
        let closed = Ledger::new(2).close(&catalogue, &Cause::NeverRead);
        assert_eq!(closed.state(), ContentLedgerState::Incomplete);
        assert_eq!(closed.gaps().len(), 2);
        assert_eq!(closed.content.skipped, 10);
        adds_up(&closed.content);
    }

    #[test]
    fn the_target_of_a_link_counts_and_is_a_gap_when_it_never_came() {
        let catalogue = catalogue_of(EntryKind::Link, &[6, 8]);
        let mut ledger = Ledger::new(2);
        ledger.delivered(0, 6, DIGESTS);
        ledger.matched(answer(0, 6, Vec::new()));
        let closed = ledger.close(&catalogue, &Cause::NeverRead);
        assert_eq!(closed.state(), ContentLedgerState::Incomplete);
        assert_eq!((closed.content.files, closed.content.files_checked), (2, 1));
        assert_eq!((closed.content.bytes, closed.content.checked, closed.content.skipped), (14, 6, 8));
        assert_eq!(closed.gaps().len(), 1);
        adds_up(&closed.content);
    }

    #[test]
    fn a_tail_that_nobody_explains_is_not_checked() {
        let catalogue = catalogue(&[10]);
        let mut ledger = Ledger::new(1);
        ledger.delivered(0, 7, DIGESTS);
        ledger.matched(answer(0, 7, Vec::new()));
        let closed = ledger.close(&catalogue, &Cause::ContentRefused);
        assert_eq!(closed.state(), ContentLedgerState::Incomplete);
        assert_eq!(closed.gaps()[0].cause, Cause::ContentRefused);
        assert_eq!((closed.gaps()[0].offset, closed.gaps()[0].length), (7, 3));
        adds_up(&closed.content);
    }

    #[test]
    fn unreadable_and_skipped_parts_are_told_apart_and_never_counted_twice() {
        let catalogue = catalogue(&[100]);
        let mut ledger = Ledger::new(1);
        ledger.delivered(0, 80, DIGESTS);
        for (offset, length, cause) in [
            (10, 20, Cause::Unreadable),
            (20, 20, Cause::Unreadable),
            (35, 10, Cause::NeverRead),
            (80, 50, Cause::NeverRead),
        ] {
            ledger.gap(Subject::Entry(0), offset, length, cause);
        }
        ledger.matched(answer(0, 80, Vec::new()));
        let closed = ledger.close(&catalogue, &Cause::ContentRefused);
        assert_eq!(closed.content.unreadable, 30);
        assert_eq!(closed.content.skipped, 5 + 20);
        assert_eq!(closed.content.files_checked, 0);
        assert_eq!(closed.state(), ContentLedgerState::Incomplete);
        adds_up(&closed.content);
    }

    #[test]
    fn a_cause_from_the_engines_makes_the_whole_content_not_checked() {
        let catalogue = catalogue(&[10]);
        let mut ledger = Ledger::new(1);
        ledger.delivered(0, 10, DIGESTS);
        ledger.matched(answer(0, 10, vec![Cause::EngineTimeout]));
        let closed = ledger.close(&catalogue, &Cause::NeverRead);
        assert_eq!((closed.content.checked, closed.content.skipped), (0, 10));
        assert_eq!(closed.state(), ContentLedgerState::Incomplete);
        adds_up(&closed.content);
    }

    #[test]
    fn a_volume_that_was_not_read_makes_the_listing_incomplete() {
        let mut ledger = Ledger::new(0);
        ledger.gap(Subject::Volume(0), 0, 1 << 20, Cause::UnknownContent);
        let closed = ledger.close(&Catalogue::default(), &Cause::NeverRead);
        assert!(!closed.content.listing_complete);
        assert_eq!(closed.state(), ContentLedgerState::Incomplete);
    }
}
