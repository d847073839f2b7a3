//! A layout like text: children one after the other, as many in a line as fit. GtkFlowBox would put a focusable frame around each.

use super::children;
use gtk::glib;
use gtk::prelude::*;
use gtk::subclass::prelude::*;

/// Pixels between children and between lines.
const SPACING: i32 = 16;

mod imp {
    use super::*;

    #[derive(Debug, Default)]
    pub struct WrapLayout;

    #[glib::object_subclass]
    impl ObjectSubclass for WrapLayout {
        const NAME: &'static str = "KioskWrapLayout";
        type Type = super::WrapLayout;
        type ParentType = gtk::LayoutManager;
    }

    impl ObjectImpl for WrapLayout {}

    impl LayoutManagerImpl for WrapLayout {
        fn request_mode(&self, _: &gtk::Widget) -> gtk::SizeRequestMode {
            gtk::SizeRequestMode::HeightForWidth
        }

        fn measure(&self, widget: &gtk::Widget, orientation: gtk::Orientation, for_size: i32) -> (i32, i32, i32, i32) {
            let children = children(widget);
            if orientation == gtk::Orientation::Horizontal {
                let sizes = children.iter().map(|child| child.measure(orientation, -1));
                let (mut minimum, mut natural) = (0, 0);
                for (least, wanted, ..) in sizes {
                    minimum = minimum.max(least);
                    natural += if natural > 0 { wanted + SPACING } else { wanted };
                }
                return (minimum, natural.max(minimum), -1, -1);
            }
            let width = if for_size < 0 { i32::MAX } else { for_size };
            let height = places(&children, width).iter().map(|place| place.y + place.height).max().unwrap_or(0);
            (height, height, -1, -1)
        }

        fn allocate(&self, widget: &gtk::Widget, width: i32, _height: i32, _baseline: i32) {
            let children = children(widget);
            let mirrored = widget.direction() == gtk::TextDirection::Rtl;
            for (child, place) in children.iter().zip(places(&children, width)) {
                let x = if mirrored { width - place.x - place.width } else { place.x };
                child.size_allocate(&gtk::Allocation::new(x, place.y, place.width, place.height), -1);
            }
        }
    }
}

glib::wrapper! {
    /// See the module.
    pub struct WrapLayout(ObjectSubclass<imp::WrapLayout>) @extends gtk::LayoutManager;
}

impl Default for WrapLayout {
    fn default() -> Self {
        glib::Object::new()
    }
}

struct PlaceOf {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

/// Where each child goes within `width`; all of one line are as high as the highest.
fn places(children: &[gtk::Widget], width: i32) -> Vec<PlaceOf> {
    let mut places: Vec<PlaceOf> = Vec::new();
    let (mut x, mut y, mut high, mut first) = (0, 0, 0, 0);
    for child in children {
        let (least, wanted, ..) = child.measure(gtk::Orientation::Horizontal, -1);
        let wide = wanted.min(width).max(least);
        if x > 0 && x + SPACING + wide > width {
            level(&mut places, first, high);
            (x, y, high, first) = (0, y + high + SPACING, 0, places.len());
        }
        let left = if x > 0 { x + SPACING } else { 0 };
        let (_, height, ..) = child.measure(gtk::Orientation::Vertical, wide);
        places.push(PlaceOf { x: left, y, width: wide, height });
        (x, high) = (left + wide, high.max(height));
    }
    level(&mut places, first, high);
    places
}

fn level(places: &mut [PlaceOf], first: usize, high: i32) {
    for place in places.iter_mut().skip(first) {
        place.height = high;
    }
}
