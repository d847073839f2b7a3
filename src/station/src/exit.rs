//! Exit codes of `blanche`: stable, documented in docs/exit-codes.md, which a test compares with this file.

use blanche_scan::ScanError;
use blanche_scan::judge::Verdict;
use blanche_scan::report::{CopyCause, NoTag, Report, Seal};
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// The medium is clean, or the command did what was asked.
    Clean,
    /// Wrong arguments or configuration.
    Usage,
    /// No engine can be used.
    Engines,
    /// The target is missing or cannot be opened.
    Target,
    /// The station itself failed.
    Station,
    /// The medium is clean, and got no tag although one was asked for.
    Unsealed,
    /// The source is clean, and its files were not copied.
    NotCopied,
    /// Something could not be checked.
    Incomplete,
    /// Something malicious was found.
    Infected,
    /// The medium is not admitted.
    Refused,
    /// Stopped by a signal before there was a verdict.
    Interrupted,
}

impl Exit {
    /// All of them, the worst last: of several targets, the worst decides. What was found weighs more than what went
    /// wrong, and what went wrong weighs more than what is missing.
    pub const BY_WEIGHT: [Self; 11] = [
        Self::Clean,
        Self::Unsealed,
        Self::NotCopied,
        Self::Incomplete,
        Self::Interrupted,
        Self::Refused,
        Self::Target,
        Self::Usage,
        Self::Engines,
        Self::Station,
        Self::Infected,
    ];

    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Usage => 2,
            Self::Engines => 3,
            Self::Target => 4,
            Self::Station => 5,
            Self::Unsealed => 6,
            Self::NotCopied => 7,
            Self::Incomplete => 10,
            Self::Infected => 20,
            Self::Refused => 30,
            Self::Interrupted => 130,
        }
    }

    /// The worse of two.
    pub fn worst(self, other: Self) -> Self {
        let weight = |exit: Self| Self::BY_WEIGHT.iter().position(|known| *known == exit);
        if weight(self) >= weight(other) { self } else { other }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Clean => Self::Clean,
            Verdict::Incomplete => Self::Incomplete,
            Verdict::Infected => Self::Infected,
            Verdict::Refused => Self::Refused,
        }
    }
}

impl From<&Report> for Exit {
    fn from(report: &Report) -> Self {
        let seal = report.copy.as_ref().map_or(&report.seal, |copy| &copy.seal);
        let cause = report.copy.as_ref().and_then(|copy| copy.cause.as_ref());
        let done = match (cause, seal) {
            (Some(CopyCause::Cancelled), _) => Self::Interrupted,
            (Some(_), _) => Self::NotCopied,
            (None, Some(Seal::NoTag { reason: NoTag::Cancelled })) => Self::Interrupted,
            (None, Some(Seal::NoTag { .. })) => Self::Unsealed,
            (None, _) => Self::Clean,
        };
        if report.verdict == Verdict::Clean { done } else { report.verdict.into() }
    }
}

impl From<&ScanError> for Exit {
    fn from(error: &ScanError) -> Self {
        match error {
            ScanError::TargetMissing { .. }
            | ScanError::TargetUnreadable { .. }
            | ScanError::TargetUnsupported { .. } => Self::Target,
            ScanError::Engines(_) => Self::Engines,
            ScanError::Settings(_) => Self::Usage,
            ScanError::Cancelled => Self::Interrupted,
            ScanError::Children { .. } | ScanError::Station(_) => Self::Station,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn the_documented_codes_are_the_codes() {
        let text = include_str!("../../../docs/exit-codes.md");
        let (_, section) = text.split_once("## `blanche scan`").expect("the section");
        let section = section.split("\n## ").next().expect("its end");
        let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
        let documented: Vec<u8> = rows.filter_map(|row| row.split(' ').next()?.parse().ok()).collect();
        let mut codes = Exit::BY_WEIGHT.map(Exit::code);
        codes.sort_unstable();
        assert_eq!(documented, codes);
    }

    #[test]
    fn of_several_targets_the_worst_decides() {
        for (position, exit) in Exit::BY_WEIGHT.into_iter().enumerate() {
            for (other_position, other) in Exit::BY_WEIGHT.into_iter().enumerate() {
                let expected = if position >= other_position { exit } else { other };
                assert_eq!(exit.worst(other), expected);
            }
        }
        assert_eq!(Exit::Infected.worst(Exit::Station), Exit::Infected);
        assert_eq!(Exit::Clean.worst(Exit::Target), Exit::Target);
        assert_eq!(Exit::Incomplete.worst(Exit::Clean), Exit::Incomplete);
    }
}
