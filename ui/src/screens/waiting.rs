//! Nothing is plugged in: what to do, and how old the lists of viruses are.

use super::screen;
use crate::catalog::Catalog;
use crate::model::screen::Statement;

screen! {
    /// See the module.
    Waiting, "KioskWaiting", "/org/blanche/Kiosk/waiting.ui", {}
}

impl Waiting {
    /// Shows it.
    pub fn show_page(&self, statement: &Statement, catalog: &Catalog) {
        self.panel().show_statement(statement, catalog);
    }
}
