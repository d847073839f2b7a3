//! A tour of everything that the kiosk can show: each view is what the station plays and what a person presses to get there.

mod set;

pub use set::Set;

use crate::access::{Access, Node, is_control};
use crate::desk::{Desk, Kiosk, Played, SOON, Size};
use crate::picture::Picture;
use blanche_kiosk::catalog::Catalog;
use blanche_kiosk::pseudo;
use blanche_kiosk::words::{Message, pages, screens};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the kiosk of a tour shows the result of a medium that is gone: as short as the configuration allows.
const FAREWELL: Duration = Duration::from_secs(40);
/// What does not begin to change in this time does not change.
const TURNS: Duration = Duration::from_secs(1);
/// Between two looks at a screen that should not change any more.
const STILL: Duration = Duration::from_millis(150);
/// How the file of the language that nobody speaks is called.
const PSEUDO: &str = "yy";

/// One thing that is done on the way to a view.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The station plays a scene.
    Scene(&'static str),
    /// A key is pressed.
    Key(&'static str),
    /// A button with this label is pressed.
    Press(Message),
    /// Something that takes its time says this.
    Until(Message),
}

/// Something to be seen.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Name of its pictures.
    pub name: &'static str,
    /// How to get there from the view before it.
    pub steps: &'static [Step],
}

const fn scene(name: &'static str, steps: &'static [Step]) -> View {
    View { name, steps }
}

/// The details of what is on the screen.
const DETAILS: &[Step] = &[Step::Press(screens::BUTTON_DETAILS), Step::Until(pages::DETAILS_TITLE)];

/// Everything, in an order in which one leads to the next.
pub const VIEWS: &[View] = &[
    scene("waiting", &[Step::Scene("waiting")]),
    scene("starting", &[Step::Scene("starting")]),
    scene("training", &[Step::Scene("waiting-training")]),
    scene("training-media", &[Step::Press(screens::BUTTON_TRAINING), Step::Until(pages::TRAINING_PLUGGED)]),
    scene("no-tags", &[Step::Key("Escape"), Step::Scene("problem-signer")]),
    scene("stale-bases", &[Step::Scene("problem-bases")]),
    scene("no-engines", &[Step::Scene("problem-engines")]),
    scene("all-problems", &[Step::Scene("problems")]),
    scene("help", &[Step::Scene("waiting"), Step::Key("F1")]),
    scene("about", &[Step::Press(screens::BUTTON_ABOUT)]),
    scene("self-test", &[Step::Press(screens::BUTTON_SELF_TEST), Step::Until(pages::TEST_PASSED)]),
    scene("settings", &[Step::Key("Escape"), Step::Press(screens::BUTTON_SETTINGS)]),
    scene("queued", &[Step::Key("Escape"), Step::Scene("queued")]),
    scene("walking", &[Step::Scene("walking")]),
    scene("counted", &[Step::Scene("checking")]),
    scene("checking", &[Step::Until(screens::CHECKING_TITLE)]),
    scene("found", &[Step::Scene("checking-found"), Step::Until(screens::ALARMS)]),
    scene("stop", &[Step::Press(screens::BUTTON_CANCEL)]),
    scene("judging", &[Step::Key("Escape"), Step::Scene("judging"), Step::Until(screens::STAGE_JUDGING)]),
    scene("sealing", &[Step::Scene("sealing")]),
    scene("clean", &[Step::Scene("clean")]),
    scene("removed", &[Step::Scene("removed")]),
    scene("two", &[Step::Scene("waiting"), Step::Scene("two")]),
    scene("hostile", &[Step::Scene("queued-hostile")]),
    scene("copy-plug", &[Step::Scene("copy-plug"), Step::Press(screens::BUTTON_COPY)]),
    scene("copy-looking", &[Step::Scene("copy-looking")]),
    scene("copy-read-only", &[Step::Scene("copy-read-only")]),
    scene("copy-blank", &[Step::Scene("copy-blank")]),
    scene("copy-filled", &[Step::Scene("copy-filled")]),
    scene("copying", &[Step::Press(pages::COPY_ERASE_START)]),
    scene("copy-stop", &[Step::Press(pages::COPY_CANCEL)]),
    scene("copied", &[Step::Key("Escape"), Step::Scene("copied")]),
    scene("copied-no-tag", &[Step::Scene("copying"), Step::Scene("copied-no-tag")]),
    scene("copied-outside", &[Step::Scene("copying"), Step::Scene("copied-outside")]),
    scene("copy-untouched", &[Step::Scene("copying"), Step::Scene("copy-untouched")]),
    scene("copy-empty", &[Step::Scene("copying"), Step::Scene("copy-empty")]),
    scene("copy-unknown", &[Step::Scene("copying"), Step::Scene("copy-unknown")]),
    scene("clean-detached", &[Step::Key("Escape"), Step::Scene("clean-detached")]),
    scene("clean-no-tag", &[Step::Scene("clean-no-tag")]),
    scene("clean-empty", &[Step::Scene("clean-empty")]),
    scene("infected", &[Step::Scene("infected")]),
    scene("receipt", &[Step::Press(screens::BUTTON_RECEIPT), Step::Until(pages::RECEIPT_DONE)]),
    scene("infected-details", DETAILS),
    scene("infected-long", &[Step::Key("Escape"), Step::Scene("infected-long")]),
    scene("long-details", DETAILS),
    scene("incomplete", &[Step::Key("Escape"), Step::Scene("incomplete")]),
    scene("incomplete-details", DETAILS),
    scene("suspicious", &[Step::Key("Escape"), Step::Scene("incomplete-suspicious")]),
    scene("refused-keyboard", &[Step::Scene("refused-composite")]),
    scene("refused-empty", &[Step::Scene("refused-empty")]),
    scene("cancelled", &[Step::Scene("failed-cancelled")]),
    scene("station-failed", &[Step::Scene("failed-station")]),
    scene("pulled", &[Step::Scene("pulled")]),
    scene("warning", &[Step::Until(screens::KEEP)]),
];

