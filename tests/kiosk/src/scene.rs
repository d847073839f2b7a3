//! Scenes: everything that a station can show, made up in code, the same each time.
//!
//! A scene is a name and what then stands on the board. `waiting`, `queued`, `checking`, `clean`, `removed` one after the other are
//! a visit of one person: the session stays the same.

mod copies;
mod media;
mod reports;
mod station;

pub use copies::COPIES;

use blanche_scan::progress::Progress;
use blanche_scan::report::Report;
use blanche_station::board::{ProblemKind, StationView};
use blanche_station::session::view::{SessionView, State};

/// What stands on the board.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The station.
    pub station: StationView,
    /// Its sessions, in the order of arrival.
    pub sessions: Vec<SessionView>,
}

/// Why a device is refused, in the words of the bus.
pub const REFUSED_DEVICES: [&str; 10] =
    ["not-storage", "composite", "transport", "class", "malformed", "changed", "hub", "port", "list", "unusable"];
/// Why a medium is refused.
pub const REFUSED_MEDIA: [&str; 3] = ["empty", "too-large", "mounted"];
/// Why there is no report.
pub const FAILURES: [&str; 8] =
    ["removed", "cancelled", "engines", "station", "unreadable", "restart", "sleep", "changed"];

/// Scenes that have a name of their own; those of [`names`] also come one for each word of the bus.
const OWN: [&str; 25] = [
    "waiting",
    "waiting-training",
    "starting",
    "problems",
    "queued",
    "queued-hostile",
    "walking",
    "checking",
    "checking-found",
    "judging",
    "sealing",
    "stopping",
    "clean",
    "clean-detached",
    "clean-no-tag",
    "clean-empty",
    "infected",
    "infected-long",
    "infected-many",
    "incomplete",
    "incomplete-many",
    "incomplete-suspicious",
    "pulled",
    "removed",
    "two",
];

/// The last, because the numbers of sessions follow the order of names.
const TWO_RESULTS: &str = "two-results";
const TWO_CLEAN: &str = "two-clean";
/// `checking` and `two` as they are for the first seconds: these stay so.
const COUNTED: &str = "counted";
const TWO_COUNTED: &str = "two-counted";

/// The names of all scenes.
#[must_use]
pub fn names() -> Vec<String> {
    let own = OWN.iter().map(|&name| name.to_owned());
    let problems = ProblemKind::ALL.iter().map(|kind| format!("problem-{}", kind.word()));
    let devices = REFUSED_DEVICES.iter().chain(&REFUSED_MEDIA).map(|word| format!("refused-{word}"));
    let failures = FAILURES.iter().map(|word| format!("failed-{word}"));
    let copies = COPIES.iter().map(|&name| name.to_owned());
    own.chain(problems)
        .chain(devices)
        .chain(failures)
        .chain(copies)
        .chain([TWO_RESULTS, TWO_CLEAN, COUNTED, TWO_COUNTED].map(str::to_owned))
        .collect()
}

/// The scene of that name.
#[must_use]
pub fn scene(name: &str) -> Option<Scene> {
    if let Some(word) = name.strip_prefix("problem-") {
        let kind = ProblemKind::ALL.into_iter().find(|kind| kind.word() == word)?;
        return Some(Scene { station: station::with_problems(&[kind]), sessions: Vec::new() });
    }
    let station = match name {
        "starting" => StationView::default(),
        "problems" => station::with_problems(&ProblemKind::ALL),
        "waiting-training" => StationView { simulated: true, ..station::ready() },
        _ => StationView { outputs: copies::outputs(name), ..station::ready() },
    };
    Some(Scene { station, sessions: sessions(name)? })
}

fn sessions(name: &str) -> Option<Vec<SessionView>> {
    let one = match name {
        "waiting" | "waiting-training" | "starting" | "problems" => return Some(Vec::new()),
        "two" => return Some(vec![media::second(media::checking(42)), media::reported(reports::clean())]),
        TWO_RESULTS => {
            let infected = media::another(media::reported(reports::infected()), names().len());
            return Some(vec![media::second(media::reported(reports::clean())), infected]);
        }
        TWO_CLEAN => {
            return Some(vec![media::second(media::reported(reports::clean())), media::reported(reports::clean())]);
        }
        TWO_COUNTED => return Some(vec![media::second(media::counted()), media::reported(reports::clean())]),
        "queued" => media::queued(),
        "queued-hostile" => media::hostile(media::queued()),
        "walking" => media::walking(),
        COUNTED => media::counted(),
        "checking" => media::checking(42),
        "checking-found" => media::found(media::checking(81)),
        "judging" => media::judging(),
        "sealing" => media::sealing(),
        "stopping" => SessionView { state: State::Stopping, ..media::checking(42) },
        "pulled" => media::pulled(),
        "removed" => SessionView { state: State::Removed, ..media::reported(reports::clean()) },
        _ => copies::session(name).or_else(|| ended(name))?,
    };
    Some(vec![of_its_own(one, name)])
}

