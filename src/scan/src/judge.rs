//! The verdict: one pure function over what the ledgers and the engines said (security rule 1).

use blanche_sandbox::wire::Severity;
use serde::{Deserialize, Serialize};

/// What a person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum Verdict {
    /// Every byte of every file and stream was checked and nothing was found.
    Clean,
    /// Something could not be checked, or a person must decide.
    Incomplete,
    /// Something malicious was found.
    Infected,
    /// The device policy does not admit this medium; nothing was read.
    Refused,
}

/// State of the content ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentLedgerState {
    /// Every byte of every file and stream was checked, and everything was listed.
    Complete,
    /// Something was skipped, unreadable, not listed or never came.
    Incomplete,
}

/// What was decided about the device before anything was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admission {
    /// The medium may be read.
    Admitted,
    /// The policy refuses it.
    Refused,
}

/// How the administrator's policy changes the weight of findings. It may only tighten; relaxing takes a named,
/// signed exception.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SuspiciousPolicy {
    /// A suspicious finding needs a person: *Incomplete*.
    #[default]
    NeedsPerson,
    /// A suspicious finding counts as malicious.
    Infected,
}

/// The verdict on a medium.
///
/// `worst` is the most severe finding, absent when there is none. A malicious finding stands whatever else went wrong;
/// a refused medium was not read, so nothing else can be known about it.
pub fn judge(
    admission: Admission,
    content: ContentLedgerState,
    worst: Option<Severity>,
    suspicious: SuspiciousPolicy,
) -> Verdict {
    match (admission, worst, suspicious, content) {
        (Admission::Refused, ..) => Verdict::Refused,
        (_, Some(Severity::Malicious), ..) | (_, Some(Severity::Suspicious), SuspiciousPolicy::Infected, _) => {
            Verdict::Infected
        }
        (_, Some(Severity::Suspicious), SuspiciousPolicy::NeedsPerson, _) => Verdict::Incomplete,
        (_, None | Some(Severity::Info), _, ContentLedgerState::Incomplete) => Verdict::Incomplete,
        (_, None | Some(Severity::Info), _, ContentLedgerState::Complete) => Verdict::Clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination, written out by hand: the table is the promise, the function only keeps it.
    #[test]
    fn the_truth_table_is_complete() {
        use Admission::{Admitted, Refused as Denied};
        use ContentLedgerState::{Complete, Incomplete as Gaps};
        use Severity::{Info, Malicious, Suspicious};
        use SuspiciousPolicy::{Infected as Strict, NeedsPerson};
        use Verdict::{Clean, Incomplete, Infected, Refused};
        let table = [
            (Admitted, Complete, None, NeedsPerson, Clean),
            (Admitted, Complete, None, Strict, Clean),
            (Admitted, Complete, Some(Info), NeedsPerson, Clean),
            (Admitted, Complete, Some(Info), Strict, Clean),
            (Admitted, Complete, Some(Suspicious), NeedsPerson, Incomplete),
            (Admitted, Complete, Some(Suspicious), Strict, Infected),
            (Admitted, Complete, Some(Malicious), NeedsPerson, Infected),
            (Admitted, Complete, Some(Malicious), Strict, Infected),
            (Admitted, Gaps, None, NeedsPerson, Incomplete),
            (Admitted, Gaps, None, Strict, Incomplete),
            (Admitted, Gaps, Some(Info), NeedsPerson, Incomplete),
            (Admitted, Gaps, Some(Info), Strict, Incomplete),
            (Admitted, Gaps, Some(Suspicious), NeedsPerson, Incomplete),
            (Admitted, Gaps, Some(Suspicious), Strict, Infected),
            (Admitted, Gaps, Some(Malicious), NeedsPerson, Infected),
            (Admitted, Gaps, Some(Malicious), Strict, Infected),
            (Denied, Complete, None, NeedsPerson, Refused),
            (Denied, Complete, None, Strict, Refused),
            (Denied, Complete, Some(Info), NeedsPerson, Refused),
            (Denied, Complete, Some(Info), Strict, Refused),
            (Denied, Complete, Some(Suspicious), NeedsPerson, Refused),
            (Denied, Complete, Some(Suspicious), Strict, Refused),
            (Denied, Complete, Some(Malicious), NeedsPerson, Refused),
            (Denied, Complete, Some(Malicious), Strict, Refused),
            (Denied, Gaps, None, NeedsPerson, Refused),
            (Denied, Gaps, None, Strict, Refused),
            (Denied, Gaps, Some(Info), NeedsPerson, Refused),
            (Denied, Gaps, Some(Info), Strict, Refused),
            (Denied, Gaps, Some(Suspicious), NeedsPerson, Refused),
            (Denied, Gaps, Some(Suspicious), Strict, Refused),
            (Denied, Gaps, Some(Malicious), NeedsPerson, Refused),
            (Denied, Gaps, Some(Malicious), Strict, Refused),
        ];
        assert_eq!(table.len(), 2 * 2 * 4 * 2);
        for (row, (admission, content, worst, policy, expected)) in table.into_iter().enumerate() {
            assert_eq!(judge(admission, content, worst, policy), expected, "row {row}");
        }
    }
}
