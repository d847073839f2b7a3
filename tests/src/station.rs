//! The programs under test: a station with a configuration and a small base, a scan, and its report.

use crate::bytes::hex;
use crate::samples::eicar;
use crate::tools::run;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// MD5 and size of clam.exe, the harmless program by which ClamAV tests itself, as its sources publish them
/// (clamav, `unit_tests/input/clamav.hdb`).
const CLAM_EXE: &str = "aa15bcf478d165efd2065190eb473bcb:544:Blanche.Test.ClamExe\n";

/// One of Blanche's programs, as `make build` left it.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    // target/release/deps/TEST, or a program beside the others
    let folder = test.parent().expect("a program is in a folder");
    let folder = if folder.ends_with("deps") { folder.parent().expect("cargo's folder") } else { folder };
    let built = folder.join(name);
    assert!(built.is_file(), "{} is missing: run make build first", built.display());
    built
}

/// The signatures and rules of this repository.
#[must_use]
pub fn signatures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("signatures")
}

/// What a station knows beside the local signatures of this repository (EICAR and the test markers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// EICAR anywhere in a layer, also far behind its beginning.
    Eicar,
    /// The MD5 of clam.exe.
    ClamExe,
    /// Both.
    EicarAndClamExe,
}

/// A configuration in a folder of its own.
#[derive(Clone, Debug)]
pub struct Station {
    folder: PathBuf,
    settings: BTreeMap<(String, String), String>,
}

/// What a scan gave.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The report, parsed.
    pub report: Value,
    /// Exit code of `blanche`.
    pub code: i32,
    /// What it said to the person.
    pub messages: String,
}

impl Station {
    /// A station that knows EICAR, with the signatures and rules of this repository.
    ///
    /// # Panics
    /// When `folder` cannot be written.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self::with_base(folder, Base::Eicar)
    }

    /// A station that knows `base`, with the signatures and rules of this repository.
    ///
    /// # Panics
    /// When `folder` cannot be written.
    #[must_use]
    pub fn with_base(folder: &Path, base: Base) -> Self {
        let mut station = Self { folder: folder.to_owned(), settings: BTreeMap::new() };
        let own = station.own_base();
        std::fs::create_dir_all(&own).expect("a writable folder");
        let write = |name: &str, text: &str| std::fs::write(own.join(name), text).expect("a writable folder");
        // The base whose age counts is of today, as it should be on a station.
        let today = String::from_utf8(run(folder, "date", ["-u", "+%F"])).expect("digits");
        write("manifest.toml", &format!("name = \"test\"\nversion = \"1\"\ndate = {today}"));
        if base != Base::ClamExe {
            write("daily.ndb", &format!("Blanche.Test.EicarAnywhere:0:*:{}\n", hex(&eicar())));
        }
        if base != Base::Eicar {
            write("daily.hdb", CLAM_EXE);
        }
        let signatures = signatures();
        station.set("bases", "clamav", &format!("{:?}", [signatures.join("clamav"), own]));
        station.set("bases", "rules", &format!("{:?}", [signatures.join("rules")]));
        station.set("bases", "required", "[\"daily\"]");
        station.set("known_results", "file", "\"none\"");
        station
    }

    /// The folder with this station's own signatures; a file dropped there is a new base.
    #[must_use]
    pub fn own_base(&self) -> PathBuf {
        self.folder.join("base")
    }

    /// Sets one key of the configuration (docs/configuration.md); `value` is TOML.
    pub fn set(&mut self, section: &str, key: &str, value: &str) -> &mut Self {
        self.settings.insert((section.to_owned(), key.to_owned()), value.to_owned());
        self
    }

    /// Writes the configuration and returns its path.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        let lines: Vec<String> =
            self.settings.iter().map(|((section, key), value)| format!("{section}.{key} = {value}\n")).collect();
        let path = self.folder.join("blanche.toml");
        std::fs::write(&path, lines.concat()).expect("a writable folder");
        path
    }

    /// Scans `target` and parses the report.
    ///
    /// # Panics
    /// When `blanche` was not built, was killed, or its standard output is not a report.
    #[must_use]
    pub fn scan(&self, target: &Path) -> Scan {
        self.scan_with(&[], target)
    }

    /// Scans `target` and seals it if it is clean: the station must have been equipped by a [`crate::Ceremony`].
    ///
    /// # Panics
    /// As [`Station::scan`].
    #[must_use]
    pub fn seal(&self, target: &Path) -> Scan {
        self.scan_with(&["--seal"], target)
    }

    fn scan_with(&self, options: &[&str], target: &Path) -> Scan {
        let mut command = Command::new(program("blanche"));
        command.arg("--config").arg(self.configuration()).args(["scan", "--json"]).args(options).arg(target);
        let output = command.output().expect("the program was built");
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code().unwrap_or_else(|| panic!("{command:?} was killed: {}", output.status));
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{command:?} gave no report ({error}), code {code}:\n{messages}"));
        let scan = Scan { report, code, messages };
        scan.assert_ledgers_add_up();
        scan
    }
}

