//! The pages of the window: what each says, and how one follows another.

use super::KioskWindow;
use crate::catalog::Catalog;
use crate::model::screen::Page;
use crate::parts::statement::StatementView;
use crate::scrolling;
use gtk::prelude::*;
use gtk::subclass::prelude::*;
use std::time::{Duration, Instant};

/// Words of a check that goes on change no more often: each change is news to a reader for the blind.
const CALM: Duration = Duration::from_millis(900);
/// Counters follow as quickly as they can be read. The bar of a large medium takes longer for a pixel: these show that it goes on.
const COUNTING: Duration = Duration::from_millis(240);
/// The square code, in sizes of a letter: beside a title, and on a screen that has room below the words.
const CODE: f64 = 4.2;
const CODE_BELOW: f64 = 6.0;

impl KioskWindow {
    /// Whether words of the page were held back because others were written a moment ago: they are to be shown again.
    pub fn is_behind(&self) -> bool {
        self.imp().behind.get()
    }

    /// Writes what the page says. `fresh`: it was another page before.
    pub(super) fn fill(&self, page: &Page, catalog: &Catalog, fresh: bool) {
        let view = self.imp();
        view.behind.set(false);
        match page {
            Page::Waiting(statement) => view.waiting.show_page(statement, catalog),
            Page::Seen(statement, facts) => view.seen.show_page(statement, facts, catalog),
            Page::Checking(statement, bar, lines) => {
                view.checking.show_bar(bar, catalog);
                let mut behind = false;
                if fresh || view.calm_since.get().is_none_or(|since| since.elapsed() >= CALM) {
                    view.calm_since.set(Some(Instant::now()));
                    view.checking.show_statement(statement, catalog);
                } else {
                    behind = true;
                }
                if fresh || view.counted_at.get().is_none_or(|at| at.elapsed() >= COUNTING) {
                    view.counted_at.set(Some(Instant::now()));
                    view.checking.show_lines(lines, catalog);
                } else {
                    behind = true;
                }
                view.behind.set(behind);
            }
            Page::Verdict(statement, reference) => {
                let ((pixels, _), (width, height)) = (view.letters.get(), view.size.get());
                let sizes = if height > width { CODE_BELOW } else { CODE };
                // A letter has some hundred pixels at most: nothing is lost.
                let side = (pixels * sizes) as usize;
                view.verdict.show_page(statement, reference, catalog, side);
            }
            Page::Remove(statement) => view.remove.show_page(statement, catalog),
            Page::Trouble(statement, facts) => view.trouble.show_page(statement, facts, catalog),
            Page::Confirm(statement) => view.confirm.show_page(statement, catalog),
            Page::Details(details) => view.details.show_page(details, catalog),
            Page::Help(title, sentences) => view.help.show_page(title, sentences, catalog),
            Page::About(title, facts) => view.about.show_page(title, facts, catalog),
            Page::Copy(statement) => view.copy.show_page(statement, catalog),
            Page::Settings(title, choices) => {
                let Some(act) = view.act.get() else { return };
                view.settings.show_page(title, choices, catalog, &mut view.groups.borrow_mut(), act);
            }
            Page::Training(title, choices) => {
                let Some(act) = view.act.get() else { return };
                view.training.show_page(title, choices, catalog, &mut view.made_up.borrow_mut(), act);
            }
        }
    }

    /// The pages by their names, with what takes the focus.
    pub(super) fn pages(&self) -> [(&'static str, gtk::Widget, StatementView); 13] {
        let view = self.imp();
        macro_rules! page {
            ($name:literal, $page:expr) => {
                ($name, $page.get().upcast(), $page.panel())
            };
        }
        [
            page!("waiting", view.waiting),
            page!("seen", view.seen),
            page!("checking", view.checking),
            page!("verdict", view.verdict),
            page!("remove", view.remove),
            page!("trouble", view.trouble),
            page!("confirm", view.confirm),
            page!("help", view.help),
            page!("about", view.about),
            page!("copy", view.copy),
            page!("training", view.training),
            page!("settings", view.settings),
            page!("details", view.details),
        ]
    }

    /// Shows a page, gives it the focus, then hides the one before.
    pub(super) fn turn_to(&self, name: &str) {
        let view = self.imp();
        view.scroller.set_visible(name != "details");
        for scroller in [view.scroller.get(), view.details.scroller()] {
            scroller.vadjustment().set_value(0.0);
        }
        let pages = self.pages();
        if let Some((_, page, panel)) = pages.iter().find(|(known, ..)| *known == name) {
            page.set_visible(true);
            panel.grab_focus();
            self.mend_ways();
        }
        for (_, page, panel) in pages.iter().filter(|(known, ..)| *known != name) {
            page.set_visible(false);
            panel.forget();
        }
        if name != "verdict" {
            view.verdict.forget();
        }
        let scroller = if name == "details" { view.details.scroller() } else { view.scroller.get() };
        scrolling::again(&scroller, &view.scrolling);
    }

    /// Gives the focus to the page that is shown.
    pub(super) fn focus_page(&self) {
        if let Some((.., panel)) = self.pages().iter().find(|(_, page, _)| page.is_visible()) {
            panel.grab_focus();
        }
    }
}

pub(super) fn title(page: &Page) -> &crate::words::Text {
    match page {
        Page::Waiting(statement)
        | Page::Seen(statement, _)
        | Page::Checking(statement, ..)
        | Page::Verdict(statement, _)
        | Page::Remove(statement)
        | Page::Trouble(statement, _)
        | Page::Copy(statement)
        | Page::Confirm(statement) => &statement.title,
        Page::Details(details) => &details.title,
        Page::Help(title, _) | Page::About(title, _) | Page::Settings(title, _) | Page::Training(title, _) => title,
    }
}
