//! Between the model and everything that has a side: the window, the voice, the link, the printer. It lives on the thread of the screen.

use crate::account::Account;
use crate::catalog::{Catalog, Languages};
use crate::config::Config;
use crate::keys::Held;
use crate::link::{Heard, Link};
use crate::model::choices::Choices;
use crate::model::screen::{Action, Colours, Page, Place, Screen};
use crate::model::{Event, Kiosk, Moment, Order, Policy};
use crate::parts::rows::RowList;
use crate::parts::statement::StatementView;
use crate::receipt;
use crate::speech::{Speaker, Told, Voice};
use crate::style::Style;
use crate::window::KioskWindow;
use crate::words::screens;
use gtk::glib;
use gtk::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(250);

/// See the module.
pub struct Controller {
    kiosk: RefCell<Kiosk>,
    config: Config,
    languages: Languages,
    link: Link,
    speaker: RefCell<Speaker<Box<dyn Voice>>>,
    style: Style,
    window: KioskWindow,
    account: Rc<Account>,
    /// The rows of reports, by the paths of their sessions: what is found on one medium is never shown as that of another.
    rows: RefCell<BTreeMap<String, RowList>>,
    /// Whose rows are shown.
    rows_of: RefCell<Option<String>>,
    /// What was shown last, in which language and how.
    shown: RefCell<Option<(Screen, Choices)>>,
    started: Instant,
    /// A refresh of the screen waits for the next turn of the main loop.
    due: Cell<bool>,
    /// The screen is being changed: what has the focus then was not chosen by anybody.
    changing: Cell<bool>,
}

impl Controller {
    /// Puts a kiosk together; it shows itself as soon as something is known.
    #[must_use]
    pub fn new(
        application: &gtk::Application,
        config: Config,
        languages: Languages,
        link: Link,
        voice: Box<dyn Voice>,
    ) -> Rc<Self> {
        let started = Instant::now();
        let policy = policy(&config, &languages);
        Rc::new_cyclic(|weak: &std::rc::Weak<Self>| {
            let acting = weak.clone();
            let window = KioskWindow::new(
                application,
                Rc::new(move |action| {
                    if let Some(controller) = acting.upgrade() {
                        controller.act(action);
                    }
                }),
            );
            if let Some((logo, Err(error))) = config.logo.as_ref().map(|logo| (logo, window.set_logo(logo))) {
                glib::g_warning!("blanche-kiosk", "logo {}: {error}", logo.display());
            }
            Self {
                kiosk: RefCell::new(Kiosk::new(policy, now(started))),
                style: Style::new(&window),
                account: Account::of(&window),
                config,
                languages,
                link,
                speaker: RefCell::new(Speaker::new(voice)),
                window,
                rows: RefCell::default(),
                rows_of: RefCell::default(),
                shown: RefCell::default(),
                started,
                due: Cell::new(false),
                changing: Cell::new(false),
            }
        })
    }

    /// The window.
    #[must_use]
    pub const fn window(&self) -> &KioskWindow {
        &self.window
    }

    /// Begins: the clock, what the station says, keys, what has the focus.
    pub fn begin(self: &Rc<Self>, heard: async_channel::Receiver<Heard>) {
        let controller = Rc::clone(self);
        glib::spawn_future_local(async move {
            while let Ok(heard) = heard.recv().await {
                controller.hear(heard);
            }
        });
        let controller = Rc::clone(self);
        glib::timeout_add_local(TICK, move || {
            let orders = controller.kiosk.borrow_mut().tick(now(controller.started));
            controller.carry_out(orders);
            controller.refresh();
            controller.window.keep_focus();
            glib::ControlFlow::Continue
        });
        let controller = Rc::clone(self);
        self.window.connect_focus_widget_notify(move |window| {
            let focus = GtkWindowExt::focus(window);
            window.keep_focus();
            // A button, a row of the details, and a page to which somebody went back: a page that comes is said by itself.
            let has_name = |focus: &gtk::Widget| {
                focus.is::<gtk::Button>()
                    || focus.css_name() == "row"
                    || focus.is::<StatementView>() && !controller.changing.get()
            };
            if let Some(focus) = focus.filter(has_name) {
                let language = controller.kiosk.borrow().choices().language.clone();
                controller.speaker.borrow_mut().focus(&focus.widget_name(), &language);
            }
        });
        self.keys();
        self.refresh();
    }

