//! Sentences for the stable words of the bus and of reports: what happened, and what to do next. Words that a newer station might
//! say have sentences too: nothing is ever shown as an empty line.

use crate::words::{Message, Text, causes, pages, results as words};

/// What happened, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) what: Text,
    pub(crate) next: Text,
}

impl Reason {
    /// Nobody else may decide what becomes of the medium.
    pub(crate) fn is_for_staff(&self) -> bool {
        self.next == causes::NEXT_STAFF.into()
    }
}

fn reason(what: Message, next: Message) -> Reason {
    Reason { what: what.into(), next: next.into() }
}

/// Why a device or medium is refused (`Session1.Refusal`).
pub(crate) fn refusal(word: &str) -> Reason {
    match word {
        "not-storage" => reason(words::REFUSAL_NOT_STORAGE, words::REFUSAL_NOT_STORAGE_NEXT),
        "composite" => reason(words::REFUSAL_COMPOSITE, words::CALL_SECURITY),
        "transport" => reason(words::REFUSAL_TRANSPORT, words::COPY_TO_KEY),
        "class" => reason(words::REFUSAL_CLASS, words::CALL_SECURITY),
        "malformed" => reason(words::REFUSAL_MALFORMED, words::CALL_SECURITY),
        "changed" => reason(words::REFUSAL_CHANGED, words::CALL_SECURITY),
        "hub" => reason(words::REFUSAL_HUB, words::REFUSAL_HUB_NEXT),
        "port" => reason(words::REFUSAL_PORT, words::REFUSAL_PORT_NEXT),
        "list" => reason(words::REFUSAL_LIST, words::REFUSAL_LIST_NEXT),
        "unusable" => reason(words::REFUSAL_UNUSABLE, words::REFUSAL_UNUSABLE_NEXT),
        "empty" => reason(words::REFUSAL_EMPTY, words::REFUSAL_EMPTY_NEXT),
        "too-large" => reason(words::REFUSAL_TOO_LARGE, words::REFUSAL_TOO_LARGE_NEXT),
        "mounted" => reason(words::REFUSAL_MOUNTED, words::CALL_ADMINISTRATOR),
        _ => reason(words::REFUSED_SENTENCE, words::CALL_SECURITY),
    }
}

/// Why there is no report (`Session1.Failure`).
pub(crate) fn failure(word: &str) -> Reason {
    match word {
        "removed" => reason(words::FAILURE_REMOVED, words::PLUG_AGAIN),
        "cancelled" => reason(words::FAILURE_CANCELLED, words::PLUG_AGAIN),
        "engines" => reason(words::FAILURE_ENGINES, words::CALL_ADMINISTRATOR),
        "unreadable" => reason(words::FAILURE_UNREADABLE, words::FAILURE_UNREADABLE_NEXT),
        "restart" => reason(words::FAILURE_RESTART, words::PLUG_AGAIN),
        "sleep" => reason(words::FAILURE_SLEEP, words::PLUG_AGAIN),
        "changed" => reason(words::FAILURE_CHANGED, words::CALL_SECURITY),
        _ => reason(words::FAILURE_STATION, words::CALL_ADMINISTRATOR),
    }
}

/// What a state is, inside a sentence (`Session1.State`).
pub(crate) fn state(word: &str) -> Text {
    match word {
        "queued" => words::STATE_QUEUED.into(),
        "checking" => words::STATE_CHECKING.into(),
        "sealing" => words::STATE_SEALING.into(),
        "stopping" => words::STATE_STOPPING.into(),
        "verdict" => words::STATE_VERDICT.into(),
        "refused" => words::STATE_REFUSED.into(),
        "removed" => words::STATE_REMOVED.into(),
        "copying" => words::STATE_COPYING.into(),
        other => other.into(),
    }
}

/// A problem of the station (`Station1.Problems`), and its code for staff.
pub(crate) fn problem(kind: &str) -> (Message, &'static str) {
    match kind {
        "engines" => (words::PROBLEM_ENGINES, "B1"),
        "bases" => (words::PROBLEM_BASES, "B2"),
        "usb-open" => (words::PROBLEM_USB_OPEN, "B3"),
        "journal" => (words::PROBLEM_JOURNAL, "B4"),
        "signer" => (words::PROBLEM_SIGNER, "B5"),
        "detection" => (words::PROBLEM_DETECTION, "B6"),
        _ => (words::PROBLEM_OTHER, "B9"),
    }
}

