//! Objects with contents that wait for a matcher.

use crate::budget::Held;
use crate::known::{Question, Remembered};
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{Digests, ScanPiece, Scanned};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

/// A content that waits for its answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) piece: ScanPiece,
    /// The reader's.
    pub(crate) digests: Digests,
    /// What the engines would be asked.
    pub(crate) question: Question,
    pub(crate) skip: Skip,
}

/// Whether the engines are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Skip {
    /// They are asked.
    #[default]
    No,
    /// What they would answer.
    Known(Box<Remembered>),
    /// They are asked about the same content of the same object, which is answered first.
    Repeated,
    /// That answer was not one to be kept: they are asked, whatever comes.
    Never,
}

/// Contents in one object, waiting for a matcher.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) object: SealedContent,
    pub(crate) pieces: VecDeque<Waiting>,
    /// A matcher died while answers may have waited for company: the next one is asked to be prompt.
    pub(crate) prompt: bool,
    /// Disk images among them that were answered, and into which nobody has looked yet.
    pub(crate) images: Vec<(ScanPiece, Box<Scanned>)>,
    /// Given back when the last answer is there.
    pub(crate) held: Held,
}

impl Work {
    pub(crate) fn is_done(&self) -> bool {
        self.pieces.is_empty() && self.images.is_empty()
    }
}

/// Objects in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inside: Mutex<(VecDeque<Work>, bool)>,
    changed: Condvar,
}

impl Queue {
    pub(crate) fn push(&self, work: Work) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).0.push_back(work);
        self.changed.notify_one();
    }

    /// Nothing more will come once this is dropped.
    pub(crate) fn close_when_dropped(&self) -> Closing<'_> {
        Closing(self)
    }

    pub(crate) fn next(&self) -> Option<Work> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(work) = inside.0.pop_front() {
                return Some(work);
            }
            if inside.1 {
                return None;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Closes a queue when dropped.
pub(crate) struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.inside.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.0.changed.notify_all();
    }
}
