//! Recording: order, room, crashes, other processes.

use crate::testing::{Signing, nobody, open, session, settings};
use crate::{
    Checkpointed, Event, EventKind, Filter, FoundFile, Journal, JournalError, JournalSettings, Log, Order, Reader,
    Severity,
};
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

fn all(reader: &Reader) -> Vec<crate::Row> {
    reader.page(&Filter::default(), Order::OldestFirst, None, 1_000_000).unwrap().rows
}

#[test]
fn both_logs_share_one_sequence_that_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.event(Event::new(EventKind::StationStarted)).unwrap();
    let closing = journal.transfer(session(1)).unwrap();
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.head().unwrap(), closing);
    let stopped = journal.event(Event::new(EventKind::StationStopped).with("reason", "test")).unwrap();
    assert_eq!(stopped.sequence, closing.sequence + 1);
    let rows = all(&journal.reader().unwrap());
    assert_eq!(rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let kinds: Vec<_> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["segment_opened", "station_started", "session", "station_stopped"]);
    assert_eq!(rows[2].log, Log::Transfer);
    assert_eq!(rows[2].body, serde_json::to_value(session(1)).unwrap());
}

#[test]
fn no_statement_changes_or_deletes_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.transfer(session(3)).unwrap();
    drop(journal);
    let connection = Connection::open(folder.path().join("journal/00000001.sqlite")).unwrap();
    for statement in [
        "UPDATE event SET record = '{}'",
        "UPDATE transfer SET hash = x'00'",
        "DELETE FROM transfer",
        "DELETE FROM event WHERE sequence = 1",
        "UPDATE segment SET first = 2",
        "DELETE FROM segment",
        "DELETE FROM file",
        "INSERT OR REPLACE INTO event (sequence, record, hash) VALUES (1, '{}', x'00')",
        "INSERT INTO event (sequence, record, hash) VALUES (9, '{}', x'00')",
        "INSERT INTO segment VALUES ('', 1, 1, '')",
    ] {
        assert!(connection.execute(statement, []).is_err(), "{statement}");
    }
}

#[test]
fn many_threads_record_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..10 {
                    journal.transfer(session(thread * 10 + number)).unwrap();
                    let _ = journal.checkpoint(&mut nobody).unwrap();
                }
            });
        }
    });
    let rows = all(&journal.reader().unwrap());
    assert_eq!(rows.len(), 81);
    assert!(rows.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence));
}

#[test]
fn every_file_of_a_session_with_thousands_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut closing = session(3);
    let file = |number: u64| FoundFile {
        sha256: Some(crate::testing::digest(number)),
        path: "x".repeat(if number == 7 { 3 << 20 } else { 10 }),
        path_bytes: None,
        size: number,
        severity: Severity::Suspicious,
        findings: Vec::new(),
    };
    closing.files = (0..2000).map(file).collect();
    journal.transfer(closing.clone()).unwrap();
    let reader = journal.reader().unwrap();
    for number in [0, 6, 7, 8, 255, 256, 1999] {
        let filter = Filter { digest: Some(crate::testing::digest(number)), ..Filter::default() };
        let page = reader.page(&filter, Order::NewestFirst, None, 10).unwrap();
        assert_eq!(page.rows.len(), 1, "{number}");
        assert_eq!(page.rows[0].body["session"], closing.session);
    }
    let filter = Filter { session: Some(closing.session), ..Filter::default() };
    let rows = reader.page(&filter, Order::OldestFirst, None, 100).unwrap().rows;
    let files: usize = rows.iter().map(|row| row.body["files"].as_array().unwrap().len()).sum();
    assert_eq!(files, 2000);
    assert!(rows.len() > 8 && rows.last().unwrap().kind == "session");
}

#[test]
fn a_file_that_nobody_could_read_is_recorded_without_a_digest() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut closing = session(3);
    closing.files[0].sha256 = None;
    journal.transfer(closing).unwrap();
    let rows = all(&journal.reader().unwrap());
    let file = &rows.last().unwrap().body["files"][0];
    assert!(file["path"].is_string() && file.get("sha256").is_none(), "{file}");
    assert_eq!(crate::verify(&folder.path().join("journal"), &crate::Evidence::default()).unwrap().faults, []);
}

#[test]
fn what_has_no_canonical_form_is_refused_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let head = journal.head().unwrap();
    let mut closing = session(3);
    closing.counts.bytes = 1 << 53;
    assert!(matches!(journal.transfer(closing), Err(JournalError::Record(_))));
    let mut closing = session(3);
    closing.files[0].sha256 = Some("AB".repeat(32));
    assert!(matches!(journal.transfer(closing), Err(JournalError::Record(_))));
    assert!(matches!(journal.append(Vec::new()), Err(JournalError::Record(_))));
    assert_eq!(journal.head().unwrap(), head);
}

#[test]
fn a_second_process_and_a_folder_of_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    assert!(matches!(Journal::open(&settings(folder.path())), Err(JournalError::InUse { .. })));
    drop(journal);
    let path = folder.path().join("journal");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o770)).unwrap();
    assert!(matches!(Journal::open(&settings(folder.path())), Err(JournalError::Insecure { .. })));
}

#[test]
fn without_keys_the_journal_goes_on_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.transfer(session(1)).unwrap();
    let unsigned = journal.checkpoint(&mut nobody).unwrap();
    assert!(matches!(&unsigned, Checkpointed::Unsigned { reason, .. } if reason == "no keys are installed"));
    let rows = all(&journal.reader().unwrap());
    assert_eq!(rows.last().unwrap().kind, "checkpoint_missing");
    assert_eq!(journal.reader().unwrap().newest_checkpoint().unwrap(), None);
}

