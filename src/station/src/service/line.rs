//! What stands on the bus of a session: the words and numbers that docs/station.md lists. Text that comes from a medium or a
//! child is made visible; everything else is a word of ours.

use crate::admit::Role;
use crate::session::view::{Conclusion, Failure, MediumView, SessionView, State};
use blanche_scan::judge::Verdict;
use blanche_scan::progress::{Progress, Stage};
use blanche_scan::report::{Refusal, Seal, SealedTag};
use blanche_scan::words::harmless;
use std::collections::BTreeMap;
use zbus::Variant;

/// Letters of one text at most: a descriptor has 126, an error of the kernel less.
const LONGEST: usize = 1024;

/// Text without anything that a terminal or a screen would obey, and not longer than somebody can read.
pub(super) fn text(text: &str) -> String {
    harmless(text).chars().take(LONGEST).collect()
}

/// `Medium`.
pub(super) fn medium(medium: &MediumView) -> BTreeMap<&'static str, Variant<'static>> {
    BTreeMap::from([
        ("name", Variant::from(text(&medium.name))),
        ("serial", text(&medium.serial).into()),
        ("vendor", medium.vendor.into()),
        ("product", medium.product.into()),
        ("port", text(&medium.port).into()),
        ("node", text(&medium.node).into()),
        ("capacity", medium.capacity.into()),
        ("lun", medium.lun.into()),
    ])
}

/// `Role`.
pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Input => "input",
        Role::Output => "output",
    }
}

/// `Stage`: empty before reading began.
pub(super) const fn stage(progress: Option<&Progress>) -> &'static str {
    match progress {
        None => "",
        Some(Progress { stage: Stage::Walking, .. }) => "walking",
        Some(Progress { stage: Stage::Checking, .. }) => "checking",
        Some(Progress { stage: Stage::Judging, .. }) => "judging",
    }
}

/// `Percent`, of the bytes whose answer is known. A hundred is said with the result and not before it.
pub(super) fn percent(view: &SessionView) -> u8 {
    if matches!(view.conclusion, Some(Conclusion::Report(_))) {
        return 100;
    }
    let Some(progress) = view.progress.filter(|progress| progress.stage != Stage::Walking) else { return 0 };
    let done =
        u128::from(progress.bytes_done).saturating_mul(100).checked_div(u128::from(progress.bytes)).unwrap_or(99);
    u8::try_from(done.min(99)).unwrap_or(99)
}

/// `Progress`.
pub(super) fn progress(view: &SessionView) -> BTreeMap<&'static str, u64> {
    let mut counters = BTreeMap::new();
    if let Some(progress) = &view.progress {
        counters.extend([
            ("files", progress.files),
            ("files_done", progress.files_done),
            ("files_found", progress.files_found),
            ("bytes", progress.bytes),
            ("bytes_done", progress.bytes_done),
            ("bytes_read", progress.bytes_read),
            ("rate", progress.rate),
        ]);
        counters.extend(progress.remaining.map(|time| ("remaining", time.as_secs())));
    }
    if view.state == State::Sealing || view.tag_bytes > 0 {
        counters.insert("tag_bytes", view.tag_bytes);
    }
    counters
}

/// `Verdict`: empty before there is one.
pub(super) fn verdict(view: &SessionView) -> &'static str {
    match view.conclusion.as_ref().map(Conclusion::verdict) {
        None => "",
        Some(Verdict::Clean) => "clean",
        Some(Verdict::Incomplete) => "incomplete",
        Some(Verdict::Infected) => "infected",
        Some(Verdict::Refused) => "refused",
    }
}

/// `Refusal`: why a device or medium was refused; empty when it was not.
pub(super) fn refusal(view: &SessionView) -> &'static str {
    match &view.conclusion {
        Some(Conclusion::Refused(why)) => why.word(),
        Some(Conclusion::Report(report)) => match report.refusal {
            Some(Refusal::Empty) => "empty",
            Some(Refusal::TooLarge(_)) => "too-large",
            Some(Refusal::Mounted(_)) => "mounted",
            None => "",
        },
        _ => "",
    }
}

