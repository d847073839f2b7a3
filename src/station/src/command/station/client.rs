//! The bus as a client sees it.

use super::lines::{Session, StationLine, Values};
use crate::service::{Bus, NAME, ROOT};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use zbus::connection::Builder;
use zbus::fdo::ObjectManagerProxy;
use zbus::{Connection, OwnedObjectPath, proxy};

/// A station answers within this time, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(25);

#[proxy(
    interface = "org.blanche.Station1",
    default_service = "org.blanche.Station1",
    default_path = "/org/blanche/Station1"
)]
pub(super) trait Station {
    /// What to say about each problem.
    fn words(&self, lang: &str) -> zbus::Result<Vec<(String, String, String)>>;
}

#[proxy(interface = "org.blanche.Session1", default_service = "org.blanche.Station1")]
pub(super) trait Session {
    /// What to say now.
    fn words(&self, lang: &str) -> zbus::Result<(String, String, String)>;
    /// Stops checking.
    fn cancel(&self) -> zbus::Result<()>;
    /// Lets the medium go.
    fn eject(&self) -> zbus::Result<()>;
}

/// A connection to the bus of a station.
pub(super) struct Client {
    pub(super) connection: Connection,
    station: StationProxy<'static>,
}

impl Client {
    pub(super) async fn connect(bus: &Bus) -> zbus::Result<Self> {
        let connection = Builder::address(bus.address()?).method_timeout(PATIENCE).build().await?;
        let station =
            StationProxy::builder(&connection).cache_properties(zbus::proxy::CacheProperties::No).build().await?;
        Ok(Self { connection, station })
    }

    pub(super) const fn station(&self) -> &StationProxy<'static> {
        &self.station
    }

    pub(super) async fn session(&self, session: &Session) -> zbus::Result<SessionProxy<'static>> {
        SessionProxy::builder(&self.connection)
            .path(session.path.clone())
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
    }

    /// The station and its sessions in the order of arrival, in one question.
    pub(super) async fn everything(&self) -> zbus::Result<(StationLine, Vec<Session>)> {
        let (station, sessions) = self.values().await?;
        let sessions = sessions.iter().map(|(path, values)| Session::new(path, values)).collect();
        Ok((StationLine::new(&station), sessions))
    }

    /// The same, as it comes from the bus. Paths sort by arrival, as UUIDv7 do.
    pub(super) async fn values(&self) -> zbus::Result<(Values, BTreeMap<String, Values>)> {
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
pub(super) type Added = (OwnedObjectPath, HashMap<String, Values>);
