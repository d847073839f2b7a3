//! What the machine of states says, in the words of the journal.

use super::repeats::Count;
use super::{configuration, copies};
use crate::admit::{Decision, DeviceRefusal};
use crate::detect::{Interface, UsbDevice};
use crate::session::view::{Conclusion, MediumView, SessionView, State};
use crate::session::{Entry, SessionId};
use blanche_journal::{
    BaseUsed, ClosingRecord, Counts, Ending, EngineUsed, Event, EventKind, FoundFile, MediumIdentity, Record, Severity,
    TagReference, Verdict,
};
use blanche_sandbox::wire::Severity as Found;
use blanche_scan::report::{FileFindings, Report, Seal, SealedTag};
use blanche_scan::words::harmless;
use jiff::Timestamp;

/// Files with findings that the records of one session list: a medium with millions of them must not keep the station from its work.
const FILES: usize = 65_536;

/// What the station works under.
#[derive(Debug)]
pub(super) struct Under {
    /// Identifier and version of the policy under which media are checked.
    pub(super) policy: String,
    /// Digest of its configuration.
    pub(super) settings: String,
}

/// The records of one entry, which are written together or not at all.
pub(super) fn records(entry: &Entry, under: &Under) -> Vec<Record> {
    match entry {
        Entry::Concluded(view) => {
            vec![Record::Event(outcome(view)), Record::Transfer(Box::new(closing(view, &under.policy)))]
        }
        Entry::Copied(copied) => copies::ended(copied),
        Entry::Started { .. } => vec![Record::Event(event(entry).with(configuration::MEMBER, under.settings.clone()))],
        other => vec![Record::Event(event(other))],
    }
}

/// What the journal can hold of records that it cannot hold: that a session ended, and how, without what its medium says.
pub(super) fn bare(records: &[Record]) -> Vec<Record> {
    let bare = |record: &Record| match record {
        Record::Transfer(closing) => {
            let closing = closing.as_ref().clone();
            let left_out = number(closing.files.len()).saturating_add(closing.files_left_out.unwrap_or(0));
            let (medium, files, engines) = (MediumIdentity::default(), Vec::new(), Vec::new());
            Some(Record::Transfer(Box::new(ClosingRecord {
                medium,
                files,
                engines,
                files_left_out: Some(left_out).filter(|files| *files > 0),
                ..closing
            })))
        }
        Record::Event(_) | Record::Copies(_) => None,
    };
    records.iter().filter_map(bare).collect()
}

/// Arrivals in one socket that were only counted.
pub(super) fn repeated(count: &Count) -> Record {
    let event = Event::new(EventKind::Alarm)
        .of_medium(identity(&MediumView::of(Some(&count.device), None), None))
        .with("reason", "devices come again and again; only their number is recorded")
        .with("refusals", count.refusals.to_string())
        .with("admissions", count.admissions.to_string())
        .with("seconds", count.time.as_secs().to_string());
    Record::Event(event)
}

fn event(entry: &Entry) -> Event {
    match entry {
        Entry::Judged(device, decision) => judged(device, decision),
        Entry::Withdrawn(path, why) => {
            Event::new(EventKind::Refused).with("device", harmless(&path.0)).with("reason", why.word())
        }
        Entry::Stray(disk) => Event::new(EventKind::Alarm)
            .with("reason", "a disk of a device that nobody admitted")
            .with("disk", harmless(&disk.path.0)),
        Entry::Entered(id, state) => entered(*id, *state),
        Entry::Opened(view) => Event::new(EventKind::Arrived)
            .of_session(&view.id.to_string())
            .of_medium(identity(&view.medium, view.report().map(AsRef::as_ref)))
            .with("state", view.state.word()),
        Entry::Concluded(view) => outcome(view),
        Entry::Signed(id, tag) => Event::new(EventKind::Signed).of_session(&id.to_string()).with("tag", tag.clone()),
        Entry::Cancelled(id) => Event::new(EventKind::Cancelled).of_session(&id.to_string()),
        Entry::Ejected(id) => Event::new(EventKind::Entered).of_session(&id.to_string()).with("state", "ejecting"),
        Entry::CopyOrdered(id, to, erase) => copies::ordered(*id, to, *erase),
        Entry::Copied(copied) => copies::event(copied),
        Entry::Sleeping => Event::new(EventKind::Suspended),
        Entry::Slept(time) => Event::new(EventKind::Resumed).with("seconds", time.as_secs().to_string()),
        Entry::ClockSet(by) => Event::new(EventKind::ClockChanged).with("seconds", format!("{by:+.0}")),
        Entry::PortsWereOpen(controllers) => Event::new(EventKind::Alarm)
            .with("reason", "USB ports were open before the station closed them")
            .with("controllers", harmless(&controllers.join(" "))),
        Entry::BasesChanged(bases) => Event::new(EventKind::BasesChanged).with("bases", harmless(bases)),
        Entry::BasesRejected(why) => Event::new(EventKind::BasesRejected).with("reason", harmless(why)),
        Entry::Problem(kind, why) => problem(kind, why.as_deref()),
        Entry::SelfTested(why) => self_tested(why.as_deref()),
        Entry::Started { simulated } => started(*simulated),
        Entry::Stopped => Event::new(EventKind::StationStopped),
    }
}

