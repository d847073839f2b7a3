//! Records sessions into a journal as a station does: `record-journal FOLDER SESSIONS [--segment BYTES] [--keys DIR]
//! [--batch N]`, after one event of every kind. With keys, each session gets a checkpoint by the real signer beside this program; with a batch, so many
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
    ClosingRecord, CopiesRecord, CopyMade, Event, EventKind, Journal, JournalSettings, MediumIdentity, Record, Verdict,
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
    let every_kind = EventKind::ALL.iter().map(|kind| Record::Event(Event::new(*kind).with("reason", "été \u{202e}")));
    journal.append(every_kind.collect()).expect("room");
    let begun = Instant::now();
    let batch = number("--batch").unwrap_or(1);
    for first in (0..sessions).step_by(usize::try_from(batch).expect("a batch")) {
        let mut records = Vec::new();
        for number in first..(first + batch).min(sessions) {
            let closing = session(number);
            let arrived = Event::new(EventKind::Arrived).of_session(&closing.session).of_medium(closing.medium.clone());
            let copies = (number % 10 == 5).then(|| Record::Copies(Box::new(copies(&closing))));
            records.extend([Record::Event(arrived), Record::Transfer(Box::new(closing))]);
            records.extend(copies);
        }
        journal.append(records).expect("room");
        if let Some(signer) = &signer {
            let _ = checkpoint(&journal, Ok(signer)).expect("room");
        }
    }
    println!("{{\"sessions\": {sessions}, \"seconds\": {:.3}}}", begun.elapsed().as_secs_f64());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn copies(closing: &ClosingRecord) -> CopiesRecord {
    let made = CopyMade {
        medium: MediumIdentity { serial: Some("STATION-KEY".to_owned()), ..MediumIdentity::default() },
        clean_files_only: false,
        files: closing.counts.files,
        bytes: closing.counts.bytes,
        complete: true,
        outcome: "copied".to_owned(),
        cause: None,
        tag: None,
    };
    CopiesRecord { session: closing.session.clone(), medium: closing.medium.clone(), copies: vec![made] }
}

/// A session that a number stands for, made of the sample that the journal's own tests use.
fn session(number: u64) -> ClosingRecord {
    let sample = include_str!("../../../src/journal/samples/session.json");
    let mut closing: ClosingRecord = serde_json::from_str(sample).expect("a closing record");
    closing.session = format!("019a0000-0000-7000-8000-{number:012x}");
    closing.medium.serial = Some(format!("SERIAL{}", number % 1000));
    for file in &mut closing.files {
        file.sha256 = Some(hex(&Sha256::digest(format!("file {number}"))));
        file.path = format!("documents/été {number}.exe");
    }
    if number % 4 != 3 {
        (closing.verdict, closing.counts.malicious, closing.files) = (Verdict::Clean, 0, Vec::new());
    }
    closing
}
