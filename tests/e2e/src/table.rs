//! What came of each case, for people and for whoever counts.

use std::fmt;
use std::time::Duration;

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name of the case.
    pub name: String,
    /// What was plugged in.
    pub device: String,
    /// What should have come of it.
    pub expected: String,
    /// What came of it.
    pub seen: String,
    /// How long it took.
    pub took: Duration,
}

impl Row {
    /// Whether it is as expected.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.expected == self.seen
    }
}

impl fmt::Display for Row {
    /// `name | device | expected | seen | ok | seconds`; what is as expected is not said twice.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, device, expected, seen, took } = self;
        let (seen, ok) = if self.ok() { ("as expected", "ok") } else { (seen.as_str(), "DIFFERS") };
        write!(formatter, "{name} | {device} | {expected} | {seen} | {ok} | {:.1} s", took.as_secs_f64())
    }
}

/// The last line, in the form of Rust's test runner: whoever adds up the lines of several runs reads this one as well.
#[must_use]
pub fn result(rows: &[Row]) -> String {
    let passed = rows.iter().filter(|row| row.ok()).count();
    let failed = rows.len() - passed;
    let word = if failed == 0 && passed > 0 { "ok" } else { "FAILED" };
    format!("test result: {word}. {passed} passed; {failed} failed;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seen: &str) -> Row {
        let text = |text: &str| text.to_owned();
        Row { name: text("n"), device: text("d"), expected: text("e"), seen: text(seen), took: Duration::from_secs(1) }
    }

    #[test]
    fn one_difference_fails_and_nothing_at_all_is_no_success() {
        assert_eq!(result(&[row("e"), row("e")]), "test result: ok. 2 passed; 0 failed;");
        assert_eq!(result(&[row("e"), row("f")]), "test result: FAILED. 1 passed; 1 failed;");
        assert_eq!(result(&[]), "test result: FAILED. 0 passed; 0 failed;");
        assert!(row("f").to_string().contains("| f | DIFFERS |"));
    }
}
