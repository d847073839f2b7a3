//! A verification from the command line to the answer, in the order of the specification's steps.

use crate::arguments::VerifyArguments;
use crate::confine;
use crate::copy::Copy;
use crate::failure::Failure;
use crate::folder;
use crate::inspect;
use crate::interrupt::Interrupt;
use crate::inventory::{Inventory, Read};
use crate::lang::Lang;
use crate::memory::Remembered;
use crate::progress::Progress;
use crate::rights;
use crate::target::{Input, Kind, SeenMedium, Target, Unseen};
use crate::tree::Tree;
use crate::words::Notice;
use crate::workstation::Workstation;
use blanche_media::Medium;
use blanche_tag::claims::{Claims, Filesystem, Volume};
use blanche_tag::{Code, Compared, Comparison, Level, MediumView, Refusal, Tag, Verified, compare, verify};
use std::fs::File;
use std::path::PathBuf;

/// What came out.
#[derive(Debug)]
pub(crate) struct Verification {
    pub(crate) target: Looked,
    pub(crate) level: Level,
    pub(crate) outcome: Result<(), Refusal>,
    /// What steps 1 to 18 accepted; absent when they refused.
    pub(crate) tag: Option<Accepted>,
    /// The differences that steps 19 and 20 found.
    pub(crate) comparison: Option<Comparison>,
    /// Seconds since 1970.
    pub(crate) clock: u64,
    pub(crate) notices: Vec<Notice>,
}

/// What was looked at.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// Bytes, and bytes of a logical block; absent for folders.
    pub(crate) size: Option<(u64, u32)>,
}

impl Looked {
    pub(crate) fn new(target: &Target) -> Self {
        let size = match &target.input {
            Input::Medium(source) => Some((source.capacity, source.block)),
            Input::Folder(_) => None,
        };
        Self { path: target.path.clone(), kind: target.kind, size }
    }
}

/// A tag of which everything but the files was verified.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) claims: Claims,
    pub(crate) capacity: Compared,
    pub(crate) usb: Compared,
    pub(crate) boot: Compared,
}

/// Verifies a target.
///
/// # Errors
/// [`Failure`]: there is no answer.
pub(crate) fn run(arguments: &VerifyArguments, lang: Lang) -> Result<Verification, Failure> {
    let interrupt = Interrupt::watch()?;
    let mut workstation = Workstation::prepare(&arguments.demands, arguments.level)?;
    let keeper = workstation.keeper()?;
    let target = Target::open(&arguments.target, arguments.demands.block_size)?;
    let unreadable = |path: &PathBuf, source| Failure::Target { path: path.clone(), source };
    let opened = arguments.tag.iter().map(|path| rights::open(path).map_err(|error| unreadable(path, error)));
    let given = opened.collect::<Result<Vec<_>, _>>()?;
    let mut progress = Progress::new(lang, arguments.quiet || arguments.json);
    confine::enter(&target)?;
    let bench = Bench { workstation: &workstation, interrupt: &interrupt };
    let judged = match &target.input {
        Input::Medium(_) => bench.medium(&target, &given, &mut progress),
        Input::Folder(root) => {
            let mut look = |tag: &Verified<Tag<'_>>| Ok(bench.folder(root, tag, &mut progress));
            if given.is_empty() {
                bench.judge(folder::tag(root).into_iter(), &Unseen, &mut look)
            } else {
                bench.first_accepted(&given, &Unseen, &mut look)
            }
        }
    };
    progress.clear();
    let Judged { outcome, tag, comparison, behind, learned } = judged?;
    if interrupt.is_raised() {
        return Err(Failure::Interrupted);
    }
    keeper.map_or(Ok(()), |keeper| keeper.raise(&learned))?;
    let mut notices = workstation.notices.clone();
    notices.extend(behind.then_some(Notice::ClockBehind));
    let (level, clock) = (workstation.policy.level, workstation.clock);
    Ok(Verification { target: Looked::new(&target), level, outcome, tag, comparison, clock, notices })
}

struct Judged {
    outcome: Result<(), Refusal>,
    tag: Option<Accepted>,
    comparison: Option<Comparison>,
    behind: bool,
    /// What authorities stated, and the counter of a tag that was accepted as a whole.
    learned: Remembered,
}

/// Compares what is on the medium with a tag: steps 19 and 20.
type Look<'l> = &'l mut dyn FnMut(&Verified<Tag<'_>>) -> Result<Result<Comparison, Refusal>, Failure>;

struct Bench<'a> {
    workstation: &'a Workstation,
    interrupt: &'a Interrupt,
}

