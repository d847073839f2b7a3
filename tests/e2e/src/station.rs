//! The station in the guest, and what it says of a medium.
//!
//! This is the one place that knows how a medium gets to be scanned. Today somebody types: `blanche scan --seal /dev/sdX`.
//! When the service does it by itself, [`Station::begin`] and [`Station::end`] watch it instead, and no case changes.

use crate::agent::Job;
use crate::failure::{Failure, Result};
use crate::guest::Guest;
use crate::passphrase;
use crate::program::command;
use blanche_tests::station::{program, signatures};
use blanche_tests::{Ceremony, Station as Settings};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest that any medium here may keep the station busy.
const SESSION: Duration = Duration::from_secs(180);

/// A station with keys, installed in a guest.
#[derive(Debug)]
pub struct Station {
    /// Folder of the host: `keys/trust` is what a workstation trusts.
    folder: PathBuf,
    sessions: u32,
}

/// A scan that goes on.
#[derive(Debug)]
#[must_use]
pub struct Session {
    job: Job,
    /// The report's file in the shared folder.
    report: PathBuf,
}

/// What the station says.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report (docs/report.md); null when there is none.
    pub report: Value,
    /// The answer of the program.
    pub said: String,
}

impl Station {
    /// Makes the keys on the host, by `blanche keys`, and installs station and programs in `guest`, where packages would.
    ///
    /// # Errors
    /// [`Failure`] when a step fails.
    pub fn install(guest: &mut Guest) -> Result<Self> {
        let folder = guest.share().join("station");
        let ceremony = Ceremony::new(&folder.join("keys"));
        let mut settings = Settings::new(&folder);
        ceremony.equip(&mut settings, "accueil-1", "paris");
        let keys = folder.join("keys");
        let secret = fs::read_to_string(keys.join("passphrase")).map_err(Failure::file(&keys))?;
        passphrase::lighten(&keys.join("keys-accueil-1"), secret.trim_end().as_bytes())?;
        let shipped = "/usr/share/blanche/signatures";
        settings.set("bases", "clamav", &format!("[\"{shipped}/clamav\", \"/usr/share/blanche/base\"]"));
        settings.set("bases", "rules", &format!("[\"{shipped}/rules\"]"));
        for (key, place) in [("keys", "/etc/blanche/keys"), ("trust", "/etc/blanche/trust")] {
            settings.set("seal", key, &format!("{place:?}"));
        }
        settings.set("seal", "detached", "\"/var/lib/blanche/tags\"");
        let _ = settings.configuration();
        crate::program::run(&folder, "cp", ["-r".as_ref(), signatures().as_os_str(), "signatures".as_ref()])?;
        let programs = program("blanche");
        let programs = programs.parent().unwrap_or(Path::new("/"));
        guest.run(&format!("/run/e2e/guest/install '{}'", programs.display()))?;
        Ok(Self { folder, sessions: 0 })
    }

    /// Begins to scan `disk`, as "sda", and to seal it if it is clean.
    ///
    /// # Errors
    /// [`Failure`] when the guest cannot be reached.
    pub fn begin(&mut self, guest: &mut Guest, disk: &str) -> Result<Session> {
        self.sessions += 1;
        let name = format!("session-{}.json", self.sessions);
        let report = guest.share().join(&name);
        let line = format!("blanche --lang en scan --quiet --seal --json=/run/e2e/{name} /dev/{disk}");
        Ok(Session { job: guest.start(&line)?, report })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`Failure::Late`] when the station is stuck.
    pub fn end(&self, guest: &mut Guest, session: &Session) -> Result<Outcome> {
        let answer = guest.finish(&session.job, SESSION)?;
        let report = fs::read(&session.report).unwrap_or_default();
        let report = serde_json::from_slice(&report).unwrap_or(Value::Null);
        Ok(Outcome { report, said: format!("{} (exit code {})", answer.output.trim(), answer.code) })
    }

    /// The tag that the station keeps for a medium, fetched from the guest.
    ///
    /// # Errors
    /// [`Failure`] when it keeps none.
    pub fn detached(&self, guest: &mut Guest, outcome: &Outcome) -> Result<PathBuf> {
        let file = outcome.report["seal"]["file"].as_str();
        let file = file.ok_or_else(|| Failure::format(format!("no tag is kept: {}", outcome.report["seal"])))?;
        guest.run(&format!("cp '{file}' /run/e2e/detached.tag"))?;
        Ok(guest.share().join("detached.tag"))
    }

    /// What `blanche-verify` says of an image on the host, every byte read: "accepted", or why not. `block`: bytes of a
    /// logical block of the device that shows it.
    ///
    /// # Errors
    /// [`Failure`] when it gives no answer.
    pub fn verify(&self, image: &Path, block: u32, tag: Option<&Path>) -> Result<String> {
        let verifier = program("blanche-verify").display().to_string();
        let mut verify = command(&self.folder, &verifier);
        verify.args(["--json", "--no-memory", "--level", "full", "--trust"]).arg(self.folder.join("keys/trust"));
        verify.arg("--block-size").arg(block.to_string());
        if let Some(tag) = tag {
            verify.arg("--tag").arg(tag);
        }
        let output = verify.arg(image).output().map_err(Failure::host("blanche-verify"))?;
        let answer: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| Failure::format(format!("blanche-verify: {}", String::from_utf8_lossy(&output.stderr))))?;
        match (answer["verdict"].as_str(), answer["refusal"]["code"].as_str()) {
            (Some("accepted"), _) => Ok("accepted".into()),
            (_, Some(code)) => Ok(format!("refused ({code})")),
            _ => Err(Failure::format(format!("blanche-verify: {answer}"))),
        }
    }
}

impl Outcome {
    /// Verdict and tag in a few words, as the table shows them.
    #[must_use]
    pub fn words(&self) -> String {
        let verdict = self.report["verdict"].as_str();
        let Some(verdict) = verdict else { return format!("no report: {}", self.said) };
        let seal = &self.report["seal"];
        let tag = match seal["outcome"].as_str() {
            Some("on_medium") => "sealed".to_owned(),
            Some("detached") => format!("tag kept ({})", seal["because"]["obstacle"].as_str().unwrap_or("?")),
            Some("no_tag") if seal["reason"] == "obstacles" => "no tag".to_owned(),
            Some("no_tag") => format!("no tag ({}: {})", seal["reason"], seal["detail"]),
            _ => format!("no word about a tag: {seal}"),
        };
        match verdict {
            "incomplete" => format!("incomplete ({}), {tag}", self.causes().join(", ")),
            _ => format!("{verdict}, {tag}"),
        }
    }

    /// Why something was not checked: each cause once, sorted, with its detail where that is a word.
    fn causes(&self) -> Vec<String> {
        let lines = self.report["not_checked"].as_array().into_iter().flatten();
        let cause = |line: &Value| {
            let cause = line["cause"].as_str().unwrap_or("?").to_owned();
            line["detail"].as_str().map_or(cause.clone(), |detail| format!("{cause}: {detail}"))
        };
        lines.map(cause).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
