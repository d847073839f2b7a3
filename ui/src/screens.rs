//! The screens, each beside its layout (NAME.ui). They are plain children of the window that are visible or not: the pages of a
//! GtkStack stay in the accessible tree when they are hidden.

pub mod about;
pub mod checking;
pub mod confirm;
pub mod copy;
pub mod details;
pub mod help;
pub mod remove;
pub mod seen;
pub mod settings;
pub mod training;
pub mod trouble;
pub mod verdict;
pub mod waiting;

use crate::catalog::Catalog;
use crate::model::screen::Fact;
use crate::words::{Text, screens};

/// "Label: value", one line each.
pub(crate) fn facts(facts: &[Fact], catalog: &Catalog) -> Vec<String> {
    let line = |fact: &Fact| {
        let arguments = [("label", fact.label.clone()), ("value", fact.value.clone())];
        catalog.render(&screens::FACT_LINE.with(arguments))
    };
    facts.iter().map(line).collect()
}

/// Each text on a line of its own.
pub(crate) fn rendered(texts: &[Text], catalog: &Catalog) -> Vec<String> {
    texts.iter().map(|text| catalog.render(text)).collect()
}

/// Defines a screen: a vertical box with a layout, the children that its code needs, and the panel that takes the focus.
macro_rules! screen {
    ($(#[$about:meta])* $name:ident, $type_name:literal, $layout:literal, { $($child:ident: $kind:ty),* $(,)? }) => {
        mod imp {
            use gtk::glib;
            use gtk::subclass::prelude::*;

            #[derive(Debug, Default, gtk::CompositeTemplate)]
            #[template(resource = $layout)]
            pub struct $name {
                #[template_child]
                pub panel: TemplateChild<$crate::parts::statement::StatementView>,
                $(#[template_child] pub $child: TemplateChild<$kind>,)*
            }

            #[glib::object_subclass]
            impl ObjectSubclass for $name {
                const NAME: &'static str = $type_name;
                type Type = super::$name;
                type ParentType = gtk::Box;

                fn class_init(class: &mut Self::Class) {
                    $crate::parts::ensure_types();
                    class.bind_template();
                }

                fn instance_init(object: &glib::subclass::InitializingObject<Self>) {
                    object.init_template();
                }
            }

            impl ObjectImpl for $name {}
            impl WidgetImpl for $name {}
            impl BoxImpl for $name {}
        }

        gtk::glib::wrapper! {
            $(#[$about])*
            pub struct $name(ObjectSubclass<imp::$name>)
                @extends gtk::Box, gtk::Widget,
                @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Orientable;
        }

        impl Default for $name {
            fn default() -> Self {
                gtk::glib::Object::new()
            }
        }

        impl $name {
            /// What takes the focus when the screen comes.
            #[must_use]
            pub fn panel(&self) -> $crate::parts::statement::StatementView {
                gtk::subclass::prelude::ObjectSubclassIsExt::imp(self).panel.get()
            }
        }
    };
}
pub(crate) use screen;
