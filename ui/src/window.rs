//! The window: shows a [`Screen`], and adds nothing. A new page is shown and takes the focus before the old one goes: otherwise the focus
//! would fall on the first button in between, and a reader for the blind would say that instead of the verdict.

mod pages;
mod places;

use crate::catalog::Catalog;
use crate::model::screen::Screen;
use crate::parts::actions::{Act, Actions, button_label, name_button};
use crate::parts::groups::Groups;
use crate::parts::rows::RowList;
use crate::scrolling;
use crate::words::screens as words;
use gtk::prelude::*;
use gtk::subclass::prelude::*;
use gtk::{gdk, gdk_pixbuf, glib};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::Instant;

/// The room of a logo in the header: pixels of CSS.
const LOGO: (i32, i32) = (240, 64);

mod imp {
    use super::*;
    use crate::screens::about::About;
    use crate::screens::checking::Checking;
    use crate::screens::confirm::Confirm;
    use crate::screens::copy::Copy;
    use crate::screens::details::Details;
    use crate::screens::help::Help;
    use crate::screens::remove::Remove;
    use crate::screens::seen::Seen;
    use crate::screens::settings::Settings;
    use crate::screens::training::Training;
    use crate::screens::trouble::Trouble;
    use crate::screens::verdict::Verdict;
    use crate::screens::waiting::Waiting;

    #[derive(Default, gtk::CompositeTemplate)]
    #[template(resource = "/org/blanche/Kiosk/window.ui")]
    pub struct KioskWindow {
        #[template_child]
        pub logo: TemplateChild<gtk::Picture>,
        #[template_child]
        pub brand: TemplateChild<gtk::Label>,
        #[template_child]
        pub header: TemplateChild<gtk::Box>,
        #[template_child]
        pub comfort: TemplateChild<gtk::Button>,
        #[template_child]
        pub language: TemplateChild<gtk::Button>,
        #[template_child]
        pub help_button: TemplateChild<gtk::Button>,
        #[template_child]
        pub banner: TemplateChild<gtk::Box>,
        #[template_child]
        pub banner_line: TemplateChild<gtk::Label>,
        #[template_child]
        pub banner_button: TemplateChild<gtk::Button>,
        #[template_child]
        pub scroller: TemplateChild<gtk::ScrolledWindow>,
        #[template_child]
        pub scrolling: TemplateChild<gtk::Box>,
        #[template_child]
        pub up: TemplateChild<gtk::Button>,
        #[template_child]
        pub down: TemplateChild<gtk::Button>,
        #[template_child]
        pub waiting: TemplateChild<Waiting>,
        #[template_child]
        pub seen: TemplateChild<Seen>,
        #[template_child]
        pub checking: TemplateChild<Checking>,
        #[template_child]
        pub verdict: TemplateChild<Verdict>,
        #[template_child]
        pub remove: TemplateChild<Remove>,
        #[template_child]
        pub trouble: TemplateChild<Trouble>,
        #[template_child]
        pub confirm: TemplateChild<Confirm>,
        #[template_child]
        pub help: TemplateChild<Help>,
        #[template_child]
        pub about: TemplateChild<About>,
        #[template_child]
        pub copy: TemplateChild<Copy>,
        #[template_child]
        pub training: TemplateChild<Training>,
        #[template_child]
        pub settings: TemplateChild<Settings>,
        #[template_child]
        pub details: TemplateChild<Details>,
        #[template_child]
        pub inside: TemplateChild<gtk::Box>,
        #[template_child]
        pub notice: TemplateChild<gtk::Label>,
        #[template_child]
        pub below: TemplateChild<gtk::Box>,
        #[template_child]
        pub beneath: TemplateChild<gtk::Box>,
        #[template_child]
        pub other: TemplateChild<gtk::Box>,
        #[template_child]
        pub other_line: TemplateChild<gtk::Label>,
        #[template_child]
        pub other_button: TemplateChild<gtk::Button>,
        #[template_child]
        pub warning: TemplateChild<gtk::Box>,
        #[template_child]
        pub warning_line: TemplateChild<gtk::Label>,
        #[template_child]
        pub warning_button: TemplateChild<gtk::Button>,
        pub act: OnceCell<Act>,
        pub actions: OnceCell<Actions>,
        pub groups: RefCell<Groups>,
        pub made_up: RefCell<Groups>,
        /// Which page has the focus: name, title, session, language.
        pub page: RefCell<String>,
        pub calm_since: Cell<Option<Instant>>,
        pub counted_at: Cell<Option<Instant>>,
        pub behind: Cell<bool>,
        pub letters: Cell<(f64, u16)>,
        pub size: Cell<(i32, i32)>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for KioskWindow {
        const NAME: &'static str = "KioskWindow";
        type Type = super::KioskWindow;
        type ParentType = gtk::ApplicationWindow;

        fn class_init(class: &mut Self::Class) {
            Waiting::ensure_type();
            Seen::ensure_type();
            Checking::ensure_type();
            Verdict::ensure_type();
            Remove::ensure_type();
            Trouble::ensure_type();
            Confirm::ensure_type();
            Help::ensure_type();
            About::ensure_type();
            Copy::ensure_type();
            Training::ensure_type();
            Settings::ensure_type();
            Details::ensure_type();
            class.bind_template();
        }

        fn instance_init(object: &glib::subclass::InitializingObject<Self>) {
            object.init_template();
        }
    }

