//! Doubt: what is believed of a session that was stopped, by the reason that leaves most in doubt.

use super::copies::OUTPUT;
use crate::session::view::Failure;
use blanche_scan::judge::Verdict;
use blanche_scan::report::{Report, Seal};

/// What of a report still counts when its session was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// Everything: who cancelled too late stopped nothing.
    None,
    /// A tag that was there already when the medium was pulled out, or the station stopped.
    Untagged,
    /// Nothing good: a sleep, a device that became another one, engines that miss something.
    All,
}

/// A reason that leaves more in doubt takes the place of an earlier one.
pub(super) fn doubt(why: &Failure) -> Doubt {
    match why.kind {
        "cancelled" => Doubt::None,
        "removed" | "restart" | OUTPUT => Doubt::Untagged,
        _ => Doubt::All,
    }
}

/// Whether a report counts although its session was stopped. What was found stays found.
pub(super) fn is_believed(report: &Report, why: &Failure) -> bool {
    report.verdict == Verdict::Infected
        || match doubt(why) {
            Doubt::None => true,
            Doubt::Untagged => has_tag(report),
            Doubt::All => false,
        }
}

/// The tag that a report leaves which does not count: one that was finished all the same, or that was `signed` and of which nobody knows
/// whether it was written. Workstations would accept it: staff learn which it is, to revoke it.
pub(super) fn standing(report: &Report, signed: Option<String>) -> Option<String> {
    match &report.seal {
        Some(Seal::OnMedium { tag, .. } | Seal::Detached { tag, .. }) => Some(tag.tag.clone()),
        Some(Seal::NoTag { reason }) if reason.tag_may_stand() => signed,
        _ => None,
    }
}

/// Whether the medium got its tag.
fn has_tag(report: &Report) -> bool {
    matches!(report.seal, Some(Seal::OnMedium { .. } | Seal::Detached { .. }))
}
