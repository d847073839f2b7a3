//! The engine room: warm engines, proved by a self-test, from which matchers are forked; and the watch over the base
//! folders that prepares the next ones.
//!
//! A new set of bases is loaded in a new zygote, must find EICAR with each engine and open the sample of each container,
//! and only then replaces the old one. A session keeps the engines with which it began; several sessions may share them.
//! A set that fails is never used, and the report says so.
//!
//! One thread, which lives as long as the room, starts all zygotes: they die with the thread that started them.

mod folders;
mod zygote;

use crate::budget::Budget;
use crate::error::ScanError;
use crate::known::{self, Keeper, KnownResults};
use crate::progress::Cancel;
use crate::report::SealingObstacle;
use crate::settings::{self, Settings};
use blanche_sandbox::birth::Child;
use blanche_sandbox::wire::{Container, ContainerProof, EngineSet, SelfTestResult};
use folders::Folders;
use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use zygote::{Zygote, proved};

/// How often somebody who waits looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Between attempts to replace engines that died: at first, and at most.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Warm engines, ready for sessions.
#[derive(Debug)]
pub struct EngineRoom {
    shared: Arc<Shared>,
    keeper: Mutex<Keeper>,
    /// Of all sessions that use this room: they share the machine's memory.
    spool: Arc<Budget>,
    loader: Option<JoinHandle<()>>,
    bases: settings::Bases,
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
    /// From what they were loaded.
    loaded: Folders,
    /// What the last load found, whatever came of it.
    seen: Folders,
    /// Something happened in a base folder, or the engines died.
    changed: bool,
    loading: bool,
    closing: bool,
    /// Why the last load gave nothing.
    failure: Option<ScanError>,
    /// The same, as reports show it.
    rejected: Option<String>,
    /// Loads that are over, whatever came of them.
    loads: u64,
    /// Those, and looks that found everything as it was.
    looks: u64,
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

/// What a self-test found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SelfTest {
    /// Every marker was found, and every container opened that an engine is meant to open.
    pub passed: bool,
    /// Each engine on each marker.
    pub results: Vec<SelfTestResult>,
    /// Each container of docs/containers.md.
    pub containers: Vec<ContainerProof>,
}

/// Whether everything was found that must be found.
fn is_passed(results: &[SelfTestResult], containers: &[ContainerProof]) -> bool {
    !results.is_empty()
        && results.iter().all(|result| result.found)
        && containers.iter().all(|container| container.proved || container.opener.is_none())
}

