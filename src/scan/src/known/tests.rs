//! What is known, when, and that nothing else is.

use super::*;
use blanche_sandbox::wire::{BaseInfo, EngineInfo, EngineLimits};
use std::path::Path;
use std::time::{Duration, Instant};

/// Half of the time for which a file that somebody holds is waited for.
const SOON: Duration = Duration::from_secs(5);

const DIGESTS: Digests = Digests { sha256: [3; 32], blake3: [4; 32] };

fn set(base: u8) -> EngineSet {
    EngineSet {
        engines: vec![EngineInfo {
            name: "clamav".to_owned(),
            version: "1".to_owned(),
            bases: vec![BaseInfo {
                name: "daily.cvd".to_owned(),
                version: None,
                signatures: 1,
                date: None,
                sha256: [base; 32],
            }],
        }],
        limits: EngineLimits {
            max_file_size: 0,
            max_scan_size: 0,
            max_files: 0,
            max_recursion: 1,
            max_scan_time: 1,
            max_rules_time: 1,
            max_matcher_memory: 1,
        },
    }
}

fn key(base: u8) -> EngineKey {
    EngineKey::new(&set(base), &[Container::Zip], 1, i32::try_from(std::process::id()).expect("a number"))
        .expect("maps")
}

fn piece() -> ScanPiece {
    ScanPiece { area: false, entry: 7, offset: 0, length: 5, extensions: vec!["txt".into()], hash_only: false }
}

fn clean() -> Scanned {
    Remembered { content_type: ContentType::default(), findings: Vec::new(), layers: 1 }.answer(&piece(), DIGESTS)
}

fn settings(folder: &Path) -> Settings {
    Settings { file: Some(folder.join("known.sqlite")), ..Settings::default() }
}

/// The file as SQLite sees it.
fn database(settings: &Settings) -> Connection {
    Connection::open(settings.file.as_ref().expect("a file")).expect("a database")
}

fn kept(settings: &Settings, base: u8) -> bool {
    let known = KnownResults::open(settings, key(base));
    known.look_up(&known.question(&piece(), &DIGESTS)).is_some()
}

fn session(settings: &Settings, base: u8) {
    let known = KnownResults::open(settings, key(base));
    known.remember(&known.question(&piece(), &DIGESTS), &clean());
    known.keep(&Cancel::default());
}

#[test]
fn a_result_serves_the_same_engines_and_dies_with_a_base() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    assert!(!kept(&settings, 1));
    session(&settings, 1);
    assert!(kept(&settings, 1));
    assert!(!kept(&settings, 2), "a new base asks its engines");
    assert!(!kept(&settings, 1), "and the rows of the old one are gone");
}

#[test]
fn a_session_that_did_not_end_well_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    let known = KnownResults::open(&settings, key(1));
    let question = known.question(&piece(), &DIGESTS);
    known.remember(&question, &clean());
    assert!(known.look_up(&question).is_some(), "within the session it is known");
    drop(known);
    assert!(!kept(&settings, 1));
}

#[test]
fn a_session_that_ends_after_a_base_changed_adds_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    let old = KnownResults::open(&settings, key(1));
    old.remember(&old.question(&piece(), &DIGESTS), &clean());
    assert!(!kept(&settings, 2));
    old.keep(&Cancel::default());
    let count: i64 =
        database(&settings).query_row("SELECT count(*) FROM known", [], |row| row.get(0)).expect("a count");
    assert_eq!(count, 0);
}

#[test]
fn what_engines_said_that_miss_something_is_unknown_to_the_next_ones_and_what_they_still_say_is_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    session(&settings, 1);
    assert!(kept(&settings, 1));
    let under_way = KnownResults::open(&settings, key(1));
    under_way.remember(&under_way.question(&piece(), &DIGESTS), &clean());
    let mut keeper = Keeper::default();
    keeper.close();
    forget(&settings).expect("nobody else uses the file");
    assert!(!kept(&settings, 1), "the next engines have the same key");
    keeper.keep(under_way, Cancel::default());
    drop(keeper);
    assert!(!kept(&settings, 1), "a session that was under way");
    session(&settings, 1);
    assert!(kept(&settings, 1), "what the next engines say is kept");
}

#[test]
fn what_cannot_be_forgotten_is_said_with_the_name_of_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    forget(&settings).expect("there is nothing to forget");
    session(&settings, 1);
    let other = database(&settings);
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let error = forget(&settings).expect_err("somebody else writes");
    assert!(error.contains("known.sqlite"), "{error}");
    other.execute_batch("ROLLBACK").expect("the end");
    assert!(kept(&settings, 1), "nothing was changed");
    forget(&settings).expect("nobody writes");
    assert!(!kept(&settings, 1));
}

