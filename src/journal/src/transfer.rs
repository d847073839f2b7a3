//! The transfer log: one closing record for each session, with everything that staff may have to answer for later, and the
//! copies of its files.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What came out of a session. The words are those of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was checked and nothing was found.
    Clean,
    /// Something malicious was found.
    Infected,
    /// Something could not be checked.
    Incomplete,
    /// The policy did not admit the medium.
    Refused,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Clean, Self::Infected, Self::Incomplete, Self::Refused];

    /// As it stands in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Infected => "infected",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The scan reached its end.
    #[default]
    Completed,
    /// The medium was pulled before.
    Removed,
    /// A person ended it before.
    Cancelled,
    /// The station failed.
    Failed,
}

/// How bad a finding is (security rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A person must look at it.
    Suspicious,
    /// Malicious.
    Malicious,
}

/// What tells one medium from another. Texts of devices are hostile: make them visible first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediumIdentity {
    /// USB vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<u16>,
    /// USB product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<u16>,
    /// USB serial number as the device states it, made visible. Absent for card readers and drives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// What it calls itself: manufacturer and product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The port of the station, as the kernel names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// Serials or UUIDs of its volumes, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
}

/// The content ledger in short: `bytes = checked + skipped + unreadable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Files, streams and links.
    pub files: u64,
    /// Bytes that they claim to have.
    pub bytes: u64,
    /// Bytes that were read, hashed and matched.
    pub checked: u64,
    /// Bytes that were not checked.
    pub skipped: u64,
    /// Bytes that the device did not deliver.
    pub unreadable: u64,
    /// Files with a malicious finding.
    pub malicious: u64,
    /// Files with a suspicious finding, and no malicious one.
    pub suspicious: u64,
    /// Entries of the report's list of what was not checked.
    pub not_checked: u64,
}

/// A file in which something malicious or suspicious was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundFile {
    /// SHA-256 in 64 lower-case hexadecimal digits; absent when the file could not be read in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Made visible ([`blanche_tag::visible::visible`]).
    pub path: String,
    /// The exact path in hexadecimal, when `path` had to be made visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The worst of its findings.
    pub severity: Severity,
    /// `engine: name` of each finding.
    pub findings: Vec<String>,
}

/// The tag that a session left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagReference {
    /// UUID of the tag.
    pub id: String,
    /// Counter of the signer in it.
    pub counter: u64,
    /// Seconds since 1970.
    pub expires: u64,
    /// Kept by the station, not on the medium.
    pub detached: bool,
    /// SHA-256 of the manifest in hexadecimal.
    pub manifest: String,
}

/// One engine of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineUsed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its bases.
    pub bases: Vec<BaseUsed>,
}

/// One signature base of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseUsed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Seconds since 1970; absent if it has no date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<u64>,
}

/// A copy to another medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyMade {
    /// The medium that was written.
    pub medium: MediumIdentity,
    /// Only the clean files: outside the ANSSI profile.
    pub clean_files_only: bool,
    /// Files that were written and read back.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The copy is whole.
    pub complete: bool,
    /// What is on the medium that was written: the word of the report (docs/report.md, `copy.outcome`).
    pub outcome: String,
    /// Why the copy is not whole: the word of the report (`copy.cause.cause`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The tag of the medium that was written, if it got one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagReference>,
}

/// What is recorded when copying the files of a session ended. That may be long after its closing record, which waits for
/// nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiesRecord {
    /// UUID of the session.
    pub session: String,
    /// Whose files were copied.
    pub medium: MediumIdentity,
    /// To which media.
    pub copies: Vec<CopyMade>,
}

/// What is recorded when a session ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosingRecord {
    /// UUID of the session.
    pub session: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// How it ended.
    pub ending: Ending,
    /// What came out.
    pub verdict: Verdict,
    /// Why: the stable word of a refusal or of the first cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which medium.
    pub medium: MediumIdentity,
    /// The content ledger.
    pub counts: Counts,
    /// **Every** suspicious or malicious file. Of many, the last ones stand in the closing record and the others in records
    /// of kind `session_files` right before it.
    pub files: Vec<FoundFile>,
    /// How many such files there were beyond what a session may list; `counts` has all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_left_out: Option<u64>,
    /// The tag, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagReference>,
    /// With what it was checked.
    pub engines: Vec<EngineUsed>,
    /// Version and identifier of the policy, and version of the program, as in the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}
