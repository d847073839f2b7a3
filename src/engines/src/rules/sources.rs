//! The files of a rule folder: read whole before anything is compiled, so that digest and rules are the same bytes.

use super::RulesError;
use crate::manifest::{self, Manifest};
use blanche_sandbox::wire::BaseInfo;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Folders in folders that are followed.
const MAX_DEPTH: u32 = 8;

/// One rule folder.
#[derive(Debug)]
pub struct RuleFolder {
    /// Its name, for messages.
    pub name: String,
    pub(super) files: Vec<RuleFile>,
    manifest: Option<Manifest>,
}

/// One file of rules.
#[derive(Debug)]
pub(super) struct RuleFile {
    /// Path within the folder.
    pub(super) name: String,
    pub(super) text: String,
}

impl RuleFolder {
    /// The folder as one base: SHA-256 over all its files in the order of their names, each with its name and its length
    /// in front, because each is a namespace of its own.
    pub(super) fn describe(&self, rules: u64) -> BaseInfo {
        let mut hash = Sha256::new();
        for file in &self.files {
            hash.update(file.name.as_bytes());
            hash.update([0]);
            hash.update(file.text.len().to_be_bytes());
            hash.update(file.text.as_bytes());
        }
        let manifest = self.manifest.as_ref();
        BaseInfo {
            name: manifest.map_or_else(|| self.name.clone(), |manifest| manifest.name.clone()),
            version: manifest.map(|manifest| manifest.version.clone()),
            signatures: rules,
            date: manifest.map(|manifest| manifest.date),
            sha256: hash.finalize().into(),
        }
    }
}

/// Reads every `*.yar` and `*.yara` below `path`, in the order of their names; `name` stands in messages.
///
/// # Errors
/// [`RulesError::Read`] with the file that cannot be read or is not UTF-8.
pub fn read_folder(name: &str, path: &Path) -> Result<RuleFolder, RulesError> {
    let failed = |path: String, reason: &dyn std::fmt::Display| RulesError::Read { path, reason: reason.to_string() };
    let manifest = manifest::read(path).map_err(|error| failed(name.to_owned(), &error))?;
    let mut names = Vec::new();
    list(path, "", 0, &mut names).map_err(|error| failed(name.to_owned(), &error))?;
    names.sort();
    let mut files = Vec::with_capacity(names.len());
    for file in names {
        let text = std::fs::read_to_string(path.join(&file)).map_err(|e| failed(format!("{name}/{file}"), &e))?;
        files.push(RuleFile { name: file, text });
    }
    Ok(RuleFolder { name: name.to_owned(), files, manifest })
}

fn list(folder: &Path, prefix: &str, depth: u32, names: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            // Rules that are left out in silence are content that is not checked in silence.
            if entry.file_type()?.is_symlink() || depth == MAX_DEPTH {
                let reason = format!(
                    "{name}: links to folders are not followed, nor more than {MAX_DEPTH} folders in each other"
                );
                return Err(std::io::Error::other(reason));
            }
            list(&path, &format!("{name}/"), depth + 1, names)?;
        } else if matches!(path.extension().and_then(|e| e.to_str()), Some("yar" | "yara")) {
            names.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

    use super::*;

    /// A file is a namespace: a global rule binds the rules of its own file only.
    #[test]
    fn the_same_text_in_other_files_is_another_set() {
        let file = |name: &str, text: &str| RuleFile { name: name.to_owned(), text: text.to_owned() };
        let folder = |files| RuleFolder { name: "rules".to_owned(), files, manifest: None }.describe(0).sha256;
        let one = folder(vec![file("a.yar", "global rule a {condition: false} rule b {condition: true}")]);
        let two =
            folder(vec![file("a.yar", "global rule a {condition: false} "), file("b.yar", "rule b {condition: true}")]);
        assert_ne!(one, two);
    }

    #[test]
    fn no_folder_is_left_out_in_silence() {
        let home = tempfile::tempdir().expect("a folder");
        let deep = (0..MAX_DEPTH).fold(home.path().to_owned(), |path, level| path.join(level.to_string()));
        std::fs::create_dir_all(&deep).expect("folders");
        std::fs::write(deep.join("a.yar"), "rule a {condition: true}").expect("a rule");
        assert_eq!(read_folder("rules", home.path()).map(|folder| folder.files.len()).expect("as deep as that"), 1);
        std::fs::create_dir(deep.join("deeper")).expect("a folder");
        assert!(read_folder("rules", home.path()).is_err());
        std::fs::remove_dir(deep.join("deeper")).expect("a folder");
        std::os::unix::fs::symlink(&deep, home.path().join("link")).expect("a link");
        let error = read_folder("rules", home.path()).expect_err("a link").to_string();
        assert!(error.contains("link: links to folders"), "{error}");
    }
}
