//! What stands on a row of the details: where, what, what to do.

use super::reasons;
use crate::report::{Row, RowKind, Severity};
use crate::words::{Text, pages as words};

/// The lines of a row.
#[must_use]
pub fn row_texts(row: &Row) -> Vec<Text> {
    let place = match (row.path.is_empty(), row.volume) {
        (false, _) => Text::Raw(row.path.to_string()),
        // People count from one.
        (true, Some(volume)) => words::ROW_VOLUME.with([("number", volume.saturating_add(1).into())]),
        (true, None) => words::ROW_WHOLE.into(),
    };
    match &row.kind {
        RowKind::Finding { severity, name, engine, layer } => {
            let weight = match severity {
                Severity::Malicious => words::ROW_MALICIOUS,
                Severity::Suspicious => words::ROW_SUSPICIOUS,
                Severity::Info => words::ROW_INFO,
            };
            let raw = |text: &str| Text::Raw(text.to_owned());
            let found = if layer.is_empty() {
                words::ROW_FOUND_BY.with([("name", raw(name)), ("engine", raw(engine))])
            } else {
                words::ROW_INSIDE.with([("name", raw(name)), ("engine", raw(engine)), ("layer", raw(layer))])
            };
            vec![words::ROW_LINE.with([("weight", weight.into()), ("place", place)]), found]
        }
        RowKind::NotChecked { cause, detail } => {
            let reason = reasons::cause(cause, detail);
            let line = words::ROW_LINE.with([("weight", words::ROW_NOT_CHECKED.into()), ("place", place)]);
            vec![line, reason.what, reason.next]
        }
    }
}
