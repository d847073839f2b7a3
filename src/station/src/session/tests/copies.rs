//! Copies: who may order one, what stops it, and that each has one end.

use super::anything::{Step, pick};
use super::*;
use crate::session::view::{CopyProgress, CopyStep, NoCopy, OutputView};
use blanche_sandbox::wire::WriteObstacle;
use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport, TargetKind, TargetLine};

impl Bench {
    pub(super) fn start_copy(&mut self, ordered: CopyOrdered) {
        let id = ordered.session;
        assert!(self.kept.contains(&id), "copied without what copying needs");
        assert!(
            self.protected.contains(&(ordered.source.path.clone(), ordered.source.sequence)),
            "a source that is not protected"
        );
        let device = ordered.output.device.clone().expect("a USB disk");
        assert!(OUTPUTS.iter().any(|place| path(*place) == device), "written in a port for media that are read");
        assert!(self.admitted.contains(&device), "written on a device that nobody admitted");
        let to =
            |other: &CopyOrdered| other.output.path == ordered.output.path && !self.stopped.contains(&other.session);
        assert!(!self.copying.values().any(to), "two copies to one medium");
        self.stopped.remove(&id);
        self.doubted_copies.remove(&id);
        assert!(self.copying.insert(id, ordered).is_none(), "copied twice at once");
    }

    /// Whether the medium to which a session is copied is still the one in its port.
    pub(super) fn is_plugged_in(&self, id: SessionId) -> bool {
        let to = self.machine.session(id).and_then(|view| view.copy.to.as_ref());
        to.is_some_and(|to| self.machine.outputs().iter().any(|output| output.id == to.id))
    }

    /// Memory: what is kept of sessions that do not work is never more than those that may work at once.
    pub(super) fn assert_bounded(&self, at_once: usize) {
        let idle = |id: &&SessionId| !self.working.contains_key(*id) && !self.copying.contains_key(*id);
        let idle = self.kept.iter().filter(idle).count();
        assert!(idle <= at_once, "{idle} kept");
        assert!(self.looking.len() <= 2, "too many readers");
    }

    /// Everything was pulled out: each copy was asked to stop.
    pub(super) fn end_copies(&mut self) {
        while let Some(id) = self.copying.keys().next().copied() {
            assert!(self.stopped.contains(&id), "nobody stops a copy whose medium is gone");
            self.end_copy(id, CopyOutcome::Unknown, Some(CopyCause::Cancelled));
        }
        for id in self.looking.keys().copied().collect::<Vec<_>>() {
            self.looked(id, Contents::Unknown);
        }
    }

    fn end_copy(&mut self, id: SessionId, outcome: CopyOutcome, cause: Option<CopyCause>) {
        self.copying.remove(&id).expect("it was copied");
        self.input(Input::Work(id, Work::Copied(Box::new(CopyReport { outcome, cause, ..copy_report() }))));
    }

    fn looked(&mut self, id: OutputId, contents: Contents) {
        self.looking.remove(&id);
        self.input(Input::Looked(id, contents));
    }

    /// A station key in an output port that somebody has looked at.
    fn output(&mut self, place: u8, contents: Contents) -> OutputId {
        self.event(Event::DeviceArrived(device(place, 8)));
        self.event(Event::DiskArrived(disk(place, 0, 1, 1 << 30)));
        let id = self.machine.outputs().last().expect("an output medium").id;
        self.looked(id, contents);
        id
    }

    /// A key that was checked, with everything that copying needs.
    fn checked(&mut self, place: u8, verdict: Verdict) -> SessionId {
        let id = self.insert(place);
        self.keep(id);
        self.working.remove(&id);
        let mut ending = report(verdict, verdict == Verdict::Clean);
        if let Ending::Report(report) = &mut ending {
            report.sealing.obstacles.clear();
        }
        self.input(Input::Work(id, Work::Ended(ending)));
        id
    }

    /// A copy at work.
    pub(super) fn begin_copy(&mut self) -> SessionId {
        let (id, output) = (self.checked(1, Verdict::Clean), self.output(7, Contents::Blank));
        self.copy(id, output, false).unwrap();
        id
    }

    pub(super) fn keep(&mut self, id: SessionId) {
        if self.kept.insert(id) {
            self.input(Input::Work(id, Work::Kept));
        }
    }

    fn copy(&mut self, session: SessionId, output: OutputId, erase: bool) -> Result<(), OrderRefused> {
        self.order(Order::Copy { session, output, erase })
    }

