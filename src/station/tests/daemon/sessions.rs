//! What people see when nothing goes wrong but what is on the key.

use crate::distrust::{self, OneSlow};
use crate::kiosk::{KEYBOARD, Kiosk, Others, STORAGE};
use blanche_scan::judge::Verdict;
use blanche_scan::report::Seal;
use blanche_station::session::view::{Conclusion, State};
use blanche_station::session::{Order, OrderRefused};
use blanche_tests::{Format, Tree, samples};

fn tree() -> Tree {
    Tree::new().with("LETTRE.TXT", "Bonjour\r\n").with("Dossier/notes.txt", vec![b'n'; 300_000])
}

#[test]
fn a_clean_key_is_sealed_without_anybody_asking_and_its_journal_says_so() {
    let kiosk = Kiosk::new();
    for (port, format) in [("p1", Format::Fat32), ("p2", Format::ExFat)] {
        let image = kiosk.image(port, format, &tree());
        let device = kiosk.plug(port, &image);
        let (verdict, session) = kiosk.verdict(port);
        let seal = session.report().and_then(|report| report.seal.clone());
        assert_eq!(verdict, Verdict::Clean, "{format:?}: {session:?}");
        assert!(matches!(seal, Some(Seal::OnMedium { .. })), "{format:?}: {seal:?}");
        assert_eq!(kiosk.verify(&image), 0, "{format:?}");
        kiosk.unplug(port, &device);
        assert!(kiosk.closed().contains(&(session.id.to_string(), "clean".into())));
    }
}

#[test]
fn an_infected_key_and_one_that_cannot_be_checked_are_never_sealed() {
    let kiosk = Kiosk::new();
    let infected = kiosk.image("infected", Format::Fat32, &tree().with("eicar.com", samples::eicar()));
    let locked = kiosk.image("locked", Format::Fat32, &tree().with("secret.zip", samples::password_zip()));
    for (port, image, expected) in [("p1", infected, Verdict::Infected), ("p2", locked, Verdict::Incomplete)] {
        let before = std::fs::read(&image).unwrap();
        kiosk.plug(port, &image);
        let (verdict, session) = kiosk.verdict(port);
        assert_eq!(verdict, expected);
        assert_eq!(session.report().unwrap().seal, None);
        assert!(before == std::fs::read(&image).unwrap(), "the medium was only read");
    }
}

#[test]
fn a_keyboard_and_a_key_with_a_keyboard_in_it_are_refused_and_not_read() {
    let kiosk = Kiosk::new();
    let image = kiosk.image("key", Format::Fat32, &tree());
    for (port, interfaces) in [("p1", &[KEYBOARD][..]), ("p2", &[STORAGE, KEYBOARD])] {
        kiosk.plug_as(port, interfaces, &[&image]);
        let (verdict, session) = kiosk.verdict(port);
        assert_eq!((verdict, session.state), (Verdict::Refused, State::Refused));
        assert!(matches!(session.conclusion, Some(Conclusion::Refused(_))));
    }
}

#[test]
fn two_keys_at_once_and_a_reader_with_two_cards_each_get_their_own_verdict() {
    let kiosk = Kiosk::new();
    let clean = kiosk.image("clean", Format::Fat32, &tree());
    let infected = kiosk.image("infected", Format::Ext4, &tree().with("eicar.com", samples::eicar()));
    kiosk.plug("p1", &clean);
    let reader = kiosk.plug_as("p2", &[STORAGE], &[&infected, &infected]);
    assert_eq!(kiosk.verdict("p1").0, Verdict::Clean);
    let both = |lun| kiosk.daemon.board.snapshot().sessions.iter().any(|session| session.medium.lun == lun);
    kiosk.wait("p2", "both slots", |session| session.medium.lun == 1 && session.conclusion.is_some());
    assert_eq!(kiosk.verdict("p2").0, Verdict::Infected);
    assert!(both(0) && both(1));
    // Another card in the second slot is another session.
    let sessions = kiosk.daemon.board.snapshot().sessions.len();
    kiosk.sockets.card(&reader, 1, None).unwrap();
    kiosk.wait("p2", "an empty slot", |session| session.state == State::Removed);
    kiosk.sockets.card(&reader, 1, Some(&clean)).unwrap();
    let clean_now = |session: &blanche_station::session::view::SessionView| {
        session.conclusion.as_ref().is_some_and(|conclusion| conclusion.verdict() == Verdict::Clean)
    };
    kiosk.wait("p2", "the new card", clean_now);
    assert_eq!(kiosk.daemon.board.snapshot().sessions.len(), sessions + 1);
}

#[test]
fn a_person_can_cancel_and_a_key_that_was_pulled_out_is_told_within_a_second() {
    let kiosk = Kiosk::with_gate(Others::welcome(), OneSlow);
    let slow = kiosk.image("slow", Format::Fat32, &distrust::tree());
    let device = kiosk.plug("slow", &slow);
    let session = kiosk.wait("slow", "checking", |session| session.state == State::Checking);
    kiosk.daemon.orders.give(Order::Cancel(session.id)).unwrap();
    let (verdict, _) = kiosk.verdict("slow");
    assert_eq!(verdict, Verdict::Incomplete);
    let again = kiosk.daemon.orders.give(Order::Cancel(session.id));
    assert_eq!(again, Err(OrderRefused::NothingToCancel.into()));
    kiosk.unplug("slow", &device);

    let device = kiosk.plug("slow", &slow);
    let second = kiosk.wait("slow", "checking", |found| found.id != session.id && found.state == State::Checking);
    kiosk.sockets.remove(&device);
    let pulled = std::time::Instant::now();
    kiosk.wait("slow", "pulled", |found| found.id == second.id && found.pulled);
    println!("pulled out, told after {} ms", pulled.elapsed().as_millis());
    let (verdict, _) = kiosk.verdict("slow");
    assert_eq!(verdict, Verdict::Incomplete);
}
