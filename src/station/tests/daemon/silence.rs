//! Gates that do not work. A device that does not answer costs its own session, in a bounded time, and nobody else's; where the
//! ports cannot be closed, nothing is sealed.

use crate::gate::{Ask, Open, Silent};
use crate::kiosk::{Kiosk, Others};
use blanche_scan::judge::Verdict;
use blanche_scan::report::{NoTag, Seal};
use blanche_station::admit::DeviceRefusal;
use blanche_station::board::ProblemKind;
use blanche_station::daemon::OrderError;
use blanche_station::session::Order;
use blanche_station::session::view::{Conclusion, SessionView, State};
use blanche_tests::{Format, Tree};

fn tree() -> Tree {
    Tree::new().with("LETTRE.TXT", "Bonjour\r\n")
}

fn is_sealed(session: &SessionView) -> bool {
    matches!(session.report().and_then(|report| report.seal.as_ref()), Some(Seal::OnMedium { .. }))
}

#[test]
fn a_device_that_does_not_answer_is_refused_in_time_and_the_next_socket_does_not_wait_for_it() {
    let gate = Silent::default();
    let kiosk = Kiosk::with_gate(Others::welcome(), gate.clone());
    let image = kiosk.image("key", Format::Fat32, &tree());
    // The next key shall wait for nothing else either.
    kiosk.wait_until("engines", |now| now.station.engines.is_some());
    gate.silence("p1", Ask::Admit);
    let silent = kiosk.plug("p1", &image);
    kiosk.plug("p2", &image);
    let (verdict, session) = kiosk.verdict("p2");
    assert!(verdict == Verdict::Clean && is_sealed(&session), "{session:?}");
    let hanging = |now: &blanche_station::board::Snapshot| now.sessions.iter().all(|found| found.medium.port != "p1");
    assert!(hanging(&kiosk.daemon.board.snapshot()), "nobody knows yet what it is");
    let refused = kiosk.wait("p1", "refused", |session| session.state == State::Refused);
    assert!(matches!(refused.conclusion, Some(Conclusion::Refused(DeviceRefusal::Unusable))), "{refused:?}");
    // It wakes up: that is too late, until it is plugged in again.
    gate.wake();
    kiosk.unplug("p1", &silent);
    kiosk.plug("p1", &image);
    let next = kiosk.wait("p1", "the next key", |found| found.id != refused.id && found.conclusion.is_some());
    assert!(is_sealed(&next), "{next:?}");
}

#[test]
fn a_station_whose_ports_cannot_be_closed_says_so_and_seals_nothing() {
    let kiosk = Kiosk::with_gate(Others::welcome(), Open);
    let image = kiosk.image("key", Format::Fat32, &tree());
    let before = std::fs::read(&image).unwrap();
    kiosk.plug("p1", &image);
    let (verdict, session) = kiosk.verdict("p1");
    assert_eq!(verdict, Verdict::Clean);
    let seal = session.report().unwrap().seal.clone();
    let is_about_ports = |why: &str| why.starts_with("usb-open");
    assert!(matches!(&seal, Some(Seal::NoTag { reason: NoTag::Station(why) }) if is_about_ports(why)), "{seal:?}");
    assert_eq!(before, std::fs::read(&image).unwrap(), "nothing was written");
    let problems = kiosk.daemon.board.snapshot().station.problems.clone();
    assert!(problems.iter().any(|problem| problem.kind == ProblemKind::UsbOpen), "{problems:?}");
}

#[test]
fn a_medium_that_cannot_be_protected_in_time_is_not_read_and_ends_without_a_tag() {
    let gate = Silent::default();
    let kiosk = Kiosk::with_gate(Others::welcome(), gate.clone());
    let image = kiosk.image("key", Format::Fat32, &tree());
    let before = std::fs::read(&image).unwrap();
    gate.silence("p1", Ask::Protect);
    kiosk.plug("p1", &image);
    let waiting = kiosk.wait("p1", "a session", |_| true);
    assert_eq!(waiting.state, State::Queued);
    let (verdict, session) = kiosk.verdict("p1");
    assert_eq!(verdict, Verdict::Incomplete);
    assert!(matches!(&session.conclusion, Some(Conclusion::Failed(why)) if why.kind == "station"), "{session:?}");
    assert!(session.progress.is_none() && before == std::fs::read(&image).unwrap());
    gate.wake();
}

#[test]
fn who_ejects_a_medium_hears_that_it_failed_and_the_station_goes_on_meanwhile() {
    let gate = Silent::default();
    let kiosk = Kiosk::with_gate(Others::welcome(), gate.clone());
    let image = kiosk.image("key", Format::Fat32, &tree());
    gate.silence("p1", Ask::Release);
    kiosk.plug("p1", &image);
    let (_, session) = kiosk.verdict("p1");
    let orders = kiosk.daemon.orders.clone();
    let ejecting = std::thread::spawn(move || orders.give(Order::Eject(session.id)));
    kiosk.plug("p2", &image);
    let (_, other) = kiosk.verdict("p2");
    assert!(is_sealed(&other) && kiosk.daemon.orders.give(Order::Eject(other.id)).is_ok());
    assert_eq!(gate.done("p2").last(), Some(&Ask::Release));
    assert!(matches!(ejecting.join().unwrap(), Err(OrderError::Failed(_))));
    gate.wake();
}

#[test]
fn a_medium_that_becomes_writable_too_late_has_no_tag_and_is_protected_again_when_it_wakes_up() {
    let gate = Silent::default();
    let kiosk = Kiosk::with_gate(Others::welcome(), gate.clone());
    let image = kiosk.image("key", Format::Fat32, &tree());
    let before = std::fs::read(&image).unwrap();
    gate.silence("p1", Ask::Unprotect);
    kiosk.plug("p1", &image);
    let (verdict, session) = kiosk.verdict("p1");
    assert_eq!(verdict, Verdict::Clean);
    let seal = session.report().unwrap().seal.clone();
    assert_eq!(seal, Some(Seal::NoTag { reason: NoTag::NoAnswer }));
    assert_eq!(before, std::fs::read(&image).unwrap(), "nothing was written");
    assert_eq!(gate.done("p1"), [Ask::Admit, Ask::Protect]);
    gate.wake();
    drop(kiosk);
    assert_eq!(gate.done("p1"), [Ask::Admit, Ask::Protect, Ask::Unprotect, Ask::Protect], "the last word");
}