    fn cannot(&self, id: SessionId) -> Option<NoCopy> {
        self.machine.session(id).expect("known").copy.cannot
    }

    fn cause(&self, id: SessionId) -> Option<CopyCause> {
        self.machine.session(id)?.copy.report.as_ref()?.cause.clone()
    }

    fn medium(&self, id: OutputId) -> OutputView {
        self.machine.outputs().into_iter().find(|output| output.id == id).expect("it is there").clone()
    }
}

fn copy_report() -> CopyReport {
    let output = TargetLine { path: "/dev/sd7".into(), kind: TargetKind::Device, capacity: None, logical_block: None };
    CopyReport { files: 3, bytes: 9, ..CopyReport::untouched(CopyMode::AllOrNothing, output) }
}

pub(super) fn take(bench: &mut Bench, step: Step) {
    match step {
        Step::Output(place, sequence, full) => {
            bench.event(Event::DeviceArrived(device(OUTPUTS[place], 8)));
            bench.event(Event::DiskArrived(disk(OUTPUTS[place], 0, sequence, if full { 1 << 30 } else { 0 })));
        }
        Step::OutputGone(place) => bench.event(Event::DeviceGone(path(OUTPUTS[place]))),
        Step::Looked(number, blank) => {
            let contents = if blank { Contents::Blank } else { Contents::Filled { files: 1, bytes: 1 } };
            if let Some(id) = pick(number, bench.looking.keys().copied()) {
                bench.looked(id, contents);
            }
        }
        Step::Kept(number) => {
            if let Some(id) = pick(number, bench.working.keys().copied()) {
                bench.keep(id);
            }
        }
        Step::Copy(from, to, erase) => {
            let from = pick(from, bench.machine.sessions().map(|view| view.id).collect::<Vec<_>>().into_iter());
            let to = pick(to, bench.machine.outputs().iter().map(|view| view.id).collect::<Vec<_>>().into_iter());
            let (Some(from), Some(to)) = (from, to) else { return };
            let (able, medium) = (bench.cannot(from).is_none(), bench.medium(to));
            // Of what nobody knows, whoever writes finds out.
            let ready = match medium.contents {
                _ if medium.busy => false,
                Contents::Looking => false,
                Contents::Filled { .. } => erase,
                Contents::Blank | Contents::Unknown => true,
            };
            // Nobody is told that it can be, and then that it cannot.
            assert_eq!(bench.copy(from, to, erase).is_ok(), able && ready);
        }
        Step::CopyEnds(number, outcome) => {
            let Some(id) = pick(number, bench.copying.keys().copied()) else { return };
            let outcome = [CopyOutcome::Copied, CopyOutcome::Untouched, CopyOutcome::Empty, CopyOutcome::Unknown]
                [usize::from(outcome)];
            bench.end_copy(id, outcome, (outcome != CopyOutcome::Copied).then_some(CopyCause::Cancelled));
            let told = bench.machine.session(id).and_then(|view| view.copy.report.clone()).expect("a report");
            let believed = match outcome {
                CopyOutcome::Copied if bench.doubted_copies.contains(&id) => CopyOutcome::Unknown,
                outcome => outcome,
            };
            assert_eq!((told.outcome, told.cause.is_none()), (believed, believed == CopyOutcome::Copied));
        }
        Step::MaySeal(may) => bench.input(Input::MaySeal(may)),
        _ => unreachable!("a step of the others"),
    }
}

#[test]
fn a_key_of_the_station_is_shown_looked_at_and_never_checked_by_itself() {
    let mut bench = Bench::new(2);
    bench.event(Event::DeviceArrived(device(7, 8)));
    bench.event(Event::DiskArrived(disk(7, 0, 1, 1 << 30)));
    assert_eq!((bench.machine.sessions().count(), bench.machine.outputs().len()), (0, 1));
    let (id, _) = bench.looking.first_key_value().map(|(id, disk)| (*id, disk.clone())).unwrap();
    bench.looked(id, Contents::Filled { files: 2, bytes: 9 });
    let medium = bench.medium(id);
    assert_eq!((medium.contents, medium.busy), (Contents::Filled { files: 2, bytes: 9 }, false));
    assert_eq!(medium.medium.capacity, 1 << 30);
    // udev repeats itself.
    bench.event(Event::DiskChanged(disk(7, 0, 1, 1 << 30)));
    assert_eq!(bench.machine.outputs().first().map(|output| output.id), Some(id));
    bench.event(Event::DeviceGone(path(7)));
    assert!(bench.machine.outputs().is_empty());
}

