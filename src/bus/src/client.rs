//! Questions and orders to a station.

use crate::address::{Bus, NAME, ROOT};
use crate::lines::{Session, StationLine, Values};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use zbus::connection::Builder;
use zbus::fdo::{DBusProxy, ObjectManagerProxy};
use zbus::names::OwnedUniqueName;
use zbus::{Connection, OwnedObjectPath, proxy};

/// A station answers within this time, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(25);
/// A self-test has two minutes, and whoever asked for one waits for its result; a medium to be made takes seconds.
pub const LONG_PATIENCE: Duration = Duration::from_secs(150);

#[proxy(
    interface = "org.blanche.Station1",
    default_service = "org.blanche.Station1",
    default_path = "/org/blanche/Station1"
)]
/// The station (docs/station.md).
pub trait Station {
    /// What to say about each problem.
    fn words(&self, lang: &str) -> zbus::Result<Vec<(String, String, String)>>;
    /// Has the engines find what they must.
    fn run_self_test(&self) -> zbus::Result<(bool, Vec<(String, String, bool)>)>;
}

#[proxy(
    interface = "org.blanche.Simulation1",
    default_service = "org.blanche.Station1",
    default_path = "/org/blanche/Station1"
)]
/// The hand that plugs made-up media into a training station.
pub trait Simulation {
    /// What can be plugged in.
    fn media(&self, lang: &str) -> zbus::Result<Vec<(String, String, String)>>;
    /// The sockets.
    fn ports(&self) -> zbus::Result<Vec<(String, String, String)>>;
    /// Plugs something in.
    fn insert(&self, kind: &str, port: &str) -> zbus::Result<String>;
    /// Pulls it out.
    fn remove(&self, port: &str) -> zbus::Result<String>;
}

#[proxy(interface = "org.blanche.Session1", default_service = "org.blanche.Station1")]
/// One of its sessions.
pub trait Session {
    /// What to say now.
    fn words(&self, lang: &str) -> zbus::Result<(String, String, String)>;
    /// Stops checking.
    fn cancel(&self) -> zbus::Result<()>;
    /// Lets the medium go.
    fn eject(&self) -> zbus::Result<()>;
    /// The whole report as JSON, in a memory file that nobody can change.
    fn report(&self) -> zbus::Result<zbus::OwnedFd>;
    /// Copies the files to a medium in an output port.
    fn copy(&self, output: &str, erase: bool) -> zbus::Result<()>;
}

/// A connection to the bus of a station.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) connection: Connection,
    station: StationProxy<'static>,
}

impl Client {
    /// Whose connection has the station's name; `None` when nobody has it.
    ///
    /// # Errors
    /// When the bus does not answer.
    pub(crate) async fn owner(&self) -> zbus::Result<Option<OwnedUniqueName>> {
        let bus = DBusProxy::new(&self.connection).await?;
        match bus.get_name_owner(NAME.try_into()?).await {
            Ok(owner) => Ok(Some(owner)),
            Err(zbus::fdo::Error::NameHasNoOwner(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Connects to a bus; whether there is a station on it is another question.
    ///
    /// # Errors
    /// When there is no such bus, or it does not answer.
    pub async fn connect(bus: &Bus) -> zbus::Result<Self> {
        Self::patient(bus, PATIENCE).await
    }

    /// A connection that waits so long for each answer.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn patient(bus: &Bus, patience: Duration) -> zbus::Result<Self> {
        let connection = Builder::address(bus.address()?).method_timeout(patience).build().await?;
        let station =
            StationProxy::builder(&connection).cache_properties(zbus::proxy::CacheProperties::No).build().await?;
        Ok(Self { connection, station })
    }

    /// The station's methods.
    #[must_use]
    pub const fn station(&self) -> &StationProxy<'static> {
        &self.station
    }

    /// The methods of a training station.
    ///
    /// # Errors
    /// Those of zbus; that a station is not one of training is told by its methods.
    pub async fn simulation(&self) -> zbus::Result<SimulationProxy<'static>> {
        SimulationProxy::builder(&self.connection).cache_properties(zbus::proxy::CacheProperties::No).build().await
    }

    /// The methods of the session whose object is at `path`.
    ///
    /// # Errors
    /// When `path` is none.
    pub async fn session(&self, path: &str) -> zbus::Result<SessionProxy<'static>> {
        SessionProxy::builder(&self.connection)
            .path(path.to_owned())
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
    }

    /// The station and its sessions in the order of arrival, in one question.
    ///
    /// # Errors
    /// When there is no station, or it does not answer.
    pub async fn everything(&self) -> zbus::Result<(StationLine, Vec<Session>)> {
        let (station, sessions) = self.values().await?;
        let sessions = sessions.iter().map(|(path, values)| Session::new(path, values)).collect();
        Ok((StationLine::new(&station), sessions))
    }

    /// The same, as it comes from the bus. Paths sort by arrival, as UUIDv7 do.
    pub(crate) async fn values(&self) -> zbus::Result<(Values, BTreeMap<String, Values>)> {
        let manager = ObjectManagerProxy::builder(&self.connection).destination(NAME).path(ROOT).build().await?;
        let properties =
            zbus::fdo::PropertiesProxy::builder(&self.connection).destination(NAME).path(ROOT).build().await?;
        let station = properties.get_all(zbus::names::InterfaceName::try_from("org.blanche.Station1")?).await?;
        let mut sessions = BTreeMap::new();
        for (path, mut interfaces) in manager.get_managed_objects().await? {
            let name = interfaces.keys().find(|name| name.as_str() == "org.blanche.Session1").cloned();
            if let Some(values) = name.and_then(|name| interfaces.remove(&name)) {
                sessions.insert(path.to_string(), values);
            }
        }
        Ok((station, sessions))
    }
}

/// What `InterfacesAdded` brings.
pub(crate) type Added = (OwnedObjectPath, HashMap<String, Values>);
