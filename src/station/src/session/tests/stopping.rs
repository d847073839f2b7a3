//! What is believed of a session that was stopped. Of several reasons the worst decides, in whatever order they come.

use super::*;

impl Bench {
    /// Notes of which sessions nothing good may be said after this.
    pub(super) fn doubt(&mut self, input: &Input) {
        let there = |id: &SessionId| self.machine.session(*id).is_some_and(|view| !view.pulled);
        match input {
            Input::Sleeping | Input::Slept(_) | Input::Engines(Err(_)) => {
                self.doubted.extend(self.working.keys());
                self.doubted_copies.extend(self.copying.keys());
            }
            Input::Event(Event::DeviceArrived(other) | Event::DeviceChanged(other)) => {
                let before = self.shown.insert(other.path.clone(), other.descriptors);
                if before.is_some_and(|before| before != other.descriptors) {
                    let of_it = |disk: &Disk| disk.device.as_ref() == Some(&other.path);
                    let checked = self.working.iter().filter(|(id, disk)| of_it(disk) && there(id));
                    self.doubted.extend(checked.map(|(id, _)| *id));
                    let copied = self.copying.iter().filter(|(id, copy)| {
                        (of_it(&copy.source) && there(id)) || (of_it(&copy.output) && self.is_plugged_in(**id))
                    });
                    let copied: Vec<SessionId> = copied.map(|(id, _)| *id).collect();
                    self.doubted_copies.extend(copied);
                }
            }
            Input::Event(Event::DeviceGone(path)) => drop(self.shown.remove(path)),
            _ => {}
        }
    }

    fn sealing(&mut self) -> SessionId {
        let id = self.insert(1);
        self.input(Input::Work(id, Work::Sealing(0)));
        id
    }

    /// The last word of a thread that noticed nothing.
    fn end_sealed(&mut self, id: SessionId, sealed: bool) {
        self.working.remove(&id);
        self.input(Input::Work(id, Work::Ended(report(Verdict::Clean, sealed))));
    }

    fn failed(&self, id: SessionId) -> Option<&'static str> {
        match &self.machine.session(id)?.conclusion {
            Some(Conclusion::Failed(why)) => Some(why.kind),
            _ => None,
        }
    }

    fn tag(&self, id: SessionId) -> Option<&str> {
        match &self.machine.session(id)?.conclusion {
            Some(Conclusion::Failed(why)) => why.tag.as_deref(),
            _ => None,
        }
    }
}

#[test]
fn engines_that_miss_something_end_every_session_and_what_they_say_then_is_not_believed() {
    for sealed in [false, true] {
        let mut bench = Bench::new(2);
        let (checking, sealing) = (bench.insert(2), bench.sealing());
        bench.input(Input::Engines(Err("clamav did not find EICAR".into())));
        assert!(bench.stopped.contains(&checking) && bench.stopped.contains(&sealing));
        assert_eq!((bench.state(checking), bench.state(sealing)), (State::Stopping, State::Stopping));
        // Others are in use before the threads of these have ended.
        bench.input(Input::Engines(Ok(())));
        bench.end_sealed(sealing, sealed);
        assert_eq!((bench.verdict(sealing), bench.failed(sealing)), (Some(Verdict::Incomplete), Some("engines")));
        let finished = samples::tag().tag;
        let stands = sealed.then_some(finished.as_str());
        assert_eq!(bench.tag(sealing), stands, "workstations accept a tag that was finished: staff must learn of it");
        bench.end(checking, Verdict::Infected);
        assert_eq!(bench.verdict(checking), Some(Verdict::Infected), "what was found stays found");
    }
}

/// What may come after somebody cancelled.
type Later = fn(&mut Bench);

#[test]
fn who_cancels_first_does_not_make_bad_news_unheard() {
    let later: [(&str, Later); 4] = [
        ("changed", |bench| bench.event(Event::DeviceChanged(device(1, 3)))),
        ("sleep", |bench| bench.input(Input::Slept(Duration::from_secs(60)))),
        ("engines", |bench| bench.input(Input::Engines(Err("self-test".into())))),
        ("removed", |bench| bench.event(Event::DiskGone(disk(1, 0, 1, 0).path))),
    ];
    for (kind, happens) in later {
        let mut bench = Bench::new(2);
        let id = bench.sealing();
        bench.order(Order::Cancel(id)).unwrap();
        happens(&mut bench);
        bench.end_sealed(id, kind != "removed");
        assert_eq!((bench.verdict(id), bench.failed(id)), (Some(Verdict::Incomplete), Some(kind)));
    }
}

#[test]
fn a_later_reason_that_leaves_less_in_doubt_changes_nothing() {
    let mut bench = Bench::new(2);
    let id = bench.sealing();
    bench.input(Input::Slept(Duration::from_secs(60)));
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.end_sealed(id, true);
    assert_eq!(bench.failed(id), Some("sleep"));
    // The other way round as well.
    let mut bench = Bench::new(2);
    let id = bench.sealing();
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.input(Input::Engines(Err("self-test".into())));
    bench.end_sealed(id, true);
    assert_eq!(bench.failed(id), Some("engines"));
    // Who cancels too late stops nothing.
    let mut bench = Bench::new(2);
    let id = bench.sealing();
    bench.order(Order::Cancel(id)).unwrap();
    bench.end_sealed(id, true);
    assert_eq!(bench.verdict(id), Some(Verdict::Clean));
}

