//! What of a record the flat formats show.

use crate::reader::Row;
use blanche_tag::visible::harmless;
use serde_json::Value;

/// A member of a body by its path, as harmless text; empty if it is not there.
pub(super) fn text(body: &Value, path: &[&str]) -> String {
    let found = path.iter().try_fold(body, |value, name| value.get(name));
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text),
        Some(other) => harmless(&other.to_string()),
    }
}

/// What has no place of its own: details of events, the journal's own words; `name=value`, in the order of names.
pub(super) fn detail(row: &Row) -> String {
    let known = ["session", "medium", "files", "counts", "engines", "verdict", "ending", "reason", "tag", "detail"];
    let own = row.body.as_object().into_iter().flatten().filter(|(name, _)| !known.contains(&name.as_str()));
    let details = row.body.get("detail").and_then(Value::as_object).into_iter().flatten();
    let show = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{}={}", harmless(name), harmless(text)),
        other => format!("{}={}", harmless(name), harmless(&other.to_string())),
    };
    details.chain(own).map(show).collect::<Vec<_>>().join("; ")
}

/// A file that a record names.
pub(super) struct Found {
    pub(super) sha256: String,
    pub(super) path: String,
    pub(super) severity: String,
    pub(super) findings: String,
}

/// The files that a record names.
pub(super) fn files(row: &Row) -> Vec<Found> {
    let files = row.body.get("files").and_then(Value::as_array).into_iter().flatten();
    let findings = |file: &Value| {
        let all = file.get("findings").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(harmless).collect::<Vec<_>>().join(", ")
    };
    let found = |file: &Value| Found {
        sha256: text(file, &["sha256"]),
        path: text(file, &["path"]),
        severity: text(file, &["severity"]),
        findings: findings(file),
    };
    files.map(found).collect()
}

/// How serious a record is: the severity of syslog (RFC 5424, table 2) from 1 (alert) to 6 (informational).
pub(super) fn severity(row: &Row) -> u8 {
    let verdict = row.body.get("verdict").and_then(Value::as_str);
    match (row.kind.as_str(), verdict) {
        ("alarm", _) => 1,
        ("session", Some("infected")) | ("session_files", _) => 2,
        ("failed" | "self_test_failed" | "checkpoint_missing", _) => 3,
        ("session", Some("incomplete" | "refused")) => 4,
        ("refused" | "changed" | "bases_stale" | "bases_rejected" | "not_sealed", _) => 4,
        ("clock_set_back" | "clock_changed" | "segment_deleted", _) => 4,
        ("session" | "session_copies" | "sealed" | "copied", _) => 5,
        _ => 6,
    }
}

/// The same for one file.
pub(super) fn file_severity(found: &Found) -> u8 {
    if found.severity == "malicious" { 2 } else { 4 }
}