/// Why nothing was copied (`Session1.CopyCause`).
pub(crate) fn copy(word: &str) -> Reason {
    match word {
        "not_clean" => reason(pages::CAUSE_NOT_CLEAN, words::CALL_SECURITY),
        "obstacles" => reason(pages::CAUSE_OBSTACLES, words::CALL_ADMINISTRATOR),
        "nothing" => reason(pages::CAUSE_NOTHING, words::NOTHING_NEXT),
        "same_medium" => reason(pages::CAUSE_SAME_MEDIUM, pages::NEXT_ANOTHER_KEY),
        "not_output" => reason(pages::CAUSE_NOT_OUTPUT, pages::NEXT_COPY_SOCKET),
        "not_blank" => reason(pages::CAUSE_NOT_BLANK, pages::NEXT_ANOTHER_KEY),
        "output" | "unfit" => reason(pages::CAUSE_OUTPUT, pages::NEXT_ANOTHER_KEY),
        "no_room" => reason(pages::CAUSE_NO_ROOM, pages::NEXT_ANOTHER_KEY),
        "too_many" => reason(pages::CAUSE_TOO_MANY, words::CALL_SECURITY),
        "signer" => reason(pages::CAUSE_SIGNER, words::CALL_ADMINISTRATOR),
        "source_changed" => reason(pages::CAUSE_SOURCE_CHANGED, pages::NEXT_BOTH_SECURITY),
        "source_unreadable" => reason(pages::CAUSE_SOURCE_UNREADABLE, pages::NEXT_CHECK_AGAIN),
        "source_removed" => reason(pages::CAUSE_SOURCE_REMOVED, words::PLUG_AGAIN),
        "output_failed" => reason(pages::CAUSE_OUTPUT_FAILED, pages::NEXT_ANOTHER_KEY),
        "output_differs" => reason(pages::CAUSE_OUTPUT_DIFFERS, pages::NEXT_ANOTHER_KEY),
        "output_not_clean" => reason(pages::CAUSE_OUTPUT_NOT_CLEAN, pages::NEXT_BOTH_SECURITY),
        "cancelled" => reason(pages::CAUSE_CANCELLED, pages::NEXT_COPY_AGAIN),
        _ => reason(pages::CAUSE_STATION, words::CALL_ADMINISTRATOR),
    }
}

