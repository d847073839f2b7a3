//! The station in the guest, and what it says of a medium.
//!
//! This is the one place that knows how a medium gets to be scanned: nobody types anything. The daemon sees it, and
//! `blanche station watch` says what it makes of it, into the folder that both sides share.

use crate::failure::{Failure, Result};
use crate::guest::{First, Guest};
use crate::passphrase;
use crate::program::command;
use crate::prompt::{self, Clock, Promptness};
use crate::watch::Watch;
use blanche_tests::station::{program, signatures};
use blanche_tests::{Ceremony, Station as Settings};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest that any medium here may keep the station busy.
const SESSION: Duration = Duration::from_secs(600);
/// Copying what packages would install. A minute was seen on a busy machine.
const INSTALLS: Duration = Duration::from_secs(300);
/// From plugging in to a word of the station.
const ARRIVES: Duration = Duration::from_secs(120);
/// From its start to engines that are loaded.
const READY: Duration = Duration::from_secs(300);

/// A station with keys, installed in a guest.
#[derive(Debug)]
pub struct Station {
    /// Folder of the host: `keys/trust` is what a workstation trusts.
    folder: PathBuf,
    /// Folder of the host: what the guest writes down.
    log: PathBuf,
    first: First,
    watch: Watch,
    clock: Clock,
    on_duty: bool,
    times: Vec<Promptness>,
}

/// A moment before something was plugged in.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    line: usize,
    kernel: u64,
}

/// A session that the station began by itself.
#[derive(Debug)]
#[must_use]
pub struct Session {
    id: String,
    mark: Mark,
    /// Its disk, as "sda"; empty when the device got no driver.
    pub disk: String,
}

