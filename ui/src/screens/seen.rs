//! A medium was just plugged in: which, and how long it will take, before it begins.

use super::{facts, screen};
use crate::catalog::Catalog;
use crate::model::screen::{Fact, Statement};

screen! {
    /// See the module.
    Seen, "KioskSeen", "/org/blanche/Kiosk/seen.ui", {}
}

impl Seen {
    /// Shows it.
    pub fn show_page(&self, statement: &Statement, about: &[Fact], catalog: &Catalog) {
        self.panel().show_statement(statement, catalog);
        self.panel().show_more(&facts(about, catalog));
    }
}
