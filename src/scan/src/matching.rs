//! Matchers at work: each takes the next sealed object, answers content by content, and is replaced when it dies. A
//! crash or a hang costs exactly the content that was being matched.

use crate::believe::{believe, believe_hashed};
use crate::image;
use crate::known::{KnownResults, Remembered};
use crate::queue::{Queue, Skip, Waiting, Work};
use crate::room::Engines;
use crate::settings::Settings;
use blanche_sandbox::Received;
use blanche_sandbox::birth::Child;
use blanche_sandbox::wire::{
    Answer, Born, Cause, EntryId, FromMatcher, Hashed, ScanPiece, Scanned, Severity, ToMatcher,
};
use std::collections::{HashSet, VecDeque};
use std::os::fd::AsFd;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How often a waiting thread looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(100);
/// What a matcher may need beyond the limits of its engines: starting up, unpacking, a busy machine.
const GRACE: Duration = Duration::from_secs(10);
/// The engines' time limit grows by one second for so many bytes (the matcher counts the same way).
const BYTES_PER_SECOND: u64 = 5_000_000;
/// How long to wait for the answers on quick pieces before a prompt matcher is asked which of them takes so long.
const UNCLEAR: Duration = Duration::from_secs(5);
/// Matchers in a row that may die before they were given anything.
const MAX_IDLE_DEATHS: u32 = 3;

/// What became of one content.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Matched, and the digests are the reader's. `known` says that the engines were not asked.
    Matched { scanned: Box<Scanned>, known: bool },
    /// Not checked.
    Failed { entry: EntryId, length: u64, cause: Cause },
    /// A matcher was born.
    Born(Born),
    /// A matcher died, hung or lied, whatever became of its contents.
    MatcherLost,
}

/// One thread that feeds one matcher after the other.
pub(crate) struct Feeder<'a> {
    pub(crate) engines: &'a Engines,
    pub(crate) queue: &'a Queue,
    pub(crate) settings: &'a Settings,
    pub(crate) known: &'a KnownResults,
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
    pub(crate) outcomes: Sender<Outcome>,
}

