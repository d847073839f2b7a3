//! From the board to the bus: objects that come and go, and signals that say what changed.
//!
//! Of a session at most [`A_SECOND`] signals of changed properties go out in a second; what falls in between is not lost but
//! told together with the next, and the last state is always told.

use super::session::{SessionObject, Shown};
use super::station::{Shown as StationShown, StationObject};
use super::{Context, ROOT};
use crate::board::Snapshot;
use crate::session::SessionId;
use crate::session::view::{SessionView, State};
use blanche_scan::report::CopyReport;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zbus::fdo::Properties;
use zbus::names::InterfaceName;
use zbus::object_server::{Interface, SignalEmitter};
use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, Variant};

/// Signals of changed properties in a second, for one object.
const A_SECOND: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(1000 / A_SECOND as u64);
/// Sessions that have an object at the same time. A device that enumerates for ever makes sessions for ever.
pub(super) const OBJECTS: usize = 64;

type Values = HashMap<String, OwnedVariant>;

/// What was told of one session.
#[derive(Debug)]
struct Told {
    path: OwnedObjectPath,
    shown: Shown,
    values: Values,
    at: Instant,
    concluded: bool,
    removed: bool,
    /// The last copy of which the end was told.
    copied: Option<Arc<CopyReport>>,
}

/// What was told on one connection.
#[derive(Debug)]
pub(super) struct Publisher {
    connection: Connection,
    context: Context,
    station: StationShown,
    values: Values,
    at: Option<Instant>,
    sessions: BTreeMap<SessionId, Told>,
}

impl Publisher {
    /// Nothing was told yet; the object of the station is served already.
    pub(super) fn new(connection: Connection, context: Context, station: StationShown) -> Self {
        Self { connection, context, station, values: Values::new(), at: None, sessions: BTreeMap::new() }
    }

    /// Tells what changed. Gives back when something that must wait may be told.
    pub(super) async fn tell(&mut self, snapshot: &Snapshot) -> zbus::Result<Option<Instant>> {
        let chosen = choose(snapshot);
        let gone: Vec<SessionId> = self.sessions.keys().filter(|id| !chosen.contains_key(*id)).copied().collect();
        let mut changed = !gone.is_empty();
        for id in gone {
            self.forget(id).await?;
        }
        let mut again = None;
        for (id, view) in chosen {
            let due = match self.sessions.get(&id) {
                None => {
                    changed = true;
                    self.arrive(id, view).await?;
                    None
                }
                Some(told) if told.at.elapsed() < BETWEEN => told.at.checked_add(BETWEEN),
                Some(_) => {
                    self.change(id, view).await?;
                    None
                }
            };
            again = [again, due].into_iter().flatten().min();
        }
        let due = self.station(snapshot, changed).await?;
        Ok([again, due].into_iter().flatten().min())
    }

    async fn arrive(&mut self, id: SessionId, view: Arc<SessionView>) -> zbus::Result<()> {
        let path = path_of(id)?;
        let shown = Shown::new(Arc::clone(&view));
        let object = SessionObject::new(id, shown.clone(), &self.context);
        self.connection.object_server().at(&path, object).await?;
        StationObject::arrived(&self.emitter()?, path.as_ref()).await?;
        let values = self.values_of::<SessionObject>(path.as_ref()).await?;
        let told = Told { path, shown, values, at: Instant::now(), concluded: false, removed: false, copied: None };
        self.sessions.insert(id, told);
        self.milestones(id, &view).await
    }

    async fn change(&mut self, id: SessionId, view: Arc<SessionView>) -> zbus::Result<()> {
        let Some(told) = self.sessions.get(&id) else { return Ok(()) };
        told.shown.set(Arc::clone(&view));
        let values = self.values_of::<SessionObject>(told.path.as_ref()).await?;
        if self.changed::<SessionObject>(told.path.as_ref(), &told.values, &values).await?
            && let Some(told) = self.sessions.get_mut(&id)
        {
            told.values = values;
            told.at = Instant::now();
        }
        self.milestones(id, &view).await
    }