    impl ObjectImpl for KioskWindow {}

    /// A screen has the size that it has. A window of GTK is as large as what is in it needs, if only for the moment at which a page is laid
    /// out anew; and GTK 4.8 never frees what it drew for a window that then gets another size (gdkcairocontext-wayland.c).
    impl WidgetImpl for KioskWindow {
        fn request_mode(&self) -> gtk::SizeRequestMode {
            gtk::SizeRequestMode::ConstantSize
        }

        fn measure(&self, orientation: gtk::Orientation, for_size: i32) -> (i32, i32, i32, i32) {
            let (_, natural, ..) = self.parent_measure(orientation, for_size);
            (0, natural, -1, -1)
        }

        fn size_allocate(&self, width: i32, height: i32, baseline: i32) {
            self.parent_size_allocate(width, height, baseline);
            if self.size.replace((width, height)) != (width, height) {
                // Not while sizes are being given.
                let window = self.obj().downgrade();
                glib::idle_add_local_once(move || {
                    if let Some(window) = window.upgrade() {
                        window.arrange();
                    }
                });
            }
        }
    }

    impl WindowImpl for KioskWindow {}
    impl ApplicationWindowImpl for KioskWindow {}
}

glib::wrapper! {
    /// See the module.
    pub struct KioskWindow(ObjectSubclass<imp::KioskWindow>)
        @extends gtk::ApplicationWindow, gtk::Window, gtk::Widget,
        @implements gtk::Accessible, gtk::Buildable, gtk::ConstraintTarget, gtk::Native, gtk::Root, gtk::ShortcutManager,
                    gtk::gio::ActionGroup, gtk::gio::ActionMap;
}

impl KioskWindow {
    /// A window whose buttons do what `act` says.
    #[must_use]
    pub fn new(application: &gtk::Application, act: Act) -> Self {
        let window: Self = glib::Object::builder().property("application", application).build();
        let view = window.imp();
        let actions = Actions::new(Rc::clone(&act));
        view.below.append(actions.widget());
        use crate::model::screen::{Action, Place};
        for (button, action) in [
            (&view.comfort, Action::Open(Place::Settings)),
            (&view.language, Action::NextLanguage),
            (&view.help_button, Action::Open(Place::Help)),
            (&view.banner_button, Action::Open(Place::Training)),
            (&view.other_button, Action::Other),
            (&view.warning_button, Action::Keep),
        ] {
            button.set_child(Some(&button_label()));
            let act = Rc::clone(&act);
            button.connect_clicked(move |_| act(action.clone()));
        }
        for scroller in [view.scroller.get(), view.details.scroller()] {
            scrolling::connect(&scroller, &view.scrolling, &view.up, &view.down);
            // Never seen: for readers for the blind they would be two more things with the names of their classes.
            is_nothing(&scroller.vscrollbar());
            is_nothing(&scroller.hscrollbar());
        }
        for button in [&view.up, &view.down] {
            // The button has a name; its arrow says no more.
            button.child().iter().for_each(is_nothing);
        }
        view.waiting.panel().center();
        let _ = (view.act.set(act), view.actions.set(actions));
        window
    }

    /// Whose kiosk it is: a logo in the place of the name, drawn as large as [`LOGO`] allows, whatever size its file says. Readers for
    /// the blind have the name in the window's title.
    ///
    /// # Errors
    /// When the file is no picture.
    pub fn set_logo(&self, logo: &std::path::Path) -> Result<(), glib::Error> {
        let view = self.imp();
        let (width, height) = LOGO;
        let picture = gdk_pixbuf::Pixbuf::from_file_at_scale(logo, width, height, true)?;
        view.logo.set_paintable(Some(&gdk::Texture::for_pixbuf(&picture)));
        view.logo.set_visible(true);
        // Behind what makes it visible, which says the opposite.
        is_nothing(&*view.logo);
        self.arrange();
        Ok(())
    }

