//! Copies: media in output ports, whose files may be copied to them, and a copy from its order to its end.
//!
//! A medium in an output port is no session: nobody checks it by itself. A reader looks at it once, so that people learn what
//! they would erase.

use super::doubt::{Doubt, doubt};
use super::{Machine, Session};
use crate::detect::{DevPath, Disk};
use crate::session::SessionId;
use crate::session::messages::{CopyEnded, CopyOrdered, Effect, Entry, OrderRefused};
use crate::session::view::{
    Conclusion, Contents, CopyProgress, CopyView, Failure, MediumView, NoCopy, OutputId, OutputView, State,
};
use blanche_sandbox::wire::WriteObstacle;
use blanche_scan::judge::Verdict;
use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport, Report, SealingObstacle, TargetKind, TargetLine};
use blanche_scan::settings::CopyMode;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Media in output ports that are looked at together.
const LOOKS: usize = 2;

/// What the machine knows of copying.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// Media in output ports.
    outputs: BTreeMap<DevPath, Outlet>,
    /// Readers that have not answered yet and were not given up, also of media that are gone.
    looking: BTreeSet<OutputId>,
    /// Sessions of which everything is kept that a copy needs, the oldest first: at most as many as work at once.
    kept: VecDeque<SessionId>,
    /// The station seals nothing at the moment.
    unsealed: bool,
}

/// One medium in an output port.
#[derive(Debug)]
struct Outlet {
    disk: Disk,
    view: OutputView,
}

impl Machine {
    /// Media in output ports, in the order of their arrival.
    #[must_use]
    pub fn outputs(&self) -> Vec<&OutputView> {
        let mut all: Vec<&OutputView> = self.copies.outputs.values().map(|outlet| &outlet.view).collect();
        all.sort_by_key(|view| view.id);
        all
    }

    pub(super) fn is_output(&self, path: &DevPath) -> bool {
        self.copies.outputs.contains_key(path)
    }

    /// A medium is in an output port. It is protected between copies like any other.
    pub(super) fn output(&mut self, disk: Disk) {
        self.protect(&disk);
        if disk.capacity == 0 {
            return;
        }
        let device = disk.device.as_ref().and_then(|path| self.devices.get(path));
        let view = OutputView {
            id: OutputId::now_v7(),
            medium: MediumView::of(device.map(|device| &device.device), Some(&disk)),
            read_only: disk.read_only,
            contents: Contents::Looking,
            busy: false,
        };
        self.copies.outputs.insert(disk.path.clone(), Outlet { disk, view });
    }

    /// It is gone, or may not be used any more: why a copy to it stops.
    pub(super) fn output_gone(&mut self, path: &DevPath, why: Failure) {
        let Some(outlet) = self.copies.outputs.remove(path) else { return };
        let id = outlet.view.id;
        if self.copies.looking.contains(&id) {
            self.effects.push(Effect::StopLooking(id));
        }
        let to_it = |session: &&Session| {
            session.view.state.is_working() && session.view.copy.to.as_ref().is_some_and(|to| to.id == id)
        };
        let copying: Vec<SessionId> = self.sessions.values().filter(to_it).map(|session| session.view.id).collect();
        for session in copying {
            self.stop(session, why.clone());
        }
    }

    pub(super) fn looked(&mut self, id: OutputId, contents: Contents) {
        // Who answers late was given up: the medium may have been written since.
        if !self.copies.looking.remove(&id) {
            return;
        }
        if let Some(outlet) = self.copies.outputs.values_mut().find(|outlet| outlet.view.id == id) {
            outlet.view.contents = contents;
        }
    }

    pub(super) fn may_seal(&mut self, may: bool) {
        self.copies.unsealed = !may;
    }

    /// What copying needs of a session is kept, by whoever drives this machine.
    pub(super) fn keep(&mut self, id: SessionId) {
        self.copies.kept.push_back(id);
    }

    /// A session has its result: what is kept of it stays only if a copy may follow, and the oldest makes room.
    pub(super) fn keep_or_drop(&mut self, id: SessionId) {
        let mode = self.rules.copies;
        let allowed = self.sessions.get(&id).is_some_and(|session| {
            !session.view.pulled && session.view.report().is_some_and(|report| is_allowed(report, mode))
        });
        if !allowed {
            self.drop_kept(id);
        }
        while self.copies.kept.len() > self.rules.at_once {
            let idle = |id: &&SessionId| self.sessions.get(*id).is_none_or(|session| !session.view.state.is_working());
            let Some(oldest) = self.copies.kept.iter().find(idle).copied() else { return };
            self.drop_kept(oldest);
        }
    }

