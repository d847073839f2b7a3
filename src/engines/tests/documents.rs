//! What the documents promise is what the code does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a document that cannot be read must stop the test"
)]

use blanche_engines::containers::OPENERS;
use std::collections::BTreeMap;

/// Rows of docs/containers.md: container, opener.
fn documented() -> BTreeMap<String, String> {
    let text = include_str!("../../../docs/containers.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let mut table = BTreeMap::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, container, recognised, opener, then, _] = cells.as_slice() else { panic!("{row}") };
        assert!(!recognised.is_empty() && !then.is_empty(), "{row}");
        let known = table.insert(container.trim_matches('`').to_owned(), (*opener).to_owned());
        assert!(known.is_none(), "twice: {row}");
    }
    table
}

#[test]
fn the_table_of_containers_is_that_of_the_code() {
    let code: BTreeMap<_, _> = OPENERS
        .iter()
        .map(|row| {
            let name = serde_json::to_value(row.container).unwrap().as_str().unwrap().to_owned();
            (name, row.engine.unwrap_or("nobody").to_owned())
        })
        .collect();
    assert_eq!(code.len(), OPENERS.len());
    assert_eq!(documented(), code);
}

#[test]
fn the_version_of_yara_x_is_the_pinned_one() {
    let pinned = format!("yara-x = {{ version = \"={}\"", blanche_engines::rules::YARA_X_VERSION);
    assert!(include_str!("../Cargo.toml").contains(&pinned));
}
