//! What goes into the model and what comes out of it besides a screen.

use super::choices::Choices;
use super::screen::ReportState;
use blanche_bus::{Session, StationLine};
use jiff::civil::DateTime;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the owner of a kiosk decided.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whom to call.
    pub contact: Option<String>,
    /// Where the console is, for the square code.
    pub console: Option<String>,
    /// How long the screen of a medium that is gone stays.
    pub farewell: Duration,
    /// How long a page stays that nobody touches.
    pub quiet: Duration,
    /// How long before the end the screen warns.
    pub warning: Duration,
    /// After so long without anybody the screen is dark; never when zero.
    pub blank: Duration,
    /// There is somewhere to print receipts.
    pub receipts: bool,
    /// The languages: their names in files, and what they call themselves.
    pub languages: Vec<(String, String)>,
    /// What a person finds.
    pub choices: Choices,
}

/// A moment: since the kiosk started, and on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Never goes back.
    pub elapsed: Duration,
    /// Local time.
    pub wall: DateTime,
}

/// What happened at the station.
#[derive(Clone, Debug)]
pub enum Event {
    /// The station is there, or changed.
    Station(StationLine),
    /// It is not on the bus.
    Absent,
    /// A session was there before.
    Present(Session),
    /// A medium or a refused device is there.
    Arrived(Session),
    /// A session changed.
    Changed(Session),
    /// It has its result.
    Concluded(Session),
    /// Copying its files is over.
    Copied(Session),
    /// Its object is gone.
    Forgotten(String),
    /// What can be plugged in at a training station.
    Training(Training),
    /// What the station itself says about the session at a path, by language.
    Said(String, BTreeMap<String, String>),
    /// The report of the session at a path, as far as it was read.
    Report(String, ReportState),
    /// What came of the self-test.
    SelfTest(SelfTest),
    /// The receipt of the session at a path was printed, or not.
    Printed(String, bool),
    /// The medium of the session at a path may be taken out.
    Released(String),
    /// An order was not carried out: which session it was for, if it was for one.
    Failed(Option<String>),
    /// A headset was plugged in, or pulled out.
    Headset(bool),
}

/// What the engines found of what they had to find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SelfTest {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It is running.
    Running,
    /// Its result: engine, marker, found.
    Done(Vec<(String, String, bool)>),
    /// The station could not do it.
    Failed,
}

/// Made-up media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Training {
    /// What can be plugged in, by language: kind and name.
    pub media: BTreeMap<String, Vec<(String, String)>>,
    /// What is plugged in: port and kind.
    pub plugged: Vec<(String, String)>,
}

/// What has to be done besides showing the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Stop checking the session at this path.
    Cancel(String),
    /// Let its medium go.
    Eject(String),
    /// Read its report.
    Report(String),
    /// Ask the station what it says about it.
    Words(String),
    /// Test the antivirus.
    SelfTest,
    /// Print its receipt.
    Receipt(String),
    /// Say again what was said.
    Repeat,
    /// Say again what was said besides.
    Remind,
    /// Be silent.
    Hush,
    /// Forget what was read of the report at this path.
    Forget(String),
    /// Copy the files of the session at this path to the station's medium with this number, erasing it or not.
    Copy(String, String, bool),
    /// Ask which made-up media there are.
    Training,
    /// Plug in a made-up medium of this kind.
    Insert(String),
    /// Pull out what is in this port.
    PullOut(String),
}
