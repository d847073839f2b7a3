//! Hostile names do nothing in any format.

use super::{Exporter, Format, cef, csv, syslog};
use crate::testing::{nobody, open, session};
use crate::{Event, EventKind, Filter, Order, Row};

/// Formula, quotes, bars, brackets, an escape sequence, a line end, a bidirectional override, an equals sign.
const HOSTILE: &str = "=cmd|'/c calc'!A1\"],\\|\u{1b}[2J\r\n\u{202e}txt.exe=x";

fn rows() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.event(Event::new(EventKind::Alarm).with("reason", HOSTILE).with(HOSTILE, "x")).unwrap();
    let mut closing = session(3);
    closing.files[0].path = HOSTILE.to_owned();
    closing.files[0].findings = vec![HOSTILE.to_owned()];
    closing.medium.name = Some(HOSTILE.to_owned());
    closing.medium.serial = Some(HOSTILE.to_owned());
    journal.transfer(closing).unwrap();
    let _ = journal.checkpoint(&mut nobody).unwrap();
    journal.reader().unwrap().page(&Filter::default(), Order::OldestFirst, None, 100).unwrap().rows
}

fn exported(format: Format, rows: &[Row]) -> String {
    let mut out = Vec::new();
    let mut exporter = Exporter::begin(format, "kiosk 1", &mut out).unwrap();
    rows.iter().for_each(|row| exporter.record(row).unwrap());
    String::from_utf8(out).unwrap()
}

/// Nothing that a terminal obeys but the ends of lines, which are as many as there should be.
fn assert_harmless(text: &str, lines: usize) {
    let end = |one: char| one == '\n' || one == '\r' || one == '\u{feff}';
    assert!(text.chars().all(|one| end(one) || !(one.is_control() || one == '\u{202e}')), "{text:?}");
    assert_eq!(text.lines().count(), lines, "{text}");
}

#[test]
fn json_lines_canonicalise_to_the_bytes_that_were_hashed() {
    let rows = rows();
    let text = exported(Format::JsonLines, &rows);
    assert_harmless(&text, rows.len());
    for (line, row) in text.lines().zip(&rows) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(crate::canonical::text(&value["record"]).unwrap(), row.text);
        assert_eq!(value["hash"], row.hash.to_string());
    }
}

#[test]
fn csv_is_calculated_by_no_spreadsheet() {
    let rows = rows();
    let text = exported(Format::Csv, &rows);
    assert_harmless(&text, rows.len() + 1);
    let columns = text.lines().next().unwrap().split(',').count();
    for line in text.lines().skip(1) {
        // RFC 4180: inside quotes, quotes are doubled; ours are all quoted.
        let cells: Vec<_> = line.strip_prefix('"').unwrap().strip_suffix('"').unwrap().split("\",\"").collect();
        assert!(cells.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{line}");
        if !line.contains("\"\"]") {
            assert_eq!(cells.len(), columns, "{line}");
        }
    }
    for (cell, quoted) in [
        ("=1+1", "\"'=1+1\""),
        ("+1", "\"'+1\""),
        ("-1", "\"'-1\""),
        ("@SUM", "\"'@SUM\""),
        (" =1", "\"' =1\""),
        ("＝1", "\"'＝1\""),
        ("a\"b", "\"a\"\"b\""),
        ("12", "\"12\""),
        ("", "\"\""),
    ] {
        assert_eq!(csv::quoted(cell), quoted);
    }
}

#[test]
fn syslog_messages_are_those_of_rfc_5424() {
    let rows = rows();
    let text = exported(Format::Syslog, &rows);
    // One more for the file that was found.
    assert_harmless(&text, rows.len() + 1);
    assert_eq!(syslog::escaped("a\"b\\c]d"), "a\\\"b\\\\c\\]d");
    for line in text.lines() {
        let (head, rest) = line.split_once(" [blanche@32473 ").unwrap();
        let fields: Vec<_> = head.split(' ').collect();
        let [priority, _time, host, app, process, id] = fields.as_slice() else { panic!("{head}") };
        assert!(priority.strip_prefix('<').unwrap().strip_suffix(">1").unwrap().parse::<u8>().unwrap() <= 191);
        assert_eq!((*host, *app, *process), ("kiosk_1", "blanche", "-"));
        assert!(id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_graphic()));
        // The first bracket that is not escaped ends the data, the mark of UTF-8 follows.
        let mut before = ' ';
        let end = rest.char_indices().find(|(_, one)| {
            let ends = *one == ']' && before != '\\';
            before = if before == '\\' && *one == '\\' { ' ' } else { *one };
            ends
        });
        assert!(rest[end.unwrap().0..].starts_with("] \u{feff}"), "{line}");
    }
    let alarm = text.lines().find(|line| line.contains(" alarm ")).unwrap();
    assert!(alarm.starts_with("<105>1 "), "{alarm}");
    assert!(text.contains(" found_file [") && text.contains(&crate::testing::digest(3)));
}

#[test]
fn cef_headers_and_extensions_cannot_be_broken_out_of() {
    let rows = rows();
    let text = exported(Format::Cef, &rows);
    assert_harmless(&text, rows.len() + 1);
    assert_eq!(cef::header("a|b\\c"), "a\\|b\\\\c");
    assert_eq!(cef::extension("a=b|c\\d"), "a\\=b|c\\\\d");
    for line in text.lines() {
        let bare = line.replace("\\\\", "").replace("\\|", "").replace("\\=", "");
        let parts: Vec<_> = bare.splitn(8, '|').collect();
        assert_eq!((parts[0], parts[1], parts[2]), ("CEF:0", "Blanche", "Blanche"));
        assert!(parts[6].parse::<u8>().unwrap() <= 10, "{line}");
        let keys: Vec<_> = parts[7].split('=').filter_map(|part| part.rsplit(' ').next()).collect();
        assert!(keys.contains(&"rt") && keys.contains(&"externalId"), "{keys:?}");
        assert!(!keys.contains(&"txt.exe") && !keys.contains(&"x"));
    }
    assert!(text.contains(&format!("fileHash={}", crate::testing::digest(3))));
}
