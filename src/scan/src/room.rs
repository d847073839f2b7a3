//! The engine room: warm engines, proved by a self-test, from which matchers are forked; and the watch over the base
//! folders that prepares the next ones.
//!
//! A new set of bases is loaded in a new zygote, must find EICAR with each engine and open the sample of each container,
//! and only then replaces the old one. A session keeps the engines with which it began; several sessions may share them.
//! A set that fails is never used, and the report says so.
//!
//! One thread, which lives as long as the room, starts all zygotes: they die with the thread that started them.

mod zygote;

use crate::error::ScanError;
use crate::known::{Keeper, KnownResults};
use crate::progress::Cancel;
use crate::report::SealingObstacle;
use crate::settings::{self, Settings};
use blanche_sandbox::birth::Child;
use blanche_sandbox::wire::{Container, ContainerProof, EngineSet, SelfTestResult};
use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use zygote::{Zygote, proved};

/// How often somebody who waits looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Seconds.
const DAY: i64 = 24 * 3600;

/// Warm engines, ready for sessions.
#[derive(Debug)]
pub struct EngineRoom {
    shared: Arc<Shared>,
    keeper: Mutex<Keeper>,
    loader: Option<JoinHandle<()>>,
    _watcher: Option<RecommendedWatcher>,
}

/// What the loader, the watcher and the sessions have in common.
#[derive(Debug, Default)]
struct Shared {
    now: Mutex<Now>,
    told: Condvar,
    /// Ends a load.
    stop: Cancel,
}

#[derive(Debug, Default)]
struct Now {
    engines: Option<Arc<Engines>>,
    /// Something happened in a base folder, or the engines died.
    changed: bool,
    loading: bool,
    closing: bool,
    /// Why the last load gave nothing.
    failure: Option<ScanError>,
    /// The same, as reports show it.
    rejected: Option<String>,
}

/// The engines of a session.
#[derive(Debug)]
pub(crate) struct Engines(Zygote);

/// What the room holds.
#[derive(Clone, Debug, serde::Serialize)]
pub struct EngineRoomDescription {
    /// Engines, versions, bases and limits.
    pub engine_set: EngineSet,
    /// What was found at the self-test.
    pub self_test: Vec<SelfTestResult>,
    /// Which containers are opened.
    pub containers: Vec<ContainerProof>,
    /// Why a newer set of bases was rejected.
    pub base_rejected: Option<String>,
}

impl EngineRoomDescription {
    /// What speaks against sealing under these engines, whatever the medium: bases that are too old, have no date, are
    /// missing or were rejected (security rule 9).
    #[must_use]
    pub fn obstacles(&self, settings: &Settings) -> Vec<SealingObstacle> {
        let bases: Vec<_> = self.engine_set.engines.iter().flat_map(|engine| &engine.bases).collect();
        let now = Timestamp::now().as_second();
        let max_age = i64::try_from(settings.bases.max_age.as_secs()).unwrap_or(i64::MAX);
        // A base from the future says that one of the two clocks is wrong, so its age is unknown.
        let age = |date: i64| Some(now.saturating_sub(date)).filter(|age| *age >= -DAY);
        let stale = bases.iter().filter(|base| base.date.and_then(age).is_none_or(|age| age > max_age));
        let mut obstacles: Vec<_> = stale.map(|base| SealingObstacle::StaleBase(base.name.clone())).collect();
        let names: Vec<&str> = bases.iter().map(|base| base.name.as_str()).collect();
        let missing = settings.bases.required_but_missing(&names).into_iter();
        obstacles.extend(missing.map(|name| SealingObstacle::MissingBase(name.to_owned())));
        obstacles.extend(self.base_rejected.is_some().then_some(SealingObstacle::BaseRejected));
        obstacles
    }

    /// The containers that are opened.
    pub(crate) fn opened(&self) -> Vec<Container> {
        proved(&self.containers)
    }
}

impl EngineRoom {
    /// Loads bases and rules and proves them.
    ///
    /// # Errors
    /// [`ScanError::Engines`] when there is no base, one does not load, the self-test does not find what it must, or
    /// somebody cancelled.
    pub fn open(settings: &Settings, cancel: &Cancel) -> Result<Self, ScanError> {
        let shared = Arc::new(Shared { now: Mutex::new(Now { changed: true, ..Now::default() }), ..Shared::default() });
        // The watch begins before the load, so that nothing dropped in between goes unseen.
        let watcher = watch(settings, &shared);
        let (ours, settings) = (Arc::clone(&shared), settings.clone());
        let loader = std::thread::Builder::new()
            .name("engines".to_owned())
            .spawn(move || ours.load(&settings))
            .map_err(|error| ScanError::Station(format!("the thread that loads engines: {error}")))?;
        let room = Self { shared, keeper: Mutex::default(), loader: Some(loader), _watcher: watcher };
        room.engines(cancel).map(|_| room)
    }

