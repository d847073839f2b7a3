//! Reports, one for each thing that a verdict can say.

use super::media::{BYTES, FILES};
use super::station::{engines, limits};
use blanche_sandbox::wire::{
    Cause, Container, FilesystemKind, Finding, PartitionTable, Severity, VolumeRole, WriteObstacle,
};
use blanche_scan::judge::Verdict;
use blanche_scan::report::{
    AreaLedger, ContentLedger, Engines, FileFindings, Isolation, NoTag, NotChecked, Profile, Refusal, Report, SCHEMA,
    Seal, SealedTag, Sealing, SealingObstacle, TargetKind, TargetLine, VolumeLine,
};

/// Rows that a list must bear.
const MANY: usize = 100_000;

/// Clean and sealed.
pub(super) fn clean() -> Report {
    Report {
        schema: SCHEMA,
        verdict: Verdict::Clean,
        session: "019aa9f6-c800-7000-8000-000000000001".into(),
        version: "0.1.0",
        started: "2026-11-22T11:00:00Z".into(),
        finished: "2026-11-22T11:04:10Z".into(),
        duration: 250.0,
        target: TargetLine {
            path: "/dev/sdb".into(),
            kind: TargetKind::Device,
            capacity: Some(15_376_318_464),
            logical_block: Some(512),
        },
        refusal: None,
        tables: vec![PartitionTable::Mbr],
        volumes: vec![volume()],
        content: content(0),
        area: AreaLedger::default(),
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
        seal: Some(Seal::OnMedium { tag: tag(), volume: 0 }),
        copy: None,
        isolation: Isolation::default(),
        read_limits: Default::default(),
        profile: Profile::default(),
    }
}

fn content(skipped: u64) -> ContentLedger {
    ContentLedger {
        directories: 87,
        files: FILES,
        bytes: BYTES,
        files_checked: FILES,
        checked: BYTES - skipped,
        skipped,
        unreadable: 0,
        listing_complete: true,
    }
}

fn volume() -> VolumeLine {
    VolumeLine {
        volume: 0,
        start: 1 << 20,
        length: 15_375_269_888,
        role: VolumeRole::Primary,
        partition_type: None,
        hidden: false,
        efi: false,
        filesystem: FilesystemKind::ExFat,
        view: None,
        label: Some("PRESTATAIRE".into()),
        identifier: Some("1234-ABCD".into()),
    }
}

pub(super) fn tag() -> SealedTag {
    SealedTag {
        tag: "019aa9f6-c800-7000-8000-0000000000aa".into(),
        station: "accueil-1".into(),
        site: "paris".into(),
        issued: "2026-11-22T11:04:10Z".into(),
        expires: "2026-11-29T11:04:10Z".into(),
        counter: 7,
        manifest: "00".repeat(32),
    }
}

/// The medium cannot carry its tag.
pub(super) fn detached() -> Report {
    let because = WriteObstacle::WriteProtected;
    Report { seal: Some(Seal::Detached { tag: tag(), file: "019aa9f6.tag".into(), because }), ..clean() }
}

/// Clean, but the bases are too old for a tag.
pub(super) fn no_tag() -> Report {
    let sealing = Sealing { possible: false, obstacles: vec![SealingObstacle::StaleBase("daily.cvd".into())] };
    Report { seal: Some(Seal::NoTag { reason: NoTag::Obstacles }), sealing, ..clean() }
}

/// Nothing was on it.
pub(super) fn empty() -> Report {
    Report { content: ContentLedger { listing_complete: true, ..ContentLedger::default() }, ..clean() }
}

/// Not clean, hence not sealed.
fn unsealed(verdict: Verdict) -> Report {
    let sealing = Sealing { possible: false, obstacles: vec![SealingObstacle::NotClean] };
    Report { verdict, sealing, seal: Some(Seal::NoTag { reason: NoTag::Obstacles }), ..clean() }
}

fn hit(path: String, name: &str, severity: Severity, layer: &[&str]) -> FileFindings {
    let layer = layer.iter().map(|&name| name.to_owned()).collect();
    FileFindings {
        volume: Some(0),
        path,
        path_bytes: None,
        size: 184_320,
        sha256: "22".repeat(32),
        media_type: "application/zip".into(),
        findings: vec![Finding { engine: "clamav".into(), name: name.into(), severity, layer }],
    }
}

