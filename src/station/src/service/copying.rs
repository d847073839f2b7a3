//! What stands on the bus of copying: the words and numbers that docs/station.md lists.

use super::line::{medium, seal_word, tag_line};
use crate::session::view::{Contents, CopyView, OutputView};
use std::collections::BTreeMap;
use zbus::Variant;

/// A medium in an output port, as in `Outputs` and `CopyTo`.
pub(super) fn output(view: &OutputView) -> BTreeMap<&'static str, Variant<'static>> {
    let mut line = medium(&view.medium);
    line.extend([
        ("id", Variant::from(view.id.to_string())),
        ("read_only", view.read_only.into()),
        ("busy", view.busy.into()),
        ("contents", view.contents.word().into()),
    ]);
    if let Contents::Filled { files, bytes } = view.contents {
        line.extend([("files", Variant::from(files)), ("bytes", bytes.into())]);
    }
    line
}

/// `CannotCopy`: empty when they can be copied.
pub(super) fn cannot(view: &CopyView) -> &'static str {
    view.cannot.map(|why| why.word()).unwrap_or_default()
}

/// `CopyTo`: empty before the first copy.
pub(super) fn to(view: &CopyView) -> BTreeMap<&'static str, Variant<'static>> {
    view.to.as_ref().map(output).unwrap_or_default()
}

/// `CopyStage`: empty when nothing is copied.
pub(super) fn stage(view: &CopyView) -> &'static str {
    view.progress.map(|progress| progress.step.word()).unwrap_or_default()
}

/// `CopyPercent`, of the bytes of the stage.
pub(super) fn percent(view: &CopyView) -> u8 {
    let Some(progress) = view.progress else { return 0 };
    let done = u128::from(progress.done).saturating_mul(100).checked_div(u128::from(progress.all)).unwrap_or(0);
    u8::try_from(done.min(100)).unwrap_or(100)
}

/// `CopyProgress`.
pub(super) fn progress(view: &CopyView) -> BTreeMap<&'static str, u64> {
    let mut counters = BTreeMap::new();
    if let Some(progress) = view.progress {
        counters.extend([("bytes_done", progress.done), ("bytes", progress.all)]);
    }
    if let Some(report) = &view.report {
        counters.extend([("files", report.files), ("bytes", report.bytes)]);
    }
    counters
}

/// `CopyOutcome`: empty while there is none.
pub(super) fn outcome(view: &CopyView) -> &'static str {
    view.report.as_ref().map(|report| report.outcome.word()).unwrap_or_default()
}

/// `CopyCause`: empty when the files were copied.
pub(super) fn cause(view: &CopyView) -> &'static str {
    view.report.as_ref().and_then(|report| report.cause.as_ref()).map(|why| why.word()).unwrap_or_default()
}

/// `CopySeal`.
pub(super) fn seal(view: &CopyView) -> &'static str {
    seal_word(view.report.as_ref().and_then(|report| report.seal.as_ref()))
}

/// `CopyTag`.
pub(super) fn tag(view: &CopyView) -> BTreeMap<&'static str, String> {
    tag_line(view.report.as_ref().and_then(|report| report.seal.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::view::{CopyProgress, CopyStep, MediumView, OutputId};

    #[test]
    fn a_percentage_is_that_of_the_stage_and_nothing_is_divided_by_nothing() {
        let at = |done, all| {
            let progress = Some(CopyProgress { step: CopyStep::Writing, done, all });
            percent(&CopyView { progress, ..CopyView::default() })
        };
        assert_eq!([at(0, 0), at(7, 0), at(1, 2), at(u64::MAX, u64::MAX), at(9, 3)], [0, 0, 50, 100, 100]);
        assert_eq!(percent(&CopyView::default()), 0);
    }

    #[test]
    fn what_a_key_of_the_station_calls_itself_is_shown_harmlessly() {
        let medium = MediumView { name: "a\u{202E}b\u{1B}".to_owned(), ..MediumView::default() };
        let contents = Contents::Filled { files: 3, bytes: 9 };
        let line = output(&OutputView { id: OutputId::nil(), medium, read_only: false, contents, busy: false });
        let Some(Variant::Str(name)) = line.get("name") else { unreachable!("a text") };
        assert!(!name.contains(['\u{202E}', '\u{1B}']), "{name:?}");
        assert_eq!(line.get("files"), Some(&Variant::from(3u64)));
    }
}