/// `Failure`: kind and detail, with the number of a tag that stands; both empty when there is a report or nothing yet.
pub(super) fn failure(view: &SessionView) -> (&'static str, String) {
    match &view.conclusion {
        Some(Conclusion::Failed(Failure { kind, detail, tag: None })) => (kind, text(detail)),
        Some(Conclusion::Failed(Failure { kind, detail, tag: Some(tag) })) => {
            (kind, text(&format!("{detail}; tag {tag} was signed and may stand")))
        }
        _ => ("", String::new()),
    }
}

/// `Seal`: where the tag is; empty when nobody thought of one.
pub(super) fn seal(view: &SessionView) -> &'static str {
    seal_word(view.report().and_then(|report| report.seal.as_ref()))
}

pub(super) const fn seal_word(seal: Option<&Seal>) -> &'static str {
    match seal {
        None => "",
        Some(Seal::OnMedium { .. }) => "on-medium",
        Some(Seal::Detached { .. }) => "detached",
        Some(Seal::NoTag { .. }) => "none",
    }
}

/// `Tag`: what a person wants to know of it.
pub(super) fn tag(view: &SessionView) -> BTreeMap<&'static str, String> {
    tag_line(view.report().and_then(|report| report.seal.as_ref()))
}

pub(super) fn tag_line(seal: Option<&Seal>) -> BTreeMap<&'static str, String> {
    let Some(Seal::OnMedium { tag, .. } | Seal::Detached { tag, .. }) = seal else { return BTreeMap::new() };
    let SealedTag { tag, station, site, issued, expires, counter, manifest } = tag;
    let mut line = BTreeMap::from([("counter", counter.to_string())]);
    for (name, value) in [
        ("id", tag),
        ("station", station),
        ("site", site),
        ("issued", issued),
        ("expires", expires),
        ("manifest", manifest),
    ] {
        line.insert(name, text(value));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::view::Failure;

    fn view(progress: Option<Progress>, conclusion: Option<Conclusion>) -> SessionView {
        SessionView { progress, conclusion, ..SessionView::new(State::Checking, MediumView::default()) }
    }

    fn at(stage: Stage, bytes_done: u64, bytes: u64) -> Progress {
        Progress {
            stage,
            files: 1,
            bytes,
            bytes_read: bytes_done,
            files_done: 0,
            bytes_done,
            files_found: 0,
            rate: 0,
            remaining: None,
        }
    }

    #[test]
    fn a_hundred_percent_is_never_said_before_the_result() {
        let percent_at = |progress| percent(&view(progress, None));
        assert_eq!(percent_at(None), 0);
        assert_eq!(percent_at(Some(at(Stage::Walking, 5, 5))), 0);
        assert_eq!(percent_at(Some(at(Stage::Checking, 1, 2))), 50);
        assert_eq!(percent_at(Some(at(Stage::Checking, u64::MAX, u64::MAX))), 99);
        assert_eq!(percent_at(Some(at(Stage::Judging, 0, 0))), 99);
        assert_eq!(percent_at(Some(at(Stage::Checking, 9, 3))), 99);
    }

    #[test]
    fn hostile_text_is_shown_and_cut() {
        let mut medium = MediumView { name: "a\u{202E}b\u{1B}[2J".to_owned(), ..MediumView::default() };
        medium.serial = "é".repeat(5000);
        let line = super::medium(&medium);
        let Some(Variant::Str(name)) = line.get("name") else { unreachable!("a text") };
        assert!(!name.chars().any(|letter| letter.is_control() || letter == '\u{202E}'), "{name:?}");
        let Some(Variant::Str(serial)) = line.get("serial") else { unreachable!("a text") };
        assert_eq!(serial.chars().count(), LONGEST);
        let failed = Failure { tag: Some("17".to_owned()), ..Failure::new("station", "\u{7}\u{2066}x") };
        let (kind, detail) = failure(&view(None, Some(Conclusion::Failed(failed))));
        assert_eq!(kind, "station");
        assert!(!detail.contains(['\u{7}', '\u{2066}']), "{detail:?}");
        assert!(detail.ends_with("; tag 17 was signed and may stand"), "{detail:?}");
    }
}
