//! Objects with contents that wait for a matcher.

use crate::budget::Held;
use crate::known::{Question, Remembered};
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{Digests, ScanPiece, Scanned};
use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of a content from which on another object with it waits for the answer.
const WORTH_WAITING: u64 = 1 << 20;

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
    #[expect(dead_code, reason = "given back by being dropped")]
    pub(crate) held: Held,
}

impl Work {
    pub(crate) fn is_done(&self) -> bool {
        self.pieces.is_empty() && self.images.is_empty()
    }

    /// What the engines would be asked about the only content in it, if it is so long that it is worth waiting for the answer on another
    /// copy.
    fn only_question(&self) -> Option<Question> {
        let mut pieces = self.pieces.iter();
        let first = pieces.next().filter(|waiting| waiting.piece.length >= WORTH_WAITING)?;
        pieces.next().is_none().then_some(first.question)
    }
}

/// Objects in the order in which they came, but for one whose only content is being matched in another object: its turn comes when the
/// answer is known.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    waiting: VecDeque<Work>,
    /// Only contents of objects that were taken and not given back.
    asked: HashSet<Question>,
    /// Those whose answer was not one to be kept: nobody waits for it again.
    unkept: HashSet<Question>,
    closed: bool,
}

impl Queue {
    pub(crate) fn push(&self, work: Work) {
        self.lock().waiting.push_back(work);
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more will come once this is dropped.
    pub(crate) fn close_when_dropped(&self) -> Closing<'_> {
        Closing(self)
    }

    /// The next object; waits for one until the queue is closed.
    pub(crate) fn next(&self) -> Option<Taken<'_>> {
        let mut inside = self.lock();
        loop {
            let is_free = |work: &Work| {
                let question = work.only_question();
                question.is_none_or(|question| !inside.asked.contains(&question) || inside.unkept.contains(&question))
            };
            if let Some(work) = inside.waiting.iter().position(is_free).and_then(|at| inside.waiting.remove(at)) {
                let question = work.only_question();
                inside.asked.extend(question);
                return Some(Taken { work, queue: self, question });
            }
            if inside.closed && inside.waiting.is_empty() {
                return None;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// An object that somebody works on; dropped when that is over.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    pub(crate) work: Work,
    queue: &'a Queue,
    question: Option<Question>,
}

impl Taken<'_> {
    /// Gives it back; `is_known` says whether the answer to a question is kept.
    pub(crate) fn done(self, is_known: impl FnOnce(&Question) -> bool) {
        if let Some(question) = self.question.filter(|question| !is_known(question)) {
            self.queue.lock().unkept.insert(question);
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(question) = &self.question {
            self.queue.lock().asked.remove(question);
            self.queue.changed.notify_all();
        }
    }
}

/// Closes a queue when dropped.
pub(crate) struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}
