//! Whatever happens, in whatever order.

use super::*;
use proptest::prelude::*;

/// What may happen at any moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Plug(u8, bool),
    Change(u8, bool),
    Unplug(u8),
    Disk(u8, u64, u64, bool),
    DiskGone(u8, u64),
    Sealing(u8),
    End(u8, u8, bool),
    Fail(u8),
    Cancel(u8),
    Eject(u8),
    Sleep,
    SleepAnnounced,
    Wake,
    Engines(bool),
    GateFails(bool),
    GateIsSlow(bool),
    GateAnswers(u8, bool),
    Output(usize, u64, bool),
    OutputGone(usize),
    Looked(u8, bool),
    Kept(u8),
    /// A medium that was checked and may be copied, unless something is in the way.
    Checked(u8),
    Copy(u8, u8, bool),
    CopyEnds(u8, u8),
    MaySeal(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0u8..3;
    prop_oneof![
        4 => (place.clone(), any::<bool>()).prop_map(|(place, storage)| Step::Plug(place, storage)),
        1 => (place.clone(), any::<bool>()).prop_map(|(place, storage)| Step::Change(place, storage)),
        2 => place.clone().prop_map(Step::Unplug),
        6 => (place.clone(), 0u64..2, 1u64..4, any::<bool>()).prop_map(|(p, lun, seq, full)| Step::Disk(p, lun, seq, full)),
        2 => (place.clone(), 0u64..2).prop_map(|(place, lun)| Step::DiskGone(place, lun)),
        3 => place.prop_map(Step::Checked),
        2 => any::<u8>().prop_map(Step::Sealing),
        5 => (any::<u8>(), 0u8..3, any::<bool>()).prop_map(|(n, verdict, sealed)| Step::End(n, verdict, sealed)),
        1 => any::<u8>().prop_map(Step::Fail),
        2 => any::<u8>().prop_map(Step::Cancel),
        1 => any::<u8>().prop_map(Step::Eject),
        1 => Just(Step::Sleep),
        1 => Just(Step::SleepAnnounced),
        2 => Just(Step::Wake),
        1 => proptest::bool::weighted(0.7).prop_map(Step::Engines),
        1 => any::<bool>().prop_map(Step::GateFails),
        2 => any::<bool>().prop_map(Step::GateIsSlow),
        4 => (any::<u8>(), any::<bool>()).prop_map(|(number, last)| Step::GateAnswers(number, last)),
        3 => (0usize..2, 1u64..3, any::<bool>()).prop_map(|(place, sequence, full)| Step::Output(place, sequence, full)),
        1 => (0usize..2).prop_map(Step::OutputGone),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(number, blank)| Step::Looked(number, blank)),
        4 => any::<u8>().prop_map(Step::Kept),
        5 => (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(from, to, erase)| Step::Copy(from, to, erase)),
        3 => (any::<u8>(), 0u8..4).prop_map(|(number, outcome)| Step::CopyEnds(number, outcome)),
        1 => proptest::bool::weighted(0.8).prop_map(Step::MaySeal),
    ]
}

/// One of those that there are.
pub(super) fn pick<T: Copy>(number: u8, of: impl Iterator<Item = T>) -> Option<T> {
    let all: Vec<T> = of.collect();
    (!all.is_empty()).then(|| all[usize::from(number) % all.len()])
}

/// The last word of a thread: what is told of its session is never better than what nobody doubts.
fn end(bench: &mut Bench, id: SessionId, verdict: Verdict, sealed: bool) {
    let stopped = bench.stopped.contains(&id);
    bench.working.remove(&id);
    bench.input(Input::Work(id, Work::Ended(report(verdict, sealed && verdict == Verdict::Clean))));
    let told = bench.concluded[&id];
    if bench.doubted.contains(&id) {
        assert_ne!(told, Verdict::Clean, "nobody knows what was checked, or by what");
    }
    if !stopped {
        assert_eq!(told, verdict, "nobody stopped it");
    } else if verdict == Verdict::Infected {
        assert_eq!(told, Verdict::Infected, "what was found stays found");
    }
}