#[test]
fn a_copy_goes_from_its_order_to_its_report_and_back_to_the_verdict() {
    let mut bench = Bench::new(2);
    let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
    assert_eq!(bench.cannot(id), None);
    bench.copy(id, output, false).unwrap();
    assert_eq!((bench.state(id), bench.cannot(id)), (State::Copying, Some(NoCopy::Copying)));
    assert!(bench.medium(output).busy && !bench.copying[&id].erase);
    let progress = CopyProgress { step: CopyStep::Writing, done: 1, all: 2 };
    bench.input(Input::Work(id, Work::Copying(progress)));
    assert_eq!(bench.machine.session(id).unwrap().copy.progress, Some(progress));
    bench.end_copy(id, CopyOutcome::Copied, None);
    let view = bench.machine.session(id).unwrap().clone();
    assert_eq!((view.state, bench.verdict(id)), (State::Verdict, Some(Verdict::Clean)));
    assert_eq!(view.copy.report.as_ref().unwrap().outcome, CopyOutcome::Copied);
    assert_eq!(view.copy.progress, None);
    assert_eq!(bench.medium(output).contents, Contents::Filled { files: 3, bytes: 9 });
    // To another key, too; what is on the first one is lost only if somebody says so.
    assert_eq!(bench.copy(id, output, false), Err(OrderRefused::NotBlank));
    bench.copy(id, output, true).unwrap();
    assert_eq!((bench.ordered, bench.copied), (2, 1));
}

#[test]
fn the_configuration_says_whose_files_are_copied() {
    for (mode, verdict, expected) in [
        (Some(CopyMode::AllOrNothing), Verdict::Clean, None),
        (Some(CopyMode::AllOrNothing), Verdict::Infected, Some(NoCopy::Verdict)),
        (Some(CopyMode::AllOrNothing), Verdict::Incomplete, Some(NoCopy::Verdict)),
        (Some(CopyMode::CleanFiles), Verdict::Infected, None),
        (Some(CopyMode::CleanFiles), Verdict::Incomplete, None),
        (Some(CopyMode::CleanFiles), Verdict::Clean, None),
        (None, Verdict::Clean, Some(NoCopy::NoPort)),
    ] {
        let mut bench = Bench::new(2);
        bench.machine = Machine::new(Rules { copies: mode, ..rules(2) });
        bench.input(Input::Engines(Ok(())));
        let id = bench.checked(1, verdict);
        let output = bench.output(7, Contents::Blank);
        assert_eq!(bench.cannot(id), expected, "{mode:?} {verdict:?}");
        assert_eq!(bench.copy(id, output, true), expected.map_or(Ok(()), |why| Err(OrderRefused::CannotCopy(why))));
        assert_eq!(bench.kept.len(), usize::from(expected.is_none()), "what nobody will copy is not kept");
    }
}

#[test]
fn an_order_is_refused_where_it_means_nothing_and_nothing_changes() {
    let mut bench = Bench::new(2);
    let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Filled { files: 1, bytes: 1 }));
    assert_eq!(bench.copy(SessionId::now_v7(), output, true), Err(OrderRefused::NoSuchSession));
    assert_eq!(bench.copy(id, OutputId::now_v7(), true), Err(OrderRefused::NoSuchOutput));
    assert_eq!(bench.copy(id, output, false), Err(OrderRefused::NotBlank));
    let unfinished = bench.insert(2);
    assert_eq!(bench.copy(unfinished, output, true), Err(OrderRefused::CannotCopy(NoCopy::Unfinished)));
    bench.input(Input::MaySeal(false));
    assert_eq!(bench.copy(id, output, true), Err(OrderRefused::CannotCopy(NoCopy::Unsealed)));
    bench.input(Input::MaySeal(true));
    bench.copy(id, output, true).unwrap();
    assert_eq!(bench.copy(id, output, true), Err(OrderRefused::CannotCopy(NoCopy::Copying)));
    bench.end(unfinished, Verdict::Clean);
    assert_eq!(bench.ordered, 1);
}

