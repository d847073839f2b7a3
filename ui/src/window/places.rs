//! Where the parts of the window stand: beside or below each other, around the page or at its end, as there is room.

use super::KioskWindow;
use crate::scrolling;
use gtk::prelude::*;
use gtk::subclass::prelude::*;

/// Letters of this size or more leave no room beside them.
const LARGE: u16 = 150;

impl KioskWindow {
    /// Puts things beside or below each other, as there is room.
    pub(super) fn arrange(&self) {
        let view = self.imp();
        let (large, tall) = (self.is_large(), self.is_tall());
        for (name, _, panel) in self.pages() {
            panel.set_upright(tall || name == "waiting");
        }
        // Beside large buttons or a logo there is no room for a name; the window's title still says it.
        let is_named = !large && !view.logo.get_visible();
        view.brand.set_visible(is_named);
        view.comfort.set_hexpand(!is_named);
        // Its line and its button would leave each other no width.
        let strip = if large { gtk::Orientation::Vertical } else { gtk::Orientation::Horizontal };
        for part in [&view.banner, &view.other, &view.warning] {
            part.set_orientation(strip);
        }
        for (class, is_so) in [("large", large), ("tall", tall && !large), ("upright", tall)] {
            if is_so { self.add_css_class(class) } else { self.remove_css_class(class) }
        }
        view.verdict.set_upright(large || tall);
        view.groups.borrow_mut().set_beside(!large && !tall);
        // What matters most is seen without scrolling.
        view.verdict.panel().set_next_first(large && !tall);
        view.checking.set_bar_first(large && !tall);
        scrolling::again(&view.scroller, &view.scrolling);
        self.place_buttons();
    }

    /// Below the page, or at its end: where letters are large, or much else stands around it, nothing would be left of the page.
    pub(super) fn place_buttons(&self) {
        let view = self.imp();
        let Some(actions) = view.actions.get() else { return };
        let row = actions.widget();
        self.put(row, if self.is_crowded(row) { &view.inside } else { &view.below });
        let low = self.is_large() && !self.is_tall();
        self.put(&*view.other, if low { &view.inside } else { &view.beneath });
        self.put(&*view.banner_button, if low { &view.inside } else { &view.banner });
    }

    /// Puts a part at the end of a box; what has the focus keeps it.
    fn put(&self, part: &impl IsA<gtk::Widget>, holder: &gtk::Box) {
        let before = part.parent().and_downcast::<gtk::Box>();
        if before.as_ref() == Some(holder) {
            return;
        }
        let focus = GtkWindowExt::focus(self).filter(|focus| focus == part.as_ref() || focus.is_ancestor(part));
        if let Some(before) = before {
            before.remove(part);
        }
        holder.append(part);
        if let Some(focus) = focus {
            self.mend_ways();
            // For GTK it was about to lose the focus.
            focus.grab_focus();
        }
    }

    fn is_large(&self) -> bool {
        self.imp().letters.get().1 >= LARGE
    }

    fn is_tall(&self) -> bool {
        let (width, height) = self.imp().size.get();
        height > width
    }

    /// Whether more than half of the screen would be something else than the page.
    fn is_crowded(&self, buttons: &gtk::Box) -> bool {
        let view = self.imp();
        // A list has no end at which they could stand.
        if !view.scroller.get_visible() {
            return false;
        }
        let (width, height) = view.size.get();
        let around: [&gtk::Widget; 6] = [
            view.header.upcast_ref(),
            view.banner.upcast_ref(),
            view.notice.upcast_ref(),
            view.other.upcast_ref(),
            view.warning.upcast_ref(),
            buttons.upcast_ref(),
        ];
        let visible = around.into_iter().filter(|part| part.is_visible());
        let used: i32 = visible.map(|part| part.measure(gtk::Orientation::Vertical, width).1).sum();
        self.is_large() || used.saturating_mul(2) > height
    }
}
