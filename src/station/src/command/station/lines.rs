//! What the bus says, as JSON and people get it (docs/station.md). What a newer station says more is left out, what an older
//! one does not say is empty.

use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use zbus::OwnedVariant;

/// Properties of one object.
pub(super) type Values = HashMap<String, OwnedVariant>;

/// One property; empty when it is not there or of another type.
fn get<T: TryFrom<OwnedVariant> + Default>(values: &Values, name: &str) -> T {
    let value = values.get(name).and_then(|value| value.try_clone().ok());
    value.and_then(|value| T::try_from(value).ok()).unwrap_or_default()
}

/// A medium.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Medium {
    pub(super) name: String,
    pub(super) serial: String,
    pub(super) vendor: u16,
    pub(super) product: u16,
    pub(super) port: String,
    pub(super) node: String,
    pub(super) capacity: u64,
    pub(super) lun: u64,
}

/// Why there is no report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct FailureLine {
    pub(super) kind: String,
    pub(super) detail: String,
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Session {
    /// Where its object is.
    #[serde(skip)]
    pub(super) path: String,
    pub(super) session: String,
    pub(super) state: String,
    pub(super) stage: String,
    pub(super) percent: u8,
    pub(super) verdict: String,
    pub(super) medium: Medium,
    pub(super) role: String,
    pub(super) estimate_seconds: u64,
    pub(super) progress: BTreeMap<String, u64>,
    pub(super) refusal: String,
    pub(super) failure: FailureLine,
    pub(super) seal: String,
    pub(super) tag: BTreeMap<String, String>,
    pub(super) pulled: bool,
    pub(super) has_report: bool,
}

impl Session {
    pub(super) fn new(path: &str, values: &Values) -> Self {
        let medium: Values = get(values, "Medium");
        let (kind, detail) = get(values, "Failure");
        Self {
            path: path.to_owned(),
            session: get(values, "Id"),
            state: get(values, "State"),
            stage: get(values, "Stage"),
            percent: get(values, "Percent"),
            verdict: get(values, "Verdict"),
            medium: Medium {
                name: get(&medium, "name"),
                serial: get(&medium, "serial"),
                vendor: get(&medium, "vendor"),
                product: get(&medium, "product"),
                port: get(&medium, "port"),
                node: get(&medium, "node"),
                capacity: get(&medium, "capacity"),
                lun: get(&medium, "lun"),
            },
            role: get(values, "Role"),
            estimate_seconds: get(values, "EstimateSeconds"),
            progress: get(values, "Progress"),
            refusal: get(values, "Refusal"),
            failure: FailureLine { kind, detail },
            seal: get(values, "Seal"),
            tag: get(values, "Tag"),
            pulled: get(values, "Pulled"),
            has_report: get(values, "HasReport"),
        }
    }
}

/// A problem of the station.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ProblemLine {
    pub(super) kind: String,
    pub(super) detail: String,
}

/// An engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct EngineLine {
    name: String,
    version: String,
}

/// A base.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct BaseLine {
    engine: String,
    name: String,
    version: String,
    date: u64,
}

/// The station.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct StationLine {
    pub(super) version: String,
    pub(super) simulated: bool,
    pub(super) can_seal: bool,
    pub(super) problems: Vec<ProblemLine>,
    pub(super) engines: Vec<EngineLine>,
    pub(super) bases: Vec<BaseLine>,
    pub(super) bases_date: u64,
}

impl StationLine {
    pub(super) fn new(values: &Values) -> Self {
        let problems: Vec<(String, String)> = get(values, "Problems");
        let engines: Vec<(String, String)> = get(values, "Engines");
        let bases: Vec<(String, String, String, u64)> = get(values, "Bases");
        let base = |(engine, name, version, date)| BaseLine { engine, name, version, date };
        Self {
            version: get(values, "Version"),
            simulated: get(values, "Simulated"),
            can_seal: get(values, "CanSeal"),
            problems: problems.into_iter().map(|(kind, detail)| ProblemLine { kind, detail }).collect(),
            engines: engines.into_iter().map(|(name, version)| EngineLine { name, version }).collect(),
            bases: bases.into_iter().map(base).collect(),
            bases_date: get(values, "BasesDate"),
        }
    }
}
