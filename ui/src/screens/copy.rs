//! Copying the files to a medium of the station: the offer, and what came of it.

use super::screen;
use crate::catalog::Catalog;
use crate::model::screen::Statement;

screen! {
    /// See the module.
    Copy, "KioskCopy", "/org/blanche/Kiosk/copy.ui", {}
}

impl Copy {
    /// Shows it.
    pub fn show_page(&self, statement: &Statement, catalog: &Catalog) {
        self.panel().show_statement(statement, catalog);
    }
}
