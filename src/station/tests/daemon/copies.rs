//! Files are copied to a key of the station by an order: all of them or none, and never a part, whoever pulls, kills or cancels.

use crate::faults::{children, kill, number};
use crate::gate::{Ask, Silent};
use crate::kiosk::{Kiosk, Others};
use blanche_scan::judge::Verdict;
use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport, Omission, Seal};
use blanche_station::detect::DevPath;
use blanche_station::session::view::{Contents, CopyStep, NoCopy, OutputId, OutputView, SessionView, State};
use blanche_station::session::{Order, OrderRefused, SessionId};
use blanche_tests::tools::try_run;
use blanche_tests::{Format, Tree, samples};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn tree() -> Tree {
    Tree::new().with("LETTRE.TXT", "Bonjour\r\n").with("Dossier/notes.txt", vec![b'n'; 300_000])
}

/// So much that a copy takes a while.
fn much() -> Tree {
    let bytes =
        |n: u32| (0..2_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761).wrapping_add(n) >> 24) as u8).collect();
    (0..12).fold(tree(), |tree, n| tree.with(format!("lot/f{n}.bin"), Vec::<u8>::clone(&bytes(n))))
}

fn blank(kiosk: &Kiosk, name: &str) -> PathBuf {
    let image = kiosk.folder.path().join(name);
    File::create(&image).unwrap().set_len(96 << 20).unwrap();
    image
}

/// A medium in an output port, after somebody looked at it.
fn output(kiosk: &Kiosk, port: &str, image: &Path) -> (DevPath, OutputView) {
    let device = kiosk.plug(port, image);
    let mut found = None;
    kiosk.wait_until("an output medium", |now| {
        let looked = |output: &&OutputView| output.medium.port == port && output.contents != Contents::Looking;
        found = now.station.outputs.iter().find(looked).cloned();
        found.is_some()
    });
    (device, found.unwrap())
}

fn checked(kiosk: &Kiosk, port: &str, image: &Path) -> (DevPath, Arc<SessionView>) {
    let device = kiosk.plug(port, image);
    (device, kiosk.wait(port, "a verdict", |session| session.conclusion.is_some() && session.state == State::Verdict))
}

fn order(kiosk: &Kiosk, session: SessionId, output: OutputId, erase: bool) -> Result<(), OrderRefused> {
    kiosk.daemon.orders.give(Order::Copy { session, output, erase }).map_err(|error| match error {
        blanche_station::daemon::OrderError::Refused(why) => why,
        other => panic!("{other}"),
    })
}

/// What came of the copy of the session in a port.
fn ended(kiosk: &Kiosk, port: &str) -> Arc<CopyReport> {
    let over = |session: &SessionView| session.copy.report.is_some() && !session.state.word().contains("ing");
    kiosk.wait(port, "the end of a copy", over).copy.report.clone().unwrap()
}

/// Files that a host sees; nothing when there is no filesystem.
fn files(kiosk: &Kiosk, image: &Path) -> Vec<String> {
    let medium = format!("{}@@1M", image.display());
    let listed = try_run(kiosk.folder.path(), "mdir", ["-/", "-b", "-i", &medium, "::"]);
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut files: Vec<String> = text
        .lines()
        .filter(|line| !line.ends_with('/'))
        .map(|line| line.trim_start_matches("::/").to_owned())
        .collect();
    files.sort();
    files
}

/// The promise: everything with a tag, or nothing at all, or what was there `before`.
fn assert_all_or_nothing(
    kiosk: &Kiosk,
    image: &Path,
    before: &[u8],
    report: &CopyReport,
    expected: &[&str],
    about: &str,
) {
    if report.outcome == CopyOutcome::Untouched {
        assert!(before == std::fs::read(image).unwrap(), "{about}: {report:?}");
        assert!(report.cause.is_some() && report.seal.is_none(), "{about}: {report:?}");
    } else if report.outcome == CopyOutcome::Copied {
        assert_eq!(files(kiosk, image), expected, "{about}");
        assert!(matches!(report.seal, Some(Seal::OnMedium { .. })), "{about}: {report:?}");
        assert_eq!(kiosk.verify(image), 0, "{about}");
    } else {
        assert_eq!(files(kiosk, image), [""; 0], "{about}: {report:?}");
        assert_ne!(kiosk.verify(image), 0, "{about}");
        assert!(report.cause.is_some() && report.seal.is_none(), "{about}: {report:?}");
    }
}

const FEW: [&str; 3] = ["Dossier/notes.txt", "LETTRE.TXT", "blanche.tag"];