/// The station begins. A journal of made-up media says so in each of its beginnings.
fn started(simulated: bool) -> Event {
    let event = Event::new(EventKind::StationStarted).with("version", env!("CARGO_PKG_VERSION"));
    if simulated { event.with("simulated", "true") } else { event }
}

/// A self-test that somebody asked for.
fn self_tested(why: Option<&str>) -> Event {
    match why {
        None => Event::new(EventKind::SelfTestPassed).with("occasion", "asked"),
        Some(why) => Event::new(EventKind::SelfTestFailed).with("occasion", "asked").with("reason", harmless(why)),
    }
}

/// Something keeps the station from doing all of its work, or does not any more.
fn problem(kind: &str, why: Option<&str>) -> Event {
    let event = match (kind, why) {
        ("bases", Some(_)) => EventKind::BasesStale,
        ("bases", None) => EventKind::BasesChanged,
        ("engines", Some(_)) => EventKind::SelfTestFailed,
        ("engines", None) => EventKind::SelfTestPassed,
        _ => EventKind::Alarm,
    };
    let event = Event::new(event).with("problem", kind);
    match why {
        Some(why) => event.with("reason", harmless(why)),
        None => event.with("state", "solved"),
    }
}

/// A device and what was decided about it, with everything by which it can be recognised.
fn judged(device: &UsbDevice, decision: &Decision) -> Event {
    let (kind, detail) = match decision {
        Decision::Admit(_) => (EventKind::Admitted, "storage"),
        Decision::Hub => (EventKind::Admitted, "hub"),
        Decision::Own => (EventKind::Admitted, "own"),
        Decision::Refuse(DeviceRefusal::Changed) => (EventKind::Changed, DeviceRefusal::Changed.word()),
        Decision::Refuse(why) => (EventKind::Refused, why.word()),
    };
    let digest: String = device.descriptors.iter().map(|byte| format!("{byte:02x}")).collect();
    let interfaces = match &device.interfaces {
        Some(interfaces) => interfaces.iter().map(shown).collect::<Vec<_>>().join(" "),
        None => "malformed".to_owned(),
    };
    Event::new(kind)
        .of_medium(identity(&MediumView::of(Some(device), None), None))
        .with("reason", detail)
        .with("interfaces", interfaces)
        .with("descriptors_blake3", digest)
}

/// `configuration.number.alternate=class:subclass:protocol`, the last three in hexadecimal.
fn shown(interface: &Interface) -> String {
    let Interface { configuration, number, alternate, class, subclass, protocol } = interface;
    format!("{configuration}.{number}.{alternate}={class:02x}:{subclass:02x}:{protocol:02x}")
}

fn entered(id: SessionId, state: State) -> Event {
    let kind = match state {
        State::Checking => EventKind::Started,
        State::Removed => EventKind::Removed,
        State::Queued | State::Sealing | State::Stopping | State::Verdict | State::Copying | State::Refused => {
            EventKind::Entered
        }
    };
    Event::new(kind).of_session(&id.to_string()).with("state", state.word())
}