impl Bench<'_> {
    fn medium(&self, target: &Target, given: &[File], progress: &mut Progress) -> Result<Judged, Failure> {
        let Input::Medium(source) = &target.input else { return Err(Failure::Verifier("not a medium".to_owned())) };
        let reader = source.reader();
        let medium = Medium::new(&*reader, source.block);
        let seen = SeenMedium::new(&medium, target);
        let mut read: Option<(Vec<Volume>, Inventory)> = None;
        let mut look = |tag: &Verified<Tag<'_>>| {
            // What is read depends on the volumes that are claimed, which the tags of one medium have in common.
            let known = read.take().filter(|(volumes, _)| *volumes == tag.claims.volumes).map(|(_, known)| known);
            let inventory = match known {
                Some(known) => known,
                None => inspect::inventory(&medium, &tag.claims, tag.level, self.interrupt, progress)?,
            };
            let compared = compare(tag, inventory.walk(), &mut Read(&inventory));
            read = Some((tag.claims.volumes.clone(), inventory));
            Ok(compared)
        };
        if given.is_empty() {
            self.judge(inspect::tags(&medium, self.interrupt)?.into_iter(), &seen, &mut look)
        } else {
            self.first_accepted(given, &seen, &mut look)
        }
    }

    fn folder(
        &self,
        root: &std::path::Path,
        tag: &Verified<Tag<'_>>,
        progress: &mut Progress,
    ) -> Result<Comparison, Refusal> {
        let tree = Tree::list(root, shown_volume(&tag.claims), self.interrupt);
        let mut contents = folder::contents(root, self.interrupt, tag.level, tree.bytes(), progress);
        compare(tag, tree.walk(), &mut contents)
    }

    /// Of several tags that are given the first that is accepted counts; if none is, the first that verifies, else the first.
    fn first_accepted(&self, given: &[File], medium: &dyn MediumView, look: Look<'_>) -> Result<Judged, Failure> {
        let (mut best, mut learned) = (None::<Judged>, Remembered::default());
        for file in given {
            let judged = self.judge(std::iter::once(Copy::of(file)), medium, &mut *look)?;
            learned.raise(&judged.learned);
            let rank = |judged: &Judged| (judged.outcome.is_ok(), judged.tag.is_some());
            let better = best.as_ref().is_none_or(|best| rank(&judged) > rank(best));
            let accepted = judged.outcome.is_ok();
            best = if better { Some(judged) } else { best };
            if accepted {
                break;
            }
        }
        let best = best.map_or_else(|| self.judge(std::iter::empty(), medium, look), Ok)?;
        Ok(Judged { learned, ..best })
    }

    /// Of several tags on a medium the first that verifies counts; if none does, the first one's refusal. Each of them
    /// teaches.
    fn judge(
        &self,
        copies: impl Iterator<Item = Copy>,
        medium: &dyn MediumView,
        look: Look<'_>,
    ) -> Result<Judged, Failure> {
        let (mut refusal, mut learned) = (None, Remembered::default());
        for copy in copies {
            let judgement = verify(&copy, &self.workstation.context(), medium);
            learned.raise(&Remembered { memory: judgement.memory, ..Remembered::default() });
            match judgement.outcome {
                Ok(tag) => return self.compare(&tag, look, learned),
                Err(found) => refusal = refusal.or(Some(found)),
            }
        }
        let outcome = Err(refusal.unwrap_or_else(no_tag));
        Ok(Judged { outcome, tag: None, comparison: None, behind: false, learned })
    }

    fn compare(&self, tag: &Verified<Tag<'_>>, look: Look<'_>, mut learned: Remembered) -> Result<Judged, Failure> {
        let compared = if tag.level == Level::Identity { Ok(Comparison::default()) } else { look(tag)? };
        let (outcome, comparison) = match compared {
            Ok(comparison) => (comparison.verdict(), Some(comparison)),
            Err(refusal) => (Err(refusal), None),
        };
        if outcome.is_ok() {
            learned.counters.insert(tag.counter_key(), tag.claims.counter);
        }
        let Verified { capacity, usb, boot, clock_is_behind: behind, .. } = *tag;
        let tag = Some(Accepted { claims: tag.claims.clone(), capacity, usb, boot });
        Ok(Judged { outcome, tag, comparison, behind, learned })
    }
}

/// Step 1.
pub(crate) fn no_tag() -> Refusal {
    Refusal { code: Code::NoTag, step: 1, detail: "no file blanche.tag at the root".to_owned() }
}

/// The volume that a mounted folder shows: the one with the tag, or the first that has files.
fn shown_volume(claims: &Claims) -> u32 {
    let with_files = claims.volumes.iter().position(|volume| volume.filesystem != Filesystem::Blank);
    let first = with_files.and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    claims.medium.tag_volume.unwrap_or(first)
}
