//! What a client knows of a station: its last word on everything. Signals change it, nothing is asked again.

use crate::address::ROOT;
use crate::client::Added;
use crate::lines::{Session, StationLine, Values};
use std::collections::BTreeMap;
use zbus::{Message, ObjectPath, OwnedObjectPath};

/// What a signal changed. Sessions are named by the paths of their objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The station came, or one of its properties changed.
    Station,
    /// The station left the bus, and its sessions with it.
    Absent,
    /// A session that was there before the mirror.
    Present(String),
    /// A medium or a refused device is there.
    Arrived(String),
    /// A property of a session changed.
    Changed(String),
    /// A session has its result.
    Concluded(String),
    /// Copying its files is over.
    Copied(String),
    /// The medium is gone; the session stays for a minute.
    Removed(String),
    /// The session is gone too: what it last was.
    Forgotten(Box<Session>),
}

/// The state of a station and of its sessions.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    station: Option<Values>,
    sessions: BTreeMap<String, Values>,
}

impl Mirror {
    pub(crate) fn begin(&mut self, values: Option<(Values, BTreeMap<String, Values>)>) -> Vec<Change> {
        let Some((station, sessions)) = values else {
            (self.station, self.sessions) = (None, BTreeMap::new());
            return vec![Change::Absent];
        };
        (self.station, self.sessions) = (Some(station), sessions);
        let present = self.sessions.keys().cloned().map(Change::Present);
        std::iter::once(Change::Station).chain(present).collect()
    }

    /// The station; `None` while it is not on the bus.
    #[must_use]
    pub fn station(&self) -> Option<StationLine> {
        self.station.as_ref().map(StationLine::new)
    }

    /// A session by its path.
    #[must_use]
    pub fn session(&self, path: &str) -> Option<Session> {
        self.sessions.get(path).map(|values| Session::new(path, values))
    }