/// How a person has set the kiosk up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it comes.
    Usual,
    /// Light letters on dark ground.
    Dark,
    /// White and yellow on black.
    HighContrast,
    /// Letters of twice the size.
    Large,
    /// Another direction, longer words.
    Pseudo,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Usual, Self::Dark, Self::HighContrast, Self::Large, Self::Pseudo];

    /// Name of its pictures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Dark => "dark",
            Self::HighContrast => "high-contrast",
            Self::Large => "large",
            Self::Pseudo => "pseudo",
        }
    }
}

/// A kiosk on its desk, with its station.
#[derive(Debug)]
pub struct Tour {
    /// What is driven.
    pub desk: Desk,
    /// What plays.
    pub station: Played,
    /// What is looked at.
    pub kiosk: Kiosk,
    /// What assistive technology sees.
    pub access: Access,
    catalog: Catalog,
}

impl Tour {
    /// A kiosk in a language ("fr", "en"), set up in one way, before a station that waits.
    #[must_use]
    pub fn new(size: Size, language: &str, mode: Mode) -> Self {
        Self::with(size, language, mode, |desk, arguments| desk.kiosk(arguments))
    }

    /// The same with whatever `start` starts as the kiosk.
    ///
    /// # Panics
    /// When the desk cannot be set up.
    #[must_use]
    pub fn with(size: Size, language: &str, mode: Mode, start: impl FnOnce(&Desk, &[&str]) -> Kiosk) -> Self {
        Self::configured(size, language, mode, |_, configuration| configuration, start)
    }

    /// The same with what `change` makes of its configuration.
    ///
    /// # Panics
    /// When the desk cannot be set up.
    #[must_use]
    pub fn configured(
        size: Size,
        language: &str,
        mode: Mode,
        change: impl FnOnce(&Desk, String) -> String,
        start: impl FnOnce(&Desk, &[&str]) -> Kiosk,
    ) -> Self {
        let desk = Desk::new(size);
        let words = pseudo::catalogue(true);
        let catalog = match (mode, language) {
            (Mode::Pseudo, _) => Catalog::parse(PSEUDO, words.as_bytes()).expect("a catalogue"),
            (_, "en") => Catalog::english(),
            _ => Catalog::french(),
        };
        let folder = desk.home().join("words");
        fs::create_dir(&folder).expect("our folder");
        fs::write(folder.join(format!("{}.po", PSEUDO)), words).expect("our folder");
        let config = desk.home().join("kiosk.toml");
        let text = configuration(mode, &folder, &desk.home().join("receipt"));
        fs::write(&config, change(&desk, text)).expect("our folder");
        let mut station = desk.station();
        station.scene("waiting");
        let arguments = ["--config", &config.display().to_string(), "--lang", catalog.language()];
        let kiosk = start(&desk, &arguments);
        let access = Access::of(&desk);
        let tour = Self { desk, station, kiosk, access, catalog };
        // Until the station is heard.
        tour.wait_for(screens::WAITING_TITLE);
        tour
    }

