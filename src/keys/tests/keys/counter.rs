//! The counter rises, is on the disk before a signature leaves, and never repeats across kills.

use crate::claims::{claims, encoded};
use crate::signer::refusal;
use crate::world::{SITE, STATION, World};
use blanche_keys::SignerError;
use blanche_keys::protocol::Refusal;
use blanche_tag::Claims;
use blanche_tag::claims::Verdict;
use blanche_tag::envelope::{Envelope, SignedClaims as _};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn lower_and_equal_counters_are_not_signed_by_this_signer_or_the_next() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 7)), None);
    // Nor far ahead: one bad request must not use up all numbers.
    for counter in [1, 6, 7, 8 + (1 << 20), 1 << 53] {
        assert_eq!(refusal(&signer, &encoded(STATION, SITE, counter)), Some(Refusal::Counter), "{counter}");
    }
    drop(signer);
    let signer = world.spawn().unwrap();
    assert_eq!(signer.describe().unwrap().next_counter, 8);
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 7)), Some(Refusal::Counter));
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 8)), None);
    assert_eq!(fs::read_to_string(world.at("station/counter/highest")).unwrap(), "8\n");
    // A second one does not get the same counter.
    assert!(world.spawn().is_err());
}

#[test]
fn a_refused_request_does_not_use_up_a_counter() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let infected = Claims { verdict: Verdict::Infected, ..claims(STATION, SITE, 1) };
    assert_eq!(refusal(&signer, &infected.encode()), Some(Refusal::Verdict));
    assert_eq!(fs::read_to_string(world.at("station/counter/highest")).unwrap(), "0\n");
    assert_eq!(signer.describe().unwrap().next_counter, 1);
}

#[test]
fn a_counter_that_cannot_be_kept_means_no_signature() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    fs::create_dir(world.at("station/counter/.highest.new")).unwrap();
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 1)), Some(Refusal::CounterNotKept));
    fs::remove_dir(world.at("station/counter/.highest.new")).unwrap();
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 1)), Some(Refusal::Counter), "it is used up all the same");
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 2)), None);
    fs::remove_file(world.at("station/counter/highest")).unwrap();
    drop(signer);
    assert!(world.spawn().is_err(), "a lost counter is not a new beginning");
}

#[test]
fn kill_9_while_signing_never_repeats_a_counter() {
    let world = World::with_station();
    let mut random = fastrand::Rng::with_seed(9);
    let mut counters = BTreeSet::new();
    let (mut cut, mut next) = (0, 1);
    for round in 0..32 {
        let signer = world.spawn().unwrap();
        let first = signer.describe().unwrap().next_counter;
        assert!(counters.last().is_none_or(|last| first > *last), "round {round}: {first} again, of {counters:?}");
        next = next.max(first);
        // The last number that was received is refused for ever.
        if let Some(last) = counters.last() {
            assert_eq!(refusal(&signer, &encoded(STATION, SITE, *last)), Some(Refusal::Counter));
        }
        let pid = rustix::process::Pid::from_raw(signer.pid()).unwrap();
        let delay = Duration::from_micros(random.u64(..60_000));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(delay);
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        });
        // The lowest number that the signer would take each time: that is what a station does, and the hardest case.
        while let Ok(description) = signer.describe() {
            match signer.sign(&encoded(STATION, SITE, description.next_counter)) {
                Ok(envelope) => {
                    let opened = Envelope::<Claims>::open(&envelope).unwrap();
                    let counter = Claims::decode(opened.payload()).unwrap().counter;
                    assert!(counters.insert(counter), "round {round}: counter {counter} twice");
                }
                Err(SignerError::Ended(_) | SignerError::Channel(_)) => {
                    cut += 1;
                    break;
                }
                Err(error) => panic!("round {round}: {error}"),
            }
        }
        killer.join().unwrap();
    }
    println!("{} envelopes, {cut} of 32 kills in the middle of a signature", counters.len());
    assert!(cut >= 10, "too few kills hit a signature: {cut}");
}

#[test]
fn the_counter_is_flushed_to_the_disk_before_a_signature_leaves() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let (log, pid) = (world.text("strace.log"), signer.pid().to_string());
    let calls = "trace=recvmsg,openat,write,fsync,renameat,renameat2,sendmsg";
    // Needs root: the signer forbids to be looked at.
    let mut strace = Command::new("strace")
        .args(["-p", &pid, "-o", &log, "-e", calls, "-y"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut attached = String::new();
    BufReader::new(strace.stderr.as_mut().unwrap()).read_line(&mut attached).unwrap();
    assert!(attached.contains("attached"), "{attached}");
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 1)), None);
    drop(signer);
    strace.wait().unwrap();
    let log = fs::read_to_string(&log).unwrap();
    let at = |words: &[&str]| {
        let position = log.lines().position(|line| words.iter().all(|word| line.contains(word)));
        position.unwrap_or_else(|| panic!("no {words:?} in {log}"))
    };
    let order = [
        at(&["openat(", ".highest.new", "O_CREAT"]),
        at(&["write(", ".highest.new", "1\\n"]),
        at(&["fsync(", ".highest.new"]),
        at(&["renameat", ".highest.new", "\"highest\""]),
        at(&["fsync(", "station/counter>"]),
        at(&["sendmsg("]),
    ];
    assert!(order.is_sorted_by(|a, b| a < b), "{order:?} in {log}");
}
