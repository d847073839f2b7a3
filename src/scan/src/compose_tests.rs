//! What a hostile medium can make of a report.

use super::*;
use crate::judge::{ContentLedgerState, SuspiciousPolicy};
use crate::ledger::Ledger;
use crate::report::{MOST_BYTES, MOST_LINES};
use blanche_sandbox::wire::{
    Attributes, Cause, Container, ContentType, Digests, EngineCpu, Entry, EntryId, Scanned, Subject,
};

const FILES: u32 = 20_000;
const FOLDERS: u32 = 31;
const DIGESTS: Digests = Digests { sha256: [1; 32], blake3: [2; 32] };

/// Files below folders whose names make a path of 31 KiB.
fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    let mut push = |parent: Option<EntryId>, name: Vec<u8>, kind| {
        let (attributes, same_as, modified) = (Attributes::default(), None, None);
        let entry = Entry { volume: Some(0), parent, name, kind, size: 10, attributes, same_as, modified };
        catalogue.push(&entry, 512, 32 << 10).expect("an entry")
    };
    for depth in 0..FOLDERS {
        push(depth.checked_sub(1), vec![b'x'; 1000], EntryKind::Directory);
    }
    for number in 0..FILES {
        push(Some(FOLDERS - 1), number.to_string().into_bytes(), EntryKind::File);
    }
    catalogue
}

fn answer(entry: EntryId, severity: Option<Severity>, not_checked: Vec<Cause>) -> Scanned {
    let finding = |severity| Finding { engine: "clamav".into(), name: "Eicar".into(), severity, layer: Vec::new() };
    Scanned {
        entry,
        bytes: 10,
        digests: DIGESTS,
        content_type: ContentType::default(),
        findings: severity.map(finding).into_iter().collect(),
        not_checked,
        layers: 1,
        disk_image: false,
        cpu: EngineCpu::default(),
    }
}

fn closed(catalogue: &Catalogue, answer: impl Fn(EntryId) -> Scanned) -> ClosedLedger {
    let mut ledger = Ledger::new(catalogue.len());
    for id in FOLDERS..FOLDERS + FILES {
        ledger.delivered(id, 10, DIGESTS);
        ledger.matched(answer(id));
    }
    ledger.gap(Subject::Volume(0), 7, 1, Cause::Unreadable);
    ledger.close(catalogue, &Cause::NeverRead)
}

fn text<L>(lines: &[L], path: impl Fn(&L) -> Option<&str>) -> usize {
    lines.iter().filter_map(path).map(str::len).sum()
}

/// All of these paths are 600 MB; those of a million files would be 30 GB.
#[test]
fn files_with_long_paths_that_nobody_can_check_hide_no_finding_and_cost_bounded_memory() {
    let catalogue = catalogue();
    let last = FOLDERS + FILES - 1;
    let ledger = closed(&catalogue, |id| {
        let cause = if id == last { Cause::MatcherCrashed } else { Cause::ContainerUnsupported(Container::Rar) };
        answer(id, (id == last).then_some(Severity::Malicious), vec![cause])
    });
    let (found, findings_left_out) = findings(&catalogue, &ledger);
    assert_eq!((found.len(), findings_left_out), (1, None));
    assert!(found[0].path.ends_with("/19999"), "{}", found[0].path.len());
    let (lines, left_out) = not_checked(&catalogue, &ledger);
    assert!(text(&lines, |line| line.path.as_deref()) < MOST_BYTES + (32 << 10));
    assert_eq!(u64::try_from(lines.len()).ok().zip(left_out).map(|(lines, more)| lines + more), Some(20_001));
    assert_eq!((&lines[0].path, &lines[0].cause), (&None, &Cause::Unreadable), "what is about the volume is there");
    assert!(lines.iter().any(|line| line.cause == Cause::MatcherCrashed), "what to do depends on every cause");
    assert!(lines.len() > 500 && lines.is_sorted_by_key(|line| &line.path));
    assert_eq!(ledger.state(), ContentLedgerState::Incomplete);
    let policy = SuspiciousPolicy::default();
    assert_eq!(judge(Admission::Admitted, ledger.state(), ledger.ledger().worst(), policy), Verdict::Infected);
}

#[test]
fn the_worst_findings_are_listed_and_the_others_counted_by_their_weight() {
    let catalogue = catalogue();
    let severity = |id: EntryId| match id % 1000 {
        0 => Severity::Malicious,
        1 => Severity::Suspicious,
        _ => Severity::Info,
    };
    let ledger = closed(&catalogue, |id| answer(id, Some(severity(id)), Vec::new()));
    let (lines, left_out) = findings(&catalogue, &ledger);
    assert!(text(&lines, |line| Some(&line.path)) < MOST_BYTES + (32 << 10));
    let weights: Vec<Severity> = lines.iter().map(|line| line.findings[0].severity).collect();
    assert!(weights.is_sorted_by(|a, b| a >= b));
    let listed = |severity| u64::try_from(weights.iter().filter(|own| **own == severity).count()).expect("small");
    assert_eq!((listed(Severity::Malicious), listed(Severity::Suspicious)), (20, 20));
    let info = 19_960 - listed(Severity::Info);
    assert_eq!(left_out, Some(FindingsLeftOut { malicious: 0, suspicious: 0, info }));
}

#[test]
fn a_list_that_fits_is_whole() {
    let mut catalogue = Catalogue::default();
    let mut ledger = Ledger::new(MOST_LINES);
    for id in 0..u32::try_from(MOST_LINES).expect("small") {
        let (attributes, same_as, modified) = (Attributes::default(), None, None);
        let (parent, name, kind) = (None, format!("{id:05}").into_bytes(), EntryKind::File);
        let entry = Entry { volume: Some(0), parent, name, kind, size: 10, attributes, same_as, modified };
        catalogue.push(&entry, 512, 32 << 10).expect("an entry");
        ledger.delivered(id, 10, DIGESTS);
        ledger.matched(answer(id, None, vec![Cause::EngineTimeout]));
    }
    let ledger = ledger.close(&catalogue, &Cause::NeverRead);
    let (lines, left_out) = not_checked(&catalogue, &ledger);
    assert_eq!((lines.len(), left_out), (MOST_LINES, None));
}
