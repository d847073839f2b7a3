//! Records sessions into a journal as a station does: `record-journal FOLDER SESSIONS [--segment BYTES] [--keys DIR]
//! [--batch N]`. With keys, each session gets a checkpoint by the real signer beside this program; with a batch, so many
//! sessions are recorded at once. Prints one line of JSON: how long it took.
//!
//! Every fourth session is infected; the file's SHA-256 is that of `file N`, the serial number `SERIAL` and N modulo 1000.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program: when it fails, the test that started it fails"
)]

use blanche_journal::{
    BaseUsed, ClosingRecord, Counts, Ending, EngineUsed, Event, EventKind, FoundFile, Journal, JournalSettings,
    MediumIdentity, Record, Severity, Verdict,
};
use blanche_keys::SignerClient;
use blanche_station::record::checkpoint;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("FOLDER"));
    let sessions: u64 = arguments.next().and_then(|number| number.parse().ok()).expect("SESSIONS");
    let options: BTreeMap<String, String> =
        std::iter::from_fn(|| Some((arguments.next()?, arguments.next().expect("a value")))).collect();
    let number = |name: &str| options.get(name).map(|value| value.parse::<u64>().expect("a number"));
    let mut settings = JournalSettings::new(&folder);
    settings.segment_bytes = number("--segment").unwrap_or(settings.segment_bytes);
    let journal = Journal::open(&settings).expect("a journal");
    let signer = options.get("--keys").map(|keys| {
        let program = std::env::current_exe().expect("a path").with_file_name("blanche-signer");
        SignerClient::spawn(&program, Path::new(keys)).expect("a signer")
    });
    let begun = Instant::now();
    let batch = number("--batch").unwrap_or(1);
    for first in (0..sessions).step_by(usize::try_from(batch).expect("a batch")) {
        let mut records = Vec::new();
        for number in first..(first + batch).min(sessions) {
            let closing = session(number);
            let arrived = Event::new(EventKind::Arrived).of_session(&closing.session).of_medium(closing.medium.clone());
            records.extend([Record::Event(arrived), Record::Transfer(Box::new(closing))]);
        }
        journal.append(records).expect("room");
        if signer.is_some() {
            let _ = checkpoint(&journal, signer.as_ref()).expect("room");
        }
    }
    println!("{{\"sessions\": {sessions}, \"seconds\": {:.3}}}", begun.elapsed().as_secs_f64());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn session(number: u64) -> ClosingRecord {
    let infected = number % 4 == 3;
    let file = FoundFile {
        sha256: hex(&Sha256::digest(format!("file {number}"))),
        path: format!("documents/été {number}.exe"),
        path_bytes: None,
        size: 1000 + number,
        severity: Severity::Malicious,
        findings: vec!["clamav: Blanche.Test".to_owned()],
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
