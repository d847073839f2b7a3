//! `org.blanche.Station1`: the station itself.

use super::error::Error;
use super::line::text;
use super::session::language;
use crate::board::{ProblemKind, StationView};
use crate::words;
use blanche_scan::settings::Settings;
use std::sync::{Arc, PoisonError, RwLock};
use zbus::object_server::SignalEmitter;
use zbus::{ObjectPath, OwnedObjectPath, interface};

/// What is shown of the station, and the sessions that have objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown(Arc<RwLock<Content>>);

#[derive(Clone, Debug, Default)]
struct Content {
    station: Arc<StationView>,
    sessions: Vec<OwnedObjectPath>,
}

impl Shown {
    pub(super) fn set(&self, station: Arc<StationView>, sessions: Vec<OwnedObjectPath>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Content { station, sessions };
    }

    fn get(&self) -> Content {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn station(&self) -> Arc<StationView> {
        self.get().station
    }
}

/// Engine, what it had to find, and whether it did.
type Tested = (String, String, bool);

/// The object of the station.
#[derive(Debug)]
pub(super) struct StationObject {
    shown: Shown,
    settings: Arc<Settings>,
}

impl StationObject {
    pub(super) fn new(shown: Shown, settings: Arc<Settings>) -> Self {
        Self { shown, settings }
    }
}

/// The station. Its words are listed in docs/station.md.
#[interface(name = "org.blanche.Station1")]
impl StationObject {
    /// Version of the program.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Media are made up: training or demonstration.
    #[zbus(property)]
    fn simulated(&self) -> bool {
        self.shown.station().simulated
    }

    /// What keeps the station from its work: kind, and detail for staff. Words says it to people.
    #[zbus(property)]
    fn problems(&self) -> Vec<(&'static str, String)> {
        let station = self.shown.station();
        station.problems.iter().map(|problem| (problem.kind.word(), text(&problem.detail))).collect()
    }

    /// Name and version of each engine; empty until they are loaded.
    #[zbus(property)]
    fn engines(&self) -> Vec<(String, String)> {
        let station = self.shown.station();
        let engines = station.engines.iter().flat_map(|room| &room.engine_set.engines);
        engines.map(|engine| (text(&engine.name), text(&engine.version))).collect()
    }

    /// Engine, name, version, and date in seconds since 1970 (0 when it has none) of each base.
    #[zbus(property)]
    fn bases(&self) -> Vec<(String, String, String, u64)> {
        let station = self.shown.station();
        let engines = station.engines.iter().flat_map(|room| &room.engine_set.engines);
        let bases = engines.flat_map(|engine| engine.bases.iter().map(move |base| (engine, base)));
        let line = |(engine, base): (&blanche_sandbox::wire::EngineInfo, &blanche_sandbox::wire::BaseInfo)| {
            let version = base.version.as_deref().map(text).unwrap_or_default();
            (text(&engine.name), text(&base.name), version, seconds(base.date))
        };
        bases.map(line).collect()
    }

    /// Date of the oldest base that a tag needs, in seconds since 1970; 0 when one is missing or has no date.
    #[zbus(property)]
    fn bases_date(&self) -> u64 {
        bases_date(&self.shown.station(), &self.settings)
    }

    /// Whether a clean medium gets a tag, as far as the station itself goes.
    #[zbus(property)]
    fn can_seal(&self) -> bool {
        can_seal(&self.shown.station())
    }

    /// The objects of the sessions, in the order of arrival.
    #[zbus(property)]
    fn sessions(&self) -> Vec<OwnedObjectPath> {
        self.shown.get().sessions
    }

    /// What each engine had to find inside its sandbox when the bases now in use were loaded, and whether it did; nothing
    /// is scanned by this call. No base is ever used whose test failed.
    #[zbus(out_args("passed", "results"))]
    fn self_test(&self) -> Result<(bool, Vec<Tested>), Error> {
        let station = self.shown.station();
        let Some(room) = &station.engines else {
            return Err(Error::NotReady("the engines are not loaded; see Problems".to_owned()));
        };
        let results: Vec<_> =
            room.self_test.iter().map(|test| (text(&test.engine), text(&test.marker), test.found)).collect();
        Ok((!results.is_empty() && results.iter().all(|(.., found)| *found), results))
    }

    /// What to say to people about each problem, in "fr" or "en": its kind, what it means, what to do.
    #[zbus(out_args("sayings"))]
    fn words(&self, lang: &str) -> Result<Vec<(&'static str, String, String)>, Error> {
        let lang = language(lang)?;
        let said = |kind: ProblemKind| {
            let advice = words::problem(kind, lang);
            (kind.word(), advice.what, advice.next)
        };
        Ok(self.shown.station().problems.iter().map(|problem| said(problem.kind)).collect())
    }

    /// A medium or device is there; its object too.
    #[zbus(signal)]
    pub(super) async fn arrived(emitter: &SignalEmitter<'_>, session: ObjectPath<'_>) -> zbus::Result<()>;

    /// A session has its result.
    #[zbus(signal)]
    pub(super) async fn concluded(
        emitter: &SignalEmitter<'_>,
        session: ObjectPath<'_>,
        verdict: &str,
    ) -> zbus::Result<()>;

    /// The medium is gone. Its object stays a while, and goes with InterfacesRemoved.
    #[zbus(signal)]
    pub(super) async fn removed(emitter: &SignalEmitter<'_>, session: ObjectPath<'_>) -> zbus::Result<()>;
}

/// A problem that only concerns media to come forbids no tag for one that is there.
fn can_seal(station: &StationView) -> bool {
    station.engines.is_some() && station.problems.iter().all(|problem| problem.kind == ProblemKind::Detection)
}

fn bases_date(station: &StationView, settings: &Settings) -> u64 {
    let Some(room) = &station.engines else { return 0 };
    let bases = || room.engine_set.engines.iter().flat_map(|engine| &engine.bases);
    let names: Vec<&str> = bases().map(|base| base.name.as_str()).collect();
    if !settings.bases.required_but_missing(&names).is_empty() {
        return 0;
    }
    // A base of any name forbids a tag when it is too old.
    bases().map(|base| seconds(base.date)).min().unwrap_or_default()
}

/// Seconds since 1970; 0 for nothing and for what was before.
fn seconds(date: Option<i64>) -> u64 {
    date.and_then(|date| u64::try_from(date).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Problem;

    #[test]
    fn a_station_without_engines_or_with_a_problem_cannot_seal() {
        let mut station = StationView::default();
        assert!(!can_seal(&station));
        assert_eq!(bases_date(&station, &Settings::default()), 0);
        for kind in ProblemKind::ALL {
            station.problems = vec![Problem { kind, detail: String::new() }];
            assert!(!can_seal(&station), "{kind:?}");
        }
    }
}
