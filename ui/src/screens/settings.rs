//! Reading comfort: language, letters, colours, voice.

use super::screen;
use crate::catalog::Catalog;
use crate::model::screen::Choice;
use crate::parts::actions::Act;
use crate::parts::groups::Groups;
use crate::words::Text;
use gtk::subclass::prelude::*;

screen! {
    /// See the module.
    Settings, "KioskSettings", "/org/blanche/Kiosk/settings.ui", { groups: gtk::Box }
}

impl Settings {
    /// Shows it. `groups`: what this page shows already.
    pub fn show_page(&self, title: &Text, choices: &[Choice], catalog: &Catalog, groups: &mut Groups, act: &Act) {
        self.panel().show_heading(&catalog.render(title), &[]);
        groups.show(&self.imp().groups, choices, catalog, act);
    }
}
