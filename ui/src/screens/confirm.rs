//! A question before something that cannot be taken back.

use super::screen;
use crate::catalog::Catalog;
use crate::model::screen::Statement;

screen! {
    /// See the module.
    Confirm, "KioskConfirm", "/org/blanche/Kiosk/confirm.ui", {}
}

impl Confirm {
    /// Shows it.
    pub fn show_page(&self, statement: &Statement, catalog: &Catalog) {
        self.panel().show_statement(statement, catalog);
    }
}
