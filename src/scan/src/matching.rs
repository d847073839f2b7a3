//! Matchers at work: each takes the next sealed object, answers content by content, and is replaced when it dies. A
//! crash or a hang costs exactly the content that was being matched.

use crate::budget::Held;
use crate::image;
use crate::room::EngineRoom;
use crate::settings::Settings;
use blanche_sandbox::birth::Child;
use blanche_sandbox::content::SealedContent;
use blanche_sandbox::wire::{Born, Cause, Digests, EntryId, FromMatcher, ScanPiece, Scanned, Severity, ToMatcher};
use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a waiting thread looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(100);
/// What a matcher may need beyond the limits of its engines: starting up, unpacking, a busy machine.
const GRACE: Duration = Duration::from_secs(10);
/// The engines' time limit grows by one second for so many bytes (the matcher counts the same way).
const BYTES_PER_SECOND: u64 = 5_000_000;
/// Matchers in a row that may die before they were given anything.
const MAX_IDLE_DEATHS: u32 = 3;
/// Bytes of the longest free text in an answer.
pub(crate) const MAX_TEXT: usize = 256;
/// Most lines of one answer.
pub(crate) const MAX_LINES: usize = 64;

/// Contents in one object, waiting for a matcher.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) object: SealedContent,
    pub(crate) pieces: VecDeque<(ScanPiece, Digests)>,
    /// Disk images among them that were answered, and into which nobody has looked yet.
    pub(crate) images: Vec<(ScanPiece, Box<Scanned>)>,
    /// Given back when the last answer is there.
    pub(crate) held: Held,
}

impl Work {
    fn is_done(&self) -> bool {
        self.pieces.is_empty() && self.images.is_empty()
    }
}

/// What became of one content.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Matched, and the digests are the reader's.
    Matched(Box<Scanned>),
    /// Not checked.
    Failed { entry: EntryId, length: u64, cause: Cause },
    /// A matcher was born.
    Born(Born),
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

    fn next(&self) -> Option<Work> {
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

/// One thread that feeds one matcher after the other.
pub(crate) struct Feeder<'a> {
    pub(crate) room: &'a EngineRoom,
    pub(crate) queue: &'a Queue,
    pub(crate) settings: &'a Settings,
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
    pub(crate) outcomes: Sender<Outcome>,
}

impl Feeder<'_> {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(self) {
        let (mut matcher, mut idle_deaths) = (None, 0);
        while let Some(mut work) = self.queue.next() {
            while !work.is_done() {
                if (self.stop)() {
                    self.fail_all(&mut work, &Cause::Cancelled);
                } else if idle_deaths > MAX_IDLE_DEATHS {
                    self.fail_all(&mut work, &Cause::EnginesLost);
                } else if let Some(child) = matcher.take().or_else(|| self.fork()) {
                    let waiting = work.pieces.len() + work.images.len();
                    matcher = if work.pieces.is_empty() {
                        self.look_inside(child, &mut work)
                    } else {
                        self.match_pieces(child, &mut work)
                    };
                    idle_deaths = if work.pieces.len() + work.images.len() == waiting { idle_deaths + 1 } else { 0 };
                } else {
                    self.fail_all(&mut work, &Cause::EnginesLost);
                }
            }
            drop(work.held);
        }
    }

    fn fork(&self) -> Option<Child> {
        match self.room.fork() {
            Ok(child) => {
                if let Some(born) = child.born() {
                    self.tell(Outcome::Born(born.clone()));
                }
                Some(child)
            }
            Err(error) => {
                tracing::error!("no matcher: {error}");
                None
            }
        }
    }

    fn tell(&self, outcome: Outcome) {
        // The receiver lives until every feeder has ended.
        let _ = self.outcomes.send(outcome);
    }

    fn fail_all(&self, work: &mut Work, cause: &Cause) {
        for (piece, _) in work.pieces.drain(..) {
            self.tell(Outcome::Failed { entry: piece.entry, length: piece.length, cause: cause.clone() });
        }
        for (_, scanned) in work.images.drain(..) {
            // It stays a container that nobody opened.
            self.tell(Outcome::Matched(scanned));
        }
    }

    /// Looks into the last disk image. Gives the matcher back unless it died on something inside.
    fn look_inside(&self, child: Child, work: &mut Work) -> Option<Child> {
        let (piece, mut scanned) = work.images.pop()?;
        let state = image::look_inside(self, &child, &work.object, &piece, &mut scanned);
        self.tell(Outcome::Matched(scanned));
        match state {
            image::Matcher::Alive => Some(child),
            image::Matcher::Dead => None,
        }
    }

    /// Hands all waiting pieces to one matcher. Gives the matcher back when it answered for all of them; otherwise it
    /// is dead, and the piece on which it died is off the list.
    fn match_pieces(&self, child: Child, work: &mut Work) -> Option<Child> {
        let pieces = work.pieces.iter().map(|(piece, _)| piece.clone()).collect();
        if let Err(error) = child.channel().send(&ToMatcher::Scan(pieces), &[work.object.as_fd()]) {
            // It died while it had nothing to do: no content is to blame, another matcher takes them all.
            tracing::warn!("matcher {}: {error}", child.pid());
            return None;
        }
        while let Some((piece, digests)) = work.pieces.front() {
            let answer = self.answer(&child, piece, digests);
            let Some((piece, _)) = work.pieces.pop_front() else { break };
            let (entry, length) = (piece.entry, piece.length);
            match answer {
                Ok(scanned) if scanned.disk_image => work.images.push((piece, scanned)),
                Ok(scanned) => self.tell(Outcome::Matched(scanned)),
                Err(cause) => {
                    child.kill();
                    self.tell(Outcome::Failed { entry, length, cause });
                    return None;
                }
            }
        }
        Some(child)
    }

    /// Waits for the answer on one piece and checks it.
    pub(crate) fn answer(&self, child: &Child, piece: &ScanPiece, digests: &Digests) -> Result<Box<Scanned>, Cause> {
        let deadline = Instant::now().checked_add(self.patience(piece.length));
        loop {
            match child.channel().is_readable(LOOK) {
                Ok(true) => break,
                Ok(false) if (self.stop)() => return Err(Cause::Cancelled),
                Ok(false) if deadline.is_some_and(|deadline| Instant::now() > deadline) => {
                    tracing::warn!("matcher {}: no answer in time, killed", child.pid());
                    return Err(Cause::MatcherHung);
                }
                Ok(false) => {}
                Err(_) => return Err(Cause::MatcherCrashed),
            }
        }
        let message = match child.channel().receive::<FromMatcher>(Some(GRACE)) {
            Ok(received) => received.message,
            Err(error) => return Err(self.obituary(child, &error.to_string())),
        };
        let FromMatcher::Scanned(scanned) = message else { return Err(Cause::MatcherCrashed) };
        believe(*scanned, piece, digests)
    }

    /// How long one content may take: twice what the engines allow themselves, and some grace.
    fn patience(&self, length: u64) -> Duration {
        let clamav = u64::from(self.settings.engines.limits.max_scan_time) / 1000;
        let seconds = clamav
            .saturating_add(u64::from(self.settings.engines.limits.max_rules_time))
            .saturating_add(length / BYTES_PER_SECOND);
        Duration::from_secs(seconds.saturating_mul(2)).saturating_add(GRACE)
    }

    /// Why a matcher that closed its channel died.
    fn obituary(&self, child: &Child, error: &str) -> Cause {
        tracing::warn!("matcher {}: {error}", child.pid());
        if (self.stop)() { Cause::Cancelled } else { Cause::MatcherCrashed }
    }
}

