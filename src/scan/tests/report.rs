//! The JSON report: golden files, and docs/report.md, which must name every field and no other.
//!
//! After an intended change: `UPDATE_GOLDEN=1 cargo test --release -p blanche-scan --test report`, then read the
//! difference, and raise [`SCHEMA`] if a field changed its meaning or disappeared.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_sandbox::wire::*;
use blanche_scan::judge::Verdict;
use blanche_scan::report::*;
use blanche_scan::settings::CopyMode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const DESCRIPTION: &str = include_str!("../../../docs/report.md");

fn base() -> Report {
    Report {
        schema: SCHEMA,
        verdict: Verdict::Infected,
        session: "019a0000-0000-7000-8000-000000000001".into(),
        version: "0.1.0",
        started: "2026-11-22T11:59:48Z".into(),
        finished: "2026-11-22T12:00:00Z".into(),
        duration: 12.5,
        target: TargetLine {
            path: "/dev/sdb".into(),
            kind: TargetKind::Device,
            capacity: Some(15_931_539_456),
            logical_block: Some(512),
        },
        refusal: None,
        tables: vec![PartitionTable::GptPrimary, PartitionTable::GptBackup],
        volumes: vec![volume(0, PartitionType::Gpt([0xEB; 16])), volume(1, PartitionType::Mbr(0x0C))],
        content: ContentLedger {
            directories: 2,
            files: 5,
            bytes: 10_000,
            files_checked: 2,
            checked: 8_000,
            skipped: 1_488,
            unreadable: 512,
            listing_complete: true,
        },
        area: area(),
        findings: findings(),
        findings_left_out: Some(FindingsLeftOut { malicious: 0, suspicious: 2, info: 40 }),
        not_checked: not_checked(),
        not_checked_left_out: Some(934_464),
        files: Some(files()),
        engines: engines(),
        sealing: Sealing {
            possible: false,
            obstacles: vec![SealingObstacle::NotClean, SealingObstacle::StaleBase("old.ndb".into())],
        },
        seal: None,
        copy: None,
        isolation: Isolation {
            reader: Some(born(false)),
            matcher: Some(born(true)),
            weaker: vec!["no-network-namespace".into()],
        },
        read_limits: ReadLimits::default(),
        profile: Profile {
            matchers: 2,
            read: 0.5,
            hash: 0.25,
            inspection: 0.125,
            clamav: 3.5,
            rules: 0.75,
            known: KnownUse { contents: 1, bytes: 8 },
            bytes_per_second: 800,
            rates: StageRates { read: 1, hash: 2, inspection: 3, clamav: 4, rules: 5 },
        },
    }
}

fn volume(volume: u16, partition_type: PartitionType) -> VolumeLine {
    VolumeLine {
        volume,
        start: 1 << 20,
        length: 1 << 30,
        role: VolumeRole::Gpt,
        partition_type: Some(partition_type),
        hidden: false,
        efi: false,
        filesystem: FilesystemKind::ExFat,
        view: (volume == 1).then_some(View { tree: Tree::Joliet, session: 0 }),
        label: Some("CLÉ".into()),
        identifier: Some("1234abcd".into()),
    }
}

fn area() -> AreaLedger {
    AreaLedger {
        sums: vec![
            AreaLine { volume: None, class: AreaClass::Table, bytes: 34_304, looked_at: 34_304 },
            AreaLine { volume: Some(0), class: AreaClass::Free, bytes: 1 << 29, looked_at: 0 },
        ],
        digests: vec![AreaDigest { class: AreaClass::Boot, start: 0, length: 512, sha256: [0xA5; 32] }],
    }
}

fn findings() -> Vec<FileFindings> {
    vec![FileFindings {
        volume: Some(0),
        path: "docs/inv\\u{202E}fdp.zip".into(),
        path_bytes: Some("646f63732f696e76e280ae6664702e7a6970".into()),
        size: 1_234,
        sha256: "22".repeat(32),
        media_type: "application/zip".into(),
        findings: vec![Finding {
            engine: "clamav".into(),
            name: "Eicar-Test-Signature".into(),
            severity: Severity::Malicious,
            layer: vec!["inner.zip".into(), "eicar.com".into()],
        }],
    }]
}

fn not_checked() -> Vec<NotChecked> {
    let line = |path: Option<&str>, cause| NotChecked {
        volume: path.map(|_| 0),
        path: path.map(str::to_owned),
        path_bytes: path.map(|_| "00ff".into()),
        offset: 4_096,
        length: 512,
        cause,
    };
    vec![
        line(None, Cause::MediumRemoved),
        line(Some("a.rar"), Cause::ContainerUnsupported(Container::Rar)),
        line(Some("b.bin"), Cause::EngineFailed("clamav: CL_EREAD".into())),
    ]
}

