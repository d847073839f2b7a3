//! One content through all engines: content type and containers, YARA and ClamAV, on the outer layer and on every
//! layer that libclamav unpacks.

use crate::clamav::{Answer, Clamav, Layer, Missed, SMALLEST_CONTENT, ScanLimits, Watch};
use crate::clock::CpuClock;
use crate::containers::{self, Inspection, Opened, Outcome};
use crate::content_type;
use crate::results::{Findings, NotChecked};
use crate::rules::{RuleFailure, RuleMatcher};
use crate::severity::{self, Meaning};
use blanche_sandbox::wire::{Cause, Container, ContentType, EngineCpu, EngineLimit, Finding, Severity};
use memchr::memmem;
use std::time::Duration;

/// Names of the engines in findings and messages.
pub const CLAMAV: &str = "clamav";
/// See [`CLAMAV`].
pub const YARA: &str = "yara-x";
/// Bytes in a second that a rule's time limit allows on top of its base.
const RULE_BYTES_PER_SECOND: u64 = 5_000_000;
/// A layer without a name of its own.
const UNNAMED: &str = "(unnamed)";
/// Bytes of a layer in which the self-test looks for its marker.
const MARKER_HEAD: usize = 64 << 10;

/// The engines of one matcher.
#[derive(Debug)]
pub struct Engines<'r> {
    /// Compiled, with a temporary folder.
    pub clamav: Clamav,
    /// The one scanner of this process.
    pub rules: RuleMatcher<'r>,
    /// Bytes of the largest content that is matched, whoever matches it; 0 = no limit.
    pub max_file_size: u64,
    /// Limits of one ClamAV scan.
    pub limits: ScanLimits,
    /// For one layer.
    pub rule_time: Duration,
    /// What counts as opened.
    pub opened: Opened,
}

/// What came out.
#[derive(Debug)]
pub struct Examined {
    /// Type of the outer layer.
    pub content_type: ContentType,
    /// The most severe first, bounded.
    pub findings: Vec<Finding>,
    /// Bounded.
    pub not_checked: Vec<Cause>,
    /// Layers, the outer one counted.
    pub layers: u32,
    /// The outer layer is a disk image that no engine opens.
    pub disk_image: bool,
    /// CPU of ClamAV, of the rules and of looking at containers; hashing is not done here.
    pub cpu: EngineCpu,
    /// An inner layer held the marker (self-test).
    pub marker_seen: bool,
}

impl Engines<'_> {
    /// Matches one content. `extensions` are those of its names; `marker` is looked for in inner layers.
    pub fn examine(&mut self, content: &[u8], extensions: &[String], marker: Option<&[u8]>) -> Examined {
        self.run(content, extensions, marker, false)
    }

    /// Matches boot code or a table: whatever may look like a container in it is none.
    pub fn examine_area(&mut self, content: &[u8]) -> Examined {
        self.run(content, &[], None, true)
    }

    fn run(&mut self, content: &[u8], extensions: &[String], marker: Option<&[u8]>, area: bool) -> Examined {
        let started = CpuClock::start();
        let mut walk = Walk {
            rules: &mut self.rules,
            rule_time: self.rule_time,
            opened: &self.opened,
            max_output: self.limits.max_scan_size,
            marker,
            area,
            frames: Vec::new(),
            findings: Findings::default(),
            not_checked: NotChecked::default(),
            broken: Vec::new(),
            layers: 1,
            disk_image: false,
            hits: 0,
            entered: false,
            marker_seen: false,
            cpu: EngineCpu::default(),
        };
        let content_type = walk.outer(content, extensions);
        if self.max_file_size != 0 && u64::try_from(content.len()).is_ok_and(|bytes| bytes > self.max_file_size) {
            // One limit for all: a file over it costs nothing, and its report does not depend on which engine obeys.
            walk.not_checked.add(Cause::EngineLimit(EngineLimit::FileSize));
        } else {
            walk.match_rules(content);
            let answer = self.clamav.scan(content, self.limits, &mut walk);
            walk.conclude(answer, content.len());
        }
        // Rules and containers are looked at while libclamav waits.
        walk.cpu.clamav = started.micros().saturating_sub(walk.cpu.rules).saturating_sub(walk.cpu.inspection);
        walk.into_examined(content_type)
    }
}

