//! The rows of a report as a list of GTK. A row becomes an object when it is looked at, and only then: a hundred thousand rows cost what
//! they hold and nothing more.

use crate::report::Row;
use gtk::prelude::*;
use gtk::subclass::prelude::*;
use gtk::{gio, glib};
use std::cell::RefCell;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct RowObject {
        pub row: RefCell<Option<Row>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RowObject {
        const NAME: &'static str = "KioskRow";
        type Type = super::RowObject;
    }

    impl ObjectImpl for RowObject {}

    #[derive(Debug, Default)]
    pub struct RowList {
        pub rows: RefCell<Vec<Row>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for RowList {
        const NAME: &'static str = "KioskRowList";
        type Type = super::RowList;
        type Interfaces = (gio::ListModel,);
    }

    impl ObjectImpl for RowList {}

    impl ListModelImpl for RowList {
        fn item_type(&self) -> glib::Type {
            super::RowObject::static_type()
        }

        fn n_items(&self) -> u32 {
            u32::try_from(self.rows.borrow().len()).unwrap_or(u32::MAX)
        }

        fn item(&self, position: u32) -> Option<glib::Object> {
            let row = self.rows.borrow().get(usize::try_from(position).ok()?)?.clone();
            let object: super::RowObject = glib::Object::new();
            object.imp().row.replace(Some(row));
            Some(object.upcast())
        }
    }
}

glib::wrapper! {
    /// One row.
    pub struct RowObject(ObjectSubclass<imp::RowObject>);
}

impl RowObject {
    /// The row.
    #[must_use]
    pub fn row(&self) -> Option<Row> {
        self.imp().row.borrow().clone()
    }
}

glib::wrapper! {
    /// See the module.
    pub struct RowList(ObjectSubclass<imp::RowList>) @implements gio::ListModel;
}

impl Default for RowList {
    fn default() -> Self {
        glib::Object::new()
    }
}

impl RowList {
    /// Adds rows at the end.
    pub fn extend(&self, rows: Vec<Row>) {
        let before = self.imp().n_items();
        self.imp().rows.borrow_mut().extend(rows);
        self.items_changed(before, 0, self.imp().n_items().saturating_sub(before));
    }

    /// Nothing of them remains.
    pub fn clear(&self) {
        let before = self.imp().n_items();
        self.imp().rows.replace(Vec::new());
        self.items_changed(0, before, 0);
    }
}
