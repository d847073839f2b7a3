//! Puts a report together from what a finished session knows. Everything here is bookkeeping; what it means was decided
//! in [`crate::judge`] and [`crate::ledger`].

use crate::catalogue::{Catalogue, hexadecimal};
use crate::judge::{Admission, Verdict, judge};
use crate::ledger::{ClosedLedger, Gap};
use crate::report::{
    AreaLedger, AreaLine, Engines, FileFindings, FileLine, FindingsLeftOut, Isolation, Lines, NotChecked, Report,
    SCHEMA, Sealing, SealingObstacle, VolumeLine,
};
use crate::room::EngineRoomDescription;
use crate::session::{Finished, ScanOptions};
use crate::settings::Settings;
use crate::words;
use blanche_sandbox::wire::{EntryKind, Finding, MediumLayout, Severity, Subject};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::HashSet;

/// The report of a finished session.
pub(crate) fn report(
    session: &Finished,
    room: EngineRoomDescription,
    settings: &Settings,
    options: ScanOptions,
) -> Report {
    let admission = match session.target.refusal {
        Some(_) => Admission::Refused,
        None => Admission::Admitted,
    };
    let policy = settings.verdict.suspicious;
    let verdict = judge(admission, session.ledger.state(), session.ledger.ledger().worst(), policy);
    let isolation = isolation(session, admission);
    let layout = session.intake.layout.as_ref();
    let catalogue = &session.intake.catalogue;
    let (findings, findings_left_out) = findings(catalogue, &session.ledger);
    let (not_checked, not_checked_left_out) = not_checked(catalogue, &session.ledger);
    let finished = session.started.checked_add(session.duration).unwrap_or(session.started);
    Report {
        schema: SCHEMA,
        verdict,
        session: options.session.unwrap_or_else(uuid::Uuid::now_v7).to_string(),
        version: env!("CARGO_PKG_VERSION"),
        started: seconds(session.started),
        finished: seconds(finished),
        duration: session.duration.as_secs_f64(),
        target: session.target.line.clone(),
        refusal: session.target.refusal.clone(),
        tables: layout.map(|layout| layout.tables.clone()).unwrap_or_default(),
        volumes: layout.map(volumes).unwrap_or_default(),
        content: session.ledger.content,
        area: area(session),
        findings,
        findings_left_out,
        not_checked,
        not_checked_left_out,
        files: options.files.then(|| files(session, settings)),
        sealing: sealing(verdict, &room, &isolation, settings),
        seal: None,
        copy: None,
        engines: Engines {
            containers: room.opened(),
            engines: room.engine_set.engines,
            limits: Some(room.engine_set.limits),
            base_rejected: room.base_rejected,
        },
        isolation,
        read_limits: settings.reader,
        profile: session.profile,
    }
}

/// RFC 3339 with whole seconds, UTC.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn volumes(layout: &MediumLayout) -> Vec<VolumeLine> {
    (0..)
        .zip(&layout.volumes)
        .map(|(volume, found)| VolumeLine {
            volume,
            start: found.start,
            length: found.length,
            role: found.role,
            partition_type: found.partition_type,
            hidden: found.hidden,
            efi: found.efi,
            filesystem: found.filesystem,
            label: found.label.as_deref().map(words::visible),
            view: found.view,
            identifier: found.identifier.as_ref().map(|text| words::visible(text.as_bytes())),
        })
        .collect()
}

fn area(session: &Finished) -> AreaLedger {
    let area = &session.intake.area;
    let line = |sum: &blanche_sandbox::wire::AreaSum| AreaLine {
        volume: sum.volume,
        class: sum.class,
        bytes: sum.bytes,
        looked_at: sum.looked_at,
    };
    AreaLedger { sums: area.sums.iter().map(line).collect(), digests: area.digests.clone() }
}

/// Files with findings, under each of their names, the most severe first, then by place; and those for which there is no room.
fn findings(catalogue: &Catalogue, ledger: &ClosedLedger) -> (Vec<FileFindings>, Option<FindingsLeftOut>) {
    let ledger = ledger.ledger();
    if ledger.findings().is_empty() {
        return (Vec::new(), None);
    }
    let mut found: Vec<_> = catalogue
        .iter()
        .filter_map(|(id, record)| {
            let content = record.same_as().unwrap_or(id);
            let (findings, state) = (ledger.findings().get(&content)?, ledger.state(content)?);
            Some((Reverse(state.worst?), record.volume, id, findings))
        })
        .collect();
    found.sort_unstable_by_key(|(worst, volume, id, _)| (*worst, *volume, *id));
    let (mut lines, mut left_out) = (Lines::default(), FindingsLeftOut::default());
    for (Reverse(worst), volume, id, findings) in found {
        let Some(record) = catalogue.get(id) else { continue };
        let content = record.same_as().unwrap_or(id);
        let listed = lines.add(|| {
            let path = catalogue.path(id);
            let digests = ledger.state(content).and_then(|state| state.read);
            FileFindings {
                volume,
                path: path.visible,
                path_bytes: path.exact,
                size: record.size,
                sha256: digests.map(|digests| hexadecimal(&digests.sha256)).unwrap_or_default(),
                media_type: ledger.media_type_of(content).to_owned(),
                findings: findings.iter().map(shown).collect(),
            }
        });
        if !listed {
            let count = match worst {
                Severity::Malicious => &mut left_out.malicious,
                Severity::Suspicious => &mut left_out.suspicious,
                Severity::Info => &mut left_out.info,
            };
            *count = count.saturating_add(1);
        }
    }
    let (mut lines, more) = lines.finish();
    let worst = |line: &FileFindings| line.findings.iter().map(|finding| finding.severity).max();
    lines.sort_by(|a, b| worst(b).cmp(&worst(a)).then_with(|| (a.volume, &a.path).cmp(&(b.volume, &b.path))));
    (lines, more.map(|_| left_out))
}