/// Checks an answer against what was asked and what the reader said (security rules 2 and 5).
fn believe(mut scanned: Scanned, piece: &ScanPiece, digests: &Digests) -> Result<Box<Scanned>, Cause> {
    let short = |text: &str| text.len() <= MAX_TEXT;
    let bounded_cause = |cause: &Cause| !matches!(cause, Cause::EngineFailed(text) if !short(text));
    let bounded = scanned.findings.len() <= MAX_LINES
        && scanned.not_checked.len() <= MAX_LINES
        && scanned.not_checked.iter().all(bounded_cause)
        && scanned.content_type.media_type.len() <= 128
        && scanned.content_type.expected_extension.as_deref().is_none_or(short)
        && scanned.findings.iter().all(|finding| {
            finding.name.len() <= 256
                && finding.engine.len() <= 32
                && finding.layer.len() <= 32
                && finding.layer.iter().all(|name| name.len() <= 256)
        });
    if scanned.entry != piece.entry || !bounded {
        tracing::error!("a matcher answered something else than what it was asked");
        return Err(Cause::MatcherCrashed);
    }
    if scanned.bytes != piece.length || scanned.digests != *digests {
        tracing::error!("station alarm: reader and matcher disagree about the content of entry {}", piece.entry);
        return Err(Cause::DigestsDiffer);
    }
    scanned.findings.sort_by(|left, right| {
        right.severity.cmp(&left.severity).then_with(|| (&left.layer, &left.name).cmp(&(&right.layer, &right.name)))
    });
    Ok(Box::new(scanned))
}

/// Whether an answer carries anything that a person should see at once.
pub(crate) fn is_alarming(scanned: &Scanned) -> bool {
    scanned.findings.iter().any(|finding| finding.severity > Severity::Info)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::{ContentType, EngineCpu, Finding};

    const DIGESTS: Digests = Digests { sha256: [3; 32], blake3: [4; 32] };

    fn piece() -> ScanPiece {
        ScanPiece { area: false, entry: 7, offset: 0, length: 5, extension: String::new() }
    }

    fn answer() -> Scanned {
        Scanned {
            entry: 7,
            bytes: 5,
            digests: DIGESTS,
            content_type: ContentType::default(),
            findings: Vec::new(),
            not_checked: Vec::new(),
            layers: 1,
            disk_image: false,
            cpu: EngineCpu::default(),
        }
    }

    #[test]
    fn a_matcher_that_hashed_something_else_is_caught() {
        assert!(believe(answer(), &piece(), &DIGESTS).is_ok());
        let sha256 = Scanned { digests: Digests { sha256: [0; 32], ..DIGESTS }, ..answer() };
        let blake3 = Scanned { digests: Digests { blake3: [0; 32], ..DIGESTS }, ..answer() };
        let short = Scanned { bytes: 4, ..answer() };
        for lie in [sha256, blake3, short] {
            assert_eq!(believe(lie, &piece(), &DIGESTS), Err(Cause::DigestsDiffer));
        }
    }

    #[test]
    fn an_answer_about_something_else_or_beyond_bounds_is_not_believed() {
        let finding =
            Finding { engine: "clamav".to_owned(), name: "x".to_owned(), severity: Severity::Info, layer: Vec::new() };
        let other = Scanned { entry: 8, ..answer() };
        let flood = Scanned { findings: vec![finding.clone(); MAX_LINES + 1], ..answer() };
        let long = Scanned { findings: vec![Finding { name: "x".repeat(257), ..finding }], ..answer() };
        for lie in [other, flood, long] {
            assert_eq!(believe(lie, &piece(), &DIGESTS), Err(Cause::MatcherCrashed));
        }
    }
}
