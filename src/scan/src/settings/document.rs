//! The TOML form of the parts that have another form in the program, and what can only be checked on the whole.

use super::{EngineSettings, Place, Settings, SettingsError, size_notation, units};
use blanche_sandbox::wire::{EngineLimits, ReadLimits};
use serde::{Deserialize, Deserializer};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// `[reader]`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReaderDocument {
    #[serde(deserialize_with = "units::count::<_, _, 1, 1_000_000_000>")]
    max_entries: u32,
    #[serde(deserialize_with = "units::count::<_, _, 1, 10_000>")]
    max_depth: u32,
    #[serde(deserialize_with = "units::short_size::<_, KIB, MIB>")]
    max_path: u32,
    #[serde(deserialize_with = "units::size::<_, MIB, { 1024 * TIB }>")]
    max_bytes: u64,
    #[serde(deserialize_with = "units::count::<_, _, 1, 4096>")]
    max_volumes: u16,
    #[serde(deserialize_with = "units::size::<_, MIB, { 2 * GIB }>")]
    max_memory_object: u64,
    #[serde(deserialize_with = "units::size::<_, { 64 * KIB }, { 2 * GIB }>")]
    batch_bytes: u64,
    #[serde(deserialize_with = "units::count::<_, _, 1, 4096>")]
    batch_files: u32,
    #[serde(deserialize_with = "units::size::<_, { 64 * KIB }, { 2 * GIB }>")]
    chunk_bytes: u64,
}

impl Default for ReaderDocument {
    fn default() -> Self {
        let limits = ReadLimits::default();
        Self {
            max_entries: limits.max_entries,
            max_depth: limits.max_depth,
            max_path: limits.max_path,
            max_bytes: limits.max_bytes,
            max_volumes: limits.max_volumes,
            max_memory_object: limits.max_memory_object,
            batch_bytes: limits.batch_bytes,
            batch_files: limits.batch_files,
            chunk_bytes: limits.chunk_bytes,
        }
    }
}

/// Reads `[reader]`.
pub(super) fn read_limits<'de, D: Deserializer<'de>>(from: D) -> Result<ReadLimits, D::Error> {
    let written = ReaderDocument::deserialize(from)?;
    Ok(ReadLimits {
        max_entries: written.max_entries,
        max_depth: written.max_depth,
        max_path: written.max_path,
        max_bytes: written.max_bytes,
        max_volumes: written.max_volumes,
        max_memory_object: written.max_memory_object,
        batch_bytes: written.batch_bytes,
        batch_files: written.batch_files,
        chunk_bytes: written.chunk_bytes,
    })
}

/// `[engines]`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EnginesDocument {
    #[serde(deserialize_with = "units::file_size_limit")]
    max_file_size: u64,
    #[serde(deserialize_with = "units::size_or_none")]
    max_scan_size: u64,
    #[serde(deserialize_with = "units::file_count")]
    max_files: u32,
    // libclamav keeps at most 100 levels (CLI_MAX_MAXRECLEVEL).
    #[serde(deserialize_with = "units::count::<_, _, 1, 100>")]
    max_recursion: u32,
    #[serde(deserialize_with = "units::scan_time")]
    max_scan_time: u32,
    #[serde(deserialize_with = "units::rules_time")]
    max_rules_time: u32,
    #[serde(deserialize_with = "units::size::<_, { 64 * MIB }, TIB>")]
    max_matcher_memory: u64,
    #[serde(deserialize_with = "units::size::<_, { 16 * MIB }, TIB>")]
    tmpfs: u64,
}

impl Default for EnginesDocument {
    fn default() -> Self {
        Self {
            max_file_size: 0,
            max_scan_size: 4 * GIB,
            max_files: 10_000,
            max_recursion: 17,
            max_scan_time: 120_000,
            max_rules_time: 30,
            max_matcher_memory: 2 * GIB,
            tmpfs: 4 * GIB,
        }
    }
}

