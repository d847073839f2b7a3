//! What is on the screen, as plain data: texts that are in no language yet, shapes, roles of colour, where the focus goes, what is
//! spoken. The widgets show it and add nothing.

use crate::report::Summary;
use crate::words::Text;

/// A drawing (ui/icons). A verdict is never told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A key goes into a socket.
    Port,
    /// A key leaves a socket.
    Out,
    /// A magnifying glass: work is going on.
    Eye,
    /// A check mark.
    Check,
    /// A cross.
    Cross,
    /// A question mark.
    Question,
    /// A stop sign.
    Stop,
    /// A spanner: the station is at fault.
    Tool,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Port, Self::Out, Self::Eye, Self::Check, Self::Cross, Self::Question, Self::Stop, Self::Tool];

    /// Its file without `-symbolic.svg`.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Port => "blanche-port",
            Self::Out => "blanche-out",
            Self::Eye => "blanche-eye",
            Self::Check => "blanche-check",
            Self::Cross => "blanche-cross",
            Self::Question => "blanche-question",
            Self::Stop => "blanche-stop",
            Self::Tool => "blanche-tool",
        }
    }
}

/// What a colour means; the style sheets give each a colour in each theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Nothing happened.
    Calm,
    /// Work is going on.
    Busy,
    /// Clean.
    Good,
    /// Not known to be clean.
    Doubt,
    /// Infected.
    Danger,
    /// Refused.
    Refused,
    /// The station is at fault.
    Fault,
}

impl Tone {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Calm, Self::Busy, Self::Good, Self::Doubt, Self::Danger, Self::Refused, Self::Fault];

    /// Its class in the style sheets.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Busy => "busy",
            Self::Good => "good",
            Self::Doubt => "doubt",
            Self::Danger => "danger",
            Self::Refused => "refused",
            Self::Fault => "fault",
        }
    }
}

/// What a person, or a key on the keyboard, asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Open a page.
    Open(Place),
    /// Back to the medium, or to waiting.
    Back,
    /// Stop checking, once it was confirmed; or stop copying.
    Stop,
    /// The person is done with the medium.
    Done,
    /// Show the other medium.
    Other,
    /// Keep the screen for another while.
    Keep,
    /// The language with this name.
    Language(String),
    /// The language behind the present one.
    NextLanguage,
    /// Letters of this size, in percent.
    Letters(u16),
    /// The next size of letters.
    NextLetters,
    /// These colours.
    Colours(Colours),
    /// The next colours.
    NextColours,
    /// Turn the voice on or off.
    Voice,
    /// Say it again.
    Repeat,
    /// Be silent.
    Hush,
    /// Change the volume of the voice by this many percent.
    Volume(i8),
    /// Test the antivirus.
    SelfTest,
    /// Print a receipt.
    Receipt,
    /// Copy the files of the medium to the station's medium with this number, erasing it or not.
    Copy(String, bool),
    /// Training: plug in a made-up medium of this kind.
    Insert(String),
    /// Training: pull out what is in this port.
    PullOut(String),
}

/// Pages that a person opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// What happens by itself: waiting, the medium, its verdict.
    #[default]
    Main,
    /// Whether to stop, asked once more.
    Stop,
    /// What was found and left out.
    Details,
    /// How the station is used.
    Help,
    /// What the station is.
    About,
    /// Language, letters, colours, voice.
    Settings,
    /// Copying to a medium of the station, before it begins.
    Copy,
    /// Made-up media, of a training station only.
    Training,
}

impl Place {
    /// Whether it says nothing of a medium.
    #[must_use]
    pub const fn is_for_all(self) -> bool {
        matches!(self, Self::Help | Self::About | Self::Settings | Self::Training)
    }
}

/// Colours of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colours {
    /// Dark letters on light ground.
    #[default]
    Light,
    /// Light letters on dark ground.
    Dark,
    /// White and yellow on black.
    HighContrast,
}

/// How much a button weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weight {
    /// What most people want.
    Main,
    /// Something else.
    Plain,
    /// What cannot be taken back.
    Grave,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it does.
    pub action: Action,
    /// What stands on it.
    pub label: Text,
    /// How much it weighs.
    pub weight: Weight,
    /// It is one of several choices: whether it is the chosen one.
    pub chosen: Option<bool>,
}

/// A label and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: Text,
    /// The value.
    pub value: Text,
}

/// A drawing, a word, sentences, what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The drawing.
    pub shape: Shape,
    /// What its colour means.
    pub tone: Tone,
    /// As large as the screen allows.
    pub title: Text,
    /// What happened.
    pub sentences: Vec<Text>,
    /// What to do next, and whom to call.
    pub next: Vec<Text>,
}

