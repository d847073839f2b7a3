//! Checkpoints of the journal: what the signer signs, and who accepts it.

use crate::claims::{encoded, now};
use crate::world::{SITE, STATION, World, keys};
use blanche_keys::protocol::Refusal;
use blanche_keys::{SignerClient, SignerError};
use blanche_tag::checkpoint::{Checkpoint, verify};
use blanche_tag::claims::Label;
use blanche_tag::{Authority, Code, Crl, TrustStore};
use std::fs;

fn checkpoint(counter: u64) -> Checkpoint {
    let label = |text: &str| Label::try_from(text).unwrap();
    let (station, site) = (label(STATION), label(SITE));
    Checkpoint { journal: [7; 16], station, site, issued: now(), counter, sequence: 12, hash: [9; 32] }
}

fn refusal(signer: &SignerClient, change: impl FnOnce(&mut Checkpoint)) -> Option<Refusal> {
    let mut claims = checkpoint(signer.describe().unwrap().next_counter);
    change(&mut claims);
    match signer.sign_checkpoint(&claims) {
        Ok(_) => None,
        Err(SignerError::Refused { refusal, .. }) => Some(refusal),
        Err(other) => panic!("{other}"),
    }
}

/// Anchors and CRLs of a workstation.
fn trust(world: &World) -> (TrustStore, Vec<Crl>) {
    let trust = world.trust();
    let [classical, post_quantum] = trust.anchors;
    let store = TrustStore { authorities: vec![Authority::new(classical, post_quantum).unwrap()] };
    (store, trust.crls.into_iter().map(|crl| Crl::new(crl).unwrap()).collect())
}

#[test]
fn checkpoints_are_signed_with_the_counter_of_tags_and_accepted() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    assert!(signer.describe().unwrap().signs_checkpoints);
    let claims = checkpoint(1);
    let envelope = signer.sign_checkpoint(&claims).unwrap();
    let (store, crls) = trust(&world);
    assert_eq!(*verify(&envelope, &store, &crls).unwrap(), claims);
    // One counter for both: neither may use a number of the other again.
    assert_eq!(crate::signer::refusal(&signer, &encoded(STATION, SITE, 1)), Some(Refusal::Counter));
    signer.sign(&encoded(STATION, SITE, 2)).unwrap();
    assert_eq!(refusal(&signer, |claims| claims.counter = 2), Some(Refusal::Counter));
    assert_eq!(refusal(&signer, |_| {}), None);
}

#[test]
fn foreign_old_and_far_checkpoints_are_not_signed() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let named = |text: &str| Label::try_from(text).unwrap();
    assert_eq!(refusal(&signer, |claims| claims.station = named("station-2")), Some(Refusal::Foreign));
    assert_eq!(refusal(&signer, |claims| claims.site = named("site-b")), Some(Refusal::Foreign));
    assert_eq!(refusal(&signer, |claims| claims.issued -= 620), Some(Refusal::Clock));
    assert_eq!(refusal(&signer, |claims| claims.issued += 620), Some(Refusal::Clock));
    assert_eq!(refusal(&signer, |claims| claims.counter += 1 << 20), Some(Refusal::Counter));
    assert_eq!(refusal(&signer, |claims| claims.sequence = 0), Some(Refusal::Malformed));
    assert_eq!(refusal(&signer, |_| {}), None);
}

#[test]
fn neither_certificate_serves_for_the_other_purpose() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let (tag, envelope) =
        (signer.sign(&encoded(STATION, SITE, 1)).unwrap(), signer.sign_checkpoint(&checkpoint(2)).unwrap());
    let (store, crls) = trust(&world);
    assert_eq!(verify(&tag, &store, &crls).unwrap_err().code, Code::Typ);
    assert_eq!(world.trust().verify(&envelope, now()).unwrap_err().code, Code::Typ);
    drop(signer);
    // Chains of tags under the names of those of checkpoints: the signer does not start.
    for kind in ["classical", "post-quantum"] {
        let chain = |name: &str| world.at(&format!("station/{kind}{name}.pem"));
        fs::copy(chain(""), chain(".checkpoint")).unwrap();
    }
    assert!(world.spawn().is_err());
}

#[test]
fn without_certificates_for_it_tags_are_signed_and_checkpoints_are_not() {
    let world = World::with_station();
    for kind in ["classical", "post-quantum"] {
        fs::remove_file(world.at(&format!("station/{kind}.checkpoint.pem"))).unwrap();
    }
    let signer = world.spawn().unwrap();
    assert!(!signer.describe().unwrap().signs_checkpoints);
    assert_eq!(refusal(&signer, |_| {}), Some(Refusal::NoCheckpoint));
    signer.sign(&encoded(STATION, SITE, 1)).unwrap();
    drop(signer);
    // One of two is a mistake.
    fs::copy(world.at("station/classical.pem"), world.at("station/classical.checkpoint.pem")).unwrap();
    assert!(world.spawn().is_err());
}

#[test]
fn a_checkpoint_outlives_its_certificates_but_not_the_revocation_of_its_station() {
    let world = World::with_station();
    let envelope = world.spawn().unwrap().sign_checkpoint(&checkpoint(1)).unwrap();
    let (store, crls) = trust(&world);
    // It is judged at its own time; nothing here knows what time it is now. Without any CRL it still counts.
    assert!(verify(&envelope, &store, &[]).is_ok());
    assert!(verify(&envelope, &store, &crls).is_ok());
    assert!(verify(&envelope, &TrustStore::default(), &crls).is_err());
    world.revoke("site", &["--station", STATION, "--site", SITE]).unwrap();
    let (store, crls) = trust(&world);
    assert_eq!(verify(&envelope, &store, &crls).unwrap_err().code, Code::RevokedStation);
}

#[test]
fn a_rotation_changes_both_pairs_of_certificates() {
    let world = World::with_station();
    let (folder, pass) = (world.text("station"), world.text("station.pass"));
    let rotate = || keys(&["rotate", "--folder", &folder, "--passphrase-file", &pass]);
    rotate().unwrap();
    world.certify("station/next", 365);
    let missing = world.at("station/next/classical.checkpoint.pem");
    let kept = fs::read(&missing).unwrap();
    fs::remove_file(&missing).unwrap();
    assert!(rotate().is_err(), "keys would be put in use whose journal cannot be signed");
    fs::write(&missing, kept).unwrap();
    rotate().unwrap();
    let envelope = world.spawn().unwrap().sign_checkpoint(&checkpoint(1)).unwrap();
    let (store, crls) = trust(&world);
    verify(&envelope, &store, &crls).unwrap();
}