impl From<EnginesDocument> for EngineSettings {
    fn from(written: EnginesDocument) -> Self {
        let limits = EngineLimits {
            max_file_size: written.max_file_size,
            max_scan_size: written.max_scan_size,
            max_files: written.max_files,
            max_recursion: written.max_recursion,
            max_scan_time: written.max_scan_time,
            max_rules_time: written.max_rules_time,
            max_matcher_memory: written.max_matcher_memory,
        };
        Self { limits, tmpfs_bytes: written.tmpfs }
    }
}

/// What a mistake in the document looks like to a person.
pub(super) fn invalid(text: &str, file: &Path, error: &toml::de::Error) -> SettingsError {
    let mut message = error.message().trim().replace('\n', "; ");
    if message.starts_with("unknown field") {
        message.push_str("; check the spelling in docs/configuration.md");
    }
    SettingsError::Invalid { file: file.to_owned(), place: place(text, error.span()), message }
}

/// Line and column of the first byte of `span`.
fn place(text: &str, span: Option<Range<usize>>) -> Place {
    let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    Place { line, column }
}

/// Values that are each in range but contradict each other.
pub(super) fn check_together(settings: &Settings, text: &str, file: &Path) -> Result<(), SettingsError> {
    let reader = &settings.reader;
    let wrong = |key: &str, value: u64| {
        let message = format!(
            "{key} ({}) is larger than max_memory_object ({}); write at most that much",
            size_notation(value),
            size_notation(reader.max_memory_object)
        );
        Err(SettingsError::Invalid {
            file: file.to_owned(),
            place: place(text, key_span(text, "reader", key)),
            message,
        })
    };
    if reader.batch_bytes > reader.max_memory_object {
        return wrong("batch_bytes", reader.batch_bytes);
    }
    if reader.chunk_bytes > reader.max_memory_object {
        return wrong("chunk_bytes", reader.chunk_bytes);
    }
    Ok(())
}

/// Where a key's value stands, or its section if the key is left at its default.
fn key_span(text: &str, section: &str, key: &str) -> Option<Range<usize>> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let section = document.get_ref().get(section)?;
    let value = section.get_ref().get(key).map(Spanned::span);
    Some(value.unwrap_or_else(|| section.span()))
}

/// The folders that a document names, with their places.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    bases: NamedBases,
    known_results: NamedFile,
    seal: NamedSeal,
    journal: NamedFolder,
    children: NamedDirectory,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedFile {
    file: Option<Spanned<PathBuf>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedSeal {
    keys: Option<Spanned<PathBuf>>,
    trust: Option<Spanned<PathBuf>>,
    detached: Option<Spanned<PathBuf>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedFolder {
    folder: Option<Spanned<PathBuf>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedBases {
    clamav: Vec<Spanned<PathBuf>>,
    rules: Vec<Spanned<PathBuf>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedDirectory {
    directory: Option<Spanned<PathBuf>>,
}

/// A default folder may be absent; one that somebody wrote down may not: a base that is silently missing is a medium
/// that is silently not checked.
pub(super) fn check_named_folders(text: &str, file: &Path, home: &Path) -> Result<(), SettingsError> {
    let named: Named = toml::from_str(text).map_err(|error| invalid(text, file, &error))?;
    let bases = named.bases.clamav.iter().chain(&named.bases.rules);
    let seal = [&named.seal.keys, &named.seal.trust, &named.seal.detached].into_iter().flatten();
    let folders =
        bases.chain(seal).chain(&named.children.directory).map(|folder| (folder, home.join(folder.get_ref())));
    let kept = named.known_results.file.as_ref().filter(|file| file.get_ref() != Path::new("none"));
    let around = kept.map(|file| (file, home.join(file.get_ref()).parent().map_or(home.to_owned(), Path::to_owned)));
    // The journal is begun by the station: the folder around it has to be there.
    let journal = named.journal.folder.as_ref();
    let journal =
        journal.map(|folder| (folder, home.join(folder.get_ref()).parent().map_or(home.to_owned(), Path::to_owned)));
    for (folder, path) in folders.chain(around).chain(journal) {
        if !path.is_dir() {
            let message = format!("{}: no such folder; create it, or take this name out", path.display());
            let place = place(text, Some(folder.span()));
            return Err(SettingsError::Invalid { file: file.to_owned(), place, message });
        }
    }
    Ok(())
}