/// What came of a session, for the event log.
fn outcome(view: &SessionView) -> Event {
    let event = |kind| Event::new(kind).of_session(&view.id.to_string());
    match &view.conclusion {
        Some(Conclusion::Refused(why)) => event(EventKind::Refused).with("reason", why.word()),
        Some(Conclusion::Failed(why)) => {
            let kind = match why.kind {
                "changed" => EventKind::Changed,
                "removed" => EventKind::Removed,
                "cancelled" => EventKind::Cancelled,
                _ => EventKind::Failed,
            };
            let ended = event(kind).with("reason", why.kind).with("detail", harmless(&why.detail));
            match &why.tag {
                Some(tag) => ended.with("tag", tag.clone()),
                None => ended,
            }
        }
        Some(Conclusion::Report(report)) => match &report.seal {
            Some(Seal::OnMedium { tag, .. }) => event(EventKind::Sealed).with("tag", tag.tag.clone()),
            Some(Seal::Detached { tag, because, .. }) => {
                event(EventKind::Sealed).with("tag", tag.tag.clone()).with("detached", format!("{because:?}"))
            }
            Some(Seal::NoTag { reason }) => {
                event(EventKind::NotSealed).with("reason", harmless(&format!("{reason:?}")))
            }
            None => event(EventKind::Entered).with("state", State::Verdict.word()),
        },
        None => event(EventKind::Entered).with("state", view.state.word()),
    }
}

/// Who the medium is. Everything in `medium` was made visible already.
pub(super) fn identity(medium: &MediumView, report: Option<&Report>) -> MediumIdentity {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let number = |number: u16| (medium.vendor != 0 || medium.product != 0).then_some(number);
    let volumes = report.map(|report| report.volumes.iter().filter_map(|volume| volume.identifier.clone()).collect());
    MediumIdentity {
        vendor: number(medium.vendor),
        product: number(medium.product),
        serial: some(&medium.serial),
        name: some(&medium.name),
        port: some(&medium.port),
        capacity: (medium.capacity != 0).then_some(bounded(medium.capacity)),
        volumes: volumes.unwrap_or_default(),
    }
}

/// The closing record of a session.
fn closing(view: &SessionView, policy: &str) -> ClosingRecord {
    let report = view.report().map(AsRef::as_ref);
    let now = Timestamp::now();
    let came = came(view.id).map_or(now, |came| came.min(now));
    ClosingRecord {
        session: view.id.to_string(),
        started: report.map_or_else(|| written(came), |report| report.started.clone()),
        finished: report.map_or_else(|| written(now), |report| report.finished.clone()),
        ending: ending(view),
        verdict: verdict(view),
        reason: reason(view),
        medium: identity(&view.medium, report),
        counts: report.map(counts).unwrap_or_default(),
        files: report.map(|report| report.findings.iter().filter_map(found).take(FILES).collect()).unwrap_or_default(),
        files_left_out: report.and_then(left_out),
        tag: report.and_then(|report| report.seal.as_ref()).and_then(tag),
        engines: report.map(engines).unwrap_or_default(),
        policy: Some(policy.to_owned()),
    }
}

/// When the medium of a session came: then its identifier was made, which says so. After the clock was set back identifiers stay
/// ahead for a while.
fn came(session: SessionId) -> Option<Timestamp> {
    let (seconds, nanoseconds) = session.get_timestamp()?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?).ok()
}

/// A time as closing records have it.
pub(super) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn ending(view: &SessionView) -> Ending {
    match &view.conclusion {
        Some(Conclusion::Failed(why)) if why.kind == "removed" => Ending::Removed,
        Some(Conclusion::Failed(why)) if why.kind == "cancelled" => Ending::Cancelled,
        Some(Conclusion::Failed(_)) | None => Ending::Failed,
        Some(Conclusion::Report(_) | Conclusion::Refused(_)) => Ending::Completed,
    }
}

fn verdict(view: &SessionView) -> Verdict {
    use blanche_scan::judge::Verdict as Judged;
    match view.conclusion.as_ref().map(Conclusion::verdict) {
        Some(Judged::Clean) => Verdict::Clean,
        Some(Judged::Infected) => Verdict::Infected,
        Some(Judged::Refused) => Verdict::Refused,
        Some(Judged::Incomplete) | None => Verdict::Incomplete,
    }
}