/// How far the medium of every scene is at that part of a hundred.
#[must_use]
pub fn checked_to(percent: u64) -> Progress {
    media::at(media::BYTES / 100 * percent, media::FILES, media::BYTES)
}

/// A medium of so many files and bytes that is checked to so many bytes.
#[must_use]
pub fn replayed(bytes_done: u64, files: u64, bytes: u64) -> SessionView {
    media::replayed(bytes_done, files, bytes)
}

/// The report of a check that somebody stopped.
#[must_use]
pub fn stopped() -> Report {
    reports::stopped()
}

/// A session with its result.
fn ended(name: &str) -> Option<SessionView> {
    if let Some(word) = name.strip_prefix("failed-") {
        let kind = FAILURES.into_iter().find(|kind| *kind == word)?;
        return Some(media::failed(kind));
    }
    if let Some(word) = name.strip_prefix("refused-") {
        return media::refused_device(word).or_else(|| reports::refused(word).map(media::reported));
    }
    let report = match name {
        "clean" => reports::clean(),
        "clean-detached" => reports::detached(),
        "clean-no-tag" => reports::no_tag(),
        "clean-empty" => reports::empty(),
        "infected" => reports::infected(),
        "infected-long" => reports::infected_long(),
        "infected-many" => reports::infected_many(),
        "incomplete" => reports::incomplete(),
        "incomplete-many" => reports::incomplete_many(),
        "incomplete-suspicious" => reports::suspicious(),
        _ => return None,
    };
    let view = media::reported(report);
    Some(match name {
        "clean-empty" => media::empty(view),
        _ if name.ends_with("-many") => media::large(view),
        _ => view,
    })
}

/// Every result is one of a medium of its own: nobody's report changes. Only `clean` ends the visit that `queued` begins; all copies are
/// those of one medium.
fn of_its_own(view: SessionView, name: &str) -> SessionView {
    const VISIT: [&str; 10] = [
        "queued",
        "walking",
        COUNTED,
        "checking",
        "checking-found",
        "judging",
        "sealing",
        "stopping",
        "clean",
        "removed",
    ];
    let name = if COPIES.contains(&name) { COPIES[0] } else { name };
    match names().iter().position(|known| known == name).filter(|_| !VISIT.contains(&name)) {
        Some(number) => media::another(view, number),
        None => view,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_station::session::view::Conclusion;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_has_a_scene_and_other_names_have_none() {
        for name in names() {
            assert!(scene(&name).is_some(), "{name}");
        }
        for name in ["", "problem-", "refused-", "failed-x", "clean-x"] {
            assert!(scene(name).is_none(), "{name}");
        }
    }

    #[test]
    fn every_state_verdict_and_problem_is_shown_by_some_scene() {
        let scenes: Vec<Scene> = names().iter().filter_map(|name| scene(name)).collect();
        let sessions = || scenes.iter().flat_map(|scene| &scene.sessions);
        let states: BTreeSet<State> = sessions().map(|session| session.state).collect();
        assert_eq!(states.len(), State::ALL.len(), "{states:?}");
        let verdicts: BTreeSet<_> =
            sessions().filter_map(|session| session.conclusion.as_ref()).map(Conclusion::verdict).collect();
        assert_eq!(verdicts.len(), 4, "{verdicts:?}");
        let problems: BTreeSet<_> =
            scenes.iter().flat_map(|scene| &scene.station.problems).map(|problem| problem.kind).collect();
        assert_eq!(problems.len(), ProblemKind::ALL.len());
    }

    #[test]
    fn a_visit_keeps_its_session() {
        let ids: BTreeSet<_> = ["queued", "walking", "checking", "sealing", "clean", "removed"]
            .iter()
            .filter_map(|name| scene(name))
            .flat_map(|scene| scene.sessions)
            .map(|session| session.id)
            .collect();
        assert_eq!(ids.len(), 1);
    }

    #[test]
    fn other_results_are_of_other_media() {
        let id = |name: &str| scene(name).and_then(|scene| scene.sessions.into_iter().next()).map(|session| session.id);
        let results =
            ["clean", "infected", "incomplete", "refused-hub", "failed-sleep", "pulled", "queued-hostile", "copied"];
        let ids: BTreeSet<_> = results.iter().filter_map(|name| id(name)).collect();
        assert_eq!(ids.len(), results.len());
    }

    #[test]
    fn a_list_is_as_long_as_a_screen_must_bear() {
        let many = scene("incomplete-many").and_then(|scene| scene.sessions.into_iter().next()).expect("a session");
        assert_eq!(many.report().map(|report| report.not_checked.len()), Some(100_000));
    }
}