    /// Shows a screen in a language. `next`: what the button for the language says; `brand`: whose kiosk it is.
    pub fn show_screen(&self, screen: &Screen, catalog: &Catalog, next: &str, brand: &str) {
        let view = self.imp();
        self.frame(screen, catalog, next, brand);
        let title = pages::title(&screen.page);
        let page = format!("{} {title:?} {:?} {}", screen.page.name(), screen.session, catalog.language());
        let fresh = *view.page.borrow() != page;
        self.fill(&screen.page, catalog, fresh);
        if let Some(actions) = view.actions.get() {
            actions.show(&screen.buttons, None, catalog);
        }
        if fresh {
            view.page.replace(page);
            self.turn_to(screen.page.name());
        }
        self.place_buttons();
    }

    /// What stands around the page.
    fn frame(&self, screen: &Screen, catalog: &Catalog, next: &str, brand: &str) {
        let view = self.imp();
        let text = |label: &gtk::Label, text: &str| {
            if label.text() != text {
                label.set_text(text);
            }
        };
        text(&view.brand, brand);
        // The first that a reader for the blind says of a window.
        if self.title().as_deref() != Some(brand) {
            self.set_title(Some(brand));
        }
        name_button(&view.comfort, "Aa", &format!("{} (Aa)", catalog.render(&words::BUTTON_SETTINGS.into())));
        name_button(&view.language, next, &format!("{}: {next}", catalog.render(&words::BUTTON_LANGUAGE.into())));
        let help = catalog.render(&words::BUTTON_HELP.into());
        name_button(&view.help_button, &help, &help);
        for (button, name) in [(&view.up, words::BUTTON_UP), (&view.down, words::BUTTON_DOWN)] {
            name_button(button, "", &catalog.render(&name.into()));
        }
        if let Some((banner, button)) = &screen.training {
            text(&view.banner_line, &catalog.render(banner));
            let label = catalog.render(&button.label);
            name_button(&view.banner_button, &label, &label);
        }
        view.banner.set_visible(screen.training.is_some());
        view.banner_button.set_visible(screen.training.is_some());
        if screen.dark {
            self.add_css_class("dark-screen")
        } else {
            self.remove_css_class("dark-screen")
        }
        text(&view.notice, &screen.notice.as_ref().map(|notice| catalog.render(notice)).unwrap_or_default());
        view.notice.set_visible(screen.notice.is_some());
        text(&view.other_line, &screen.other.as_ref().map(|other| catalog.render(&other.line)).unwrap_or_default());
        if let Some(other) = &screen.other {
            let label = catalog.render(&other.button.label);
            name_button(&view.other_button, &label, &label);
        }
        view.other.set_visible(screen.other.is_some());
        if let Some(warning) = &screen.warning {
            text(&view.warning_line, &catalog.render(&warning.line));
            let label = catalog.render(&warning.button.label);
            name_button(&view.warning_button, &label, &label);
        }
        view.warning.set_visible(screen.warning.is_some());
    }

    /// Behind the last button comes the first, and what has the focus may go away: something that is seen has it at all times.
    pub fn keep_focus(&self) {
        if !self.has_lost_focus() {
            return;
        }
        let window = self.downgrade();
        glib::idle_add_local_once(move || {
            let Some(window) = window.upgrade().filter(Self::has_lost_focus) else { return };
            if !window.child_focus(gtk::DirectionType::TabForward) {
                window.mend_ways();
                window.focus_page();
            }
        });
    }

    fn has_lost_focus(&self) -> bool {
        GtkWindowExt::focus(self).is_none_or(|focus| !focus.is_mapped())
    }

    /// Each holder remembers which of its parts leads to the focus, and GTK 4.8 tries no part before that one, even where it has gone:
    /// nothing, or less than everything, could be reached then. Only the way to what has the focus now is kept.
    fn mend_ways(&self) {
        forget_ways(self.upcast_ref());
        let mut next = GtkWindowExt::focus(self);
        while let Some(part) = next {
            next = part.parent();
            if let Some(holder) = &next {
                holder.set_focus_child(Some(&part));
            }
        }
    }

    /// The rows of the details, in a language.
    pub fn set_rows(&self, rows: &RowList, catalog: &Rc<Catalog>) {
        self.imp().details.set_rows(rows, catalog);
    }

    /// Scrolls what is too long for the screen.
    pub fn scroll(&self, down: bool) {
        let view = self.imp();
        let button = if down { &view.down } else { &view.up };
        if button.is_mapped() {
            button.emit_clicked();
        }
    }

    /// Letters of so many pixels, which are so many percent of what is needed.
    pub fn set_letters(&self, pixels: f64, percent: u16) {
        self.imp().letters.set((pixels, percent));
        self.arrange();
    }
}

fn forget_ways(widget: &gtk::Widget) {
    widget.set_focus_child(None::<&gtk::Widget>);
    let mut next = widget.first_child();
    while let Some(child) = next {
        forget_ways(&child);
        next = child.next_sibling();
    }
}

/// Says nothing to readers for the blind.
fn is_nothing(widget: &impl IsA<gtk::Accessible>) {
    widget.update_state(&[gtk::accessible::State::Hidden(true)]);
}
