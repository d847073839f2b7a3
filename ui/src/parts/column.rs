//! A layout with one child below the other, which always asks for its height once its width is known.
//!
//! A GtkBox does so only while one of its children does, and GTK 4.8 remembers that from when the box was empty and hidden: lines that
//! are added before it is shown would then be as high as if they had all the width in the world.

use gtk::glib;
use gtk::prelude::*;
use gtk::subclass::prelude::*;

/// Pixels between children.
const SPACING: i32 = 4;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct Column;

    #[glib::object_subclass]
    impl ObjectSubclass for Column {
        const NAME: &'static str = "KioskColumn";
        type Type = super::Column;
        type ParentType = gtk::LayoutManager;
    }

    impl ObjectImpl for Column {}

    impl LayoutManagerImpl for Column {
        fn request_mode(&self, _: &gtk::Widget) -> gtk::SizeRequestMode {
            gtk::SizeRequestMode::HeightForWidth
        }

        fn measure(&self, widget: &gtk::Widget, orientation: gtk::Orientation, for_size: i32) -> (i32, i32, i32, i32) {
            let sizes = crate::parts::children(widget).into_iter().map(|child| child.measure(orientation, for_size));
            let (mut minimum, mut natural, mut between) = (0, 0, 0);
            for (least, wanted, ..) in sizes {
                if orientation == gtk::Orientation::Horizontal {
                    (minimum, natural) = (least.max(minimum), wanted.max(natural));
                } else {
                    (minimum, natural) = (minimum + between + least, natural + between + wanted);
                    between = SPACING;
                }
            }
            (minimum, natural, -1, -1)
        }

        fn allocate(&self, widget: &gtk::Widget, width: i32, _height: i32, _baseline: i32) {
            let mut top = 0;
            for child in crate::parts::children(widget) {
                let (_, height, ..) = child.measure(gtk::Orientation::Vertical, width);
                child.size_allocate(&gtk::Allocation::new(0, top, width, height), -1);
                top += height + SPACING;
            }
        }
    }
}

glib::wrapper! {
    /// See the module.
    pub struct Column(ObjectSubclass<imp::Column>) @extends gtk::LayoutManager;
}
