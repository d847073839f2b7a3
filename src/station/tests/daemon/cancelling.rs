//! Who cancels while a tag is written or verified: then the medium carries a tag that was verified, or none.

use crate::kiosk::{Kiosk, Others};
use blanche_scan::judge::Verdict;
use blanche_scan::report::{NoTag, Seal};
use blanche_station::session::Order;
use blanche_station::session::view::{Conclusion, SessionView, State};
use blanche_tests::tools::{run, try_run};
use blanche_tests::{Format, Tree, program};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The verifier's exit codes (docs/exit-codes.md).
const ACCEPTED: i32 = 0;
const NO_TAG: i32 = 40;

/// Enough files for a tag that is not written at once.
fn tree() -> Tree {
    (0..400).fold(Tree::new(), |tree, number| tree.with(format!("Dossier/fichier-{number}.txt"), "Bonjour\r\n"))
}

/// What a seal that somebody cancelled may be, and whether the medium says the same.
fn assert_all_or_nothing(kiosk: &Kiosk, image: &Path, session: &SessionView) {
    let seal = session.report().and_then(|report| report.seal.clone());
    let expected = match &seal {
        Some(Seal::OnMedium { .. }) => ACCEPTED,
        Some(Seal::NoTag { reason: NoTag::Cancelled }) | None => NO_TAG,
        other => panic!("{other:?}"),
    };
    assert_eq!(kiosk.verify(image), expected, "{seal:?}");
    run(image.parent().unwrap(), "fsck.vfat", ["-n", image.to_str().unwrap()]);
}

#[test]
fn cancelling_at_any_moment_of_sealing_leaves_a_verified_tag_or_none() {
    let kiosk = Kiosk::new();
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..12_u64 {
        let port = format!("p{round}");
        let image = kiosk.image(&port, Format::Fat32, &tree());
        let device = kiosk.plug(&port, &image);
        let session = kiosk.wait(&port, "sealing", |found| found.state >= State::Sealing);
        match round {
            11 => drop(kiosk.verdict(&port)),
            _ => std::thread::sleep(Duration::from_millis(round * round * 8)),
        }
        // Too late when it has ended already.
        let _ = kiosk.daemon.orders.give(Order::Cancel(session.id));
        let (_, session) = kiosk.verdict(&port);
        assert_all_or_nothing(&kiosk, &image, &session);
        seen.insert(session.report().is_some_and(|report| matches!(report.seal, Some(Seal::OnMedium { .. }))));
        kiosk.unplug(&port, &device);
    }
    assert_eq!(seen.len(), 2, "no round was early enough");
}

/// The station's programs, but a verifier that never answers.
fn programs_with_a_silent_verifier(folder: &Path) -> PathBuf {
    let programs = folder.join("programs");
    std::fs::create_dir(&programs).unwrap();
    for name in ["blanche-reader", "blanche-matcher", "blanche-sealer", "blanche-signer"] {
        symlink(program(name), programs.join(name)).unwrap();
    }
    let verifier = programs.join("blanche-verify");
    std::fs::write(&verifier, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&verifier, std::fs::Permissions::from_mode(0o755)).unwrap();
    programs
}

#[test]
fn a_tag_that_nobody_verified_is_removed_when_somebody_cancels_and_when_the_station_ends() {
    let folder = tempfile::tempdir().unwrap();
    let programs = programs_with_a_silent_verifier(folder.path());
    let kiosk = Kiosk::with_programs(Others::welcome(), &programs);
    let carries = |image: &Path| {
        let found = try_run(Path::new("/"), "mdir", ["-b", "-i", image.to_str().unwrap(), "::/blanche.tag"]);
        found.status.success()
    };
    let written = |port: &str, image: &Path| {
        let session = kiosk.wait(port, "sealing", |found| found.state == State::Sealing);
        let until = Instant::now() + Duration::from_secs(60);
        while !carries(image) {
            assert!(Instant::now() < until, "no tag was written");
            std::thread::sleep(Duration::from_millis(50));
        }
        session
    };
    let first = kiosk.image("p1", Format::Fat32, &tree());
    kiosk.plug("p1", &first);
    let session = written("p1", &first);
    kiosk.daemon.orders.give(Order::Cancel(session.id)).unwrap();
    let (verdict, session) = kiosk.verdict("p1");
    assert_eq!(verdict, Verdict::Clean);
    assert!(
        matches!(&session.conclusion, Some(Conclusion::Report(report)) if report.seal
        == Some(Seal::NoTag { reason: NoTag::Cancelled })),
        "{session:?}"
    );
    assert!(!carries(&first));
    run(Path::new("/"), "fsck.vfat", ["-n", first.to_str().unwrap()]);

    let second = kiosk.image("p2", Format::Fat16, &tree());
    kiosk.plug("p2", &second);
    let session = kiosk.wait("p2", "sealing", |found| found.state == State::Sealing);
    let kiosk = kiosk.restart();
    assert!(kiosk.closed().contains(&(session.id.to_string(), "incomplete".into())), "{:?}", kiosk.closed());
    assert_eq!(kiosk.verify(&second), NO_TAG);
    run(Path::new("/"), "fsck.vfat", ["-n", second.to_str().unwrap()]);
}
