//! Journals for tests: a folder, sessions as they might be, a signer with the test keys of `blanche-tag`.

use crate::{CheckpointRequest, ClosingRecord, Journal, JournalSettings, Verdict};
use blanche_tag::checkpoint::Checkpoint;
use blanche_tag::claims::Label;
use blanche_tag::envelope::{Algorithm, Purpose, seal};
use blanche_tag::testing::{
    Certificate, DAY, End, Keys, NAME, START, Station, both, end_certificate, issuer_certificate, root_certificate,
};
use blanche_tag::{Authority, Crl, TrustStore};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// A digest that a number stands for.
pub(crate) fn digest(number: u64) -> String {
    crate::chain::sha256_hex(&number.to_be_bytes())
}

/// A session that a number stands for: every fourth is infected. `record-journal` makes its sessions of the same sample.
pub(crate) fn session(number: u64) -> ClosingRecord {
    let mut closing: ClosingRecord = serde_json::from_str(include_str!("../samples/session.json")).unwrap();
    closing.session = format!("019a0000-0000-7000-8000-{number:012x}");
    closing.medium.serial = Some(format!("SERIAL{}", number % 1000));
    for file in &mut closing.files {
        (file.sha256, file.path) = (Some(digest(number)), format!("documents/été {number}.exe"));
    }
    if number % 4 != 3 {
        (closing.verdict, closing.counts.malicious, closing.files) = (Verdict::Clean, 0, Vec::new());
    }
    closing
}

pub(crate) fn settings(folder: &Path) -> JournalSettings {
    JournalSettings::new(&folder.join("journal"))
}

pub(crate) fn open(folder: &Path) -> Journal {
    Journal::open(&settings(folder)).unwrap()
}

/// No keys.
pub(crate) fn nobody(_: &CheckpointRequest) -> Result<Vec<u8>, String> {
    Err("no keys are installed".to_owned())
}

/// An authority and a station that signs checkpoints, with keys of their own.
pub(crate) struct Signing {
    station: Station,
    anchors: [Vec<u8>; 2],
    pub(crate) counter: u64,
}

impl Signing {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let keys = |role: &str| Keys::new(&format!("journal {number} {role}"));
        let (root, issuer, station) = (keys("root"), keys("issuer"), keys("station"));
        let anchors = both(|algorithm| root_certificate("TEST authority").make(algorithm, &root, &root));
        let end = Some(End { san: Some(NAME), purpose: Purpose::Checkpoint });
        let end = Certificate { end, ..end_certificate() };
        let chains = Algorithm::BOTH.map(|algorithm| {
            let above = issuer_certificate().make(algorithm, &issuer, &root);
            vec![end.make(algorithm, &station, &issuer), above]
        });
        Self { station: Station { keys: station, chains }, anchors, counter: 0 }
    }

    pub(crate) fn trust(&self) -> (TrustStore, Vec<Crl>) {
        let [one, two] = self.anchors.clone();
        (TrustStore { authorities: vec![Authority::new(one, two).unwrap()] }, Vec::new())
    }

    /// With the next counter, at a time at which the test certificates are valid.
    pub(crate) fn sign(&mut self, request: &CheckpointRequest) -> Result<Vec<u8>, String> {
        self.counter += 1;
        let label = |text: &str| Label::try_from(text).unwrap();
        let claims = request.claims(label("station-1"), label("site-a"), self.counter);
        let claims = Checkpoint { issued: START + 40 * DAY, ..claims };
        seal(&claims, &mut self.station).map_err(|error| error.to_string())
    }
}