    pub(super) fn drop_kept(&mut self, id: SessionId) {
        if self.copies.kept.contains(&id) {
            self.copies.kept.retain(|kept| *kept != id);
            self.effects.push(Effect::Drop(id));
        }
    }

    /// Somebody wants files copied.
    pub(super) fn order_copy(&mut self, id: SessionId, output: OutputId, erase: bool) -> Result<(), OrderRefused> {
        let session = self.sessions.get(&id).ok_or(OrderRefused::NoSuchSession)?;
        if let Some(why) = self.cannot_copy(session) {
            return Err(OrderRefused::CannotCopy(why));
        }
        let (Some(report), Some(source)) = (session.view.report().cloned(), session.disk.clone()) else {
            return Err(OrderRefused::CannotCopy(NoCopy::Gone));
        };
        let outlet = self.copies.outputs.values_mut().find(|outlet| outlet.view.id == output);
        let outlet = outlet.ok_or(OrderRefused::NoSuchOutput)?;
        match outlet.view.contents {
            _ if outlet.view.busy => return Err(OrderRefused::OutputInUse),
            Contents::Looking => return Err(OrderRefused::OutputInUse),
            _ if outlet.view.read_only => return Err(OrderRefused::OutputReadOnly),
            Contents::Filled { .. } if !erase => return Err(OrderRefused::NotBlank),
            // Whoever writes looks once more.
            Contents::Filled { .. } | Contents::Blank | Contents::Unknown => {}
        }
        outlet.view.busy = true;
        let (to, disk) = (outlet.view.clone(), outlet.disk.clone());
        if let Some(session) = self.sessions.get_mut(&id) {
            session.view.copy = CopyView { to: Some(to.clone()), ..CopyView::default() };
        }
        self.effects.push(Effect::Record(Entry::CopyOrdered(id, Box::new(to), erase)));
        self.enter(id, State::Copying);
        let ordered = CopyOrdered { session: id, source, report, output: disk, erase };
        self.effects.push(Effect::Copy(Box::new(ordered)));
        Ok(())
    }

    pub(super) fn copy_progress(&mut self, id: SessionId, progress: CopyProgress) {
        if let Some(session) = self.sessions.get_mut(&id)
            && session.view.state == State::Copying
        {
            session.view.copy.progress = Some(progress);
        }
    }

    /// The thread that copies has ended without its last word.
    pub(super) fn copy_failed(&mut self, id: SessionId, why: &Failure) {
        let to = self.sessions.get(&id).and_then(|session| session.view.copy.to.as_ref());
        let output = TargetLine {
            path: to.map(|to| to.medium.node.clone()).unwrap_or_default(),
            kind: TargetKind::Device,
            capacity: to.map(|to| to.medium.capacity),
            logical_block: None,
        };
        let mut report = CopyReport::untouched(self.rules.copies.unwrap_or_default(), output);
        (report.outcome, report.cause) = (CopyOutcome::Unknown, Some(CopyCause::Station(why.detail.clone())));
        self.copied(id, report);
    }

