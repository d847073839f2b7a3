//! Findings and causes, bounded as the wire contract says, without losing the most severe.

use blanche_sandbox::wire::{Cause, Finding, Severity};
use std::collections::BTreeSet;

/// Findings, and causes, in one answer.
const MAX_LINES: usize = 64;
/// Bytes of a name.
const MAX_NAME: usize = 256;
/// Names on the way to a layer.
const MAX_PATH: usize = 32;

/// Findings by severity, each kind bounded by itself, so that a flood of one cannot hide another.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    malicious: Vec<Finding>,
    suspicious: Vec<Finding>,
    info: Vec<Finding>,
}

impl Findings {
    /// Adds a finding unless it is known or its kind is full.
    pub(crate) fn add(&mut self, mut finding: Finding) {
        shorten(&mut finding.name);
        finding.layer.truncate(MAX_PATH);
        finding.layer.iter_mut().for_each(shorten);
        let list = match finding.severity {
            Severity::Malicious => &mut self.malicious,
            Severity::Suspicious => &mut self.suspicious,
            Severity::Info => &mut self.info,
        };
        if list.len() < MAX_LINES && !list.contains(&finding) {
            list.push(finding);
        }
    }

    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    /// The most severe first.
    pub(crate) fn into_list(self) -> Vec<Finding> {
        let mut list = self.malicious;
        list.extend(self.suspicious);
        list.extend(self.info);
        list.truncate(MAX_LINES);
        list
    }
}

/// Causes, each once.
#[derive(Debug, Default)]
pub(crate) struct NotChecked(BTreeSet<Cause>);

impl NotChecked {
    pub(crate) fn add(&mut self, cause: Cause) {
        let cause = match cause {
            Cause::EngineFailed(mut text) => {
                shorten(&mut text);
                Cause::EngineFailed(text)
            }
            other => other,
        };
        if self.0.len() < MAX_LINES {
            self.0.insert(cause);
        }
    }

    pub(crate) fn extend(&mut self, causes: impl IntoIterator<Item = Cause>) {
        causes.into_iter().for_each(|cause| self.add(cause));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn any(&self, test: impl Fn(&Cause) -> bool) -> bool {
        self.0.iter().any(test)
    }

    pub(crate) fn into_list(self) -> Vec<Cause> {
        self.0.into_iter().collect()
    }
}

/// Cuts a text at [`MAX_NAME`] bytes, between characters.
fn shorten(text: &mut String) {
    if text.len() > MAX_NAME {
        let end = (0..=MAX_NAME).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(name: String, severity: Severity) -> Finding {
        Finding { engine: "yara-x".to_owned(), name, severity, layer: vec!["é".repeat(300); 40] }
    }

    #[test]
    fn a_flood_of_small_findings_does_not_hide_the_severe_one() {
        let mut findings = Findings::default();
        findings.extend((0..1000).map(|i| finding(format!("info{i}"), Severity::Info)));
        findings.extend((0..1000).map(|i| finding(format!("suspicious{i}"), Severity::Suspicious)));
        findings.add(finding("malware".to_owned(), Severity::Malicious));
        let list = findings.into_list();
        assert_eq!(list.len(), 64);
        assert_eq!(list.first().map(|first| first.name.as_str()), Some("malware"));
        assert!(list.iter().all(|f| f.layer.len() == 32 && f.layer.iter().all(|name| name.len() <= 256)));
    }

    #[test]
    fn causes_are_counted_once_and_bounded() {
        let mut causes = NotChecked::default();
        causes.extend([Cause::EngineTimeout, Cause::EngineTimeout]);
        causes.extend((0..100).map(|i| Cause::EngineFailed(format!("{i}{}", "é".repeat(400)))));
        let list = causes.into_list();
        assert_eq!(list.len(), 64);
        assert_eq!(list.iter().filter(|cause| **cause == Cause::EngineTimeout).count(), 1);
    }
}
