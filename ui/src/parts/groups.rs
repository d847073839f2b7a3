//! Groups of choices, each under its name, or beside it where a screen has room in width and not in height.

use super::actions::{Act, Actions};
use super::lines;
use crate::catalog::Catalog;
use crate::model::screen::Choice;
use gtk::prelude::*;
use std::rc::Rc;

/// Pixels between a name and its choices, beside it and below it.
const BESIDE: i32 = 24;
const BELOW: i32 = 4;

struct Group {
    row: gtk::Box,
    name: gtk::Label,
    actions: Actions,
}

/// The groups that a page shows.
pub struct Groups {
    groups: Vec<Group>,
    /// Choices begin at one edge.
    names: gtk::SizeGroup,
    beside: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Self { groups: Vec::new(), names: gtk::SizeGroup::new(gtk::SizeGroupMode::Horizontal), beside: false }
    }
}

impl Groups {
    /// Shows `choices` in `holder`.
    pub fn show(&mut self, holder: &gtk::Box, choices: &[Choice], catalog: &Catalog, act: &Act) {
        while self.groups.len() < choices.len() {
            let group = Group::new(act);
            holder.append(&group.row);
            self.names.add_widget(&group.name);
            self.groups.push(group);
        }
        for group in self.groups.split_off(choices.len()) {
            self.names.remove_widget(&group.name);
            holder.remove(&group.row);
        }
        for (group, choice) in self.groups.iter().zip(choices) {
            group.name.set_text(&catalog.render(&choice.label));
            group.actions.show(&choice.buttons, Some(&choice.label), catalog);
        }
        self.set_beside(self.beside);
    }

    /// Names beside their choices, or above them.
    pub fn set_beside(&mut self, beside: bool) {
        self.beside = beside;
        let (orientation, spacing) =
            if beside { (gtk::Orientation::Horizontal, BESIDE) } else { (gtk::Orientation::Vertical, BELOW) };
        for group in &self.groups {
            group.row.set_orientation(orientation);
            group.row.set_spacing(spacing);
            // Beside its choices a name would be squeezed to its longest letter.
            group.name.set_wrap(!beside);
        }
    }
}

impl Group {
    fn new(act: &Act) -> Self {
        let row = gtk::Box::new(gtk::Orientation::Vertical, BELOW);
        let (name, actions) = (lines::label(""), Actions::new(Rc::clone(act)));
        actions.widget().set_hexpand(true);
        actions.widget().update_relation(&[gtk::accessible::Relation::LabelledBy(&[name.upcast_ref()])]);
        row.append(&name);
        row.append(actions.widget());
        Self { row, name, actions }
    }
}