impl Feeder<'_> {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(self) {
        let (mut matcher, mut idle_deaths) = (None, 0);
        while let Some(mut taken) = self.queue.next() {
            let work = &mut taken.work;
            while !work.is_done() {
                if (self.stop)() {
                    self.fail_all(work, &Cause::Cancelled);
                } else if idle_deaths > MAX_IDLE_DEATHS {
                    self.fail_all(work, &Cause::EnginesLost);
                } else if let Some(child) = matcher.take().or_else(|| self.fork()) {
                    let waiting = work.pieces.len() + work.images.len();
                    matcher = if work.pieces.is_empty() {
                        self.look_inside(child, work)
                    } else {
                        self.match_pieces(child, work)
                    };
                    idle_deaths = if work.pieces.len() + work.images.len() == waiting { idle_deaths + 1 } else { 0 };
                } else {
                    self.fail_all(work, &Cause::EnginesLost);
                }
            }
            taken.done(|question| self.known.look_up(question).is_some());
        }
    }

    fn fork(&self) -> Option<Child> {
        match self.engines.fork() {
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
        for Waiting { piece, .. } in work.pieces.drain(..) {
            self.tell(Outcome::Failed { entry: piece.entry, length: piece.length, cause: cause.clone() });
        }
        for (_, scanned) in work.images.drain(..) {
            // It stays a container that nobody opened.
            self.tell(Outcome::Matched { scanned, known: false });
        }
    }

    /// Looks into the last disk image. Gives the matcher back unless it died on something inside.
    fn look_inside(&self, child: Child, work: &mut Work) -> Option<Child> {
        let (piece, mut scanned) = work.images.pop()?;
        let state = image::look_inside(self, &child, &work.object, &piece, &mut scanned);
        self.tell(Outcome::Matched { scanned, known: false });
        match state {
            image::Matcher::Alive => Some(child),
            image::Matcher::Dead => {
                self.tell(Outcome::MatcherLost);
                None
            }
        }
    }

    /// Hands all waiting pieces to one matcher. Gives the matcher back when it answered for all of them; otherwise it
    /// is dead, and the piece on which it died is off the list, unless that is for a prompt one to find out.
    fn match_pieces(&self, child: Child, work: &mut Work) -> Option<Child> {
        self.leave_out_known(work);
        let hash_only = |waiting: &Waiting| matches!(waiting.skip, Skip::Known(_) | Skip::Repeated);
        let pieces: Vec<ScanPiece> = work
            .pieces
            .iter()
            .map(|waiting| ScanPiece { hash_only: hash_only(waiting), ..waiting.piece.clone() })
            .collect();
        let asked = pieces.len();
        if let Err(error) =
            child.channel().send(&ToMatcher::Scan { pieces, prompt: work.prompt }, &[work.object.as_fd()])
        {
            // It died, or stopped listening, while it had nothing to do: no content is to blame, another matcher takes them all.
            tracing::warn!("matcher {}: {error}", child.pid());
            self.tell(Outcome::MatcherLost);
            child.kill();
            return None;
        }
        let mut answers = Answers::new(self, &child, work.prompt);
        for _ in 0..asked {
            let Some(waiting) = work.pieces.front() else { break };
            let answer = match (answers.next(&waiting.piece), &waiting.skip) {
                (Ok(Answer::Scanned(scanned)), Skip::No | Skip::Never) => {
                    believe(*scanned, &waiting.piece, &waiting.digests).map(Some)
                }
                (Ok(Answer::Hashed(hashed)), Skip::Known(_) | Skip::Repeated) => self.known_answer(&hashed, waiting),
                (Ok(_), _) => Err(Cause::MatcherCrashed),
                (Err(Silence::Unclear), _) => {
                    work.prompt = true;
                    self.tell(Outcome::MatcherLost);
                    child.kill();
                    return None;
                }
                (Err(Silence::Because(cause)), _) => Err(cause),
            };
            let Some(waiting) = work.pieces.pop_front() else { break };
            if let Err(cause) = self.settle(answer, waiting, work) {
                tracing::warn!("matcher {}: killed ({cause:?})", child.pid());
                child.kill();
                return None;
            }
        }
        if !answers.is_over() {
            tracing::error!("station alarm: matcher {} answered more than it was asked", child.pid());
            self.tell(Outcome::MatcherLost);
            child.kill();
            return None;
        }
        Some(child)
    }

    /// Acts on the answer about one piece.
    fn settle(
        &self,
        answer: Result<Option<Box<Scanned>>, Cause>,
        waiting: Waiting,
        work: &mut Work,
    ) -> Result<(), Cause> {
        let known = matches!(waiting.skip, Skip::Known(_) | Skip::Repeated);
        match answer {
            Ok(Some(scanned)) if scanned.disk_image => work.images.push((waiting.piece, scanned)),
            Ok(Some(scanned)) => {
                if !known {
                    self.known.remember(&waiting.question, &scanned);
                }
                self.tell(Outcome::Matched { scanned, known });
            }
            Ok(None) => work.pieces.push_back(Waiting { skip: Skip::Never, ..waiting }),
            Err(cause) => {
                let (entry, length) = (waiting.piece.entry, waiting.piece.length);
                self.tell(Outcome::Failed { entry, length, cause: cause.clone() });
                return Err(cause);
            }
        }
        Ok(())
    }

    /// Looks up what the engines need not be asked for.
    fn leave_out_known(&self, work: &mut Work) {
        let mut asked = HashSet::new();
        for waiting in work.pieces.iter_mut().filter(|waiting| waiting.skip != Skip::Never) {
            waiting.skip = match self.known.look_up(&waiting.question) {
                Some(result) => Skip::Known(Box::new(result)),
                None if asked.insert(waiting.question) => Skip::No,
                None => Skip::Repeated,
            };
        }
    }

    /// Checks the digests of a piece whose result is known, or should be by now. `None` = it is not.
    fn known_answer(&self, hashed: &Hashed, waiting: &Waiting) -> Result<Option<Box<Scanned>>, Cause> {
        let (piece, digests) = (&waiting.piece, &waiting.digests);
        believe_hashed(hashed, piece, digests)?;
        let result: Option<Remembered> = match &waiting.skip {
            Skip::Known(result) => Some(*result.clone()),
            _ => self.known.look_up(&waiting.question),
        };
        Ok(result.map(|result| {
            let mut scanned = result.answer(piece, *digests);
            scanned.cpu.hash = hashed.cpu;
            Box::new(scanned)
        }))
    }

    /// How long one content may take: twice what the engines allow themselves, and some grace.
    fn patience(&self, length: u64) -> Duration {
        let clamav = u64::from(self.settings.engines.limits.max_scan_time) / 1000;
        let seconds = clamav
            .saturating_add(u64::from(self.settings.engines.limits.max_rules_time))
            .saturating_add(length / BYTES_PER_SECOND);
        Duration::from_secs(seconds.saturating_mul(2)).saturating_add(GRACE)
    }
}