/// One layer that is being unpacked.
struct Frame {
    depth: u32,
    name: Option<String>,
    inspection: Inspection,
    outcome: Outcome,
}

/// The way through the layers of one content.
struct Walk<'a, 'r> {
    rules: &'a mut RuleMatcher<'r>,
    rule_time: Duration,
    opened: &'a Opened,
    max_output: u64,
    marker: Option<&'a [u8]>,
    /// The content is boot code or a table.
    area: bool,
    /// From the outer layer to the current one; the first stays until the end.
    frames: Vec<Frame>,
    findings: Findings,
    not_checked: NotChecked,
    broken: Vec<Container>,
    layers: u32,
    disk_image: bool,
    hits: u32,
    entered: bool,
    marker_seen: bool,
    cpu: EngineCpu,
}

impl Walk<'_, '_> {
    fn outer(&mut self, content: &[u8], extensions: &[String]) -> ContentType {
        let (extension, further) = match extensions {
            [own, further @ ..] => (own.as_str(), further),
            [] => ("", extensions),
        };
        let frame = self.frame(content, extension, 0, None);
        if self.area {
            self.frames.push(frame);
            return ContentType::default();
        }
        let clock = CpuClock::start();
        self.disk_image = frame.inspection.disk_image;
        let (content_type, finding) = content_type::examine(content, extension, frame.inspection.container);
        self.findings.extend(finding);
        // What a content is does not depend on its name, but some containers show in nothing else, and each name may promise another.
        for extension in further {
            self.not_checked.extend(containers::inspect(content, extension, self.opened, self.max_output).causes);
            self.findings.extend(content_type::examine(content, extension, frame.inspection.container).1);
        }
        self.cpu.inspection = self.cpu.inspection.saturating_add(clock.micros());
        self.frames.push(frame);
        content_type
    }

    fn frame(&mut self, content: &[u8], extension: &str, depth: u32, name: Option<String>) -> Frame {
        if self.area {
            return Frame { depth, name, inspection: Inspection::default(), outcome: Outcome::default() };
        }
        let clock = CpuClock::start();
        let inspection = containers::inspect(content, extension, self.opened, self.max_output);
        self.cpu.inspection = self.cpu.inspection.saturating_add(clock.micros());
        self.not_checked.extend(inspection.causes.iter().cloned());
        Frame { depth, name, inspection, outcome: Outcome::default() }
    }

    fn match_rules(&mut self, content: &[u8]) {
        let clock = CpuClock::start();
        let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let limit = self.rule_time.saturating_add(Duration::from_secs(bytes / RULE_BYTES_PER_SECOND));
        match self.rules.scan(content, limit) {
            Ok(hits) => {
                let layer = self.path();
                self.findings.extend(hits.into_iter().map(|hit| Finding {
                    engine: YARA.to_owned(),
                    name: hit.name,
                    severity: hit.severity,
                    layer: layer.clone(),
                }));
            }
            Err(RuleFailure::Timeout) => self.not_checked.add(Cause::EngineTimeout),
            Err(RuleFailure::Failed(reason)) => self.failed(YARA, &reason),
        }
        self.cpu.rules = self.cpu.rules.saturating_add(clock.micros());
    }

    fn failed(&mut self, engine: &str, reason: &str) {
        self.not_checked.add(Cause::EngineFailed(format!("{engine}: {reason}")));
    }

    /// Names of the members on the way to the current layer.
    fn path(&self) -> Vec<String> {
        self.frames.iter().filter_map(|frame| frame.name.clone()).collect()
    }

    /// Ends the innermost layer: compares what came out with what was announced.
    fn settle(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        self.broken.extend(frame.inspection.missing(&frame.outcome));
        if let Some(parent) = self.frames.last_mut() {
            parent.outcome.all.extend(&frame.outcome.all);
        }
    }

