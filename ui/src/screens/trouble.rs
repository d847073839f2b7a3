//! The station is at fault: a sentence for the person, a code for staff.

use super::{facts, screen};
use crate::catalog::Catalog;
use crate::model::screen::{Fact, Statement};

screen! {
    /// See the module.
    Trouble, "KioskTrouble", "/org/blanche/Kiosk/trouble.ui", {}
}

impl Trouble {
    /// Shows it.
    pub fn show_page(&self, statement: &Statement, about: &[Fact], catalog: &Catalog) {
        self.panel().show_statement(statement, catalog);
        self.panel().show_more(&facts(about, catalog));
    }
}
