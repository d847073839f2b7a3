//! docs/journal.md and the program are one.

use crate::schema::SCHEMA;
use crate::{ChainHash, FaultKind};

const DOCUMENT: &str = include_str!("../../../../docs/journal.md");

#[test]
fn the_schema_in_the_documentation_is_that_of_the_program() {
    let (_, after) = DOCUMENT.split_once("```sql\n").unwrap();
    let (sql, _) = after.split_once("```").unwrap();
    assert_eq!(sql, SCHEMA.trim_start_matches('\n'));
}

#[test]
fn every_fault_has_its_own_code_which_is_documented() {
    for kind in FaultKind::ALL {
        assert!(DOCUMENT.contains(&format!("| `{}` |", kind.as_str())), "{}", kind.as_str());
        assert!(kind.sentence(false).ends_with('.') && kind.sentence(true).ends_with('.'));
    }
    assert_eq!(DOCUMENT.matches("| `J-").count(), FaultKind::ALL.len());
}

#[test]
fn the_chain_is_the_one_of_the_documentation() {
    // By coreutils: printf 'blanche-journal-start-1\n' and 16 zero bytes, into sha256sum; then the record likewise.
    let start = ChainHash::start(uuid::Uuid::nil());
    assert_eq!(start.to_string(), "53878ed4f65059c9faae467291a9f577bfea91af7bce7c95da30688de852a837");
    assert_eq!(start.then("{}").to_string(), "446c6a394ea5fc506d7b6a5861554b6c13405891dce85996aaab12e271355e7d");
}
