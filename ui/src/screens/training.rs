//! Made-up media that can be plugged in and pulled out, of a training station only.

use super::screen;
use crate::catalog::Catalog;
use crate::model::screen::Choice;
use crate::parts::actions::Act;
use crate::parts::groups::Groups;
use crate::words::Text;
use gtk::subclass::prelude::*;

screen! {
    /// See the module.
    Training, "KioskTraining", "/org/blanche/Kiosk/training.ui", { groups: gtk::Box }
}

impl Training {
    /// Shows it. `groups`: what this page shows already.
    pub fn show_page(&self, title: &Text, choices: &[Choice], catalog: &Catalog, groups: &mut Groups, act: &Act) {
        self.panel().show_heading(&catalog.render(title), &[]);
        groups.show(&self.imp().groups, choices, catalog, act);
    }
}