/// A finding whose names, which come from a medium or an engine, are made visible.
fn shown(finding: &Finding) -> Finding {
    Finding {
        engine: words::harmless(&finding.engine),
        name: words::harmless(&finding.name),
        severity: finding.severity,
        layer: finding.layer.iter().map(|name| words::visible(name.as_bytes())).collect(),
    }
}

/// Everything that was not checked: the medium, then volumes, then entries; and how many lines more there would be.
fn not_checked(catalogue: &Catalogue, ledger: &ClosedLedger) -> (Vec<NotChecked>, Option<u64>) {
    let entry = |gap: &Gap| match gap.subject {
        Subject::Entry(id) => Some(id),
        Subject::Medium | Subject::Volume(_) => None,
    };
    let mut gaps: Vec<_> = ledger
        .gaps()
        .iter()
        .map(|gap| (entry(gap), ledger.volume_of(gap, catalogue), gap.offset, gap.length, &gap.cause))
        .collect();
    // What is about more than one file comes first, so that there is room for it.
    gaps.sort_unstable();
    gaps.dedup();
    // Then the first of each cause: what a person has to do depends on all of them.
    let mut told = HashSet::new();
    let (first, others): (Vec<_>, Vec<_>) =
        gaps.into_iter().partition(|(entry, _, _, _, cause)| entry.is_none() || told.insert(*cause));
    let mut lines = Lines::default();
    for (entry, volume, offset, length, cause) in first.into_iter().chain(others) {
        lines.add(|| {
            let path = entry.map(|id| catalogue.path(id));
            let (path, path_bytes) = path.map_or((None, None), |path| (Some(path.visible), path.exact));
            NotChecked { volume, path, path_bytes, offset, length, cause: cause.clone() }
        });
    }
    let (mut lines, left_out) = lines.finish();
    lines.sort_by(|a, b| {
        (a.volume, &a.path, a.offset, a.length, &a.cause).cmp(&(b.volume, &b.path, b.offset, b.length, &b.cause))
    });
    // Two entries may have one path.
    lines.dedup();
    (lines, left_out)
}

fn files(session: &Finished, settings: &Settings) -> Vec<FileLine> {
    let (catalogue, ledger) = (&session.intake.catalogue, session.ledger.ledger());
    let mut lines: Vec<FileLine> = catalogue
        .iter()
        .filter(|(_, record)| !matches!(record.kind, EntryKind::Directory | EntryKind::Area))
        .filter_map(|(id, record)| {
            let volume = record.volume?;
            let path = catalogue.path(id);
            let content = record.same_as().unwrap_or(id);
            let state = ledger.state(content);
            let digests = state.filter(|state| state.delivered == record.size).and_then(|state| state.read);
            Some(FileLine {
                volume,
                path: path.visible,
                path_bytes: path.exact,
                size: record.size,
                sha256: digests.map(|digests| hexadecimal(&digests.sha256)),
                blake3: digests.map(|digests| hexadecimal(&digests.blake3)),
                media_type: Some(ledger.media_type_of(content).to_owned()).filter(|name| !name.is_empty()),
                verdict: session.ledger.verdict_of(content, settings.verdict.suspicious),
            })
        })
        .collect();
    lines.sort_by(|a, b| (a.volume, &a.path).cmp(&(b.volume, &b.path)));
    lines
}

/// What the children said of their confinement, and what a station would have beyond that.
fn isolation(session: &Finished, admission: Admission) -> Isolation {
    let mut weaker = Vec::new();
    let born = [&session.reader, &session.matcher];
    let all = |test: fn(&blanche_sandbox::wire::Born) -> bool| born.iter().all(|one| one.as_ref().is_none_or(test));
    if !all(|born| born.network_namespace) {
        weaker.push("no-network-namespace".to_owned());
    }
    if !session.matcher.as_ref().is_none_or(|born| born.private_tmpfs) {
        weaker.push("no-private-tmpfs".to_owned());
    }
    if admission == Admission::Admitted && !rustix::process::geteuid().is_root() {
        weaker.push("no-user-of-its-own".to_owned());
    }
    Isolation { reader: session.reader.clone(), matcher: session.matcher.clone(), weaker }
}

/// Whether a tag may be written, and everything that speaks against it (security rules 1 and 9).
fn sealing(verdict: Verdict, room: &EngineRoomDescription, isolation: &Isolation, settings: &Settings) -> Sealing {
    let mut obstacles = Vec::new();
    if verdict != Verdict::Clean {
        obstacles.push(SealingObstacle::NotClean);
    }
    obstacles.extend(room.obstacles(settings));
    if !isolation.weaker.is_empty() {
        obstacles.push(SealingObstacle::WeakIsolation);
    }
    Sealing { possible: obstacles.is_empty(), obstacles }
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
