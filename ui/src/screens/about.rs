//! What the station is, how old its lists of viruses are, and whether its antivirus finds what it must.

use super::{facts, screen};
use crate::catalog::Catalog;
use crate::model::screen::Fact;
use crate::words::Text;

screen! {
    /// See the module.
    About, "KioskAbout", "/org/blanche/Kiosk/about.ui", {}
}

impl About {
    /// Shows it.
    pub fn show_page(&self, title: &Text, about: &[Fact], catalog: &Catalog) {
        self.panel().show_heading(&catalog.render(title), &facts(about, catalog));
    }
}
