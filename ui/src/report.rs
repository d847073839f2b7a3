//! The report of a session (docs/report.md, `blanche-report/1`), read as a stream: a medium may have a hundred thousand rows, and only
//! what is shown of them is kept.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::Read;

/// Rows that are kept; more are counted.
pub const MOST_ROWS: usize = 200_000;

/// How bad a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// A person has to look at it.
    Suspicious,
    /// Dangerous.
    Malicious,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Something was found.
    Finding {
        /// How bad it is.
        severity: Severity,
        /// Name of the signature or rule.
        name: Box<str>,
        /// Who found it.
        engine: Box<str>,
        /// In which file inside the file; empty for the file itself.
        layer: Box<str>,
    },
    /// Something was not checked.
    NotChecked {
        /// The word of docs/report.md.
        cause: Box<str>,
        /// More of it.
        detail: Box<str>,
    },
}

/// One row of the details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The file, made visible; empty for a volume or the medium.
    pub path: Box<str>,
    /// The volume; `None` for the medium as a whole.
    pub volume: Option<u64>,
    /// What happened.
    pub kind: RowKind,
}

/// A report in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files with something dangerous.
    pub malicious: u64,
    /// Files with something suspicious, and nothing dangerous.
    pub suspicious: u64,
    /// What was not checked.
    pub not_checked: u64,
    /// The first dangerous or suspicious files.
    pub files: Vec<Box<str>>,
    /// Why, each cause once, in their order.
    pub causes: Vec<Missed>,
    /// Rows, those that were not kept included.
    pub rows: u64,
    /// Files and causes that the report only counts.
    pub left_out: u64,
}

/// Why something was not checked, and the first of what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// The word of docs/report.md.
    pub cause: Box<str>,
    /// More of it.
    pub detail: Box<str>,
    /// The file; empty for a volume or the medium.
    pub path: Box<str>,
}

/// Files that a summary names.
const NAMED: usize = 3;
/// Causes: more than docs/report.md has words for.
const CAUSES: usize = 64;

impl Summary {
    fn finding(&mut self, path: &str, worst: Severity) {
        let count = match worst {
            Severity::Malicious => &mut self.malicious,
            Severity::Suspicious => &mut self.suspicious,
            Severity::Info => return,
        };
        *count = count.saturating_add(1);
        if self.files.len() < NAMED {
            self.files.push(path.into());
        }
    }

    fn left_out(&mut self, files: LeftOut) {
        let LeftOut { malicious, suspicious, info } = files;
        self.malicious = self.malicious.saturating_add(malicious);
        self.suspicious = self.suspicious.saturating_add(suspicious);
        self.left_out = [malicious, suspicious, info].into_iter().fold(self.left_out, u64::saturating_add);
    }

    fn gap(&mut self, cause: &str, detail: &str, path: &str) {
        self.not_checked = self.not_checked.saturating_add(1);
        let known = self.causes.iter().any(|known| &*known.cause == cause);
        if !known && self.causes.len() < CAUSES {
            self.causes.push(Missed { cause: cause.into(), detail: detail.into(), path: path.into() });
        }
    }
}

/// Gets the rows while the report is read.
pub trait Rows {
    /// The next row, and the summary with it.
    fn row(&mut self, row: Row, summary: &Summary);
}

/// Reads a report, and tells its rows as they come: findings first, the worst of them first.
///
/// # Errors
/// When it is not JSON, or not a report.
pub fn read(document: impl Read, rows: &mut dyn Rows) -> Result<Summary, serde_json::Error> {
    let mut summary = Summary::default();
    let mut reader = serde_json::Deserializer::from_reader(document);
    let mut gathering = Gathering { rows, summary: &mut summary };
    DeserializeSeed::deserialize(&mut gathering, &mut reader)?;
    reader.end()?;
    Ok(summary)
}

struct Gathering<'a> {
    rows: &'a mut dyn Rows,
    summary: &'a mut Summary,
}

impl Gathering<'_> {
    fn row(&mut self, row: Row) {
        self.summary.rows = self.summary.rows.saturating_add(1);
        self.rows.row(row, self.summary);
    }

    fn found(&mut self, file: FoundFile) {
        let worst = file.findings.iter().map(|finding| finding.severity()).max().unwrap_or(Severity::Info);
        self.summary.finding(&file.path, worst);
        for finding in file.findings {
            let severity = finding.severity();
            let Found { name, engine, layer, .. } = finding;
            let kind = RowKind::Finding { severity, name, engine, layer: layer.join(" / ").into() };
            self.row(Row { path: file.path.clone(), volume: file.volume, kind });
        }
    }

    fn missed(&mut self, gap: Gap) {
        let detail: Box<str> = gap.detail.map(|detail| detail.0).unwrap_or_default();
        let path = gap.path.unwrap_or_default();
        self.summary.gap(&gap.cause, &detail, &path);
        let kind = RowKind::NotChecked { cause: gap.cause, detail };
        self.row(Row { path, volume: gap.volume, kind });
    }
}

/// `findings[]`.
#[derive(Deserialize)]
struct FoundFile {
    volume: Option<u64>,
    path: Box<str>,
    findings: Vec<Found>,
}