    fn keys(self: &Rc<Self>) {
        let keys = gtk::EventControllerKey::new();
        keys.set_propagation_phase(gtk::PropagationPhase::Capture);
        let held = Rc::new(RefCell::new(Held::default()));
        let (controller, pressed) = (Rc::clone(self), Rc::clone(&held));
        keys.connect_key_pressed(move |_, key, code, modifiers| {
            let acts = pressed.borrow_mut().press(key, code);
            if controller.wake() || !acts {
                return glib::Propagation::Stop;
            }
            let main = controller.kiosk.borrow().place() == Place::Main;
            match crate::keys::meaning(key, modifiers, main) {
                crate::keys::Meaning::Act(action) => controller.act(action),
                crate::keys::Meaning::Move => return glib::Propagation::Proceed,
                crate::keys::Meaning::Scroll(down) => {
                    controller.speaker.borrow_mut().interrupt();
                    controller.window.scroll(down);
                }
                crate::keys::Meaning::Nothing => {}
            }
            glib::Propagation::Stop
        });
        let released = Rc::clone(&held);
        keys.connect_key_released(move |_, _, code, _| released.borrow_mut().release(code));
        self.window.add_controller(keys);
        // Keys that are released while another window has the keyboard are not heard of.
        self.window.connect_is_active_notify(move |_| held.borrow_mut().forget());
        // A touch anywhere is a sign that somebody is there.
        let touches = gtk::GestureClick::new();
        touches.set_propagation_phase(gtk::PropagationPhase::Capture);
        let controller = Rc::clone(self);
        touches.connect_pressed(move |touch, _, _, _| {
            if controller.wake() {
                touch.set_state(gtk::EventSequenceState::Claimed);
            }
        });
        self.window.add_controller(touches);
    }

    /// Somebody is there. Whether the screen was dark: then what they touched was not meant.
    fn wake(&self) -> bool {
        let dark = self.shown.borrow().as_ref().is_some_and(|(screen, _)| screen.dark);
        self.kiosk.borrow_mut().touch();
        if dark {
            self.refresh();
        }
        dark
    }

    fn hear(self: &Rc<Self>, heard: Heard) {
        match heard {
            // A report may still be read when its session is forgotten.
            Heard::Rows(path, rows) if self.kiosk.borrow().knows(&path) => self.rows(&path).extend(rows),
            Heard::Rows(..) => {}
            Heard::Event(event) => {
                let orders = self.kiosk.borrow_mut().take(*event);
                self.carry_out(orders);
                self.refresh_soon();
            }
        }
    }

    fn act(self: &Rc<Self>, action: Action) {
        let orders = self.kiosk.borrow_mut().act(action);
        self.carry_out(orders);
        self.refresh();
    }

    /// Several signals in one turn are one picture.
    fn refresh_soon(self: &Rc<Self>) {
        if self.due.replace(true) {
            return;
        }
        let controller = Rc::clone(self);
        glib::idle_add_local_once(move || controller.refresh());
    }

    fn refresh(&self) {
        self.due.set(false);
        let (screen, choices) = {
            let kiosk = self.kiosk.borrow();
            (kiosk.screen(), kiosk.choices().clone())
        };
        let known = self.shown.borrow().as_ref().map(|(_, choices)| choices.clone());
        let same = self.shown.borrow().as_ref().is_some_and(|(shown, chosen)| *shown == screen && *chosen == choices);
        if same && !self.window.is_behind() {
            return;
        }
        let catalog = self.catalog(&choices.language);
        let changed = known.as_ref() != Some(&choices);
        if changed {
            self.change(&choices, &catalog);
        }
        self.show_rows(&screen.page, &catalog, changed);
        let next = self.languages.after(&choices.language);
        let brand = self.config.name.clone().unwrap_or_else(|| catalog.render(&screens::BRAND.into()));
        self.changing.set(true);
        self.window.show_screen(&screen, &catalog, next.name(), &brand);
        self.changing.set(false);
        self.account.tell(self.kiosk.borrow().account(&screen));
        let spoken = &screen.spoken;
        self.speaker.borrow_mut().tell(&Told {
            on: choices.voice,
            volume: choices.volume,
            topic: &spoken.topic,
            text: &catalog.render_all(&spoken.texts),
            language: catalog.language(),
            interrupts: spoken.interrupts,
            aside: &spoken.aside.as_ref().map(|aside| catalog.render(aside)).unwrap_or_default(),
        });
        self.shown.replace(Some((screen, choices)));
    }

