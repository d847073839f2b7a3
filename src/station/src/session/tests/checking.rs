//! A check from the arrival of its medium to its verdict, when nothing goes wrong.

use super::*;

#[test]
fn a_key_is_checked_without_anybody_asking() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    assert_eq!(bench.state(id), State::Checking);
    assert!(bench.working.contains_key(&id));
    bench.end(id, Verdict::Clean);
    assert_eq!((bench.state(id), bench.verdict(id)), (State::Verdict, Some(Verdict::Clean)));
    bench.event(Event::DiskGone(disk(1, 0, 1, 0).path));
    bench.event(Event::DeviceGone(device(1, 8).path));
    assert_eq!(bench.state(id), State::Removed);
    bench.machine.forget(id);
    assert_eq!(bench.machine.sessions().count(), 0);
}

#[test]
fn nothing_starts_before_the_engines_are_ready_and_without_engines_everybody_waits() {
    let mut bench = Bench::new(2);
    bench.machine = Machine::new(rules(2));
    let id = bench.insert(1);
    assert_eq!(bench.state(id), State::Queued);
    bench.input(Input::Engines(Err("no base".into())));
    let other = bench.insert(2);
    assert_eq!((bench.state(id), bench.state(other)), (State::Queued, State::Queued));
    bench.input(Input::Engines(Ok(())));
    assert_eq!((bench.state(id), bench.state(other)), (State::Checking, State::Checking));
}

#[test]
fn the_time_is_told_before_checking_begins_and_learns_from_each_session() {
    let mut bench = Bench::new(2);
    let id = bench.insert(1);
    let progress = |bytes| Progress {
        stage: Stage::Checking,
        files: 3,
        bytes,
        bytes_read: 0,
        files_done: 0,
        bytes_done: 0,
        files_found: 0,
        rate: 0,
        remaining: None,
    };
    bench.input(Input::Work(id, Work::Progress(progress(400_000_000))));
    assert_eq!(bench.machine.session(id).unwrap().estimate, Some(Duration::from_secs(10)));
    bench.end(id, Verdict::Clean);
    let next = bench.insert(2);
    bench.input(Input::Work(next, Work::Progress(progress(400_000_000))));
    // The sample checked 2.8 MB/s.
    assert_eq!(bench.machine.session(next).unwrap().estimate, Some(Duration::from_secs(18)));
}

#[test]
fn orders_are_carried_out_where_they_mean_something() {
    let mut bench = Bench::new(1);
    let (first, second) = (bench.insert(1), bench.insert(2));
    assert_eq!((bench.state(first), bench.state(second)), (State::Checking, State::Queued));
    assert_eq!(bench.order(Order::Eject(first)), Err(OrderRefused::InUse));
    assert_eq!(bench.order(Order::Cancel(second)), Ok(()));
    assert_eq!(bench.verdict(second), Some(Verdict::Incomplete));
    assert_eq!(bench.order(Order::Cancel(second)), Err(OrderRefused::NothingToCancel));
    assert_eq!(bench.order(Order::Cancel(first)), Ok(()));
    bench.end(first, Verdict::Incomplete);
    assert_eq!(bench.order(Order::Eject(first)), Ok(()));
    assert_eq!(bench.released, 1);
    assert_eq!(bench.order(Order::Cancel(SessionId::now_v7())), Err(OrderRefused::NoSuchSession));
}

#[test]
fn a_card_reader_waits_for_its_card_and_each_card_is_a_session() {
    let mut bench = Bench::new(2);
    bench.event(Event::DeviceArrived(device(1, 8)));
    bench.event(Event::DiskArrived(disk(1, 0, 1, 0)));
    assert_eq!(bench.machine.sessions().count(), 0);
    bench.event(Event::DiskChanged(disk(1, 0, 2, 1 << 20)));
    let first = bench.only(1);
    // udev repeats itself.
    bench.event(Event::DiskChanged(disk(1, 0, 2, 1 << 20)));
    assert_eq!(bench.machine.sessions().count(), 1);
    bench.end(first, Verdict::Clean);
    bench.event(Event::DiskChanged(disk(1, 0, 3, 0)));
    assert_eq!(bench.state(first), State::Removed);
    bench.event(Event::DiskChanged(disk(1, 0, 4, 1 << 20)));
    assert_eq!(bench.machine.sessions().filter(|view| view.state == State::Checking).count(), 1);
}

#[test]
fn the_next_card_waits_until_nobody_holds_the_first_one_any_more() {
    let mut bench = Bench::new(2);
    let first = bench.insert(1);
    bench.event(Event::DiskChanged(disk(1, 0, 2, 1 << 30)));
    assert_eq!(bench.state(first), State::Stopping);
    let second = bench.machine.sessions().find(|view| !view.pulled).unwrap().id;
    assert_eq!(bench.state(second), State::Queued);
    // Another disk does not wait.
    let other = bench.insert(2);
    assert_eq!(bench.state(other), State::Checking);
    bench.end(other, Verdict::Clean);
    bench.end(first, Verdict::Clean);
    assert_eq!((bench.state(second), bench.verdict(first)), (State::Checking, Some(Verdict::Incomplete)));
}