impl Scan {
    /// Both ledgers of every report that any test makes: each byte of each file, and each byte of the medium, has
    /// exactly one place (security rule 1).
    fn assert_ledgers_add_up(&self) {
        let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no number: {value}"));
        let content = &self.report["content"];
        let parts = ["checked", "skipped", "unreadable"].map(|part| number(&content[part]));
        assert_eq!(parts.iter().sum::<u64>(), number(&content["bytes"]), "{content:#}");
        let gaps = self.report["not_checked"].as_array().expect("a list");
        if gaps.is_empty() && self.verdict() != "refused" {
            assert_eq!(content["files_checked"], content["files"], "{content:#}");
            let area = self.report["area"]["sums"].as_array().expect("a list");
            let bytes: u64 = area.iter().map(|line| number(&line["bytes"])).sum();
            let capacity = self.report["target"]["capacity"].as_u64().unwrap_or(0);
            assert_eq!(bytes, capacity, "{:#}", self.report["area"]);
        }
    }

    /// The verdict: "clean", "incomplete", "infected" or "refused".
    ///
    /// # Panics
    /// When the report has none.
    #[must_use]
    pub fn verdict(&self) -> &str {
        self.report["verdict"].as_str().expect("a report has a verdict")
    }

    /// Paths of the files with a malicious finding, sorted.
    #[must_use]
    pub fn found(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.malicious().map(path_of).collect();
        paths.sort();
        paths
    }

    /// The files with a malicious finding.
    fn malicious(&self) -> impl Iterator<Item = &Value> {
        let malicious = |file: &&Value| {
            file["findings"].as_array().is_some_and(|all| all.iter().any(|one| one["severity"] == "malicious"))
        };
        self.report["findings"].as_array().into_iter().flatten().filter(malicious)
    }

    /// Paths of the files with a malicious finding, sorted, by the view that shows them: the name of its tree, followed
    /// by the number of its session where there are several; "" for a volume with one view.
    #[must_use]
    pub fn found_by_view(&self) -> BTreeMap<String, Vec<String>> {
        let mut views = BTreeMap::<String, Vec<String>>::new();
        for (volume, path) in self.found_on_volumes() {
            let view = &volume["view"];
            let tree = view["tree"].as_str().unwrap_or_default();
            let name = match view["session"].as_u64() {
                None | Some(0) => tree.to_owned(),
                Some(session) => format!("{tree} {session}"),
            };
            views.entry(name).or_default().push(path);
        }
        views.values_mut().for_each(|paths| paths.sort());
        views
    }

    /// Files with a malicious finding, as (first byte of the volume, path) pairs, sorted, each once.
    #[must_use]
    pub fn found_at(&self) -> Vec<(u64, String)> {
        let found = self.found_on_volumes().into_iter();
        let mut pairs: Vec<_> =
            found.map(|(volume, path)| (volume["start"].as_u64().expect("a volume starts somewhere"), path)).collect();
        pairs.sort();
        pairs.dedup();
        pairs
    }

    /// Files with a malicious finding: the line of the volume, the path.
    fn found_on_volumes(&self) -> Vec<(&Value, String)> {
        let volumes = self.report["volumes"].as_array().expect("a list");
        let volume = |file: &Value| {
            volumes.iter().find(|line| line["volume"] == file["volume"]).expect("a finding is on one of the volumes")
        };
        self.malicious().map(|file| (volume(file), path_of(file))).collect()
    }

    /// What was not checked, as (path, cause) pairs, sorted; the path is empty for volumes and the medium.
    #[must_use]
    pub fn not_checked(&self) -> Vec<(String, String)> {
        let lines = self.report["not_checked"].as_array().into_iter().flatten();
        let cause = |line: &Value| line["cause"].as_str().unwrap_or_default().to_owned();
        let mut pairs: Vec<_> = lines.map(|line| (path_of(line), cause(line))).collect();
        pairs.sort();
        pairs
    }
}

/// A path without a separator in front.
fn path_of(line: &Value) -> String {
    line["path"].as_str().unwrap_or_default().trim_start_matches('/').to_owned()
}
