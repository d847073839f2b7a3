//! The result of a medium: a word, a shape, a colour, what to do next, whom to call; the number of the session, for people and for
//! telephones.

use super::{facts, screen};
use crate::catalog::Catalog;
use crate::model::screen::{Fact, Reference, Statement};
use crate::parts::square;
use crate::words::{Text, screens};
use gtk::prelude::*;
use gtk::subclass::prelude::*;

screen! {
    /// See the module.
    Verdict, "KioskVerdict", "/org/blanche/Kiosk/verdict.ui", { code: gtk::Picture }
}

impl Verdict {
    /// Shows it. `side`: of the square code, in pixels.
    pub fn show_page(&self, statement: &Statement, reference: &Reference, catalog: &Catalog, side: usize) {
        let (panel, code) = (self.panel(), self.imp().code.get());
        panel.show_statement(statement, catalog);
        let end = screens::SESSION_END.with([("end", Text::Raw(reference.end.clone()))]);
        let number = Fact { label: screens::FACT_SESSION.into(), value: end };
        panel.show_more(&facts(&[number], catalog));
        let wanted = format!("{side} {}", reference.code);
        if code.widget_name() != wanted {
            let picture = square::picture(&reference.code, side);
            code.set_visible(picture.is_some());
            code.set_paintable(picture.as_ref());
            code.set_widget_name(&wanted);
        }
        code.update_property(&[gtk::accessible::Property::Label(&catalog.render(&screens::QR_NAME.into()))]);
    }

    /// The code below everything, where the title has no room beside it, or beside the title.
    pub fn set_upright(&self, upright: bool) {
        let (panel, code) = (self.panel(), self.imp().code.get());
        let inside = code.parent().as_ref() != Some(self.upcast_ref());
        if inside == upright {
            // The box must let it go itself: it counts its children.
            if let Some(holder) = code.parent().and_downcast::<gtk::Box>() {
                holder.remove(&code);
            }
            code.set_halign(if upright { gtk::Align::Center } else { gtk::Align::End });
            if upright { self.append(&code) } else { panel.set_beside(&code) }
        }
    }

    /// Nothing of the code remains.
    pub fn forget(&self) {
        self.imp().code.set_paintable(gtk::gdk::Paintable::NONE);
        self.imp().code.set_widget_name("");
    }
}
