//! A tour of everything that the kiosk can show: each view is what the station plays and what a person presses to get there.

mod set;

pub use set::Set;

use crate::access::{Access, Node, is_control};
use crate::desk::{Desk, Kiosk, Played, SOON, Size, eventually};
use crate::picture::Picture;
use blanche_kiosk::catalog::Catalog;
use blanche_kiosk::pseudo;
use blanche_kiosk::words::{Message, pages, results, screens};
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
/// Between two looks for something that is to come: each costs the kiosk time as well.
const LOOK: Duration = Duration::from_millis(100);
/// A logo larger than any screen, as a ministry may hand it over.
const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="3000" height="2000" viewBox="0 0 3 2">
<rect width="3" height="2" fill="#fff"/><rect width="1" height="2" fill="#000091"/><rect x="2" width="1" height="2" fill="#e1000f"/></svg>"##;
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
    /// It is waited for until something says this, which nothing said before.
    Until(Message),
    /// The station ends; nothing can be played after this.
    Away,
    /// The same as [`Step::Until`] with words that are those of the scene, in every language.
    Shows(&'static str),
}

/// Something to be seen.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Name of its pictures.
    pub name: &'static str,
    /// How to get there from the view before it, up to what is seen then. Keys, buttons and scenes take different ways
    /// to the kiosk: where their order matters, the one waits for what comes of the other.
    pub steps: &'static [Step],
}

const fn scene(name: &'static str, steps: &'static [Step]) -> View {
    View { name, steps }
}

/// The details of what is on the screen.
const DETAILS: &[Step] = &[Step::Press(screens::BUTTON_DETAILS), Step::Until(pages::DETAILS_TITLE)];

