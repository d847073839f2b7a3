//! The state machine of the kiosk, without GTK: what the station says, what a person does and the clock go in; a [`Screen`]
//! and orders come out.
//!
//! **Several media.** The newest arrival and the newest result have the screen; another medium is one line with one key (F6). A page
//! that a person opened stays open, and what it says of a medium stays that of the same one: the line tells what happened behind it.
//! Only the result of their own medium, its copy and its being pulled out close it, a list excepted.
//! A medium that another one replaced in its socket does not take the screen back when its check is over.
//!
//! **What goes away.** A medium that is gone keeps the screen for a while; so does a page that nobody touches. Before it goes the screen
//! warns, and each press of one key keeps it as long again, as often as somebody wants (EN 301 549, 11.2.2.1). With the last
//! medium go the choices of its person, but for the voice of a headset that stays. A new arrival ends the farewell of a medium that is gone: the next person is there.

mod account;
mod asked;
pub mod choices;
mod compose;
mod events;
pub mod screen;
#[cfg(test)]
mod tests;

pub use compose::row_texts;
pub use events::{Event, Moment, Order, Policy, SelfTest, Training};

use crate::report::Summary;
use crate::words::{Text, pages};
use blanche_bus::{Session, StationLine};
use choices::Choices;
use screen::{Place, ReportState, Screen};
use std::collections::BTreeMap;
use std::time::Duration;

/// A session and what was seen of it.
#[derive(Clone, Debug)]
struct Known {
    session: Session,
    /// When it arrived, or the expected time of its check was known; `None` when it was there already as the screen started.
    seen: Option<Duration>,
    /// When its result was there.
    concluded: Option<Duration>,
    /// When its medium was gone.
    gone: Option<Duration>,
    /// The station has let its medium go. The slot of a reader stays, and with it the state, until the medium is taken out.
    released: bool,
    /// What came of copying its files was not acknowledged yet.
    copied: bool,
    /// What the station says about it, by language.
    said: BTreeMap<String, String>,
    report: ReportState,
}

/// See the module.
#[derive(Debug)]
pub struct Kiosk {
    policy: Policy,
    station: Option<StationLine>,
    known: BTreeMap<String, Known>,
    /// The path of the session that has the screen.
    current: Option<String>,
    place: Place,
    choices: Choices,
    /// One is plugged in: whoever comes next listens too.
    headset: bool,
    self_test: SelfTest,
    training: Training,
    notice: Option<Text>,
    /// The path of the session whose receipt is being printed.
    printing: Option<String>,
    /// When somebody last did something.
    touched: Duration,
    now: Moment,
}

impl Kiosk {
    /// A kiosk that has heard nothing yet.
    #[must_use]
    pub fn new(policy: Policy, now: Moment) -> Self {
        Self {
            choices: policy.choices.clone(),
            policy,
            headset: false,
            station: None,
            known: BTreeMap::new(),
            current: None,
            place: Place::Main,
            self_test: SelfTest::Unasked,
            training: Training::default(),
            notice: None,
            printing: None,
            touched: now.elapsed,
            now,
        }
    }

    /// What a person chose.
    #[must_use]
    pub const fn choices(&self) -> &Choices {
        &self.choices
    }

    /// Which page is open.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Whether something of the session at this path may still be kept.
    #[must_use]
    pub fn knows(&self, path: &str) -> bool {
        self.known.contains_key(path)
    }

    /// The medium that has the screen: its name and size.
    #[must_use]
    pub fn medium(&self) -> Option<Text> {
        self.current().map(compose::name)
    }

    /// Somebody is there.
    pub const fn touch(&mut self) {
        self.touched = self.now.elapsed;
    }

    /// What is shown now.
    #[must_use]
    pub fn screen(&self) -> Screen {
        compose::screen(self)
    }

    /// Takes the time. Call it a few times a second.
    pub fn tick(&mut self, now: Moment) -> Vec<Order> {
        self.now = now;
        if self.left().is_some_and(|left| left.is_zero()) { self.leave() } else { Vec::new() }
    }

    /// Nothing is there, and nobody was for long.
    fn dark(&self) -> bool {
        let quiet = self.now.elapsed.saturating_sub(self.touched);
        self.current.is_none() && !self.policy.blank.is_zero() && quiet >= self.policy.blank
    }

    /// How long the screen stays; `None` while it stays by itself.
    fn left(&self) -> Option<Duration> {
        let current = self.current();
        let (since, limit) = match current.and_then(|known| known.gone) {
            Some(gone) => (gone.max(self.touched), self.policy.farewell),
            None if self.place != Place::Main => (self.touched, self.policy.quiet),
            None if current.is_none() && (self.notice.is_some() || self.choices != self.usual()) => {
                (self.touched, self.policy.quiet)
            }
            None => return None,
        };
        Some(limit.saturating_sub(self.now.elapsed.saturating_sub(since)))
    }