fn files() -> Vec<FileLine> {
    vec![FileLine {
        volume: 0,
        path: "letter.odt".into(),
        path_bytes: Some("6c".into()),
        size: 4_000,
        sha256: Some("33".repeat(32)),
        blake3: Some("44".repeat(32)),
        media_type: Some("application/vnd.oasis.opendocument.text".into()),
        verdict: Verdict::Clean,
    }]
}

fn engines() -> Engines {
    let bases = vec![BaseInfo {
        name: "daily.cvd".into(),
        version: Some("27800".into()),
        signatures: 2_000_000,
        date: Some(1_795_132_800),
        sha256: [0x11; 32],
    }];
    Engines {
        engines: vec![EngineInfo { name: "clamav".into(), version: "1.4.6".into(), bases }],
        limits: Some(blanche_scan::settings::Settings::default().engines.limits),
        containers: vec![Container::Zip, Container::SevenZip],
        base_rejected: Some("daily.cvd: EICAR was not found".into()),
    }
}

fn born(private_tmpfs: bool) -> Born {
    Born { no_new_privileges: true, landlock_abi: 7, allowed_system_calls: 21, network_namespace: true, private_tmpfs }
}

fn refused() -> Report {
    let mut report = base();
    report.verdict = Verdict::Refused;
    report.refusal = Some(Refusal::TooLarge(1_000_000_000));
    report.tables.clear();
    report.volumes.clear();
    report.content = ContentLedger::default();
    report.area = AreaLedger::default();
    report.findings.clear();
    report.findings_left_out = None;
    report.not_checked.clear();
    report.not_checked_left_out = None;
    report.files = None;
    report.isolation = Isolation::default();
    report.profile = Profile::default();
    report
}

/// A clean medium without files, and what came of its sealing.
fn clean(seal: Seal) -> Report {
    let sealing = Sealing { possible: true, obstacles: Vec::new() };
    let isolation = Isolation { weaker: Vec::new(), ..refused().isolation };
    Report { verdict: Verdict::Clean, refusal: None, sealing, seal: Some(seal), isolation, ..refused() }
}

fn tag() -> SealedTag {
    SealedTag {
        tag: "0193d2a0-0000-7000-8000-000000000001".into(),
        station: "accueil-1".into(),
        site: "paris".into(),
        issued: "2026-11-24T10:00:00Z".into(),
        expires: "2026-12-24T10:00:00Z".into(),
        counter: 7,
        manifest: "00".repeat(32),
    }
}

/// One of each outcome of sealing.
fn sealed() -> [Report; 3] {
    let because = WriteObstacle::NoSpace { needed: 8192, free: 512 };
    let file = "/var/lib/blanche/tags/a5/5a.blanche.tag".into();
    let outcomes = [
        Seal::OnMedium { tag: tag(), volume: 0 },
        Seal::Detached { tag: tag(), file, because },
        Seal::NoTag { reason: NoTag::Writing(SealFailure::Before) },
    ];
    outcomes.map(clean)
}

/// A copy that was made, and one that was not.
fn copied() -> [Report; 2] {
    let output = TargetLine {
        path: "/dev/sdc".into(),
        kind: TargetKind::Device,
        capacity: Some(16_008_609_792),
        logical_block: Some(512),
    };
    let copy = CopyReport {
        outcome: CopyOutcome::Copied,
        cause: None,
        mode: CopyMode::CleanFiles,
        outside_profile: true,
        output,
        filesystem: Some(CopyFilesystem::Fat32),
        files: 12,
        folders: 3,
        bytes: 34_000_000,
        renamed: vec![Renamed {
            volume: 0,
            path: "a\\u{202E}b".into(),
            path_bytes: Some("61e280ae62".into()),
            to: "a_b".into(),
            because: vec![NameChange::Invisible],
        }],
        renamed_more: Some(12),
        left_out: vec![LeftOut {
            volume: 0,
            path: "x\\u{1}.exe".into(),
            path_bytes: Some("78012e657865".into()),
            because: Omission::NotClean,
        }],
        left_out_more: Some(3),
        not_carried: NotCarried::ALL,
        seal: Some(Seal::OnMedium { tag: tag(), volume: 0 }),
    };
    let cause = Some(CopyCause::NoRoom { needed: 8192, room: 4096 });
    let not = CopyReport {
        outcome: CopyOutcome::Untouched,
        cause,
        renamed: Vec::new(),
        renamed_more: None,
        left_out: Vec::new(),
        left_out_more: None,
        seal: None,
        ..copy.clone()
    };
    let report = |copy| Report { copy: Some(copy), seal: None, ..clean(Seal::NoTag { reason: NoTag::Folder }) };
    [copy, not].map(report)
}