#[test]
fn a_medium_that_is_being_looked_at_or_written_or_locked_is_not_written() {
    let mut bench = Bench::new(3);
    let (first, second) = (bench.checked(1, Verdict::Clean), bench.checked(2, Verdict::Clean));
    bench.event(Event::DeviceArrived(device(7, 8)));
    bench.event(Event::DiskArrived(disk(7, 0, 1, 1 << 30)));
    let output = bench.machine.outputs()[0].id;
    assert_eq!(bench.copy(first, output, true), Err(OrderRefused::OutputInUse), "a reader looks");
    bench.looked(output, Contents::Blank);
    bench.copy(first, output, true).unwrap();
    assert_eq!(bench.copy(second, output, true), Err(OrderRefused::OutputInUse), "it is written");
    bench.event(Event::DeviceArrived(device(8, 8)));
    let locked = Disk { read_only: true, ..disk(8, 0, 1, 1 << 30) };
    bench.event(Event::DiskArrived(locked));
    let locked = bench.machine.outputs()[1].id;
    bench.looked(locked, Contents::Blank);
    assert_eq!(bench.copy(second, locked, true), Err(OrderRefused::OutputReadOnly));
}

#[test]
fn a_medium_that_was_swapped_after_somebody_looked_is_another_one() {
    let mut bench = Bench::new(2);
    let (id, seen) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
    bench.event(Event::DiskChanged(disk(7, 0, 2, 1 << 30)));
    assert_eq!(bench.copy(id, seen, true), Err(OrderRefused::NoSuchOutput));
    assert_ne!(bench.machine.outputs()[0].id, seen);
    // Also during a copy.
    let now = bench.machine.outputs()[0].id;
    bench.looked(now, Contents::Blank);
    bench.copy(id, now, false).unwrap();
    bench.event(Event::DiskChanged(disk(7, 0, 3, 1 << 30)));
    assert!(bench.stopped.contains(&id) && bench.state(id) == State::Stopping);
}