    /// What is loaded, and what the self-test found.
    ///
    /// # Errors
    /// As [`EngineRoom::open`].
    pub fn describe(&self, cancel: &Cancel) -> Result<EngineRoomDescription, ScanError> {
        self.engines(cancel).map(|(engines, rejected)| engines.describe(rejected))
    }

    /// What is loaded at this moment, without waiting for anything.
    #[must_use]
    pub fn describe_now(&self) -> Option<EngineRoomDescription> {
        let now = self.shared.now();
        now.engines.as_ref().map(|engines| engines.describe(now.rejected.clone()))
    }

    /// Engines for a session, and why newer bases are not among them. Bases that changed are waited for, engines that
    /// died are replaced.
    ///
    /// # Errors
    /// As [`EngineRoom::open`].
    pub(crate) fn engines(&self, cancel: &Cancel) -> Result<(Arc<Engines>, Option<String>), ScanError> {
        let mut now = self.shared.now();
        let mut revived = false;
        loop {
            match &now.engines {
                _ if now.changed || now.loading => {}
                Some(engines) if !engines.0.is_dead() => return Ok((Arc::clone(engines), now.rejected.clone())),
                _ if revived || now.engines.is_none() => {
                    let gone = || ScanError::Engines("the engine process is gone".to_owned());
                    return Err(now.failure.take().unwrap_or_else(gone));
                }
                _ => {
                    revived = true;
                    now.changed = true;
                    self.shared.told.notify_all();
                }
            }
            if cancel.is_cancelled() {
                return Err(ScanError::Cancelled);
            }
            let waited = self.shared.told.wait_timeout(now, LOOK);
            now = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Keeps what a session that ended well found out; the room waits for that when it is dropped.
    pub(crate) fn keep(&self, known: KnownResults, cancel: Cancel) {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).keep(known, cancel);
    }
}

impl Drop for EngineRoom {
    fn drop(&mut self) {
        self.shared.now().closing = true;
        self.shared.stop.cancel();
        self.shared.told.notify_all();
        if self.loader.take().is_some_and(|loader| loader.join().is_err()) {
            tracing::error!("station alarm: the thread that loads engines ended by a panic");
        }
    }
}

impl Shared {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened to the bases.
    fn change(&self) {
        self.now().changed = true;
        self.told.notify_all();
    }

    /// The loader: loads whenever something changed, until the room is closed.
    fn load(&self, settings: &Settings) {
        let mut now = self.now();
        while !now.closing {
            if !now.changed {
                now = self.told.wait(now).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            (now.changed, now.loading) = (false, true);
            drop(now);
            let proved = Zygote::prove(settings, &self.stop);
            now = self.now();
            now.loading = false;
            match proved {
                Ok(zygote) => {
                    if now.engines.is_some() {
                        tracing::info!("new bases passed their self-test and are in use");
                    }
                    now.engines = Some(Arc::new(Engines(zygote)));
                    (now.failure, now.rejected) = (None, None);
                }
                Err(error) => {
                    if now.engines.is_some() && !now.closing {
                        tracing::error!("new bases were rejected, the older ones stay in use: {error}");
                        now.rejected = Some(error.to_string());
                    }
                    now.failure = Some(error);
                }
            }
            self.told.notify_all();
        }
    }
}

impl Engines {
    /// A new matcher.
    ///
    /// # Errors
    /// [`ScanError::Engines`] when the zygote is gone or the matcher was born without a mandatory layer.
    pub(crate) fn fork(&self) -> Result<Child, ScanError> {
        self.0.fork()
    }

    /// What is loaded. `rejected`: why newer bases are not.
    pub(crate) fn describe(&self, rejected: Option<String>) -> EngineRoomDescription {
        EngineRoomDescription {
            engine_set: self.0.set.clone(),
            self_test: self.0.self_test.clone(),
            containers: self.0.containers.clone(),
            base_rejected: rejected,
        }
    }

    /// What is known about contents under these engines.
    pub(crate) fn known_results(&self, settings: &settings::KnownResults) -> KnownResults {
        self.0.key.map_or_else(KnownResults::none, |key| KnownResults::open(settings, key))
    }
}

/// Tells the loader whenever something happens in a base folder.
fn watch(settings: &Settings, shared: &Arc<Shared>) -> Option<RecommendedWatcher> {
    let shared = Arc::clone(shared);
    let note = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            shared.change();
        }
    };
    let mut watcher = match notify::recommended_watcher(note) {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!("base folders cannot be watched, new bases need a restart: {error}");
            return None;
        }
    };
    for folder in settings.bases.clamav_present().into_iter().chain(settings.bases.rules_present()) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::warn!("{} cannot be watched: {error}", folder.display());
        }
    }
    Some(watcher)
}