fn many() -> Vec<String> {
    let mut all: Vec<String> = (0..12).map(|n| format!("lot/f{n}.bin")).chain(FEW.map(str::to_owned)).collect();
    all.sort();
    all
}

#[test]
fn the_files_of_a_clean_key_are_copied_by_an_order_checked_sealed_and_recorded() {
    let kiosk = Kiosk::copying(Others::welcome(), "all-or-nothing");
    let (source, target) = (kiosk.image("source", Format::Fat32, &tree()), blank(&kiosk, "target"));
    let (_, session) = checked(&kiosk, "in1", &source);
    assert!(matches!(session.report().unwrap().seal, Some(Seal::OnMedium { .. })), "{session:?}");
    let (_, medium) = output(&kiosk, "out1", &target);
    assert_eq!((medium.contents, medium.read_only), (Contents::Blank, false));
    assert_eq!(kiosk.daemon.board.snapshot().sessions.len(), 1, "a key of the station is no session");
    order(&kiosk, session.id, medium.id, false).unwrap();
    let report = ended(&kiosk, "in1");
    assert_eq!((report.outcome, &report.cause, report.outside_profile), (CopyOutcome::Copied, &None, false));
    assert_all_or_nothing(&kiosk, &target, &[], &report, &FEW, "a copy");
    assert_eq!(kiosk.verify(&source), 0, "the source is as it was sealed");
    // What is on the key now is lost only if somebody says so; the same files may go to it once more.
    assert_eq!(order(&kiosk, session.id, medium.id, false), Err(OrderRefused::NotBlank));
    order(&kiosk, session.id, medium.id, true).unwrap();
    let another = |second: &Arc<CopyReport>| !Arc::ptr_eq(second, &report);
    kiosk.wait("in1", "the report of a second copy", |session| session.copy.report.as_ref().is_some_and(another));
    assert_eq!(ended(&kiosk, "in1").outcome, CopyOutcome::Copied);
    assert_eq!(kiosk.verify(&target), 0);
    let (events, transfers) = (kiosk.records("copied"), kiosk.records("session_copies"));
    assert_eq!((events.len(), transfers.len()), (2, 2));
    assert_eq!(events[0]["detail"]["outcome"], "copied");
    assert_eq!(events[0]["medium"]["port"], "out1");
    let made = &transfers[0]["copies"][0];
    assert_eq!(
        (transfers[0]["session"].as_str(), &made["complete"]),
        (Some(session.id.to_string().as_str()), &true.into())
    );
    assert_eq!((&made["files"], &made["medium"]["port"]), (&2.into(), &"out1".into()));
    assert_eq!(made["tag"]["id"], events[0]["detail"]["tag"], "no tag without a record");
    kiosk.assert_journal_whole();
}

#[test]
fn a_tag_from_before_is_not_copied_and_does_not_keep_the_files_from_being() {
    let kiosk = Kiosk::copying(Others::welcome(), "all-or-nothing");
    let (source, target) = (kiosk.image("source", Format::ExFat, &tree()), blank(&kiosk, "target"));
    let (device, _) = checked(&kiosk, "in1", &source);
    kiosk.unplug("in1", &device);
    let (_, session) = checked(&kiosk, "in2", &source);
    assert_eq!(session.report().unwrap().verdict, Verdict::Clean);
    let (_, medium) = output(&kiosk, "out2", &target);
    order(&kiosk, session.id, medium.id, false).unwrap();
    let report = ended(&kiosk, "in2");
    assert_all_or_nothing(&kiosk, &target, &[], &report, &FEW, "a key that was sealed before");
    let left: Vec<_> = report.left_out.iter().map(|line| (line.path.as_str(), line.because)).collect();
    assert_eq!(left, [("blanche.tag", Omission::OldTag)]);
}

#[test]
fn the_files_of_an_infected_key_are_copied_only_where_an_administrator_allows_the_clean_ones() {
    for (mode, allowed) in [("all-or-nothing", false), ("clean-files", true)] {
        let kiosk = Kiosk::copying(Others::welcome(), mode);
        let source = kiosk.image("source", Format::Fat32, &tree().with("eicar.com", samples::eicar()));
        let target = blank(&kiosk, "target");
        let (_, session) = checked(&kiosk, "in1", &source);
        assert_eq!(session.report().unwrap().verdict, Verdict::Infected);
        let (_, medium) = output(&kiosk, "out1", &target);
        let ordered = order(&kiosk, session.id, medium.id, false);
        if !allowed {
            assert_eq!(ordered, Err(OrderRefused::CannotCopy(NoCopy::Verdict)));
            assert!(std::fs::read(&target).unwrap().iter().all(|byte| *byte == 0), "nothing was written");
            continue;
        }
        ordered.unwrap();
        let report = ended(&kiosk, "in1");
        assert!(report.outside_profile);
        assert_all_or_nothing(&kiosk, &target, &[], &report, &FEW, "the clean files");
        assert_eq!(kiosk.records("session_copies")[0]["copies"][0]["clean_files_only"], true);
        kiosk.assert_journal_whole();
    }
}

