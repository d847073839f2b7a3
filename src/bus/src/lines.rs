//! What the bus says, as JSON and people get it (docs/station.md has every field). What a newer station says more is left out,
//! what an older one does not say is empty.

use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use zbus::OwnedVariant;

/// Properties of one object.
pub(crate) type Values = HashMap<String, OwnedVariant>;

/// One property; empty when it is not there or of another type.
fn get<T: TryFrom<OwnedVariant> + Default>(values: &Values, name: &str) -> T {
    let value = values.get(name).and_then(|value| value.try_clone().ok());
    value.and_then(|value| T::try_from(value).ok()).unwrap_or_default()
}

/// A medium.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Medium {
    /// Vendor and product as the device calls itself; harmless to show, as all texts of the bus.
    pub name: String,
    /// Serial number; empty when it has none.
    pub serial: String,
    /// idVendor; 0 without USB.
    pub vendor: u16,
    /// idProduct; 0 without USB.
    pub product: u16,
    /// The socket; empty when it is not known.
    pub port: String,
    /// The block device; empty without one.
    pub node: String,
    /// Bytes.
    pub capacity: u64,
    /// Logical unit number.
    pub lun: u64,
}

impl Medium {
    fn new(values: &Values) -> Self {
        Self {
            name: get(values, "name"),
            serial: get(values, "serial"),
            vendor: get(values, "vendor"),
            product: get(values, "product"),
            port: get(values, "port"),
            node: get(values, "node"),
            capacity: get(values, "capacity"),
            lun: get(values, "lun"),
        }
    }
}

/// A medium in an output port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutputLine {
    /// By which orders name it.
    pub id: String,
    /// What `Medium` of a session has.
    #[serde(flatten)]
    pub medium: Medium,
    /// What is on it: the words of docs/station.md.
    pub contents: String,
    /// With contents: how many files.
    pub files: u64,
    /// With contents: their bytes.
    pub bytes: u64,
    /// It cannot be written.
    pub read_only: bool,
    /// It is being looked at or written.
    pub busy: bool,
}

impl OutputLine {
    fn new(values: &Values) -> Self {
        Self {
            id: get(values, "id"),
            medium: Medium::new(values),
            contents: get(values, "contents"),
            files: get(values, "files"),
            bytes: get(values, "bytes"),
            read_only: get(values, "read_only"),
            busy: get(values, "busy"),
        }
    }
}

/// Copying the files of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CopyLine {
    /// `Copy` can be called now.
    pub can: bool,
    /// Why not.
    pub cannot: String,
    /// The medium to which files are or were copied last.
    pub to: OutputLine,
    /// Empty when nothing is copied.
    pub stage: String,
    /// Of the bytes of this stage.
    pub percent: u8,
    /// Counters by name.
    pub progress: BTreeMap<String, u64>,
    /// What is on the output medium after the last copy; empty before.
    pub outcome: String,
    /// Why nothing was copied.
    pub cause: String,
    /// Of the output medium, as that of a session.
    pub seal: String,
    /// Of the output medium.
    pub tag: BTreeMap<String, String>,
    /// Only the clean files of a medium that is not clean.
    pub outside_profile: bool,
}

impl CopyLine {
    fn new(values: &Values) -> Self {
        Self {
            can: get(values, "CanCopy"),
            cannot: get(values, "CannotCopy"),
            to: OutputLine::new(&get(values, "CopyTo")),
            stage: get(values, "CopyStage"),
            percent: get(values, "CopyPercent"),
            progress: get(values, "CopyProgress"),
            outcome: get(values, "CopyOutcome"),
            cause: get(values, "CopyCause"),
            seal: get(values, "CopySeal"),
            tag: get(values, "CopyTag"),
            outside_profile: get(values, "CopyOutsideProfile"),
        }
    }
}

