//! Widgets that several screens are made of.

pub mod actions;
pub mod column;
pub mod groups;
pub mod lines;
pub mod rows;
pub mod square;
pub mod statement;
pub mod wrap;

use gtk::prelude::*;

/// Makes the types known that layouts name.
pub fn ensure_types() {
    column::Column::ensure_type();
    statement::StatementView::ensure_type();
}

/// The children of a widget that have a place.
pub(crate) fn children(widget: &gtk::Widget) -> Vec<gtk::Widget> {
    let mut children = Vec::new();
    let mut next = widget.first_child();
    while let Some(child) = next {
        next = child.next_sibling();
        if child.should_layout() {
            children.push(child);
        }
    }
    children
}
