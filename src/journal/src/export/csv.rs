//! CSV (RFC 4180) that a spreadsheet shows and does not calculate.

use super::fields::{detail, files, text};
use crate::reader::Row;

/// Columns: name, and where the value stands in a body.
const COLUMNS: [(&str, &[&str]); 19] = [
    ("session", &["session"]),
    ("verdict", &["verdict"]),
    ("ending", &["ending"]),
    ("reason", &["reason"]),
    ("serial", &["medium", "serial"]),
    ("vendor", &["medium", "vendor"]),
    ("product", &["medium", "product"]),
    ("name", &["medium", "name"]),
    ("port", &["medium", "port"]),
    ("capacity", &["medium", "capacity"]),
    ("files", &["counts", "files"]),
    ("bytes", &["counts", "bytes"]),
    ("checked", &["counts", "checked"]),
    ("skipped", &["counts", "skipped"]),
    ("unreadable", &["counts", "unreadable"]),
    ("malicious", &["counts", "malicious"]),
    ("suspicious", &["counts", "suspicious"]),
    ("not_checked", &["counts", "not_checked"]),
    ("tag", &["tag", "id"]),
];

pub(super) fn header() -> String {
    let names = COLUMNS.iter().map(|(name, _)| *name);
    let all: Vec<&str> = ["sequence", "time", "log", "kind"].into_iter().chain(names).collect();
    format!("{},found_sha256,found_path,detail,hash\r\n", all.join(","))
}

pub(super) fn line(row: &Row) -> String {
    let first = [row.sequence.to_string(), row.time.to_string(), row.log.as_str().to_owned(), row.kind.clone()];
    let found = files(row);
    let digests: Vec<_> = found.iter().map(|file| file.sha256.as_str()).collect();
    let paths: Vec<_> = found.iter().map(|file| file.path.as_str()).collect();
    let last = [digests.join(" "), paths.join(" | "), detail(row), row.hash.to_string()];
    let middle = COLUMNS.iter().map(|(_, path)| text(&row.body, path));
    let cells: Vec<_> = first.into_iter().chain(middle).chain(last).map(|cell| quoted(&cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection"): an apostrophe in front of what could begin one.
/// Numbers are numbers.
pub(super) fn quoted(cell: &str) -> String {
    let starts = cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠']);
    let apostrophe = if starts { "'" } else { "" };
    format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))
}