/// Why something was not checked (docs/report.md, "Causes").
pub(crate) fn cause(word: &str, detail: &str) -> Reason {
    let with =
        |message: Message, next: Message| Reason { what: message.with([("detail", detail.into())]), next: next.into() };
    match word {
        "unreadable" => reason(causes::UNREADABLE, causes::NEXT_AGAIN),
        "medium_removed" => reason(causes::MEDIUM_REMOVED, causes::NEXT_STAY),
        "corrupt" => reason(causes::CORRUPT, causes::NEXT_OTHER_MEDIUM),
        "filesystem_unsupported" => with(causes::FILESYSTEM_UNSUPPORTED, causes::NEXT_ORDINARY),
        "feature_unsupported" => reason(causes::FEATURE_UNSUPPORTED, causes::NEXT_ORDINARY),
        "unknown_content" => reason(causes::UNKNOWN_CONTENT, causes::NEXT_ORDINARY),
        "ambiguous_names" => reason(causes::AMBIGUOUS_NAMES, causes::NEXT_OTHER_MEDIUM),
        "read_limit" => reason(causes::READ_LIMIT, causes::NEXT_SMALLER),
        "not_regular_file" => reason(causes::NOT_REGULAR_FILE, causes::NEXT_ORDINARY),
        "permission_denied" => reason(causes::PERMISSION_DENIED, causes::NEXT_ADMINISTRATOR),
        "other_filesystem" => reason(causes::OTHER_FILESYSTEM, causes::NEXT_ORDINARY),
        "changed_while_read" => reason(causes::CHANGED_WHILE_READ, causes::NEXT_AGAIN),
        "container_unsupported" => with(causes::CONTAINER_UNSUPPORTED, causes::NEXT_PLAIN_FILES),
        "container_broken" => with(causes::CONTAINER_BROKEN, causes::NEXT_NEW_COPY),
        "encrypted" => with(causes::ENCRYPTED, causes::NEXT_UNPROTECTED),
        "engine_limit" => reason(causes::ENGINE_LIMIT, causes::NEXT_SMALLER),
        "engine_timeout" => reason(causes::ENGINE_TIMEOUT, causes::NEXT_STAFF),
        "engine_failed" => reason(causes::ENGINE_FAILED, causes::NEXT_NEW_COPY),
        "matcher_crashed" => reason(causes::MATCHER_CRASHED, causes::NEXT_STAFF),
        "matcher_hung" => reason(causes::MATCHER_HUNG, causes::NEXT_STAFF),
        "matcher_memory" => reason(causes::MATCHER_MEMORY, causes::NEXT_STAFF),
        "engines_lost" => reason(causes::ENGINES_LOST, causes::NEXT_AGAIN),
        "digests_differ" => reason(causes::DIGESTS_DIFFER, causes::NEXT_STAFF),
        "content_refused" => reason(causes::CONTENT_REFUSED, causes::NEXT_STAFF),
        "reader_lost" => reason(causes::READER_LOST, causes::NEXT_STAFF),
        "never_read" => reason(causes::NEVER_READ, causes::NEXT_AGAIN),
        "cancelled" => reason(causes::CANCELLED_CAUSE, causes::NEXT_AGAIN),
        "spool_full" => reason(causes::SPOOL_FULL, causes::NEXT_ADMINISTRATOR),
        other => Reason { what: causes::OTHER_CAUSE.with([("detail", other.into())]), next: causes::NEXT_STAFF.into() },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const STATION: &str = include_str!("../../../../docs/station.md");
    const REPORT: &str = include_str!("../../../../docs/report.md");

    /// The words between back quotes in the row of `document` that begins with `begin`.
    fn row(document: &'static str, begin: &str) -> Vec<&'static str> {
        let row = document.lines().find(|line| line.starts_with(begin)).expect("the row");
        row.split('`').skip(1).step_by(2).skip(1).collect()
    }

    #[test]
    fn every_refusal_of_the_bus_has_its_sentence() {
        let unknown = refusal("a new word");
        let words = row(STATION, "| `Refusal`");
        assert!(words.len() >= 13, "{words:?}");
        for word in words {
            assert_ne!(refusal(word), unknown, "{word}");
        }
    }

    #[test]
    fn every_failure_of_the_bus_has_its_sentence() {
        let unknown = failure("a new word");
        let words = row(STATION, "| `Failure`");
        assert!(words.len() >= 8, "{words:?}");
        for word in words {
            assert!(word == "station" || failure(word) != unknown, "{word}");
        }
    }

    #[test]
    fn every_state_of_the_bus_has_its_words() {
        let words = row(STATION, "| `State`");
        assert!(words.len() >= 7, "{words:?}");
        for word in words {
            assert_ne!(state(word), Text::Raw(word.to_owned()), "{word}");
        }
    }

    #[test]
    fn every_problem_of_the_bus_has_its_sentence_and_a_code_of_its_own() {
        let (_, table) = STATION.split_once("| kind of problem | then |").expect("the table");
        let table = table.split("\n\n").next().expect("its end");
        let kinds: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert!(kinds.len() >= 6, "{kinds:?}");
        let mut codes: Vec<&str> = kinds.iter().map(|kind| problem(kind).1).chain(["B9"]).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), kinds.len() + 1, "{codes:?}");
    }

    #[test]
    fn every_cause_of_a_copy_has_its_sentence() {
        let unknown = copy("a new word");
        let words = row(REPORT, "| `copy.cause.cause`");
        assert!(words.len() >= 19, "{words:?}");
        // A station copies no folder.
        for word in words.into_iter().filter(|word| !matches!(*word, "station" | "folder")) {
            assert_ne!(copy(word), unknown, "{word}");
        }
    }

    #[test]
    fn every_cause_of_a_report_has_its_sentence() {
        let (_, table) = REPORT.split_once("## Causes").expect("the section");
        let table = table.split("\n## ").next().expect("its end");
        let words: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert!(words.len() >= 28, "{words:?}");
        for word in words {
            let Text::Said(message, _) = cause(word, "").what else { unreachable!("a message") };
            assert_ne!(message, causes::OTHER_CAUSE, "{word}");
        }
    }
}