    /// All sessions in the order of arrival: paths sort by it, as UUIDv7 do.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.sessions.iter().map(|(path, values)| Session::new(path, values)).collect()
    }

    /// Takes a signal of the station; `None` when it changes nothing that a client sees.
    ///
    /// # Errors
    /// When its arguments are not those of docs/station.md.
    pub(crate) fn take(&mut self, message: &Message) -> zbus::Result<Option<Change>> {
        let header = message.header();
        let member = header.member().map(|member| member.as_str()).unwrap_or_default();
        let body = message.body();
        let named = |path: OwnedObjectPath| path.as_str().to_owned();
        let change = match member {
            "InterfacesAdded" => {
                let (path, mut interfaces): Added = body.deserialize()?;
                let session = interfaces.remove("org.blanche.Session1");
                if let Some(values) = session.filter(|_| self.station.is_some()) {
                    self.sessions.insert(named(path), values);
                }
                None
            }
            "InterfacesRemoved" => {
                let (path, _): (OwnedObjectPath, Vec<String>) = body.deserialize()?;
                let gone = self.sessions.remove(path.as_str());
                gone.map(|values| Change::Forgotten(Box::new(Session::new(path.as_str(), &values))))
            }
            "PropertiesChanged" => {
                let (_, changed, _): (String, Values, Vec<String>) = body.deserialize()?;
                self.changed(header.path().map(ObjectPath::as_str).unwrap_or_default(), changed)
            }
            "Arrived" => self.known(named(body.deserialize()?)).map(Change::Arrived),
            "Concluded" => {
                let (path, _): (OwnedObjectPath, String) = body.deserialize()?;
                self.known(named(path)).map(Change::Concluded)
            }
            "Copied" => {
                let (path, _): (OwnedObjectPath, String) = body.deserialize()?;
                self.known(named(path)).map(Change::Copied)
            }
            "Removed" => self.known(named(body.deserialize()?)).map(Change::Removed),
            _ => None,
        };
        Ok(change)
    }

    fn known(&self, path: String) -> Option<String> {
        self.sessions.contains_key(&path).then_some(path)
    }

    fn changed(&mut self, path: &str, changed: Values) -> Option<Change> {
        if path == ROOT {
            // Which sessions there are is told by their own signals.
            let news = changed.keys().any(|name| name != "Sessions");
            // The last words of a station may be read after it has left the bus: they do not bring it back.
            self.station.as_mut()?.extend(changed);
            return news.then_some(Change::Station);
        }
        self.sessions.get_mut(path)?.extend(changed);
        Some(Change::Changed(path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use std::collections::HashMap;
    use zbus::{OwnedVariant, Variant};

    const SESSION: &str = "/org/blanche/Station1/sessions/a";

    fn value(value: impl Into<Variant<'static>>) -> OwnedVariant {
        value.into().try_to_owned().expect("no descriptor")
    }

    fn signal<B: serde::Serialize + zbus::Type>(path: &'static str, member: &'static str, body: &B) -> Message {
        let signal = Message::signal(path, "org.blanche.Station1", member);
        signal.build(body).expect("a body")
    }

    fn properties(path: &'static str, changed: &[(&str, OwnedVariant)]) -> Message {
        let changed: HashMap<&str, OwnedVariant> =
            changed.iter().map(|(name, value)| (*name, value.try_clone().expect("no descriptor"))).collect();
        signal(path, "PropertiesChanged", &("org.blanche", changed, Vec::<String>::new()))
    }

    /// A station without sessions.
    fn there() -> Mirror {
        let mut mirror = Mirror::default();
        mirror.begin(Some((Values::new(), BTreeMap::new())));
        mirror
    }

    fn arrived(mirror: &mut Mirror) {
        let path = ObjectPath::try_from(SESSION).expect("a path");
        let values = HashMap::from([("State", value("queued"))]);
        let added = signal(ROOT, "InterfacesAdded", &(&path, HashMap::from([("org.blanche.Session1", values)])));
        assert_eq!(mirror.take(&added).expect("well formed"), None);
        let told = mirror.take(&signal(ROOT, "Arrived", &path)).expect("well formed");
        assert_eq!(told, Some(Change::Arrived(SESSION.to_owned())));
    }

    #[test]
    fn a_session_is_seen_from_its_arrival_until_it_is_forgotten() {
        let mut mirror = there();
        arrived(&mut mirror);
        let told = mirror.take(&properties(SESSION, &[("State", value("checking")), ("Percent", value(41u8))]));
        assert_eq!(told.expect("well formed"), Some(Change::Changed(SESSION.to_owned())));
        let session = mirror.session(SESSION).expect("there");
        assert_eq!((session.state.as_str(), session.percent), ("checking", 41));
        let path = ObjectPath::try_from(SESSION).expect("a path");
        let gone = mirror.take(&signal(ROOT, "InterfacesRemoved", &(&path, vec!["org.blanche.Session1"])));
        assert_eq!(gone.expect("well formed"), Some(Change::Forgotten(Box::new(session))));
        assert!(mirror.sessions().is_empty());
    }

    #[test]
    fn what_is_said_of_unknown_sessions_changes_nothing() {
        let mut mirror = there();
        let path = ObjectPath::try_from(SESSION).expect("a path");
        assert_eq!(mirror.take(&signal(ROOT, "Arrived", &path)).expect("well formed"), None);
        assert_eq!(mirror.take(&properties(SESSION, &[("Percent", value(1u8))])).expect("well formed"), None);
        assert!(mirror.take(&signal(ROOT, "Arrived", &7u32)).is_err(), "not a path");
        assert!(mirror.sessions().is_empty());
    }

    #[test]
    fn a_list_of_sessions_is_no_news_of_the_station() {
        let mut mirror = there();
        let told = mirror.take(&properties(ROOT, &[("Sessions", value(0u8))])).expect("well formed");
        assert_eq!(told, None);
        let told = mirror.take(&properties(ROOT, &[("CanSeal", value(true))])).expect("well formed");
        assert_eq!(told, Some(Change::Station));
        assert!(mirror.station().expect("there").can_seal);
    }

    #[test]
    fn a_station_that_leaves_takes_its_sessions_with_it() {
        let mut mirror = there();
        arrived(&mut mirror);
        assert_eq!(mirror.begin(None), [Change::Absent]);
        assert!(mirror.station().is_none() && mirror.sessions().is_empty());
        // Its last words may be read after that it has left.
        let late = properties(ROOT, &[("CanSeal", value(true))]);
        assert_eq!(mirror.take(&late).expect("well formed"), None);
        let path = ObjectPath::try_from(SESSION).expect("a path");
        let values = HashMap::from([("State", value("queued"))]);
        let late = signal(ROOT, "InterfacesAdded", &(&path, HashMap::from([("org.blanche.Session1", values)])));
        assert_eq!(mirror.take(&late).expect("well formed"), None);
        assert!(mirror.station().is_none() && mirror.sessions().is_empty());
        let sessions = BTreeMap::from([(SESSION.to_owned(), Values::new())]);
        let told = mirror.begin(Some((Values::new(), sessions)));
        assert_eq!(told, [Change::Station, Change::Present(SESSION.to_owned())]);
    }
}