    /// The signals that a session gives once each.
    async fn milestones(&mut self, id: SessionId, view: &SessionView) -> zbus::Result<()> {
        let emitter = self.emitter()?;
        let Some(told) = self.sessions.get_mut(&id) else { return Ok(()) };
        if view.conclusion.is_some() && !told.concluded {
            told.concluded = true;
            StationObject::concluded(&emitter, told.path.as_ref(), super::line::verdict(view)).await?;
        }
        if let Some(report) = &view.copy.report
            && !told.copied.as_ref().is_some_and(|before| Arc::ptr_eq(before, report))
        {
            told.copied = Some(Arc::clone(report));
            StationObject::copied(&emitter, told.path.as_ref(), report.outcome.word()).await?;
        }
        if view.state == State::Removed && !told.removed {
            told.removed = true;
            StationObject::removed(&emitter, told.path.as_ref()).await?;
        }
        Ok(())
    }

    async fn forget(&mut self, id: SessionId) -> zbus::Result<()> {
        let Some(told) = self.sessions.remove(&id) else { return Ok(()) };
        if !told.removed {
            StationObject::removed(&self.emitter()?, told.path.as_ref()).await?;
        }
        self.connection.object_server().remove::<SessionObject, _>(&told.path).await?;
        self.context.documents.forget(id);
        Ok(())
    }

    /// The station's own properties. Which sessions have objects is told at once, everything else at most ten times a second.
    async fn station(&mut self, snapshot: &Snapshot, sessions_changed: bool) -> zbus::Result<Option<Instant>> {
        if let Some(at) = self.at.filter(|at| at.elapsed() < BETWEEN && !sessions_changed) {
            return Ok(at.checked_add(BETWEEN));
        }
        let paths = self.sessions.values().map(|told| told.path.clone()).collect();
        self.station.set(Arc::clone(&snapshot.station), paths);
        let values = self.values_of::<StationObject>(ROOT.try_into()?).await?;
        if self.changed::<StationObject>(ROOT.try_into()?, &self.values, &values).await? {
            self.values = values;
            self.at = Some(Instant::now());
        }
        Ok(None)
    }

    /// All properties of an object, as a client would get them.
    async fn values_of<I: Interface>(&self, path: ObjectPath<'_>) -> zbus::Result<Values> {
        let server = self.connection.object_server();
        let object = server.interface::<_, I>(path).await?;
        let values = object.get().await.get_all(server, &self.connection, None, object.signal_emitter()).await;
        Ok(values?)
    }

    /// Tells which properties have another value than before; false when none has.
    async fn changed<I: Interface>(&self, path: ObjectPath<'_>, before: &Values, now: &Values) -> zbus::Result<bool> {
        let differs = |(name, value): &(&String, &OwnedVariant)| before.get(*name) != Some(*value);
        let changed: HashMap<&str, Variant<'_>> = now
            .iter()
            .filter(differs)
            .map(|(name, value)| Ok((name.as_str(), Variant::try_from(value)?)))
            .collect::<zbus::Result<_>>()?;
        if changed.is_empty() {
            return Ok(false);
        }
        let name: InterfaceName<'_> = I::name();
        let emitter = SignalEmitter::new(&self.connection, path)?;
        Properties::properties_changed(&emitter, name, changed, Cow::Borrowed(&[])).await?;
        Ok(true)
    }

    fn emitter(&self) -> zbus::Result<SignalEmitter<'static>> {
        SignalEmitter::new(&self.connection, ROOT)
    }
}

/// The object path of a session: a UUID has hyphens, an element of a path must not (D-Bus specification, "Valid Object Paths").
pub(super) fn path_of(id: SessionId) -> zbus::Result<OwnedObjectPath> {
    let id = id.to_string().replace('-', "_");
    OwnedObjectPath::try_from(format!("{ROOT}/sessions/{id}"))
}

/// The sessions that get an object: those whose medium is there before those whose medium is gone, then the newest.
fn choose(snapshot: &Snapshot) -> BTreeMap<SessionId, Arc<SessionView>> {
    let mut views: Vec<&Arc<SessionView>> = snapshot.sessions.iter().rev().collect();
    views.sort_by_key(|view| match view.state {
        State::Removed => 2,
        State::Refused => 1,
        _ => 0,
    });
    views.into_iter().take(OBJECTS).map(|view| (view.id, Arc::clone(view))).collect()
}
