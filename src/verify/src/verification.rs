//! A verification from the command line to the answer, in the order of the specification's steps.

use crate::arguments::VerifyArguments;
use crate::confine;
use crate::copy::Copy;
use crate::failure::Failure;
use crate::folder;
use crate::inspect;
use crate::interrupt::Interrupt;
use crate::inventory::Read;
use crate::lang::Lang;
use crate::progress::Progress;
use crate::target::{Input, Kind, SeenMedium, Target, Unseen};
use crate::tree::Tree;
use crate::words::Notice;
use crate::workstation::Workstation;
use blanche_media::Medium;
use blanche_tag::claims::{Claims, Filesystem};
use blanche_tag::{Code, Compared, Comparison, Level, MediumView, Refusal, Tag, Verified, compare, verify};
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
    let workstation = Workstation::prepare(&arguments.demands, arguments.level)?;
    let target = Target::open(&arguments.target, arguments.demands.block_size)?;
    let unreadable = |path: &PathBuf, source| Failure::Target { path: path.clone(), source };
    let given = arguments.tag.as_ref();
    let given = given.map(|path| Copy::of_file(path).map_err(|error| unreadable(path, error))).transpose()?;
    let mut progress = Progress::new(lang, arguments.quiet || arguments.json);
    confine::enter(&target, &workstation)?;
    let bench = Bench { workstation: &workstation, interrupt: &interrupt };
    let judged = match &target.input {
        Input::Medium(_) => bench.medium(&target, given, &mut progress),
        Input::Folder(root) => {
            let copies: Vec<_> = given.or_else(|| folder::tag(root)).into_iter().collect();
            bench.judge(&copies, &Unseen, &mut |tag| Ok(bench.folder(root, tag, &mut progress)))
        }
    };
    progress.clear();
    let Judged { outcome, tag, comparison, behind } = judged?;
    if interrupt.is_raised() {
        return Err(Failure::Interrupted);
    }
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
}

/// Compares what is on the medium with a tag: steps 19 and 20.
type Look<'l> = &'l mut dyn FnMut(&Verified<Tag<'_>>) -> Result<Result<Comparison, Refusal>, Failure>;

struct Bench<'a> {
    workstation: &'a Workstation,
    interrupt: &'a Interrupt,
}

impl Bench<'_> {
    fn medium(&self, target: &Target, given: Option<Copy>, progress: &mut Progress) -> Result<Judged, Failure> {
        let Input::Medium(source) = &target.input else { return Err(Failure::Verifier("not a medium".to_owned())) };
        let reader = source.reader();
        let medium = Medium::new(&*reader, source.block);
        let copies = match given {
            Some(copy) => vec![copy],
            None => inspect::tags(&medium, self.interrupt)?,
        };
        self.judge(&copies, &SeenMedium::new(&medium, target), &mut |tag| {
            let inventory = inspect::inventory(&medium, &tag.claims, tag.level, self.interrupt, progress)?;
            Ok(compare(tag, inventory.walk(), &mut Read(&inventory)))
        })
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

    /// Of several tags the first that verifies counts; if none does, the first one's refusal.
    fn judge(&self, copies: &[Copy], medium: &dyn MediumView, look: Look<'_>) -> Result<Judged, Failure> {
        let mut refusal = None;
        for copy in copies {
            match verify(copy, &self.workstation.context(), medium) {
                Ok(tag) => return self.compare(&tag, look),
                Err(found) => refusal = refusal.or(Some(found)),
            }
        }
        let refusal = refusal.unwrap_or_else(no_tag);
        Ok(Judged { outcome: Err(refusal), tag: None, comparison: None, behind: false })
    }

    fn compare(&self, tag: &Verified<Tag<'_>>, look: Look<'_>) -> Result<Judged, Failure> {
        let compared = if tag.level == Level::Identity { Ok(Comparison::default()) } else { look(tag)? };
        if self.interrupt.is_raised() {
            return Err(Failure::Interrupted);
        }
        let (outcome, comparison) = match compared {
            Ok(comparison) => (comparison.verdict(), Some(comparison)),
            Err(refusal) => (Err(refusal), None),
        };
        self.workstation.learn(&tag.memory, outcome.is_ok().then_some(&tag.claims))?;
        let Verified { capacity, usb, boot, clock_is_behind: behind, .. } = *tag;
        Ok(Judged {
            outcome,
            tag: Some(Accepted { claims: tag.claims.clone(), capacity, usb, boot }),
            comparison,
            behind,
        })
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