#[test]
fn what_is_not_complete_and_harmless_is_never_kept() {
    let known = KnownResults::open(&Settings { file: None, ..Settings::default() }, key(1));
    let question = known.question(&piece(), &DIGESTS);
    let finding = |severity| Finding { engine: "e".into(), name: "n".into(), severity, layer: Vec::new() };
    for bad in [
        Scanned { findings: vec![finding(Severity::Malicious)], ..clean() },
        Scanned { findings: vec![finding(Severity::Suspicious)], ..clean() },
        Scanned { not_checked: vec![Cause::EngineTimeout], ..clean() },
        Scanned { disk_image: true, ..clean() },
    ] {
        known.remember(&question, &bad);
        assert_eq!(known.look_up(&question), None, "{bad:?}");
    }
    known.remember(&question, &Scanned { findings: vec![finding(Severity::Info)], ..clean() });
    assert_eq!(known.look_up(&question).expect("harmless").findings.len(), 1);
}

#[test]
fn every_part_of_a_question_counts() {
    let known = KnownResults::none();
    let question = known.question(&piece(), &DIGESTS);
    let others = [
        known.question(&ScanPiece { length: 6, ..piece() }, &DIGESTS),
        known.question(&ScanPiece { area: true, ..piece() }, &DIGESTS),
        known.question(&ScanPiece { extensions: vec!["exe".into()], ..piece() }, &DIGESTS),
        known.question(&ScanPiece { extensions: vec!["txt".into(), "exe".into()], ..piece() }, &DIGESTS),
        known.question(&ScanPiece { extensions: vec!["txtexe".into()], ..piece() }, &DIGESTS),
        known.question(&piece(), &Digests { sha256: [0; 32], ..DIGESTS }),
        known.question(&piece(), &Digests { blake3: [0; 32], ..DIGESTS }),
        KnownResults::open(&Settings { file: None, ..Settings::default() }, key(9)).question(&piece(), &DIGESTS),
    ];
    assert!(others.iter().all(|other| *other != question));
    let elsewhere = known.question(&ScanPiece { entry: 9, offset: 512, ..piece() }, &DIGESTS);
    assert_eq!(elsewhere, question, "the place does not");
}

#[test]
fn a_damaged_file_is_replaced_and_a_folder_of_others_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    std::fs::write(folder.path().join("known.sqlite"), [7; 9999]).expect("written");
    session(&settings, 1);
    assert!(kept(&settings, 1));
    let mode = std::fs::metadata(folder.path().join("known.sqlite")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A sticky folder as well: others could put a log beside the file.
    for rights in [0o777, 0o1777] {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(rights)).expect("rights");
        assert!(!kept(&settings, 1));
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("rights");
    assert!(kept(&settings, 1));
}

#[test]
fn the_oldest_rows_go_when_there_are_too_many() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings { max: 10, ..settings(folder.path()) };
    let known = KnownResults::open(&settings, key(1));
    let question = |length| known.question(&ScanPiece { length, ..piece() }, &DIGESTS);
    let questions: Vec<Question> = (0..30).map(question).collect();
    questions.iter().for_each(|question| known.remember(question, &clean()));
    known.keep(&Cancel::default());
    let known = KnownResults::open(&settings, key(1));
    let found: Vec<bool> = questions.iter().map(|question| known.look_up(question).is_some()).collect();
    assert_eq!(found, [[false; 20].as_slice(), &[true; 10]].concat());
}

/// Questions about contents of these lengths.
fn questions(known: &KnownResults, lengths: std::ops::Range<u64>) -> Vec<Question> {
    lengths.map(|length| known.question(&ScanPiece { length, ..piece() }, &DIGESTS)).collect()
}

fn found(known: &KnownResults, questions: &[Question]) -> usize {
    questions.iter().filter(|question| known.look_up(question).is_some()).count()
}

/// A file that knows the contents of these lengths, and nothing beside it.
fn filled(settings: &Settings, lengths: std::ops::Range<u64>) {
    let known = KnownResults::open(settings, key(1));
    questions(&known, lengths).iter().for_each(|question| known.remember(question, &clean()));
    known.keep(&Cancel::default());
    database(settings).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("all in one file");
}

/// Overwrites all pages but the first few, which hold what is read at the start.
fn damage(settings: &Settings) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(settings.file.as_ref().expect("a file")).expect("the file");
    let (first, length) = (5 * 4096, file.metadata().expect("a length").len());
    assert!(length > 40 * 4096, "{length} bytes");
    file.write_all_at(&vec![0xa5; usize::try_from(length - first).expect("fits")], first).expect("written");
}

fn integrity(settings: &Settings) -> String {
    database(settings).query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer")
}