/// What the station says.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report (docs/report.md); null when there is none.
    pub report: Value,
    /// The last line of the session (docs/station.md).
    pub line: Value,
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
        // Side by side, as on a machine with two processors.
        settings.set("matchers", "count", "2");
        for (key, place) in [("keys", "/etc/blanche/keys"), ("trust", "/etc/blanche/trust")] {
            settings.set("seal", key, &format!("{place:?}"));
        }
        settings.set("seal", "detached", "\"/var/lib/blanche/tags\"");
        let _ = settings.configuration();
        crate::program::run(&folder, "cp", ["-r".as_ref(), signatures().as_os_str(), "signatures".as_ref()])?;
        let programs = program("blanche");
        let programs = programs.parent().unwrap_or(Path::new("/"));
        let install = guest.start(&format!("/run/e2e/guest/install '{}'", programs.display()))?;
        let installed = guest.finish(&install, INSTALLS)?;
        install.succeeded(installed)?;
        if guest.first() != First::Matrix {
            guest.run("systemctl daemon-reload; systemctl reload dbus")?;
        }
        guest.run("/run/e2e/guest/station watch")?;
        let log = guest.share().join("log");
        let (first, watch) = (guest.first(), Watch::new(log.join("watch")));
        let clock = Clock::of(guest)?;
        Ok(Self { folder, log, first, watch, clock, on_duty: false, times: Vec::new() })
    }

    /// Whether its daemon runs, as far as nobody killed it.
    #[must_use]
    pub fn is_on_duty(&self) -> bool {
        self.on_duty
    }

    /// Starts the daemon, and waits until it can check and seal.
    ///
    /// # Errors
    /// [`Failure`] when it does not become able to.
    pub fn start(&mut self, guest: &mut Guest) -> Result<()> {
        let line = self.watch.now()?;
        guest.run(match self.first {
            First::Matrix => "/run/e2e/guest/station start",
            First::Systemd | First::Sleepy => "systemctl start blanche-stationd",
        })?;
        self.ready(line)
    }

    /// Waits until it can check and seal, said after `line`.
    pub(crate) fn ready(&mut self, line: usize) -> Result<()> {
        let ready = |line: &Value| {
            let loaded = line["engines"].as_array().is_some_and(|engines| !engines.is_empty());
            line["event"] == "station" && line["can_seal"] == true && loaded
        };
        self.watch.wait(line, "a station that can seal", READY, ready)?;
        self.on_duty = true;
        Ok(())
    }

    /// Stops the daemon in good order.
    ///
    /// # Errors
    /// [`Failure`] when it does not end.
    pub fn stop(&mut self, guest: &mut Guest) -> Result<()> {
        guest.run(match self.first {
            First::Matrix => "/run/e2e/guest/station stop",
            First::Systemd | First::Sleepy => "systemctl stop blanche-stationd",
        })?;
        self.on_duty = false;
        Ok(())
    }

    /// This moment.
    ///
    /// # Errors
    /// [`Failure`] when the station's lines cannot be read.
    pub fn mark(&mut self) -> Result<Mark> {
        Ok(Mark { line: self.watch.now()?, kernel: prompt::place(&self.log.join("kernel")) })
    }

    /// The first session that begins after `mark`.
    ///
    /// # Errors
    /// [`Failure::Late`] when none does.
    pub fn arrival(&mut self, mark: Mark) -> Result<Session> {
        let begun = |line: &Value| matches!(line["event"].as_str(), Some("arrived" | "present"));
        let line = self.watch.wait(mark.line, "a medium", ARRIVES, begun)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let disk = text(&line["medium"]["node"]).trim_start_matches("/dev/").to_owned();
        Ok(Session { id: text(&line["session"]), mark, disk })
    }

    /// Waits until the tag of a clean medium is being written.
    ///
    /// # Errors
    /// [`Failure::Late`] when it is not.
    pub fn sealing(&mut self, session: &Session) -> Result<()> {
        let seals = |line: &Value| line["session"] == *session.id && line["state"] == "sealing";
        self.watch.wait(session.mark.line, "the sealing of a medium", SESSION, seals).map(drop)
    }

    /// Waits for the result of a session.
    ///
    /// # Errors
    /// [`Failure::Late`] when the station is stuck.
    pub fn end(&mut self, guest: &mut Guest, session: &Session) -> Result<Outcome> {
        let ended = |line: &Value| {
            let over = matches!(line["state"].as_str(), Some("verdict" | "refused" | "removed"));
            line["session"] == *session.id && over && line["verdict"] != ""
        };
        let line = self.watch.wait(session.mark.line, "the end of a session", SESSION, ended)?;
        let mut report = Value::Null;
        if line["has_report"] == true {
            let text = guest.run(&format!("/run/e2e/guest/agent {}", session.id))?;
            report = serde_json::from_str(&text).map_err(|error| Failure::format(format!("the report: {error}")))?;
        }
        let lines = self.watch.of(&session.id);
        self.times.extend(prompt::measure(&self.log.join("kernel"), session.mark.kernel, self.clock, lines));
        Ok(Outcome { report, line })
    }

    /// Waits until the medium of a session is gone, as far as the station knows.
    ///
    /// # Errors
    /// [`Failure::Late`] when it takes another for it.
    pub fn gone(&mut self, session: &Session) -> Result<()> {
        let gone = |line: &Value| line["session"] == *session.id && line["state"] == "removed";
        self.watch.wait(session.mark.line, "the removal of a medium", ARRIVES, gone).map(drop)
    }

    /// Has the files of the only medium that can be copied copied to the only one in an output port, by `blanche station copy`, and
    /// waits for the end: the last line of the session.
    ///
    /// # Errors
    /// [`Failure`] when nobody looks at the output medium, the order is refused, or the copy is stuck.
    pub fn copy(&mut self, guest: &mut Guest, mark: Mark) -> Result<Value> {
        let looked = |line: &Value| line["outputs"][0]["contents"].as_str().is_some_and(|word| word != "looking");
        self.watch.wait(mark.line, "an output medium that was looked at", ARRIVES, looked)?;
        guest.run("blanche station copy")?;
        self.watch.wait(mark.line, "the end of a copy", SESSION, |line| line["event"] == "copied")
    }

    /// Waits until the media of all sessions are gone.
    ///
    /// # Errors
    /// [`Failure::Late`] when a session is stuck.
    pub fn empty(&mut self) -> Result<()> {
        // What was said before is in the last lines of the sessions: that the station was absent once says nothing of
        // these.
        let place = self.watch.now()?;
        for (session, line) in self.watch.sessions()? {
            if line["state"] != "removed" && line["event"] != "forgotten" {
                let removed = |line: &Value| {
                    line["event"] == "absent" || (line["session"] == *session && line["state"] == "removed")
                };
                self.watch.wait(place, "the removal of a medium", ARRIVES, removed)?;
            }
        }
        Ok(())
    }

    /// How soon it saw and read each medium so far.
    #[must_use]
    pub fn times(&self) -> &[Promptness] {
        &self.times
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
        let Some(verdict) = verdict else {
            let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
            let tag = if self.line["seal"] == "" { "no tag" } else { "A TAG" };
            return match self.line["refusal"].as_str() {
                Some("") | None => {
                    format!("{} ({}), {tag}", text(&self.line["verdict"]), text(&self.line["failure"]["kind"]))
                }
                Some(refusal) => format!("{} ({refusal})", text(&self.line["verdict"])),
            };
        };
        let seal = &self.report["seal"];
        let tag = match seal["outcome"].as_str() {
            Some("on_medium") => "sealed".to_owned(),
            Some("detached") => format!("tag kept ({})", seal["because"]["obstacle"].as_str().unwrap_or("?")),
            Some("no_tag") if seal["reason"] == "obstacles" => "no tag".to_owned(),
            None if seal.is_null() && self.line["seal"] == "" => "no tag".to_owned(),
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