/// One step.
fn take(bench: &mut Bench, step: Step) {
    let class = |storage| if storage { 8 } else { 3 };
    match step {
        Step::Plug(place, storage) => bench.event(Event::DeviceArrived(device(place, class(storage)))),
        Step::Change(place, storage) => bench.event(Event::DeviceChanged(device(place, class(storage)))),
        Step::Unplug(place) => bench.event(Event::DeviceGone(device(place, 8).path)),
        Step::Disk(place, lun, sequence, full) => {
            bench.event(Event::DiskArrived(disk(place, lun, sequence, if full { 1 << 30 } else { 0 })));
        }
        Step::DiskGone(place, lun) => bench.event(Event::DiskGone(disk(place, lun, 0, 0).path)),
        Step::Sealing(number) => {
            if let Some(id) = pick(number, bench.working.keys().copied()) {
                bench.input(Input::Work(id, Work::Sealing(1)));
            }
        }
        Step::End(number, verdict, sealed) => {
            let Some(id) = pick(number, bench.working.keys().copied()) else { return };
            end(bench, id, [Verdict::Clean, Verdict::Incomplete, Verdict::Infected][usize::from(verdict)], sealed);
        }
        Step::Checked(place) => {
            bench.event(Event::DeviceArrived(device(place, 8)));
            let there = disk(place, 0, 1, 1 << 30);
            bench.event(Event::DiskArrived(there.clone()));
            let of_it = |(_, disk): &(&SessionId, &Disk)| disk.path == there.path;
            let Some(id) = bench.working.iter().find(of_it).map(|(id, _)| *id) else { return };
            bench.keep(id);
            end(bench, id, Verdict::Clean, true);
        }
        Step::Fail(number) => {
            let Some(id) = pick(number, bench.working.keys().copied()) else { return };
            bench.working.remove(&id);
            let failure = Failure::new("station", "");
            bench.input(Input::Work(id, Work::Ended(Ending::Failed(failure))));
            assert_eq!(bench.concluded[&id], Verdict::Incomplete);
        }
        Step::Cancel(number) => {
            if let Some(id) = pick(number, bench.machine.sessions().map(|view| view.id).collect::<Vec<_>>().into_iter())
            {
                // Refused when there is nothing to cancel.
                let _ = bench.order(Order::Cancel(id));
            }
        }
        Step::Eject(number) => {
            if let Some(id) = pick(number, bench.machine.sessions().map(|view| view.id).collect::<Vec<_>>().into_iter())
            {
                // Refused while it is in use.
                let _ = bench.order(Order::Eject(id));
            }
        }
        Step::Sleep => bench.input(Input::Slept(Duration::from_secs(5))),
        Step::SleepAnnounced => bench.input(Input::Sleeping),
        Step::Wake => bench.input(Input::Woke),
        Step::Engines(good) => {
            bench.input(Input::Engines(if good { Ok(()) } else { Err("self-test".into()) }));
        }
        Step::GateIsSlow(slow) => bench.slow = slow,
        Step::GateAnswers(number, last) => {
            if let Some(number) = pick(number, 0..bench.questions.len()) {
                bench.answer(number, last);
            }
        }
        Step::Output(..)
        | Step::OutputGone(_)
        | Step::Looked(..)
        | Step::Kept(_)
        | Step::Copy(..)
        | Step::CopyEnds(..)
        | Step::MaySeal(_) => copies::take(bench, step),
        Step::GateFails(fails) => bench.gate = if fails { Err(DeviceRefusal::Unusable) } else { Ok(()) },
    }
}

/// Random steps came to it.
#[test]
fn a_disk_is_not_let_go_while_the_thread_of_the_card_before_holds_it() {
    let mut bench = Bench::new(1);
    let steps = [
        Step::Plug(0, true),
        Step::Disk(0, 1, 1, true),
        Step::Kept(0),
        Step::GateFails(true),
        // Another card in the same slot; the first one's thread has not ended yet.
        Step::Disk(0, 1, 2, true),
    ];
    for step in steps {
        take(&mut bench, step);
    }
    let (first, second) = {
        let mut sessions = bench.machine.sessions().map(|view| (view.state, view.id));
        (sessions.next().unwrap(), sessions.next().unwrap())
    };
    assert_eq!((first.0, second.0), (State::Stopping, State::Verdict));
    assert_eq!(bench.order(Order::Eject(second.1)), Err(OrderRefused::InUse));
    bench.end(first.1, Verdict::Clean);
    assert_eq!(bench.order(Order::Eject(second.1)), Ok(()));
    assert_eq!(bench.released, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_session_ends_once_and_the_station_is_empty_when_all_is_pulled_out(
        steps in proptest::collection::vec(step(), 0..60),
        at_once in 1usize..3,
    ) {
        let mut bench = Bench::new(at_once);
        for step in steps {
            take(&mut bench, step);
            let working = bench.machine.sessions().filter(|view| view.state.is_working()).count();
            prop_assert_eq!(working, bench.working.len() + bench.copying.len());
            for view in bench.machine.sessions() {
                let done = matches!(view.state, State::Verdict | State::Copying | State::Refused | State::Removed);
                let copying = bench.copying.contains_key(&view.id);
                prop_assert_eq!(done || copying, view.conclusion.is_some(), "{:?}", view);
                prop_assert_eq!(copying, view.conclusion.is_some() && view.state.is_working(), "{:?}", view);
            }
            bench.assert_bounded(at_once);
        }
        for place in 0..3 {
            bench.event(Event::DeviceGone(device(place, 8).path));
        }
        for place in 0..3 {
            for lun in 0..2 {
                bench.event(Event::DiskGone(disk(place, lun, 0, 0).path));
            }
        }
        for place in OUTPUTS {
            bench.event(Event::DeviceGone(path(place)));
        }
        bench.end_copies();
        while let Some(id) = bench.working.keys().next().copied() {
            prop_assert!(bench.stopped.contains(&id), "nobody stops a session whose medium is gone");
            bench.end(id, Verdict::Clean);
            prop_assert_ne!(bench.concluded[&id], Verdict::Refused);
        }
        // What the gate never answered, or answers only now, changes nothing any more.
        bench.answer_all();
        prop_assert!(bench.working.is_empty(), "a session on a medium that is gone");
        let left: Vec<_> = bench.machine.sessions().filter(|view| view.state != State::Removed).collect();
        prop_assert!(left.is_empty(), "{:?}", left);
        prop_assert_eq!(bench.opened, bench.concluded.len());
        prop_assert_eq!(bench.ordered, bench.copied);
        prop_assert!(bench.kept.is_empty() && bench.machine.outputs().is_empty());
    }
}
