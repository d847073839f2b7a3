//! What retention deletes: an honest journal stays whole, and nobody who cannot sign deletes unseen.

use crate::testing::{Signing, open, session, settings};
use crate::{Checkpointed, Evidence, FaultKind, Journal, JournalSettings, Verification, verify};
use std::path::Path;
use std::time::Duration;

/// A journal in which every checkpoint stands in the segment after that of the record that it covers: the segment closed
/// while it was signed.
fn straddled(folder: &Path, signing: &mut Signing) {
    let small = JournalSettings { segment_bytes: 1, ..settings(folder) };
    let journal = Journal::open(&small).unwrap();
    for number in 0..4 {
        journal.transfer(session(number)).unwrap();
        sign(&journal, signing);
    }
}

fn sign(journal: &Journal, signing: &mut Signing) {
    let signed = journal.checkpoint(&mut |request| signing.sign(request)).unwrap();
    assert!(matches!(signed, Checkpointed::Signed { .. }), "{signed:?}");
}

/// A start at which everything in closed segments is older than is kept.
fn retain(folder: &Path) {
    std::thread::sleep(Duration::from_millis(20));
    let keep = Some(Duration::from_millis(10));
    drop(Journal::open(&JournalSettings { keep, ..settings(folder) }).unwrap());
}

fn verified(folder: &Path, signing: &Signing) -> Verification {
    let (trust, crls) = signing.trust();
    let evidence = Evidence { trust: Some((&trust, &crls)), every_signature: true, ..Evidence::default() };
    verify(&folder.join("journal"), &evidence).unwrap()
}

#[test]
fn a_checkpoint_whose_record_retention_deleted_is_no_fault_and_proves_nothing() {
    let (folder, mut signing) = (tempfile::tempdir().unwrap(), Signing::new());
    straddled(folder.path(), &mut signing);
    retain(folder.path());
    let found = verified(folder.path(), &signing);
    assert_eq!((&found.faults[..], found.segments, found.checkpoints), (&[][..], 1, 1));
    assert!(found.proof.is_none(), "the only checkpoint covers what is not there: {:?}", found.proof);
    assert!(!found.is_deletion_signed());
    let journal = open(folder.path());
    assert!(journal.unsigned().unwrap().is_some(), "the deletion");
    sign(&journal, &mut signing);
    assert_eq!(journal.unsigned().unwrap(), None);
    let found = verified(folder.path(), &signing);
    assert_eq!(
        (&found.faults[..], found.proof.as_ref().map(|proof| proof.checkpoint.sequence)),
        (&[][..], Some(found.last - 1))
    );
    assert!(found.is_deletion_signed());
}

#[test]
fn a_beginning_that_somebody_deleted_is_found_although_its_checkpoint_is_kept() {
    let (folder, mut signing) = (tempfile::tempdir().unwrap(), Signing::new());
    straddled(folder.path(), &mut signing);
    std::fs::remove_file(folder.path().join("journal/00000001.sqlite")).unwrap();
    let kinds: Vec<_> = verified(folder.path(), &signing).faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Segment]);
}

#[test]
fn a_deletion_that_no_signature_covers_is_told_from_one_of_the_station() {
    let (folder, mut signing) = (tempfile::tempdir().unwrap(), Signing::new());
    straddled(folder.path(), &mut signing);
    let journal = open(folder.path());
    sign(&journal, &mut signing);
    drop(journal);
    assert!(verified(folder.path(), &signing).is_deletion_signed(), "nothing was deleted");
    // Whoever may write the folder can also record that retention did it.
    retain(folder.path());
    let found = verified(folder.path(), &signing);
    assert!(found.is_whole() && found.proof.is_some(), "{:?}", found.faults);
    assert!(!found.is_deletion_signed());
    sign(&open(folder.path()), &mut signing);
    assert!(verified(folder.path(), &signing).is_deletion_signed());
}
