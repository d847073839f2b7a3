//! `blanche station watch`: one line for each change, from the signals of the station.

use super::client::{Added, Client};
use super::lines::{Session, StationLine, Values};
use super::{NoAnswer, StationArguments, code, json, print, show};
use crate::exit::Exit;
use crate::service::{NAME, ROOT};
use blanche_scan::words::Lang;
use futures_lite::StreamExt;
use jiff::Timestamp;
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use zbus::message::Type;
use zbus::{MatchRule, Message, MessageStream, ObjectPath, OwnedObjectPath};

/// Signals that may wait while a line is printed; more wait in the bus.
const WAITING: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// Ends the program at once, with the code for an interruption: nothing is half done by watching.
pub(super) fn end_with_signals() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        let always = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_shutdown(signal, i32::from(Exit::Interrupted.code()), always)?;
    }
    Ok(())
}

/// What happened; the words of docs/station.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    /// The station, when watching begins, when it comes back, and when it changed.
    Station,
    /// The station left the bus.
    Absent,
    /// A session that was there when watching began.
    Present,
    Arrived,
    Changed,
    Concluded,
    Removed,
    Forgotten,
}

/// One line of JSON.
#[derive(Debug, Serialize)]
struct Line<'a, T> {
    time: String,
    event: Event,
    #[serde(flatten)]
    what: &'a T,
}

/// Nothing more than the event.
#[derive(Debug, Serialize)]
struct Nothing {}

struct Watcher<'a> {
    client: Client,
    arguments: &'a StationArguments,
    lang: Lang,
    station: Values,
    sessions: BTreeMap<String, Values>,
    /// What was said of each session: people want no line for every megabyte.
    said: BTreeMap<String, String>,
}

/// Watches until the bus or the reader of our lines goes away.
pub(super) async fn watch(arguments: &StationArguments, lang: Lang) -> Result<Exit, NoAnswer> {
    let client = Client::connect(&arguments.bus).await?;
    let signals = MatchRule::builder().msg_type(Type::Signal).sender(NAME).path_namespace(ROOT).build()?;
    let owner = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.DBus")
        .interface("org.freedesktop.DBus")
        .member("NameOwnerChanged")
        .add_arg(NAME)
        .build()?;
    // First listen, then ask: nothing is missed in between.
    let signals = MessageStream::for_match_rule(signals, &client.connection, Some(WAITING)).await?;
    let owners = MessageStream::for_match_rule(owner, &client.connection, Some(WAITING)).await?;
    let mut messages = futures_lite::stream::or(owners, signals);
    let (station, sessions) = (Values::new(), BTreeMap::new());
    let mut watcher = Watcher { client, arguments, lang, station, sessions, said: BTreeMap::new() };
    watcher.begin().await?;
    while let Some(message) = messages.next().await {
        watcher.take(&message?).await?;
    }
    Err(io::Error::new(io::ErrorKind::ConnectionReset, "the bus closed the connection").into())
}

impl Watcher<'_> {
    /// Everything that is there; nothing while there is no station.
    async fn begin(&mut self) -> Result<(), NoAnswer> {
        (self.station, self.sessions) = match self.client.values().await {
            Ok(values) => values,
            Err(zbus::Error::FDO(error)) if matches!(*error, zbus::fdo::Error::ServiceUnknown(_)) => {
                return self.absent();
            }
            Err(error) => return Err(error.into()),
        };
        self.tell_station().await?;
        let paths: Vec<String> = self.sessions.keys().cloned().collect();
        for path in paths {
            self.tell(Event::Present, &path).await?;
        }
        Ok(())
    }

    async fn take(&mut self, message: &Message) -> Result<(), NoAnswer> {
        let header = message.header();
        let member = header.member().map(|member| member.as_str()).unwrap_or_default();
        let body = message.body();
        match member {
            "NameOwnerChanged" => {
                let (_, _, owner): (String, String, String) = body.deserialize()?;
                self.sessions.clear();
                self.said.clear();
                return if owner.is_empty() { self.absent() } else { self.begin().await };
            }
            "InterfacesAdded" => {
                let (path, mut interfaces): Added = body.deserialize()?;
                if let Some(values) = interfaces.remove("org.blanche.Session1") {
                    self.sessions.insert(path.to_string(), values);
                }
            }
            "InterfacesRemoved" => {
                let (path, _): (OwnedObjectPath, Vec<String>) = body.deserialize()?;
                let path = path.as_str();
                self.tell(Event::Forgotten, path).await?;
                self.sessions.remove(path);
                self.said.remove(path);
            }
            "PropertiesChanged" => {
                let (_, changed, _): (String, Values, Vec<String>) = body.deserialize()?;
                let path = header.path().map(|path| path.as_str()).unwrap_or_default();
                self.changed(path, changed).await?;
            }
            "Arrived" => self.tell(Event::Arrived, body.deserialize::<ObjectPath<'_>>()?.as_str()).await?,
            "Concluded" => {
                let (path, _): (OwnedObjectPath, String) = body.deserialize()?;
                self.tell(Event::Concluded, path.as_str()).await?;
            }
            "Removed" => self.tell(Event::Removed, body.deserialize::<ObjectPath<'_>>()?.as_str()).await?,
            _ => {}
        }
        Ok(())
    }

    async fn changed(&mut self, path: &str, changed: Values) -> Result<(), NoAnswer> {
        if path == ROOT {
            // Which sessions there are is told by their own lines.
            let news = changed.keys().any(|name| name != "Sessions");
            self.station.extend(changed);
            return if news { self.tell_station().await } else { Ok(()) };
        }
        let Some(values) = self.sessions.get_mut(path) else { return Ok(()) };
        values.extend(changed);
        self.tell(Event::Changed, path).await
    }

    fn absent(&self) -> Result<(), NoAnswer> {
        if self.arguments.json {
            return self.line(Event::Absent, &Nothing {});
        }
        let advice = show::absent(self.lang);
        Ok(print(|out| writeln!(out, "{} {}", now(), advice.what))?)
    }

    async fn tell_station(&self) -> Result<(), NoAnswer> {
        let station = StationLine::new(&self.station);
        if self.arguments.json {
            return self.line(Event::Station, &station);
        }
        let sayings = self.client.station().words(code(self.lang)).await?;
        Ok(print(|out| {
            write!(out, "{} ", now())?;
            show::station(&station, &sayings, self.lang, out)
        })?)
    }

    /// One line about a session.
    async fn tell(&mut self, event: Event, path: &str) -> Result<(), NoAnswer> {
        let Some(values) = self.sessions.get(path) else { return Ok(()) };
        let session = Session::new(path, values);
        if self.arguments.json {
            return self.line(event, &session);
        }
        if event == Event::Forgotten {
            return Ok(());
        }
        let said = show::step(&session);
        if self.said.insert(path.to_owned(), said.clone()).as_ref() == Some(&said) {
            return Ok(());
        }
        let words = match self.client.session(&session).await?.words(code(self.lang)).await {
            Ok(words) => words,
            // It went away in between: its removal is told in a moment.
            Err(zbus::Error::FDO(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        Ok(print(|out| show::happened(&now(), &session, &words, self.lang, out))?)
    }

    fn line(&self, event: Event, what: &impl Serialize) -> Result<(), NoAnswer> {
        let line = Line { time: timestamp(), event, what };
        Ok(print(|out| json(out, &line))?)
    }
}

/// UTC with milliseconds (RFC 3339).
fn timestamp() -> String {
    format!("{:.3}", Timestamp::now())
}

/// The time of day on the wall.
fn now() -> String {
    jiff::Zoned::now().strftime("%H:%M:%S").to_string()
}