#[test]
fn what_stops_a_copy_is_what_its_report_says() {
    type Hand<'h> = &'h dyn Fn(&mut Bench, SessionId);
    let stop: [(Hand<'_>, CopyCause); 5] = [
        (&|bench, id| bench.order(Order::Cancel(id)).unwrap(), CopyCause::Cancelled),
        (&|bench, _| bench.event(Event::DeviceGone(path(1))), CopyCause::SourceRemoved),
        (&|bench, _| bench.event(Event::DeviceGone(path(7))), CopyCause::Output(WriteObstacle::Removed)),
        (&|bench, _| bench.input(Input::Slept(Duration::from_secs(9))), cause("the station slept during the session")),
        (&|bench, _| bench.input(Input::Ending), cause("the station was stopped during the session")),
    ];
    for (stop, expected) in stop {
        let mut bench = Bench::new(2);
        let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
        bench.copy(id, output, false).unwrap();
        stop(&mut bench, id);
        assert!(bench.stopped.contains(&id) && bench.state(id) == State::Stopping, "{expected:?}");
        bench.end_copy(id, CopyOutcome::Empty, Some(CopyCause::Cancelled));
        assert_eq!(bench.cause(id), Some(expected.clone()));
        assert_eq!(bench.verdict(id), Some(Verdict::Clean), "the verdict stays");
        let pulled = expected == CopyCause::SourceRemoved;
        assert_eq!(bench.state(id), if pulled { State::Removed } else { State::Verdict });
        assert_eq!(bench.kept.is_empty(), pulled);
    }
}

#[test]
fn what_a_copy_found_stays_found_when_a_medium_is_pulled_out_afterwards() {
    for place in [1, 7] {
        for found in [CopyCause::OutputNotClean, CopyCause::SourceChanged(Some("a.txt".to_owned()))] {
            let mut bench = Bench::new(2);
            let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
            bench.copy(id, output, false).unwrap();
            bench.event(Event::DeviceGone(path(place)));
            bench.end_copy(id, CopyOutcome::Unknown, Some(found.clone()));
            assert_eq!(bench.cause(id), Some(found));
        }
    }
}

fn cause(detail: &str) -> CopyCause {
    CopyCause::Station(detail.to_owned())
}

#[test]
fn a_copy_that_was_whole_before_it_was_stopped_is_whole() {
    let mut bench = Bench::new(2);
    let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
    bench.copy(id, output, false).unwrap();
    bench.order(Order::Cancel(id)).unwrap();
    assert_eq!(bench.order(Order::Eject(id)), Err(OrderRefused::InUse));
    bench.end_copy(id, CopyOutcome::Copied, None);
    assert_eq!(bench.cause(id), None);
    assert_eq!(bench.order(Order::Cancel(id)), Err(OrderRefused::NothingToCancel));
}

#[test]
fn a_copy_that_calls_itself_whole_is_not_believed_after_a_sleep_or_with_engines_that_miss_something() {
    let later: [fn(&mut Bench); 3] = [
        |bench| bench.input(Input::Slept(Duration::from_secs(60))),
        |bench| bench.input(Input::Engines(Err("clamav did not find EICAR".into()))),
        |bench| bench.event(Event::DeviceChanged(device(7, 3))),
    ];
    for happens in later {
        let mut bench = Bench::new(2);
        let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
        bench.copy(id, output, false).unwrap();
        happens(&mut bench);
        bench.end_copy(id, CopyOutcome::Copied, None);
        let report = bench.machine.session(id).and_then(|view| view.copy.report.clone()).unwrap();
        assert_eq!(report.outcome, CopyOutcome::Unknown);
        assert!(matches!(report.cause, Some(CopyCause::Station(_))), "{:?}", report.cause);
    }
}

#[test]
fn a_thread_that_ends_without_its_last_word_leaves_a_medium_of_which_nobody_knows() {
    let mut bench = Bench::new(2);
    let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
    bench.copy(id, output, false).unwrap();
    bench.copying.remove(&id);
    let failure = Failure::new("station", "it panicked");
    bench.input(Input::Work(id, Work::Ended(Ending::Failed(failure))));
    assert_eq!((bench.state(id), bench.cause(id)), (State::Verdict, Some(cause("it panicked"))));
    assert_eq!(bench.machine.session(id).unwrap().copy.report.as_ref().unwrap().outcome, CopyOutcome::Unknown);
    assert_eq!(bench.medium(output).contents, Contents::Unknown);
    assert_eq!(bench.copied, 1);
}

#[test]
fn the_oldest_session_makes_room_and_says_that_it_must_be_checked_again() {
    let mut bench = Bench::new(2);
    let sessions = [1, 2, 3].map(|place| bench.checked(place, Verdict::Clean));
    assert_eq!(sessions.map(|id| bench.cannot(id)), [Some(NoCopy::NotKept), None, None]);
    let output = bench.output(7, Contents::Blank);
    assert_eq!(bench.copy(sessions[0], output, true), Err(OrderRefused::CannotCopy(NoCopy::NotKept)));
    // One that is being copied makes no room.
    bench.copy(sessions[1], output, true).unwrap();
    let last = bench.checked(4, Verdict::Clean);
    assert_eq!(bench.kept, BTreeSet::from([sessions[1], last]));
    bench.order(Order::Eject(last)).unwrap();
    assert_eq!(bench.kept, BTreeSet::from([sessions[1]]));
}

#[test]
fn copies_and_checks_together_are_not_more_than_may_work_at_once() {
    let mut bench = Bench::new(1);
    let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
    let other = bench.insert(2);
    assert_eq!(bench.copy(id, output, false), Err(OrderRefused::CannotCopy(NoCopy::Busy)));
    bench.end(other, Verdict::Infected);
    bench.copy(id, output, false).unwrap();
    let third = bench.insert(3);
    assert_eq!(bench.state(third), State::Queued);
    bench.end_copy(id, CopyOutcome::Copied, None);
    assert_eq!(bench.state(third), State::Checking);
}

#[test]
fn a_device_that_changes_while_it_is_written_stops_the_copy_and_is_refused() {
    let mut bench = Bench::new(2);
    let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Blank));
    bench.copy(id, output, false).unwrap();
    bench.event(Event::DeviceChanged(device(7, 3)));
    assert!(bench.stopped.contains(&id) && bench.machine.outputs().is_empty());
    bench.end_copy(id, CopyOutcome::Unknown, Some(CopyCause::Cancelled));
    assert_eq!(bench.cause(id), Some(cause("the device became another one during the session")));
    assert!(bench.machine.sessions().any(|view| view.state == State::Refused));
}

#[test]
fn an_answer_of_a_reader_that_was_given_up_changes_nothing() {
    let mut bench = Bench::new(2);
    let (id, output) = (bench.checked(1, Verdict::Clean), bench.output(7, Contents::Unknown));
    bench.copy(id, output, true).unwrap();
    bench.end_copy(id, CopyOutcome::Copied, None);
    bench.looked(output, Contents::Blank);
    assert_eq!(bench.medium(output).contents, Contents::Filled { files: 3, bytes: 9 });
}
