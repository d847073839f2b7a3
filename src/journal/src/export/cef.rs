//! CEF (ArcSight Common Event Format, implementation standard, version 0): `CEF:0|vendor|product|version|class|name|severity|extension`.

use super::fields::{detail, file_severity, files, severity, text};
use super::syslog;
use crate::reader::Row;

pub(super) fn lines(row: &Row, host: &str) -> String {
    let common = common(row, host);
    let own = [("msg", syslog::summary(row)), ("cs6Label", "detail".to_owned()), ("cs6", detail(row))];
    let mut all = event(&row.kind, &row.kind, severity(row), common.iter().chain(&own));
    for file in files(row) {
        let own = [("fileHash", file.sha256.clone()), ("filePath", file.path.clone()), ("msg", syslog::found(&file))];
        all.push_str(&event("found_file", &file.findings, file_severity(&file), common.iter().chain(&own)));
    }
    all
}

type Pair = (&'static str, String);

/// What every event of a record says.
fn common(row: &Row, host: &str) -> Vec<Pair> {
    let body = |path: &[&str]| text(&row.body, path);
    let labelled = [
        ("cs1Label", "session", "cs1", body(&["session"])),
        ("cs2Label", "serial", "cs2", body(&["medium", "serial"])),
        ("cs3Label", "verdict", "cs3", body(&["verdict"])),
        ("cs4Label", "hash", "cs4", row.hash.to_string()),
        ("cs5Label", "tag", "cs5", body(&["tag", "id"])),
    ];
    let mut all = vec![
        ("rt", row.time.millisecond().to_string()),
        ("externalId", row.sequence.to_string()),
        ("cat", row.log.as_str().to_owned()),
        ("dvchost", host.to_owned()),
        ("reason", body(&["reason"])),
    ];
    for (label, name, key, value) in labelled.into_iter().filter(|(.., value)| !value.is_empty()) {
        all.extend([(label, name.to_owned()), (key, value)]);
    }
    all
}

fn event<'p>(class: &str, name: &str, severity: u8, pairs: impl Iterator<Item = &'p Pair>) -> String {
    let shown = pairs.filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}={}", extension(value)));
    let extension = shown.collect::<Vec<_>>().join(" ");
    let (version, level) = (env!("CARGO_PKG_VERSION"), level(severity));
    format!("CEF:0|Blanche|Blanche|{version}|{}|{}|{level}|{extension}\n", header(class), header(name))
}

/// From 0 to 10, the worst last.
fn level(severity: u8) -> u8 {
    match severity {
        0..=1 => 10,
        2 => 9,
        3 => 7,
        4 => 5,
        5 => 3,
        _ => 1,
    }
}

/// In a header, backslash and bar are escaped; lines cannot occur any more.
pub(super) fn header(value: &str) -> String {
    value.replace('\\', "\\\\").replace('|', "\\|")
}

/// In an extension, backslash and equals sign are escaped.
pub(super) fn extension(value: &str) -> String {
    value.replace('\\', "\\\\").replace('=', "\\=")
}