#[test]
fn what_is_to_be_signed_is_known_also_after_a_restart_and_in_segments_before() {
    let (folder, mut signing) = (tempfile::tempdir().unwrap(), Signing::new());
    let journal = open(folder.path());
    journal.event(Event::new(EventKind::StationStarted)).unwrap();
    assert_eq!(journal.unsigned().unwrap(), None, "an event waits for the next session");
    let closing = journal.transfer(session(1)).unwrap();
    let _ = journal.checkpoint(&mut nobody).unwrap();
    assert_eq!(journal.unsigned().unwrap(), Some(closing.sequence));
    drop(journal);
    let journal = Journal::open(&small(folder.path())).unwrap();
    // It begins another segment.
    journal.event(Event::new(EventKind::StationStarted)).unwrap();
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.unsigned().unwrap(), Some(closing.sequence));
    let signed = journal.checkpoint(&mut |request| signing.sign(request)).unwrap();
    assert!(matches!(signed, Checkpointed::Signed { .. }));
    assert_eq!(journal.unsigned().unwrap(), None);
    drop(journal);
    assert_eq!(open(folder.path()).unsigned().unwrap(), None);
}

/// Small segments: one closing record fills one.
fn small(folder: &std::path::Path) -> JournalSettings {
    JournalSettings { segment_bytes: 1, ..settings(folder) }
}

#[test]
fn segments_change_without_a_gap_and_pages_cross_them() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&small(folder.path())).unwrap();
    (0..20).for_each(|number| _ = journal.transfer(session(number)).unwrap());
    let files = std::fs::read_dir(folder.path().join("journal")).unwrap().count();
    assert!(files > 10, "{files}");
    let reader = journal.reader().unwrap();
    let rows = all(&reader);
    assert!(rows.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence));
    let filter = Filter { kind: Some("session".to_owned()), ..Filter::default() };
    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let page = reader.page(&filter, Order::NewestFirst, from, 3).unwrap();
        seen.extend(page.rows.iter().map(|row| row.body["session"].as_str().unwrap().to_owned()));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..20).rev().map(|number| session(number).session).collect();
    assert_eq!(seen, expected);
}

#[test]
fn retention_deletes_whole_segments_and_leaves_a_stub() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&small(folder.path())).unwrap();
    (0..5).for_each(|number| _ = journal.transfer(session(number)).unwrap());
    drop(journal);
    std::thread::sleep(Duration::from_millis(20));
    let settings = JournalSettings { keep: Some(Duration::from_millis(10)), ..settings(folder.path()) };
    let journal = Journal::open(&settings).unwrap();
    let reader = journal.reader().unwrap();
    let rows = all(&reader);
    assert_eq!(rows[0].kind, "segment_opened");
    assert!(rows[0].sequence > 1);
    let stub = rows.iter().rfind(|row| row.kind == "segment_deleted").unwrap();
    assert_eq!(stub.body["last"], rows[0].sequence - 1);
    assert_eq!(stub.body["hash"], rows[0].body["previous"]);
}

#[test]
fn a_journal_of_its_largest_size_says_that_it_is_full_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let settings = JournalSettings { max_bytes: Some(300_000), ..settings(folder.path()) };
    let journal = Journal::open(&settings).unwrap();
    let mut recorded = 0u64;
    let error = loop {
        match journal.transfer(session(recorded)) {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Full { .. }), "{error}");
    assert!(recorded > 10);
    let filter = Filter { kind: Some("session".to_owned()), ..Filter::default() };
    let rows = journal.reader().unwrap().page(&filter, Order::OldestFirst, None, 1000).unwrap().rows;
    assert_eq!(u64::try_from(rows.len()), Ok(recorded));
}

#[test]
fn a_crash_between_two_segments_is_finished_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&small(folder.path())).unwrap();
    journal.transfer(session(0)).unwrap();
    journal.transfer(session(1)).unwrap();
    drop(journal);
    // The crash: the first segment is closed, the second one never came to be.
    let path = folder.path().join("journal");
    let (mut last, mut number) = (path.join("00000002.sqlite"), 2);
    while last.exists() {
        std::fs::remove_file(&last).unwrap();
        number += 1;
        last = path.join(format!("{number:08}.sqlite"));
    }
    let journal = open(folder.path());
    let position = journal.transfer(session(2)).unwrap();
    let rows = all(&journal.reader().unwrap());
    assert!(rows.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence));
    assert_eq!(rows.last().unwrap().sequence, position.sequence);
    assert_eq!(rows.iter().filter(|row| row.kind == "segment_opened").count(), 2);
}

#[test]
fn a_station_does_not_go_on_behind_a_record_that_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let file = folder.path().join("journal/00000001.sqlite");
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch("DROP TRIGGER event_stays; UPDATE event SET hash = zeroblob(32)").unwrap();
    drop(connection);
    assert!(matches!(Journal::open(&settings(folder.path())), Err(JournalError::Damaged { .. })));
    std::fs::write(
        &file,
        "no database at all, but some bytes that are longer than a header of one would have to be ....",
    )
    .unwrap();
    assert!(matches!(Journal::open(&settings(folder.path())), Err(JournalError::Damaged { .. })));
}