/// Compares with the file in tests/golden.
fn compare(name: &str, report: &Report) {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", name].iter().collect();
    let text = serde_json::to_string_pretty(report).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &text).expect("written");
    }
    let golden = std::fs::read_to_string(&file).expect("the golden file");
    assert!(text == golden, "{} differs:\n{text}", file.display());
}

#[test]
fn the_report_of_an_infected_medium_is_the_golden_one() {
    compare("infected.json", &base());
}

#[test]
fn the_report_of_a_refused_medium_is_the_golden_one() {
    compare("refused.json", &refused());
}

#[test]
fn the_reports_of_sealed_media_are_the_golden_ones() {
    for (name, report) in ["sealed.json", "detached.json", "no-tag.json"].into_iter().zip(sealed()) {
        compare(name, &report);
    }
}

#[test]
fn the_reports_of_copies_are_the_golden_ones() {
    for (name, report) in ["copied.json", "not-copied.json"].into_iter().zip(copied()) {
        compare(name, &report);
    }
}

/// Dotted paths of all fields: `volumes[].start`.
fn fields(value: &Value, prefix: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                into.insert(path.clone());
                fields(member, &path, into);
            }
        }
        Value::Array(members) => members.iter().for_each(|member| fields(member, &format!("{prefix}[]"), into)),
        _ => {}
    }
}

#[test]
fn every_field_is_described_and_no_other() {
    let mut present = BTreeSet::new();
    // What came of sealing a copy is told as of any other medium.
    let seals = sealed().map(|report| {
        let [mut copied, _] = copied();
        copied.copy = copied.copy.map(|copy| CopyReport { seal: report.seal, ..copy });
        copied
    });
    for report in [base(), refused()].into_iter().chain(sealed()).chain(copied()).chain(seals) {
        fields(&serde_json::to_value(report).expect("JSON"), "", &mut present);
    }
    let section = DESCRIPTION.split("## ").find(|section| section.starts_with("Fields")).expect("the section");
    let row = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    let described: BTreeSet<String> = section.lines().filter_map(row).collect();
    assert_eq!(described, present);
}

#[test]
fn every_cause_is_described() {
    let error = serde_json::from_value::<Cause>(json!({"cause": "?"})).expect_err("no such cause").to_string();
    let (_, names) = error.split_once("expected one of ").expect("a list");
    let names: BTreeSet<&str> = names.split('`').skip(1).step_by(2).collect();
    let section = DESCRIPTION.split("## ").find(|section| section.starts_with("Causes")).expect("the section");
    let row = |line: &'static str| Some(line.strip_prefix("| `")?.split_once('`')?.0);
    assert_eq!(section.lines().filter_map(row).collect::<BTreeSet<_>>(), names);
}

#[test]
fn the_description_names_the_current_schema() {
    assert!(DESCRIPTION.contains(&format!("`{SCHEMA}`")));
}

#[test]
fn digests_are_digits_for_people_and_bytes_between_processes() {
    let digest = AreaDigest { class: AreaClass::Boot, start: 0, length: 512, sha256: [0xA5; 32] };
    let json = serde_json::to_value(digest).expect("JSON");
    assert_eq!(json["sha256"], "a5".repeat(32));
    assert_eq!(serde_json::from_value::<AreaDigest>(json).expect("back"), digest);
    for wrong in [json!("a5"), json!("zz".repeat(32)), json!("a5".repeat(33)), json!("é".repeat(32))] {
        let mut json = serde_json::to_value(digest).expect("JSON");
        json["sha256"] = wrong;
        assert!(serde_json::from_value::<AreaDigest>(json).is_err());
    }
    let bytes = postcard::to_stdvec(&digest).expect("postcard");
    assert_eq!(bytes.len(), 1 + 1 + 2 + 32);
    assert_eq!(postcard::from_bytes::<AreaDigest>(&bytes).expect("back"), digest);
    assert_eq!(postcard::to_stdvec(&PartitionType::Gpt([7; 16])).expect("postcard").len(), 1 + 16);
}

#[test]
fn golden_files_are_all_compared() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let names: BTreeSet<_> = entries.collect();
    assert_eq!(
        names,
        BTreeSet::from(
            [
                "copied.json",
                "detached.json",
                "infected.json",
                "no-tag.json",
                "not-copied.json",
                "refused.json",
                "sealed.json"
            ]
            .map(Into::into)
        )
    );
}