impl EngineRoomDescription {
    /// Whether the self-test at the loading of these engines found everything.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        is_passed(&self.self_test, &self.containers)
    }

    /// What speaks against sealing under these engines, whatever the medium: bases that are too old, have no date or one
    /// in the future, are missing or were rejected (security rule 9).
    #[must_use]
    pub fn obstacles(&self, settings: &Settings) -> Vec<SealingObstacle> {
        let now = Timestamp::now().as_second();
        let stale = self.engine_set.bases().filter(|base| settings.bases.is_stale(base, now));
        let mut obstacles: Vec<_> = stale.map(|base| SealingObstacle::StaleBase(base.name.clone())).collect();
        let missing = settings.bases.missing(self.engine_set.bases()).into_iter();
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
        let spool = Budget::new(settings.spool.quota_bytes());
        let (ours, bases, settings) = (Arc::clone(&shared), settings.bases.clone(), settings.clone());
        let loader = std::thread::Builder::new()
            .name("engines".to_owned())
            .spawn(move || load(&ours, &settings))
            .map_err(|error| ScanError::Station(format!("the thread that loads engines: {error}")))?;
        let room = Self { shared, keeper: Mutex::default(), spool, loader: Some(loader), bases };
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

    /// Counts the loads that are over: with another number, [`EngineRoom::describe_now`] may say something else.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.shared.now().loads
    }

    /// Engines for a session, and why newer bases are not among them. Bases that changed are waited for, whether or not the kernel
    /// told of it; engines that died are replaced.
    ///
    /// # Errors
    /// As [`EngineRoom::open`].
    pub(crate) fn engines(&self, cancel: &Cancel) -> Result<(Arc<Engines>, Option<String>), ScanError> {
        let found = Folders::look(&self.bases);
        let mut now = self.shared.now();
        // A load that began before us may have missed something; a folder that changes all the time holds nobody up.
        let enough = now.looks.saturating_add(if now.loading { 2 } else { 1 });
        let mut asked = false;
        loop {
            match &now.engines {
                _ if (now.changed || now.loading) && now.looks < enough => {}
                Some(engines) if (asked || now.seen == found || now.looks >= enough) && !engines.0.is_dead() => {
                    return Ok((Arc::clone(engines), now.rejected.clone()));
                }
                _ if asked || now.engines.is_none() => {
                    let gone = || ScanError::Engines("the engine process is gone".to_owned());
                    return Err(now.failure.as_ref().map_or_else(gone, ScanError::told_again));
                }
                _ => {
                    asked = true;
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

    /// What all sessions together may keep in the spool.
    pub(crate) fn spool(&self) -> &Arc<Budget> {
        &self.spool
    }

    /// Has the engines in use find everything that they must find, now, in a new matcher.
    ///
    /// # Errors
    /// [`ScanError::Engines`] when they cannot be asked, [`ScanError::Cancelled`].
    pub fn self_test(&self, cancel: &Cancel) -> Result<SelfTest, ScanError> {
        let (engines, _) = self.engines(cancel)?;
        let (results, containers) = engines.0.examine(cancel)?;
        Ok(SelfTest { passed: is_passed(&results, &containers), results, containers })
    }

    /// The engines in use miss something: nothing that they said is known any more, and what they still say is not kept. Waits
    /// for what is being kept, some seconds at most.
    ///
    /// # Errors
    /// [`ScanError::Engines`] when what is known cannot be deleted now. No engines may be loaded before it can: the rows would
    /// answer in their place.
    pub fn distrust(&self, settings: &Settings) -> Result<(), ScanError> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).close();
        known::forget(&settings.known_results).map_err(ScanError::Engines)
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
}

/// The loader: loads whenever something changed, until the room is closed.
fn load(shared: &Arc<Shared>, settings: &Settings) {
    let [first, longest] = AGAIN;
    let mut pause = first;
    let mut again: Option<Instant> = None;
    // Folders may be others than before, under the same names: they are watched anew for each load.
    let mut _watcher;
    let mut now = shared.now();
    while !now.closing {
        if !now.changed {
            now = match again {
                None => shared.told.wait(now).unwrap_or_else(PoisonError::into_inner),
                // Nobody else would try before the next medium comes.
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    let mut now = shared.told.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
                    now.changed |= Instant::now() >= at;
                    now
                }
            };
            continue;
        }
        (now.changed, now.loading) = (false, true);
        let alive = now.engines.as_ref().is_some_and(|engines| !engines.0.is_dead());
        let (loaded, seen) = (now.loaded.clone(), now.seen.clone());
        drop(now);
        again = None;
        if alive && Folders::look(&settings.bases) == seen {
            now = shared.now();
            now.loading = false;
            now.looks = now.looks.saturating_add(1);
            shared.told.notify_all();
            continue;
        }
        // The watch begins before the look, and the look before the load: nothing dropped in between goes unseen.
        _watcher = watch(settings, shared);
        let found = Folders::look(&settings.bases);
        let proved = match loaded.emptied(&found) {
            Some(folder) => Err(ScanError::Engines(format!(
                "{}: its files are gone since it was loaded; put them back, or restart the station to do without them",
                folder.display()
            ))),
            None => Zygote::prove(settings, &shared.stop),
        };
        now = shared.now();
        now.loading = false;
        (now.loads, now.looks) = (now.loads.saturating_add(1), now.looks.saturating_add(1));
        now.seen.clone_from(&found);
        match proved {
            Ok(zygote) => {
                if now.engines.is_some() {
                    tracing::info!("new bases passed their self-test and are in use");
                }
                now.engines = Some(Arc::new(Engines(zygote)));
                now.loaded = found;
                (now.failure, now.rejected) = (None, None);
                pause = first;
            }
            Err(error) => {
                let dead = now.engines.as_ref().map(|engines| engines.0.is_dead());
                if let Some(dead) = dead.filter(|_| !now.closing) {
                    if dead {
                        tracing::error!("engines that died could not be replaced, trying again: {error}");
                        again = Instant::now().checked_add(pause);
                        pause = pause.saturating_mul(2).min(longest);
                    } else {
                        tracing::error!("new bases were rejected, the older ones stay in use: {error}");
                    }
                    now.rejected = Some(error.to_string());
                }
                now.failure = Some(error);
            }
        }
        shared.told.notify_all();
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

/// Tells the loader whenever something happens in a base folder, or another one takes its place. What this misses is seen when the next
/// session asks for engines.
fn watch(settings: &Settings, shared: &Arc<Shared>) -> Option<RecommendedWatcher> {
    let (bases, shared) = (&settings.bases, Arc::clone(shared));
    let folders: Vec<PathBuf> = bases.clamav.iter().chain(&bases.rules).cloned().collect();
    let parents: BTreeSet<PathBuf> = folders.iter().filter_map(|folder| folder.parent()).map(PathBuf::from).collect();
    let note = move |event: notify::Result<notify::Event>| {
        let concerns = |path: &PathBuf| folders.iter().any(|folder| path.starts_with(folder));
        if event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(concerns)) {
            shared.change();
        }
    };
    let mut watcher = notify::recommended_watcher(note)
        .inspect_err(|error| {
            tracing::warn!("base folders cannot be watched, new bases wait for the next medium: {error}")
        })
        .ok()?;
    let clamav = bases.clamav_present().into_iter().map(|folder| (folder, RecursiveMode::NonRecursive));
    let rules = bases.rules_present().into_iter().map(|folder| (folder, RecursiveMode::Recursive));
    let parents = parents.into_iter().map(|folder| (folder, RecursiveMode::NonRecursive));
    for (folder, mode) in clamav.chain(rules).chain(parents.filter(|(folder, _)| folder.is_dir())) {
        if let Err(error) = watcher.watch(&folder, mode) {
            tracing::warn!("{} cannot be watched: {error}", folder.display());
        }
    }
    Some(watcher)
}
