//! `blanche station watch`: one line for each change, from the signals of the station.

use super::{NoAnswer, StationArguments, code, json, print, show};
use crate::exit::Exit;
use blanche_bus::{Change, Client, Session, StationLine, Watch};
use blanche_scan::words::Lang;
use jiff::Timestamp;
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
    /// Copying the files of a session is over.
    Copied,
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
    watch: Watch,
    arguments: &'a StationArguments,
    lang: Lang,
    /// What was said of each session: people want no line for every megabyte.
    said: BTreeMap<String, String>,
}

/// Watches until the bus or the reader of our lines goes away.
pub(super) async fn watch(arguments: &StationArguments, lang: Lang) -> Result<Exit, NoAnswer> {
    let watch = Watch::begin(Client::connect(&arguments.bus).await?).await?;
    let mut watcher = Watcher { watch, arguments, lang, said: BTreeMap::new() };
    loop {
        let change = watcher.watch.next().await?;
        watcher.take(change).await?;
    }
}

impl Watcher<'_> {
    async fn take(&mut self, change: Change) -> Result<(), NoAnswer> {
        let (event, path) = match change {
            Change::Station => return self.tell_station().await,
            Change::Absent => {
                self.said.clear();
                return self.absent();
            }
            Change::Forgotten(session) => {
                self.said.remove(&session.path);
                return if self.arguments.json { self.line(Event::Forgotten, &session) } else { Ok(()) };
            }
            Change::Present(path) => (Event::Present, path),
            Change::Arrived(path) => (Event::Arrived, path),
            Change::Changed(path) => (Event::Changed, path),
            Change::Concluded(path) => (Event::Concluded, path),
            Change::Copied(path) => (Event::Copied, path),
            Change::Removed(path) => (Event::Removed, path),
        };
        match self.watch.mirror().session(&path) {
            Some(session) => self.tell(event, &session).await,
            None => Ok(()),
        }
    }

    fn absent(&self) -> Result<(), NoAnswer> {
        if self.arguments.json {
            return self.line(Event::Absent, &Nothing {});
        }
        let advice = show::absent(self.lang);
        Ok(print(|out| writeln!(out, "{} {}", now(), advice.what))?)
    }

    async fn tell_station(&self) -> Result<(), NoAnswer> {
        let station: StationLine = self.watch.mirror().station().unwrap_or_default();
        if self.arguments.json {
            return self.line(Event::Station, &station);
        }
        let sayings = match self.watch.client().station().words(code(self.lang)).await {
            Ok(sayings) => sayings,
            // It went away in between: that is told in a moment.
            Err(zbus::Error::FDO(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        Ok(print(|out| {
            write!(out, "{} ", now())?;
            show::station(&station, &sayings, self.lang, out)
        })?)
    }

    /// One line about a session.
    async fn tell(&mut self, event: Event, session: &Session) -> Result<(), NoAnswer> {
        if self.arguments.json {
            return self.line(event, session);
        }
        let said = show::step(session);
        if self.said.insert(session.path.clone(), said.clone()).as_ref() == Some(&said) {
            return Ok(());
        }
        let words = match self.watch.client().session(&session.path).await?.words(code(self.lang)).await {
            Ok(words) => words,
            // It went away in between: its removal is told in a moment.
            Err(zbus::Error::FDO(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        Ok(print(|out| show::happened(&now(), session, &words, self.lang, out))?)
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
