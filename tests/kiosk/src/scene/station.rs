//! A station that works, and what can be wrong with it.

use blanche_sandbox::wire::{BaseInfo, Container, ContainerProof, EngineInfo, EngineLimits, EngineSet, SelfTestResult};
use blanche_scan::EngineRoomDescription;
use blanche_station::board::{Problem, ProblemKind, StationView};
use std::sync::Arc;

/// 2026-11-20 06:00 UTC: two days before the clock of the tests ([`crate::desk::NOW`]).
const BASES: i64 = 1_795_154_400;

/// A station whose engines are loaded.
pub(super) fn ready() -> StationView {
    StationView { engines: Some(Arc::new(room())), ..StationView::default() }
}

/// A station with problems. Without engines it has none to show.
pub(super) fn with_problems(kinds: &[ProblemKind]) -> StationView {
    let problems = kinds.iter().map(|&kind| Problem { kind, detail: detail(kind).to_owned() }).collect();
    let engines = (!kinds.contains(&ProblemKind::Engines)).then(|| Arc::new(room()));
    StationView { engines, problems, ..StationView::default() }
}

const fn detail(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Engines => "no base in /var/lib/clamav",
        ProblemKind::Bases => "daily.cvd is 9 days old",
        ProblemKind::UsbOpen => "usb2/authorized_default: Permission denied",
        ProblemKind::Journal => "/var/lib/blanche/journal: No space left on device",
        ProblemKind::Signer => "no keys in /var/lib/blanche/keys",
        ProblemKind::Detection => "udev: the socket was closed",
    }
}

fn base(name: &str, version: &str, signatures: u64) -> BaseInfo {
    BaseInfo { name: name.into(), version: Some(version.into()), signatures, date: Some(BASES), sha256: [0x11; 32] }
}

/// Engines as a report and the station name them.
pub(super) fn engines() -> Vec<EngineInfo> {
    let clamav = vec![base("main.cvd", "62", 6_647_427), base("daily.cvd", "27460", 2_075_814)];
    let rules = vec![base("blanche-rules", "3", 98)];
    vec![
        EngineInfo { name: "clamav".into(), version: "1.4.6".into(), bases: clamav },
        EngineInfo { name: "yara-x".into(), version: "1.22.1".into(), bases: rules },
    ]
}

pub(super) fn limits() -> EngineLimits {
    EngineLimits {
        max_file_size: 0,
        max_scan_size: 4 << 30,
        max_files: 10_000,
        max_recursion: 17,
        max_scan_time: 120_000,
        max_rules_time: 30,
        max_matcher_memory: 2 << 30,
    }
}

fn room() -> EngineRoomDescription {
    EngineRoomDescription {
        engine_set: EngineSet { engines: engines(), limits: limits() },
        self_test: vec![
            SelfTestResult { engine: "clamav".into(), marker: "EICAR".into(), found: true },
            SelfTestResult { engine: "yara-x".into(), marker: "EICAR".into(), found: true },
        ],
        containers: vec![ContainerProof { container: Container::Zip, opener: Some("clamav".into()), proved: true }],
        base_rejected: None,
    }
}
