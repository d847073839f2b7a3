//! What the journal has not taken yet: records in their order, in a bounded amount of memory.
//!
//! What waits is what will be written, not what it was made of: a report with everything that was not checked on a medium may
//! be a thousand times as long as its closing record.

use blanche_journal::Record;
use std::collections::VecDeque;
use std::io::{self, Write};

/// Entries that wait at most. A station that nobody mends for so long has refused to seal all the while.
const MOST: usize = 10_000;
/// Bytes of text that wait at most.
const MOST_BYTES: usize = 64 << 20;

/// Records that are written together, or not at all.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) records: Vec<Record>,
    bytes: usize,
}

impl Entry {
    /// In a few words, for the log of the system.
    pub(super) fn described(&self) -> String {
        let word = |record: &Record| match record {
            Record::Event(event) => event.kind.as_str().to_owned(),
            Record::Transfer(closing) => format!("the end of session {}", closing.session),
            Record::Copies(copies) => format!("a copy of session {}", copies.session),
        };
        self.records.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Entries for which there was no room.
    pub(super) lost: u64,
}

impl Waiting {
    pub(super) fn push(&mut self, records: Vec<Record>) {
        let bytes = records.iter().map(length).fold(0, usize::saturating_add);
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries.push_back(Entry { records, bytes });
    }

    pub(super) fn front(&self) -> Option<&Entry> {
        self.entries.front()
    }

    pub(super) fn pop(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Gives up the newest entries until there is room: how it began is what one wants to know later. Called when the journal
    /// has taken nothing: one entry may be of any length as long as it is written at once.
    pub(super) fn shorten(&mut self) {
        while self.entries.len() > MOST || self.bytes > MOST_BYTES {
            let Some(entry) = self.entries.pop_back() else { return };
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// Gives up all but the newest entry: there is no time for them.
    pub(super) fn keep_newest(&mut self) {
        while self.entries.len() > 1 {
            self.pop();
            self.lost = self.lost.saturating_add(1);
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }
}

/// Bytes of a record as text, about which it also takes in memory.
fn length(record: &Record) -> usize {
    let mut counted = Counted(0);
    let written = match record {
        Record::Event(event) => serde_json::to_writer(&mut counted, &event.body),
        Record::Transfer(closing) => serde_json::to_writer(&mut counted, closing),
        Record::Copies(copies) => serde_json::to_writer(&mut counted, copies),
    };
    // What cannot be written as text is turned away by the journal; until then it is as long as it came.
    drop(written);
    counted.0
}

/// Counts what is written and keeps nothing.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