    /// A message in the language of the kiosk.
    #[must_use]
    pub fn word(&self, message: Message) -> String {
        self.catalog.render(&message.into())
    }

    /// Waits until something on the screen has a name that begins with this message.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&self, message: Message) -> Node {
        let word = self.word(message);
        self.wait_until(&word, SOON, |node| node.name.starts_with(&word))
    }

    fn wait_until(&self, what: &str, limit: Duration, is_so: impl Fn(&Node) -> bool) -> Node {
        let start = Instant::now();
        loop {
            let tree = self.access.tree();
            if tree.all().into_iter().any(&is_so) {
                return tree;
            }
            assert!(start.elapsed() < limit, "no {what:?}:\n{tree}\n{}", self.desk.log("kiosk"));
            // What takes longer need not be watched as closely.
            std::thread::sleep(limit / 400);
        }
    }

    /// Goes to a view from the one before it, and waits until nothing moves.
    ///
    /// # Panics
    /// When a button is missing.
    pub fn go(&mut self, view: &View) {
        let _ = self.visit(view, &|tour| tour.desk.picture());
    }

    /// The same before a measured kiosk, which is asked instead of looked at: its widgets then.
    ///
    /// # Panics
    /// When a button is missing.
    #[must_use]
    pub fn measure(&mut self, view: &View) -> Vec<Value> {
        self.visit(view, &|tour| tour.kiosk.widgets())
    }

    fn visit<T: PartialEq>(&mut self, view: &View, look: &impl Fn(&mut Self) -> T) -> T {
        let mut before = look(self);
        for step in view.steps {
            match step {
                Step::Scene(name) => self.station.scene(name),
                Step::Key(name) => self.desk.keys(&[name]),
                Step::Press(message) => self.press(*message),
                Step::Until(message) => {
                    // Up to what it is filled with.
                    let word = self.word(*message).split('{').next().unwrap_or_default().to_owned();
                    self.wait_until(&word, FAREWELL, |node| node.name.contains(&word));
                }
            }
            before = self.turned(&before, look);
        }
        before
    }

    /// Presses the button with this label, as a screen reader would.
    ///
    /// # Panics
    /// When there is none.
    pub fn press(&self, message: Message) {
        let tree = self.wait_for(message);
        let word = self.word(message);
        let found = tree.all().into_iter().find(|node| is_control(&node.role) && node.name.starts_with(&word));
        self.access.act(found.unwrap_or_else(|| panic!("no button {word:?}:\n{tree}")));
    }

    /// Opens the settings, and waits until their page has the focus: the button alone has the name of the page.
    ///
    /// # Panics
    /// When it does not get it.
    pub fn open_settings(&self) {
        self.press(screens::BUTTON_SETTINGS);
        let title = self.word(pages::SETTINGS_TITLE);
        let is_page = |node: &Node| node.is("focused") && !is_control(&node.role) && node.name.starts_with(&title);
        self.wait_until(&title, SOON, is_page);
        let _ = self.desk.still();
    }

    /// The screen as soon as it is another one and still; as it is when nothing changes for a second.
    ///
    /// # Panics
    /// When it goes on changing.
    #[must_use]
    pub fn changed(&mut self, before: &Picture) -> Picture {
        self.turned(before, &|tour| tour.desk.picture())
    }

    fn turned<T: PartialEq>(&mut self, before: &T, look: &impl Fn(&mut Self) -> T) -> T {
        let start = Instant::now();
        let mut last = look(self);
        while start.elapsed() < TURNS && last == *before {
            std::thread::sleep(Duration::from_millis(40));
            last = look(self);
        }
        loop {
            std::thread::sleep(STILL);
            let now = look(self);
            if now == last {
                return now;
            }
            assert!(start.elapsed() < SOON, "the screen goes on changing for {SOON:?}");
            last = now;
        }
    }
}

fn configuration(mode: Mode, words: &Path, receipt: &Path) -> String {
    let colours = match mode {
        Mode::Dark => "dark",
        Mode::HighContrast => "high-contrast",
        _ => "light",
    };
    let letters = if mode == Mode::Large { 200 } else { 100 };
    format!(
        "words = {words:?}\nname = \"Ministère de l'Exemple\"\ncontact = \"12 34\"\nconsole = \"https://console.example\"\n\
         [screen]\ncolours = \"{colours}\"\nletters = {letters}\n\
         [delays]\nfarewell = {farewell}\n[receipt]\npath = {receipt:?}\n",
        farewell = FAREWELL.as_secs()
    )
}
