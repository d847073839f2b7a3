//! The self-test of a confined matcher: markers are found, and every container with an opener is opened.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop and say where"
)]

mod station;

use blanche_engines::containers::OPENERS;
use station::Station;

#[test]
fn every_marker_is_found_and_every_opener_opens_its_sample() {
    let station = Station::eicar();
    let (results, proofs) = station.matcher().self_test();
    assert!(results.len() >= 3 && results.iter().all(|result| result.found), "{results:?}");
    assert_eq!(proofs.len(), OPENERS.len());
    let failed: Vec<_> = proofs.iter().filter(|proof| proof.opener.is_some() != proof.proved).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