fn gap(path: String, cause: Cause) -> NotChecked {
    NotChecked { volume: Some(0), path: Some(path), path_bytes: None, offset: 0, length: 4_194_304, cause }
}

/// Three files are malicious, one could not be opened.
pub(super) fn infected() -> Report {
    let bad = Severity::Malicious;
    Report {
        findings: vec![
            hit("Devis/facture-2026-11.zip".into(), "Win.Trojan.Agent-36124", bad, &["facture.js"]),
            hit("autorun.inf".into(), "Win.Worm.Autorun-7", bad, &[]),
            hit("Photos/\\u{202e}gpj.exe".into(), "Win.Malware.Generic-9871", bad, &[]),
        ],
        not_checked: vec![gap("Devis/secret.zip".into(), Cause::Encrypted(Container::Zip))],
        ..unsealed(Verdict::Infected)
    }
}

/// Names as long as filesystems allow, one folder in another.
pub(super) fn infected_long() -> Report {
    let path = |number: usize| {
        let folder = "dossier d'un nom qui ne finit pas ".repeat(7);
        format!("{folder}/{folder}/{number} {}.pdf.exe", "facture à régler sans attendre ".repeat(7))
    };
    let one =
        |number| hit(path(number), &"Win.Trojan.Long-".repeat(8), Severity::Malicious, &["a.zip", "b.tar", "c.iso"]);
    Report { findings: (0..40).map(one).collect(), ..unsealed(Verdict::Infected) }
}

/// More than anybody reads.
pub(super) fn infected_many() -> Report {
    let path = |number| format!("dossier {:03}/fichier {number:06}.exe", number / 1000);
    let one = |number| hit(path(number), "Win.Worm.Many-1", Severity::Malicious, &[]);
    Report { findings: (0..MANY).map(one).collect(), ..unsealed(Verdict::Infected) }
}

/// A password, a damaged archive, a read error.
pub(super) fn incomplete() -> Report {
    Report {
        not_checked: vec![
            gap("Contrats/contrat signé.zip".into(), Cause::Encrypted(Container::Zip)),
            gap("Plans/étage 2.rar".into(), Cause::ContainerUnsupported(Container::Rar)),
            gap("Vidéos/présentation.mp4".into(), Cause::Unreadable),
        ],
        content: content(12_582_912),
        ..unsealed(Verdict::Incomplete)
    }
}

/// As many rows as a list must bear, with every kind of name.
pub(super) fn incomplete_many() -> Report {
    let causes = [Cause::Encrypted(Container::Zip), Cause::Unreadable, Cause::EngineTimeout, Cause::NeverRead];
    let row = |number: usize| {
        let name =
            format!("dossier {:03}/archive numéro {number:06} d'un nom assez long pour deux lignes.zip", number / 1000);
        gap(name, causes[number % causes.len()].clone())
    };
    Report { not_checked: (0..MANY).map(row).collect(), content: content(BYTES / 2), ..unsealed(Verdict::Incomplete) }
}

/// Somebody stopped the check: what was not reached is not checked.
pub(super) fn stopped() -> Report {
    Report {
        not_checked: vec![gap("Vidéos/présentation.mp4".into(), Cause::Cancelled)],
        content: content(BYTES / 2),
        ..unsealed(Verdict::Incomplete)
    }
}

/// A person must decide.
pub(super) fn suspicious() -> Report {
    let findings = vec![hit("Outils/installe.ps1".into(), "Suspicious.Script", Severity::Suspicious, &[])];
    Report { findings, ..unsealed(Verdict::Incomplete) }
}

/// The medium is refused before anything is read.
pub(super) fn refused(word: &str) -> Option<Report> {
    let refusal = match word {
        "empty" => Refusal::Empty,
        "too-large" => Refusal::TooLarge(2_000_000_000_000),
        "mounted" => Refusal::Mounted("/media/usb".into()),
        _ => return None,
    };
    let content = ContentLedger::default();
    let volumes = Vec::new();
    Some(Report { refusal: Some(refusal), content, volumes, seal: None, ..unsealed(Verdict::Refused) })
}