/// Everything, in an order in which one leads to the next.
pub const VIEWS: &[View] = &[
    scene("waiting", &[Step::Scene("waiting"), Step::Until(screens::WAITING_TITLE)]),
    scene("starting", &[Step::Scene("starting"), Step::Until(screens::STARTING_TITLE)]),
    scene("training", &[Step::Scene("waiting-training"), Step::Until(screens::TRAINING_BANNER)]),
    scene("training-media", &[Step::Press(screens::BUTTON_TRAINING), Step::Until(pages::TRAINING_PLUGGED)]),
    scene("no-tags", &[Step::Key("Escape"), Step::Scene("problem-signer"), Step::Until(results::PROBLEM_SIGNER)]),
    scene("stale-bases", &[Step::Scene("problem-bases"), Step::Until(results::PROBLEM_BASES)]),
    scene("no-engines", &[Step::Scene("problem-engines"), Step::Until(results::PROBLEM_ENGINES)]),
    // The worst of them is what the view before says; the last of their codes is new.
    scene("all-problems", &[Step::Scene("problems"), Step::Shows("B6")]),
    scene(
        "help",
        &[Step::Scene("waiting"), Step::Until(screens::WAITING_TITLE), Step::Key("F1"), Step::Until(pages::HELP_1)],
    ),
    // Its title is also what the button says.
    scene("about", &[Step::Press(screens::BUTTON_ABOUT), Step::Until(pages::ABOUT_BASES)]),
    scene("self-test", &[Step::Press(screens::BUTTON_SELF_TEST), Step::Until(pages::TEST_PASSED)]),
    scene(
        "settings",
        &[
            Step::Key("Escape"),
            Step::Until(screens::WAITING_TITLE),
            Step::Press(screens::BUTTON_SETTINGS),
            Step::Until(pages::SETTINGS_COLOURS),
        ],
    ),
    scene("queued", &[Step::Key("Escape"), Step::Scene("queued"), Step::Until(screens::QUEUED_TITLE)]),
    scene("walking", &[Step::Scene("walking"), Step::Until(screens::FILES_FOUND)]),
    scene("counted", &[Step::Scene("counted"), Step::Until(screens::ESTIMATE)]),
    scene("checking", &[Step::Scene("checking"), Step::Until(screens::CHECKING_TITLE)]),
    scene("found", &[Step::Scene("checking-found"), Step::Until(screens::ALARMS)]),
    scene("stop", &[Step::Press(screens::BUTTON_CANCEL), Step::Until(screens::CANCEL_SENTENCE)]),
    scene("judging", &[Step::Key("Escape"), Step::Scene("judging"), Step::Until(screens::STAGE_JUDGING)]),
    scene("sealing", &[Step::Scene("sealing"), Step::Until(screens::SEALING_TITLE)]),
    scene("clean", &[Step::Scene("clean"), Step::Until(results::CLEAN_SEALED_NEXT)]),
    scene("removed", &[Step::Scene("removed"), Step::Until(screens::REMOVED_TITLE)]),
    scene(
        "two",
        &[
            Step::Scene("waiting"),
            Step::Press(screens::BUTTON_HOME),
            Step::Until(screens::WAITING_TITLE),
            Step::Scene("two-counted"),
            Step::Until(screens::OTHER),
        ],
    ),
    scene("hostile", &[Step::Scene("queued-hostile"), Step::Until(screens::QUEUED_TITLE)]),
    scene("copy-plug", &[Step::Scene("copy-plug"), Step::Press(screens::BUTTON_COPY), Step::Until(pages::COPY_PLUG)]),
    scene("copy-looking", &[Step::Scene("copy-looking"), Step::Until(pages::COPY_BUSY)]),
    scene("copy-read-only", &[Step::Scene("copy-read-only"), Step::Until(pages::COPY_READ_ONLY)]),
    scene("copy-blank", &[Step::Scene("copy-blank"), Step::Until(pages::COPY_READY)]),
    scene("copy-filled", &[Step::Scene("copy-filled"), Step::Until(pages::COPY_ERASES)]),
    scene("copying", &[Step::Press(pages::COPY_ERASE_START), Step::Until(pages::COPY_RUNNING)]),
    scene("copy-stop", &[Step::Press(pages::COPY_CANCEL), Step::Until(pages::COPY_STOP_SENTENCE)]),
    scene("copied", &[Step::Key("Escape"), Step::Scene("copied"), Step::Until(pages::COPIED_SENTENCE)]),
    scene(
        "copied-no-tag",
        &[
            Step::Scene("copying"),
            Step::Until(pages::COPY_RUNNING),
            Step::Scene("copied-no-tag"),
            Step::Until(pages::COPIED_UNSEALED),
        ],
    ),
    scene(
        "copied-outside",
        &[
            Step::Scene("copying"),
            Step::Until(pages::COPY_RUNNING),
            Step::Scene("copied-outside"),
            Step::Until(pages::COPIED_OUTSIDE),
        ],
    ),
    scene(
        "copy-untouched",
        &[
            Step::Scene("copying"),
            Step::Until(pages::COPY_RUNNING),
            Step::Scene("copy-untouched"),
            Step::Until(pages::OUTCOME_UNTOUCHED),
        ],
    ),
    scene(
        "copy-empty",
        &[
            Step::Scene("copying"),
            Step::Until(pages::COPY_RUNNING),
            Step::Scene("copy-empty"),
            Step::Until(pages::OUTCOME_EMPTY),
        ],
    ),
    scene(
        "copy-unknown",
        &[
            Step::Scene("copying"),
            Step::Until(pages::COPY_RUNNING),
            Step::Scene("copy-unknown"),
            Step::Until(pages::OUTCOME_UNKNOWN),
        ],
    ),
    scene(
        "clean-detached",
        &[Step::Key("Escape"), Step::Scene("clean-detached"), Step::Until(results::CLEAN_DETACHED)],
    ),
    scene("clean-no-tag", &[Step::Scene("clean-no-tag"), Step::Until(results::CLEAN_UNSEALED_SENTENCE)]),
    scene("clean-empty", &[Step::Scene("clean-empty"), Step::Until(results::NOTHING_SENTENCE)]),
    scene("infected", &[Step::Scene("infected"), Step::Until(results::INFECTED_COUNT)]),
    scene("receipt", &[Step::Press(screens::BUTTON_RECEIPT), Step::Until(pages::RECEIPT_DONE)]),
    scene("infected-details", DETAILS),
    scene(
        "infected-long",
        &[Step::Key("Escape"), Step::Until(results::INFECTED), Step::Scene("infected-long"), Step::Shows("dossier")],
    ),
    scene("long-details", DETAILS),
    scene(
        "incomplete",
        &[
            Step::Key("Escape"),
            Step::Until(results::INFECTED),
            Step::Scene("incomplete"),
            Step::Until(results::INCOMPLETE_COUNT),
        ],
    ),
    scene("incomplete-details", DETAILS),
    scene(
        "suspicious",
        &[
            Step::Key("Escape"),
            Step::Until(results::INCOMPLETE),
            Step::Scene("incomplete-suspicious"),
            Step::Until(results::SUSPICIOUS_SENTENCE),
        ],
    ),
    scene("refused-keyboard", &[Step::Scene("refused-composite"), Step::Until(results::REFUSED)]),
    scene("refused-empty", &[Step::Scene("refused-empty"), Step::Until(results::REFUSAL_EMPTY_NEXT)]),
    scene("cancelled", &[Step::Scene("failed-cancelled"), Step::Until(results::FAILURE_CANCELLED)]),
    scene("station-failed", &[Step::Scene("failed-station"), Step::Until(results::FAILURE_STATION)]),
    scene("pulled", &[Step::Scene("pulled"), Step::Until(screens::PULLED_TITLE)]),
    scene("warning", &[Step::Until(screens::KEEP)]),
    scene("station-away", &[Step::Away, Step::Shows("B0")]),
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
        let logo = desk.home().join("logo.svg");
        fs::write(&logo, LOGO).expect("our folder");
        let text = configuration(mode, &folder, &desk.home().join("receipt"), &logo);
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
        self.wait_until(&word, |node| node.name.starts_with(&word))
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Node) -> bool) -> Node {
        let start = Instant::now();
        loop {
            let tree = self.access.tree();
            if tree.all().into_iter().any(&is_so) {
                return tree;
            }
            assert!(start.elapsed() < SOON, "no {what:?}:\n{tree}\n{}", self.desk.log("kiosk"));
            std::thread::sleep(LOOK);
        }
    }

    /// Goes to a view from the one before it, and waits until it is there and nothing moves.
    ///
    /// # Panics
    /// When a button is missing, or the view does not come.
    pub fn go(&mut self, view: &View) {
        let says =
            |tour: &mut Self, words: &str| tour.access.tree().all().into_iter().any(|node| node.name.contains(words));
        let _ = self.visit(view, &|tour| tour.desk.picture(), &says);
    }

    /// The same before a measured kiosk, which is asked instead of looked at: its widgets then.
    ///
    /// # Panics
    /// When a button is missing, or the view does not come.
    #[must_use]
    pub fn measure(&mut self, view: &View) -> Vec<Value> {
        self.visit(view, &|tour| tour.kiosk.widgets(), &a_widget_says)
    }

    /// Plays a scene before a measured kiosk: its widgets, once one of them says this, the screen is another one and
    /// nothing moves.
    ///
    /// # Panics
    /// When nothing says so.
    #[must_use]
    pub fn measure_scene(&mut self, scene: &str, words: &str) -> Vec<Value> {
        let before = self.desk.picture();
        self.station.scene(scene);
        self.until(words, &a_widget_says);
        eventually("the screen is another one", || (self.desk.picture() != before).then_some(()));
        let look = |tour: &mut Self| (tour.desk.picture(), tour.kiosk.widgets());
        let last = look(self);
        let (_, widgets) = self.settled(last, &look);
        widgets
    }

    fn visit<T: PartialEq>(
        &mut self,
        view: &View,
        look: &impl Fn(&mut Self) -> T,
        says: &impl Fn(&mut Self, &str) -> bool,
    ) -> T {
        let mut before = look(self);
        for (number, step) in view.steps.iter().enumerate() {
            match step {
                Step::Scene(name) => self.station.scene(name),
                Step::Key(name) => self.desk.keys(&[name]),
                Step::Press(message) => self.press(*message),
                Step::Away => self.station.leave(),
                Step::Until(message) => {
                    // Up to what it is filled with.
                    let word = self.word(*message).split('{').next().unwrap_or_default().to_owned();
                    self.until(&word, says);
                }
                Step::Shows(words) => self.until(words, says),
            }
            // What is waited for comes first: a screen may be still because nothing has happened yet.
            if !matches!(view.steps.get(number + 1), Some(Step::Until(_) | Step::Shows(_))) {
                before = self.turned(&before, look);
            }
        }
        before
    }

    /// Waits until something says this.
    fn until(&mut self, words: &str, says: &impl Fn(&mut Self, &str) -> bool) {
        let start = Instant::now();
        while !says(self, words) {
            let late = start.elapsed() >= SOON;
            assert!(!late, "nothing says {words:?}:\n{}\n{}", self.access.tree(), self.desk.log("kiosk"));
            std::thread::sleep(LOOK);
        }
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
        self.wait_until(&title, is_page);
        let _ = self.desk.still();
    }

    /// The name of what has the keyboard.
    #[must_use]
    pub fn focused(&self) -> Option<String> {
        self.access.tree().focused().map(|node| node.name.clone()).filter(|name| !name.is_empty())
    }

    /// Presses Tab, and waits until something else has the keyboard: its name.
    ///
    /// # Panics
    /// When the keyboard stays where it is.
    pub fn tab(&self) -> String {
        let before = eventually("something has the keyboard", || self.focused());
        self.desk.keys(&["Tab"]);
        eventually("something else has the keyboard", || self.focused().filter(|name| *name != before))
    }

    /// The screen as soon as it is another one and still.
    ///
    /// # Panics
    /// When it does not change, or goes on changing.
    pub fn changed(&mut self, before: &Picture) -> Picture {
        eventually("the screen is another one", || (self.desk.picture() != *before).then_some(()));
        self.still()
    }

    /// The screen as soon as it is still, and nothing is to come that the kiosk has asked the station for.
    ///
    /// # Panics
    /// When it goes on changing.
    pub fn still(&mut self) -> Picture {
        let last = self.desk.picture();
        self.settled(last, &|tour| tour.desk.picture())
    }

    /// What is seen as soon as it is something else than `before` and still; as it is when nothing begins to change.
    fn turned<T: PartialEq>(&mut self, before: &T, look: &impl Fn(&mut Self) -> T) -> T {
        let start = Instant::now();
        let mut last = look(self);
        while start.elapsed() < TURNS && last == *before {
            std::thread::sleep(Duration::from_millis(40));
            last = look(self);
        }
        self.settled(last, look)
    }

    /// What is seen as soon as it is the same twice, and the kiosk waits for no answer of the station.
    fn settled<T: PartialEq>(&mut self, mut last: T, look: &impl Fn(&mut Self) -> T) -> T {
        let start = Instant::now();
        loop {
            let asks = self.kiosk.is_asking();
            std::thread::sleep(STILL);
            let now = look(self);
            if now == last && !asks {
                return now;
            }
            assert!(start.elapsed() < SOON, "the screen goes on changing for {SOON:?}");
            last = now;
        }
    }
}

/// Whether a widget of a measured kiosk that is seen says this.
fn a_widget_says(tour: &mut Tour, words: &str) -> bool {
    let says = |widget: &Value, key: &str| widget[key].as_str().is_some_and(|text| text.contains(words));
    tour.kiosk.widgets().iter().any(|widget| says(widget, "text") || says(widget, "name"))
}

fn configuration(mode: Mode, words: &Path, receipt: &Path, logo: &Path) -> String {
    let colours = match mode {
        Mode::Dark => "dark",
        Mode::HighContrast => "high-contrast",
        _ => "light",
    };
    let letters = if mode == Mode::Large { 200 } else { 100 };
    format!(
        "words = {words:?}\nname = \"Ministère de l'Exemple\"\ncontact = \"12 34\"\nconsole = \"https://console.example\"\n\
         logo = {logo:?}\n[screen]\ncolours = \"{colours}\"\nletters = {letters}\n\
         [delays]\nfarewell = {farewell}\n[receipt]\npath = {receipt:?}\n",
        farewell = FAREWELL.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_is_waited_for_until_it_is_there() {
        for view in VIEWS {
            assert!(matches!(view.steps.last(), Some(Step::Until(_) | Step::Shows(_))), "{}", view.name);
        }
    }
}