#[test]
fn a_medium_is_never_copied_to_itself_and_a_port_for_reading_is_never_written() {
    let kiosk = Kiosk::copying(Others::welcome(), "all-or-nothing");
    let source = kiosk.image("source", Format::Fat32, &tree());
    let (_, session) = checked(&kiosk, "in1", &source);
    let sealed = std::fs::read(&source).unwrap();
    let (_, medium) = output(&kiosk, "out1", &source);
    assert!(matches!(medium.contents, Contents::Filled { files: 3, .. }), "{medium:?}");
    order(&kiosk, session.id, medium.id, true).unwrap();
    let report = ended(&kiosk, "in1");
    assert_eq!((report.outcome, &report.cause), (CopyOutcome::Untouched, &Some(CopyCause::SameMedium)));
    assert!(sealed == std::fs::read(&source).unwrap(), "nothing was written");
    // A session of an input port is no output medium, whatever its number.
    let other = kiosk.image("other", Format::Fat32, &tree());
    let (_, other) = checked(&kiosk, "in2", &other);
    assert_eq!(order(&kiosk, session.id, other.id, true), Err(OrderRefused::NoSuchOutput));
}

/// What a hand may do while files are copied.
#[derive(Clone, Copy, Debug)]
enum Hand {
    Cancels,
    PullsSource,
    PullsOutput,
    StopsTheStation,
}

#[test]
fn whoever_cancels_or_pulls_during_any_step_leaves_everything_or_nothing() {
    let expected = many();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    for hand in [Hand::Cancels, Hand::PullsSource, Hand::PullsOutput, Hand::StopsTheStation] {
        let kiosk = Kiosk::copying(Others::welcome(), "all-or-nothing");
        let (source, target) = (kiosk.image("source", Format::Fat32, &much()), blank(&kiosk, "target"));
        let mut kiosk = kiosk;
        for step in [CopyStep::Formatting, CopyStep::Writing, CopyStep::ReadingBack, CopyStep::Checking] {
            let (from, session) = checked(&kiosk, "in1", &source);
            let (to, medium) = output(&kiosk, "out1", &target);
            let before = std::fs::read(&target).unwrap();
            order(&kiosk, session.id, medium.id, true).unwrap();
            let there = |session: &SessionView| {
                session.copy.report.is_some() || session.copy.progress.is_some_and(|now| now.step >= step)
            };
            kiosk.wait("in1", "a step", there);
            match hand {
                // Too late when it is over already.
                Hand::Cancels => _ = kiosk.daemon.orders.give(Order::Cancel(session.id)),
                Hand::PullsSource => kiosk.sockets.remove(&from),
                Hand::PullsOutput => kiosk.sockets.remove(&to),
                Hand::StopsTheStation => kiosk.daemon.orders.quit(),
            }
            let report = ended(&kiosk, "in1");
            let about = format!("{hand:?} while {}", step.word());
            println!("{about}: {:?} {:?}", report.outcome, report.cause);
            assert_all_or_nothing(&kiosk, &target, &before, &report, &expected, &about);
            assert_eq!(kiosk.records("copied").last().unwrap()["detail"]["outcome"], report.outcome.word());
            kiosk.assert_journal_whole();
            kiosk = match hand {
                Hand::StopsTheStation => kiosk.restart(),
                Hand::Cancels | Hand::PullsSource | Hand::PullsOutput => {
                    kiosk.sockets.remove(&from);
                    kiosk.sockets.remove(&to);
                    kiosk.wait_until("nothing is plugged in", |now| {
                        now.station.outputs.is_empty()
                            && now.sessions.iter().all(|session| session.state == State::Removed)
                    });
                    kiosk
                }
            };
        }
    }
}