    /// Closes what stayed too long.
    fn leave(&mut self) -> Vec<Order> {
        self.touched = self.now.elapsed;
        self.close();
        let gone = self.current.clone().filter(|path| self.known.get(path).is_some_and(|known| known.gone.is_some()));
        let orders = gone.map(|path| self.forget(&path)).unwrap_or_default();
        if self.current.is_none() {
            self.choices = self.usual();
        }
        orders
    }

    /// What a person finds.
    fn usual(&self) -> Choices {
        let usual = self.policy.choices.clone();
        Choices { voice: usual.voice || self.headset, ..usual }
    }

    fn close(&mut self) {
        (self.place, self.notice) = (Place::Main, None);
        // One that is running goes on: another one could not begin.
        if self.self_test != SelfTest::Running {
            self.self_test = SelfTest::Unasked;
        }
    }

    /// Of a test that ended after its page was closed the next person is told nothing.
    fn tested(&mut self, result: SelfTest) {
        self.self_test = if self.place == Place::About { result } else { SelfTest::Unasked };
    }

    /// Nothing of this session remains.
    fn forget(&mut self, path: &str) -> Vec<Order> {
        let Some(known) = self.known.remove(path) else { return Vec::new() };
        if self.current.as_deref() == Some(path) {
            // Of others that are gone as well, nobody stands there any more.
            let there = self.known.iter().rfind(|(_, known)| known.gone.is_none());
            self.current = there.map(|(path, _)| path.clone());
            self.close();
        }
        let asked = known.report != ReportState::Unasked;
        if asked { vec![Order::Forget(path.to_owned())] } else { Vec::new() }
    }

    /// Takes what happened at the station.
    pub fn take(&mut self, event: Event) -> Vec<Order> {
        let before = self.current.clone();
        let orders = self.hear(event);
        if !self.has_reason() {
            self.place = Place::Main;
        }
        // What was said to one person is not for the next.
        if self.current != before {
            self.notice = None;
        }
        orders
    }

    /// Whether the page that is open still says something.
    fn has_reason(&self) -> bool {
        let of_medium = |is_so: fn(&Session) -> bool| self.current().is_some_and(|known| is_so(&known.session));
        match self.place {
            Place::Stop => of_medium(compose::can_stop),
            Place::Copy => of_medium(|session| session.copy.can),
            Place::Details => self.current.is_some(),
            Place::Training => compose::is_training(self),
            Place::Main | Place::Help | Place::About | Place::Settings => true,
        }
    }

    fn hear(&mut self, event: Event) -> Vec<Order> {
        match event {
            Event::Station(station) => return self.station(station),
            Event::Absent => {
                self.station = None;
                let paths: Vec<String> = self.known.keys().cloned().collect();
                return paths.iter().flat_map(|path| self.forget(path)).collect();
            }
            Event::Present(session) => return self.present(session),
            Event::Changed(session) if self.ends_a_copy(&session) => return self.copied(session),
            Event::Changed(session) => return self.session(session, false),
            Event::Concluded(session) => return self.session(session, true),
            Event::Copied(session) => return self.copied(session),
            Event::Training(training) => self.training = training,
            Event::Arrived(session) => {
                let mut orders = self.end_farewells();
                orders.extend(self.session(session, true));
                return orders;
            }
            Event::Forgotten(path) => return self.forgotten(&path),
            Event::Said(path, said) => self.about(&path, |known| known.said = said),
            Event::Report(path, report) => self.about(&path, |known| known.report = report),
            Event::SelfTest(result) => self.tested(result),
            Event::Printed(path, done) => self.printed(&path, done),
            Event::Headset(is_in) => {
                self.touch();
                self.headset = is_in;
                self.choices.voice = is_in;
            }
            Event::Released(path) => self.about(&path, |known| known.released = true),
            // Of a medium that has gone nobody is told what could not be done with it.
            Event::Failed(path) if path.is_some() && path != self.current => {}
            Event::Failed(_) => self.notice = Some(pages::ORDER_FAILED.into()),
        }
        Vec::new()
    }

    /// A training station is asked what it has as soon as it is there.
    fn station(&mut self, station: StationLine) -> Vec<Order> {
        let asks = station.simulated && self.training.media.is_empty();
        self.station = Some(station);
        if asks { vec![Order::Training] } else { Vec::new() }
    }

    /// The state changes a moment before the station says that copying is over: its result has the screen at once.
    fn ends_a_copy(&self, session: &Session) -> bool {
        let before = self.known.get(&session.path).map(|known| known.session.state.as_str());
        before == Some("copying") && session.state != "copying" && !session.copy.outcome.is_empty()
    }

    /// What came of copying stays on the screen of its medium until somebody has read it.
    fn copied(&mut self, session: Session) -> Vec<Order> {
        let path = session.path.clone();
        let orders = self.session(session, false);
        self.about(&path, |known| known.copied = !known.session.copy.outcome.is_empty());
        self.tell(&path);
        orders
    }

    /// Something became of a medium: its person sees it, whatever page they had opened. A list stays open.
    fn tell(&mut self, path: &str) {
        if self.current.as_deref() == Some(path) && self.place != Place::Details {
            self.touch();
            self.close();
        }
    }

