//! A row of buttons, as many lines as it needs.

use super::wrap::WrapLayout;
use crate::catalog::Catalog;
use crate::model::screen::{Action, Button, Weight};
use crate::words::{Text, pages, screens};
use gtk::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

/// What buttons do when they are pressed. GTK presses them when a finger or a button of the mouse is lifted inside (EN 301 549, 11.2.5.2).
pub type Act = Rc<dyn Fn(Action)>;

/// See the module.
pub struct Actions {
    holder: gtk::Box,
    shown: RefCell<Vec<(Action, gtk::Button)>>,
    act: Act,
}

impl Actions {
    /// An empty row.
    #[must_use]
    pub fn new(act: Act) -> Self {
        let holder = gtk::Box::builder().accessible_role(gtk::AccessibleRole::Group).build();
        holder.set_layout_manager(Some(WrapLayout::default()));
        holder.add_css_class("actions");
        Self { holder, shown: RefCell::default(), act }
    }

    /// The row itself.
    #[must_use]
    pub const fn widget(&self) -> &gtk::Box {
        &self.holder
    }

    /// Shows these buttons; those that were there already stay, with their focus. `of`: what is chosen between them, if anything.
    pub fn show(&self, buttons: &[Button], of: Option<&Text>, catalog: &Catalog) {
        let mut before = std::mem::take(&mut *self.shown.borrow_mut());
        let mut now: Vec<(Action, gtk::Button)> = Vec::new();
        for button in buttons {
            let known = before.iter().position(|(action, _)| *action == button.action);
            let widget = known.map_or_else(|| self.make(&button.action), |at| before.remove(at).1);
            dress(&widget, button, of, catalog);
            self.holder.reorder_child_after(&widget, now.last().map(|(_, last)| last));
            now.push((button.action.clone(), widget));
        }
        for (_, gone) in before {
            self.holder.remove(&gone);
        }
        self.holder.set_visible(!now.is_empty());
        *self.shown.borrow_mut() = now;
    }

    fn make(&self, action: &Action) -> gtk::Button {
        let widget = plain_button();
        let (act, action) = (Rc::clone(&self.act), action.clone());
        widget.connect_clicked(move |_| act(action.clone()));
        self.holder.append(&widget);
        widget
    }
}

/// A button whose label breaks its lines.
fn plain_button() -> gtk::Button {
    gtk::Button::builder().child(&button_label()).build()
}

/// The label of a button: it breaks its lines.
#[must_use]
pub fn button_label() -> gtk::Label {
    let label = super::lines::label("");
    // Between words only: a button is as wide as its longest word.
    label.set_wrap_mode(gtk::pango::WrapMode::Word);
    label.set_xalign(0.5);
    label.set_justify(gtk::Justification::Center);
    label
}

/// What stands on a button, and what readers for the blind call it.
pub fn name_button(widget: &gtk::Button, text: &str, name: &str) {
    if let Some(label) = widget.child().and_downcast::<gtk::Label>().filter(|label| label.text() != text) {
        label.set_text(text);
    }
    widget.update_property(&[gtk::accessible::Property::Label(name)]);
    widget.set_widget_name(name);
}

fn dress(widget: &gtk::Button, button: &Button, of: Option<&Text>, catalog: &Catalog) {
    let text = catalog.render(&button.label);
    let chosen = button.chosen == Some(true);
    let mut name = button.label.clone();
    if chosen {
        name = pages::CHOSEN.with([("choice", name)]);
    }
    // One of several choices says which of them it is.
    if let Some(label) = of.filter(|_| button.chosen.is_some()) {
        name = screens::FACT_LINE.with([("label", label.clone()), ("value", name)]);
        let pressed = if chosen { gtk::AccessibleTristate::True } else { gtk::AccessibleTristate::False };
        widget.update_state(&[gtk::accessible::State::Pressed(pressed)]);
    }
    let name = catalog.render(&name);
    // Not by colour alone.
    let shown = if chosen { format!("✓\u{A0}{text}") } else { text };
    name_button(widget, &shown, &name);
    for (class, is_so) in
        [("main", button.weight == Weight::Main), ("grave", button.weight == Weight::Grave), ("chosen", chosen)]
    {
        if is_so {
            widget.add_css_class(class);
        } else {
            widget.remove_css_class(class);
        }
    }
}
