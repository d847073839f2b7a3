//! What a person asks for.

use super::screen::{Action, Place, ReportState};
use super::{Kiosk, Order, SelfTest, compose};
use crate::words::pages;

impl Kiosk {
    /// Does what a person asks for.
    pub fn act(&mut self, action: Action) -> Vec<Order> {
        self.touched = self.now.elapsed;
        self.notice = None;
        let current = self.current.clone();
        // Nothing is said of these: whoever acts has heard enough of what is being said (EN 301 549, 5.1.3.5).
        let looks =
            matches!(action, Action::Letters(_) | Action::NextLetters | Action::Colours(_) | Action::NextColours);
        match action {
            Action::Open(Place::Stop) if !self.current().is_some_and(|known| compose::can_stop(&known.session)) => {}
            Action::Open(place) => {
                self.place = place;
                if place == Place::Training {
                    return vec![Order::Training];
                }
                return current
                    .filter(|_| place == Place::Details)
                    .map(|path| self.ask_again(&path))
                    .unwrap_or_default();
            }
            Action::Back => self.back(current),
            Action::Stop => {
                self.close();
                return current.map(Order::Cancel).into_iter().collect();
            }
            Action::Done => return self.done(current),
            Action::Other => self.show_other(),
            Action::Keep => {}
            Action::Language(language) => self.choices.language = language,
            Action::NextLanguage => self.next_language(),
            Action::Letters(percent) => self.choices.letters = percent,
            Action::NextLetters => self.choices.letters = self.choices.next_letters(),
            Action::Colours(colours) => self.choices.colours = colours,
            Action::NextColours => self.choices.colours = self.choices.next_colours(),
            Action::Voice => self.choices.voice = !self.choices.voice,
            Action::Repeat => return vec![Order::Repeat],
            Action::Hush => return vec![Order::Hush],
            Action::Volume(by) => {
                let before = self.choices.volume;
                self.choices.change_volume(by);
                self.notice = self.choices.voice.then(|| compose::volume(&self.choices));
                // It cannot be louder, or softer: that is said at each press too.
                if self.notice.is_some() && self.choices.volume == before {
                    return vec![Order::Remind];
                }
            }
            Action::SelfTest => {
                self.self_test = SelfTest::Running;
                return vec![Order::SelfTest];
            }
            Action::Copy(output, erase) => {
                self.close();
                return current.map(|path| Order::Copy(path, output, erase)).into_iter().collect();
            }
            Action::Insert(kind) => {
                self.close();
                return vec![Order::Insert(kind)];
            }
            Action::PullOut(port) => {
                self.close();
                return vec![Order::PullOut(port)];
            }
            Action::Receipt => return self.receipt(current),
        }
        if looks && self.choices.voice { vec![Order::Hush] } else { Vec::new() }
    }

    /// The list of a medium: a report that could not be read is read from its beginning.
    fn ask_again(&mut self, path: &str) -> Vec<Order> {
        let mut orders = Vec::new();
        self.about(path, |known| {
            if known.report == ReportState::Failed {
                known.report = ReportState::Unasked;
                orders.push(Order::Forget(path.to_owned()));
            }
        });
        orders.extend(self.ask(path));
        orders
    }

    /// From a page to the medium; on its own page, from what came of copying to its result.
    fn back(&mut self, current: Option<String>) {
        if self.place == Place::Main
            && let Some(path) = current
        {
            self.about(&path, |known| known.copied = false);
        }
        self.close();
    }

    /// One receipt after the other: a printer that does not answer holds up a thread and no more.
    fn receipt(&mut self, current: Option<String>) -> Vec<Order> {
        let Some(path) = current.filter(|_| self.policy.receipts) else { return Vec::new() };
        let another = self.printing.as_ref().is_some_and(|printing| *printing != path);
        self.notice = Some(if another { pages::ORDER_FAILED } else { pages::RECEIPT_RUNNING }.into());
        if self.printing.is_some() {
            return Vec::new();
        }
        self.printing = Some(path.clone());
        vec![Order::Receipt(path)]
    }

    fn next_language(&mut self) {
        let languages = || self.policy.languages.iter().map(|(language, _)| language);
        let behind = languages().skip_while(|language| **language != self.choices.language).nth(1);
        if let Some(language) = behind.or_else(|| languages().next()) {
            self.choices.language.clone_from(language);
        }
    }

    /// The person is done: the medium is let go, or nothing of it remains.
    fn done(&mut self, current: Option<String>) -> Vec<Order> {
        self.close();
        let Some((path, known)) = current.and_then(|path| Some((path.clone(), self.known.get(&path)?))) else {
            return Vec::new();
        };
        match known.session.state.as_str() {
            "verdict" => vec![Order::Eject(path)],
            "removed" => self.leave(),
            _ => Vec::new(),
        }
    }

    /// The session behind the present one, round and round.
    fn show_other(&mut self) {
        let Some(next) = self.next_other() else { return };
        self.current = Some(next.to_owned());
        self.close();
    }

    pub(super) fn next_other(&self) -> Option<&str> {
        let current = self.current.as_deref()?;
        let mut paths = self.known.keys().map(String::as_str);
        let behind = paths.clone().find(|path| *path > current);
        behind.or_else(|| paths.next().filter(|path| *path != current))
    }
}