    /// A copy is over. What says of itself that it is whole is: it was read back, checked and compared, and no order that came
    /// too late changes that. A sleep, or engines that miss something, do: nobody knows what was checked then, and a tag that was
    /// finished stays in the report, so that staff learn of it.
    pub(super) fn copied(&mut self, id: SessionId, mut report: CopyReport) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(mut to) = session.view.copy.to.clone().filter(|_| session.is_copying()) else { return };
        if let Some(why) = session.stopping.take() {
            match report.cause.take() {
                Some(cause) => report.cause = Some(stopped(cause, why)),
                None if doubt(&why) == Doubt::All => {
                    (report.outcome, report.cause) = (CopyOutcome::Unknown, Some(CopyCause::Station(why.detail)));
                }
                None => {}
            }
        }
        let report = Arc::new(report);
        to.busy = false;
        to.contents = contents_after(&report, to.contents);
        session.view.copy.progress = None;
        session.view.copy.report = Some(Arc::clone(&report));
        session.view.copy.to = Some(to.clone());
        let (pulled, medium) = (session.view.pulled, session.view.medium.clone());
        if let Some(outlet) = self.copies.outputs.values_mut().find(|outlet| outlet.view.id == to.id) {
            outlet.view = to.clone();
        }
        let ended = CopyEnded { session: id, medium, to, report };
        self.effects.push(Effect::Record(Entry::Copied(Box::new(ended))));
        self.enter(id, State::Verdict);
        if pulled {
            self.enter(id, State::Removed);
        }
    }

    /// Has media looked at, and says of each session whether its files can be copied.
    pub(super) fn look_and_tell(&mut self) {
        if !self.ending {
            let waits = |outlet: &&Outlet| outlet.view.contents == Contents::Looking;
            for outlet in self.copies.outputs.values().filter(waits) {
                if self.copies.looking.len() < LOOKS && self.copies.looking.insert(outlet.view.id) {
                    self.effects.push(Effect::Look(outlet.view.id, outlet.disk.clone()));
                }
            }
        }
        let all: Vec<_> = self.sessions.values().map(|session| (session.view.id, self.cannot_copy(session))).collect();
        for (id, cannot) in all {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.view.copy.cannot = cannot;
            }
        }
    }

    /// The station is being stopped.
    pub(super) fn stop_looking(&mut self) {
        self.effects.extend(self.copies.looking.iter().copied().map(Effect::StopLooking));
    }

    /// Why the files of a session cannot be copied now.
    fn cannot_copy(&self, session: &Session) -> Option<NoCopy> {
        let state = session.view.state;
        match state {
            _ if session.is_copying() => return Some(NoCopy::Copying),
            State::Queued | State::Checking | State::Sealing | State::Stopping | State::Copying => {
                return Some(NoCopy::Unfinished);
            }
            State::Refused => return Some(NoCopy::Verdict),
            State::Removed => return Some(NoCopy::Gone),
            State::Verdict => {}
        }
        let Some(mode) = self.rules.copies else { return Some(NoCopy::NoPort) };
        let Some(Conclusion::Report(report)) = &session.view.conclusion else { return Some(NoCopy::Verdict) };
        let obstacle = report.sealing.obstacles.iter().any(|obstacle| *obstacle != SealingObstacle::NotClean);
        let working = self.sessions.values().filter(|session| session.view.state.is_working()).count();
        [
            (!is_allowed(report, Some(mode)), NoCopy::Verdict),
            (report.content.files == 0, NoCopy::Nothing),
            (obstacle, NoCopy::Obstacles),
            (!self.copies.kept.contains(&session.view.id), NoCopy::NotKept),
            (self.copies.unsealed || self.ending || self.asleep, NoCopy::Unsealed),
            (working >= self.rules.at_once, NoCopy::Busy),
        ]
        .into_iter()
        .find_map(|(so, why)| so.then_some(why))
    }
}

impl Session {
    /// Whether a thread copies its files.
    pub(super) fn is_copying(&self) -> bool {
        self.view.state.is_working() && self.view.conclusion.is_some()
    }
}

/// Why a copy to a medium stops that was pulled out.
pub(super) fn output_removed() -> Failure {
    Failure::new(OUTPUT, "the output medium was pulled out")
}

/// The word for it: it never stands for a session without a report.
pub(super) const OUTPUT: &str = "output";

/// Whether the configuration lets the files of such a medium be copied.
fn is_allowed(report: &Report, mode: Option<CopyMode>) -> bool {
    match report.verdict {
        Verdict::Clean => mode.is_some(),
        Verdict::Infected | Verdict::Incomplete => mode == Some(CopyMode::CleanFiles),
        Verdict::Refused => false,
    }
}

/// The cause of a copy that was stopped: whoever copies knows only that it was, or what a medium looks like that is gone. What it
/// found before stays what it found.
fn stopped(cause: CopyCause, why: Failure) -> CopyCause {
    use CopyCause::{Cancelled, Output, OutputFailed, SourceRemoved, SourceUnreadable, Station};
    match (why.kind, cause) {
        ("removed", Cancelled | OutputFailed | SourceUnreadable(_) | Station(_)) => SourceRemoved,
        (OUTPUT, Cancelled | OutputFailed | SourceUnreadable(_) | Station(_)) => Output(WriteObstacle::Removed),
        ("removed" | OUTPUT | "cancelled", cause) => cause,
        (_, Cancelled) => Station(why.detail),
        (_, cause) => cause,
    }
}

/// What is on an output medium after a copy.
fn contents_after(report: &CopyReport, before: Contents) -> Contents {
    match report.outcome {
        CopyOutcome::Untouched => before,
        CopyOutcome::Empty => Contents::Filled { files: 0, bytes: 0 },
        CopyOutcome::Copied => Contents::Filled { files: report.files, bytes: report.bytes },
        CopyOutcome::Unknown => Contents::Unknown,
    }
}
