//! A drawing, a word, sentences. It takes the focus and has the role *alert*, and its name is all of it: whoever hears the screen
//! hears it at once (GTK 4.8 has no live regions; neither a GtkLabel nor a GtkBox can take the focus).

use super::lines;
use crate::catalog::Catalog;
use crate::model::screen::{Shape, Statement, Tone};
use crate::words::screens;
use gtk::glib;
use gtk::prelude::*;
use gtk::subclass::prelude::*;
use std::cell::Cell;

mod imp {
    use super::*;

    #[derive(Debug, Default, gtk::CompositeTemplate)]
    #[template(resource = "/org/blanche/Kiosk/statement.ui")]
    pub struct StatementView {
        #[template_child]
        pub frame: TemplateChild<gtk::Box>,
        #[template_child]
        pub head: TemplateChild<gtk::Box>,
        #[template_child]
        pub words: TemplateChild<gtk::Box>,
        #[template_child]
        pub drawing: TemplateChild<gtk::Image>,
        #[template_child]
        pub title: TemplateChild<gtk::Label>,
        #[template_child]
        pub sentences: TemplateChild<gtk::Box>,
        #[template_child]
        pub next: TemplateChild<gtk::Box>,
        #[template_child]
        pub more: TemplateChild<gtk::Box>,
        /// Nothing else is on the screen.
        pub alone: Cell<bool>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for StatementView {
        const NAME: &'static str = "KioskStatement";
        type Type = super::StatementView;
        type ParentType = gtk::Widget;

        fn class_init(class: &mut Self::Class) {
            class.bind_template();
            class.set_layout_manager_type::<gtk::BinLayout>();
            class.set_accessible_role(gtk::AccessibleRole::Alert);
        }

        fn instance_init(object: &glib::subclass::InitializingObject<Self>) {
            object.init_template();
        }
    }

    impl ObjectImpl for StatementView {
        fn dispose(&self) {
            while let Some(child) = self.obj().first_child() {
                child.unparent();
            }
        }
    }

    impl WidgetImpl for StatementView {}
}

glib::wrapper! {
    /// See the module.
    pub struct StatementView(ObjectSubclass<imp::StatementView>)
        @extends gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget;
}

impl StatementView {
    /// Shows a statement.
    pub fn show_statement(&self, statement: &Statement, catalog: &Catalog) {
        let view = self.imp();
        view.drawing.set_visible(true);
        let icon = format!("{}-symbolic", statement.shape.file());
        // What is set anew is drawn anew.
        if view.drawing.icon_name().as_deref() != Some(icon.as_str()) {
            view.drawing.set_icon_name(Some(&icon));
        }
        let name = catalog.render(&drawing_name(statement.shape).into());
        view.drawing.update_property(&[gtk::accessible::Property::Label(&name)]);
        for tone in Tone::ALL.into_iter().filter(|tone| *tone != statement.tone) {
            self.remove_css_class(tone.class());
        }
        self.add_css_class(statement.tone.class());
        let render = |texts: &[_]| texts.iter().map(|text| catalog.render(text)).collect::<Vec<String>>();
        self.write(&catalog.render(&statement.title), &render(&statement.sentences), &render(&statement.next));
    }

    /// Shows a heading and sentences, without a drawing.
    pub fn show_heading(&self, title: &str, sentences: &[String]) {
        self.imp().drawing.set_visible(false);
        self.write(title, sentences, &[]);
    }

    fn write(&self, title: &str, sentences: &[String], next: &[String]) {
        let view = self.imp();
        if view.title.text() != title {
            view.title.set_text(title);
        }
        lines::fill(&view.sentences, sentences);
        lines::fill(&view.next, next);
        view.words.set_visible(!sentences.is_empty() || !next.is_empty());
        self.align();
        let whole: Vec<&str> = std::iter::once(title).chain(sentences.iter().chain(next).map(String::as_str)).collect();
        let whole = whole.join(". ").replace("?.", "?").replace("..", ".");
        if self.widget_name() != whole {
            self.update_property(&[gtk::accessible::Property::Label(&whole)]);
            self.set_widget_name(&whole);
        }
    }

    /// Something beside the title.
    pub fn set_beside(&self, beside: &impl IsA<gtk::Widget>) {
        self.imp().head.append(beside);
    }

    /// Nothing that it said remains.
    pub fn forget(&self) {
        self.write("", &[], &[]);
        self.show_more(&[]);
    }

    /// Facts below the words.
    pub fn show_more(&self, more: &[String]) {
        lines::fill(&self.imp().more, more);
    }

    /// In the middle of the screen, where nothing else is on it.
    pub fn center(&self) {
        self.set_vexpand(true);
        self.imp().frame.set_valign(gtk::Align::Center);
        self.imp().alone.set(true);
        self.align();
    }

    /// The drawing above the title, or beside it.
    pub fn set_upright(&self, upright: bool) {
        let orientation = if upright { gtk::Orientation::Vertical } else { gtk::Orientation::Horizontal };
        self.imp().head.set_orientation(orientation);
        self.align();
    }

    /// What to do before what happened, where there is room for one of them.
    pub fn set_next_first(&self, first: bool) {
        let view = self.imp();
        view.words.reorder_child_after(&view.next.get(), (!first).then_some(&view.sentences.get()));
    }

    /// A title is below the middle of its drawing, and everything is when nothing else is on the screen.
    fn align(&self) {
        let view = self.imp();
        let middle = |label: &gtk::Label, is_so: bool| {
            label.set_xalign(if is_so { 0.5 } else { 0.0 });
            label.set_justify(if is_so { gtk::Justification::Center } else { gtk::Justification::Left });
        };
        let upright = view.head.orientation() == gtk::Orientation::Vertical;
        middle(&view.title, upright && view.drawing.get_visible());
        for holder in [&view.sentences, &view.next] {
            for label in super::children(holder.upcast_ref()).iter().filter_map(|line| line.downcast_ref()) {
                middle(label, view.alone.get());
            }
        }
    }
}

const fn drawing_name(shape: Shape) -> crate::words::Message {
    match shape {
        Shape::Port => screens::DRAWING_PORT,
        Shape::Out => screens::DRAWING_OUT,
        Shape::Eye => screens::DRAWING_EYE,
        Shape::Check => screens::DRAWING_CHECK,
        Shape::Cross => screens::DRAWING_CROSS,
        Shape::Question => screens::DRAWING_QUESTION,
        Shape::Stop => screens::DRAWING_STOP,
        Shape::Tool => screens::DRAWING_TOOL,
    }
}