    /// Whoever has gone is not told what became of their receipt, and the next person is not either.
    fn printed(&mut self, path: &str, done: bool) {
        self.printing = None;
        if self.current.as_deref() == Some(path) {
            self.notice = Some(if done { pages::RECEIPT_DONE } else { pages::RECEIPT_FAILED }.into());
        }
    }

    fn about(&mut self, path: &str, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.known.get_mut(path) {
            change(known);
        }
    }

    /// Media that are gone are for the person who is gone with them: whoever plugs something in ends that.
    fn end_farewells(&mut self) -> Vec<Order> {
        let gone = self.known.iter().filter(|(_, known)| known.gone.is_some());
        let gone: Vec<String> = gone.map(|(path, _)| path.clone()).collect();
        gone.iter().flat_map(|path| self.forget(path)).collect()
    }

    /// A screen that starts finds sessions in any order. Of media that are there the last one has the screen (paths hold UUIDs of
    /// version 7, RFC 9562 section 5.7); those that are gone count only where there is none.
    fn present(&mut self, session: Session) -> Vec<Order> {
        let mut orders = Vec::new();
        if session.state != "removed" {
            orders = self.end_farewells();
        } else if self.known.values().any(|known| known.gone.is_none()) {
            return orders;
        }
        let first = self.current.as_ref().is_none_or(|current| session.path > *current);
        let path = session.path.clone();
        orders.extend(self.session(session, first));
        // Its person knows it, and has read how long all of it will take.
        self.about(&path, |known| known.seen = None);
        orders
    }

    /// A session is there, changed, or has its result. `first`: it takes the screen.
    fn session(&mut self, session: Session, first: bool) -> Vec<Order> {
        // The bus says nothing of media on output ports; another version might.
        if session.role == "output" {
            return Vec::new();
        }
        let path = session.path.clone();
        let (elapsed, mut orders) = (self.now.elapsed, Vec::new());
        let known = self.known.entry(path.clone()).or_insert_with(|| Known {
            session: session.clone(),
            seen: Some(elapsed),
            concluded: None,
            gone: None,
            released: false,
            copied: false,
            said: BTreeMap::new(),
            report: ReportState::Unasked,
        });
        let before = (known.concluded, known.gone, known.session.pulled);
        let counted = known.session.estimate_seconds == 0 && session.estimate_seconds > 0;
        known.session = session;
        if counted && known.seen.is_some() {
            known.seen = Some(elapsed);
        }
        known.copied &= known.session.state != "copying";
        if !known.session.verdict.is_empty() {
            known.concluded.get_or_insert(elapsed);
        }
        if known.session.state == "removed" && known.gone.is_none() {
            known.gone = Some(elapsed);
        }
        let is_news = before != (known.concluded, known.gone, known.session.pulled);
        if known.session.verdict == "refused" && known.said.is_empty() {
            orders.push(Order::Words(path.clone()));
        }
        // Of a clean medium the report is read when somebody wants to see it.
        if known.session.verdict != "clean" {
            orders.extend(self.ask(&path));
        }
        if self.current.is_none() || first && !self.is_held_from(&path) {
            self.touched = elapsed;
            self.current = Some(path.clone());
            if self.place == Place::Stop {
                self.place = Place::Main;
            }
        }
        if is_news {
            self.tell(&path);
        }
        orders
    }

    /// Whether the screen stays with the present medium when there is news of this one.
    fn is_held_from(&self, path: &str) -> bool {
        let Some((now, news)) = self.current().zip(self.known.get(path)).filter(|(now, _)| now.session.path != path)
        else {
            return false;
        };
        // Somebody reads the list of that medium, or is about to have its files copied: not those of another.
        let is_open = matches!(self.place, Place::Details | Place::Copy);
        let socket = |known: &Known| (known.session.medium.port.clone(), known.session.medium.lun);
        let same_socket = !now.session.medium.port.is_empty() && socket(now) == socket(news);
        let is_replaced = news.gone.is_some() && now.session.path.as_str() > path && same_socket;
        is_open || is_replaced
    }

    /// Has the report of a session read, once.
    fn ask(&mut self, path: &str) -> Vec<Order> {
        let Some(known) = self.known.get_mut(path) else { return Vec::new() };
        if !known.session.has_report || known.report != ReportState::Unasked {
            return Vec::new();
        }
        known.report = ReportState::Reading(Summary::default());
        vec![Order::Report(path.to_owned())]
    }

    /// The bus forgets a medium a minute after it was removed; here its farewell decides.
    fn forgotten(&mut self, path: &str) -> Vec<Order> {
        if self.current.as_deref() != Some(path) {
            return self.forget(path);
        }
        let elapsed = self.now.elapsed;
        self.about(path, |known| {
            "removed".clone_into(&mut known.session.state);
            known.gone.get_or_insert(elapsed);
        });
        Vec::new()
    }

    fn current(&self) -> Option<&Known> {
        self.known.get(self.current.as_ref()?)
    }
}
