//! Reports and engines written out by hand, for the tests of what people see.

use blanche_sandbox::wire::{
    AreaClass, BaseInfo, Cause, Container, ContainerProof, EngineInfo, EngineLimits, EngineSet, FilesystemKind,
    Finding, PartitionTable, ReadLimits, SelfTestResult, Severity, VolumeRole,
};
use blanche_scan::EngineRoomDescription;
use blanche_scan::judge::Verdict;
use blanche_scan::report::{
    AreaLedger, AreaLine, ContentLedger, Engines, FileFindings, Isolation, KnownUse, NotChecked, Profile, Report,
    SCHEMA, SealedTag, Sealing, SealingObstacle, StageRates, TargetKind, TargetLine, VolumeLine,
};

/// 2026-11-22 12:00 UTC.
pub(crate) const NOW: i64 = 1_795_348_800;

/// Engines whose self-test found everything.
pub(crate) fn room() -> EngineRoomDescription {
    EngineRoomDescription {
        engine_set: EngineSet { engines: engines(), limits: limits() },
        self_test: vec![
            SelfTestResult { engine: "clamav".into(), marker: "EICAR".into(), found: true },
            SelfTestResult { engine: "yara-x".into(), marker: "EICAR".into(), found: true },
        ],
        containers: vec![
            ContainerProof { container: Container::Zip, opener: Some("clamav".into()), proved: true },
            ContainerProof { container: Container::Rar, opener: None, proved: false },
        ],
        base_rejected: None,
    }
}

fn limits() -> EngineLimits {
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

fn engines() -> Vec<EngineInfo> {
    let base = |name: &str, version: Option<&str>, signatures, date| BaseInfo {
        name: name.into(),
        version: version.map(str::to_owned),
        signatures,
        date,
        sha256: [0x11; 32],
    };
    let clamav = vec![base("blanche.ndb", Some("1"), 2, Some(1_795_132_800)), base("old.ndb", None, 1, None)];
    let rules = vec![base("scripts", Some("3"), 98, Some(1_795_132_800))];
    vec![
        EngineInfo { name: "clamav".into(), version: "1.4.6".into(), bases: clamav },
        EngineInfo { name: "yara-x".into(), version: "1.22.1".into(), bases: rules },
    ]
}

/// A tag.
pub(crate) fn tag() -> SealedTag {
    SealedTag {
        tag: "019a0000-0000-7000-8000-000000000002".into(),
        station: "accueil-1".into(),
        site: "paris".into(),
        issued: "2026-11-22T12:00:00Z".into(),
        expires: "2026-12-22T12:00:00Z".into(),
        counter: 7,
        manifest: "00".repeat(32),
    }
}

/// A clean key.
pub(crate) fn clean() -> Report {
    Report {
        schema: SCHEMA,
        verdict: Verdict::Clean,
        session: "019a0000-0000-7000-8000-000000000001".into(),
        version: "0.1.0",
        started: "2026-11-22T11:59:48Z".into(),
        finished: "2026-11-22T12:00:00Z".into(),
        duration: 12.0,
        target: TargetLine {
            path: "key.img".into(),
            kind: TargetKind::Image,
            capacity: Some(512_000_000),
            logical_block: Some(512),
        },
        refusal: None,
        tables: vec![PartitionTable::Mbr],
        volumes: vec![volume(0)],
        content: ContentLedger {
            directories: 1,
            files: 12,
            bytes: 34_000_000,
            files_checked: 12,
            checked: 34_000_000,
            skipped: 0,
            unreadable: 0,
            listing_complete: true,
        },
        area: AreaLedger {
            sums: vec![
                AreaLine { volume: None, class: AreaClass::Table, bytes: 512, looked_at: 512 },
                AreaLine { volume: Some(0), class: AreaClass::File, bytes: 34_000_000, looked_at: 34_000_000 },
                AreaLine { volume: Some(0), class: AreaClass::Free, bytes: 477_999_488, looked_at: 0 },
            ],
            digests: Vec::new(),
        },
        findings: Vec::new(),
        findings_left_out: None,
        not_checked: Vec::new(),
        not_checked_left_out: None,
        files: None,
        engines: Engines {
            engines: engines(),
            limits: Some(limits()),
            containers: vec![Container::Zip],
            base_rejected: None,
        },
        sealing: Sealing { possible: true, obstacles: Vec::new() },
        seal: None,
        copy: None,
        isolation: Isolation::default(),
        read_limits: ReadLimits::default(),
        profile: Profile {
            matchers: 2,
            read: 0.25,
            hash: 0.05,
            inspection: 0.1,
            clamav: 3.5,
            rules: 0.75,
            known: KnownUse { contents: 3, bytes: 1_200 },
            bytes_per_second: 2_800_000,
            rates: StageRates {
                read: 40_000_000,
                hash: 200_000_000,
                inspection: 100_000_000,
                clamav: 2_857_142,
                rules: 13_000_000,
            },
        },
    }
}

pub(crate) fn volume(index: u16) -> VolumeLine {
    VolumeLine {
        volume: index,
        start: 1 << 20,
        length: 511_000_000,
        role: VolumeRole::Primary,
        partition_type: None,
        hidden: index > 0,
        efi: false,
        filesystem: FilesystemKind::Fat32,
        view: None,
        label: Some("KEY".into()),
        identifier: Some("1234ABCD".into()),
    }
}

/// One hit in one file.
pub(crate) fn hit(path: &str, name: &str, severity: Severity, layer: &[&str]) -> FileFindings {
    let finding = Finding {
        engine: "clamav".into(),
        name: name.into(),
        severity,
        layer: layer.iter().map(|&name| name.to_owned()).collect(),
    };
    FileFindings {
        volume: Some(0),
        path: path.into(),
        path_bytes: None,
        size: 1234,
        sha256: "22".repeat(32),
        media_type: "application/zip".into(),
        findings: vec![finding],
    }
}

pub(crate) fn gap(path: &str, cause: Cause) -> NotChecked {
    NotChecked { volume: Some(0), path: Some(path.into()), path_bytes: None, offset: 4096, length: 512, cause }
}

/// A key with something of everything.
pub(crate) fn infected() -> Report {
    let mut report = clean();
    report.verdict = Verdict::Infected;
    report.findings = vec![
        hit("docs/invoice.zip", "Eicar-Test-Signature", Severity::Malicious, &["eicar.com"]),
        hit("photo.jpg", "Extension.Mismatch", Severity::Info, &[]),
    ];
    report.not_checked = vec![
        gap("a.zip", Cause::Encrypted(Container::Zip)),
        gap("bad.bin", Cause::Unreadable),
        gap("b.zip", Cause::Encrypted(Container::Zip)),
    ];
    report.content.skipped = 2_000_000;
    report.content.unreadable = 512;
    report.sealing =
        Sealing { possible: false, obstacles: vec![SealingObstacle::NotClean, SealingObstacle::WeakIsolation] };
    report.isolation.weaker = vec!["no network namespace".into()];
    report
}