/// Why there is no report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FailureLine {
    /// The stable word; empty when there is a report or nothing yet.
    pub kind: String,
    /// For staff.
    pub detail: String,
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Where its object is.
    #[serde(skip)]
    pub path: String,
    /// UUIDv7.
    pub session: String,
    /// The stable word of its state.
    pub state: String,
    /// `walking`, `checking`, `judging`; empty before reading began.
    pub stage: String,
    /// Of the bytes whose answer is known.
    pub percent: u8,
    /// `clean`, `incomplete`, `infected`, `refused`; empty before.
    pub verdict: String,
    /// The medium.
    pub medium: Medium,
    /// `input` or `output`: what the port is for.
    pub role: String,
    /// Seconds that checking takes in all; 0 while unknown.
    pub estimate_seconds: u64,
    /// Counters by name.
    pub progress: BTreeMap<String, u64>,
    /// Why a device or medium was refused; empty when it was not.
    pub refusal: String,
    /// Why there is no report.
    pub failure: FailureLine,
    /// `on-medium`, `detached`, `none`; empty when the verdict asks for no tag.
    pub seal: String,
    /// What a person wants to know of the tag; empty without one.
    pub tag: BTreeMap<String, String>,
    /// The medium was pulled out while it was being worked on.
    pub pulled: bool,
    /// `Report` has something to give.
    pub has_report: bool,
    /// Copying its files to a medium of the station.
    pub copy: CopyLine,
}

impl Session {
    /// From its properties.
    #[must_use]
    pub(crate) fn new(path: &str, values: &Values) -> Self {
        let medium: Values = get(values, "Medium");
        let (kind, detail) = get(values, "Failure");
        Self {
            path: path.to_owned(),
            session: get(values, "Id"),
            state: get(values, "State"),
            stage: get(values, "Stage"),
            percent: get(values, "Percent"),
            verdict: get(values, "Verdict"),
            medium: Medium::new(&medium),
            role: get(values, "Role"),
            estimate_seconds: get(values, "EstimateSeconds"),
            progress: get(values, "Progress"),
            refusal: get(values, "Refusal"),
            failure: FailureLine { kind, detail },
            seal: get(values, "Seal"),
            tag: get(values, "Tag"),
            pulled: get(values, "Pulled"),
            has_report: get(values, "HasReport"),
            copy: CopyLine::new(values),
        }
    }
}

/// A problem of the station.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProblemLine {
    /// The stable word.
    pub kind: String,
    /// For staff.
    pub detail: String,
}

/// An engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EngineLine {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A base.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BaseLine {
    /// Whose base.
    pub engine: String,
    /// File name, or name of the rule set.
    pub name: String,
    /// As the base states it.
    pub version: String,
    /// Seconds since 1970; 0 without a date.
    pub date: u64,
}

/// The station.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StationLine {
    /// Of the program.
    pub version: String,
    /// Media are made up: training or demonstration.
    pub simulated: bool,
    /// A clean medium gets a tag, as far as the station itself goes.
    pub can_seal: bool,
    /// What keeps it from its work.
    pub problems: Vec<ProblemLine>,
    /// Empty until they are loaded.
    pub engines: Vec<EngineLine>,
    /// What the engines know.
    pub bases: Vec<BaseLine>,
    /// Seconds since 1970, of the oldest base whose age counts, or of all where that of none does; 0 when one is missing that a tag needs, or one has no date.
    pub bases_date: u64,
    /// Media in output ports, in the order of arrival.
    pub outputs: Vec<OutputLine>,
}

impl StationLine {
    /// From its properties.
    #[must_use]
    pub(crate) fn new(values: &Values) -> Self {
        let problems: Vec<(String, String)> = get(values, "Problems");
        let engines: Vec<(String, String)> = get(values, "Engines");
        let bases: Vec<(String, String, String, u64)> = get(values, "Bases");
        let outputs: Vec<Values> = get(values, "Outputs");
        let base = |(engine, name, version, date)| BaseLine { engine, name, version, date };
        Self {
            version: get(values, "Version"),
            simulated: get(values, "Simulated"),
            can_seal: get(values, "CanSeal"),
            problems: problems.into_iter().map(|(kind, detail)| ProblemLine { kind, detail }).collect(),
            engines: engines.into_iter().map(|(name, version)| EngineLine { name, version }).collect(),
            bases: bases.into_iter().map(base).collect(),
            bases_date: get(values, "BasesDate"),
            outputs: outputs.iter().map(OutputLine::new).collect(),
        }
    }
}
