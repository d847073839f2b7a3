//! What was found and left out: a list that stays quick with a hundred thousand rows, because only those that are seen are widgets.

use super::screen;
use crate::catalog::Catalog;
use crate::model::row_texts;
use crate::model::screen::Details as About;
use crate::parts::lines;
use crate::parts::rows::{RowList, RowObject};
use crate::words::pages;
use gtk::prelude::*;
use gtk::subclass::prelude::*;
use std::rc::Rc;

screen! {
    /// See the module.
    Details, "KioskDetails", "/org/blanche/Kiosk/details.ui", {
        scroller: gtk::ScrolledWindow,
        list: gtk::ListView,
    }
}

impl Details {
    /// Shows the heading, and the list where there is one.
    pub fn show_page(&self, details: &About, catalog: &Catalog) {
        let lines: Vec<String> =
            details.whose.iter().chain([&details.status]).map(|line| catalog.render(line)).collect();
        self.panel().show_heading(&catalog.render(&details.title), &lines);
        self.imp().scroller.set_visible(details.session.is_some());
        let name = catalog.render(&pages::DETAILS_LIST.into());
        self.imp().list.update_property(&[gtk::accessible::Property::Label(&name)]);
    }

    /// Which rows, in which language.
    pub fn set_rows(&self, rows: &RowList, catalog: &Rc<Catalog>) {
        let list = self.imp().list.get();
        list.set_factory(Some(&factory(Rc::clone(catalog))));
        list.set_model(Some(&gtk::NoSelection::new(Some(rows.clone()))));
    }

    /// What scrolls the list.
    #[must_use]
    pub fn scroller(&self) -> gtk::ScrolledWindow {
        self.imp().scroller.get()
    }
}

/// Makes widgets for the rows that are seen, and says what stands on them.
fn factory(catalog: Rc<Catalog>) -> gtk::SignalListItemFactory {
    let factory = gtk::SignalListItemFactory::new();
    factory.connect_setup(|_, item| {
        if let Some(item) = item.downcast_ref::<gtk::ListItem>() {
            item.set_child(Some(&gtk::Box::new(gtk::Orientation::Vertical, 4)));
        }
    });
    factory.connect_bind(move |_, item| {
        let Some(item) = item.downcast_ref::<gtk::ListItem>() else { return };
        let row = item.item().and_downcast::<RowObject>().and_then(|object| object.row());
        let (Some(row), Some(holder)) = (row, item.child().and_downcast::<gtk::Box>()) else { return };
        let texts = super::rendered(&row_texts(&row), &catalog);
        lines::fill(&holder, &texts);
        name_row(&holder, &texts.join(". "));
    });
    factory.connect_unbind(|_, item| {
        let holder = item.downcast_ref::<gtk::ListItem>().and_then(|item| item.child().and_downcast::<gtk::Box>());
        if let Some(holder) = holder {
            lines::fill(&holder, &[]);
            name_row(&holder, "");
        }
    });
    factory
}

/// GTK 4.8 gives the item of a list no name of its own: this one is spoken when the item has the focus.
fn name_row(holder: &gtk::Box, name: &str) {
    if let Some(item) = holder.parent() {
        item.update_property(&[gtk::accessible::Property::Label(name)]);
        item.set_widget_name(name);
    }
}
