//! Two buttons that scroll a page: everything works with one finger that only taps, and with keys (EN 301 549, 11.2.5.1). A scroll bar would be
//! too small for a finger, and takes room from the page at the moment at which it appears.

use gtk::glib;
use gtk::prelude::*;
use std::time::Duration;

/// How much of a page a tap moves: some lines stay, so that nobody loses their place.
const PART: f64 = 0.8;
/// After this time a page has its size.
const SETTLED: Duration = Duration::from_millis(120);

/// Lets `up` and `down` scroll what `scroller` shows, and shows `holder` with both as long as there is something to be scrolled.
pub fn connect(scroller: &gtk::ScrolledWindow, holder: &gtk::Box, up: &gtk::Button, down: &gtk::Button) {
    let adjustment = scroller.vadjustment();
    for (button, part) in [(up, -PART), (down, PART)] {
        let adjustment = adjustment.downgrade();
        button.connect_clicked(move |_| {
            if let Some(adjustment) = adjustment.upgrade() {
                adjustment.set_value(adjustment.value() + adjustment.page_size() * part);
            }
        });
    }
    let (holder, scroller) = (holder.downgrade(), scroller.downgrade());
    adjustment.connect_changed(move |_| {
        if let (Some(holder), Some(scroller)) = (holder.upgrade(), scroller.upgrade())
            && scroller.is_mapped()
        {
            later(&scroller, &holder, Duration::ZERO);
        }
    });
}

/// Another page: it begins at its top, whatever the focus scrolled to while it had no size yet; the buttons go, and come again if it is
/// too long as well.
pub fn again(scroller: &gtk::ScrolledWindow, holder: &gtk::Box) {
    holder.set_visible(false);
    later(scroller, holder, SETTLED);
    let adjustment = scroller.vadjustment().downgrade();
    glib::timeout_add_local_once(SETTLED, move || {
        if let Some(adjustment) = adjustment.upgrade() {
            adjustment.set_value(0.0);
        }
    });
}

/// Not while sizes are being given. The buttons do not go while one of them has the focus.
fn later(scroller: &gtk::ScrolledWindow, holder: &gtk::Box, delay: Duration) {
    let (holder, scroller) = (holder.downgrade(), scroller.downgrade());
    glib::timeout_add_local_once(delay, move || {
        if let (Some(holder), Some(scroller)) = (holder.upgrade(), scroller.upgrade()) {
            let needed = overflows(&scroller);
            if needed || holder.focus_child().is_none() {
                holder.set_visible(needed);
            }
        }
    });
}

/// Whether a page is too long when nothing stands beside it: with the buttons it is narrower, hence longer, and would keep them.
fn overflows(scroller: &gtk::ScrolledWindow) -> bool {
    let page = scroller.child().and_downcast::<gtk::Viewport>().and_then(|view| view.child());
    match page.zip(scroller.parent()) {
        Some((page, around)) => {
            // The least: a picture would like to be as high as the page is wide.
            let (height, ..) = page.measure(gtk::Orientation::Vertical, around.width());
            height > scroller.height()
        }
        // A list knows how long it is.
        None => scroller.vadjustment().upper() > scroller.vadjustment().page_size() + 1.0,
    }
}
