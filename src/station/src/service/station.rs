//! `org.blanche.Station1`: the station itself.

use super::Context;
use super::copying::output;
use super::error::Error;
use super::line::text;
use super::session::language;
use crate::board::{ProblemKind, StationView};
use crate::words;
use blanche_sandbox::wire::{Container, SelfTestResult};
use blanche_scan::SelfTest;
use blanche_scan::settings::Settings;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use zbus::object_server::SignalEmitter;
use zbus::{ObjectPath, OwnedObjectPath, Variant, interface};

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
    context: Context,
}

impl StationObject {
    pub(super) fn new(shown: Shown, context: Context) -> Self {
        Self { shown, context }
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

    /// Date of the oldest base whose age counts, or of all where that of none does, in seconds since 1970; 0 when a base is
    /// missing that a tag needs, or one has no date.
    #[zbus(property)]
    fn bases_date(&self) -> u64 {
        bases_date(&self.shown.station(), &self.context.settings)
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

    /// Media in output ports, in the order of arrival: id, contents, read_only, busy, files and bytes where they are known, and
    /// what Medium of a session has.
    #[zbus(property)]
    fn outputs(&self) -> Vec<BTreeMap<&'static str, Variant<'static>>> {
        self.shown.station().outputs.iter().map(output).collect()
    }

    /// What each engine had to find inside its sandbox when the bases now in use were loaded, and whether it did; nothing
    /// is scanned by this call. No base is ever used whose test failed.
    #[zbus(out_args("passed", "results"))]
    fn self_test(&self) -> Result<(bool, Vec<Tested>), Error> {
        let station = self.shown.station();
        let Some(room) = &station.engines else {
            return Err(Error::NotReady("the engines are not loaded; see Problems".to_owned()));
        };
        let results: Vec<_> = room.self_test.iter().map(line_of).collect();
        Ok((!results.is_empty() && results.iter().all(|(.., found)| *found), results))
    }

    /// Has the engines in use find everything that they must find, now, inside their sandbox: EICAR, the test markers, and the
    /// sample of each container (the results list those that were not opened). Recorded; one at a time; takes seconds.
    #[zbus(out_args("passed", "results"))]
    async fn run_self_test(&self) -> Result<(bool, Vec<Tested>), Error> {
        let orders = self.context.orders.clone();
        let test = self.context.clerk.ask(move || orders.self_test()).await??;
        Ok((test.passed, lines_of(&test)))
    }

    /// The last self-test that somebody asked for: when it ended, in seconds since 1970 (0: there was none since the start),
    /// and whether everything was found.
    #[zbus(property)]
    fn self_tested(&self) -> (u64, bool) {
        self.shown.station().tested.map(|tested| (tested.at, tested.passed)).unwrap_or_default()
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

    /// Copying the files of a session is over: what is on the output medium.
    #[zbus(signal)]
    pub(super) async fn copied(emitter: &SignalEmitter<'_>, session: ObjectPath<'_>, outcome: &str)
    -> zbus::Result<()>;

    /// The medium is gone. Its object stays a while, and goes with InterfacesRemoved.
    #[zbus(signal)]
    pub(super) async fn removed(emitter: &SignalEmitter<'_>, session: ObjectPath<'_>) -> zbus::Result<()>;
}

fn line_of(test: &SelfTestResult) -> Tested {
    (text(&test.engine), text(&test.marker), test.found)
}

/// The stable word of a container, as in reports.
fn word_of(container: Container) -> String {
    let word = serde_json::to_value(container).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned()
}

/// Each engine on each marker, and what was not opened although an engine is meant to.
fn lines_of(test: &SelfTest) -> Vec<Tested> {
    let closed = test.containers.iter().filter(|proof| !proof.proved);
    let closed = closed.filter_map(|proof| Some((text(proof.opener.as_deref()?), word_of(proof.container), false)));
    test.results.iter().map(line_of).chain(closed).collect()
}

/// A problem that only concerns media to come forbids no tag for one that is there.
fn can_seal(station: &StationView) -> bool {
    station.engines.is_some() && station.problems.iter().all(|problem| problem.kind == ProblemKind::Detection)
}

fn bases_date(station: &StationView, settings: &Settings) -> u64 {
    let Some(room) = &station.engines else { return 0 };
    let (bases, all) = (&settings.bases, || room.engine_set.bases());
    if !bases.missing(all()).is_empty() || all().any(|base| base.date.is_none()) {
        return 0;
    }
    let counted = all().filter(|base| bases.fresh.is_empty() || bases.age_counts(base));
    counted.map(|base| seconds(base.date)).min().unwrap_or_default()
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
