//! The form of the document, as it is promised in docs/verify.md. With `BLANCHE_WRITE_GOLDEN` set the files are written
//! instead.

use crate::vectors;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn document(vector: &str) -> Value {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tag-vectors");
    let parts = vectors::load(&vectors.join("parts.json"));
    let place = tempfile::tempdir().unwrap();
    let answer = vectors::run(&vectors::load(&vectors.join(vector)), &parts, place.path());
    let mut document = answer.json();
    document["target"]["path"] = json!("TARGET");
    document
}

/// The paths of all fields.
fn fields(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields_of) => {
            for (name, value) in fields_of {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                into.insert(path.clone());
                fields(value, &path, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, &format!("{path}[]"), into)),
        _ => {}
    }
}

#[test]
fn the_documents_are_the_golden_ones_and_every_field_is_documented() {
    if !crate::program::is_native() {
        return; // The program for Windows adds a notice; its verdicts are compared by the other tests.
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/golden");
    let mut found = BTreeSet::new();
    for (vector, name) in [
        ("good/windows.json", "accepted.json"),
        ("bad/removed.json", "removed.json"),
        ("bad/expired.json", "expired.json"),
        ("bad/other-capacity.json", "medium.json"),
    ] {
        let document = document(vector);
        let path = folder.join(name);
        if std::env::var_os("BLANCHE_WRITE_GOLDEN").is_some() {
            fs::write(&path, serde_json::to_string_pretty(&document).unwrap() + "\n").unwrap();
        }
        assert_eq!(document, vectors::load(&path), "{name}");
        fields(&document, "", &mut found);
    }
    let text = fs::read_to_string(folder.join("../../../../../docs/verify.md")).unwrap();
    let documented: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let missing: Vec<_> = found.iter().filter(|field| !documented.contains(field.as_str())).collect();
    assert!(missing.is_empty(), "docs/verify.md does not name {missing:?}");
}