/// `findings[].findings[]`.
#[derive(Deserialize)]
struct Found {
    engine: Box<str>,
    name: Box<str>,
    severity: Box<str>,
    #[serde(default)]
    layer: Vec<String>,
}

impl Found {
    /// What a newer station calls otherwise needs a person too.
    fn severity(&self) -> Severity {
        match &*self.severity {
            "malicious" => Severity::Malicious,
            "info" => Severity::Info,
            _ => Severity::Suspicious,
        }
    }
}

/// `findings_left_out`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LeftOut {
    malicious: u64,
    suspicious: u64,
    info: u64,
}

/// `not_checked[]`.
#[derive(Deserialize)]
struct Gap {
    volume: Option<u64>,
    path: Option<Box<str>>,
    cause: Box<str>,
    detail: Option<Detail>,
}

/// A word, or whatever a newer station says.
struct Detail(Box<str>);

impl<'de> Deserialize<'de> for Detail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.as_str().map_or_else(|| value.to_string(), str::to_owned).into()))
    }
}

/// The document: an object, of which four members matter.
impl<'de> DeserializeSeed<'de> for &mut Gathering<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Gathering<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a report of Blanche")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "findings" => members.next_value_seed(Each { gathering: self, take: Gathering::found })?,
                "not_checked" => members.next_value_seed(Each { gathering: self, take: Gathering::missed })?,
                "findings_left_out" => self.summary.left_out(members.next_value()?),
                "not_checked_left_out" => {
                    let more: u64 = members.next_value()?;
                    self.summary.not_checked = self.summary.not_checked.saturating_add(more);
                    self.summary.left_out = self.summary.left_out.saturating_add(more);
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// An array whose elements are taken one by one.
struct Each<'a, 'b, T> {
    gathering: &'a mut Gathering<'b>,
    take: fn(&mut Gathering<'b>, T),
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<'_, '_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of a report of Blanche")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            (self.take)(self.gathering, element);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[derive(Default)]
    struct Kept(Vec<Row>);

    impl Rows for Kept {
        fn row(&mut self, row: Row, _: &Summary) {
            self.0.push(row);
        }
    }

    const REPORT: &str = r#"{"schema":"blanche-report/1","verdict":"infected","volumes":[{"a":[1,{"b":null}]}],
        "findings":[{"volume":0,"path":"a/b.zip","size":9,"findings":[
            {"engine":"clamav","name":"Eicar","severity":"malicious","layer":["x.tar","y"]},
            {"engine":"names","name":"odd","severity":"info","layer":[]}]},
          {"volume":null,"path":"c","findings":[{"engine":"yara-x","name":"r","severity":"new word","layer":[]}]}],
        "not_checked":[{"volume":0,"path":"p.zip","cause":"encrypted","detail":"zip","length":0},
          {"volume":null,"path":null,"cause":"read_limit","detail":{"new":1}},
          {"volume":1,"path":"q.zip","cause":"encrypted","detail":"zip"}],"more":{}}"#;

    #[test]
    fn rows_come_in_their_order_and_are_summed_up() {
        let mut kept = Kept::default();
        let summary = read(REPORT.as_bytes(), &mut kept).expect("a report");
        assert_eq!((summary.malicious, summary.suspicious, summary.not_checked, summary.rows), (1, 1, 3, 6));
        assert_eq!(summary.files, ["a/b.zip".into(), "c".into()]);
        let missed = |cause: &str, detail: &str, path: &str| Missed {
            cause: cause.into(),
            detail: detail.into(),
            path: path.into(),
        };
        assert_eq!(summary.causes, [missed("encrypted", "zip", "p.zip"), missed("read_limit", "{\"new\":1}", "")]);
        let RowKind::Finding { severity, layer, .. } = &kept.0[0].kind else { unreachable!("a finding") };
        assert_eq!((*severity, &**layer), (Severity::Malicious, "x.tar / y"));
        assert_eq!(kept.0[4].volume, None);
    }

    #[test]
    fn what_a_report_only_counts_is_counted() {
        let text = REPORT.replace(
            "\"more\":{}",
            "\"findings_left_out\":{\"malicious\":0,\"suspicious\":7,\"info\":2},\"not_checked_left_out\":40",
        );
        let summary = read(text.as_bytes(), &mut Kept::default()).expect("a report");
        assert_eq!((summary.malicious, summary.suspicious, summary.not_checked), (1, 8, 43));
        assert_eq!((summary.rows, summary.left_out), (6, 49));
    }

    #[test]
    fn what_is_no_report_is_an_error_and_not_an_empty_list() {
        for text in ["", "[]", "{\"findings\":[", "{\"findings\":3}", "{\"not_checked\":[{}]}", "{} {}"] {
            assert!(read(text.as_bytes(), &mut Kept::default()).is_err(), "{text}");
        }
        let nothing = read("{\"findings\":[],\"not_checked\":[]}".as_bytes(), &mut Kept::default());
        assert_eq!(nothing.expect("a report of a clean medium"), Summary::default());
    }
}
