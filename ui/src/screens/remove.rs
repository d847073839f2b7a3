//! The medium is gone: its result once more, or that it was too early.

use super::screen;
use crate::catalog::Catalog;
use crate::model::screen::Statement;

screen! {
    /// See the module.
    Remove, "KioskRemove", "/org/blanche/Kiosk/remove.ui", {}
}

impl Remove {
    /// Shows it.
    pub fn show_page(&self, statement: &Statement, catalog: &Catalog) {
        self.panel().show_statement(statement, catalog);
    }
}