#[test]
fn engines_that_miss_something_stop_a_copy() {
    let mut bench = Bench::new(2);
    let id = bench.begin_copy();
    bench.input(Input::Engines(Err("self-test: clamav did not find EICAR".into())));
    assert!(bench.stopped.contains(&id));
    assert_eq!(bench.state(id), State::Stopping);
}

#[test]
fn a_seal_that_was_not_finished_is_no_reason_to_believe_a_medium_that_was_pulled_out() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.input(Input::Work(id, Work::Sealing(0)));
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.end(id, Verdict::Clean);
    assert_eq!(bench.verdict(id), Some(Verdict::Incomplete));
}

#[test]
fn a_station_that_is_stopped_ends_every_session_and_begins_none() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.insert(1), bench.insert(2));
    bench.input(Input::Ending);
    assert!(bench.stopped.contains(&first));
    assert_eq!(bench.verdict(second), Some(Verdict::Incomplete));
    bench.event(Event::DeviceArrived(device(3, 8)));
    bench.end(first, Verdict::Clean);
    assert!(bench.working.is_empty() && !bench.admitted.contains(&device(3, 8).path));
    assert_eq!(bench.verdict(first), Some(Verdict::Incomplete));
}

#[test]
fn a_medium_that_is_pulled_out_is_told_at_once_and_ends_incomplete() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.event(Event::DeviceGone(device(1, 8).path));
    let view = bench.machine.session(id).unwrap();
    assert!(view.pulled && view.state == State::Stopping);
    bench.end(id, Verdict::Clean);
    assert_eq!((bench.state(id), bench.verdict(id)), (State::Removed, Some(Verdict::Incomplete)));
    // The next key in the same socket has a session of its own.
    let next = bench.insert(1);
    assert_ne!(next, id);
    assert_eq!(bench.state(next), State::Checking);
}

#[test]
fn a_tag_of_which_nobody_knows_whether_it_was_written_is_named() {
    let unknown = |bench: &mut Bench, id| {
        bench.working.remove(&id);
        bench.input(Input::Work(id, Work::Ended(report(Verdict::Clean, false))));
    };
    for (is_signed, is_cut) in [(true, true), (true, false), (false, true)] {
        let mut bench = Bench::new(1);
        let id = bench.sealing();
        if is_signed {
            bench.input(Input::Work(id, Work::Signed("17".to_owned())));
        }
        if is_cut {
            bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
        }
        unknown(&mut bench, id);
        let signed = if is_signed { vec![(id, "17".to_owned())] } else { Vec::new() };
        assert_eq!(bench.signed, signed, "before it is written");
        assert_eq!(bench.failed(id), is_cut.then_some("removed"));
        assert_eq!(bench.tag(id), (is_signed && is_cut).then_some("17"));
    }
}

#[test]
fn what_was_found_stays_found_when_the_key_is_pulled_out() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.end(id, Verdict::Infected);
    assert_eq!(bench.verdict(id), Some(Verdict::Infected));
}

#[test]
fn a_key_that_was_sealed_when_it_was_pulled_out_is_what_its_report_says() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.input(Input::Work(id, Work::Sealing(0)));
    assert_eq!(bench.state(id), State::Sealing);
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.working.remove(&id);
    bench.input(Input::Work(id, Work::Ended(report(Verdict::Clean, true))));
    assert_eq!(bench.verdict(id), Some(Verdict::Clean));
}

#[test]
fn after_a_sleep_no_session_is_clean() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    bench.input(Input::Slept(Duration::from_secs(60)));
    bench.working.remove(&id);
    bench.input(Input::Work(id, Work::Ended(report(Verdict::Clean, true))));
    assert_eq!(bench.verdict(id), Some(Verdict::Incomplete));
}

#[test]
fn a_sleep_that_is_announced_stops_what_works_and_nothing_begins_before_it_is_over() {
    for announced_only in [true, false] {
        let mut bench = Bench::new(1);
        let (working, queued) = (bench.sealing(), bench.insert(2));
        bench.input(Input::Sleeping);
        assert!(bench.stopped.contains(&working));
        bench.end_sealed(working, true);
        assert_eq!((bench.verdict(working), bench.failed(working)), (Some(Verdict::Incomplete), Some("sleep")));
        let late = bench.insert(3);
        assert_eq!((bench.state(queued), bench.state(late)), (State::Queued, State::Queued));
        // It may have been too short to be seen.
        bench.input(if announced_only { Input::Woke } else { Input::Slept(Duration::from_secs(60)) });
        assert_eq!(bench.state(queued), State::Checking, "nothing was read before");
        bench.input(Input::Woke);
        bench.end(queued, Verdict::Clean);
        assert_eq!(bench.verdict(queued), Some(Verdict::Clean), "it slept once");
    }
}
