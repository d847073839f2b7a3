//! How the station is used.

use super::{rendered, screen};
use crate::catalog::Catalog;
use crate::words::Text;

screen! {
    /// See the module.
    Help, "KioskHelp", "/org/blanche/Kiosk/help.ui", {}
}

impl Help {
    /// Shows it.
    pub fn show_page(&self, title: &Text, sentences: &[Text], catalog: &Catalog) {
        self.panel().show_heading(&catalog.render(title), &rendered(sentences, catalog));
    }
}
