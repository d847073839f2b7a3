//! Records for people, and as JSON.

use blanche_journal::export::visible_json;
use blanche_journal::{Page, Row};
use blanche_scan::words::{self, Lang, harmless};
use serde_json::Value;
use std::io::{self, Write};

/// A page: one line for each record, and where the next one begins.
pub(super) fn page(page: &Page, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    if page.rows.is_empty() {
        return writeln!(out, "{}", lang.pick("Aucun enregistrement.", "No record."));
    }
    page.rows.iter().try_for_each(|row| writeln!(out, "{}", line(row, lang)))?;
    let Some(next) = page.next else { return Ok(()) };
    let words = lang.pick("Page suivante : ", "Next page: ");
    writeln!(out, "{words}--before {next}")
}

/// One line: number, time, verdict or kind, medium, counts or details.
fn line(row: &Row, lang: Lang) -> String {
    let text = |path: &[&str]| member(&row.body, path).map(shown).unwrap_or_default();
    let what = match row.kind.as_str() {
        "session" => verdict(&text(&["verdict"]), lang).to_owned(),
        kind => harmless(kind),
    };
    let counts = member(&row.body, &["counts", "files"]).and_then(Value::as_u64).map(|files| words::files(files, lang));
    let serial = [text(&["medium", "serial"]), text(&["medium", "name"])].join(" ");
    let rest = match counts {
        Some(counts) => counts,
        None => details(&row.body),
    };
    let line = format!("{:>9}  {}  {what:<12}  {}  {rest}", row.sequence, row.time, serial.trim());
    let session = text(&["session"]);
    if session.is_empty() { line.trim_end().to_owned() } else { format!("{}  {session}", line.trim_end()) }
}

fn verdict(word: &str, lang: Lang) -> &'static str {
    match word {
        "clean" => lang.pick("SAIN", "CLEAN"),
        "infected" => lang.pick("INFECTÉ", "INFECTED"),
        "incomplete" => lang.pick("INCOMPLET", "INCOMPLETE"),
        "refused" => lang.pick("REFUSÉ", "REFUSED"),
        _ => "?",
    }
}

fn member<'a>(body: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(body, |value, name| value.get(name))
}

/// A value as harmless text.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => harmless(text),
        other => harmless(&other.to_string()),
    }
}

/// What an event says, but for what has a column.
fn details(body: &Value) -> String {
    let members = body.as_object().into_iter().flatten().filter(|(name, _)| *name != "session" && *name != "medium");
    let show = |(name, value): (&String, &Value)| match (name.as_str(), value) {
        ("detail", Value::Object(inner)) => inner
            .iter()
            .map(|(name, value)| format!("{}={}", harmless(name), shown(value)))
            .collect::<Vec<_>>()
            .join(" "),
        ("files", Value::Array(files)) => format!("files={}", files.len()),
        _ => format!("{}={}", harmless(name), shown(value)),
    };
    members.map(show).collect::<Vec<_>>().join(" ")
}

/// Everything that a record says, one member in each line.
pub(super) fn whole(row: &Row, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}  {}  {}", row.sequence, row.time, harmless(&row.kind))?;
    put(&row.body, 1, out)?;
    writeln!(out, "  {}{}", lang.pick("empreinte de la chaîne : ", "hash of the chain: "), row.hash)
}

fn put(value: &Value, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    let one = |out: &mut dyn Write, head: String, value: &Value| match value {
        Value::Object(_) | Value::Array(_) => {
            writeln!(out, "{head}")?;
            put(value, depth.saturating_add(1), out)
        }
        plain => writeln!(out, "{head} {}", shown(plain)),
    };
    match value {
        Value::Object(members) => {
            members.iter().try_for_each(|(name, value)| one(out, format!("{indent}{}:", harmless(name)), value))
        }
        Value::Array(items) => items.iter().try_for_each(|value| one(out, format!("{indent}-"), value)),
        plain => writeln!(out, "{indent}{}", shown(plain)),
    }
}

/// A page as JSON (docs/journal.md, section 9).
pub(super) fn json(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let next = page.next.map_or_else(|| "null".to_owned(), |next| next.to_string());
    write!(out, "{{\"schema\":\"blanche-journal/1\",\"next\":{next},\"records\":")?;
    array(&page.rows, out)?;
    writeln!(out, "}}")
}

/// Records as JSON.
pub(super) fn records(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"schema\":\"blanche-journal/1\",\"records\":")?;
    array(rows, out)?;
    writeln!(out, "}}")
}

fn array(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "[")?;
    for (index, row) in rows.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(out, "{comma}{{\"hash\":\"{}\",\"record\":{}}}", row.hash, visible_json(&row.text))?;
    }
    write!(out, "]")
}
