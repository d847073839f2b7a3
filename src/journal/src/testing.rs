//! Journals for tests: a folder, sessions as they might be, a signer with the test keys of `blanche-tag`.

use crate::{
    BaseUsed, CheckpointRequest, ClosingRecord, Counts, Ending, EngineUsed, FoundFile, Journal, JournalSettings,
    MediumIdentity, Severity, Verdict,
};
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

/// A session that a number stands for: every fourth is infected.
pub(crate) fn session(number: u64) -> ClosingRecord {
    let infected = number % 4 == 3;
    let file = FoundFile {
        sha256: digest(number),
        path: format!("documents/été {number}.exe"),
        path_bytes: None,
        size: 1000 + number,
        severity: Severity::Malicious,
        findings: vec!["clamav: Test.Eicar".to_owned()],
    };
    ClosingRecord {
        session: format!("019a0000-0000-7000-8000-{number:012x}"),
        started: "2026-11-28T09:00:00Z".to_owned(),
        finished: "2026-11-28T09:01:00Z".to_owned(),
        ending: Ending::Completed,
        verdict: if infected { Verdict::Infected } else { Verdict::Clean },
        reason: None,
        medium: MediumIdentity {
            vendor: Some(0x0951),
            product: Some(0x1666),
            serial: Some(format!("SERIAL{}", number % 1000)),
            name: Some("Kingston DataTraveler".to_owned()),
            port: Some("1-2".to_owned()),
            capacity: Some(16_000_000_000),
            volumes: vec!["1234abcd".to_owned()],
        },
        counts: Counts { files: 10, bytes: 5000, checked: 5000, malicious: u64::from(infected), ..Counts::default() },
        files: if infected { vec![file] } else { Vec::new() },
        tag: None,
        engines: vec![EngineUsed {
            name: "clamav".to_owned(),
            version: "1.4.3".to_owned(),
            bases: vec![BaseUsed { name: "main".to_owned(), version: "62".to_owned(), date: Some(1_700_000_000) }],
        }],
        policy: Some("default 1".to_owned()),
        copies: Vec::new(),
        report: None,
    }
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