#[test]
fn any_process_may_be_killed_while_files_are_copied() {
    let (seed, kills) = (number("BLANCHE_SEED", 1), number("BLANCHE_KILLS", 20).div_ceil(2));
    println!("seed {seed}, {kills} kills");
    let mut random = fastrand::Rng::with_seed(seed);
    let kiosk = Kiosk::copying(Others::away(), "all-or-nothing");
    let (source, target) = (kiosk.image("source", Format::Fat32, &much()), blank(&kiosk, "target"));
    let expected = many();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let mut killed = std::collections::BTreeMap::<String, u32>::new();
    for number in 0..kills {
        kiosk.wait_until("the station is well", |now| now.station.engines.is_some() && now.station.problems.is_empty());
        let (from, session) = checked(&kiosk, "in1", &source);
        let (to, medium) = output(&kiosk, "out1", &target);
        let before = std::fs::read(&target).unwrap();
        order(&kiosk, session.id, medium.id, true).unwrap();
        let until = Instant::now() + Duration::from_millis(random.u64(5..1500));
        let over = |session: &SessionView| session.copy.report.is_some();
        while Instant::now() < until && !over(&kiosk.wait("in1", "a session", |_| true)) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let victim = random.choice(children());
        if let Some((pid, name)) = &victim {
            kill(*pid);
            *killed.entry(name.clone()).or_default() += 1;
        }
        let report = ended(&kiosk, "in1");
        let about = format!("seed {seed}, kill {number}: {victim:?}, {:?}", report.cause);
        // A copy whose signer was killed is whole, and has no tag.
        if report.outcome == CopyOutcome::Copied && matches!(report.seal, Some(Seal::NoTag { .. })) {
            assert_eq!(files(&kiosk, &target).len(), expected.len() - 1, "{about}");
            assert_ne!(kiosk.verify(&target), 0, "{about}");
        } else {
            assert_all_or_nothing(&kiosk, &target, &before, &report, &expected, &about);
        }
        kiosk.sockets.remove(&from);
        kiosk.sockets.remove(&to);
        kiosk.wait_until("nothing is plugged in", |now| {
            now.station.outputs.is_empty() && now.sessions.iter().all(|session| session.state == State::Removed)
        });
    }
    println!("{killed:?}");
    kiosk.assert_journal_whole();
    // The next copy works as if nothing had happened.
    kiosk.wait_until("the station is well", |now| now.station.engines.is_some() && now.station.problems.is_empty());
    let (_, session) = checked(&kiosk, "in2", &source);
    let (_, medium) = output(&kiosk, "out2", &target);
    order(&kiosk, session.id, medium.id, true).unwrap();
    assert_all_or_nothing(&kiosk, &target, &[], &ended(&kiosk, "in2"), &expected, "the next copy");
}

#[test]
fn a_key_of_the_station_can_be_written_only_while_it_is_copied_to() {
    let gate = Silent::default();
    let kiosk = Kiosk::copying_through(Others::welcome(), "all-or-nothing", gate.clone());
    let (image, first) = (kiosk.image("source", Format::Fat32, &tree()), blank(&kiosk, "first"));
    let (_, session) = checked(&kiosk, "in1", &image);
    let (_, to) = output(&kiosk, "out1", &first);
    kiosk.wait_until("its protection", |_| gate.done("out1") == [Ask::Admit, Ask::Protect]);
    order(&kiosk, session.id, to.id, false).unwrap();
    assert_eq!(ended(&kiosk, "in1").outcome, CopyOutcome::Copied);
    assert_eq!(gate.done("out1"), [Ask::Admit, Ask::Protect, Ask::Unprotect, Ask::Protect]);
}

#[test]
fn a_key_of_the_station_that_becomes_writable_too_late_stays_as_it_is_and_is_protected_when_it_wakes_up() {
    let gate = Silent::default();
    let kiosk = Kiosk::copying_through(Others::welcome(), "all-or-nothing", gate.clone());
    let (image, silent) = (kiosk.image("source", Format::Fat32, &tree()), blank(&kiosk, "silent"));
    let (_, session) = checked(&kiosk, "in1", &image);
    let (_, to) = output(&kiosk, "out1", &silent);
    gate.silence("out1", Ask::Unprotect);
    order(&kiosk, session.id, to.id, false).unwrap();
    let report = ended(&kiosk, "in1");
    assert_eq!(report.outcome, CopyOutcome::Untouched);
    assert!(matches!(report.cause, Some(CopyCause::Station(_))), "{report:?}");
    assert!(std::fs::read(&silent).unwrap().iter().all(|byte| *byte == 0), "nothing was written");
    gate.wake();
    drop(kiosk);
    assert_eq!(gate.done("out1"), [Ask::Admit, Ask::Protect, Ask::Unprotect, Ask::Protect], "the last word");
}
