//! Copies to a key of the station: what is plugged in, how far it is, and everything that can come of it.

use super::media::{BYTES, FILES, reported};
use super::reports;
use blanche_scan::report::{CopyCause, CopyOutcome, CopyReport, NoTag, Seal, TargetKind, TargetLine};
use blanche_scan::settings::CopyMode;
use blanche_station::session::view::{
    Contents, CopyProgress, CopyStep, CopyView, MediumView, NoCopy, OutputId, OutputView, SessionView, State,
};
use std::sync::Arc;

/// Scenes of copying, in an order in which one leads to the next.
pub const COPIES: [&str; 12] = [
    "copy-plug",
    "copy-looking",
    "copy-read-only",
    "copy-blank",
    "copy-filled",
    "copying",
    "copied",
    "copied-no-tag",
    "copied-outside",
    "copy-untouched",
    "copy-empty",
    "copy-unknown",
];

/// The key in the socket for copies.
pub(super) fn outputs(name: &str) -> Vec<OutputView> {
    let (read_only, busy, contents) = match name {
        "copy-looking" => (false, true, Contents::Looking),
        "copy-read-only" => (true, false, Contents::Blank),
        "copying" => (false, true, Contents::Blank),
        "copy-filled" => (false, false, Contents::Filled { files: 12, bytes: 3_400_000 }),
        "copy-plug" => return Vec::new(),
        name if COPIES.contains(&name) => (false, false, Contents::Blank),
        _ => return Vec::new(),
    };
    let medium =
        MediumView { name: "Clé de la station 3".to_owned(), capacity: 31_000_000_000, ..MediumView::default() };
    vec![OutputView { id: OutputId::from_u128(3), medium, read_only, contents, busy }]
}

/// The session whose files are copied.
pub(super) fn session(name: &str) -> Option<SessionView> {
    let clean = reported(reports::clean());
    let to = outputs(name).into_iter().next();
    let copy = |cannot, report| CopyView { cannot, to: to.clone(), progress: None, report };
    let view = match name {
        "copying" => {
            let progress = CopyProgress { step: CopyStep::Writing, done: BYTES / 3, all: BYTES };
            let copy = CopyView { progress: Some(progress), ..copy(Some(NoCopy::Copying), None) };
            SessionView { state: State::Copying, copy, ..clean }
        }
        name if !COPIES.contains(&name) => return None,
        name => SessionView { copy: copy(None, ended(name).map(Arc::new)), ..clean },
    };
    Some(view)
}

/// What came of it.
fn ended(name: &str) -> Option<CopyReport> {
    let output = TargetLine {
        path: "/dev/sdc".into(),
        kind: TargetKind::Device,
        capacity: Some(31_000_000_000),
        logical_block: Some(512),
    };
    let begun = CopyReport { files: FILES, bytes: BYTES, ..CopyReport::untouched(CopyMode::AllOrNothing, output) };
    let sealed = Some(Seal::OnMedium { tag: reports::tag(), volume: 0 });
    let copied = |seal| CopyReport { outcome: CopyOutcome::Copied, seal, ..begun.clone() };
    let not = |outcome, cause| CopyReport { outcome, cause: Some(cause), ..begun.clone() };
    Some(match name {
        "copied" => copied(sealed),
        "copied-no-tag" => copied(Some(Seal::NoTag { reason: NoTag::Obstacles })),
        "copied-outside" => CopyReport { mode: CopyMode::CleanFiles, outside_profile: true, ..copied(sealed) },
        "copy-untouched" => not(CopyOutcome::Untouched, CopyCause::NoRoom { needed: BYTES, room: BYTES / 2 }),
        "copy-empty" => not(CopyOutcome::Empty, CopyCause::Cancelled),
        "copy-unknown" => not(CopyOutcome::Unknown, CopyCause::OutputFailed),
        _ => return None,
    })
}
