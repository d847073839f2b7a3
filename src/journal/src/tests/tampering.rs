//! Whatever is done to a journal behind its back is found; whatever is not done is not.

use crate::testing::{Signing, open, session};
use crate::{Checkpointed, Event, EventKind, Evidence, FaultKind, Journal, JournalSettings, verify};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

struct World {
    folder: tempfile::TempDir,
    signing: Signing,
    /// A checkpoint that was taken away.
    outside: Vec<u8>,
}

impl World {
    /// Some sessions, each with a checkpoint, in several segments.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut signing = Signing::new();
        let settings =
            JournalSettings { segment_bytes: 200_000, ..JournalSettings::new(&folder.path().join("journal")) };
        let journal = Journal::open(&settings).unwrap();
        for number in 3..27 {
            journal.event(Event::new(EventKind::Arrived).of_session(&session(number).session)).unwrap();
            journal.transfer(session(number)).unwrap();
            let signed = journal.checkpoint(&mut |request| signing.sign(request)).unwrap();
            assert!(matches!(signed, Checkpointed::Signed { .. }), "{signed:?}");
        }
        let outside = journal.reader().unwrap().newest_checkpoint().unwrap().unwrap().1;
        let world = Self { folder, signing, outside };
        assert!(world.segment(2).exists());
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.path().join(format!("{number:08}.sqlite"))
    }

    fn verify(&self) -> crate::Verification {
        let (trust, crls) = self.signing.trust();
        verify(
            &self.path(),
            &Evidence { trust: Some((&trust, &crls)), outside: Some(&self.outside), every_signature: true },
        )
        .unwrap()
    }

    fn kinds(&self) -> BTreeSet<FaultKind> {
        self.verify().faults.iter().map(|fault| fault.kind).collect()
    }

    /// Runs statements on a segment as somebody who owns the machine can, and leaves the schema as it was.
    fn tamper(&self, number: u64, statements: &str) {
        let path = self.segment(number);
        let connection = unlocked(&path);
        let triggers: Vec<(String, String)> = connection
            .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        triggers.iter().for_each(|(name, _)| connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
        connection.execute_batch(statements).unwrap();
        triggers.iter().for_each(|(_, sql)| connection.execute_batch(sql).unwrap());
    }
}

fn unlocked(path: &Path) -> Connection {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    Connection::open(path).unwrap()
}

/// One way to tamper, and what is found.
#[track_caller]
fn found(statements: &str, expected: &[FaultKind]) {
    let world = World::new();
    world.tamper(1, statements);
    let kinds = world.kinds();
    for kind in expected {
        assert!(kinds.contains(kind), "{statements}: {kinds:?}");
    }
}

#[test]
fn an_untouched_journal_is_whole_and_proved_up_to_its_last_checkpoint() {
    let world = World::new();
    let verification = world.verify();
    assert_eq!(verification.faults, []);
    assert!(verification.is_whole());
    let proof = verification.proof.unwrap();
    assert_eq!(proof.checkpoint.sequence, verification.last - 1);
    assert_eq!((verification.transfers, verification.checkpoints), (24, 24));
    // Taking the triggers away and putting them back is no change.
    world.tamper(1, "");
    assert!(world.verify().is_whole());
}

#[test]
fn altered_records_are_found() {
    found(
        "UPDATE transfer SET record = replace(record, 'infected', 'infectex') WHERE sequence = 3",
        &[FaultKind::Hash],
    );
    found("UPDATE transfer SET record = record || ' ' WHERE sequence = 3", &[FaultKind::Hash, FaultKind::Record]);
    found("UPDATE event SET hash = zeroblob(32) WHERE sequence = 2", &[FaultKind::Hash]);
    found("UPDATE file SET sha256 = replace(sha256, 'a', 'b')", &[FaultKind::Index]);
    found("DELETE FROM file", &[FaultKind::Index]);
    found("INSERT INTO file VALUES ('00', 3)", &[FaultKind::Index]);
    found("UPDATE segment SET previous = replace(previous, 'a', 'b')", &[FaultKind::Segment]);
}

#[test]
fn deleted_inserted_and_reordered_records_are_found() {
    found("DELETE FROM transfer WHERE sequence = 3", &[FaultKind::Sequence, FaultKind::Hash]);
    found("DELETE FROM event WHERE sequence = 1", &[FaultKind::Sequence]);
    found(
        "INSERT INTO event (sequence, record, hash) SELECT 1000, record, hash FROM event WHERE sequence = 2",
        &[FaultKind::Sequence],
    );
    found(
        "UPDATE event SET sequence = -1 WHERE sequence = 2; UPDATE event SET sequence = 2 WHERE sequence = 5;
         UPDATE event SET sequence = 5 WHERE sequence = -1",
        &[FaultKind::Hash, FaultKind::Record],
    );
}

#[test]
fn a_record_in_the_other_log_is_found() {
    found(
        "INSERT INTO event (sequence, record, hash) SELECT sequence, record, hash FROM transfer WHERE sequence = 3;
         DELETE FROM transfer WHERE sequence = 3",
        &[FaultKind::Log],
    );
}