#[test]
fn damage_in_mid_session_costs_the_kept_results_only_and_is_mended_at_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    filled(&settings, 0..2000);
    let known = KnownResults::open(&settings, key(1));
    damage(&settings);
    let asked = questions(&known, 0..2000);
    assert!(found(&known, &asked) < 2000);
    let fresh = questions(&known, 5000..5100);
    fresh.iter().for_each(|question| known.remember(question, &clean()));
    assert_eq!(found(&known, &fresh), 100, "the session goes on");
    known.keep(&Cancel::default());
    assert_eq!(integrity(&settings), "ok");
    let known = KnownResults::open(&settings, key(1));
    assert_eq!((found(&known, &fresh), found(&known, &asked)), (100, 0));
}

#[test]
fn damage_that_only_the_end_of_a_session_meets_is_mended_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    filled(&settings, 0..2000);
    let known = KnownResults::open(&settings, key(1));
    let fresh = questions(&known, 5000..5100);
    fresh.iter().for_each(|question| known.remember(question, &clean()));
    damage(&settings);
    known.keep(&Cancel::default());
    assert_eq!(integrity(&settings), "ok");
    assert_eq!(found(&KnownResults::open(&settings, key(1)), &fresh), 100);
}

#[test]
fn a_file_that_another_session_uses_is_not_replaced_under_it() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    filled(&settings, 0..2000);
    let number = || std::fs::metadata(folder.path().join("known.sqlite")).expect("the file").ino();
    let before = number();
    // A second name keeps the number from being given to the file that takes its place.
    std::fs::hard_link(folder.path().join("known.sqlite"), folder.path().join("first")).expect("a second name");
    let (ours, others) = (KnownResults::open(&settings, key(1)), KnownResults::open(&settings, key(1)));
    damage(&settings);
    let asked = questions(&ours, 0..2000);
    assert!(found(&ours, &asked) < 2000);
    ours.remember(&ours.question(&piece(), &DIGESTS), &clean());
    ours.keep(&Cancel::default());
    assert_eq!(number(), before, "the other one has it open");
    assert!(found(&others, &asked) < 2000);
    others.remember(&others.question(&piece(), &DIGESTS), &clean());
    others.keep(&Cancel::default());
    assert_ne!(number(), before);
    assert!(kept(&settings, 1), "the last one has mended it");
}

#[test]
fn a_row_that_a_disk_changed_is_unknown_and_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    session(&settings, 1);
    let row: Vec<u8> = database(&settings).query_row("SELECT result FROM known", [], |row| row.get(0)).expect("a row");
    for place in 0..row.len() {
        let mut changed = row.clone();
        changed.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 4);
        database(&settings).execute("UPDATE known SET result = ?1", [&changed]).expect("changed");
        assert!(!kept(&settings, 1), "byte {place}");
    }
    session(&settings, 1);
    assert!(kept(&settings, 1));
}

#[test]
fn neither_a_report_nor_the_next_session_waits_for_a_file_that_somebody_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    filled(&settings, 0..10);
    let holder = database(&settings);
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let clock = Instant::now();
    let mut keeper = Keeper::default();
    for lengths in [20..30, 30..40] {
        let known = KnownResults::open(&settings, key(1));
        assert_eq!(found(&known, &questions(&known, 0..10)), 10, "reading needs no lock");
        questions(&known, lengths).iter().for_each(|question| known.remember(question, &clean()));
        keeper.keep(known, Cancel::default());
    }
    assert!(clock.elapsed() < SOON, "{:?}", clock.elapsed());
    holder.execute_batch("COMMIT").expect("free again");
    drop(keeper);
    let known = KnownResults::open(&settings, key(1));
    assert_eq!(found(&known, &questions(&known, 20..40)), 20, "both were kept");
}

#[test]
fn whoever_is_told_to_stop_does_not_wait_for_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    filled(&settings, 0..10);
    let holder = database(&settings);
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let (mut keeper, cancel) = (Keeper::default(), Cancel::default());
    let known = KnownResults::open(&settings, key(1));
    known.remember(&known.question(&piece(), &DIGESTS), &clean());
    keeper.keep(known, cancel.clone());
    let clock = Instant::now();
    cancel.cancel();
    drop(keeper);
    assert!(clock.elapsed() < SOON, "{:?}", clock.elapsed());
}

#[test]
fn a_session_under_other_engines_does_not_wait_for_a_file_that_somebody_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(folder.path());
    filled(&settings, 0..10);
    let holder = database(&settings);
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let clock = Instant::now();
    assert!(!kept(&settings, 2));
    assert!(clock.elapsed() < SOON, "{:?}", clock.elapsed());
    drop(holder);
    let known = KnownResults::open(&settings, key(1));
    assert_eq!(found(&known, &questions(&known, 0..10)), 10, "the rows of the others stand");
}
