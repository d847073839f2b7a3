//! Syslog (RFC 5424): one message in each line, to be sent or read by whatever sends or reads lines.

use super::fields::{Found, detail, file_severity, files, severity, text};
use crate::reader::Row;

/// Facility "log audit" (RFC 5424, table 1).
const FACILITY: u8 = 13;
/// Structured data of ours. 32473 is the enterprise number for examples (RFC 5612): Blanche has none of its own.
const DATA: &str = "blanche@32473";

/// HOSTNAME: printable ASCII, 1 to 255 (RFC 5424, 6.2.4), else "-".
pub(super) fn host(name: &str) -> String {
    let shown: String = name.chars().take(255).map(|one| if one.is_ascii_graphic() { one } else { '_' }).collect();
    if shown.is_empty() { "-".to_owned() } else { shown }
}

pub(super) fn lines(row: &Row, host: &str) -> String {
    let mut all = message(row, host, severity(row), &row.kind, &[], &summary(row));
    for file in files(row) {
        let own = [("sha256", file.sha256.as_str()), ("path", &file.path), ("severity", &file.severity)];
        all.push_str(&message(row, host, file_severity(&file), "found_file", &own, &found(&file)));
    }
    all
}

fn message(row: &Row, host: &str, severity: u8, kind: &str, own: &[(&str, &str)], words: &str) -> String {
    let priority = u16::from(FACILITY).saturating_mul(8).saturating_add(severity.into());
    let (sequence, hash) = (row.sequence.to_string(), row.hash.to_string());
    let of_body = ["session", "verdict", "ending", "reason"].map(|name| (name, text(&row.body, &[name])));
    let serial = text(&row.body, &["medium", "serial"]);
    let fixed = [("sequence", sequence.as_str()), ("log", row.log.as_str()), ("hash", &hash), ("serial", &serial)];
    let body = of_body.iter().map(|(name, value)| (*name, value.as_str()));
    let parameters: String = fixed
        .into_iter()
        .chain(body)
        .chain(own.iter().copied())
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!(" {name}=\"{}\"", escaped(value)))
        .collect();
    // MSGID has 32 characters at most. The byte order mark says that the message is UTF-8 (6.4).
    let kind: String = kind.chars().take(32).collect();
    format!("<{priority}>1 {} {host} blanche - {kind} [{DATA}{parameters}] \u{feff}{words}\n", row.time)
}

/// PARAM-VALUE (6.3.3).
pub(super) fn escaped(value: &str) -> String {
    let mut shown = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '"' | '\\' | ']') {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

/// A few words for people.
pub(super) fn summary(row: &Row) -> String {
    let verdict = text(&row.body, &["verdict"]);
    let name = text(&row.body, &["medium", "name"]);
    let words = [row.kind.clone(), verdict, name, detail(row)];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The same of a file.
pub(super) fn found(file: &Found) -> String {
    format!("{} file {}: {}", file.severity, file.path, file.findings)
}