#[test]
fn checkpoints_that_were_deleted_exchanged_or_altered_are_found() {
    found("DELETE FROM checkpoint WHERE sequence = 3", &[FaultKind::Checkpoint]);
    found(
        "UPDATE checkpoint SET envelope = zeroblob(10) WHERE sequence = 3",
        &[FaultKind::Checkpoint, FaultKind::Signature],
    );
    found(
        "UPDATE checkpoint SET envelope = (SELECT envelope FROM checkpoint WHERE sequence = 6) WHERE sequence = 3",
        &[FaultKind::Checkpoint],
    );
}

#[test]
fn another_schema_is_found() {
    let world = World::new();
    let connection = unlocked(&world.segment(1));
    connection.execute_batch("DROP TRIGGER event_stays").unwrap();
    assert_eq!(world.kinds(), BTreeSet::from([FaultKind::Schema]));
}

/// Somebody who can write the folder, but not sign: the end is cut so that the rest is a whole journal.
fn cut(world: &World, last: u64) {
    for (number, path) in crate::segment::segments(&world.path()).unwrap() {
        let first: u64 = unlocked(&path).query_row("SELECT first FROM segment", [], |row| row.get(0)).unwrap();
        if first > last {
            std::fs::remove_file(&path).unwrap();
        } else {
            let delete = |table| format!("DELETE FROM {table} WHERE sequence > {last};");
            world.tamper(number, &["event", "transfer", "file"].map(delete).concat());
            world.tamper(number, &format!("DELETE FROM checkpoint WHERE sequence >= {last}"));
        }
    }
}

#[test]
fn a_tail_that_was_cut_is_found_by_a_checkpoint_from_outside_and_by_nothing_else() {
    let world = World::new();
    cut(&world, 10);
    assert_eq!(world.kinds(), BTreeSet::from([FaultKind::Truncated]));
    let (trust, crls) = world.signing.trust();
    let alone = Evidence { trust: Some((&trust, &crls)), ..Evidence::default() };
    assert!(verify(&world.path(), &alone).unwrap().is_whole());
}

#[test]
fn a_segment_of_another_journal_and_another_journal_are_found() {
    let (world, other) = (World::new(), World::new());
    std::fs::remove_file(world.segment(1)).unwrap();
    assert!(world.kinds().contains(&FaultKind::Segment), "a segment is missing");
    std::fs::copy(other.segment(1), world.segment(1)).unwrap();
    assert!(world.kinds().contains(&FaultKind::Segment), "a segment of another journal");
    let replaced = World { folder: other.folder, ..World::new() };
    assert!(replaced.kinds().contains(&FaultKind::OtherJournal));
}

#[test]
fn a_journal_written_anew_is_whole_only_without_a_checkpoint_from_outside() {
    let world = World::new();
    std::fs::remove_dir_all(world.path()).unwrap();
    let journal = open(world.folder.path());
    journal.transfer(session(1)).unwrap();
    drop(journal);
    assert_eq!(world.kinds(), BTreeSet::from([FaultKind::OtherJournal]));
    let verification = verify(&world.path(), &Evidence::default()).unwrap();
    assert!(verification.is_whole() && verification.proof.is_none());
}

#[test]
fn the_signature_of_somebody_else_is_found() {
    let world = World::new();
    let other = Signing::new();
    let (trust, crls) = other.trust();
    let evidence = Evidence { trust: Some((&trust, &crls)), ..Evidence::default() };
    let verification = verify(&world.path(), &evidence).unwrap();
    assert_eq!(verification.faults.first().map(|fault| fault.kind), Some(FaultKind::Signature));
    assert!(verification.proof.is_none());
}

#[test]
fn a_signer_whose_counter_stands_still_or_that_signs_something_else_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let mut signing = Signing::new();
    let journal = open(folder.path());
    let mut first = None;
    let signed = journal.checkpoint(&mut |request| {
        let envelope = signing.sign(request)?;
        first = Some(envelope.clone());
        Ok(envelope)
    });
    assert!(matches!(signed.unwrap(), Checkpointed::Signed { counter: 1, covers: 1, .. }));
    let again = journal.checkpoint(&mut |_| Ok(first.clone().unwrap())).unwrap();
    assert!(matches!(again, Checkpointed::Unsigned { .. }));
    signing.counter = 0;
    let low = journal.checkpoint(&mut |request| signing.sign(request)).unwrap();
    assert!(matches!(&low, Checkpointed::Unsigned { reason, .. } if reason.contains("did not rise")), "{low:?}");
    drop(journal);
    // Also after a restart.
    signing.counter = 0;
    let journal = open(folder.path());
    let low = journal.checkpoint(&mut |request| signing.sign(request)).unwrap();
    assert!(matches!(low, Checkpointed::Unsigned { .. }));
    assert!(verify(&folder.path().join("journal"), &Evidence::default()).unwrap().is_whole());
}