    fn conclude(&mut self, answer: Result<Answer, crate::clamav::ClamavError>, length: usize) {
        while !self.frames.is_empty() {
            self.settle();
        }
        let looked_at = self.entered || length < SMALLEST_CONTENT;
        match answer {
            Ok(Answer::Clean) if !looked_at && self.not_checked.is_empty() => {
                self.failed(CLAMAV, "it answered without looking at the content");
            }
            Ok(Answer::Hit) if self.hits == 0 => self.failed(CLAMAV, "it found something and gave no name"),
            Ok(Answer::Clean | Answer::Hit) => {}
            Ok(Answer::Memory) => self.not_checked.add(Cause::MatcherMemory),
            Ok(Answer::Failed(reason)) => self.failed(CLAMAV, &reason),
            Err(error) => self.failed(CLAMAV, &error.to_string()),
        }
        // Where a limit stopped the unpacking, that is the reason why members are missing.
        if !self.not_checked.any(is_limit) {
            for container in std::mem::take(&mut self.broken) {
                self.not_checked.add(Cause::ContainerBroken(container));
            }
        }
    }

    fn into_examined(self, content_type: ContentType) -> Examined {
        Examined {
            content_type,
            findings: self.findings.into_list(),
            not_checked: self.not_checked.into_list(),
            layers: self.layers,
            disk_image: self.disk_image,
            cpu: self.cpu,
            marker_seen: self.marker_seen,
        }
    }
}

impl Watch for Walk<'_, '_> {
    fn enter(&mut self, layer: &Layer<'_>) {
        if layer.depth == 0 {
            self.entered = true;
            return;
        }
        while self.frames.len() > 1 && self.frames.last().is_some_and(|frame| frame.depth >= layer.depth) {
            self.settle();
        }
        self.layers = self.layers.saturating_add(1);
        if let (Some(parent), false) = (self.frames.last_mut(), layer.normalised) {
            let bytes = u64::try_from(layer.buffer.len()).unwrap_or(u64::MAX);
            // What libclamav finds in a layer that it does not announce, a zip behind a 7z say, is no member of this one.
            if layer.depth == parent.depth.saturating_add(1) {
                parent.outcome.direct.add(bytes);
            }
            parent.outcome.all.add(bytes);
        }
        let name = match &layer.name {
            Some(name) => Some(name.clone()),
            None if layer.normalised => None,
            None => Some(UNNAMED.to_owned()),
        };
        let extension = layer.name.as_deref().map(extension_of).unwrap_or_default();
        let frame = self.frame(layer.buffer, &extension, layer.depth, name);
        self.frames.push(frame);
        if let (Some(marker), false) = (self.marker, layer.normalised) {
            let head = layer.buffer.get(..MARKER_HEAD).unwrap_or(layer.buffer);
            self.marker_seen |= memmem::find(head, marker).is_some();
        }
        self.match_rules(layer.buffer);
    }

    fn leave(&mut self) {
        if self.frames.len() > 1 {
            self.settle();
        }
    }

    fn hit(&mut self, name: Option<String>) {
        self.hits = self.hits.saturating_add(1);
        let name = name.unwrap_or_else(|| "(unnamed signature)".to_owned());
        match severity::of_clamav(&name) {
            Meaning::NotChecked(cause) if !self.area || is_limit(&cause) => self.not_checked.add(cause),
            Meaning::NotChecked(_) => {}
            Meaning::Finding(severity) => {
                // libclamav reports these after the last layer ended: it does not say where they were.
                let layer = if severity == Severity::Malicious { self.path() } else { Vec::new() };
                self.findings.add(Finding { engine: CLAMAV.to_owned(), name, severity, layer });
            }
        }
    }

    fn missed(&mut self, reason: Missed) {
        match reason {
            Missed::TooDeep => self.not_checked.add(Cause::EngineLimit(EngineLimit::Recursion)),
            Missed::Time => self.not_checked.add(Cause::EngineLimit(EngineLimit::Time)),
            Missed::Failed => self.failed(CLAMAV, "a layer was passed over"),
        }
    }
}

/// Whether an engine stopped before the end.
fn is_limit(cause: &Cause) -> bool {
    matches!(cause, Cause::EngineLimit(_) | Cause::EngineTimeout | Cause::MatcherMemory)
}

/// Extension of a member's name: lower case, without the dot, empty without one.
fn extension_of(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    match base.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 16 => extension.to_ascii_lowercase(),
        _ => String::new(),
    }
}