impl Statement {
    /// Everything in one go, as it is spoken and as the name of its panel.
    #[must_use]
    pub fn whole(&self) -> Vec<Text> {
        std::iter::once(&self.title).chain(&self.sentences).chain(&self.next).cloned().collect()
    }
}

/// The bar of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// In thousandths.
    pub done: u16,
    /// "42 %".
    pub percent: Text,
    /// What it is the progress of.
    pub name: Text,
}

/// The number of a session, for people and for telephones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// UUIDv7.
    pub session: String,
    /// Its end, in capitals: what people read and say.
    pub end: String,
    /// What the square code says.
    pub code: String,
}

/// One group of choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is chosen.
    pub label: Text,
    /// Between what.
    pub buttons: Vec<Button>,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// Nothing is plugged in.
    Waiting(Statement),
    /// A medium was just plugged in, or waits for its turn.
    Seen(Statement, Vec<Fact>),
    /// It is checked.
    Checking(Statement, Bar, Vec<Text>),
    /// Its result.
    Verdict(Statement, Reference),
    /// It is gone, or may go.
    Remove(Statement),
    /// The station is at fault.
    Trouble(Statement, Vec<Fact>),
    /// A question before something that cannot be taken back.
    Confirm(Statement),
    /// What was found and left out; the rows come from the report of the session at this path.
    Details(Details),
    /// Sentences.
    Help(Text, Vec<Text>),
    /// What the station is.
    About(Text, Vec<Fact>),
    /// Language, letters, colours, voice.
    Settings(Text, Vec<Choice>),
    /// Copying to a medium of the station, before and after.
    Copy(Statement),
    /// Made-up media, of a training station only.
    Training(Text, Vec<Choice>),
}

impl Page {
    /// Its name, for tests and style sheets.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting(..) => "waiting",
            Self::Seen(..) => "seen",
            Self::Checking(..) => "checking",
            Self::Verdict(..) => "verdict",
            Self::Remove(..) => "remove",
            Self::Trouble(..) => "trouble",
            Self::Confirm(..) => "confirm",
            Self::Details(..) => "details",
            Self::Help(..) => "help",
            Self::About(..) => "about",
            Self::Settings(..) => "settings",
            Self::Copy(..) => "copy",
            Self::Training(..) => "training",
        }
    }
}

/// See [`Page::Details`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The heading.
    pub title: Text,
    /// Which medium, where there is another.
    pub whose: Option<Text>,
    /// How many rows there are, or why there is none.
    pub status: Text,
    /// Whose rows; `None` when there is no report.
    pub session: Option<String>,
}

impl Details {
    /// Everything but the rows, as it is spoken.
    #[must_use]
    pub fn whole(&self) -> Vec<Text> {
        std::iter::once(&self.title).chain(&self.whose).chain([&self.status]).cloned().collect()
    }
}

/// A line about the other medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Which, and how it stands.
    pub line: Text,
    /// Shows it.
    pub button: Button,
}

/// The screen goes away soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// In how many seconds.
    pub line: Text,
    /// Keeps it.
    pub button: Button,
}

/// What is spoken. It is said when `topic` is another one than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// What it is about.
    pub topic: String,
    /// The sentences; none while it is better to wait for more of them.
    pub texts: Vec<Text>,
    /// Whether it interrupts what is being said.
    pub interrupts: bool,
    /// What is said besides, once, without all the rest again.
    pub aside: Option<Text>,
}

/// Everything that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// The page.
    pub page: Page,
    /// The number of the session that it is about.
    pub session: Option<String>,
    /// Its buttons, the main one first: it has the focus when the page comes, unless the page has a statement to be read.
    pub buttons: Vec<Button>,
    /// Media are made up: said at all times, with what opens the page of made-up media.
    pub training: Option<(Text, Button)>,
    /// The other medium.
    pub other: Option<Other>,
    /// The screen goes away soon.
    pub warning: Option<Warning>,
    /// Something that was just done, or could not be done.
    pub notice: Option<Text>,
    /// What is spoken.
    pub spoken: Spoken,
    /// Nothing happened for long: the screen is dark until something does.
    pub dark: bool,
}

/// What is known of the report of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReportState {
    /// Nobody asked for it.
    #[default]
    Unasked,
    /// It is being read.
    Reading(Summary),
    /// It was read to its end.
    Read(Summary),
    /// It cannot be had.
    Failed,
}

impl ReportState {
    /// What is known so far.
    #[must_use]
    pub const fn summary(&self) -> Option<&Summary> {
        match self {
            Self::Reading(summary) | Self::Read(summary) => Some(summary),
            Self::Unasked | Self::Failed => None,
        }
    }
}
