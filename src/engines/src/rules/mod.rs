//! YARA rules by yara-x: compiled once at the start, matched in every layer.
//!
//! Nothing is matched before the fork: yara-x starts its timeout thread once per process, so a zygote that had matched
//! would leave its children without time limits. All code generation happens in [`Rules::compile`], hence before the
//! sandbox takes executable memory away.

mod sources;

pub use sources::{RuleFolder, read_folder};

use blanche_sandbox::wire::{BaseInfo, Severity};
use std::time::Duration;
use yara_x::{Compiler, MetaValue, ScanError, Scanner, SourceCode};

/// Version of yara-x; `Cargo.toml` pins exactly this one, and a test compares both.
pub const YARA_X_VERSION: &str = "1.22.1";

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file or a folder cannot be read, or a manifest is refused.
    #[error("{path}: {reason}")]
    Read {
        /// File or folder.
        path: String,
        /// Why.
        reason: String,
    },
    /// A rule does not compile, or one of its patterns is so slow that a small file would hold up a session.
    #[error("{path}: {reason}")]
    Compile {
        /// Folder, file and line.
        path: String,
        /// The compiler's words.
        reason: String,
    },
}

/// Compiled rules.
#[derive(Debug)]
pub struct Rules {
    rules: yara_x::Rules,
    bases: Vec<BaseInfo>,
}

impl Rules {
    /// Compiles every file of the folders, each file in a namespace of its own. `executable_memory` must still be
    /// allowed.
    ///
    /// # Errors
    /// [`RulesError`] at the first file that does not compile.
    pub fn compile(folders: &[RuleFolder]) -> Result<Self, RulesError> {
        let mut compiler = Compiler::new();
        compiler.error_on_slow_pattern(true).enable_includes(false);
        compiler.ban_module(
            "time",
            "the module `time` is not used",
            "results are kept and used again: a rule must say the same of the same content at any hour",
        );
        for folder in folders {
            for file in &folder.files {
                let origin = format!("{}/{}", folder.name, file.name);
                compiler.new_namespace(&origin);
                let source = SourceCode::from(file.text.as_str()).with_origin(origin.as_str());
                if let Err(error) = compiler.add_source(source) {
                    let reason = plain(&error.to_string());
                    let path = line_of(&reason, &origin).map_or(origin.clone(), |line| format!("{origin}:{line}"));
                    return Err(RulesError::Compile { path, reason });
                }
            }
        }
        let rules = compiler.build();
        let bases = folders.iter().map(|folder| folder.describe(count(&rules, folder))).collect();
        Ok(Self { rules, bases })
    }

    /// One line for each folder.
    #[must_use]
    pub fn bases(&self) -> &[BaseInfo] {
        &self.bases
    }

    /// The one scanner of this process; only to be called in a process that will not fork any more.
    #[must_use]
    pub fn matcher(&self) -> RuleMatcher<'_> {
        RuleMatcher { scanner: Scanner::new(&self.rules) }
    }
}

/// Rules of one folder.
fn count(rules: &yara_x::Rules, folder: &RuleFolder) -> u64 {
    let prefix = format!("{}/", folder.name);
    let count = rules.iter().filter(|rule| rule.namespace().starts_with(&prefix)).count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Line of the first label of a compiler error: its text says `--> origin:line:column`.
fn line_of(text: &str, origin: &str) -> Option<u32> {
    let after = text.split("--> ").nth(1)?.strip_prefix(origin)?.strip_prefix(':')?;
    after.split(':').next()?.parse().ok()
}

/// An error message without terminal colours, bounded.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(1000).collect()
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleHit {
    /// Name of the rule.
    pub name: String,
    /// From its metadata.
    pub severity: Severity,
}

/// Why a layer was not matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleFailure {
    /// The time was over.
    Timeout,
    /// Another error.
    Failed(String),
}

/// Matches layers one after the other.
pub struct RuleMatcher<'r> {
    scanner: Scanner<'r>,
}

impl std::fmt::Debug for RuleMatcher<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RuleMatcher")
    }
}

impl RuleMatcher<'_> {
    /// Matches one layer within `limit`.
    ///
    /// # Errors
    /// [`RuleFailure`]; the layer then counts as not checked.
    pub fn scan(&mut self, layer: &[u8], limit: Duration) -> Result<Vec<RuleHit>, RuleFailure> {
        // yara-x counts whole seconds, and a limit of zero is over at once.
        self.scanner.set_timeout(limit.max(Duration::from_secs(1)));
        let results = self.scanner.scan(layer).map_err(|error| match error {
            ScanError::Timeout => RuleFailure::Timeout,
            other => RuleFailure::Failed(other.to_string()),
        })?;
        Ok(results
            .matching_rules()
            .map(|rule| RuleHit { name: rule.identifier().to_owned(), severity: severity(&rule) })
            .collect())
    }
}

/// Severity from the rule's `severity` metadata: a rule that states none, or an unknown one, is malicious.
fn severity(rule: &yara_x::Rule<'_, '_>) -> Severity {
    let stated = rule.metadata().find_map(|(name, value)| match value {
        MetaValue::String(text) if name == "severity" => Some(text),
        _ => None,
    });
    crate::severity::of_rule(stated)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_rule_that_looks_at_the_clock_does_not_compile() {
        let home = tempfile::tempdir().expect("a folder");
        let compile = |text: &str| {
            std::fs::write(home.path().join("a.yar"), text).expect("a file of rules");
            Rules::compile(&[read_folder("own", home.path()).expect("rules")])
        };
        assert!(compile("import \"math\" rule a {condition: math.min(1, 2) == 1}").is_ok());
        let error = compile("import \"time\" rule a {condition: time.now() > 0}").expect_err("a clock").to_string();
        assert!(error.contains("at any hour"), "{error}");
    }
}