/// The stable word of what decided.
fn reason(view: &SessionView) -> Option<String> {
    match view.conclusion.as_ref()? {
        Conclusion::Refused(why) => Some(why.word().to_owned()),
        Conclusion::Failed(why) => Some(why.kind.to_owned()),
        Conclusion::Report(report) => {
            let cause = serde_json::to_value(&report.not_checked.first()?.cause).ok()?;
            cause.get("cause").and_then(|word| word.as_str()).map(str::to_owned)
        }
    }
}

fn counts(report: &Report) -> Counts {
    let worst = |file: &&FileFindings, severity| worst(file) == Some(severity);
    let files = |severity| report.findings.iter().filter(|file| worst(file, severity)).count();
    let left_out = report.findings_left_out.unwrap_or_default();
    Counts {
        files: bounded(report.content.files),
        bytes: bounded(report.content.bytes),
        checked: bounded(report.content.checked),
        skipped: bounded(report.content.skipped),
        unreadable: bounded(report.content.unreadable),
        malicious: number(files(Severity::Malicious)).saturating_add(left_out.malicious),
        suspicious: number(files(Severity::Suspicious)).saturating_add(left_out.suspicious),
        not_checked: number(report.not_checked.len()).saturating_add(report.not_checked_left_out.unwrap_or(0)),
    }
}

/// The largest integer that every reader of JSON keeps exactly (RFC 7493, section 2.2). A device may claim any capacity, and a
/// sparse file any length.
pub(super) fn bounded(number: u64) -> u64 {
    const LARGEST: u64 = (1 << 53) - 1;
    number.min(LARGEST)
}

/// The worst finding of a file, if it is one for the journal.
fn worst(file: &FileFindings) -> Option<Severity> {
    match file.findings.iter().map(|finding| finding.severity).max()? {
        Found::Malicious => Some(Severity::Malicious),
        Found::Suspicious => Some(Severity::Suspicious),
        Found::Info => None,
    }
}

/// Files with findings that a session does not list, because there are too many of them here or in the report; the worst come
/// first in a report.
fn left_out(report: &Report) -> Option<u64> {
    let listed = report.findings.iter().filter(|file| worst(file).is_some()).count();
    let more = report.findings_left_out.map_or(0, |more| more.malicious.saturating_add(more.suspicious));
    Some(number(listed.saturating_sub(FILES)).saturating_add(more)).filter(|files| *files > 0)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn found(file: &FileFindings) -> Option<FoundFile> {
    let line = |finding: &blanche_sandbox::wire::Finding| format!("{}: {}", finding.engine, finding.name);
    Some(FoundFile {
        sha256: (!file.sha256.is_empty()).then(|| file.sha256.clone()),
        path: file.path.clone(),
        path_bytes: file.path_bytes.clone(),
        size: bounded(file.size),
        severity: worst(file)?,
        findings: file.findings.iter().map(line).collect(),
    })
}

pub(super) fn tag(seal: &Seal) -> Option<TagReference> {
    let of = |tag: &SealedTag, detached| TagReference {
        id: tag.tag.clone(),
        counter: tag.counter,
        expires: tag
            .expires
            .parse::<Timestamp>()
            .ok()
            .and_then(|time| u64::try_from(time.as_second()).ok())
            .unwrap_or(0),
        detached,
        manifest: tag.manifest.clone(),
    };
    match seal {
        Seal::OnMedium { tag, .. } => Some(of(tag, false)),
        Seal::Detached { tag, .. } => Some(of(tag, true)),
        Seal::NoTag { .. } => None,
    }
}

fn engines(report: &Report) -> Vec<EngineUsed> {
    let base = |base: &blanche_sandbox::wire::BaseInfo| BaseUsed {
        name: base.name.clone(),
        version: base.version.clone().unwrap_or_default(),
        date: base.date.and_then(|date| u64::try_from(date).ok()),
    };
    let engine = |engine: &blanche_sandbox::wire::EngineInfo| EngineUsed {
        name: engine.name.clone(),
        version: engine.version.clone(),
        bases: engine.bases.iter().map(base).collect(),
    };
    report.engines.engines.iter().map(engine).collect()
}
