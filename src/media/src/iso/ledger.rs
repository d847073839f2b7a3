//! What of the volume belongs to whom. All views of a volume share one ledger: they show the same bytes.

use super::geometry::{Geometry, SECTOR};
use super::spans::Spans;
use crate::bytes::wide;
use crate::filesystem::{Fault, Tally, VolumeArea};
use blanche_sandbox::wire::{Cause, ReadLimit};
use std::ops::Range;

/// Bytes of the system area (ECMA-119, 6.2.1), which holds boot code.
pub(super) const SYSTEM_AREA: u64 = 16 * SECTOR;

/// The account of one volume.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) range: Range<u64>,
    boot: Spans,
    metadata: Spans,
    metadata_read: u64,
    /// Whole sectors.
    file: Spans,
    /// Bytes of them behind the end of a file.
    slack: u64,
    /// What is claimed by nothing is looked at up to here.
    scan_end: u64,
    free_read: u64,
    /// Views that were not walked yet.
    views: usize,
}

impl Ledger {
    /// Of the volume in `range`, of which everything up to `scan_end` is looked at.
    pub(super) fn new(range: Range<u64>, scan_end: u64) -> Self {
        Self { range, scan_end, ..Self::default() }
    }

    /// Another view shares the ledger.
    pub(super) fn add_view(&mut self) {
        self.views = self.views.saturating_add(1);
    }

    /// A view was walked; whether it was the last one.
    pub(super) fn end_view(&mut self) -> bool {
        self.views = self.views.saturating_sub(1);
        self.views == 0
    }

    /// Boot code, boot catalogues.
    pub(super) fn boot(&mut self, range: Range<u64>) {
        self.boot.insert(&(range.start.max(self.range.start)..range.end.min(self.range.end)));
    }

    /// Descriptors, path tables, folders and continuation areas.
    pub(super) fn metadata(&mut self, range: &Range<u64>) {
        self.metadata.insert(&(range.start.max(self.range.start)..range.end.min(self.range.end)));
    }

    pub(super) fn count_read(&mut self, bytes: u64) {
        self.metadata_read = self.metadata_read.saturating_add(bytes);
    }

    pub(super) fn count_free(&mut self, bytes: usize) {
        self.free_read = self.free_read.saturating_add(wide(bytes));
    }

    /// Content of a file. Several files may share it: writers store equal files once.
    pub(super) fn file(&mut self, geometry: &Geometry, start: u64, length: u64) {
        let sectors = geometry.sectors(start, length);
        let fresh = self.file.insert(&sectors);
        let behind = sectors.end.saturating_sub(start.saturating_add(length));
        self.slack = self.slack.saturating_add(behind.min(fresh));
    }

    /// What belongs to nothing, in order.
    pub(super) fn unclaimed(&self) -> Vec<Range<u64>> {
        let mut all = self.boot.clone();
        for span in self.metadata.iter().chain(self.file.iter()) {
            all.insert(&span);
        }
        all.gaps(&(self.range.start..self.scan_end.min(self.range.end)))
    }

    /// A fault when the account had to be given up.
    pub(super) fn take_fault(&mut self) -> Option<Fault> {
        let overflow = [&mut self.boot, &mut self.metadata, &mut self.file].map(Spans::take_overflow);
        let cause = Cause::ReadLimit(ReadLimit::Entries);
        overflow.contains(&true).then_some(Fault { offset: self.range.start, length: 0, cause })
    }

    /// The area ledger. What several things claim counts for the first of: boot, metadata, file.
    pub(super) fn area(&self) -> VolumeArea {
        let mut all = Spans::default();
        let mut claim = |spans: &Spans| spans.iter().map(|span| all.insert(&span)).fold(0, u64::saturating_add);
        let [_, metadata, file] = [&self.boot, &self.metadata, &self.file].map(&mut claim);
        let slack = self.slack.min(file);
        let tally = Tally {
            file: file.saturating_sub(slack),
            slack,
            metadata,
            metadata_read: self.metadata_read,
            free_read: self.free_read,
        };
        VolumeArea::of(&self.range, self.boot.iter().collect(), &tally)
    }
}
