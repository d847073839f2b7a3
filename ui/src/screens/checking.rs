//! A medium is checked: one big bar, its number beside it, what is left.

use super::{rendered, screen};
use crate::catalog::Catalog;
use crate::model::screen::{Bar, Statement};
use crate::parts::lines;
use crate::words::Text;
use gtk::prelude::*;
use gtk::subclass::prelude::*;

screen! {
    /// See the module.
    Checking, "KioskChecking", "/org/blanche/Kiosk/checking.ui", {
        gauge: gtk::Box,
        bar: gtk::ProgressBar,
        percent: gtk::Label,
        lines: gtk::Box,
    }
}

impl Checking {
    /// Shows the bar, which moves with every word of the station.
    pub fn show_bar(&self, bar: &Bar, catalog: &Catalog) {
        let (view, percent) = (self.imp(), catalog.render(&bar.percent));
        view.bar.set_fraction(f64::from(bar.done) / 1000.0);
        if view.percent.text() != percent {
            view.percent.set_text(&percent);
            let name = catalog.render(&bar.name);
            let properties = [gtk::accessible::Property::Label(&name), gtk::accessible::Property::ValueText(&percent)];
            view.bar.update_property(&properties);
        }
    }

    /// The bar above the words, where they leave no room below them, or below them.
    pub fn set_bar_first(&self, first: bool) {
        let panel = self.panel();
        self.reorder_child_after(&self.imp().gauge.get(), (!first).then_some(&panel));
    }

    /// Shows the words, which change more slowly: each change is news to a reader for the blind.
    pub fn show_statement(&self, statement: &Statement, catalog: &Catalog) {
        self.panel().show_statement(statement, catalog);
    }

    /// Shows what is counted.
    pub fn show_lines(&self, counted: &[Text], catalog: &Catalog) {
        lines::fill(&self.imp().lines, &rendered(counted, catalog));
    }
}
