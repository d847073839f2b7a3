//! Engines that fail a self-test while a medium is being checked: nothing that they said is believed, neither of this medium nor
//! of the next.

use crate::faults::children;
use crate::kiosk::{Kiosk, Others};
use blanche_scan::judge::Verdict;
use blanche_station::admit::MadeUp;
use blanche_station::daemon::SelfTestError;
use blanche_station::detect::Disk;
use blanche_station::session::view::{Conclusion, SessionView};
use blanche_tests::{Format, Tree};
use rustix::process::{Pid, Signal, kill_process};
use std::num::NonZeroU64;

/// The verifier's exit code for a medium without a tag (docs/exit-codes.md).
const NO_TAG: i32 = 40;
/// Bytes per second: a key of [`tree`] takes a minute, and a self-test whose engines are silent ends after ten seconds.
const PACE: u64 = 80_000;

/// A gate in front of a socket, `slow`, in which keys are slow.
pub(crate) struct OneSlow;

impl MadeUp for OneSlow {
    fn pace(&self, disk: &Disk) -> Option<NonZeroU64> {
        let slow = disk.device.as_ref().is_some_and(|device| device.0.ends_with("/slow"));
        NonZeroU64::new(PACE).filter(|_| slow)
    }
}

pub(crate) fn tree() -> Tree {
    (0..24u8).fold(Tree::new(), |tree, n| tree.with(format!("f{n}.bin"), vec![n; 200_000]))
}

/// Plugs a key in, and gives its session and how many of its contents the engines were not asked about.
fn check(kiosk: &Kiosk, port: &str) -> (Verdict, u64) {
    let image = kiosk.image(port, Format::Fat32, &tree());
    let device = kiosk.plug(port, &image);
    let (verdict, session) = kiosk.verdict(port);
    let known = session.report().unwrap().profile.known.contents;
    kiosk.unplug(port, &device);
    (verdict, known)
}

#[test]
fn a_key_that_is_checked_by_engines_that_fail_their_self_test_is_not_clean_and_nothing_they_said_stays_known() {
    let kiosk = Kiosk::that_remembers(Others::away(), OneSlow);
    kiosk.wait_until("engines", |now| now.station.engines.is_some());
    assert_eq!(check(&kiosk, "first").0, Verdict::Clean);
    // The report is told before its results are kept.
    let mut again = (1..10).map(|number| check(&kiosk, &format!("again{number}")));
    assert!(again.any(|(verdict, known)| verdict == Verdict::Clean && known > 0), "nothing is known");
    let engines: Vec<i32> =
        children().into_iter().filter(|(_, name)| name == "blanche-matcher").map(|(pid, _)| pid).collect();
    let image = kiosk.image("slow", Format::Fat32, &tree().with("new.txt", "of which nothing is known"));
    kiosk.plug("slow", &image);
    let under_way = |session: &SessionView| session.progress.is_some_and(|progress| progress.bytes_read > 0);
    kiosk.wait("slow", "checking", under_way);
    for pid in engines {
        kill_process(Pid::from_raw(pid).unwrap(), Signal::STOP).unwrap();
    }
    assert!(matches!(kiosk.daemon.orders.self_test(), Err(SelfTestError::Failed(_))));
    let (verdict, session) = kiosk.verdict("slow");
    assert_eq!(verdict, Verdict::Incomplete);
    assert!(matches!(&session.conclusion, Some(Conclusion::Failed(why)) if why.kind == "engines"), "{session:?}");
    assert_eq!(kiosk.verify(&image), NO_TAG);
    kiosk.wait_until("other engines", |now| now.station.engines.is_some() && now.station.problems.is_empty());
    assert_eq!(check(&kiosk, "next"), (Verdict::Clean, 0), "other engines are asked about everything");
    assert_eq!(kiosk.records("self_test_failed").len(), 2, "the test, and the problem that it shows");
}