    /// The rows of the session at a path.
    fn rows(&self, path: &str) -> RowList {
        self.rows.borrow_mut().entry(path.to_owned()).or_default().clone()
    }

    /// Shows the rows of the page of details, and of no other session. `anew`: in another language.
    fn show_rows(&self, page: &Page, catalog: &Rc<Catalog>, anew: bool) {
        let wanted = match page {
            Page::Details(details) => details.session.clone(),
            _ => None,
        };
        if anew || *self.rows_of.borrow() != wanted {
            let rows = wanted.as_ref().map(|path| self.rows(path)).unwrap_or_default();
            self.window.set_rows(&rows, catalog);
            self.rows_of.replace(wanted);
        }
    }

    /// Another language, other letters, other colours.
    fn change(&self, choices: &Choices, catalog: &Catalog) {
        let direction = if catalog.right_to_left() { gtk::TextDirection::Rtl } else { gtk::TextDirection::Ltr };
        gtk::Widget::set_default_direction(direction);
        let pixels = self.style.apply(&self.window, &self.config.screen, choices);
        self.window.set_letters(pixels, choices.letters);
    }

    fn catalog(&self, language: &str) -> Rc<Catalog> {
        self.languages.find(language).unwrap_or_else(|| self.languages.first())
    }

    fn carry_out(self: &Rc<Self>, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Repeat => self.speaker.borrow_mut().repeat(),
                Order::Remind => self.speaker.borrow_mut().remind(),
                Order::Hush => self.speaker.borrow_mut().hush(),
                Order::Receipt(path) => self.print(path),
                Order::Forget(path) => {
                    let rows = self.rows.borrow_mut().remove(&path);
                    // Widgets that show some of them forget them too.
                    rows.iter().for_each(RowList::clear);
                }
                order => self.link.give(order),
            }
        }
    }

    /// Prints the receipt of what is on the screen, on a thread: printers are slow.
    fn print(self: &Rc<Self>, path: String) {
        let (sender, done) = async_channel::bounded(1);
        if let Some((to, document)) = self.receipt() {
            std::thread::spawn(move || sender.send_blocking(receipt::print(&to, &document).is_ok()));
        }
        let controller = Rc::clone(self);
        glib::spawn_future_local(async move {
            // Nobody sends where nothing could be printed.
            let printed = done.recv().await.unwrap_or(false);
            controller.hear(Heard::event(Event::Printed(path, printed)));
        });
    }

    /// Where to, and what goes there.
    fn receipt(&self) -> Option<(PathBuf, Vec<u8>)> {
        let settings = self.config.receipt.as_ref()?;
        let kiosk = self.kiosk.borrow();
        let wall = now(self.started).wall;
        let (lines, code) = receipt::lines(&kiosk.screen(), &kiosk.medium()?, wall, self.config.name.as_deref())?;
        let catalog = self.catalog(&kiosk.choices().language);
        Some((settings.path.clone(), receipt::document(&lines, &code, &catalog, settings.format)))
    }
}

fn now(started: Instant) -> Moment {
    Moment { elapsed: started.elapsed(), wall: jiff::Zoned::now().datetime() }
}

fn policy(config: &Config, languages: &Languages) -> Policy {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let colours: Colours = config.screen.colours;
    Policy {
        contact: config.contact.clone(),
        console: config.console.clone(),
        farewell: seconds(config.delays.farewell),
        quiet: seconds(config.delays.quiet),
        warning: seconds(config.delays.warning),
        blank: seconds(config.screen.blank),
        receipts: config.receipt.is_some(),
        languages: languages.iter().map(|known| (known.language().to_owned(), known.name().to_owned())).collect(),
        choices: Choices {
            language: languages.first().language().to_owned(),
            letters: config.screen.letters,
            colours,
            voice: config.voice.on,
            volume: config.voice.volume,
        },
    }
}