/// Why there is no answer.
pub(crate) enum Silence {
    /// This piece is to blame.
    Because(Cause),
    /// This piece or one that follows: answers before it may have waited for company.
    Unclear,
}

/// The answers of one matcher on the pieces that it was asked about, in their order.
pub(crate) struct Answers<'a> {
    feeder: &'a Feeder<'a>,
    child: &'a Child,
    prompt: bool,
    ready: VecDeque<Answer>,
}

impl<'a> Answers<'a> {
    /// `prompt` as the matcher was asked to be.
    pub(crate) fn new(feeder: &'a Feeder<'a>, child: &'a Child, prompt: bool) -> Self {
        Self { feeder, child, prompt, ready: VecDeque::new() }
    }

    /// The answer on the next piece, which is `piece`.
    pub(crate) fn next(&mut self, piece: &ScanPiece) -> Result<Answer, Silence> {
        if let Some(answer) = self.ready.pop_front() {
            return Ok(answer);
        }
        let clear = self.prompt || !piece.is_quick();
        let silent = |cause: Cause| match cause {
            Cause::MatcherCrashed | Cause::MatcherHung if !clear => Silence::Unclear,
            cause => Silence::Because(cause),
        };
        let patience = self.feeder.patience(piece.length);
        self.ready = self.message(if clear { patience } else { patience.min(UNCLEAR) }).map_err(silent)?.into();
        self.ready.pop_front().ok_or(Silence::Because(Cause::MatcherCrashed))
    }

    /// Whether every answer that came was asked for.
    pub(crate) fn is_over(&self) -> bool {
        self.ready.is_empty()
    }

    /// Waits for the next message.
    fn message(&self, patience: Duration) -> Result<Vec<Answer>, Cause> {
        let (child, stop) = (self.child, self.feeder.stop);
        let deadline = Instant::now().checked_add(patience);
        loop {
            match child.channel().is_readable(LOOK) {
                Ok(true) => break,
                Ok(false) if stop() => return Err(Cause::Cancelled),
                Ok(false) if deadline.is_some_and(|deadline| Instant::now() > deadline) => {
                    tracing::warn!("matcher {}: no answer in time", child.pid());
                    return Err(Cause::MatcherHung);
                }
                Ok(false) => {}
                Err(_) => return Err(Cause::MatcherCrashed),
            }
        }
        match child.channel().receive::<FromMatcher>(Some(GRACE)) {
            Ok(Received { message: FromMatcher::Answers(answers), .. }) => Ok(answers),
            Ok(_) => Err(Cause::MatcherCrashed),
            Err(error) => {
                tracing::warn!("matcher {}: {error}", child.pid());
                Err(if stop() { Cause::Cancelled } else { Cause::MatcherCrashed })
            }
        }
    }
}

/// Whether an answer carries anything that a person should see at once.
pub(crate) fn is_alarming(scanned: &Scanned) -> bool {
    scanned.findings.iter().any(|finding| finding.severity > Severity::Info)
}
